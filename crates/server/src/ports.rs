//! The TCP ports of the signaling plane: which there are, and how each takes connections. Knows nothing of what is said there.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use signaling::{Access, Certificate, ListenerConfig};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::{Config, ConfigError, Network};
use crate::listen;

/// What a port is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Port {
    /// The room page and the Janus API.
    Http,
    /// The same over TLS.
    Https,
    /// The Janus API over WebSocket.
    WebSocket,
    /// The same over TLS.
    WebSocketTls,
    /// The admin API and the metrics.
    Admin,
    /// The same over TLS.
    AdminTls,
    /// The admin API over WebSocket.
    AdminWebSocket,
    /// The same over TLS.
    AdminWebSocketTls,
}

/// A port that is open and not yet served.
#[derive(Debug)]
pub(crate) struct OpenPort {
    pub(crate) port: Port,
    pub(crate) listener: TcpListener,
    /// Says who may connect.
    pub(crate) access: watch::Sender<Access>,
    pub(crate) config: ListenerConfig,
}

/// What the configuration says of a port.
struct Plan<'a> {
    port: Port,
    /// Whether it shall be open.
    enabled: bool,
    address: IpAddr,
    number: u16,
    /// Names `number`.
    key: &'static str,
    is_tls: bool,
    acl: &'a [Network],
    acl_forwarded: bool,
    connection_limit: usize,
}

/// Opens every port that is configured. `certificate` is there when one of them has TLS.
pub(crate) async fn open(
    config: &Config,
    file: Option<&Path>,
    certificate: Option<&Certificate>,
) -> Result<Vec<OpenPort>, ConfigError> {
    let mut open = Vec::new();
    for plan in plans(config).into_iter().filter(|plan| plan.enabled) {
        let listener = listen::tcp(file, plan.key, plan.address, plan.number).await?;
        let (access, admitted) = watch::channel(plan.access(config));
        let config = ListenerConfig {
            certificate: certificate.filter(|_| plan.is_tls).cloned(),
            access: admitted,
            connection_limit: plan.connection_limit,
            idle_timeout: Duration::from_secs(config.http.idle_timeout),
        };
        open.push(OpenPort { port: plan.port, listener, access, config });
    }
    Ok(open)
}

/// The key of a port that another one has already, and what it must be.
pub(crate) fn clash(config: &Config) -> Option<(&'static str, String)> {
    let plans: Vec<_> = plans(config).into_iter().filter(|plan| plan.enabled && plan.number != 0).collect();
    let meets = |one: &Plan<'_>, other: &Plan<'_>| {
        let addresses = one.address == other.address || one.address.is_unspecified() || other.address.is_unspecified();
        one.number == other.number && addresses
    };
    plans.iter().enumerate().find_map(|(index, plan)| {
        let other = plans[..index].iter().find(|other| meets(plan, other))?;
        Some((plan.key, format!("another port than {}: both are {}", other.key, plan.number)))
    })
}

/// Where each open port is.
pub(crate) fn addresses(ports: &[OpenPort]) -> std::io::Result<BTreeMap<Port, SocketAddr>> {
    ports.iter().map(|open| Ok((open.port, open.listener.local_addr()?))).collect()
}

/// Who may connect to each port, whether it is open or not.
pub(crate) fn access(config: &Config) -> impl Iterator<Item = (Port, Access)> {
    plans(config).into_iter().map(|plan| (plan.port, plan.access(config)))
}

impl Plan<'_> {
    fn access(&self, config: &Config) -> Access {
        let networks = |networks: &[Network]| networks.iter().map(|network| network.0).collect();
        Access {
            allowed: networks(self.acl),
            proxies: networks(&config.proxies.trusted),
            forwarded: self.acl_forwarded,
            unlimited: networks(&config.limits.unlimited),
        }
    }
}

fn plans(config: &Config) -> [Plan<'_>; 8] {
    let (http, websocket, admin) = (&config.http, &config.websocket, &config.admin);
    let of_http = |port, enabled, number, key, is_tls| Plan {
        port,
        enabled,
        address: http.address,
        number,
        key,
        is_tls,
        acl: &http.acl,
        acl_forwarded: http.acl_forwarded,
        connection_limit: http.connection_limit,
    };
    let of_websocket = |port, enabled, number, key, is_tls| Plan {
        port,
        enabled,
        address: websocket.address,
        number,
        key,
        is_tls,
        acl: &websocket.acl,
        acl_forwarded: websocket.acl_forwarded,
        connection_limit: websocket.connection_limit,
    };
    let of_admin = |port, enabled, number, key, is_tls| Plan {
        port,
        enabled,
        address: admin.address,
        number,
        key,
        is_tls,
        acl: &admin.acl,
        acl_forwarded: admin.acl_forwarded,
        connection_limit: admin.connection_limit,
    };
    [
        of_http(Port::Http, http.enabled, http.port, "http.port", false),
        of_http(Port::Https, http.tls, http.tls_port, "http.tls_port", true),
        of_websocket(Port::WebSocket, websocket.enabled, websocket.port, "websocket.port", false),
        of_websocket(Port::WebSocketTls, websocket.tls, websocket.tls_port, "websocket.tls_port", true),
        of_admin(Port::Admin, admin.enabled, admin.port, "admin.port", false),
        of_admin(Port::AdminTls, admin.tls, admin.tls_port, "admin.tls_port", true),
        of_admin(Port::AdminWebSocket, admin.websocket, admin.websocket_port, "admin.websocket_port", false),
        of_admin(
            Port::AdminWebSocketTls,
            admin.websocket_tls,
            admin.websocket_tls_port,
            "admin.websocket_tls_port",
            true,
        ),
    ]
}
