//! What a browser's jitter buffer would have had to conceal: a model with a fixed delay. Knows RTP time, no audio.

use std::time::{Duration, Instant};

/// Browsers aim at 20 to 60 ms; one that holds 60 ms conceals what comes later.
pub const DELAY: Duration = Duration::from_millis(60);
const CLOCK_RATE: f64 = 48_000.0;
/// Packets after which the earliest arrival is known well enough.
const LEARNING: u32 = 50;

/// Follows one received stream.
#[derive(Clone, Debug, Default)]
pub struct Playout {
    origin: Option<(Instant, u32)>,
    /// Smallest (arrival - RTP time) in seconds against the origin: the packet that the network delayed least.
    earliest: f64,
    seen: u32,
    concealed: u64,
}

impl Playout {
    /// Takes a packet; true when it came too late to be played.
    pub fn observe(&mut self, timestamp: u32, arrival: Instant) -> bool {
        let (origin, first) = *self.origin.get_or_insert((arrival, timestamp));
        let media = f64::from(timestamp.wrapping_sub(first) as i32) / CLOCK_RATE;
        let transit = arrival.saturating_duration_since(origin).as_secs_f64() - media;
        self.seen += 1;
        if self.seen <= LEARNING {
            self.earliest = self.earliest.min(transit);
            return false;
        }
        let late = transit - self.earliest > DELAY.as_secs_f64();
        if late {
            self.concealed += 1;
        }
        late
    }

    /// Takes note that so many packets never came.
    pub fn observe_lost(&mut self, packets: u16) {
        self.concealed += u64::from(packets);
    }

    /// Frames of 20 ms that could not be played from what was received.
    pub fn concealed(&self) -> u64 {
        self.concealed
    }
}
