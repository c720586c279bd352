//! Whether a peer's audio arrives: what the `media` event of Janus says. Knows packets only by the time they came.

use std::time::{Duration, Instant};

/// Decided once a second, as Janus does.
const MEDIA_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Whether the peer's audio arrives.
#[derive(Debug)]
pub(super) struct MediaWatch {
    /// Zero: never lost.
    timeout: Duration,
    last: Option<Instant>,
    receiving: bool,
    check_at: Option<Instant>,
}

impl MediaWatch {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, last: None, receiving: false, check_at: None }
    }

    /// No packet came so far.
    pub(super) fn is_untouched(&self) -> bool {
        self.last.is_none()
    }

    /// A packet came. Whether that is news.
    pub(super) fn heard(&mut self, now: Instant, connected_at: Option<Instant>) -> bool {
        self.last = Some(now);
        if self.receiving {
            return false;
        }
        self.receiving = true;
        if !self.timeout.is_zero() {
            self.check_at = Some(connected_at.unwrap_or(now).max(now) + MEDIA_CHECK_INTERVAL);
        }
        true
    }

    /// Whether the audio has stopped since the last check.
    pub(super) fn is_lost(&mut self, now: Instant) -> bool {
        if self.check_at.is_none_or(|at| now < at) {
            return false;
        }
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < self.timeout) {
            self.check_at = Some(now + MEDIA_CHECK_INTERVAL);
            return false;
        }
        self.stop()
    }

    /// Another timeout from now on.
    pub(super) fn set_timeout(&mut self, timeout: Duration, now: Instant) {
        self.timeout = timeout;
        self.check_at = (self.receiving && !timeout.is_zero()).then(|| now + MEDIA_CHECK_INTERVAL);
    }

    pub(super) fn check_at(&self) -> Option<Instant> {
        self.check_at
    }

    /// Nothing more is expected. Whether that is news.
    pub(super) fn stop(&mut self) -> bool {
        self.check_at = None;
        std::mem::take(&mut self.receiving)
    }
}
