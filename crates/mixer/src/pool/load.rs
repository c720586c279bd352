//! How busy a worker is, measured by its thread and read by whoever places rooms. Must not decide anything.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A load is that of the last second: steady enough to place rooms by, and soon enough.
const WINDOW: Duration = Duration::from_secs(1);

/// The last measured load.
#[derive(Debug, Default)]
pub(super) struct Load(AtomicU32);

impl Load {
    pub(super) fn permille(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Adds up the time in ticks.
#[derive(Debug, Default)]
pub(super) struct LoadMeter {
    began: Option<Instant>,
    busy: Duration,
}

impl LoadMeter {
    /// A tick took from `start` to `end`.
    pub(super) fn add(&mut self, start: Instant, end: Instant, load: &Load) {
        let began = *self.began.get_or_insert(start);
        self.busy += end.saturating_duration_since(start);
        let elapsed = end.saturating_duration_since(began);
        if elapsed >= WINDOW {
            let permille = self.busy.as_nanos() * 1_000 / elapsed.as_nanos();
            load.0.store(permille as u32, Ordering::Relaxed);
            *self = Self { began: Some(end), busy: Duration::ZERO };
        }
    }

    /// There is nothing to do any more.
    pub(super) fn rest(&mut self, load: &Load) {
        *self = Self::default();
        load.0.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_the_part_of_a_second_spent_in_ticks_and_ends_with_the_rooms() {
        #[expect(clippy::disallowed_methods, reason = "any instant will do for a beginning of virtual time")]
        let begin = Instant::now();
        let (load, mut meter) = (Load::default(), LoadMeter::default());
        let tick = |number: u32, took: u64| {
            let start = begin + Duration::from_millis(20) * number;
            (start, start + Duration::from_millis(took))
        };
        for number in 0..=50 {
            let (start, end) = tick(number, 5);
            meter.add(start, end, &load);
        }
        assert!((245..=256).contains(&load.permille()), "{}", load.permille());
        for number in 51..=101 {
            let (start, end) = tick(number, 15);
            meter.add(start, end, &load);
        }
        assert!((740..=760).contains(&load.permille()), "{}", load.permille());

        meter.rest(&load);

        assert_eq!(load.permille(), 0);
    }
}
