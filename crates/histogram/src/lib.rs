//! How long things took: plain counts by fixed bounds, so that media threads count without a look-up, a lock or an
//! allocation. Must not know what is counted, and who reads it.

use std::time::Duration;

/// The most bounds that a histogram may have.
pub const MAX_BOUNDS: usize = 24;

/// Bounds for what people wait for: from 1 ms to 20 s.
pub const WAITS: &[Duration] = &[
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
];

/// Durations by the least of some bounds that they do not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Histogram {
    bounds: &'static [Duration],
    /// One for each bound, and one for what exceeds them all.
    counts: [u64; MAX_BOUNDS + 1],
    sum: Duration,
}

impl Histogram {
    /// Without any counts. The bounds rise.
    ///
    /// # Panics
    /// With more than [`MAX_BOUNDS`] bounds, which are constants.
    #[must_use]
    pub const fn new(bounds: &'static [Duration]) -> Self {
        assert!(bounds.len() <= MAX_BOUNDS);
        Self { bounds, counts: [0; MAX_BOUNDS + 1], sum: Duration::ZERO }
    }

    /// Counts one.
    pub fn record(&mut self, took: Duration) {
        self.counts[self.bounds.partition_point(|bound| *bound < took)] += 1;
        self.sum = self.sum.saturating_add(took);
    }

    /// Adds the counts of another with the same bounds.
    pub fn add(&mut self, other: &Self) {
        debug_assert_eq!(self.bounds, other.bounds);
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// How many did not exceed each bound, in rising order. What exceeds them all is only in [`Self::count`].
    pub fn cumulative(&self) -> impl Iterator<Item = (Duration, u64)> {
        self.bounds.iter().zip(&self.counts).scan(0, |total, (bound, count)| {
            *total += count;
            Some((*bound, *total))
        })
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long all took together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }
}
