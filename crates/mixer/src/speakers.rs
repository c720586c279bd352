//! Who is audible: instant attack, hangover, the loudest few. Must not touch sound or packets.

use std::cmp::Reverse;

use crate::level::SILENCE;

/// A member stays audible this long after it was last loud: 400 ms, so that pauses between words cost nothing.
const HANGOVER: u8 = 20;
/// How fast a member's loudness is forgotten: 20 dB a second.
const DECAY: i32 = 400;
/// Those audible already count this much louder than they are, so that two voices do not alternate: 3 dB.
const INCUMBENT: i32 = 3_000;

/// How audible one member is. A level that a packet claims makes it worth decoding; only what was decoded makes it
/// audible, so that one who claims to be loud but is silent costs a decode and no encode.
#[derive(Debug)]
pub(crate) struct Audibility {
    /// Ticks for which it is still worth decoding.
    attended: u8,
    /// Ticks for which it is still audible.
    audible: u8,
    /// Recent level in thousandths of dBov: rises at once, falls by [`DECAY`] a tick.
    loudness: i32,
}

impl Default for Audibility {
    fn default() -> Self {
        Self { attended: 0, audible: 0, loudness: i32::from(SILENCE) * 1_000 }
    }
}

impl Audibility {
    /// A tick began, and the packet that plays in it claims this level.
    pub(crate) fn claim(&mut self, level: i8, threshold: i8) {
        if level > threshold {
            self.attended = HANGOVER;
            if self.audible == 0 {
                self.follow(level);
            }
        }
    }

    /// A tick began: what was is fading.
    pub(crate) fn fade(&mut self) {
        self.attended = self.attended.saturating_sub(1);
        self.audible = self.audible.saturating_sub(1);
        self.loudness = (self.loudness - DECAY).max(i32::from(SILENCE) * 1_000);
    }

    /// What was decoded for this tick has this level.
    pub(crate) fn measure(&mut self, level: i8, threshold: i8) {
        if level > threshold {
            self.audible = HANGOVER;
            self.follow(level);
        }
    }

    /// It may not be heard, whatever it says.
    pub(crate) fn silence(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn is_attended(&self) -> bool {
        self.attended > 0
    }

    pub(crate) fn is_audible(&self) -> bool {
        self.audible > 0
    }

    /// For [`keep_loudest`].
    pub(crate) fn rank(&self) -> i32 {
        self.loudness + if self.is_audible() { INCUMBENT } else { 0 }
    }

    fn follow(&mut self, level: i8) {
        self.loudness = self.loudness.max(i32::from(level) * 1_000);
    }
}

/// Leaves the `count` of highest rank, in the order of their indexes.
pub(crate) fn keep_loudest(candidates: &mut Vec<(i32, usize)>, count: usize) {
    if candidates.len() <= count {
        return;
    }
    candidates.sort_unstable_by_key(|&(rank, index)| (Reverse(rank), index));
    candidates.truncate(count);
    candidates.sort_unstable_by_key(|&(_, index)| index);
}
