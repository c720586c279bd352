//! What an operator asks and only the shell can find out: names and connections. Knows how the reply is put.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::{Value, json};

use super::Source;
use super::error::Error;
use super::ids::Carrier;
use super::message::{self, refused};

/// Something to find out for an admin request.
#[derive(Clone, Debug, PartialEq)]
pub struct Errand {
    /// Whom the reply goes to.
    pub to: Source,
    /// What to find out.
    pub task: Task,
    pub(super) transaction: String,
}

/// What there is to find out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// The address of this host; a [`Finding::Address`].
    Resolve(String),
    /// What our address is as a STUN server sees it; a [`Finding::PublicAddress`].
    TestStun {
        /// Where the server is.
        host: String,
        /// Its UDP port.
        port: u16,
        /// The UDP port to ask from; 0 = any.
        local_port: u16,
    },
    /// How many connections there are of this kind, or of HTTP; a [`Finding::Connections`].
    CountConnections(Option<Carrier>),
}

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Of a host.
    Address {
        /// The first; none if the host has none, or there is no such host.
        ip: Option<IpAddr>,
        /// How long that took.
        elapsed: Duration,
    },
    /// Of this server.
    PublicAddress {
        /// None if the STUN server has not answered.
        address: Option<SocketAddr>,
        /// How long that took.
        elapsed: Duration,
    },
    /// Of a transport.
    Connections {
        /// Open connections; of HTTP, requests under way.
        open: usize,
        /// Requests of it that wait for their reply.
        waiting: usize,
    },
}

impl Errand {
    /// The reply to the request.
    #[must_use]
    pub fn reply(&self, finding: Finding) -> Value {
        let mut message = message::succeeded(None, &self.transaction);
        match finding {
            Finding::Address { ip: None, .. } => {
                return refused(0, Some(&self.transaction), &Error::unresolved());
            }
            Finding::Address { ip: Some(ip), elapsed } => {
                message.insert("ip".to_owned(), ip.to_string().into());
                message.insert("elapsed".to_owned(), microseconds(elapsed));
            }
            Finding::PublicAddress { address: None, .. } => {
                return refused(0, Some(&self.transaction), &Error::no_stun_answer());
            }
            Finding::PublicAddress { address: Some(address), elapsed } => {
                message.insert("public_ip".to_owned(), address.ip().to_string().into());
                message.insert("public_port".to_owned(), address.port().into());
                message.insert("elapsed".to_owned(), microseconds(elapsed));
            }
            Finding::Connections { open, waiting } => {
                let name = match self.task {
                    Task::CountConnections(Some(Carrier::WebSocket)) => "ws",
                    Task::CountConnections(Some(Carrier::Unix)) => "clients",
                    Task::CountConnections(Some(Carrier::RabbitMq | Carrier::Mqtt)) => "brokers",
                    Task::CountConnections(None) | Task::Resolve(_) | Task::TestStun { .. } => "http",
                };
                let response = json!({"result": 200, "connections": {name: open}, "messages": waiting});
                message.insert("response".to_owned(), response);
            }
        }
        Value::Object(message)
    }
}

fn microseconds(elapsed: Duration) -> Value {
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX).into()
}
