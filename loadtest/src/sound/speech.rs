//! Speech-like audio without a voice: a pulse train through three resonances, in syllables, words and pauses.
//! It is as hard for a codec as speech is and drives level detectors as speech does; nobody should listen to it.

use std::f32::consts::TAU;

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::tone::SAMPLING_RATE;

const SECONDS: usize = 10;
/// Centre frequencies of the first three formants of five vowels (a, e, i, o, u), in hertz.
const VOWELS: [[f32; 3]; 5] = [
    [730.0, 1090.0, 2440.0],
    [530.0, 1840.0, 2480.0],
    [270.0, 2290.0, 3010.0],
    [570.0, 840.0, 2410.0],
    [300.0, 870.0, 2240.0],
];
const BANDWIDTHS: [f32; 3] = [90.0, 110.0, 170.0];

/// 10 s of it; another seed is another speaker.
pub(super) fn synthesise(seed: u64) -> Vec<f32> {
    let mut random = StdRng::seed_from_u64(seed);
    let pitch: f32 = random.random_range(90.0..220.0);
    let total = SECONDS * SAMPLING_RATE as usize;
    let mut samples = Vec::with_capacity(total);
    while samples.len() < total {
        for _ in 0..random.random_range(3..9) {
            let vowel = VOWELS[random.random_range(0..VOWELS.len())];
            let length = random.random_range(0.12..0.28);
            syllable(&mut samples, vowel, pitch * random.random_range(0.85..1.2), length, &mut random);
        }
        let pause: f32 = random.random_range(0.15..0.7);
        samples.extend(std::iter::repeat_n(0.0, (pause * SAMPLING_RATE as f32) as usize));
    }
    samples.truncate(total);
    let peak = samples.iter().fold(0.01f32, |peak, sample| peak.max(sample.abs()));
    samples.iter_mut().for_each(|sample| *sample *= 0.5 / peak);
    samples
}

/// A hiss, as of a consonant, and a vowel that swells and fades.
fn syllable(samples: &mut Vec<f32>, vowel: [f32; 3], pitch: f32, seconds: f32, random: &mut StdRng) {
    let length = (seconds * SAMPLING_RATE as f32) as usize;
    let hiss = length / 5;
    let mut phase = 0.0f32;
    let mut resonances = vowel.map(|_| (0.0f32, 0.0f32));
    for index in 0..length {
        let progress = index as f32 / length as f32;
        phase += pitch * (1.0 - 0.1 * progress) / SAMPLING_RATE as f32;
        let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
        phase = phase.fract();
        let breath: f32 = random.random_range(-1.0..1.0) * if index < hiss { 0.12 } else { 0.004 };
        let mut voiced = 0.0;
        for (state, (frequency, bandwidth)) in resonances.iter_mut().zip(vowel.iter().zip(BANDWIDTHS)) {
            let radius = (-TAU / 2.0 * bandwidth / SAMPLING_RATE as f32).exp();
            let turn = (TAU * frequency / SAMPLING_RATE as f32).cos();
            let output = pulse + 2.0 * radius * turn * state.0 - radius * radius * state.1;
            *state = (output, state.0);
            voiced += output;
        }
        let swell = (progress * TAU / 2.0).sin();
        samples.push(voiced * swell * 0.05 + breath * swell);
    }
}
