//! Why a text is no settings.

use crate::Position;

/// Where a text is wrong, what could stand there, and what does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: expected {expected}, found {found}", position.line, position.column)]
pub struct Error {
    /// Where.
    pub position: Position,
    /// What could stand there.
    pub expected: &'static str,
    /// What stands there.
    pub found: String,
}

/// Characters of what was found that are shown at most: the rest of a long one does not help to find it.
const SHOWN: usize = 40;

impl Error {
    pub(crate) fn new(position: Position, expected: &'static str, found: &str) -> Self {
        let mut found: String = found.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if let Some((cut, _)) = found.char_indices().nth(SHOWN) {
            found.truncate(cut);
            found.push('…');
        }
        Self { position, expected, found }
    }
}
