//! `[turn]`: the TURN servers that clients are told of.

use serde::{Deserialize, Serialize};

use super::Secret;

/// `[turn]`: clients are told if it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Turn {
    /// Where the servers are (RFC 7065).
    pub uris: Vec<String>,
    /// What they share with us, to tell whom we have let in.
    pub secret: Secret,
    /// How many seconds a client may begin to use them.
    pub ttl: u64,
}

impl Default for Turn {
    fn default() -> Self {
        Self { uris: Vec::new(), secret: String::new().into(), ttl: 86_400 }
    }
}

impl Turn {
    /// A key and what would be right, if something is wrong.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let is_uri = |uri: &String| {
            let rest = uri.strip_prefix("turn:").or_else(|| uri.strip_prefix("turns:"));
            rest.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
        };
        if self.uris.is_empty() || !self.uris.iter().all(is_uri) {
            Some(("uris", "a list of servers, each as turn:HOST, turn:HOST:PORT?transport=tcp or turns:HOST"))
        } else if self.secret.reveal().is_empty() {
            Some(("secret", "the static-auth-secret of those servers"))
        } else if self.ttl < 60 {
            Some(("ttl", "at least 60 seconds: a client needs some to connect"))
        } else {
            None
        }
    }
}
