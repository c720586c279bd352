//! Rooms that go from one worker to another, as they are: decoders, jitter buffers, encoders, limiters. Must not know
//! why, or how they get there.
//!
//! A room keeps its phase, and workers share one epoch, so that its packets are those of a room that stayed: the first
//! tick at its new place is the one after its last at the old.

use std::collections::HashMap;

use crate::clock::TICK;
use crate::command::{MemberSlot, RoomKey};
use crate::room::Room;

use super::Worker;

/// A room on its way between two workers.
#[derive(Debug)]
pub struct MovedRoom<O>(Room<O>);

impl<O: Copy + Send> Worker<O> {
    /// Gives a room away with all its members; `None` if it is not here. What was handed in for them before goes with
    /// them, what comes later is for a member that is not there.
    pub fn release(&mut self, room: RoomKey) -> Option<MovedRoom<O>> {
        let place = *self.places.get(&room)?;
        let room = self.take_room(place)?;
        for member in &room.members {
            self.seats[member.slot.index as usize].place = None;
        }
        self.bench.counters.members -= room.members.len() as u64;
        Some(MovedRoom(room))
    }

    /// Takes a room in, whose members change their slots (old, new) for those of this worker; who is given no new one
    /// leaves. If it is late for a tick, that is made up for at once.
    pub fn adopt(&mut self, moved: MovedRoom<O>, slots: &[(MemberSlot, MemberSlot)]) {
        let MovedRoom(mut room) = moved;
        // A room cannot be in two places; the one that is here goes on.
        if self.places.contains_key(&room.key) {
            return;
        }
        let slots: HashMap<_, _> = slots.iter().copied().collect();
        room.members.retain(|member| slots.contains_key(&member.slot));
        for member in &mut room.members {
            member.slot = slots[&member.slot];
        }
        if room.members.is_empty() {
            return;
        }
        let (phase, next) = (room.phase, room.next);
        let members: Vec<_> = room.members.iter().map(|member| member.slot).collect();
        let place = self.place_room(room);
        for (index, member) in members.into_iter().enumerate() {
            self.seat(member, (place, index));
        }
        // The phase may have had the room's tick already.
        let missed = self.phases[phase].next.saturating_sub(next) / TICK;
        if missed > 0 {
            self.bench.counters.skipped_ticks += missed - 1;
            self.bench.primings = self.config.primings_per_tick;
            self.tick_room(place, self.phases[phase].next - TICK);
        }
    }
}
