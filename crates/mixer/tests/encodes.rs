//! One encode for all who hear the same mix: how many there are, who gets which, and in which of Opus's modes.

mod harness;

use std::sync::Arc;

use harness::{Client, Conference, silence, slot, voice};
use mixer::{Command, MemberSettings, RoomSettings, SamplingRate};

/// Lets the first `speakers` of the clients speak and all hear, for that many ticks.
fn run(conference: &mut Conference, clients: &mut [Client], speakers: usize, ticks: usize) {
    for _ in 0..ticks {
        for client in clients.iter_mut() {
            let packet =
                if (client.index as usize) < speakers { client.say(voice(client.index)) } else { client.say(silence) };
            conference.send(client.index, packet);
        }
        conference.tick();
    }
}

fn room_of(members: u32, room: &RoomSettings, settings: &MemberSettings) -> (Conference, Vec<Client>) {
    let mut conference = Conference::new();
    for index in 0..members {
        conference.join(index, room, settings.clone());
    }
    (conference, (0..members).map(Client::new).collect())
}

#[test]
fn two_hundred_members_of_whom_three_speak_cost_four_encodes_and_three_decodes_a_tick() {
    let (mut conference, mut clients) = room_of(200, &RoomSettings::default(), &MemberSettings::default());
    run(&mut conference, &mut clients, 3, 10);
    let before = conference.counters();

    run(&mut conference, &mut clients, 3, 10);

    let after = conference.counters();
    assert_eq!(after.encodes_shared - before.encodes_shared, 10);
    assert_eq!(after.encodes_private - before.encodes_private, 30);
    assert_eq!(after.encodes_priming, before.encodes_priming);
    assert_eq!(after.decodes_normal - before.decodes_normal, 30);
    assert_eq!(after.ticks - before.ticks, 10);
    // Everyone gets its packet, and all listeners the very same.
    assert_eq!(conference.packets.len(), 200);
    let shared = &conference.packet(3).payload;
    assert!((4..200).all(|index| Arc::ptr_eq(&conference.packet(index).payload, shared)));
    assert!((0..3).all(|index| conference.packet(index).payload != *shared));
}

#[test]
fn listeners_of_different_classes_cost_one_encode_each_class() {
    let (mut conference, mut clients) = room_of(20, &RoomSettings::default(), &MemberSettings::default());
    for index in 10..15 {
        let settings = MemberSettings { bitrate: Some(24_000), ..MemberSettings::default() };
        conference.command(Command::Configure { member: slot(index), settings });
    }
    for index in 15..20 {
        let settings = MemberSettings { fec: true, expected_loss: 10, ..MemberSettings::default() };
        conference.command(Command::Configure { member: slot(index), settings });
    }
    run(&mut conference, &mut clients, 1, 5);
    let before = conference.counters();

    run(&mut conference, &mut clients, 1, 10);

    assert_eq!(conference.counters().encodes_shared - before.encodes_shared, 30);
}

#[test]
fn without_shared_encoding_everybody_has_its_own() {
    let room = RoomSettings { shared_encoding: false, ..RoomSettings::default() };
    let (mut conference, mut clients) = room_of(10, &room, &MemberSettings::default());
    run(&mut conference, &mut clients, 2, 5);
    let before = conference.counters();

    run(&mut conference, &mut clients, 2, 5);

    let after = conference.counters();
    assert_eq!(after.encodes_private - before.encodes_private, 50);
    assert_eq!(after.encodes_shared, 0);
    assert_eq!(conference.packets.len(), 10);
}

#[test]
fn one_who_falls_silent_returns_to_the_shared_encode() {
    let (mut conference, mut clients) = room_of(3, &RoomSettings::default(), &MemberSettings::default());
    run(&mut conference, &mut clients, 1, 20);

    // 400 ms of hangover, 100 ms of tail, and what the speaker's encoder rings on.
    let mut ticks = 0;
    while !Arc::ptr_eq(&conference.packet(0).payload, &conference.packet(2).payload) {
        run(&mut conference, &mut clients, 0, 1);
        ticks += 1;
        assert!(ticks < 35, "does not return");
    }

    assert!(ticks >= 25, "returns after {ticks} ticks, while its own voice may still be in the shared mix");
}

