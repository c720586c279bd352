//! The error table of the AudioBridge: codes and texts are API, and another space than the core's. The only place
//! they are written.

use serde_json::json;

use crate::core::counters::Limit;
use crate::core::field::FieldError;
use crate::core::ids::{RoomId, UserId};
use crate::core::operator::Refused;
use crate::core::plugin::Refusal;

/// A refusal of an AudioBridge request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Error {
    code: u16,
    text: String,
    /// What there would have been too much of.
    limit: Option<Limit>,
    /// It might be granted later, or by another server.
    is_temporary: bool,
}

impl Error {
    /// The media plane can make nothing of an offer.
    pub(crate) fn refused_offer(reason: String) -> Self {
        // An empty text would not be taken for an error by Janode.
        Self::new(493, if reason.is_empty() { "Error processing offer".to_owned() } else { reason })
    }

    /// The PeerConnection ended while its offer was under way.
    pub(crate) fn closed_unanswered() -> Self {
        Self::new(493, "PeerConnection closed before the offer was answered")
    }

    pub(super) fn unknown_request(name: &str) -> Self {
        Self::new(482, format!("Unknown request '{name}'"))
    }

    pub(super) fn missing(name: &'static str) -> Self {
        FieldError::Missing(name).into()
    }

    /// A value of the right type that cannot be; `rule` says what can.
    pub(super) fn invalid(name: &str, rule: &str) -> Self {
        Self::new(484, format!("Invalid element ({name} {rule})"))
    }

    pub(super) fn not_a_string_in(name: &str) -> Self {
        Self::new(484, format!("Invalid element in the {name} array (not a string)"))
    }

    pub(super) fn too_many_groups(limit: usize) -> Self {
        Self::new(484, format!("Too many groups specified (max {limit} allowed)"))
    }

    pub(super) fn too_many_tokens(limit: usize) -> Self {
        Self::new(484, format!("Too many tokens specified (max {limit} allowed)"))
    }

    pub(super) fn unsupported_action(action: &str) -> Self {
        Self::new(484, format!("Unsupported action '{action}' (allowed)"))
    }

    pub(super) fn unsupported_codec(codec: &str) -> Self {
        Self::new(484, format!("Unsupported codec ({codec})"))
    }

    pub(super) fn invalid_port(port: u16) -> Self {
        Self::new(484, format!("Invalid port number ({port})"))
    }

    pub(super) fn unsupported_family(family: &str) -> Self {
        Self::new(484, format!("Unsupported protocol family ({family})"))
    }

    pub(super) fn unresolvable(host: &str) -> Self {
        Self::new(484, format!("Could not resolve address ({host})..."))
    }

    pub(super) fn invalid_srtp_suite(suite: u64) -> Self {
        Self::new(484, format!("Invalid SRTP suite ({suite})"))
    }

    pub(super) fn media_encryption() -> Self {
        Self::new(484, "Media encryption unsupported by this plugin")
    }

    pub(super) fn no_such_room(room: &RoomId) -> Self {
        Self::new(485, format!("No such room ({room})"))
    }

    /// The same as `rtp_forward` has it, whose text lacks the last character.
    pub(super) fn no_such_room_to_forward(room: &RoomId) -> Self {
        Self::new(485, format!("No such room ({room}"))
    }

    pub(super) fn room_exists(room: &RoomId) -> Self {
        Self::new(486, format!("Room {room} already exists"))
    }

    /// The request needs a room to be in; `what` is what can't be done.
    pub(super) fn not_in_a_room(what: &str) -> Self {
        Self::new(487, format!("Can't {what} (not in a room)"))
    }

    pub(super) fn no_room_to_change() -> Self {
        Self::new(487, "Can't change room (not in a room in the first place)")
    }

    pub(super) fn wrong(field: &str) -> Self {
        Self::new(489, format!("Unauthorized (wrong {field})"))
    }

    pub(super) fn not_allowed() -> Self {
        Self::new(489, "Unauthorized (not in the allowed list)")
    }

