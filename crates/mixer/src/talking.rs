//! Whether a member talks, for the events about it. Must not know the mix: who is audible is another question.

use crate::settings::TalkDetection;

/// What one tick said about a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A packet of this level in -dBov played.
    Level(u8),
    /// A packet without a level played: the tick does not count.
    Unknown,
    /// Nothing came, or the member is muted: counts as silence.
    Missing,
}

/// Counts levels over a tumbling window, as the AudioBridge does: the mean of `active_packets` ticks decides, then
/// counting begins anew.
#[derive(Debug, Default)]
pub(crate) struct TalkMeter {
    count: u32,
    sum: u64,
    talking: bool,
}

impl TalkMeter {
    /// Adds a tick; the new state, if it changed.
    pub(crate) fn add(&mut self, slot: Slot, detection: &TalkDetection) -> Option<bool> {
        let level = match slot {
            Slot::Level(level) => level,
            Slot::Missing => 127,
            Slot::Unknown => return None,
        };
        self.count += 1;
        self.sum += u64::from(level);
        if self.count < detection.active_packets.max(1) {
            return None;
        }
        let talking = self.sum < u64::from(detection.average_level) * u64::from(self.count);
        let changed = talking != self.talking;
        *self = Self { count: 0, sum: 0, talking };
        changed.then_some(talking)
    }
}
