//! The threads: they tick in real time, sleep without rooms, drop what does not fit, and end when told.
#![allow(clippy::unwrap_used, reason = "test code")]

mod harness;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use harness::{Client, ROOM, silence, slot};
use mixer::{
    Command, Counters, MemberSettings, MixedPacket, Output, Pool, PoolConfig, RoomSettings, Times, WorkerHandle,
};

type Turn = (Vec<MixedPacket>, Counters, String);

fn start(config: &PoolConfig) -> (Vec<WorkerHandle<u32>>, mpsc::Receiver<Turn>) {
    let (sender, turns) = mpsc::channel();
    #[expect(clippy::disallowed_methods, reason = "this tests the shell, which lives in real time")]
    let epoch = Instant::now();
    let handles = Pool::spawn(config, epoch, |_| {
        let sender = sender.clone();
        move |outputs: &mut dyn Iterator<Item = Output<u32>>, counters: &Counters, _: &Times| {
            let packets = outputs.filter_map(|output| match output {
                Output::Packet { packet, .. } => Some(packet),
                Output::Event { .. } | Output::Measured { .. } => None,
            });
            let thread = std::thread::current().name().unwrap_or_default().to_owned();
            let _ = sender.send((packets.collect(), *counters, thread));
        }
    });
    (handles.unwrap(), turns)
}

fn join(index: u32) -> Command<u32> {
    Command::Join {
        room: ROOM,
        room_settings: RoomSettings::default(),
        member: slot(index),
        outlet: index,
        settings: MemberSettings::default(),
    }
}

const SOON: Duration = Duration::from_secs(5);

#[test]
fn a_room_gets_its_packets_in_time_and_an_empty_worker_sleeps() {
    let (handles, turns) = start(&PoolConfig { workers: 2, ..PoolConfig::default() });
    // Nothing is due yet.
    assert!(turns.recv_timeout(Duration::from_millis(100)).is_err());

    handles[1].command(join(0));
    let first = turns.recv_timeout(SOON).unwrap();
    let later: Vec<Turn> = (0..10).map(|_| turns.recv_timeout(SOON).unwrap()).collect();

    assert_eq!((first.0.len(), first.2.as_str()), (1, "mix-1"));
    let last = &later[9];
    assert_eq!((last.0[0].media_time - first.0[0].media_time) % 960, 0);
    assert!(last.1.ticks >= 10);

    handles[1].command(Command::Leave { member: slot(0) });
    // At most one turn was under way, and the last one tells that nobody is there.
    let after: Vec<_> = std::iter::from_fn(|| turns.recv_timeout(Duration::from_millis(100)).ok()).collect();
    assert!(after.len() <= 2, "{} turns after the last member left", after.len());
    assert_eq!(after.last().map(|(_, counters, _)| (counters.rooms, counters.members)), Some((0, 0)));
    handles.iter().for_each(WorkerHandle::stop);
}

#[test]
fn a_full_queue_drops_the_newest_and_counts_it() {
    let (handles, turns) = start(&PoolConfig { packet_queue: 8, ..PoolConfig::default() });
    let mut client = Client::new(0);

    // Without a room nothing takes them out.
    let taken = (0..12).filter(|_| handles[0].packet(slot(0), client.say(silence))).count();
    assert_eq!(taken, 8);
    handles[0].command(join(0));
    let (_, counters, _) = turns.recv_timeout(SOON).unwrap();

    assert_eq!((counters.packets, counters.dropped_queue), (8, 4));
    handles[0].stop();
}

#[test]
fn stop_ends_the_thread_and_later_calls_do_nothing() {
    let (handles, turns) = start(&PoolConfig::default());
    handles[0].command(join(0));
    turns.recv_timeout(SOON).unwrap();

    handles[0].stop();

    // The sink is gone with its thread.
    while turns.try_recv().is_ok() {}
    assert_eq!(turns.try_recv().unwrap_err(), mpsc::TryRecvError::Disconnected);
    handles[0].stop();
    handles[0].command(join(1));
    assert!(!handles[0].packet(slot(1), Client::new(1).say(silence)));
}

