//! Finds when a tone sets in, when it drops out, and whether it is heard at all, from its amplitude. Knows no packets and no clock.
//!
//! Each speaker's tone is interrupted for [`GAP_FRAMES`] frames in every cycle. The end of the gap is the onset by
//! which latency is measured; any shorter interruption was made by the network or the server.

use crate::tone::{HOP, SAMPLING_RATE};

/// Length of a cycle of tone and gap: 2 s. An onset is matched with the latest one sent, so latencies above it
/// cannot be told from small ones.
pub const CYCLE_FRAMES: usize = 100;
/// Length of the gap: 160 ms, long enough for every codec's tail and short enough for every talk detector's hangover.
pub const GAP_FRAMES: usize = 8;

const HOP_MS: f32 = 1000.0 * HOP as f32 / SAMPLING_RATE as f32;
/// The window of the meter is a ramp of 10 ms at an onset, which crosses half of the amplitude in its middle.
const HALF_RAMP_MS: f32 = 5.0;
/// A silence shorter than this within a tone is an interruption, a longer one the planned gap of 160 ms, from
/// which the meter's window and the codecs' tails take some.
const LONGEST_DROPOUT_MS: f32 = 100.0;
/// Below this share of the amplitude a tone is off: -12 dB.
const OFF: f32 = 0.25;
/// Above this share it is on: -6 dB; the codecs twice and a limiter cost up to 3 dB.
const ON: f32 = 0.5;

/// Something that happened to a tone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ToneEvent {
    /// It set in after its gap, so many milliseconds before the end of the hop just pushed.
    Onset {
        /// Age of the onset in milliseconds; may reach back into an earlier packet.
        age_ms: f32,
    },
    /// It was interrupted.
    Dropout {
        /// For how long.
        length_ms: f32,
    },
}

/// Follows one tone.
#[derive(Clone, Debug)]
pub struct OnsetDetector {
    amplitude: f32,
    previous: f32,
    /// Since when it is off; `None` while it is on.
    off_hops: Option<u32>,
    heard_before: bool,
    /// How often each level was measured, in steps of 1 dB down from [`LOUDEST_DB`].
    levels: Vec<u32>,
}

const LOUDEST_DB: i32 = 20;
const LEVELS: usize = 120;

impl OnsetDetector {
    /// For a tone that is sent at `amplitude`.
    pub fn new(amplitude: f32) -> Self {
        Self { amplitude, previous: 0.0, off_hops: Some(0), heard_before: false, levels: vec![0; LEVELS] }
    }

    /// Takes the amplitude after one more hop.
    pub fn push(&mut self, measured: f32) -> Option<ToneEvent> {
        let share = measured / self.amplitude;
        let below = LOUDEST_DB as f32 - 20.0 * share.max(1e-6).log10();
        self.levels[(below as usize).min(LEVELS - 1)] += 1;
        let event = self.step(share);
        self.previous = share;
        event
    }

    /// How loud it was since the last call, in dB against what is sent; `None` without audio. The median: neither the
    /// gaps count nor the moments when another tone sets in, which are heard at every frequency.
    pub fn take_level(&mut self) -> Option<f32> {
        let levels = std::mem::replace(&mut self.levels, vec![0; LEVELS]);
        let half = levels.iter().sum::<u32>().div_ceil(2);
        let mut sum = 0;
        let median = levels.iter().position(|count| {
            sum += count;
            sum >= half
        });
        (half > 0).then(|| LOUDEST_DB as f32 - 0.5 - median.unwrap_or(LEVELS) as f32)
    }

    fn step(&mut self, share: f32) -> Option<ToneEvent> {
        let Some(off_hops) = self.off_hops else {
            if share < OFF {
                self.off_hops = Some(0);
            }
            return None;
        };
        if share < ON {
            self.off_hops = Some(off_hops.saturating_add(1));
            return None;
        }
        self.off_hops = None;
        let known = std::mem::replace(&mut self.heard_before, true);
        let length_ms = off_hops as f32 * HOP_MS + HOP_MS;
        if length_ms < LONGEST_DROPOUT_MS {
            return known.then_some(ToneEvent::Dropout { length_ms });
        }
        // Linear between the two looks, then back by the half of the ramp.
        let rise = (share - self.previous).max(f32::EPSILON);
        let since_crossing = (share - ON) / rise * HOP_MS;
        // The first time a tone is heard may be in its middle: that is no onset.
        known.then_some(ToneEvent::Onset { age_ms: since_crossing + HALF_RAMP_MS })
    }
}

/// Whether a level says that the tone is heard.
pub fn is_heard(level_db: f32) -> bool {
    level_db > -10.0
}

/// Whether a level says that a participant hears itself. Of a tone that is not there, two codecs and the other tones
/// leave less than -40 dB.
pub fn is_leaked(level_db: f32) -> bool {
    level_db > -30.0
}
