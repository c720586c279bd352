//! `[drain]`: how the server ends when it is asked to.

use serde::{Deserialize, Serialize};

/// `[drain]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Drain {
    /// Calls may go on for so many seconds after SIGTERM; 0 = not at all.
    pub deadline: u64,
}

impl Default for Drain {
    fn default() -> Self {
        Self { deadline: 900 }
    }
}
