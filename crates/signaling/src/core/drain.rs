//! A server that is to end goes on with its calls and begins none: what that means for the conversation, and how it stands.
//! Knows no deadline: when it ends is for the server to say.

use std::time::Instant;

use super::Core;
use super::ids::SessionId;
use super::notice::SessionEnd;

/// The `reason` of the last `hangup`.
const GOING: &str = "The server is going down";

/// Whether new sessions and rooms are welcome, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// New sessions are taken (`accept_new_sessions`).
    pub accepting: bool,
    /// No room begins.
    pub draining: bool,
    /// The mixer can take nobody more.
    pub overloaded: bool,
}

impl Core {
    /// While it drains no room begins: none is made, and nobody is the first in one that was there from the start, which
    /// another server has as well.
    pub fn set_draining(&mut self, draining: bool) {
        self.audiobridge.set_draining(draining);
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing {
            accepting: self.accepting,
            draining: self.audiobridge.is_draining(),
            overloaded: self.audiobridge.is_overloaded(),
        }
    }

    /// Whether a request about a room, named as in a URL, makes sense here: not if that room can't begin here, and the
    /// session (0 = none yet) is of another server.
    #[must_use]
    pub fn welcomes(&self, room: &str, session: u64) -> bool {
        self.sessions.contains_key(&SessionId(session)) || self.audiobridge.welcomes(room)
    }

    /// Ends every session and accepts no new one. Clients are told of everything that ends: their PeerConnections (`hangup`),
    /// their handles (`detached`), and the session (`timeout`).
    pub fn shut_down(&mut self, now: Instant) {
        self.accepting = false;
        let sessions: Vec<_> = self.sessions.iter().map(|(id, session)| (*id, session.handles.clone())).collect();
        for (session, handles) in sessions {
            for handle in handles {
                self.close_peer(handle, GOING, now);
                self.detach(session, handle, now);
            }
            self.expire_session(session, SessionEnd::Stopped, now);
        }
    }
}
