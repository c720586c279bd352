//! How the messages of a transport are written.

use serde::{Deserialize, Serialize};

/// `json` of a transport's section.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JsonStyle {
    /// No spaces.
    #[default]
    Compact,
    /// One line, a space behind each comma and colon.
    Plain,
    /// Many lines, three spaces for each level.
    Indented,
}

impl From<JsonStyle> for signaling::JsonStyle {
    fn from(style: JsonStyle) -> Self {
        match style {
            JsonStyle::Compact => Self::Compact,
            JsonStyle::Plain => Self::Plain,
            JsonStyle::Indented => Self::Indented,
        }
    }
}
