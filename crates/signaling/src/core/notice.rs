//! What people and back-ends are told of: each change as it happens, with the ids of whom it concerns. Knows neither log nor
//! webhook, and assembles no text: a notice costs what moving some ids costs.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::error::Error;
use super::ids::{ConnectionId, HandleId, RoomId, SessionId, UserId};
use super::jsep::JsepKind;
use super::message::{Envelope, HandleField};
use super::{Core, Output, Owner};

/// Something has happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Whose session or handle it happened to; `None` for rooms and the server.
    pub origin: Option<Origin>,
    /// What has happened.
    pub what: Happening,
}

/// A session, or a handle of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The session.
    pub session: SessionId,
    /// The handle, where it is about one.
    pub handle: Option<HandleId>,
    /// What the client attached the handle with, to know it again.
    pub opaque_id: Option<Arc<str>>,
}

/// A participant and the room it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The room.
    pub room: RoomId,
    /// Its id there.
    pub participant: UserId,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// The conversation begins.
    ServerStarted,
    /// It ends: no more sessions.
    ServerStopping,
    /// The mixer has more to do than it can, or no longer has.
    Overloaded {
        /// Whether it has.
        overloaded: bool,
    },
    /// A client has a session.
    SessionCreated {
        /// Where its events go.
        owner: Owner,
    },
    /// A session has been claimed.
    SessionClaimed {
        /// Where its events go from now on.
        owner: Owner,
    },
    /// A session is over, and all handles of it were detached.
    SessionEnded {
        /// Why.
        reason: SessionEnd,
    },
    /// A session has one more handle.
    HandleAttached {
        /// The name of its plugin.
        plugin: &'static str,
    },
    /// A handle is no more.
    HandleDetached {
        /// The name of its plugin.
        plugin: &'static str,
    },
    /// There is a new room.
    RoomCreated {
        /// The room.
        room: RoomId,
    },
    /// A room has new properties.
    RoomEdited {
        /// The room.
        room: RoomId,
    },
    /// A room is no more; whoever was in it has left before.
    RoomDestroyed {
        /// The room.
        room: RoomId,
    },
    /// Only admins sound in a room, or everybody again.
    RoomMuted {
        /// The room.
        room: RoomId,
        /// Whether only admins sound.
        muted: bool,
    },
    /// Somebody is in a room.
    ParticipantJoined {
        /// Who, and where.
        place: Place,
        /// The name for people.
        display: Option<Arc<str>>,
        /// Whether it is muted from the start.
        muted: bool,
    },
    /// Somebody is in no room any more.
    ParticipantLeft {
        /// Who, and where it was.
        place: Place,
        /// Why.
        reason: Departure,
    },
    /// Somebody is in another room.
    ParticipantMoved {
        /// Who, and where it was.
        from: Place,
        /// Who it is now, and where.
        to: Place,
        /// The name for people there.
        display: Option<Arc<str>>,
    },
    /// Somebody is muted, or no longer is.
    ParticipantMuted {
        /// Who, and where.
        place: Place,
        /// Whether it is muted.
        muted: bool,
    },
    /// Somebody has begun or stopped talking.
    Talking {
        /// Who, and where.
        place: Place,
        /// Whether it talks.
        talking: bool,
    },
    /// A recording is complete.
    RecordingDone {
        /// Of which room.
        room: RoomId,
        /// The file.
        file: Arc<str>,
    },
    /// One half of an exchange of SDPs. With it comes what the media is protected by until DTLS is up: the ICE password.
    SdpExchanged {
        /// Whose half.
        side: Side,
        /// Which half.
        kind: JsepKind,
        /// The SDP.
        sdp: Arc<str>,
    },
    /// An address at which a side of a PeerConnection may be reached.
    CandidateTold {
        /// Whose.
        side: Side,
        /// As in an SDP, from the foundation on.
        candidate: Arc<str>,
    },
    /// ICE has found a path.
    PathFound,
    /// ICE and DTLS are done.
    Connected,
    /// Audio arrives, or has stopped arriving.
    Receiving {
        /// Whether audio arrives.
        receiving: bool,
    },
    /// Much of the audio was lost within a second.
    SlowLink {
        /// Of what the client is sent, as it says; not of what it sends.
        uplink: bool,
        /// Packets.
        lost: u32,
    },
    /// A PeerConnection has ended.
    Disconnected {
        /// As the `hangup` event says it.
        reason: Arc<str>,
    },
    /// A client has a connection: no HTTP request, those come and go.
    ConnectionOpened {
        /// The connection.
        connection: ConnectionId,
        /// Whether the admin API is spoken on it.
        admin: bool,
        /// The address by which its requests are counted.
        client: Option<IpAddr>,
    },
    /// A connection is no more.
    ConnectionClosed {
        /// The connection.
        connection: ConnectionId,
    },
    /// A request was refused.
    Refused {
        /// The `code` of a Janus error, or the `error_code` of a plugin.
        code: u16,
    },
    /// An operator wants this told.
    Custom {
        /// What the data is.
        schema: Arc<str>,
        /// The data.
        data: Arc<Map<String, Value>>,
    },
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// Its client wanted that.
    Destroyed,
    /// An operator wanted that.
    ByOperator,
    /// Its client was silent for too long.
    Timeout,
    /// Its connection closed.
    ConnectionClosed,
    /// Its connection closed, and nobody claimed it in time.
    Unclaimed,
    /// The server stops.
    Stopped,
}

