//! What is counted of a peer's audio, and when so much of it is lost that the client is told. Knows what was counted between two
//! looks and what RTCP says; no packet.

use std::time::Duration;

use crate::rtcp::{NtpTime, Reception};
use crate::rtp::CLOCK_RATE;
use crate::transport::{Flow, Quality};

/// How often slow links are judged, as Janus does.
const JUDGED_EVERY: Duration = Duration::from_secs(1);
/// Without a threshold only operators want to know, and now and then: as often as RTCP reports go out.
const TOLD_EVERY: Duration = Duration::from_secs(5);
const SAMPLES_PER_MS: u32 = CLOCK_RATE / 1000;

/// The numbers of one peer.
#[derive(Debug)]
pub(super) struct Statistics {
    interval: Duration,
    lost: u64,
    received: Flow,
    sent: Flow,
    /// In samples.
    jitter: u32,
    rtt: Option<Duration>,
    remote_jitter: u32,
    remote_lost: u64,
    /// At the last look.
    remote_lost_before: u64,
}

impl Statistics {
    /// A threshold that comes later is judged over the time that was chosen for this one.
    pub(super) fn new(slowlink_threshold: u32) -> Self {
        Self {
            interval: if slowlink_threshold == 0 { TOLD_EVERY } else { JUDGED_EVERY },
            lost: 0,
            received: Flow::default(),
            sent: Flow::default(),
            jitter: 0,
            rtt: None,
            remote_jitter: 0,
            remote_lost: 0,
            remote_lost_before: 0,
        }
    }

    /// How often to look.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// Whether `lost` packets between two looks are at least so many a second.
    pub(super) fn is_rate(&self, lost: u32, a_second: u32) -> bool {
        u64::from(lost) >= u64::from(a_second) * self.interval.as_secs()
    }

    /// So many packets of the peer's were `lost` since the last look; packets and bytes that were received and sent in all.
    pub(super) fn look(&mut self, lost: u64, jitter: u32, received: (u64, u64), sent: (u64, u64)) -> u32 {
        self.lost += lost;
        self.jitter = jitter;
        self.received.count(received.0, received.1, self.interval.as_secs());
        self.sent.count(sent.0, sent.1, self.interval.as_secs());
        u32::try_from(lost).unwrap_or(u32::MAX)
    }

    /// What the peer says of our stream.
    pub(super) fn take_report(&mut self, reception: &Reception, now: NtpTime) {
        self.rtt = reception.round_trip(now).or(self.rtt);
        self.remote_jitter = reception.jitter;
        // RFC 3550 section 6.4.1: it has 24 bits with a sign, and duplicates make it negative.
        const NEGATIVE: u32 = 1 << 23;
        self.remote_lost = if reception.lost < NEGATIVE { u64::from(reception.lost) } else { 0 };
    }

    /// How many more packets of ours the peer says were lost than at the last call.
    pub(super) fn lost_by_remote(&mut self) -> u32 {
        let more = self.remote_lost.saturating_sub(self.remote_lost_before);
        self.remote_lost_before = self.remote_lost;
        u32::try_from(more).unwrap_or(u32::MAX)
    }

    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.rtt
    }

    pub(super) fn flows(&self) -> (Flow, Flow) {
        (self.received, self.sent)
    }

    pub(super) fn quality(&self) -> Quality {
        Quality {
            rtt: self.rtt,
            lost: self.lost,
            lost_by_remote: self.remote_lost,
            jitter_ms: self.jitter / SAMPLES_PER_MS,
            jitter_of_remote_ms: self.remote_jitter / SAMPLES_PER_MS,
        }
    }
}
