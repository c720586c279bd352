//! The rooms of one mix thread. Must not read a clock, wait, or know threads: that is the pool's.

mod moving;

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::clock::{Clock, PHASE_STEP, PHASES, TICK, duration, tick_at_or_after};
use crate::codec::opus::inspect;
use crate::command::{AudioPacket, Command, MemberSlot, Output, RoomKey};
use crate::counters::Counters;
use crate::crew::Crew;
use crate::jitter::WaitingPacket;
use crate::member::Member;
use crate::overload::{Overload, Relief};
use crate::room::{Bench, Room};
use crate::settings::{MemberSettings, RoomSettings};
use crate::statistics::MemberStatistics;
use crate::times::Times;

pub use self::moving::MovedRoom;

/// A tick that begins later than this after its time is late: 5 ms, the distance to the next phase.
const LATE: u64 = PHASE_STEP;
/// Extended timestamps lie far below this; what does not is not from RTP.
const MAX_TIMESTAMP: u64 = 1 << 62;

/// How a worker is set.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Private encoders primed in one tick at most, each 0.2 to 0.45 ms; who speaks up beyond that joins the mix a
    /// tick later.
    pub primings_per_tick: u32,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self { primings_per_tick: 4 }
    }
}

/// The mixes of a set of rooms. Call order: any number of [`Self::handle_command`] and [`Self::handle_packet`]; when
/// the time of [`Self::poll_timeout`] has come, [`Self::handle_timeout`]; then [`Self::poll_output`] until it gives
/// `None`.
#[derive(Debug)]
pub struct Worker<O> {
    config: WorkerConfig,
    clock: Clock,
    seats: Vec<Seat>,
    rooms: Vec<Option<Room<O>>>,
    /// For commands only; no packet and no tick looks anything up here.
    places: HashMap<RoomKey, usize>,
    phases: [Phase; PHASES],
    overload: Overload,
    bench: Bench,
    outputs: VecDeque<Output<O>>,
}

/// Where the member of a slot is.
#[derive(Clone, Copy, Debug, Default)]
struct Seat {
    generation: u32,
    /// Room and place among its members.
    place: Option<(usize, usize)>,
}

/// The rooms that tick together.
#[derive(Debug, Default)]
struct Phase {
    rooms: Vec<usize>,
    /// Media time of the next tick; meaningless without rooms.
    next: u64,
}

impl<O: Copy + Send> Worker<O> {
    /// A worker without rooms. All workers share one epoch.
    pub fn new(config: WorkerConfig, epoch: Instant) -> Self {
        Self {
            config,
            clock: Clock::new(epoch),
            seats: Vec::new(),
            rooms: Vec::new(),
            places: HashMap::new(),
            phases: Default::default(),
            overload: Overload::default(),
            bench: Bench::default(),
            outputs: VecDeque::new(),
        }
    }

    /// The same with threads that help with big rooms.
    pub fn with_crew(mut self, crew: Crew) -> Self {
        self.bench.crew = crew;
        self
    }

    /// Does what it is told. What is meant for a member that is not there is ignored.
    pub fn handle_command(&mut self, command: Command<O>, now: Instant) {
        match command {
            Command::Join { room, room_settings, member, outlet, settings } => {
                self.leave(member);
                self.join(room, room_settings, member, outlet, settings, now);
            }
            Command::Configure { member, settings } => {
                if let Some((room, index)) = self.place(member)
                    && let Some(room) = &mut self.rooms[room]
                {
                    room.configure(index, settings, &mut self.bench);
                }
            }
            Command::UpdateRoom { room, settings } => {
                if let Some(&place) = self.places.get(&room)
                    && let Some(room) = &mut self.rooms[place]
                {
                    room.update(settings);
                }
            }
            Command::Leave { member } => self.leave(member),
            Command::ResetDecoder { member } => {
                if let Some((room, index)) = self.place(member)
                    && let Some(room) = &mut self.rooms[room]
                {
                    room.members[index].reset_decoder(&mut self.bench.voices);
                }
            }
            Command::Measure { members, inquiry } => {
                let members = members.into_iter().filter_map(|member| Some((member, self.measure(member)?))).collect();
                self.outputs.push_back(Output::Measured { inquiry, members });
            }
        }
    }

