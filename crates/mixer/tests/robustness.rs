//! Bad input, late ticks, members that come and go: what must not happen to the others.

mod harness;

use std::sync::Arc;
use std::time::Duration;

use harness::{Client, Conference, ROOM, TICK, decibel, goertzel, slot, tone, voice};
use mixer::{Command, MemberSettings, MemberSlot, RoomKey, RoomSettings, SamplingRate};
use proptest::prelude::*;

fn pair() -> (Conference, Client, Client) {
    let mut conference = Conference::new();
    conference.join(0, &RoomSettings::default(), MemberSettings::default());
    conference.join(1, &RoomSettings::default(), MemberSettings::default());
    (conference, Client::new(0), Client::new(1))
}

fn speak(conference: &mut Conference, speaker: &mut Client, listener: &mut Client, ticks: usize) {
    for _ in 0..ticks {
        let packet = speaker.say(tone(600.0, 0.2));
        conference.send(speaker.index, packet);
        conference.tick();
        listener.hear(conference);
    }
}

fn level(listener: &Client) -> f32 {
    decibel(goertzel(&listener.last(9_600, 0), 600.0) / 0.2)
}

#[test]
fn a_worker_without_rooms_wants_nothing() {
    let mut conference = Conference::new();
    assert_eq!(conference.worker.poll_timeout(), None);

    conference.join(0, &RoomSettings::default(), MemberSettings::default());
    conference.join(1, &RoomSettings::default(), MemberSettings::default());
    let next = conference.worker.poll_timeout().unwrap();
    assert!(next > conference.now && next <= conference.now + TICK);
    conference.tick();
    conference.command(Command::Leave { member: slot(0) });
    assert!(conference.worker.poll_timeout().is_some());
    conference.command(Command::Leave { member: slot(1) });

    assert_eq!(conference.worker.poll_timeout(), None);
    assert_eq!((conference.counters().rooms, conference.counters().members), (0, 0));
    conference.now += Duration::from_secs(60);
    conference.timeout();
    assert!(conference.packets.is_empty());
}

#[test]
fn rooms_are_spread_over_four_phases() {
    let mut conference = Conference::new();
    for index in 0..8 {
        conference.join_room(RoomKey(u64::from(index)), index, &RoomSettings::default(), MemberSettings::default());
    }
    let mut phases = Vec::new();
    for _ in 0..4 {
        conference.tick();
        assert_eq!(conference.packets.len(), 2);
        phases.push(conference.packets[0].1.media_time % 960);
    }
    phases.sort_unstable();
    assert_eq!(phases, [0, 240, 480, 720]);
}

#[test]
fn a_late_tick_is_made_up_for_by_one_frame_and_then_media_time_jumps() {
    let (mut conference, ..) = pair();
    conference.tick();
    let before = conference.packet(0).media_time;
    let deadline = conference.worker.poll_timeout().unwrap();

    // Ten ticks late: the last missed one and the present one happen.
    conference.now = deadline + 10 * TICK + Duration::from_millis(3);
    conference.timeout();

    let times: Vec<_> = conference.packets.iter().filter(|(to, _)| *to == 0).map(|(_, p)| p.media_time).collect();
    assert_eq!(times, [before + 10 * 960, before + 11 * 960]);
    assert_eq!((conference.counters().late_ticks, conference.counters().skipped_ticks), (1, 9));
    assert!(conference.worker.poll_timeout().unwrap() > conference.now);
}

#[test]
fn a_tick_a_little_late_is_one_tick_and_is_counted_from_five_milliseconds() {
    let (mut conference, ..) = pair();
    for (late, counted) in [(2, 0), (7, 1), (15, 2)] {
        conference.now = conference.worker.poll_timeout().unwrap() + Duration::from_millis(late);
        conference.timeout();
        assert_eq!(conference.packets.len(), 2);
        assert_eq!(conference.counters().late_ticks, counted);
    }
}

#[test]
fn what_is_no_opus_is_dropped_and_counted() {
    let (mut conference, mut speaker, mut listener) = pair();
    speak(&mut conference, &mut speaker, &mut listener, 30);
    // Empty; a code 3 packet of no frames; one of 140 ms; one whose count is missing.
    let bad: [&[u8]; 4] = [&[], &[0xfb, 0x00], &[0xfb, 0x07], &[0xfb]];
    for payload in bad {
        let mut packet = speaker.say(tone(600.0, 0.2));
        packet.payload = Arc::from(payload);
        conference.send(0, packet);
        speak(&mut conference, &mut speaker, &mut listener, 1);
    }

    assert_eq!(conference.counters().dropped_malformed, 4);
    speak(&mut conference, &mut speaker, &mut listener, 30);
    assert!(level(&listener) > -2.0);
}