#[test]
fn a_room_moves_without_missing_a_tick_and_what_is_on_its_way_reaches_it() {
    let (handles, turns) = start(&PoolConfig { workers: 2, ..PoolConfig::default() });
    let mut client = Client::new(0);
    handles[0].command(join(0));
    let mut times: Vec<u64> = Vec::new();
    let mut counters = [Counters::default(); 2];

    for turn in 0..40 {
        let (packets, counted, thread) = turns.recv_timeout(SOON).unwrap();
        times.extend(packets.iter().map(|packet| packet.media_time));
        counters[usize::from(thread == "mix-1")] = counted;
        if turn == 10 {
            handles[0].move_room(ROOM, &handles[1], vec![(slot(0), slot(7))]);
            // By the old route, and by the new one, whether or not the room is there yet.
            for _ in 0..3 {
                assert!(handles[0].packet(slot(0), client.say(silence)));
                assert!(handles[1].packet(slot(7), client.say(silence)));
            }
        }
    }

    assert!(times.is_sorted(), "{times:?}");
    let missed = (times[times.len() - 1] - times[0]) / 960 + 1 - times.len() as u64;
    // None, unless the machine that runs this could not keep up.
    assert_eq!(missed, counters[0].skipped_ticks + counters[1].skipped_ticks, "{times:?}");
    assert!(counters.iter().all(|counters| counters.ticks > 0), "both had it");
    assert_eq!(counters.map(|counters| counters.members), [0, 1]);
    assert_eq!(counters[0].packets + counters[1].packets, 6);
    assert_eq!(counters[0].dropped_unknown + counters[1].dropped_unknown, 0);
    handles.iter().for_each(WorkerHandle::stop);
}

#[test]
fn commands_right_after_a_move_are_for_the_room_at_its_new_place() {
    let (handles, turns) = start(&PoolConfig { workers: 3, ..PoolConfig::default() });
    handles[0].command(join(0));
    turns.recv_timeout(SOON).unwrap();

    // On to a third worker before it can have come to the second; one joins, and one leaves.
    handles[0].move_room(ROOM, &handles[1], vec![(slot(0), slot(7))]);
    handles[1].command(join(8));
    handles[1].move_room(ROOM, &handles[2], vec![(slot(7), slot(1)), (slot(8), slot(2))]);
    handles[2].command(Command::Leave { member: slot(1) });
    let mut last = (Counters::default(), String::new());
    let deadline = Duration::from_millis(200);
    for _ in 0..20 {
        let (_, counters, thread) = turns.recv_timeout(deadline).unwrap();
        if thread == "mix-2" {
            last = (counters, thread);
        }
    }
    assert_eq!((last.0.rooms, last.0.members), (1, 1));

    handles[2].command(Command::Leave { member: slot(2) });
    // For a second the old places pass packets on; then all sleep.
    while turns.recv_timeout(Duration::from_millis(1_200)).is_ok() {}
    handles.iter().for_each(WorkerHandle::stop);
}

#[test]
fn a_room_that_has_ended_or_a_worker_that_has_stopped_keeps_nobody_waiting() {
    let (handles, turns) = start(&PoolConfig { workers: 2, ..PoolConfig::default() });
    handles[0].move_room(ROOM, &handles[1], vec![(slot(0), slot(7))]);
    handles[1].command(join(3));
    assert!((0..5).any(|_| turns.recv_timeout(SOON).unwrap().0.len() == 1));

    handles[0].stop();
    handles[0].move_room(mixer::RoomKey(9), &handles[1], Vec::new());
    handles[1].command(Command::Leave { member: slot(3) });

    while turns.recv_timeout(Duration::from_millis(100)).is_ok() {}
    handles[1].stop();
}

#[test]
fn a_worker_that_sleeps_turns_when_it_is_nudged_and_one_that_has_ended_does_not() {
    let (handles, _turns) = start(&PoolConfig::default());

    (0..3).for_each(|_| handles[0].nudge());
    // Waits for what was sent before it.
    handles[0].stop();

    // The first is the one in which it fell asleep.
    assert_eq!(handles[0].turns(), 1 + 3);
    handles[0].nudge();
    assert_eq!(handles[0].turns(), 1 + 3);
}
