//! How long things took on a mix thread, and how late they were. Must not know who reads it.

use std::time::Duration;

use histogram::Histogram;

/// Histograms since the worker began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// How long the ticks took: all rooms of a phase, from the packets to the hand-over of the mixes.
    pub tick_duration: Histogram,
    /// How late the ticks began.
    pub tick_lateness: Histogram,
    /// How long the sound of decoded members waited between arrival and mix, counted for each in each tick.
    pub delay: Histogram,
}

/// Fine between 0.1 and 5 ms, the distance of two phases: a tick that takes longer makes the next phase late.
const TICK_DURATION: &[Duration] = &[
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(200),
    Duration::from_micros(300),
    Duration::from_micros(400),
    Duration::from_micros(500),
    Duration::from_micros(750),
    Duration::from_millis(1),
    Duration::from_micros(1_500),
    Duration::from_millis(2),
    Duration::from_micros(2_500),
    Duration::from_millis(3),
    Duration::from_millis(4),
    Duration::from_millis(5),
    Duration::from_micros(7_500),
    Duration::from_millis(10),
    Duration::from_millis(15),
    Duration::from_millis(20),
    Duration::from_millis(30),
    Duration::from_millis(50),
    Duration::from_millis(100),
];

/// 5 ms is late, 10 ms counts as overload, from 40 ms on ticks are missed.
const TICK_LATENESS: &[Duration] = &[
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(3),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
    Duration::from_millis(60),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_secs(1),
];

/// Up to the jitter buffer's bound of 240 ms and the 120 ms above it that it takes before it skips.
const DELAY: &[Duration] = &[
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(15),
    Duration::from_millis(20),
    Duration::from_millis(25),
    Duration::from_millis(30),
    Duration::from_millis(40),
    Duration::from_millis(50),
    Duration::from_millis(60),
    Duration::from_millis(80),
    Duration::from_millis(100),
    Duration::from_millis(120),
    Duration::from_millis(160),
    Duration::from_millis(200),
    Duration::from_millis(240),
    Duration::from_millis(360),
];

impl Default for Times {
    fn default() -> Self {
        Self {
            tick_duration: Histogram::new(TICK_DURATION),
            tick_lateness: Histogram::new(TICK_LATENESS),
            delay: Histogram::new(DELAY),
        }
    }
}
