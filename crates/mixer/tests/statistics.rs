//! What a member's sound is said to fare like, by who asks.
#![allow(clippy::unwrap_used, reason = "test code")]

mod harness;

use std::time::Duration;

use harness::{Client, Conference, slot, tone};
use mixer::{AudioPacket, Command, MemberSettings, MemberSlot, MemberStatistics, Output, RoomSettings};

const SPEAKER: u32 = 0;
const LISTENER: u32 = 1;

fn conference() -> Conference {
    let mut conference = Conference::new();
    for index in [SPEAKER, LISTENER] {
        conference.join(index, &RoomSettings::default(), MemberSettings::default());
    }
    conference
}

fn ask(conference: &mut Conference, members: Vec<MemberSlot>) -> Vec<(MemberSlot, MemberStatistics)> {
    conference.command(Command::Measure { members, inquiry: 5 });
    match conference.worker.poll_output() {
        Some(Output::Measured { inquiry: 5, members }) => members,
        other => panic!("no answer: {other:?}"),
    }
}

/// Hands in a packet and lets a tick happen.
fn turn(conference: &mut Conference, packet: Option<AudioPacket>) {
    if let Some(packet) = packet {
        conference.send(SPEAKER, packet);
    }
    conference.tick();
}

#[test]
fn who_speaks_has_a_level_and_a_delay_and_who_listens_has_none() {
    let mut conference = conference();
    let mut speaker = Client::new(SPEAKER);
    for _ in 0..50 {
        let packet = speaker.say(tone(440.0, 0.1));
        turn(&mut conference, Some(packet));
    }

    let measured = ask(&mut conference, vec![slot(SPEAKER), slot(LISTENER)]);

    let [(first, speaking), (second, silent)] = measured.as_slice() else { panic!("{measured:?}") };
    assert_eq!((*first, *second), (slot(SPEAKER), slot(LISTENER)));
    // A sine of amplitude 0.1 has -23 dBov.
    assert!((-25..=-21).contains(&speaking.level), "{speaking:?}");
    assert!(speaking.audible && speaking.delay.unwrap() <= Duration::from_millis(20), "{speaking:?}");
    assert_eq!((speaking.packets, speaking.late, speaking.concealed), (50, 0, 0));
    assert_eq!(*silent, MemberStatistics { level: -127, ..MemberStatistics::default() });
}

#[test]
fn what_is_lost_or_late_is_counted() {
    let mut conference = conference();
    let mut speaker = Client::new(SPEAKER);
    let mut straggler = None;
    for number in 0..60 {
        let packet = speaker.say(tone(440.0, 0.1));
        let packet = match number {
            // One is lost, another comes 200 ms later.
            20 => None,
            30 => {
                straggler = Some(packet);
                None
            }
            _ => Some(packet),
        };
        if number == 40
            && let Some(packet) = straggler.take()
        {
            conference.send(SPEAKER, packet);
        }
        turn(&mut conference, packet);
    }

    let measured = ask(&mut conference, vec![slot(SPEAKER)]);

    let statistics = measured[0].1;
    assert_eq!((statistics.packets, statistics.late), (59, 1), "{statistics:?}");
    assert_eq!(statistics.concealed + statistics.restored, 2, "{statistics:?}");
}

#[test]
fn who_is_gone_is_left_out_and_the_answer_comes_all_the_same() {
    let mut conference = conference();
    conference.command(Command::Leave { member: slot(SPEAKER) });
    conference.command(Command::Leave { member: slot(LISTENER) });

    assert_eq!(ask(&mut conference, vec![slot(SPEAKER), slot(LISTENER), slot(77)]), []);
}
