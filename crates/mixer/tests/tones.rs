//! Everybody hears all the others and never itself: one tone each, through the whole path of codecs.

mod harness;

use harness::{Client, Conference, decibel, goertzel, tone};
use mixer::{MemberSettings, RoomSettings, SamplingRate};

const TONES: [f32; 5] = [400.0, 700.0, 1_100.0, 1_700.0, 2_600.0];
const AMPLITUDE: f32 = 0.1;

fn check(room: &RoomSettings) {
    let mut conference = Conference::new();
    let channels = if room.stereo { 2 } else { 1 };
    let mut clients: Vec<_> = (0..5).map(|index| Client::with_channels(index, channels)).collect();
    for client in &clients {
        // Tones are no speech: narrow band at its automatic 11 kb/s would drop one.
        conference.join(client.index, room, MemberSettings { bitrate: Some(48_000), ..MemberSettings::default() });
    }
    // All five begin at once, one more than may be primed in a tick.
    for _ in 0..100 {
        for (client, hz) in clients.iter_mut().zip(TONES) {
            let packet = client.say(tone(hz, AMPLITUDE));
            conference.send(client.index, packet);
        }
        conference.tick();
        clients.iter_mut().for_each(|client| client.hear(&conference));
    }
    let full = if room.stereo { AMPLITUDE / 2.0 } else { AMPLITUDE };
    for (own, client) in clients.iter().enumerate() {
        for channel in 0..channels {
            let heard = client.last(48_000, channel);
            for (other, hz) in TONES.into_iter().enumerate() {
                let level = decibel(goertzel(&heard, hz) / full);
                if own == other {
                    assert!(level < -35.0, "{room:?}: {own} hears itself at {level} dB");
                } else {
                    assert!(level > -6.0 && level < 3.0, "{room:?}: {own} hears {other} at {level} dB");
                }
            }
        }
    }
}

#[test]
fn everybody_hears_the_others_and_not_itself_at_every_rate() {
    for sampling_rate in [
        SamplingRate::Hz8000,
        SamplingRate::Hz12000,
        SamplingRate::Hz16000,
        SamplingRate::Hz24000,
        SamplingRate::Hz48000,
    ] {
        check(&RoomSettings { sampling_rate, ..RoomSettings::default() });
    }
}

#[test]
fn the_same_in_stereo() {
    for sampling_rate in [SamplingRate::Hz16000, SamplingRate::Hz48000] {
        check(&RoomSettings { sampling_rate, stereo: true, ..RoomSettings::default() });
    }
}

#[test]
fn the_same_without_shared_encoding() {
    check(&RoomSettings { shared_encoding: false, ..RoomSettings::default() });
}

#[test]
fn the_same_without_levels_in_the_packets() {
    check(&RoomSettings { trust_levels: false, ..RoomSettings::default() });
}
