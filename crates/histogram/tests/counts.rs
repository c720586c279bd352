//! What is counted where.

use std::time::Duration;

use histogram::Histogram;

const fn milliseconds(number: u64) -> Duration {
    Duration::from_millis(number)
}

const BOUNDS: &[Duration] = &[milliseconds(1), milliseconds(5), milliseconds(20)];

fn recorded(times: &[u64]) -> Histogram {
    let mut histogram = Histogram::new(BOUNDS);
    times.iter().for_each(|&time| histogram.record(milliseconds(time)));
    histogram
}

#[test]
fn a_duration_counts_at_the_least_bound_that_it_does_not_exceed() {
    let histogram = recorded(&[0, 1, 2, 5, 6, 20, 21, 1000]);

    let counts: Vec<_> = histogram.cumulative().collect();

    assert_eq!(counts, [(milliseconds(1), 2), (milliseconds(5), 4), (milliseconds(20), 6)]);
    assert_eq!(histogram.count(), 8);
    assert_eq!(histogram.sum(), milliseconds(1055));
}

#[test]
fn two_histograms_add_up() {
    let mut histogram = recorded(&[1, 30]);

    histogram.add(&recorded(&[3, 30, 30]));

    assert_eq!(histogram, recorded(&[1, 3, 30, 30, 30]));
}
