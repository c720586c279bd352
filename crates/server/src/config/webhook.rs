//! `[[webhooks]]`: who is told by HTTP of what happens.

use serde::{Deserialize, Serialize};

use super::Secret;

/// One of `[[webhooks]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhook {
    /// Where events are posted.
    pub url: String,
    /// What posts are signed with: `whsec_` and the Base64 of 24 to 64 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Secret>,
    /// What is told.
    pub events: Vec<EventKind>,
    /// What an event looks like.
    pub format: WebhookFormat,
    /// Events in one post at most; 1 = an event is not within an array.
    pub batch: usize,
    /// Events that wait at most; the oldest go first.
    pub queue: usize,
    /// How long a post may take, in seconds.
    pub timeout: u64,
    /// For how long a post is tried again, in seconds.
    pub retry_for: u64,
    /// How often statistics are told, in seconds.
    pub statistics_interval: u64,
}

/// A kind of events: the first word of their type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// The server starts, stops, and has more to do than it can.
    Server,
    /// Sessions.
    Session,
    /// Handles.
    Handle,
    /// Rooms.
    Room,
    /// Who is in them.
    Participant,
    /// Who talks.
    Talking,
    /// Recordings.
    Recording,
    /// Offers and answers, whole.
    Sdp,
    /// ICE, DTLS, and the end of PeerConnections.
    Connection,
    /// Addresses at which clients and the server may be reached.
    Candidate,
    /// Whether audio arrives.
    Media,
    /// At intervals, how the audio of everybody travels.
    Statistics,
    /// Connections of clients to the APIs.
    Transport,
    /// What operators tell by `custom_event`.
    Custom,
}

/// What an event looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebhookFormat {
    /// Our own.
    Plenum,
    /// As Janus' event handlers send them.
    Janus,
}

impl Default for Webhook {
    fn default() -> Self {
        Self {
            url: String::new(),
            key: None,
            events: vec![EventKind::Room, EventKind::Participant, EventKind::Talking, EventKind::Recording],
            format: WebhookFormat::Plenum,
            batch: 100,
            queue: 10_000,
            timeout: 10,
            retry_for: 3600,
            statistics_interval: 5,
        }
    }
}

impl Webhook {
    /// The key whose value cannot be used, and what could.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        if !self.url.starts_with("http://") && !self.url.starts_with("https://") {
            return Some(("url", "where to post to, such as \"https://backend.example.org/plenum\""));
        }
        if self.format == WebhookFormat::Plenum && self.key.is_none() {
            return Some(("key", "there: whsec_ and the Base64 of 24 to 64 random bytes"));
        }
        if self.events.is_empty() {
            return Some(("events", "at least one kind, such as [\"room\", \"participant\"]"));
        }
        if self.batch == 0 {
            return Some(("batch", "at least 1"));
        }
        if self.queue < self.batch {
            return Some(("queue", "at least batch"));
        }
        if self.timeout == 0 {
            return Some(("timeout", "at least 1"));
        }
        if self.statistics_interval == 0 {
            return Some(("statistics_interval", "at least 1"));
        }
        None
    }
}
