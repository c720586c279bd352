//! What participants say is what was asked for.

use loadtest::onset::{CYCLE_FRAMES, GAP_FRAMES};
use loadtest::sound::{Encoding, Recording, Reel, WavError, level, read_wav};
use loadtest::tone::Tone;

#[test]
fn a_tone_sets_in_once_in_a_cycle_right_after_its_gap() {
    let reel = Reel::tone(Tone(1), 0.2, 30, Encoding::default()).unwrap();
    let onsets: Vec<u64> = (0..reel.len() as u64).filter(|at| reel.frame(*at).unwrap().onset).collect();
    let silent = (0..reel.len() as u64).filter(|at| reel.frame(*at).unwrap().level == -127).count();
    assert_eq!(reel.len(), CYCLE_FRAMES);
    assert_eq!(onsets, [30 + GAP_FRAMES as u64]);
    assert_eq!(silent, GAP_FRAMES);
}

#[test]
fn silence_is_sent_and_carries_the_level_of_digital_silence() {
    let reel = Reel::silence().unwrap();
    for position in 0..200 {
        assert_eq!(reel.frame(position).unwrap().level, -127);
    }
}

#[test]
fn discontinuous_silence_sends_a_few_packets_a_second() {
    let reel = Reel::discontinuous_silence().unwrap();
    let sent = (0..100).filter(|position| reel.frame(*position).is_some()).count();
    assert!((1..=12).contains(&sent), "{sent} packets in two seconds");
}

#[test]
fn speech_has_sound_and_pauses() {
    let reel = Reel::speech(1, Encoding::default()).unwrap();
    let levels: Vec<i8> = (0..reel.len() as u64).map(|at| reel.frame(at).unwrap().level).collect();
    let loud = levels.iter().filter(|level| **level > -40).count();
    let quiet = levels.iter().filter(|level| **level < -60).count();
    assert_eq!(levels.len(), 500);
    assert!(loud > 200 && quiet > 50, "{loud} loud, {quiet} quiet frames");
}

#[test]
fn the_same_seed_says_the_same() {
    let payload = |seed| Reel::noise(seed, Encoding::default()).unwrap().frame(17).unwrap().payload.clone();
    assert_eq!(payload(5), payload(5));
    assert_ne!(payload(5), payload(6));
}

#[test]
fn the_level_of_a_full_scale_square_is_0_and_of_nothing_minus_127() {
    assert_eq!(level(&[1.0; 960]), 0);
    assert_eq!(level(&[0.1; 960]), -20);
    assert_eq!(level(&[0.0; 960]), -127);
}

fn wav(format: u16, channels: u16, rate: u32, bits: u16, samples: &[i16]) -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
    bytes.extend([format.to_le_bytes(), channels.to_le_bytes()].concat());
    bytes.extend(rate.to_le_bytes());
    bytes.extend([0; 6]);
    bytes.extend(bits.to_le_bytes());
    // An odd chunk in between is padded to an even length.
    bytes.extend(b"LIST\x03\0\0\0abc\0data");
    bytes.extend((samples.len() as u32 * 2).to_le_bytes());
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

#[test]
fn a_wav_file_gives_its_first_channel() {
    let Recording { samples, sampling_rate } = read_wav(&wav(1, 2, 16_000, 16, &[16_384, 1, -16_384, 2])).unwrap();
    assert_eq!((samples, sampling_rate), (vec![0.5, -0.5], 16_000));
}

#[test]
fn other_files_are_refused_with_a_reason() {
    assert_eq!(read_wav(b"OggS").unwrap_err(), WavError::NotWav);
    assert_eq!(read_wav(b"RIFF\0\0\0\0WAVE").unwrap_err(), WavError::Missing("fmt "));
    assert_eq!(read_wav(&wav(3, 1, 48_000, 32, &[])).unwrap_err(), WavError::Format { format: 3, bits: 32 });
    assert_eq!(read_wav(&wav(1, 1, 44_100, 16, &[])).unwrap_err(), WavError::Rate(44_100));
}
