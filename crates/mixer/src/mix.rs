//! The algebra of mixing: gain, pan, and the sums of all but one. Must not know members or rooms.
//!
//! *Invariant:* the mix for a member is a sum in which its own sound does not occur. It is never the sum of all minus
//! its own: floating-point subtraction does not undo an addition, so that a trace of a loud voice would come back to
//! its owner. With n contributions the n sums of the others take 3n additions, not n², from the sums before and after
//! each ([`Sums`]).

use crate::kernel::Path;

/// Prefix and suffix sums over the contributions of one tick.
#[derive(Debug, Default)]
pub struct Sums {
    frame: usize,
    count: usize,
    /// Frame i is the sum of the contributions before i; `count + 1` frames.
    before: Vec<f32>,
    /// Frame i is the sum of the contribution i and those after it; `count + 1` frames.
    from: Vec<f32>,
}

impl Sums {
    /// Adds up `count` contributions of `frame` samples each.
    pub fn build<'a>(&mut self, frame: usize, count: usize, contribution: impl Fn(usize) -> &'a [f32]) {
        (self.frame, self.count) = (frame, count);
        let length = frame * (count + 1);
        for sums in [&mut self.before, &mut self.from] {
            if sums.len() < length {
                sums.resize(length, 0.0);
            }
        }
        self.before[..frame].fill(0.0);
        self.from[length - frame..length].fill(0.0);
        let path = Path::best();
        for index in 0..count {
            let (sums, next) = self.before.split_at_mut((index + 1) * frame);
            path.add(&mut next[..frame], &sums[index * frame..], contribution(index));
        }
        for index in (0..count).rev() {
            let (next, sums) = self.from.split_at_mut((index + 1) * frame);
            path.add(&mut next[index * frame..], &sums[..frame], contribution(index));
        }
    }

    /// The sum of all.
    pub fn total(&self) -> &[f32] {
        &self.before[self.count * self.frame..][..self.frame]
    }

    /// Writes the sum of all but the contribution `index`.
    pub fn minus_one(&self, index: usize, mix: &mut [f32]) {
        let before = &self.before[index * self.frame..][..self.frame];
        let after = &self.from[(index + 1) * self.frame..][..self.frame];
        Path::best().add(mix, before, after);
    }
}

/// Amplitude on the left and on the right; mono uses the left alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gain {
    /// Left, or mono.
    pub left: f32,
    /// Right.
    pub right: f32,
}

impl Gain {
    /// No sound.
    pub const SILENT: Self = Self { left: 0.0, right: 0.0 };

    /// The same amplitude for mono.
    pub fn mono(amplitude: f32) -> Self {
        Self { left: amplitude, right: amplitude }
    }

    /// An amplitude at a position from 0 (left) to 100 (right). Linear, as in the AudioBridge: each side gets half in
    /// the middle.
    pub fn at(amplitude: f32, position: u8) -> Self {
        let right = f32::from(position.min(100)) / 100.0;
        Self { left: amplitude * (1.0 - right), right: amplitude * right }
    }
}

/// A gain changes over so many milliseconds: short enough to leave an onset whole, long enough not to click.
const RAMP_MS: usize = 5;

/// Writes `pcm` (mono, 20 ms) to `out` (mono or interleaved stereo, by its length) with a gain that goes from one
/// value to the other.
pub fn place(out: &mut [f32], pcm: &[f32], from: Gain, to: Gain) {
    let ramp = if from == to { 0 } else { pcm.len() * RAMP_MS / 20 };
    let (onset, rest) = pcm.split_at(ramp);
    if out.len() == pcm.len() {
        for (index, (out, sample)) in out.iter_mut().zip(onset).enumerate() {
            *out = sample * between(from.left, to.left, index, ramp);
        }
        Path::best().scale(&mut out[ramp..], rest, to.left);
    } else {
        for (index, (pair, sample)) in out.chunks_exact_mut(2).zip(onset).enumerate() {
            pair[0] = sample * between(from.left, to.left, index, ramp);
            pair[1] = sample * between(from.right, to.right, index, ramp);
        }
        Path::best().pan(&mut out[2 * ramp..], rest, to.left, to.right);
    }
}

fn between(from: f32, to: f32, index: usize, length: usize) -> f32 {
    from + (to - from) * (index as f32 / length as f32)
}
