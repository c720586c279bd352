//! What a server says: one message of the Janus protocol, as far as a load generator cares. Knows no dialogue.
//!
//! In a room of 3,000 everybody is told of everybody: nine million events. So messages are read in one pass without
//! building a tree, and all those that answer nothing and end nothing are [`Notice::Other`].

use std::borrow::Cow;

use serde::Deserialize;

/// A message from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// `success`: a request on a session or handle was carried out.
    Success {
        /// Of the request.
        transaction: String,
        /// `data.id`: a new session or handle.
        id: Option<u64>,
        /// What a synchronous request to the AudioBridge returned.
        bridge: Option<Bridge>,
    },
    /// An asynchronous request was taken.
    Ack {
        /// Of the request.
        transaction: String,
    },
    /// The core refused a request.
    Error {
        /// Of the request, where it could be read.
        transaction: Option<String>,
        /// Code.
        code: i64,
        /// Text.
        reason: String,
    },
    /// The answer to an asynchronous request to the AudioBridge.
    Event {
        /// Of the request.
        transaction: String,
        /// What it says.
        bridge: Bridge,
        /// SDP that came with it.
        sdp: Option<String>,
    },
    /// What the server says of itself.
    Info {
        /// Name and version.
        server: String,
    },
    /// The peer connection is up.
    WebRtcUp,
    /// The peer connection is gone.
    Hangup {
        /// Why.
        reason: String,
    },
    /// The session has timed out.
    Timeout,
    /// Something about others.
    Other,
}

/// The part of the AudioBridge's data that is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Bridge {
    /// `joined`, `event`, `created`, …
    #[serde(default)]
    pub audiobridge: String,
    /// Set if the request was refused.
    pub error_code: Option<i64>,
    /// Why.
    pub error: Option<String>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    janus: Cow<'a, str>,
    transaction: Option<String>,
    data: Option<Data>,
    error: Option<CoreError>,
    plugindata: Option<PluginData>,
    jsep: Option<Jsep>,
    reason: Option<String>,
    name: Option<String>,
    version_string: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    id: Option<u64>,
}

#[derive(Deserialize)]
struct CoreError {
    code: i64,
    reason: String,
}

#[derive(Deserialize)]
struct PluginData {
    data: Bridge,
}

#[derive(Deserialize)]
struct Jsep {
    sdp: String,
}

impl Notice {
    /// Reads a message; an error if it is not one of the Janus protocol.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let envelope: Envelope<'_> = serde_json::from_str(text)?;
        let bridge = envelope.plugindata.map(|plugin| plugin.data);
        Ok(match (&*envelope.janus, envelope.transaction) {
            ("success", Some(transaction)) => {
                Self::Success { transaction, id: envelope.data.and_then(|data| data.id), bridge }
            }
            ("ack", Some(transaction)) => Self::Ack { transaction },
            ("error", transaction) => {
                let (code, reason) = envelope.error.map_or((0, String::new()), |error| (error.code, error.reason));
                Self::Error { transaction, code, reason }
            }
            ("event", Some(transaction)) => {
                Self::Event { transaction, bridge: bridge.unwrap_or_default(), sdp: envelope.jsep.map(|jsep| jsep.sdp) }
            }
            ("server_info", _) => {
                let parts = [envelope.name, envelope.version_string];
                Self::Info { server: parts.into_iter().flatten().collect::<Vec<_>>().join(" ") }
            }
            ("webrtcup", _) => Self::WebRtcUp,
            ("hangup", _) => Self::Hangup { reason: envelope.reason.unwrap_or_default() },
            ("timeout", _) => Self::Timeout,
            _ => Self::Other,
        })
    }
}
