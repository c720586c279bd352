//! When tones were sent, so that those who hear them know how long they took. Knows no audio and reads no clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::tone::Tone;

/// When each tone of each room was last set in by its speaker: shared by the drivers, since those who hear it may be
/// another's. Nanoseconds since the epoch; 0 is never.
#[derive(Clone)]
pub struct OnsetBoard {
    epoch: Instant,
    sent: Arc<[AtomicU64]>,
}

impl OnsetBoard {
    /// For so many rooms.
    pub fn new(rooms: u32, epoch: Instant) -> Self {
        let places = rooms as usize * usize::from(Tone::COUNT);
        Self { epoch, sent: (0..places).map(|_| AtomicU64::new(0)).collect() }
    }

    /// The speaker of a tone has just sent its first sample.
    pub fn note(&self, room: u32, tone: Tone, now: Instant) {
        if let Some(place) = self.place(room, tone) {
            place.store(now.saturating_duration_since(self.epoch).as_nanos() as u64, Ordering::Relaxed);
        }
    }

    /// How long it took until a tone was heard; `None` if it was never sent.
    pub fn latency(&self, room: u32, tone: Tone, heard_at: Instant) -> Option<Duration> {
        let sent = self.place(room, tone)?.load(Ordering::Relaxed);
        let heard = heard_at.checked_duration_since(self.epoch)?;
        (sent > 0).then(|| heard.checked_sub(Duration::from_nanos(sent))).flatten()
    }

    fn place(&self, room: u32, tone: Tone) -> Option<&AtomicU64> {
        self.sent.get(room as usize * usize::from(Tone::COUNT) + usize::from(tone.0))
    }
}
