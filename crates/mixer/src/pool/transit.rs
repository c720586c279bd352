//! What comes for rooms that are on their way from one worker to another: it waits where the room will be, and is
//! passed on where it was. Must not know what a command does.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::command::{AudioPacket, Command, MemberSlot, RoomKey};

use super::{Message, PacketQueue};

/// For so long packets come to where a room was: far longer than a change of route takes.
const FORWARDING: Duration = Duration::from_secs(1);
/// Packets that wait for each member of a room on its way at most: a second of them.
const MAX_EARLY: usize = 50;

/// The rooms that are expected here, and those that have left.
#[derive(Debug)]
pub(super) struct Transit<O> {
    expected: Vec<Expected<O>>,
    left: Vec<Left>,
}

/// A room that is not here yet. Those who sent it have told its members' slots first.
#[derive(Debug)]
pub(super) struct Expected<O> {
    room: RoomKey,
    members: HashSet<MemberSlot>,
    pub(super) messages: Vec<Message<O>>,
    pub(super) packets: Vec<(MemberSlot, AudioPacket)>,
}

#[derive(Debug)]
struct Left {
    slots: HashMap<MemberSlot, MemberSlot>,
    to: PacketQueue,
    until: Instant,
}

impl<O> Transit<O> {
    pub(super) fn new() -> Self {
        Self { expected: Vec::new(), left: Vec::new() }
    }

    pub(super) fn expect(&mut self, room: RoomKey, members: Vec<MemberSlot>) {
        let members = members.into_iter().collect();
        self.expected.push(Expected { room, members, messages: Vec::new(), packets: Vec::new() });
    }

    /// Keeps a message that is for a room on its way here; gives back any other.
    pub(super) fn hold_message(&mut self, message: Message<O>) -> Option<Message<O>> {
        // As a rule nothing is on its way.
        if self.expected.is_empty() {
            return Some(message);
        }
        let room = match &message {
            Message::Command(Command::Join { room, .. } | Command::UpdateRoom { room, .. }) => self.expected(*room),
            Message::Command(
                Command::Configure { member, .. } | Command::Leave { member } | Command::ResetDecoder { member },
            ) => self.expected.iter_mut().find(|expected| expected.members.contains(member)),
            Message::Release(departure) => self.expected(departure.room),
            // Whoever is on its way is left out of the answer.
            Message::Command(Command::Measure { .. })
            | Message::Expect { .. }
            | Message::Arrive { .. }
            | Message::Nudge
            | Message::Stop => None,
        };
        let Some(expected) = room else {
            return Some(message);
        };
        if let Message::Command(Command::Join { member, .. }) = &message {
            expected.members.insert(*member);
        }
        expected.messages.push(message);
        None
    }

    /// Keeps a packet for a room on its way here, passes one for a room that has left on; gives back any other.
    pub(super) fn hold_packet(&mut self, member: MemberSlot, packet: AudioPacket) -> Option<AudioPacket> {
        if let Some(expected) = self.expected.iter_mut().find(|expected| expected.members.contains(&member)) {
            if expected.packets.len() < MAX_EARLY * expected.members.len() {
                expected.packets.push((member, packet));
            }
            return None;
        }
        for left in &self.left {
            if let Some(&now) = left.slots.get(&member) {
                left.to.push(now, packet);
                return None;
            }
        }
        Some(packet)
    }

    /// A room that was expected is here, or never will be: what has waited for it.
    pub(super) fn arrive(&mut self, room: RoomKey) -> Option<Expected<O>> {
        let place = self.expected.iter().position(|expected| expected.room == room)?;
        Some(self.expected.remove(place))
    }

    /// A room has left.
    pub(super) fn depart(&mut self, slots: &[(MemberSlot, MemberSlot)], to: PacketQueue, now: Instant) {
        self.left.push(Left { slots: slots.iter().copied().collect(), to, until: now + FORWARDING });
    }

    /// There may be packets to pass on.
    pub(super) fn is_forwarding(&self) -> bool {
        !self.left.is_empty()
    }

    /// Forgets rooms that have long left.
    pub(super) fn forget(&mut self, now: Instant) {
        self.left.retain(|left| left.until > now);
    }

    fn expected(&mut self, room: RoomKey) -> Option<&mut Expected<O>> {
        self.expected.iter_mut().find(|expected| expected.room == room)
    }
}
