//! A full participant tells whom it hears, how late, and what is damaged, from packets.

use std::time::{Duration, Instant};

use loadtest::listening::{Listening, Onset};
use loadtest::sound::{Encoding, Reel};
use loadtest::tone::Tone;

const AMPLITUDE: f32 = 0.2;

/// Four seconds of a tone, sent every 20 ms; `arrives` decides which packets come.
fn listen(said: Tone, own: Option<Tone>, arrives: impl Fn(u64) -> bool) -> (Listening, Vec<Onset>, Vec<Instant>) {
    let tones = [Tone(0), Tone(1)];
    let reel = Reel::tone(said, AMPLITUDE, 0, Encoding::default()).unwrap();
    let mut listening = Listening::new(&tones, AMPLITUDE, own).unwrap();
    let start = Instant::now();
    let (mut heard, mut sent) = (Vec::new(), Vec::new());
    for number in 0..200u64 {
        let frame = reel.frame(number + 50).unwrap();
        let arrival = start + Duration::from_millis(20 * number);
        if frame.onset {
            sent.push(arrival);
        }
        if arrives(number) {
            let onsets = listening.handle_packet(number as u16, 960 * number as u32, &frame.payload, arrival);
            heard.extend(onsets);
        }
    }
    (listening, heard, sent)
}

#[test]
fn latency_of_a_bare_codec_is_its_look_ahead() {
    // Opus delays by 6.5 ms of look-ahead; a packet's audio is counted from its arrival on.
    let (_, heard, sent) = listen(Tone(0), None, |_| true);
    assert_eq!((heard.len(), sent.len()), (2, 2));
    for (onset, sent) in heard.iter().zip(&sent) {
        let latency = onset.heard_at.duration_since(*sent).as_secs_f32() * 1000.0;
        assert!((4.0..10.0).contains(&latency), "{latency} ms");
    }
}

#[test]
fn the_tone_that_is_said_is_heard_and_the_other_is_missed() {
    let hearing = listen(Tone(0), None, |_| true).0.take_hearing();
    assert_eq!((hearing.heard, hearing.missed), (vec![Tone(0)], vec![Tone(1)]));
    assert_eq!((hearing.dropouts, hearing.concealed, hearing.undecodable), (0, 0, 0));
    assert!(!hearing.own_leaked);
}

#[test]
fn ones_own_tone_in_the_mix_is_a_leak() {
    let hearing = listen(Tone(0), Some(Tone(0)), |_| true).0.take_hearing();
    assert!(hearing.own_leaked, "own tone at {:?} dB", hearing.own_db);
    let hearing = listen(Tone(0), Some(Tone(1)), |_| true).0.take_hearing();
    assert!(!hearing.own_leaked, "own tone at {:?} dB", hearing.own_db);
}

#[test]
fn lost_packets_are_concealed_and_counted() {
    let hearing = listen(Tone(0), None, |number| !(100..103).contains(&number)).0.take_hearing();
    assert_eq!(hearing.concealed, 3);
}

#[test]
fn what_was_heard_before_does_not_count_twice() {
    let (mut listening, _, _) = listen(Tone(0), None, |number| number != 150);
    listening.take_hearing();
    let hearing = listening.take_hearing();
    assert_eq!((hearing.concealed, hearing.heard.len(), hearing.missed.len()), (0, 0, 0));
}

#[test]
fn noise_is_undecodable() {
    let mut listening = Listening::new(&[], AMPLITUDE, None).unwrap();
    // Code 3 with 63 frames: more than 120 ms, which RFC 6716 forbids.
    listening.handle_packet(1, 0, &[0xff, 0x3f, 0], Instant::now());
    assert_eq!(listening.take_hearing().undecodable, 1);
}