#[test]
fn primings_are_bounded_per_tick_and_the_rest_join_the_mix_a_tick_later() {
    let (mut conference, mut clients) = room_of(12, &RoomSettings::default(), &MemberSettings::default());
    run(&mut conference, &mut clients, 0, 10);
    let quiet = conference.counters();

    run(&mut conference, &mut clients, 10, 1);
    let first = conference.counters();
    run(&mut conference, &mut clients, 10, 2);
    let third = conference.counters();

    // Five frames each for CELT.
    assert_eq!(first.encodes_priming - quiet.encodes_priming, 20);
    assert_eq!(first.audible - quiet.audible, 4);
    assert_eq!(first.primings_deferred - quiet.primings_deferred, 6);
    assert_eq!(third.encodes_priming - quiet.encodes_priming, 50);
    assert_eq!(third.audible - first.audible, 8 + 10);
}

#[test]
fn a_member_alone_and_a_silent_room_get_their_packets_too() {
    let (mut conference, mut clients) = room_of(1, &RoomSettings::default(), &MemberSettings::default());
    let begin = conference.now;
    for _ in 0..100 {
        run(&mut conference, &mut clients, 1, 1);
        clients[0].hear(&conference);
    }
    assert_eq!((conference.now - begin).as_millis() / 20, 100);
    assert!(clients[0].heard.iter().all(|sample| sample.abs() < 1e-3), "hears itself");

    conference.command(Command::Leave { member: slot(0) });
    conference.join(0, &RoomSettings::default(), MemberSettings::default());
    for _ in 0..10 {
        conference.tick();
        assert_eq!(conference.packets.len(), 1);
    }
}

#[test]
fn media_time_goes_on_by_a_frame_a_tick() {
    let (mut conference, mut clients) = room_of(2, &RoomSettings::default(), &MemberSettings::default());
    run(&mut conference, &mut clients, 1, 1);
    let first = conference.packet(1).media_time;

    run(&mut conference, &mut clients, 1, 7);

    assert_eq!(conference.packet(1).media_time, first + 7 * 960);
    assert_eq!(first % 240, 0, "ticks lie on one of four phases");
    let elapsed = (conference.now - conference.epoch).as_micros() as u64 * 48 / 1_000;
    assert!(conference.packet(1).media_time.abs_diff(elapsed) <= 1);
}

/// Opus's mode and bandwidth as the first byte of a packet says (RFC 6716 section 3.1).
fn mode(payload: &[u8]) -> &'static str {
    match payload[0] >> 3 {
        0..=3 => "SILK NB",
        4..=7 => "SILK MB",
        8..=11 => "SILK WB",
        12..=13 => "hybrid SWB",
        14..=15 => "hybrid FB",
        16..=19 => "CELT NB",
        20..=23 => "CELT WB",
        24..=27 => "CELT SWB",
        _ => "CELT FB",
    }
}

#[test]
fn every_packet_of_a_room_is_in_the_mode_that_the_room_is_pinned_to() {
    use SamplingRate::{Hz8000, Hz12000, Hz16000, Hz24000, Hz48000};
    let cases = [
        (Hz8000, false, None, false, "SILK NB"),
        (Hz12000, false, None, false, "SILK MB"),
        (Hz16000, false, None, false, "SILK WB"),
        (Hz24000, false, None, false, "hybrid SWB"),
        (Hz48000, false, None, false, "CELT FB"),
        (Hz48000, false, Some(24_000), false, "hybrid FB"),
        (Hz48000, false, Some(64_000), false, "hybrid FB"),
        (Hz48000, false, Some(12_000), false, "SILK WB"),
        (Hz48000, false, Some(128_000), false, "CELT FB"),
        (Hz16000, false, Some(128_000), false, "CELT WB"),
        (Hz16000, false, None, true, "SILK WB"),
        (Hz24000, false, None, true, "hybrid SWB"),
        (Hz48000, false, None, true, "hybrid FB"),
        (Hz16000, true, None, false, "SILK WB"),
        (Hz24000, true, None, false, "CELT SWB"),
        (Hz48000, true, None, false, "CELT FB"),
        (Hz48000, true, Some(32_000), false, "CELT FB"),
    ];
    for (sampling_rate, stereo, bitrate, fec, expected) in cases {
        for complexity in [4, 6, 10] {
            let room = RoomSettings { sampling_rate, stereo, ..RoomSettings::default() };
            let settings = MemberSettings { bitrate, fec, expected_loss: 10, complexity, ..MemberSettings::default() };
            let (mut conference, mut clients) = room_of(3, &room, &settings);
            for round in 0..60 {
                // Silence, one voice, two voices; listeners and speakers alike.
                run(&mut conference, &mut clients, [0, 1, 2][round / 20], 1);
                for (index, packet) in &conference.packets {
                    let got = mode(&packet.payload);
                    assert_eq!(got, expected, "{room:?} {settings:?}: member {index}, tick {round}");
                }
            }
        }
    }
}
