//! Networks as a configuration file names them, and `[proxies]`.

use serde::{Deserialize, Serialize};
use signaling::NotANetwork;

/// An address or a network in CIDR notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(pub signaling::Network);

/// `[proxies]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Proxies {
    /// Whose `X-Forwarded-For` is believed where an `acl_forwarded` asks for it.
    pub trusted: Vec<Network>,
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|error: NotANetwork| format!("must be {error}"))
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.0.to_string()
    }
}
