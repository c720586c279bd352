//! A room that moves to another worker sounds, bit for bit, as if it had stayed.
#![allow(clippy::unwrap_used, reason = "test code")]

mod harness;

use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::{Client, ROOM, TICK, silence, slot, voice};
use mixer::{
    AudioPacket, Command, MemberSettings, MemberSlot, MixedPacket, Output, RoomKey, RoomSettings, Worker, WorkerConfig,
};

/// Slots of the room's members after the move.
const MOVED: u32 = 100;

type Heard = Vec<(u32, u64, Arc<[u8]>)>;

/// Joins by what is to come back with the packets.
fn join(worker: &mut Worker<u32>, room: RoomKey, index: u32, now: Instant) {
    let (member, settings) = (slot(index), MemberSettings::default());
    let join = Command::Join { room, room_settings: RoomSettings::default(), member, outlet: index, settings };
    worker.handle_command(join, now);
}

fn drain(worker: &mut Worker<u32>) -> Heard {
    std::iter::from_fn(|| worker.poll_output())
        .filter_map(|output| match output {
            Output::Packet { outlet, packet: MixedPacket { media_time, payload } } => {
                Some((outlet, media_time, payload))
            }
            Output::Event { .. } | Output::Measured { .. } => None,
        })
        // The rooms that do not move.
        .filter(|(outlet, _, _)| *outlet < 10)
        .collect()
}

/// What three members say: one always, one now and then, one never; some packets are lost.
struct Script {
    clients: Vec<Client>,
}

impl Script {
    fn new() -> Self {
        Self { clients: (0..3).map(|index| Client::new(index).with_fec()).collect() }
    }

    fn packets(&mut self, tick: usize, now: Instant) -> Vec<(u32, AudioPacket)> {
        let mut packets = Vec::new();
        for client in &mut self.clients {
            let speaks = client.index == 0 || client.index == 1 && (tick / 30).is_multiple_of(2);
            let mut packet = if speaks { client.say(voice(client.index)) } else { client.say(silence) };
            packet.arrival = now;
            if tick % 7 != 3 {
                packets.push((client.index, packet));
            }
        }
        packets
    }
}

#[expect(clippy::disallowed_methods, reason = "any instant will do for a beginning of virtual time")]
fn epoch() -> Instant {
    Instant::now()
}

/// 120 ticks of a room on two workers, of which the second has a room of its own in the same phase. In the tick
/// `moves_at` (if any) it moves, before the first worker's timeout or after it, and before or after the second's.
fn run(epoch: Instant, moves_at: Option<usize>, first_ticked: bool, second_ticked: bool) -> Heard {
    let mut workers = [(); 2].map(|()| Worker::new(WorkerConfig::default(), epoch));
    (0..3).for_each(|index| join(&mut workers[0], ROOM, index, epoch));
    join(&mut workers[1], RoomKey(7), 50, epoch);
    let (mut script, mut heard, mut at) = (Script::new(), Vec::new(), 0);
    for tick in 0..120 {
        let now = epoch + TICK * tick as u32 + Duration::from_millis(5);
        for (index, packet) in script.packets(tick, now) {
            workers[at].handle_packet(slot(if at == 1 { MOVED + index } else { index }), packet);
        }
        let due = epoch + TICK * (tick as u32 + 1);
        let moves = moves_at == Some(tick);
        let mut time = |workers: &mut [Worker<u32>; 2], worker: usize| {
            workers[worker].handle_timeout(due);
            heard.extend(drain(&mut workers[worker]));
        };
        if !moves || first_ticked {
            time(&mut workers, 0);
        }
        if moves && second_ticked {
            time(&mut workers, 1);
        }
        if moves {
            let room = workers[0].release(ROOM).unwrap();
            let slots: Vec<(MemberSlot, MemberSlot)> = (0..3).map(|index| (slot(index), slot(MOVED + index))).collect();
            workers[1].adopt(room, &slots);
            at = 1;
        }
        time(&mut workers, 1);
        time(&mut workers, 0);
    }
    assert_eq!(workers[at].counters().members, if at == 1 { 4 } else { 3 });
    assert_eq!(workers[1 - at].counters().members, if at == 1 { 0 } else { 1 });
    assert_eq!(workers[0].counters().dropped_unknown + workers[1].counters().dropped_unknown, 0);
    heard
}

#[test]
fn the_packets_of_a_room_that_moved_are_those_of_one_that_stayed() {
    let epoch = epoch();
    let stayed = run(epoch, None, true, true);
    assert_eq!(stayed.len(), 3 * 120);

    for moves_at in [1, 33, 61] {
        for (first_ticked, second_ticked) in [(false, false), (false, true), (true, false), (true, true)] {
            let moved = run(epoch, Some(moves_at), first_ticked, second_ticked);
            assert!(moved == stayed, "moved in {moves_at}, ticked before {first_ticked} {second_ticked}");
        }
    }
}

#[test]
fn a_room_that_was_long_on_its_way_makes_up_for_one_tick() {
    let epoch = epoch();
    let mut workers = [(); 2].map(|()| Worker::new(WorkerConfig::default(), epoch));
    join(&mut workers[0], ROOM, 0, epoch);
    join(&mut workers[1], RoomKey(7), 50, epoch);
    workers.iter_mut().for_each(|worker| worker.handle_timeout(epoch + TICK));
    assert_eq!(drain(&mut workers[0]).len(), 1);
    let room = workers[0].release(ROOM).unwrap();
    for tick in 2..=5 {
        workers[1].handle_timeout(epoch + TICK * tick);
    }

    workers[1].adopt(room, &[(slot(0), slot(0))]);

    let times: Vec<_> = drain(&mut workers[1]).iter().map(|(_, time, _)| *time).collect();
    assert_eq!(times, [5 * 960]);
    assert_eq!(workers[1].counters().skipped_ticks, 3);
}

#[test]
fn nobody_is_left_behind_and_who_has_no_new_slot_leaves() {
    let epoch = epoch();
    let mut workers = [(); 2].map(|()| Worker::new(WorkerConfig::default(), epoch));
    (0..2).for_each(|index| join(&mut workers[0], ROOM, index, epoch));
    assert!(workers[0].release(RoomKey(8)).is_none());

    let room = workers[0].release(ROOM).unwrap();
    workers[1].adopt(room, &[(slot(1), slot(5))]);

    assert_eq!(workers[0].poll_timeout(), None);
    assert_eq!((workers[0].counters().rooms, workers[0].counters().members), (0, 0));
    assert_eq!((workers[1].counters().rooms, workers[1].counters().members), (1, 1));
    workers[0].handle_packet(slot(1), Client::new(0).say(silence));
    assert_eq!(workers[0].counters().dropped_unknown, 1);
    workers[1].handle_command(Command::Leave { member: slot(5) }, epoch);
    assert_eq!(workers[1].counters().rooms, 0);
}
