//! `[websocket]`: the Janus API over WebSocket, on ports of its own.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::{JsonStyle, Network};

/// `[websocket]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebSocket {
    /// Whether there is a port without TLS.
    pub enabled: bool,
    /// Where to listen, with and without TLS.
    pub address: IpAddr,
    /// 0 = any free port.
    pub port: u16,
    /// Whether there is a port with TLS (`wss:`); needs `[tls]`.
    pub tls: bool,
    /// The port with TLS; 0 = any free port.
    pub tls_port: u16,
    /// Who may connect; empty = everybody.
    pub acl: Vec<Network>,
    /// Judge connections that come through `proxies.trusted` by whom those speak for.
    pub acl_forwarded: bool,
    /// How messages are written, on whatever port.
    pub json: JsonStyle,
    /// A client that has sent nothing for so many seconds is sent a ping; 0 = never.
    pub ping_interval: u64,
    /// A client that does not answer a ping within so many seconds is let go.
    pub ping_timeout: u64,
    /// Connections at the same time on each port.
    pub connection_limit: usize,
}

impl Default for WebSocket {
    fn default() -> Self {
        Self {
            enabled: true,
            address: Ipv4Addr::UNSPECIFIED.into(),
            port: 8188,
            tls: false,
            tls_port: 8989,
            acl: Vec::new(),
            acl_forwarded: false,
            json: JsonStyle::default(),
            ping_interval: 0,
            ping_timeout: 10,
            connection_limit: 100_000,
        }
    }
}

impl WebSocket {
    /// The key whose value cannot be used, and what could.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let hasty = self.ping_interval > 0 && self.ping_timeout == 0;
        hasty.then_some(("ping_timeout", "at least 1 where there is a ping_interval"))
    }
}