    /// Takes a packet from a member. What is no Opus, or from nobody, is dropped and counted.
    pub fn handle_packet(&mut self, member: MemberSlot, packet: AudioPacket) {
        self.bench.counters.packets += 1;
        let place = self.place(member);
        let Some((room, index)) = place.and_then(|(room, index)| Some((self.rooms[room].as_mut()?, index))) else {
            self.bench.counters.dropped_unknown += 1;
            return;
        };
        let Some(info) = inspect(&packet.payload).filter(|_| packet.timestamp < MAX_TIMESTAMP) else {
            self.bench.counters.dropped_malformed += 1;
            return;
        };
        let arrival = self.clock.media_time(packet.arrival);
        let ready = tick_at_or_after(arrival, offset(room.phase));
        let waiting = WaitingPacket {
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            duration: info.duration,
            audio_level: packet.audio_level,
            has_fec: info.has_fec,
            payload: packet.payload,
        };
        room.members[index].insert(waiting, arrival, ready, &mut self.bench.counters);
    }

    /// When [`Self::handle_timeout`] wants to be called; `None` without rooms.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let next = self.phases.iter().filter(|phase| !phase.rooms.is_empty()).map(|phase| phase.next).min()?;
        Some(self.clock.instant(next))
    }

    /// Ticks the rooms whose time has come. Of ticks that were missed, one is made up for; before that, media time
    /// jumps, since a burst of old sound would only make receivers wait longer from then on.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.clock.media_time(now);
        for phase in 0..PHASES {
            if self.phases[phase].rooms.is_empty() || self.phases[phase].next > now {
                continue;
            }
            let lateness = now - self.phases[phase].next;
            let skipped = (lateness / TICK).saturating_sub(1);
            self.phases[phase].next += skipped * TICK;
            self.bench.counters.skipped_ticks += skipped;
            self.bench.counters.late_ticks += u64::from(lateness > LATE);
            self.bench.times.tick_lateness.record(duration(lateness));
            self.overload.observe(lateness, now);
            self.relieve(self.overload.relief());
            while self.phases[phase].next <= now {
                self.tick(phase);
                self.phases[phase].next += TICK;
            }
        }
    }

    /// New members should not be let in: ticks come late, and those who are here are cut short already.
    pub fn is_overloaded(&self) -> bool {
        self.bench.relief.joins
    }

    /// The next packet or event.
    pub fn poll_output(&mut self) -> Option<Output<O>> {
        self.outputs.pop_front()
    }

    /// Counts so far.
    pub fn counters(&self) -> &Counters {
        &self.bench.counters
    }

    /// How long a member's sound waited between arrival and mix in its last tick; `None` while it sends nothing.
    pub fn delay(&self, member: MemberSlot) -> Option<Duration> {
        self.measure(member)?.delay
    }

    /// Durations so far.
    pub fn times(&self) -> &Times {
        &self.bench.times
    }

    /// A tick took so long; for [`Self::times`].
    pub(crate) fn count_tick(&mut self, took: Duration) {
        self.bench.times.tick_duration.record(took);
    }

    /// Packets that the queue into this worker could not take; for the counters.
    pub(crate) fn count_dropped_in_queue(&mut self, total: u64) {
        self.bench.counters.dropped_queue = total;
    }

    fn measure(&self, member: MemberSlot) -> Option<MemberStatistics> {
        let (room, index) = self.place(member)?;
        Some(self.rooms[room].as_ref()?.members[index].statistics())
    }

    fn relieve(&mut self, relief: Relief) {
        self.bench.relief = relief;
        self.bench.counters.overload = self.overload.rung() as u64;
        self.bench.counters.relieved_joins += u64::from(relief.joins);
    }

    fn tick(&mut self, phase: usize) {
        let tick = self.phases[phase].next;
        self.bench.primings = self.config.primings_per_tick;
        for index in 0..self.phases[phase].rooms.len() {
            self.tick_room(self.phases[phase].rooms[index], tick);
        }
    }

    fn tick_room(&mut self, place: usize, tick: u64) {
        // One that came from another worker may have had this tick there.
        let Some(room) = self.rooms[place].as_mut().filter(|room| room.next <= tick) else {
            return;
        };
        room.next = tick + TICK;
        let (bench, outputs) = (&mut self.bench, &mut self.outputs);
        let length = outputs.len();
        // Unwind safe: all that the tick may leave half done is made anew by `recover`, or overwritten before it is
        // read (the bench's scratch), or only counts (counters), or cut off (outputs).
        let outcome = catch_unwind(AssertUnwindSafe(|| room.tick(tick, bench, outputs)));
        if outcome.is_err() {
            self.outputs.truncate(length);
            self.bench.counters.panics += 1;
            room.recover();
            tracing::error!(room = room.key.0, "a tick of a room panicked; its sound starts anew");
        }
    }

    fn join(
        &mut self,
        key: RoomKey,
        room_settings: RoomSettings,
        member: MemberSlot,
        outlet: O,
        settings: MemberSettings,
        now: Instant,
    ) {
        let place = match self.places.get(&key) {
            Some(&place) => place,
            None => self.make_room(key, room_settings, now),
        };
        let Some(room) = &mut self.rooms[place] else {
            return;
        };
        let index = room.members.len();
        room.members.push(Member::new(member, outlet, settings, room.format()));
        self.seat(member, (place, index));
    }

    fn seat(&mut self, member: MemberSlot, place: (usize, usize)) {
        let seat = member.index as usize;
        if seat >= self.seats.len() {
            self.seats.resize(seat + 1, Seat::default());
        }
        self.seats[seat] = Seat { generation: member.generation, place: Some(place) };
        self.bench.counters.members += 1;
    }

    /// Makes a room, in the phase with the fewest.
    fn make_room(&mut self, key: RoomKey, settings: RoomSettings, now: Instant) -> usize {
        let phase = (0..PHASES).min_by_key(|&phase| self.phases[phase].rooms.len()).unwrap_or(0);
        let first = tick_at_or_after(self.clock.media_time(now) + 1, offset(phase));
        self.place_room(Room::new(key, phase, first, settings))
    }

    /// Puts a room into its phase. If it is the only one there, the phase goes by it.
    fn place_room(&mut self, room: Room<O>) -> usize {
        let place = self.rooms.iter().position(Option::is_none).unwrap_or(self.rooms.len());
        if place == self.rooms.len() {
            self.rooms.push(None);
        }
        let phase = &mut self.phases[room.phase];
        if phase.rooms.is_empty() {
            phase.next = room.next;
        }
        phase.rooms.push(place);
        self.places.insert(room.key, place);
        self.rooms[place] = Some(room);
        self.bench.counters.rooms += 1;
        place
    }

    fn take_room(&mut self, place: usize) -> Option<Room<O>> {
        let mut room = self.rooms[place].take()?;
        self.places.remove(&room.key);
        self.phases[room.phase].rooms.retain(|&other| other != place);
        self.bench.counters.rooms -= 1;
        room.uncount(&mut self.bench.counters);
        if self.places.is_empty() {
            // Without ticks nothing would tell that the load has gone.
            self.overload = Overload::default();
            self.relieve(Relief::NONE);
        }
        Some(room)
    }

    fn leave(&mut self, member: MemberSlot) {
        let Some((place, index)) = self.place(member) else {
            return;
        };
        self.seats[member.index as usize].place = None;
        let Some(room) = &mut self.rooms[place] else {
            return;
        };
        let mut gone = room.members.swap_remove(index);
        gone.park(&mut self.bench.voices);
        if let Some(private) = gone.private {
            self.bench.encoders.give(private.into_encoder());
        }
        self.bench.counters.members -= 1;
        if let Some(moved) = room.members.get(index) {
            self.seats[moved.slot.index as usize].place = Some((place, index));
        }
        if room.members.is_empty() {
            self.take_room(place);
        }
    }

    fn place(&self, member: MemberSlot) -> Option<(usize, usize)> {
        let seat = self.seats.get(member.index as usize)?;
        seat.place.filter(|_| seat.generation == member.generation)
    }
}

