//! Which rooms may begin while the server drains. Knows no deadline.

use super::AudioBridge;
use super::error::Error;
use super::room::Room;

impl AudioBridge {
    pub(crate) fn set_draining(&mut self, draining: bool) {
        self.draining = draining;
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining
    }

    pub(crate) fn is_overloaded(&self) -> bool {
        self.overloaded
    }

    /// Whether a room, named as in a URL, may be joined or made here.
    pub(crate) fn welcomes(&self, name: &str) -> bool {
        let room = self.room_named(name).ok().and_then(|id| self.rooms.get(&id));
        !self.draining || room.is_some_and(|room| self.check_beginning(room).is_ok())
    }

    /// A room that was made here is nowhere else, and one with somebody in it has begun: who joins those, or comes back to
    /// them, is let in to the end.
    pub(super) fn check_beginning(&self, room: &Room) -> Result<(), Error> {
        let begins = room.from_start && room.participants.is_empty();
        if self.draining && begins { Err(Error::draining()) } else { Ok(()) }
    }
}
