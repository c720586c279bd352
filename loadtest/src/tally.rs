//! What is counted over many participants: distributions of times, and one participant's result. Knows no clock.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::listening::Hearing;

/// A distribution of times, in microseconds, up to a minute.
#[derive(Clone, Debug)]
pub struct Times(Histogram<u64>);

/// Three digits tell 40.0 ms from 40.1.
const DIGITS: u8 = 3;
const MINUTE: u64 = 60_000_000;

impl Default for Times {
    #[expect(clippy::expect_used, reason = "the bounds are constants, and good ones")]
    fn default() -> Self {
        Self(Histogram::new_with_max(MINUTE, DIGITS).expect("bounds of a histogram"))
    }
}

impl Times {
    /// Adds one; what is longer than a minute counts as a minute.
    pub fn record(&mut self, time: Duration) {
        self.0.saturating_record(time.as_micros() as u64);
    }

    /// Adds all of another.
    pub fn add(&mut self, other: &Self) {
        // Both have the same bounds.
        let _ = self.0.add(&other.0);
    }

    /// In milliseconds; `None` without any.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.value_at_percentile(percent) as f64 / 1000.0)
    }

    /// The longest, in milliseconds.
    pub fn max(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.max() as f64 / 1000.0)
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.0.len()
    }
}

/// What a driver has timed since it was last asked.
#[derive(Clone, Debug, Default)]
pub struct Timings {
    /// Mouth to ear.
    pub latency: Times,
    /// Between two packets of one full receiver.
    pub interval: Times,
    /// How late the generator itself was.
    pub lateness: Times,
    /// Joins: until the server's SDP.
    pub answered: Times,
    /// Joins: until ICE and DTLS were through.
    pub connected: Times,
    /// Joins: until the first packet of audio.
    pub audible: Times,
}

impl Timings {
    /// Adds all of another.
    pub fn add(&mut self, other: &Self) {
        let Self { latency, interval, lateness, answered, connected, audible } = other;
        self.latency.add(latency);
        self.interval.add(interval);
        self.lateness.add(lateness);
        self.answered.add(answered);
        self.connected.add(connected);
        self.audible.add(audible);
    }
}

/// How things stand with all participants of a driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// On their way in.
    pub joining: u64,
    /// In.
    pub present: u64,
    /// Joins that worked, so far.
    pub joined: u64,
    /// Participants lost or never come in, so far.
    pub failed: u64,
    /// Packets of audio received by those present.
    pub received: u64,
    /// Packets of audio sent by them.
    pub sent: u64,
    /// Datagrams the kernel did not take.
    pub unsent: u64,
    /// Milliseconds of the grid that were left out.
    pub skipped: u64,
}

impl Counts {
    /// The sum of two drivers.
    pub fn plus(self, other: Self) -> Self {
        Self {
            joining: self.joining + other.joining,
            present: self.present + other.present,
            joined: self.joined + other.joined,
            failed: self.failed + other.failed,
            received: self.received + other.received,
            sent: self.sent + other.sent,
            unsent: self.unsent + other.unsent,
            skipped: self.skipped + other.skipped,
        }
    }
}

/// One participant's result over a stretch of measurement.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// For how long it was measured.
    pub time: Duration,
    /// Packets received.
    pub received: u64,
    /// Packets missing.
    pub lost: u64,
    /// Packets out of order.
    pub late: u64,
    /// Packets sent.
    pub sent: u64,
    /// What was heard, for a full one.
    pub hearing: Option<Hearing>,
    /// Whether it was there at the end.
    pub present: bool,
}
