//! The boundary of the plane: what goes into a worker and what comes out. Must not hold behaviour.

use std::sync::Arc;
use std::time::Instant;

use crate::settings::{MemberSettings, RoomSettings};
use crate::statistics::MemberStatistics;

/// A room, as its maker names it; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomKey(pub u64);

/// A member's place in one worker, dense so that no packet needs a look-up by hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemberSlot {
    /// Place in the worker's table.
    pub index: u32,
    /// Rises when the index is used again, so that what was meant for its last holder is dropped.
    pub generation: u32,
}

/// What a worker is told. `O` is opaque data that comes back with each packet for the member.
#[derive(Clone, Debug)]
pub enum Command<O> {
    /// Brings a member into a room, and makes the room if it is the first. A member that is in a room already moves.
    Join {
        /// The room.
        room: RoomKey,
        /// Used if the room is made by this.
        room_settings: RoomSettings,
        /// Who.
        member: MemberSlot,
        /// Where its packets go.
        outlet: O,
        /// How it is set.
        settings: MemberSettings,
    },
    /// Changes a member's settings.
    Configure {
        /// Who.
        member: MemberSlot,
        /// All of them, changed or not.
        settings: MemberSettings,
    },
    /// Changes a room's settings; nothing if nobody is in it.
    UpdateRoom {
        /// The room.
        room: RoomKey,
        /// All of them, changed or not.
        settings: RoomSettings,
    },
    /// Takes a member out of its room; the room ends with its last member.
    Leave {
        /// Who.
        member: MemberSlot,
    },
    /// Starts the member's decoder anew.
    ResetDecoder {
        /// Who.
        member: MemberSlot,
    },
    /// Asks how the sound of members fares; the answer is one [`Output::Measured`].
    Measure {
        /// Who; those that are not here are left out of the answer.
        members: Vec<MemberSlot>,
        /// Comes back with it.
        inquiry: u64,
    },
}

/// One Opus packet from a member.
#[derive(Clone, Debug)]
pub struct AudioPacket {
    /// Extended RTP sequence number.
    pub sequence: u64,
    /// Extended RTP timestamp, 48 kHz.
    pub timestamp: u64,
    /// RFC 6464 level in dBov, -127 to 0, if the packet carried one.
    pub audio_level: Option<i8>,
    /// The Opus packet.
    pub payload: Arc<[u8]>,
    /// When it came in.
    pub arrival: Instant,
}

/// One Opus packet for a member: 20 ms of what it hears.
#[derive(Clone, Debug)]
pub struct MixedPacket {
    /// Start of the 20 ms in samples of 48 kHz since the epoch.
    pub media_time: u64,
    /// The Opus packet, shared by all who hear the same mix.
    pub payload: Arc<[u8]>,
}

/// What a worker tells.
#[derive(Clone, Debug)]
pub enum Output<O> {
    /// A packet for a member.
    Packet {
        /// As given at its join.
        outlet: O,
        /// The packet.
        packet: MixedPacket,
    },
    /// Something happened to a member.
    Event {
        /// Who.
        member: MemberSlot,
        /// What.
        event: MemberEvent,
    },
    /// What was asked by [`Command::Measure`].
    Measured {
        /// As in the command.
        inquiry: u64,
        /// Those that are here.
        members: Vec<(MemberSlot, MemberStatistics)>,
    },
}

/// What can happen to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberEvent {
    /// It started (`true`) or stopped talking.
    Talking(bool),
}
