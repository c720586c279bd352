//! What a worker counts for those who watch it: who does what, how late ticks are, how long sound waits.
#![allow(clippy::unwrap_used, reason = "test code")]

mod harness;

use std::time::Duration;

use harness::{Client, Conference, silence, slot, tone};
use mixer::{Command, MemberSettings, RoomSettings};

/// A member who speaks, one who is silent and one who is muted.
fn scene() -> (Conference, [Client; 3]) {
    let mut conference = Conference::new();
    let muted = MemberSettings { muted: true, ..MemberSettings::default() };
    for (index, settings) in [MemberSettings::default(), MemberSettings::default(), muted].into_iter().enumerate() {
        conference.join(index as u32, &RoomSettings::default(), settings);
    }
    (conference, [0, 1, 2].map(Client::new))
}

fn run(conference: &mut Conference, clients: &mut [Client; 3], ticks: usize) {
    for _ in 0..ticks {
        let packets = [clients[0].say(tone(440.0, 0.3)), clients[1].say(silence), clients[2].say(tone(600.0, 0.3))];
        for (index, packet) in packets.into_iter().enumerate() {
            conference.send(index as u32, packet);
        }
        conference.tick();
    }
}

#[test]
fn members_are_counted_by_what_they_do_and_no_more_when_they_have_gone() {
    let (mut conference, mut clients) = scene();

    run(&mut conference, &mut clients, 20);

    let counters = conference.counters();
    assert_eq!((counters.members, counters.speaking, counters.muted), (3, 1, 1));
    for member in [0, 1, 2].map(slot) {
        conference.command(Command::Leave { member });
    }
    let counters = conference.counters();
    assert_eq!((counters.members, counters.speaking, counters.muted), (0, 0, 0));
}

#[test]
fn packets_of_those_whom_nobody_hears_are_counted_as_skipped() {
    let (mut conference, mut clients) = scene();
    run(&mut conference, &mut clients, 20);
    let before = conference.counters();

    run(&mut conference, &mut clients, 50);

    let after = conference.counters();
    assert_eq!(after.decodes_normal - before.decodes_normal, 50);
    assert_eq!(after.decodes_skipped - before.decodes_skipped, 100);
}

#[test]
fn the_delay_is_counted_once_a_tick_for_each_who_is_decoded() {
    let (mut conference, mut clients) = scene();
    run(&mut conference, &mut clients, 20);
    let before = conference.worker.times().delay;

    run(&mut conference, &mut clients, 50);

    let after = conference.worker.times().delay;
    assert_eq!(after.count() - before.count(), 50);
    let mean = (after.sum() - before.sum()) / 50;
    assert_eq!(Some(mean), conference.worker.delay(slot(0)));
}

#[test]
fn lateness_is_counted_for_every_tick_of_a_phase() {
    let (mut conference, mut clients) = scene();
    run(&mut conference, &mut clients, 10);
    let before = conference.worker.times().tick_lateness;

    conference.now = conference.worker.poll_timeout().unwrap() + Duration::from_millis(7);
    conference.timeout();

    let after = conference.worker.times().tick_lateness;
    assert_eq!(after.count() - before.count(), 1);
    let late = |bound: u64| {
        let at = |times: &histogram::Histogram| {
            times.cumulative().find(|(it, _)| *it == Duration::from_millis(bound)).unwrap().1
        };
        at(&after) - at(&before)
    };
    assert_eq!((late(5), late(10)), (0, 1));
}
