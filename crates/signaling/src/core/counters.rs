//! What the core counts, and how much there is of everything it keeps. Must not know who publishes it.

use std::collections::BTreeMap;

use histogram::{Histogram, WAITS};

use super::Core;
use super::asked::RequestKind;
use super::effect::Effect;
use super::error::Error;
use super::plugin::Reply;

/// How much there is of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Sessions alive.
    pub sessions: usize,
    /// Handles attached.
    pub handles: usize,
    /// Rooms that exist.
    pub rooms: usize,
    /// Of them, those with somebody in them.
    pub active_rooms: usize,
    /// Participants in all rooms.
    pub participants: usize,
    /// Of them, those whose PeerConnection is not up.
    pub connecting: usize,
    /// Whether no room begins any more.
    pub draining: bool,
}

/// What has happened so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters {
    /// Requests by what was asked and the code of the answer: that of its error, or [`ACCEPTED`].
    pub requests: BTreeMap<(RequestKind, u16), u64>,
    /// From the first offer of a client to the event with its answer.
    pub answering: Histogram,
    /// What was refused because it would have been too much of something.
    pub limited: BTreeMap<Limit, u64>,
}

/// The code of an answer that is no error.
pub const ACCEPTED: u16 = 0;

impl Default for Counters {
    fn default() -> Self {
        Self { requests: BTreeMap::new(), answering: Histogram::new(WAITS), limited: BTreeMap::new() }
    }
}

/// What there can be too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// Sessions, in all or of one connection.
    Sessions,
    /// Handles of a session.
    Handles,
    /// Rooms.
    Rooms,
    /// Participants in all rooms.
    Participants,
    /// Participants of a room.
    RoomParticipants,
    /// Requests and polls of one address.
    Requests,
    /// Joins of one address.
    Joins,
    /// Rooms made by one address.
    RoomCreations,
}

impl Core {
    pub(super) fn count(&mut self, kind: RequestKind, code: u16) {
        *self.counters.requests.entry((kind, code)).or_default() += 1;
    }

    pub(super) fn count_error(&mut self, kind: RequestKind, error: &Error) {
        self.count(kind, error.code);
        self.count_limited(error.limit);
    }

    /// Counts what a plugin has made of a request.
    pub(super) fn count_reply(&mut self, kind: RequestKind, reply: &Reply, effects: &[Effect]) {
        let refusal = reply.refusal(effects);
        self.count(kind, refusal.map_or(ACCEPTED, |refusal| refusal.code));
        self.count_limited(refusal.and_then(|refusal| refusal.limit));
    }

    pub(super) fn count_limited(&mut self, limit: Option<Limit>) {
        if let Some(limit) = limit {
            *self.counters.limited.entry(limit).or_default() += 1;
        }
    }
}