/// Offset of a phase within the 20 ms, in media time.
fn offset(phase: usize) -> u64 {
    phase as u64 * PHASE_STEP
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const SILENT_FRAME: [u8; 3] = [0xf8, 0xff, 0xfe];

    fn join(worker: &mut Worker<u32>, room: u64, index: u32, now: Instant) {
        let join = Command::Join {
            room: RoomKey(room),
            room_settings: RoomSettings { trust_levels: false, ..RoomSettings::default() },
            member: MemberSlot { index, generation: 0 },
            outlet: index,
            settings: MemberSettings::default(),
        };
        worker.handle_command(join, now);
    }

    /// Sends a packet from each of so many members, and ticks.
    fn send(worker: &mut Worker<u32>, members: u32, number: u64, epoch: Instant) {
        let now = epoch + Duration::from_millis(20 * number);
        for index in 0..members {
            let packet = AudioPacket {
                sequence: number,
                timestamp: number * 960,
                audio_level: None,
                payload: Arc::from(SILENT_FRAME.as_slice()),
                arrival: now,
            };
            worker.handle_packet(MemberSlot { index, generation: 0 }, packet);
        }
        worker.handle_timeout(now + Duration::from_millis(19));
    }

    /// Four members in two rooms: the packets of each room.
    fn turn(worker: &mut Worker<u32>, number: u64, epoch: Instant) -> [usize; 2] {
        send(worker, 4, number, epoch);
        let mut counts = [0; 2];
        while let Some(output) = worker.poll_output() {
            if let Output::Packet { outlet, .. } = output {
                counts[outlet as usize / 2] += 1;
            }
        }
        counts
    }

    #[test]
    fn a_panic_costs_its_room_a_tick_and_in_the_end_its_member_the_voice() {
        #[expect(clippy::disallowed_methods, reason = "any instant will do for a beginning of virtual time")]
        let epoch = Instant::now();
        let mut worker = Worker::new(WorkerConfig::default(), epoch);
        for index in 0..4 {
            join(&mut worker, u64::from(index) / 2, index, epoch);
        }
        turn(&mut worker, 0, epoch);
        (1..10).for_each(|number| assert_eq!(turn(&mut worker, number, epoch), [2, 2]));

        worker.rooms[0].as_mut().unwrap().members[1].sabotaged = true;
        let turns: Vec<_> = (10..20).map(|number| turn(&mut worker, number, epoch)).collect();

        // Three strikes; then the member is not decoded any more, and both rooms go on.
        assert_eq!(worker.counters().panics, 3);
        assert_eq!(turns.iter().filter(|counts| **counts == [0, 2]).count(), 3);
        assert_eq!(turns[9], [2, 2]);
    }

    #[test]
    fn a_panic_on_a_thread_of_the_crew_costs_no_more() {
        #[expect(clippy::disallowed_methods, reason = "any instant will do for a beginning of virtual time")]
        let epoch = Instant::now();
        let mut worker = Worker::new(WorkerConfig::default(), epoch).with_crew(Crew::new(2).unwrap());
        for index in 0..40 {
            join(&mut worker, 0, index, epoch);
        }
        worker.rooms[0].as_mut().unwrap().members[33].sabotaged = true;
        send(&mut worker, 40, 0, epoch);
        let packets: Vec<_> = (1..20)
            .map(|number| {
                send(&mut worker, 40, number, epoch);
                std::iter::from_fn(|| worker.poll_output()).count()
            })
            .collect();

        assert_eq!(worker.counters().panics, 3);
        assert_eq!(packets.iter().filter(|packets| **packets == 0).count(), 3);
        assert_eq!(packets[18], 40);
    }
}