    pub(super) fn plain_rtp_forbidden() -> Self {
        Self::new(489, "Plain RTP participants not allowed in this room")
    }

    pub(super) fn user_exists(user: &UserId) -> Self {
        Self::new(490, format!("User ID {user} already exists"))
    }

    pub(super) fn already_in_a_room() -> Self {
        Self::new(491, "Already in a room (use changeroom to join another one)")
    }

    pub(super) fn already_in_this_room() -> Self {
        Self::new(491, "Already in this room")
    }

    pub(super) fn no_such_user(user: &UserId, room: &RoomId) -> Self {
        Self::new(492, format!("No such user {user} in room {room}"))
    }

    pub(super) fn unexpected_offer() -> Self {
        Self::new(493, "Received an offer on a plugin-offered session")
    }

    pub(super) fn client_offers() -> Self {
        Self::new(493, "Can't generate an offer on a client-offered session")
    }

    pub(super) fn unexpected_answer() -> Self {
        Self::new(493, "Received an answer when we didn't send an offer")
    }

    pub(super) fn no_such_group(group: &str) -> Self {
        Self::new(494, format!("No such group ({group})"))
    }

    /// The same as `rtp_forward` has it.
    pub(super) fn no_such_group_to_forward() -> Self {
        Self::new(494, "No such group")
    }

    pub(super) fn no_configuration_file(intention: &str) -> Self {
        Self::new(499, format!("No configuration file, can't {intention}"))
    }

    pub(super) fn unsupported_sampling_rate(rate: u64) -> Self {
        Self::new(499, format!("Unsupported sampling rate {rate}"))
    }

    pub(super) fn too_many_rooms(limit: usize) -> Self {
        Self::over(Limit::Rooms, format!("Too many rooms (max {limit})"))
    }

    pub(super) fn too_many_creations(rate: u32) -> Self {
        Self::over(Limit::RoomCreations, format!("Too many rooms made from your address (max {rate} a second)"))
    }

    pub(super) fn too_many_joins(rate: u32) -> Self {
        Self::over(Limit::Joins, format!("Too many joins from your address (max {rate} a second)"))
    }

    pub(super) fn server_full(limit: usize) -> Self {
        Self::over(Limit::Participants, format!("The server is full (max {limit} participants)"))
    }

    pub(super) fn overloaded() -> Self {
        Self::new(499, "The server is overloaded, try again later").temporary()
    }

    /// The server is to end when its calls have.
    pub(super) fn draining() -> Self {
        Self::new(499, "The server is draining: no room begins here").temporary()
    }

    pub(super) fn room_full(room: &RoomId, limit: usize) -> Self {
        Self::over(Limit::RoomParticipants, format!("Room {room} is full (max {limit} participants)"))
    }

    /// Something of Janus that this server has not, yet.
    pub(super) fn unsupported(what: &str) -> Self {
        Self::new(499, format!("{what} not supported by this server"))
    }

    fn new(code: u16, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), limit: None, is_temporary: false }
    }

    fn temporary(self) -> Self {
        Self { is_temporary: true, ..self }
    }

    fn over(limit: Limit, text: String) -> Self {
        Self { limit: Some(limit), ..Self::new(499, text).temporary() }
    }

    /// What there would have been too much of.
    pub(crate) fn limit(&self) -> Option<Limit> {
        self.limit
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        let code = match error {
            FieldError::Missing(_) => 483,
            FieldError::Wrong(..) => 484,
        };
        Self::new(code, error.text())
    }
}

impl From<Error> for Refused {
    fn from(Error { code, text, is_temporary, .. }: Error) -> Self {
        Self { code, reason: text, is_temporary }
    }
}

impl From<Error> for Refusal {
    fn from(Error { code, text, limit, .. }: Error) -> Self {
        Self { code, data: json!({"audiobridge": "event", "error_code": code, "error": text}), limit }
    }
}
