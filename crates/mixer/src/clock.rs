//! Media time: samples of 48 kHz since the epoch, and the ticks on it. Must not read a clock.

use std::time::{Duration, Instant};

/// One tick of 20 ms in media time.
pub(crate) const TICK: u64 = 960;
/// Rooms tick at one of so many offsets within the 20 ms, so that sending is not one burst.
pub(crate) const PHASES: usize = 4;
/// The distance between two phases in media time: 5 ms.
pub(crate) const PHASE_STEP: u64 = TICK / PHASES as u64;

/// The epoch that media time counts from; the same for all workers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    epoch: Instant,
}

impl Clock {
    pub(crate) fn new(epoch: Instant) -> Self {
        Self { epoch }
    }

    /// Media time of an instant, rounded down; what lies before the epoch is 0.
    pub(crate) fn media_time(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.epoch);
        // 48 samples a millisecond; a u64 of nanoseconds lasts 584 years, times 6 still 97.
        (since.as_nanos() as u64) * 6 / 125_000
    }

    /// The instant at which a media time starts.
    pub(crate) fn instant(&self, media_time: u64) -> Instant {
        // Rounded up, so that the instant's own media time is never below.
        self.epoch + Duration::from_nanos((media_time * 125_000).div_ceil(6))
    }
}

/// How long so many samples of media time take, rounded down.
pub(crate) fn duration(samples: u64) -> Duration {
    Duration::from_nanos(samples * 125_000 / 6)
}

/// The first tick of a phase (an offset below [`TICK`]) that starts at or after a media time.
pub(crate) fn tick_at_or_after(media_time: u64, phase_offset: u64) -> u64 {
    media_time.saturating_sub(phase_offset).div_ceil(TICK) * TICK + phase_offset
}
