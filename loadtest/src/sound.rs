//! What participants say: loops of encoded audio, made once before the run. Knows Opus, no network and no time.

use std::sync::Arc;

use opus::{Application, Bitrate, Channels, Encoder};

use crate::onset::{CYCLE_FRAMES, GAP_FRAMES};
use crate::tone::{FRAME_SAMPLES, SAMPLING_RATE, Tone};

mod speech;
mod wav;

pub use wav::{WavError, read_wav};

/// 20 ms as they are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Opus.
    pub payload: Arc<[u8]>,
    /// RFC 6464 level in dBov, -127 for digital silence.
    pub level: i8,
    /// Whether a tone sets in with the first sample.
    pub onset: bool,
}

/// A loop of frames; `None` where DTX sends nothing.
#[derive(Clone, Debug)]
pub struct Reel {
    frames: Vec<Option<Frame>>,
}

/// Opus settings of a reel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// Bits per second; what browsers use for speech is 32,000.
    pub bitrate: u32,
    /// Discontinuous transmission: next to nothing is sent in silence.
    pub dtx: bool,
    /// In-band FEC, for an expected loss of 10 %.
    pub fec: bool,
}

impl Default for Encoding {
    fn default() -> Self {
        Self { bitrate: 32_000, dtx: false, fec: false }
    }
}

/// Mono audio to be encoded.
#[derive(Clone, Debug)]
pub struct Recording {
    /// -1.0 to 1.0.
    pub samples: Vec<f32>,
    /// One that Opus takes: 8, 12, 16, 24 or 48 kHz.
    pub sampling_rate: u32,
}

impl Reel {
    /// The frame at a position of the endless repetition.
    pub fn frame(&self, position: u64) -> Option<&Frame> {
        self.frames[(position % self.frames.len() as u64) as usize].as_ref()
    }

    /// Frames until it repeats.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Never true: a reel has at least one frame.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// A tone that is interrupted once in each cycle, `stagger` frames later than tone 0, so that at most one tone of
    /// a room sets in at a time and nearly all of them sound.
    pub fn tone(tone: Tone, amplitude: f32, stagger: usize, encoding: Encoding) -> Result<Self, opus::Error> {
        let in_gap = |frame: usize| (frame + CYCLE_FRAMES - stagger % CYCLE_FRAMES) % CYCLE_FRAMES < GAP_FRAMES;
        let samples = (0..CYCLE_FRAMES * FRAME_SAMPLES)
            .map(|index| if in_gap(index / FRAME_SAMPLES) { 0.0 } else { tone.sample(index, amplitude) })
            .collect();
        let mut reel = Self::record(&Recording { samples, sampling_rate: SAMPLING_RATE }, encoding)?;
        for (index, frame) in reel.frames.iter_mut().enumerate() {
            if let Some(frame) = frame {
                frame.onset = !in_gap(index) && in_gap(index + CYCLE_FRAMES - 1);
            }
        }
        Ok(reel)
    }

    /// Something with the rhythm, the spectrum and the pauses of speech, 10 s long.
    pub fn speech(seed: u64, encoding: Encoding) -> Result<Self, opus::Error> {
        Self::record(&Recording { samples: speech::synthesise(seed), sampling_rate: SAMPLING_RATE }, encoding)
    }

    /// White noise at -40 dBFS, 2 s long: a listener in a noisy place.
    pub fn noise(seed: u64, encoding: Encoding) -> Result<Self, opus::Error> {
        use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
        fn next(random: &mut impl Rng) -> f32 {
            random.random_range(-0.017..0.017)
        }
        let mut random = StdRng::seed_from_u64(seed);
        let samples = (0..CYCLE_FRAMES * FRAME_SAMPLES).map(|_| next(&mut random)).collect();
        Self::record(&Recording { samples, sampling_rate: SAMPLING_RATE }, encoding)
    }

    /// Digital silence, 50 packets a second: what an unmuted browser with a muted track sends.
    pub fn silence() -> Result<Self, opus::Error> {
        let samples = vec![0.0; 50 * FRAME_SAMPLES];
        let mut reel = Self::record(&Recording { samples, sampling_rate: SAMPLING_RATE }, Encoding::default())?;
        // The codec has settled by its last frame; one packet is enough for a loop that never changes.
        reel.frames.drain(..49);
        Ok(reel)
    }

    /// Silence with discontinuous transmission: one packet in 400 ms.
    pub fn discontinuous_silence() -> Result<Self, opus::Error> {
        let samples = vec![0.0; 100 * FRAME_SAMPLES];
        let encoding = Encoding { dtx: true, ..Encoding::default() };
        Self::record(&Recording { samples, sampling_rate: SAMPLING_RATE }, encoding)
    }

    /// Encodes a recording as a loop. It is encoded twice and the second pass kept, so that the encoder's state at
    /// the end fits the beginning.
    pub fn record(recording: &Recording, encoding: Encoding) -> Result<Self, opus::Error> {
        let frame_samples = recording.sampling_rate as usize / 50;
        let mut encoder = Encoder::new(recording.sampling_rate, Channels::Mono, Application::Voip)?;
        encoder.set_bitrate(Bitrate::Bits(i32::try_from(encoding.bitrate).unwrap_or(i32::MAX)))?;
        encoder.set_dtx(encoding.dtx)?;
        encoder.set_inband_fec(encoding.fec)?;
        encoder.set_packet_loss_perc(if encoding.fec { 10 } else { 0 })?;
        let mut samples = recording.samples.clone();
        samples.resize(samples.len().next_multiple_of(frame_samples).max(frame_samples), 0.0);
        let mut frames = Vec::new();
        for _ in 0..2 {
            frames.clear();
            for chunk in samples.chunks_exact(frame_samples) {
                let packet = encoder.encode_vec_float(chunk, 1275)?;
                // RFC 6716: a packet of one or two bytes under DTX need not be sent.
                let sent = !(encoding.dtx && packet.len() <= 2);
                frames.push(sent.then(|| Frame { payload: packet.into(), level: level(chunk), onset: false }));
            }
        }
        Ok(Self { frames })
    }
}

/// RFC 6464 level of some samples, in dBov.
pub fn level(samples: &[f32]) -> i8 {
    let energy: f32 = samples.iter().map(|sample| sample * sample).sum();
    let mean = energy / samples.len().max(1) as f32;
    (10.0 * mean.max(1e-13).log10()).round().clamp(-127.0, 0.0) as i8
}
