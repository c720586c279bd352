//! The tones that speakers send and the meter that finds one of them in a mix. Knows samples, no packets.
//!
//! Tones lie on multiples of 100 Hz. A window of 10 ms (480 samples at 48 kHz) holds a whole number of periods of
//! each, so that one tone's meter does not see the others at all, as between the carriers of OFDM: who is heard and
//! when a tone sets in can be told while twenty others sound.

use std::f32::consts::TAU;

/// Of everything that is measured here: full participants decode to it.
pub const SAMPLING_RATE: u32 = 48_000;
/// Samples of a 20 ms frame.
pub const FRAME_SAMPLES: usize = 960;
/// Samples between two looks at the window: 2.5 ms.
pub const HOP: usize = 120;
/// Samples of the window.
const WINDOW: usize = 480;
const HOPS: usize = WINDOW / HOP;
/// The lowest tone, above what voice codecs cut away.
const LOWEST: u32 = 300;
const SPACING: u32 = 100;

/// One of the tones, by its number within a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tone(pub u16);

impl Tone {
    /// How many there are: the highest, 3.8 kHz, still passes a room at 8 kHz.
    pub const COUNT: u16 = 36;

    /// In hertz.
    pub fn frequency(self) -> u32 {
        LOWEST + SPACING * u32::from(self.0)
    }

    /// `amplitude * sin` at sample `index`.
    pub fn sample(self, index: usize, amplitude: f32) -> f32 {
        // Periods are a whole number per 480 samples; without the remainder f32 loses the phase after seconds.
        let turn = (index % WINDOW) as f32 * self.frequency() as f32 / SAMPLING_RATE as f32;
        amplitude * (TAU * turn.fract()).sin()
    }
}

/// The amplitude at which each of `speakers` sends so that all together stay below full scale.
pub fn amplitude(speakers: u32) -> f32 {
    (0.7 / speakers.max(1) as f32).min(0.2)
}

/// Measures one tone: its amplitude every 2.5 ms, over the last 10 ms.
#[derive(Clone, Debug)]
pub struct ToneMeter {
    cosine: Vec<f32>,
    sine: Vec<f32>,
    parts: [(f32, f32); HOPS],
    position: usize,
}

impl ToneMeter {
    /// A meter that has heard silence so far.
    pub fn new(tone: Tone) -> Self {
        let turn = |index: usize| TAU * (index as f32 * tone.frequency() as f32 / SAMPLING_RATE as f32).fract();
        Self {
            cosine: (0..WINDOW).map(|index| turn(index).cos()).collect(),
            sine: (0..WINDOW).map(|index| turn(index).sin()).collect(),
            parts: [(0.0, 0.0); HOPS],
            position: 0,
        }
    }

    /// Takes the next 2.5 ms and returns the tone's amplitude over the last 10 ms.
    pub fn push(&mut self, hop: &[f32; HOP]) -> f32 {
        let start = self.position * HOP;
        let table = start..start + HOP;
        let real = dot(hop, &self.cosine[table.clone()]);
        let imaginary = dot(hop, &self.sine[table]);
        self.parts[self.position] = (real, imaginary);
        self.position = (self.position + 1) % HOPS;
        let (real, imaginary) = self.parts.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
        2.0 * f32::hypot(real, imaginary) / WINDOW as f32
    }
}

fn dot(samples: &[f32], table: &[f32]) -> f32 {
    samples.iter().zip(table).map(|(a, b)| a * b).sum()
}
