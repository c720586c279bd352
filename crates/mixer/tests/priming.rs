//! Going from the shared stream to a private one and back must be no more than a change of encoders: no click.

mod harness;

use std::sync::Arc;

use harness::{Client, Conference, silence, tone};
use mixer::{MemberSettings, RoomSettings, SamplingRate};

/// The largest second difference in a span, which a click raises.
fn roughness(pcm: &[f32]) -> f32 {
    pcm.windows(3).map(|w| (w[2] - 2.0 * w[1] + w[0]).abs()).fold(0.0, f32::max)
}

/// Member 0 talks all the time; member 1 in the ticks told. What member 1 hears, and when it changed encoders.
fn hears(
    room: &RoomSettings,
    bitrate: Option<u32>,
    talks: impl Fn(usize) -> bool,
    ticks: usize,
) -> (Client, Vec<usize>) {
    let mut conference = Conference::new();
    for index in 0..3 {
        conference.join(index, room, MemberSettings { bitrate, ..MemberSettings::default() });
    }
    let (mut talker, mut other) = (Client::new(0), Client::with_channels(1, if room.stereo { 2 } else { 1 }));
    let mut changes = Vec::new();
    let mut was_private = false;
    for tick in 0..ticks {
        let packet = talker.say(tone(300.0, 0.3));
        conference.send(0, packet);
        let packet = if talks(tick) { other.say(tone(2_000.0, 0.3)) } else { other.say(silence) };
        conference.send(1, packet);
        conference.tick();
        other.hear(&conference);
        let private = !Arc::ptr_eq(&conference.packet(1).payload, &conference.packet(2).payload);
        if private != was_private {
            changes.push(tick);
        }
        was_private = private;
    }
    (other, changes)
}

#[test]
fn neither_leaving_nor_joining_the_shared_stream_clicks() {
    for (sampling_rate, stereo, bitrate) in [
        (SamplingRate::Hz16000, false, None),
        (SamplingRate::Hz24000, false, None),
        (SamplingRate::Hz48000, false, None),
        (SamplingRate::Hz48000, false, Some(96_000)),
        (SamplingRate::Hz48000, true, None),
    ] {
        let room = RoomSettings { sampling_rate, stereo, ..RoomSettings::default() };
        let talks = |tick| (60..80).contains(&tick) || (140..160).contains(&tick);
        let (client, changes) = hears(&room, bitrate, talks, 220);

        assert_eq!(changes.len(), 4, "{room:?}: out and back, twice: {changes:?}");
        let heard = client.last(220 * 960, 0);
        let calm = roughness(&heard[20 * 960..55 * 960]);
        for change in changes {
            let around = roughness(&heard[change * 960 - 96..(change + 2) * 960]);
            assert!(around < 2.0 * calm, "{room:?}: at tick {change} {around}, else {calm}");
        }
        // Nor does it hear itself, the tail of its voice included.
        for tick in 61..110 {
            let own = harness::goertzel(&heard[tick * 960..(tick + 1) * 960], 2_000.0);
            assert!(own < 0.3 * 0.02, "{room:?}: hears itself at {own} in tick {tick}");
        }
    }
}

#[test]
fn pauses_between_words_do_not_change_the_encoder() {
    // Words of 300 ms with pauses of 300 ms.
    let (_, changes) = hears(&RoomSettings::default(), None, |tick| tick >= 30 && tick / 15 % 2 == 0, 200);

    assert_eq!(changes, [30]);
}
