//! How JSON may be written. How that is done is the shell's business.

/// The look of JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JsonStyle {
    /// No spaces.
    #[default]
    Compact,
    /// One line, a space behind each comma and colon.
    Plain,
    /// Many lines, three spaces for each level.
    Indented,
}

impl JsonStyle {
    /// By the name that operators know it by.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "compact" => Some(Self::Compact),
            "plain" => Some(Self::Plain),
            "indented" => Some(Self::Indented),
            _ => None,
        }
    }
}
