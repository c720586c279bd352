//! Tones are told apart, onsets are found to the millisecond, and what is not there is not found.

use loadtest::onset::{OnsetDetector, ToneEvent, is_heard, is_leaked};
use loadtest::tone::{HOP, SAMPLING_RATE, Tone, ToneMeter};

const AMPLITUDE: f32 = 0.1;
const MS: usize = SAMPLING_RATE as usize / 1000;

/// All events of `tone` in `samples`, with the time of each onset in milliseconds from the start.
fn events(tone: Tone, samples: &[f32]) -> (Vec<(ToneEvent, f32)>, OnsetDetector) {
    let mut meter = ToneMeter::new(tone);
    let mut detector = OnsetDetector::new(AMPLITUDE);
    let (hops, _) = samples.as_chunks::<HOP>();
    let found = hops.iter().enumerate().filter_map(|(index, hop)| {
        let event = detector.push(meter.push(hop))?;
        Some((event, ((index + 1) * HOP) as f32 / MS as f32))
    });
    let found = found.collect();
    (found, detector)
}

/// The tone, silent in these stretches of milliseconds.
fn with_gaps(tone: Tone, length_ms: usize, gaps: &[(usize, usize)]) -> Vec<f32> {
    (0..length_ms * MS)
        .map(|index| {
            let silent = gaps.iter().any(|(from, to)| (from * MS..to * MS).contains(&index));
            if silent { 0.0 } else { tone.sample(index, AMPLITUDE) }
        })
        .collect()
}

#[test]
fn an_onset_after_a_gap_is_found_to_the_millisecond() {
    let samples = with_gaps(Tone(3), 1000, &[(300, 463)]);
    let (events, _) = events(Tone(3), &samples);
    let [(ToneEvent::Onset { age_ms }, end_ms)] = events[..] else {
        panic!("not one onset: {events:?}");
    };
    assert!((end_ms - age_ms - 463.0).abs() < 1.0, "found at {}", end_ms - age_ms);
}

#[test]
fn a_tone_that_was_never_heard_before_has_no_onset() {
    // Whoever comes into a call hears tones in their middle.
    let samples = with_gaps(Tone(3), 500, &[(0, 200)]);
    assert_eq!(events(Tone(3), &samples).0, []);
}

#[test]
fn a_short_interruption_is_a_dropout_and_no_onset() {
    let samples = with_gaps(Tone(0), 1000, &[(300, 340)]);
    let (events, _) = events(Tone(0), &samples);
    let [(ToneEvent::Dropout { length_ms }, _)] = events[..] else {
        panic!("not one dropout: {events:?}");
    };
    assert!((25.0..50.0).contains(&length_ms), "{length_ms} ms");
}

#[test]
fn a_steady_tone_has_no_events() {
    let samples = with_gaps(Tone(7), 3000, &[]);
    assert_eq!(events(Tone(7), &samples).0, []);
}

#[test]
fn a_tone_is_heard_among_all_the_others() {
    let sum: Vec<f32> =
        (0..1000 * MS).map(|index| (0..Tone::COUNT).map(|tone| Tone(tone).sample(index, AMPLITUDE)).sum()).collect();
    for tone in (0..Tone::COUNT).map(Tone) {
        let level = events(tone, &sum).1.take_level().unwrap();
        assert!(is_heard(level) && level.abs() < 1.5, "{tone:?} at {level} dB");
    }
}

#[test]
fn a_missing_tone_is_not_heard_although_all_others_sound() {
    let missing = Tone(9);
    let sum: Vec<f32> = (0..1000 * MS)
        .map(|index| {
            let others = (0..Tone::COUNT).map(Tone).filter(|tone| *tone != missing);
            others.map(|tone| tone.sample(index, AMPLITUDE)).sum()
        })
        .collect();
    let level = events(missing, &sum).1.take_level().unwrap();
    assert!(!is_heard(level) && !is_leaked(level), "{level} dB");
}

#[test]
fn an_echo_at_minus_20_db_is_a_leak() {
    let samples: Vec<f32> = (0..500 * MS).map(|index| Tone(2).sample(index, AMPLITUDE / 10.0)).collect();
    let level = events(Tone(2), &samples).1.take_level().unwrap();
    assert!(is_leaked(level) && !is_heard(level), "{level} dB");
}

#[test]
fn silence_is_not_heard_and_no_audio_has_no_level() {
    let (_, mut silent) = events(Tone(2), &vec![0.0; 500 * MS]);
    assert!(!is_heard(silent.take_level().unwrap()));
    assert_eq!(OnsetDetector::new(AMPLITUDE).take_level(), None);
}
