//! `[unix]`: the Janus API and the admin API over Unix sockets.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::JsonStyle;

/// `[unix]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Unix {
    /// The socket of the Janus API; none = there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// What kind of socket it is.
    pub r#type: SocketType,
    /// The socket of the admin API; none = there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_path: Option<PathBuf>,
    /// What kind of socket it is.
    pub admin_type: SocketType,
    /// How messages are written.
    pub json: JsonStyle,
}

/// How packets are carried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SocketType {
    /// Clients connect.
    #[default]
    #[serde(rename = "SOCK_SEQPACKET")]
    SeqPacket,
    /// Clients are known by the address they send from.
    #[serde(rename = "SOCK_DGRAM")]
    Datagram,
}

impl From<SocketType> for signaling::PacketSocket {
    fn from(kind: SocketType) -> Self {
        match kind {
            SocketType::SeqPacket => Self::SeqPacket,
            SocketType::Datagram => Self::Datagram,
        }
    }
}
