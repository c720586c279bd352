//! One stream that a peer sends, by its SSRC: how it is numbered and how well it is received (RFC 3550 appendix A). Knows no
//! content and no keys.

use std::time::{Duration, Instant};

use crate::rtcp::{NtpTime, Reception};
use crate::rtp::samples;
use crate::srtp::Window;

/// What has come with one SSRC.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) ssrc: u32,
    pub(super) window: Window,
    /// The index of its first packet.
    first: u64,
    /// Packets.
    received: u64,
    /// Extended, of the packet that came last.
    timestamp: u64,
    /// Arrival less timestamp, in samples; only its changes mean something.
    transit: u32,
    /// In 16ths of a sample.
    jitter: u32,
    told: Look,
    reported: Look,
    /// The time in the peer's last report, and when that came.
    last_report: Option<(NtpTime, Instant)>,
}

/// What was expected and received when somebody last looked.
#[derive(Debug, Clone, Copy, Default)]
struct Look {
    expected: u64,
    received: u64,
}

impl Stream {
    pub(super) fn new(ssrc: u32) -> Self {
        let (window, look) = (Window::default(), Look::default());
        Self {
            ssrc,
            window,
            first: 0,
            received: 0,
            timestamp: 0,
            transit: 0,
            jitter: 0,
            told: look,
            reported: look,
            last_report: None,
        }
    }

    /// A packet of this stream has come, `arrived` after something that is the same for all; its timestamp, extended.
    pub(super) fn take(&mut self, index: u64, timestamp: u32, arrived: Duration) -> u64 {
        let transit = (samples(arrived) as u32).wrapping_sub(timestamp);
        if self.received == 0 {
            self.first = index;
            self.timestamp = u64::from(timestamp);
        } else {
            let step = timestamp.wrapping_sub(self.timestamp as u32).cast_signed();
            self.timestamp = self.timestamp.wrapping_add_signed(i64::from(step));
            // RFC 3550 appendix A.8.
            let difference = transit.wrapping_sub(self.transit).cast_signed().unsigned_abs();
            self.jitter = (self.jitter - (self.jitter.saturating_add(8) >> 4)).saturating_add(difference);
        }
        self.transit = transit;
        self.window.take(index);
        self.first = self.first.min(index);
        self.received += 1;
        self.timestamp
    }

    /// The peer says what time it is.
    pub(super) fn take_report(&mut self, time: NtpTime, now: Instant) {
        self.last_report = Some((time, now));
    }

    /// How many packets were lost since the last call.
    pub(super) fn lost_since(&mut self) -> u64 {
        let now = self.look();
        let Look { expected, received } = std::mem::replace(&mut self.told, now);
        (now.expected - expected).saturating_sub(now.received - received)
    }

    /// What to report if something came since the last call.
    pub(super) fn reception(&mut self, now: Instant) -> Option<Reception> {
        let look = self.look();
        let last = std::mem::replace(&mut self.reported, look);
        if look.received == last.received {
            return None;
        }
        let expected = look.expected - last.expected;
        let lost = expected.saturating_sub(look.received - last.received);
        let (last_report, delay) = self.last_report.map_or((0, 0), |(time, at)| {
            let delay = now.saturating_duration_since(at).as_micros() * 65_536 / 1_000_000;
            (time.middle(), u32::try_from(delay).unwrap_or(u32::MAX))
        });
        // 24 bits with a sign, cut as RFC 3550 appendix A.3 says.
        let lost_ever = (look.expected.cast_signed() - look.received.cast_signed()).clamp(-0x80_0000, 0x7f_ffff);
        Some(Reception {
            ssrc: self.ssrc,
            fraction_lost: (lost * 256 / expected.max(1)).min(255) as u8,
            lost: lost_ever as u32 & 0xff_ffff,
            highest: self.window.newest().unwrap_or(0) as u32,
            jitter: self.jitter(),
            last_report,
            delay,
        })
    }

    /// In samples.
    pub(super) fn jitter(&self) -> u32 {
        self.jitter >> 4
    }

    fn look(&self) -> Look {
        let expected = self.window.newest().map_or(0, |newest| newest + 1 - self.first);
        Look { expected, received: self.received }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "where virtual time starts does not matter")]
    fn start() -> Instant {
        Instant::now()
    }

    /// Packets 20 ms apart, each late by so many milliseconds; `None` is lost.
    fn stream(delays: &[Option<u64>]) -> Stream {
        let mut stream = Stream::new(7);
        for (index, delay) in delays.iter().enumerate() {
            if let Some(delay) = delay {
                let arrived = Duration::from_millis(20 * index as u64 + delay);
                stream.take(65_530 + index as u64, 4_294_960_000_u32.wrapping_add(960 * index as u32), arrived);
            }
        }
        stream
    }

    #[test]
    fn losses_are_told_and_reported_once() {
        let mut stream = stream(&[Some(0), None, Some(0), None, None, Some(0), Some(0), Some(0)]);

        let report = stream.reception(start()).unwrap();
        assert_eq!((report.lost, report.fraction_lost, report.highest), (3, 96, 65_537));
        assert_eq!(stream.lost_since(), 3);
        assert_eq!((stream.lost_since(), stream.reception(start())), (0, None));

        stream.take(65_538, 0, Duration::ZERO);
        let report = stream.reception(start()).unwrap();
        assert_eq!((report.lost, report.fraction_lost), (3, 0));
        // Late, and not lost after all.
        stream.take(65_534, 0, Duration::ZERO);
        assert_eq!(stream.reception(start()).unwrap().lost, 2);
    }

    #[test]
    fn time_goes_on_over_its_wrap_and_back() {
        let mut stream = stream(&[Some(0); 20]);
        let newest = 4_294_960_000 + 960 * 19;
        assert_eq!(stream.take(65_550, (newest + 960) as u32, Duration::ZERO), newest + 960);
        assert_eq!(stream.take(65_549, newest as u32, Duration::ZERO), newest);
    }

    #[test]
    fn jitter_follows_the_delays() {
        assert_eq!(stream(&[Some(30); 100]).jitter(), 0);
        let uneven: Vec<_> = (0..400).map(|index| Some(index % 2 * 10)).collect();
        let jitter = stream(&uneven).jitter();
        assert!((470..=480).contains(&jitter), "10 ms are 480 samples: {jitter}");
    }
}
