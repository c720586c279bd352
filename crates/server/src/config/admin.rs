//! `[admin]`: the admin API over HTTP and WebSocket, and the metrics.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::{Network, Secret};

/// `[admin]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// Whether there is HTTP without TLS.
    pub enabled: bool,
    /// Where to listen: this machine only, by default.
    pub address: IpAddr,
    /// 0 = any free port.
    pub port: u16,
    /// Whether there is HTTPS; needs `[tls]`.
    pub tls: bool,
    /// The port of HTTPS; 0 = any free port.
    pub tls_port: u16,
    /// Whether there is a port for WebSocket alone; the HTTP port takes WebSockets as well.
    pub websocket: bool,
    /// The port for WebSocket; 0 = any free port.
    pub websocket_port: u16,
    /// Whether there is a port for WebSocket with TLS; needs `[tls]`.
    pub websocket_tls: bool,
    /// The port for WebSocket with TLS; 0 = any free port.
    pub websocket_tls_port: u16,
    /// Where the admin API starts.
    pub base_path: String,
    /// What every admin request but `info` and `ping` must carry as `admin_secret`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// What every request of the REST API must carry as bearer token; none = the REST API is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// Who may connect; empty = everybody.
    pub acl: Vec<Network>,
    /// Judge requests that come through `proxies.trusted` by whom those speak for.
    pub acl_forwarded: bool,
    /// Connections at the same time on each port.
    pub connection_limit: usize,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            enabled: true,
            address: Ipv4Addr::LOCALHOST.into(),
            port: 7088,
            tls: false,
            tls_port: 7889,
            websocket: false,
            websocket_port: 7188,
            websocket_tls: false,
            websocket_tls_port: 7989,
            base_path: "/admin".to_owned(),
            secret: None,
            token: None,
            acl: Vec::new(),
            acl_forwarded: false,
            connection_limit: 1000,
        }
    }
}

impl Admin {
    /// The key whose value cannot be used, and what could.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let is_token = |token: &Secret| {
            let text = token.reveal();
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !self.token.as_ref().is_none_or(is_token) {
            // What else there is no header can carry (RFC 6750 section 2.1).
            return Some(("token", "visible characters of ASCII, or left out"));
        }
        let usable = self.base_path.starts_with('/') && self.base_path.len() > 1;
        (!usable).then_some(("base_path", "a path that starts with / and names something, such as \"/admin\""))
    }
}
