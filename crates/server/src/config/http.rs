//! `[http]`: the Janus API over HTTP and HTTPS, and the room page.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::Network;

/// `[http]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Whether there is HTTP without TLS.
    pub enabled: bool,
    /// Where to listen, with and without TLS.
    pub address: IpAddr,
    /// 0 = any free port.
    pub port: u16,
    /// Whether there is HTTPS; needs `[tls]`.
    pub tls: bool,
    /// The port of HTTPS; 0 = any free port.
    pub tls_port: u16,
    /// Where the Janus API starts.
    pub base_path: String,
    /// What browsers of other origins are told (`Access-Control-Allow-Origin`); none = `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_origin: Option<String>,
    /// Refuse requests whose origin is not `allow_origin`.
    pub enforce_cors: bool,
    /// Who may connect; empty = everybody.
    pub acl: Vec<Network>,
    /// Judge requests that come through `proxies.trusted` by whom those speak for.
    pub acl_forwarded: bool,
    /// Connections at the same time on each port, WebSockets included.
    pub connection_limit: usize,
    /// A connection of any port that has not sent a whole request for so many seconds is closed.
    pub idle_timeout: u64,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            enabled: true,
            address: Ipv4Addr::UNSPECIFIED.into(),
            port: 8088,
            tls: false,
            tls_port: 8089,
            base_path: "/janus".to_owned(),
            allow_origin: None,
            enforce_cors: false,
            acl: Vec::new(),
            acl_forwarded: false,
            connection_limit: 100_000,
            idle_timeout: 120,
        }
    }
}

impl Http {
    /// The key whose value cannot be used, and what could.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        if !self.base_path.starts_with('/') || self.base_path.len() < 2 {
            return Some(("base_path", "a path that starts with / and names something, such as \"/janus\""));
        }
        if self.enforce_cors && self.allow_origin.is_none() {
            return Some(("enforce_cors", "false, or an http.allow_origin to enforce"));
        }
        if self.idle_timeout == 0 {
            return Some(("idle_timeout", "at least 1: a client that says nothing would stay for ever"));
        }
        None
    }
}
