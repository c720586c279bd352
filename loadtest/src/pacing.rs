//! When whose packet is due: absolute deadlines on a grid of one millisecond. Knows no participant, no socket and no clock.
//!
//! Everybody sends one packet every 20 ms. Participants are spread over the 20 slots of such a period by their
//! [`Phase`], so that the generator's traffic is a stream and not a burst. The grid is anchored to one epoch for the
//! whole run: a late slot is late, but never moves the ones after it.

use std::time::{Duration, Instant};

/// One packet per participant in this time.
pub const FRAME: Duration = Duration::from_millis(20);
/// Slots in a frame; also the length of a frame in milliseconds.
pub const PHASES: u64 = 20;
/// The grid.
pub const SLOT: Duration = Duration::from_millis(1);
/// A generator that was away for longer than this does not make up for it: a burst of ten packets per participant
/// would test the server with something no client does.
const CATCH_UP: Duration = Duration::from_millis(200);

/// In which millisecond of a frame a participant sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase(u8);

impl Phase {
    /// Spreads consecutive participants over the frame. 7 has no divisor in common with 20, so all slots are used
    /// evenly and the few speakers of a room, who have the lowest numbers, do not sit side by side.
    pub fn of(index: u32) -> Self {
        Self((u64::from(index) * 7 % PHASES) as u8)
    }

    /// The slot within the frame, `0..20`.
    pub fn slot(self) -> usize {
        usize::from(self.0)
    }
}

/// A slot that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Which participants are served: those of this phase.
    pub phase: usize,
    /// Number of the frame since the epoch: everybody's position in its loop of audio.
    pub frame: u64,
    /// When it was due.
    pub due: Instant,
}

/// Walks the grid.
#[derive(Debug)]
pub struct Pacer {
    epoch: Instant,
    next: u64,
    skipped: u64,
}

impl Pacer {
    /// A grid whose slot 0 is at `epoch`; starts with the first slot that is not over at `now`.
    pub fn new(epoch: Instant, now: Instant) -> Self {
        let elapsed = now.saturating_duration_since(epoch);
        Self { epoch, next: elapsed.as_micros().div_ceil(SLOT.as_micros()) as u64, skipped: 0 }
    }

    /// When the next slot is due.
    pub fn due(&self) -> Instant {
        self.epoch + SLOT * u32::try_from(self.next).unwrap_or(u32::MAX)
    }

    /// The next slot, if it is due. Call until `None`; several are due after a stall.
    pub fn poll_slot(&mut self, now: Instant) -> Option<Slot> {
        let late = now.checked_duration_since(self.due())?;
        if late > CATCH_UP {
            let missed = late.as_millis() as u64;
            self.skipped += missed;
            self.next += missed;
        }
        let slot = Slot { phase: (self.next % PHASES) as usize, frame: self.next / PHASES, due: self.due() };
        self.next += 1;
        Some(slot)
    }

    /// Slots left out because the generator had been stalled for more than 200 ms.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }
}