/// Why somebody is in a room no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It wanted to leave.
    Left,
    /// Somebody else wanted it to.
    Kicked,
    /// The room is no more.
    RoomDestroyed,
    /// Its PeerConnection is no more.
    Disconnected,
    /// Its handle is no more.
    Detached,
}

/// A side of a PeerConnection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// We.
    Local,
    /// The client.
    Remote,
}

impl SessionEnd {
    /// One word for it, with underscores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Destroyed => "destroyed",
            Self::ByOperator => "by_operator",
            Self::Timeout => "timeout",
            Self::ConnectionClosed => "connection_closed",
            Self::Unclaimed => "unclaimed",
            Self::Stopped => "stopped",
        }
    }
}

impl Departure {
    /// One word for it, with underscores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Kicked => "kicked",
            Self::RoomDestroyed => "room_destroyed",
            Self::Disconnected => "disconnected",
            Self::Detached => "detached",
        }
    }
}

impl Side {
    /// As in Janus' events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Remote => "remote",
        }
    }
}

impl Core {
    /// A session or handle as notices name it; `None` if there is no such handle.
    pub(super) fn origin(&self, id: HandleId) -> Option<Origin> {
        let handle = self.handles.get(&id)?;
        Some(Origin { session: handle.session, handle: Some(id), opaque_id: handle.opaque_id.clone() })
    }

    /// Tells of something that is about no session.
    pub(super) fn tell(&mut self, what: Happening) {
        self.outputs.push_back(Output::Notice(Notice { origin: None, what }));
    }

    /// Tells of candidates, as `candidate:…`.
    pub(super) fn tell_candidates<'a>(
        &mut self,
        handle: HandleId,
        side: Side,
        candidates: impl Iterator<Item = &'a str>,
    ) {
        let bare = |it: &'a str| it.trim_start_matches("a=").trim_start_matches("candidate:");
        // An empty one is the end of them.
        for candidate in candidates.map(bare).filter(|it| !it.is_empty()) {
            self.tell_of_handle(handle, Happening::CandidateTold { side, candidate: candidate.into() });
        }
    }

    pub(super) fn tell_of_session(&mut self, session: SessionId, what: Happening) {
        let origin = Origin { session, handle: None, opaque_id: None };
        self.outputs.push_back(Output::Notice(Notice { origin: Some(origin), what }));
    }

    /// Tells that a request was refused, and of which session or handle, as far as there is such a one.
    pub(super) fn tell_refusal(&mut self, envelope: &Envelope, error: &Error) {
        let what = Happening::Refused { code: error.code };
        let session = u64::try_from(envelope.session).map(SessionId).ok();
        match (session.filter(|id| self.sessions.contains_key(id)), &envelope.handle) {
            (Some(id), HandleField::Given(handle)) if self.handles.get(handle).is_some_and(|it| it.session == id) => {
                self.tell_of_handle(*handle, what);
            }
            (Some(id), HandleField::Given(_) | HandleField::Absent | HandleField::Invalid) => {
                self.tell_of_session(id, what);
            }
            (None, _) => self.tell(what),
        }
    }

    /// Tells of something that is about a handle, which must still be there to be named.
    pub(super) fn tell_of_handle(&mut self, id: HandleId, what: Happening) {
        let origin = self.origin(id);
        self.outputs.push_back(Output::Notice(Notice { origin, what }));
    }
}
