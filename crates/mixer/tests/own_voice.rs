//! What a member hears never depends on what it says itself, bit for bit; and the order of members, and how loud
//! they are, does no harm.

mod harness;

use std::sync::Arc;

use harness::{Client, Conference, tone, voice};
use mixer::kernel::Path;
use mixer::limiter::Limiter;
use mixer::mix::{Gain, Sums, place};
use mixer::{MemberSettings, RoomSettings, SamplingRate};
use proptest::prelude::*;

/// What member 0 of `others + 1` is sent when it says this.
fn hears(room: &RoomSettings, others: u32, volume: u32, own: &dyn Fn(usize) -> f32) -> Vec<Arc<[u8]>> {
    let mut conference = Conference::new();
    let mut clients: Vec<_> = (0..=others).map(Client::new).collect();
    for client in &clients {
        conference.join(client.index, room, MemberSettings { volume, position: 30, ..MemberSettings::default() });
    }
    let mut heard = Vec::new();
    for _ in 0..40 {
        for client in &mut clients {
            let packet = if client.index == 0 { client.say(own) } else { client.say(voice(client.index)) };
            conference.send(client.index, packet);
        }
        conference.tick();
        heard.push(Arc::clone(&conference.packet(0).payload));
    }
    heard
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_member_hears_does_not_depend_on_what_it_says(
        others in 0..6_u32,
        stereo: bool,
        sampling_rate in prop::sample::select(vec![SamplingRate::Hz16000, SamplingRate::Hz48000]),
        volume in prop::sample::select(vec![30_u32, 100, 700]),
        hz in 200.0..3_000.0_f32,
    ) {
        let room = RoomSettings { stereo, sampling_rate, ..RoomSettings::default() };
        // Loud enough that the shared mix is limited, which must not be heard in the private one.
        let one = hears(&room, others, volume, &tone(hz, 0.9));
        let other = hears(&room, others, volume, &voice(77));
        prop_assert_eq!(one, other);
    }
}

fn sound() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(prop_oneof![-1.0..1.0_f32, -1e30..1e30_f32, Just(0.0), Just(1.0)], 96)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_minus_one_is_bit_for_bit_the_same_without_the_member(
        voices in prop::collection::vec(sound(), 1..9),
        own in any::<prop::sample::Index>(),
    ) {
        let own = own.index(voices.len());
        let (mut with, mut without) = (Sums::default(), Sums::default());
        with.build(96, voices.len(), |index| &voices[index]);
        let silence = vec![0.0; 96];
        without.build(96, voices.len(), |index| if index == own { &silence } else { &voices[index] });

        let (mut heard, mut expected) = (vec![0.0; 96], vec![0.0; 96]);
        with.minus_one(own, &mut heard);
        without.minus_one(own, &mut expected);

        prop_assert_eq!(heard, expected);
    }

    #[test]
    fn the_order_of_members_cannot_be_heard(
        voices in prop::collection::vec(prop::collection::vec(-1.0..1.0_f32, 96), 1..40),
        turn in any::<prop::sample::Index>(),
    ) {
        let mut turned = voices.clone();
        turned.rotate_left(turn.index(voices.len()));
        turned.reverse();
        let (mut one, mut other) = (Sums::default(), Sums::default());
        one.build(96, voices.len(), |index| &voices[index]);
        other.build(96, turned.len(), |index| &turned[index]);

        for (a, b) in one.total().iter().zip(other.total()) {
            // 24 bits of mantissa: rounding lies 100 dB below the sum.
            prop_assert!((a - b).abs() < 1e-5 * voices.len() as f32, "{a} {b}");
        }
    }

    #[test]
    fn nothing_leaves_the_limiter_above_full_scale(frames in prop::collection::vec(sound(), 1..12)) {
        let mut limiter = Limiter::default();
        for mut frame in frames {
            limiter.limit(&mut frame);
            prop_assert!(frame.iter().all(|sample| sample.abs() <= 1.0), "{}", Path::best().peak(&frame));
        }
    }

    #[test]
    fn a_quiet_mix_passes_the_limiter_untouched(frame in prop::collection::vec(-0.95..0.95_f32, 96)) {
        let mut limited = frame.clone();
        prop_assert!(!Limiter::default().limit(&mut limited));
        prop_assert_eq!(limited, frame);
    }

    #[test]
    fn a_gain_ends_where_it_is_told_and_silence_is_exact(
        pcm in prop::collection::vec(-1.0..1.0_f32, 160),
        from in 0.0..4.0_f32,
        to in prop_oneof![Just(0.0), 0.0..4.0_f32],
        stereo: bool,
    ) {
        let channels = if stereo { 2 } else { 1 };
        let mut out = vec![9.0; 160 * channels];
        place(&mut out, &pcm, Gain::mono(from), Gain::mono(to));

        for (index, sample) in pcm.iter().enumerate().skip(40) {
            for channel in 0..channels {
                prop_assert_eq!(out[index * channels + channel], sample * to);
            }
        }
        prop_assert!(Path::best().peak(&out) <= from.max(to));
    }

    #[test]
    fn energy_and_peak_are_those_of_the_plain_definition(pcm in prop::collection::vec(-1.0..1.0_f32, 0..200)) {
        let plain: f64 = pcm.iter().map(|sample| f64::from(*sample) * f64::from(*sample)).sum();
        prop_assert!((f64::from(Path::best().energy(&pcm)) - plain).abs() < 1e-4);
        prop_assert_eq!(Path::best().peak(&pcm), pcm.iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs())));
    }
}

#[test]
fn twenty_shouting_members_do_not_wrap() {
    let mut conference = Conference::new();
    let mut clients: Vec<_> = (0..20).map(Client::new).collect();
    for client in &clients {
        conference.join(
            client.index,
            &RoomSettings::default(),
            MemberSettings { volume: 1_000, ..MemberSettings::default() },
        );
    }
    conference.join(20, &RoomSettings::default(), MemberSettings::default());
    let mut listener = Client::new(20);
    for _ in 0..50 {
        for client in &mut clients {
            let packet = client.say(tone(440.0, 0.95));
            conference.send(client.index, packet);
        }
        conference.tick();
        listener.hear(&conference);
    }

    // A wrapped or clipped tone is full of harmonics; a limited one is a tone.
    let heard = listener.last(24_000, 0);
    let fundamental = harness::goertzel(&heard, 440.0);
    assert!(fundamental > 0.7, "{fundamental}");
    for harmonic in [3.0, 5.0, 7.0] {
        let level = harness::decibel(harness::goertzel(&heard, 440.0 * harmonic) / fundamental);
        assert!(level < -30.0, "harmonic {harmonic} at {level} dB");
    }
}
