//! In lasting silence nothing is encoded, and nobody can tell: packets go on, nothing clicks, no onset is lost.
#![allow(clippy::unwrap_used, reason = "test code")]

mod harness;

use std::time::Duration;

use harness::{Client, Conference, silence, slot, voice};
use mixer::kernel::Path;
use mixer::{MemberSettings, RoomSettings, SamplingRate};

/// Hangover, tail, and the second in which the encoder settles.
const RESTS_AFTER: usize = 20 + 5 + 50 + 5;

/// A room of three in which member 0 speaks for 50 ticks, pauses for `pause`, and speaks for 50 again; what member 1
/// hears. The second speech starts at the same place in the sound, however long the pause.
fn hears(room: &RoomSettings, bitrate: Option<u32>, pause: usize) -> (Client, Conference) {
    let mut conference = Conference::new();
    for index in 0..3 {
        conference.join(index, room, MemberSettings { bitrate, ..MemberSettings::default() });
    }
    let (mut talker, mut listener) = (Client::new(0), Client::with_channels(1, if room.stereo { 2 } else { 1 }));
    let second = (50 + pause) * 960;
    for tick in 0..100 + pause {
        let packet = match tick {
            0..50 => talker.say(voice(3)),
            _ if tick < 50 + pause => talker.say(silence),
            _ => talker.say(|sample| voice(3)(sample - second)),
        };
        conference.send(0, packet);
        conference.tick();
        assert_eq!(conference.packets.len(), 3, "a packet for each in tick {tick}");
        listener.hear(&conference);
    }
    (listener, conference)
}

fn energy(pcm: &[f32]) -> f32 {
    Path::best().energy(pcm)
}

/// The largest second difference, which a click raises.
fn roughness(pcm: &[f32]) -> f32 {
    pcm.windows(3).map(|w| (w[2] - 2.0 * w[1] + w[0]).abs()).fold(0.0, f32::max)
}

#[test]
fn nobody_hears_that_the_encoder_rested() {
    for (sampling_rate, stereo, bitrate) in [
        (SamplingRate::Hz8000, false, None),
        (SamplingRate::Hz16000, false, None),
        (SamplingRate::Hz24000, false, None),
        (SamplingRate::Hz48000, false, None),
        (SamplingRate::Hz48000, false, Some(96_000)),
        (SamplingRate::Hz16000, true, None),
        (SamplingRate::Hz48000, true, None),
    ] {
        let room = RoomSettings { sampling_rate, stereo, ..RoomSettings::default() };
        let (awake, conference) = hears(&room, bitrate, 60);
        assert_eq!(conference.counters().encodes_shared, 160, "{room:?}");
        let (rested, conference) = hears(&room, bitrate, 500);
        assert!(conference.counters().encodes_shared <= 100 + RESTS_AFTER as u64, "{room:?}");

        let pause = &rested.last(550 * 960, 0)[RESTS_AFTER * 960..499 * 960];
        assert!(Path::best().peak(pause) < 1.01 / 32_768.0, "{room:?}: {} in the pause", Path::best().peak(pause));

        // From the last frame of the pause on.
        let (awake, rested) = (awake.last(51 * 960, 0), rested.last(51 * 960, 0));
        assert!(roughness(&rested[..5 * 960]) < 1.2 * roughness(&awake[..5 * 960]), "{room:?} clicks");
        for frame in 1..6 {
            let span = frame * 960..(frame + 1) * 960;
            let change = 10.0 * (energy(&rested[span.clone()]) / energy(&awake[span])).log10();
            assert!(change.abs() < 1.0, "{room:?}: frame {frame} of the speech is {change} dB off");
        }
    }
}

#[test]
fn silent_rooms_cost_no_encodes_and_the_packets_go_on() {
    let mut conference = Conference::new();
    for index in 0..3 {
        conference.join(index, &RoomSettings::default(), MemberSettings::default());
    }
    (0..RESTS_AFTER).for_each(|_| conference.tick());
    let before = conference.counters();

    for _ in 0..100 {
        conference.tick();
        assert_eq!(conference.packets.len(), 3);
    }

    let after = conference.counters();
    assert_eq!((after.encodes_shared, after.encodes_private), (before.encodes_shared, before.encodes_private));
    assert_eq!(after.encodes_rested, before.encodes_rested + 100);
}

#[test]
fn a_lone_speaker_costs_one_encode_and_not_one_for_the_silence_it_hears() {
    let mut conference = Conference::new();
    let mut talker = Client::new(0);
    for index in 0..3 {
        conference.join(index, &RoomSettings::default(), MemberSettings::default());
    }
    let mut before = conference.counters();
    for tick in 0..200 {
        let packet = talker.say(voice(0));
        conference.send(0, packet);
        conference.tick();
        if tick == 99 {
            before = conference.counters();
        }
    }

    let after = conference.counters();
    assert_eq!(after.encodes_shared, before.encodes_shared + 100);
    assert_eq!(after.encodes_private, before.encodes_private);
}

/// When member 1 hears, and with what delay, that member 0 speaks after three seconds of silence. In its silence so many packets
/// are handed over together, after the tick in which the last of them should have played.
fn onset(handed_over: usize) -> (usize, Duration) {
    let room = RoomSettings::default();
    let mut conference = Conference::new();
    (0..2).for_each(|index| conference.join(index, &room, MemberSettings::default()));
    let (mut talker, mut listener) = (Client::new(0), Client::new(1));
    let mut waiting = Vec::new();
    for tick in 0..150 {
        let mut packet = talker.say(silence);
        packet.arrival = conference.now;
        waiting.push(packet);
        if handed_over == 1 {
            waiting.drain(..).for_each(|packet| conference.hand_over(0, packet));
        }
        conference.tick();
        if tick % handed_over == handed_over - 1 && tick < 149 {
            waiting.drain(..).for_each(|packet| conference.hand_over(0, packet));
        }
        listener.hear(&conference);
    }
    let heard = listener.heard.len();
    for _ in 0..10 {
        waiting.drain(..).for_each(|packet| conference.hand_over(0, packet));
        let packet = talker.say(voice(3));
        conference.send(0, packet);
        conference.tick();
        listener.hear(&conference);
    }
    let onset = listener.heard[heard..].iter().position(|sample| sample.abs() > 0.05).unwrap();
    assert_eq!(conference.counters().dropped_late, 0);
    (onset, conference.worker.delay(slot(0)).unwrap())
}

#[test]
fn speech_comes_in_time_however_late_the_silence_before_it() {
    let in_time = onset(1);

    for handed_over in [2, 3, 4] {
        let (onset, delay) = onset(handed_over);
        assert_eq!(delay, in_time.1, "{handed_over} at once");
        assert!(onset.abs_diff(in_time.0) < 240, "{handed_over} at once: {onset} against {} samples", in_time.0);
    }
}
