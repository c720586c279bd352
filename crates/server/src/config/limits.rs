//! `[limits]`: how much there may be of what clients can make grow, and how often they may ask.

use serde::{Deserialize, Serialize};

use super::Network;

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Rooms in all.
    pub rooms: usize,
    /// Participants of all rooms.
    pub participants: usize,
    /// Participants of one room.
    pub participants_per_room: usize,
    /// Sessions in all.
    pub sessions: usize,
    /// Sessions of one WebSocket or Unix client.
    pub sessions_per_connection: usize,
    /// Handles of one session.
    pub handles_per_session: usize,
    /// Tokens in the `allowed` list of one room.
    pub allowed_tokens: usize,
    /// Bytes of a text that is kept: a display name, a description, a secret.
    pub text_size: usize,
    /// Requests, polls and requests for `/turn` of one client address in a second; 0 = any number.
    pub request_rate: u32,
    /// Joins and changes of room of one client address in a second; 0 = any number.
    pub join_rate: u32,
    /// Rooms that one client address makes in a second; 0 = any number.
    pub room_rate: u32,
    /// Client addresses that have no rates.
    pub unlimited: Vec<Network>,
}

impl Default for Limits {
    fn default() -> Self {
        let signaling::Limits {
            rooms,
            participants,
            participants_per_room,
            sessions,
            sessions_per_connection,
            handles_per_session,
            allowed_tokens,
            text_bytes: text_size,
            request_rate,
            join_rate,
            room_rate,
            waiting_candidates: _,
            waiting_offers: _,
        } = signaling::Limits::default();
        Self {
            rooms,
            participants,
            participants_per_room,
            sessions,
            sessions_per_connection,
            handles_per_session,
            allowed_tokens,
            text_size,
            request_rate,
            join_rate,
            room_rate,
            unlimited: Vec::new(),
        }
    }
}

impl Limits {
    /// The key whose value cannot be used, and what could.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let needed = [
            ("rooms", self.rooms),
            ("participants", self.participants),
            ("participants_per_room", self.participants_per_room),
            ("sessions", self.sessions),
            ("sessions_per_connection", self.sessions_per_connection),
            ("handles_per_session", self.handles_per_session),
        ];
        if let Some((key, _)) = needed.into_iter().find(|(_, number)| *number == 0) {
            return Some((key, "at least 1: with 0 nobody could be served"));
        }
        // What browsers and Janode send as ids and names is below.
        (self.text_size < 64).then_some(("text_size", "at least 64 bytes"))
    }

    /// The same for signaling.
    pub(crate) fn for_signaling(&self) -> signaling::Limits {
        signaling::Limits {
            rooms: self.rooms,
            participants: self.participants,
            participants_per_room: self.participants_per_room,
            sessions: self.sessions,
            sessions_per_connection: self.sessions_per_connection,
            handles_per_session: self.handles_per_session,
            allowed_tokens: self.allowed_tokens,
            text_bytes: self.text_size,
            request_rate: self.request_rate,
            join_rate: self.join_rate,
            room_rate: self.room_rate,
            ..signaling::Limits::default()
        }
    }
}