#[test]
fn a_packet_that_cannot_be_decoded_is_concealed() {
    let (mut conference, mut speaker, mut listener) = pair();
    speak(&mut conference, &mut speaker, &mut listener, 30);
    for _ in 0..3 {
        let mut packet = speaker.say(tone(600.0, 0.2));
        // Two frames of different sizes (code 2), the first larger than the packet: the length is right, the rest not.
        packet.payload = Arc::from([0x7a, 0xfb, 0xff, 1, 2, 3].as_slice());
        conference.send(0, packet);
        conference.tick();
        listener.hear(&conference);
    }

    let counters = conference.counters();
    assert!(counters.decode_errors > 0, "{counters:?}");
    assert_eq!(counters.panics, 0);
    speak(&mut conference, &mut speaker, &mut listener, 30);
    assert!(level(&listener) > -2.0);
}

#[test]
fn a_flood_from_one_member_costs_it_alone() {
    let (mut conference, mut speaker, mut listener) = pair();
    conference.join(2, &RoomSettings::default(), MemberSettings::default());
    let mut flooder = Client::new(2);
    for tick in 0..50 {
        for number in 0..500_u64 {
            let mut packet = flooder.say_for(120, voice(1));
            packet.timestamp = 1_000_000 * (number % 3) + tick * 960 + number;
            conference.send(2, packet);
        }
        let before = conference.counters();
        speak(&mut conference, &mut speaker, &mut listener, 1);
        let after = conference.counters();
        assert!(after.decodes_normal - before.decodes_normal <= 16, "{after:?}");
    }
    conference.command(Command::Leave { member: slot(2) });
    speak(&mut conference, &mut speaker, &mut listener, 20);
    assert!(level(&listener) > -2.0);
}

#[test]
fn what_is_meant_for_one_who_left_does_not_reach_who_has_its_place() {
    let (mut conference, mut speaker, mut listener) = pair();
    conference.command(Command::Leave { member: slot(0) });
    let heir = MemberSlot { index: 0, generation: 1 };
    conference.command(Command::Join {
        room: ROOM,
        room_settings: RoomSettings::default(),
        member: heir,
        outlet: 0,
        settings: MemberSettings::default(),
    });

    speak(&mut conference, &mut speaker, &mut listener, 10);
    conference.command(Command::Leave { member: slot(0) });
    conference.command(Command::Configure { member: slot(0), settings: MemberSettings::default() });
    conference.command(Command::ResetDecoder { member: slot(7) });

    assert_eq!(conference.counters().dropped_unknown, 10);
    assert_eq!(conference.counters().members, 2);
    conference.tick();
    assert_eq!(conference.packets.len(), 2);
}

#[test]
fn a_member_that_joins_elsewhere_leaves_where_it_was() {
    let (mut conference, mut speaker, mut listener) = pair();
    speak(&mut conference, &mut speaker, &mut listener, 30);
    let wide = RoomSettings { sampling_rate: SamplingRate::Hz16000, ..RoomSettings::default() };
    conference.join_room(RoomKey(5), 0, &wide, MemberSettings::default());
    conference.join_room(RoomKey(5), 1, &wide, MemberSettings::default());

    assert_eq!((conference.counters().rooms, conference.counters().members), (1, 2));
    speak(&mut conference, &mut speaker, &mut listener, 30);
    assert!(level(&listener) > -2.0);
}

#[test]
fn a_reset_decoder_goes_on() {
    let (mut conference, mut speaker, mut listener) = pair();
    speak(&mut conference, &mut speaker, &mut listener, 30);
    conference.command(Command::ResetDecoder { member: slot(0) });
    speak(&mut conference, &mut speaker, &mut listener, 30);
    assert!(level(&listener) > -2.0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_with_random_times_disturb_nobody(
        packets in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..60), any::<u64>(), any::<u64>(), any::<i8>(), any::<bool>()), 1..150
        ),
    ) {
        let (mut conference, mut speaker, mut listener) = pair();
        conference.join(2, &RoomSettings::default(), MemberSettings::default());
        let template = speaker.say(tone(600.0, 0.2));
        for (payload, sequence, timestamp, level, near) in packets {
            let mut packet = template.clone();
            packet.payload = Arc::from(payload);
            packet.sequence = sequence;
            packet.timestamp = if near { timestamp % 96_000 } else { timestamp };
            packet.audio_level = Some(level);
            conference.send(2, packet);
            speak(&mut conference, &mut speaker, &mut listener, 1);
        }
        // What it said in noise may be loud; when it has gone, all is as before.
        conference.command(Command::Leave { member: slot(2) });
        speak(&mut conference, &mut speaker, &mut listener, 40);
        prop_assert_eq!(conference.counters().panics, 0);
        prop_assert!(level(&listener) > -2.0, "{}", level(&listener));
    }
}
