//! The ids of the API as types of their own, and where new ones come from. Knows nothing of what they name.

use std::fmt;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Serialize, Serializer};
use uuid::Builder;

/// A session of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// A handle of the API: one plugin instance with at most one PeerConnection. Unique in the whole process, so that it
/// is also the identity of its media in the other planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandleId(pub u64);

/// An id that clients can choose. All of a server are of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id {
    /// As a rule.
    Number(u64),
    /// With `string_ids`.
    Text(Arc<str>),
}

/// A room as clients name it. A room destroyed and made again has the same one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RoomId(pub Id);

/// A room as the mixer names it: unique per creation, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomKey(pub u64);

/// A participant within its room.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UserId(pub Id);

/// A connection that carries replies and events in one order: a WebSocket, a client of a local socket, or a message broker with
/// all clients behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    /// What kind of connection it is.
    pub carrier: Carrier,
    /// Which one, as the shell counts them.
    pub number: u64,
}

/// What carries a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// A WebSocket, with or without TLS.
    WebSocket,
    /// A Unix socket.
    Unix,
    /// A RabbitMQ broker.
    RabbitMq,
    /// An MQTT broker.
    Mqtt,
}

impl Carrier {
    /// What the API calls it.
    #[must_use]
    pub fn package(self) -> &'static str {
        match self {
            Self::WebSocket => "janus.transport.websockets",
            Self::Unix => "janus.transport.pfunix",
            Self::RabbitMq => "janus.transport.rabbitmq",
            Self::Mqtt => "janus.transport.mqtt",
        }
    }

    /// Whether many clients share a connection.
    pub(crate) fn is_broker(self) -> bool {
        match self {
            Self::WebSocket | Self::Unix => false,
            Self::RabbitMq | Self::Mqtt => true,
        }
    }
}

/// An HTTP request that waits for its reply, as the shell counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

impl Id {
    /// Whether it names nothing, so that who chose it leaves the choice to the server.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Self::Number(number) => *number == 0,
            Self::Text(text) => text.is_empty(),
        }
    }
}

impl RoomId {
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.0, Id::Text(_))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Text(text) => text.fmt(formatter),
        }
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Generated ids survive JavaScript numbers: 1 to 2^53 - 1.
const JAVASCRIPT_SAFE: u64 = (1 << 53) - 1;

/// Draws ids from the seed the core was given.
#[derive(Debug)]
pub(crate) struct IdSource(StdRng);

impl IdSource {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(StdRng::from_seed(seed))
    }

    /// A random id that is not `taken`.
    pub(crate) fn draw(&mut self, taken: impl Fn(u64) -> bool) -> u64 {
        loop {
            let id = self.0.next_u64() & JAVASCRIPT_SAFE;
            if id != 0 && !taken(id) {
                return id;
            }
        }
    }

    /// The same as a room or participant has it: a number, or a random UUID (version 4).
    pub(crate) fn draw_id(&mut self, string_ids: bool, taken: impl Fn(&Id) -> bool) -> Id {
        if !string_ids {
            return Id::Number(self.draw(|number| taken(&Id::Number(number))));
        }
        loop {
            let id = Id::Text(self.draw_uuid().into());
            if !taken(&id) {
                return id;
            }
        }
    }

    fn draw_uuid(&mut self) -> String {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_text_is_a_random_uuid_that_nobody_has() {
        let mut ids = IdSource::new([1; 32]);
        let first = ids.draw_id(true, |_| false).to_string();

        let second = IdSource::new([1; 32]).draw_id(true, |id| id.to_string() == first).to_string();

        assert_ne!(first, second);
        for uuid in [first, second] {
            let dashes: Vec<_> = uuid.match_indices('-').map(|(place, _)| place).collect();
            assert_eq!((uuid.len(), dashes), (36, vec![8, 13, 18, 23]), "{uuid}");
            assert_eq!(&uuid[14..15], "4", "{uuid}: the version (RFC 9562 section 5.4)");
            assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"), "{uuid}: the variant");
        }
    }
}
