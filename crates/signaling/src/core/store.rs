//! What shall outlive the process, and what is said once it is stored. Knows no file: the shell stores, and no reply that
//! says `permanent: true` leaves before it has.

use super::config::RoomConfig;
use super::ids::RoomId;

/// A change to the rooms that exist from the start, the next time.
#[derive(Clone, Debug, PartialEq)]
pub enum RoomChange {
    /// This room exists, with these properties. It has an id.
    Keep(Box<RoomConfig>),
    /// This room does not.
    Forget(RoomId),
}

/// A change that is being stored, and what follows from that.
#[derive(Clone, Debug, PartialEq)]
pub struct Storing<T> {
    /// The change.
    pub change: RoomChange,
    /// What follows when it is stored for good.
    pub saved: T,
    /// What follows when it could not be stored.
    pub unsaved: T,
}

impl<T> Storing<T> {
    pub(crate) fn map<U>(self, mut complete: impl FnMut(T) -> U) -> Storing<U> {
        Storing { change: self.change, saved: complete(self.saved), unsaved: complete(self.unsaved) }
    }
}
