//! The ids of the API as types of their own, and where new ones come from. Knows nothing of what they name.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// A session of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// A handle of the API: one plugin instance with at most one PeerConnection. Unique in the whole process, so that it
/// is also the identity of its media in the other planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandleId(pub u64);

/// A room as clients name it. A room destroyed and made again has the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(pub u64);

/// A room as the mixer names it: unique per creation, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomKey(pub u64);

/// A participant within its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct UserId(pub(crate) u64);

/// A WebSocket connection, as the shell counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// An HTTP request that waits for its reply, as the shell counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

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
}
