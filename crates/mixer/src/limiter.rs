//! Keeps a mix within full scale: nothing wraps, however loud. Must not know whose mix it is.

use crate::kernel::Path;

/// What is louder is turned down to this; what is left above it in the first millisecond bends towards 1.
const CEILING: f32 = 0.95;
/// A new, lower gain is reached within 1/20 of the frame: 1 ms.
const ATTACK: usize = 20;
/// Per frame, the gain comes back by a tenth of what is missing: 200 ms, slower than syllables.
const RELEASE: f32 = 0.1;
/// A gain this near to 1 is 1.
const UNITY: f32 = 0.999;

/// The gain of one mix. It works within the frame, without looking ahead: the frame's peak gives the gain, and a soft
/// knee takes what passes before the gain is there.
#[derive(Clone, Debug)]
pub struct Limiter {
    gain: f32,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { gain: 1.0 }
    }
}

impl Limiter {
    /// Limits one frame of 20 ms to -1..=1; whether it had to. A frame that is quiet enough passes bit for bit.
    pub fn limit(&mut self, frame: &mut [f32]) -> bool {
        let peak = Path::best().peak(frame);
        if !peak.is_finite() {
            frame.fill(0.0);
            return true;
        }
        let allowed = if peak > CEILING { CEILING / peak } else { 1.0 };
        if allowed == 1.0 && self.gain == 1.0 {
            return false;
        }
        let from = self.gain;
        if allowed < from {
            self.gain = allowed;
            self.turn_down(frame, from);
        } else {
            let released = from + (1.0 - from) * RELEASE;
            self.gain = if released > UNITY { allowed } else { released.min(allowed) };
            ramp(frame, from, self.gain);
        }
        true
    }

    fn turn_down(&self, frame: &mut [f32], from: f32) {
        let (attack, rest) = frame.split_at_mut(frame.len() / ATTACK);
        ramp(attack, from, self.gain);
        // At this gain the peak is at the ceiling.
        Path::best().amplify(rest, self.gain);
        for sample in attack {
            *sample = bend(*sample);
        }
    }
}

fn ramp(frame: &mut [f32], from: f32, to: f32) {
    let step = (to - from) / frame.len().max(1) as f32;
    for (index, sample) in frame.iter_mut().enumerate() {
        *sample *= from + step * index as f32;
    }
}

fn bend(sample: f32) -> f32 {
    let over = sample.abs() - CEILING;
    if over <= 0.0 {
        return sample;
    }
    let room = 1.0 - CEILING;
    (CEILING + room * (over / room).tanh()).copysign(sample)
}
