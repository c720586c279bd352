//! How busy a worker is, measured by its thread and read by whoever places rooms. Must not decide anything.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A load is that of the last second: steady enough to place rooms by, and soon enough.
const WINDOW: Duration = Duration::from_secs(1);

/// What a worker's thread last told of it.
#[derive(Debug, Default)]
pub(super) struct Load {
    permille: AtomicU32,
    overloaded: AtomicBool,
    turns: AtomicU64,
}

impl Load {
    pub(super) fn permille(&self) -> u32 {
        self.permille.load(Ordering::Relaxed)
    }

    pub(super) fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// A turn begins.
    pub(super) fn count_turn(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn is_overloaded(&self) -> bool {
        self.overloaded.load(Ordering::Relaxed)
    }

    pub(super) fn set_overloaded(&self, overloaded: bool) {
        self.overloaded.store(overloaded, Ordering::Relaxed);
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
            load.permille.store(permille as u32, Ordering::Relaxed);
            *self = Self { began: Some(end), busy: Duration::ZERO };
        }
    }

    /// There is nothing to do any more.
    pub(super) fn rest(&mut self, load: &Load) {
        *self = Self::default();
        load.permille.store(0, Ordering::Relaxed);
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
