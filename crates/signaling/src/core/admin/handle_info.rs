//! What `handle_info` tells of a handle. Keys, their order and their types are API, since monitoring reads them.

use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::core::handle::Handle;
use crate::core::ids::{HandleId, SessionId};
use crate::core::jsep::Offerer;
use crate::core::peer::Peer;
use crate::core::{Core, Owner};

impl Core {
    /// The `info` of a handle of a session, which both exist.
    pub(super) fn handle_info(&self, session_id: SessionId, id: HandleId, plugin_only: bool, now: Instant) -> Value {
        let (Some(session), Some(handle)) = (self.sessions.get(&session_id), self.handles.get(&id)) else {
            return Value::Null;
        };
        let mut info = Map::new();
        let mut tell = |key: &str, value: Value| {
            info.insert(key.to_owned(), value);
        };
        tell("session_id", session_id.0.into());
        tell("session_last_activity", self.microseconds(session.last_activity));
        tell("session_timeout", session.timeout.unwrap_or(self.config.session_timeout).as_secs().into());
        let transport = match session.owner {
            Owner::Connection(connection) => connection.carrier.package(),
            Owner::Http => "janus.transport.http",
        };
        tell("session_transport", transport.into());
        tell("handle_id", id.0.into());
        if let Some(opaque_id) = &handle.opaque_id {
            tell("opaque_id", (**opaque_id).into());
        }
        if let Some(token) = &handle.token {
            tell("token", token.as_str().into());
        }
        tell("loop-running", true.into());
        tell("created", self.microseconds(handle.created));
        tell("current_time", self.microseconds(now));
        tell("plugin", handle.plugin.package().into());
        tell("plugin_specific", self.describe_in_plugin(handle.plugin, id));
        if !plugin_only {
            self.tell_peer(handle, tell);
        }
        Value::Object(info)
    }

    /// What the core knows of the PeerConnection; what only the media plane knows is `webrtc`.
    fn tell_peer(&self, handle: &Handle, mut tell: impl FnMut(&str, Value)) {
        tell("flags", flags(handle));
        if let Some(peer) = &handle.peer {
            tell("agent-created", self.microseconds(peer.created));
            tell("ice-mode", if self.config.media.ice_lite { "lite" } else { "full" }.into());
            tell("ice-role", "controlled".into());
        }
        tell("sdps", handle.peer.as_ref().map_or_else(|| json!({}), sdps));
        if handle.waiting_candidates.len() > 0 {
            tell("pending-trickles", handle.waiting_candidates.len().into());
        }
        tell("queued-packets", 0.into());
    }

    /// Times count from the start of the core.
    fn microseconds(&self, at: Instant) -> Value {
        u64::try_from(at.saturating_duration_since(self.started).as_micros()).unwrap_or(u64::MAX).into()
    }
}

/// Those that stand for something that does not exist here are false.
fn flags(handle: &Handle) -> Value {
    let peer = handle.peer.as_ref();
    let negotiated = handle.is_answered();
    json!({
        "got-offer": peer.is_some_and(|peer| peer.offerer == Offerer::Client),
        "got-answer": negotiated && peer.is_some_and(|peer| peer.offerer == Offerer::Server),
        "negotiated": negotiated,
        "processing-offer": peer.is_some_and(|peer| peer.waiting_offers() > 0),
        "starting": peer.is_some_and(|peer| peer.answered && !peer.connected),
        "ice-restart": false,
        "ready": peer.is_some_and(|peer| peer.connected),
        "stopped": false,
        "alert": false,
        "trickle": peer.is_some(),
        "all-trickles": false,
        "resend-trickles": false,
        "trickle-synced": false,
        "data-channels": false,
        "has-audio": negotiated,
        "has-video": false,
        "new-datachan-sdp": false,
        "rfc4588-rtx": false,
        "cleaning": false,
        "e2ee": false,
    })
}

fn sdps(peer: &Peer) -> Value {
    let mut sdps = Map::new();
    let mut tell = |key: &str, value: Value| {
        sdps.insert(key.to_owned(), value);
    };
    tell("profile", "UDP/TLS/RTP/SAVPF".into());
    if let Some(local) = &peer.local {
        tell("local", (**local).into());
    }
    if let Some(remote) = &peer.remote {
        tell("remote", (**remote).into());
    }
    Value::Object(sdps)
}
