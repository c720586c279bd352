//! What a back-end asks with the operator's authority. Rooms and participants are named by text, as in a URL; what is
//! said about them is a body of the AudioBridge's own requests. Knows no HTTP.

use std::time::Instant;

use serde_json::{Map, Value};

use super::Core;
use super::asked::RequestKind;
use super::counters::ACCEPTED;
use super::store::Storing;
use crate::audiobridge;

/// Something to do with a room or a participant. It needs no secret: whoever is asked has checked who asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// A page of all rooms, private ones included, in the order of their ids.
    ListRooms {
        /// Those behind this one; `None` = from the start.
        after: Option<String>,
        /// At most so many.
        limit: usize,
    },
    /// All rooms in few words, in the order of their ids: for one who watches.
    SurveyRooms,
    /// One room.
    ReadRoom {
        /// Its id.
        room: String,
    },
    /// A room that does not exist yet.
    CreateRoom {
        /// As `create` takes them, `room` included if it matters.
        properties: Map<String, Value>,
    },
    /// A room that need not be made again where it exists with the same properties.
    EnsureRoom {
        /// Its id.
        room: String,
        /// As `create` takes them, but for `room`.
        properties: Map<String, Value>,
    },
    /// New properties of a room.
    EditRoom {
        /// Its id.
        room: String,
        /// `muted` as `mute_room` has it, everything else as `edit` takes it but without `new_`.
        changes: Map<String, Value>,
    },
    /// The end of a room.
    DestroyRoom {
        /// Its id.
        room: String,
        /// Whether it is gone from the configuration too.
        permanent: bool,
    },
    /// A page of those in a room, in the order of their ids.
    ListParticipants {
        /// The room.
        room: String,
        /// Those behind this one; `None` = from the start.
        after: Option<String>,
        /// At most so many.
        limit: usize,
    },
    /// One participant.
    ReadParticipant {
        /// The room it is in.
        room: String,
        /// Its id there.
        participant: String,
    },
    /// Mutes or unmutes a participant.
    EditParticipant {
        /// The room it is in.
        room: String,
        /// Its id there.
        participant: String,
        /// `muted`.
        changes: Map<String, Value>,
    },
    /// Puts a participant out of its room and ends its PeerConnection.
    Kick {
        /// The room it is in.
        room: String,
        /// Its id there.
        participant: String,
    },
    /// Does so with everybody in a room.
    KickAll {
        /// The room.
        room: String,
    },
    /// Puts a participant into another room, on the PeerConnection that it has.
    Move {
        /// The room it is in.
        room: String,
        /// Its id there.
        participant: String,
        /// `room`, the one to go to, and for the time there, `id` and `group`: else it keeps them.
        destination: Map<String, Value>,
    },
}

impl Operation {
    /// What it is called where it is counted.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::ListRooms { .. } => "list_rooms",
            Self::SurveyRooms => "survey_rooms",
            Self::ReadRoom { .. } => "read_room",
            Self::CreateRoom { .. } => "create_room",
            Self::EnsureRoom { .. } => "ensure_room",
            Self::EditRoom { .. } => "edit_room",
            Self::DestroyRoom { .. } => "destroy_room",
            Self::ListParticipants { .. } => "list_participants",
            Self::ReadParticipant { .. } => "read_participant",
            Self::EditParticipant { .. } => "edit_participant",
            Self::Kick { .. } => "kick",
            Self::KickAll { .. } => "kick_all",
            Self::Move { .. } => "move",
        }
    }
}

/// An [`Operation`] that was done.
#[derive(Clone, Debug, PartialEq)]
pub enum Operated {
    /// This came of it.
    Done(Outcome),
    /// It is done, and what comes of it depends on whether it can be stored.
    Storing(Storing<Outcome>),
}

/// What came of an [`Operation`].
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// There is something new: this.
    Created(Value),
    /// What was asked for, as it is now.
    Is(Value),
    /// There is nothing any more.
    Gone,
    /// It is so now, but will not be when the server starts again: it could not be stored.
    Unsaved,
}

/// Why nothing came of it: a refusal of the AudioBridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its `error_code`.
    pub code: u16,
    /// Its `error`.
    pub reason: String,
    /// It might be granted later, or by another server.
    pub is_temporary: bool,
}

impl Core {
    /// Does what the operator's back-end asks; what it causes for others comes out as usual.
    ///
    /// # Errors
    /// The refusal of the AudioBridge, which has changed nothing then.
    pub fn handle_operation(&mut self, operation: Operation, now: Instant) -> Result<Operated, Refused> {
        let mut effects = Vec::new();
        let kind = RequestKind::operation(&operation);
        let outcome = self.audiobridge.operate(operation, &mut self.ids, &mut effects);
        self.perform(effects, None, now);
        self.count_limited(outcome.as_ref().err().and_then(audiobridge::Error::limit));
        let outcome = outcome.map_err(Refused::from);
        self.count(kind, outcome.as_ref().err().map_or(ACCEPTED, |refused| refused.code));
        outcome
    }
}
