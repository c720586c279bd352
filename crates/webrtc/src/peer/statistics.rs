//! What is counted of a peer's audio, and when so much of it is lost that the client is told. Knows sequence numbers and
//! what str0m reports at intervals; no packet's content.

use std::net::SocketAddr;
use std::time::Duration;

use str0m::net::Protocol;
use str0m::stats::{MediaEgressStats, MediaIngressStats, PeerStats};

use crate::transport::{Flow, Quality};

/// How often slow links are judged, as Janus does.
const JUDGED_EVERY: Duration = Duration::from_secs(1);
/// Without a threshold only operators want to know, and now and then: as often as RTCP reports go out.
const TOLD_EVERY: Duration = Duration::from_secs(5);
/// RTP clock of Opus (RFC 7587 section 4.1), in kHz.
const CLOCK_RATE: u32 = 48;

/// How often to look at a new peer. str0m keeps it: a threshold that comes later is judged over the longer time.
pub(super) fn interval(slowlink_threshold: u32) -> Duration {
    if slowlink_threshold == 0 { TOLD_EVERY } else { JUDGED_EVERY }
}

/// The numbers of one peer.
#[derive(Debug)]
pub(super) struct Statistics {
    interval: Duration,
    stream: Option<Stream>,
    lost: u64,
    received: Flow,
    sent: Flow,
    jitter: u32,
    rtt: Option<Duration>,
    remote_jitter: u32,
    remote_lost: u64,
    pair: Option<(SocketAddr, SocketAddr)>,
    over_tcp: bool,
}

/// What came of a stream since the last look.
#[derive(Debug)]
struct Stream {
    ssrc: u32,
    highest: u64,
    /// At the last look.
    previous: u64,
    packets: u64,
}

impl Statistics {
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            stream: None,
            lost: 0,
            received: Flow::default(),
            sent: Flow::default(),
            jitter: 0,
            rtt: None,
            remote_jitter: 0,
            remote_lost: 0,
            pair: None,
            over_tcp: false,
        }
    }

    /// Whether `lost` packets between two looks are at least so many a second.
    pub(super) fn is_rate(&self, lost: u32, a_second: u32) -> bool {
        u64::from(lost) >= u64::from(a_second) * self.interval.as_secs()
    }

    /// A packet came.
    pub(super) fn heard(&mut self, ssrc: u32, sequence: u64) {
        match &mut self.stream {
            Some(stream) if stream.ssrc == ssrc => {
                stream.highest = stream.highest.max(sequence);
                stream.packets += 1;
            }
            stream => {
                *stream = Some(Stream { ssrc, highest: sequence, previous: sequence.wrapping_sub(1), packets: 1 });
            }
        }
    }

    /// How many packets of the peer were lost since the last look (RFC 3550 appendix A.3).
    pub(super) fn look(&mut self, stats: &PeerStats) -> u32 {
        self.pair = stats.selected_candidate_pair.as_ref().map(|pair| (pair.local.addr, pair.remote.addr));
        self.over_tcp = stats.selected_candidate_pair.as_ref().is_some_and(|pair| pair.protocol != Protocol::Udp);
        let Some(stream) = &mut self.stream else { return 0 };
        let expected = stream.highest.wrapping_sub(stream.previous);
        let lost = expected.saturating_sub(stream.packets);
        stream.previous = stream.highest;
        stream.packets = 0;
        self.lost += lost;
        u32::try_from(lost).unwrap_or(u32::MAX)
    }

    pub(super) fn take_received(&mut self, stats: &MediaIngressStats) {
        self.received.count(stats.packets, stats.bytes, self.interval.as_secs());
        self.jitter = stats.jitter;
    }

    /// How many more packets of ours the peer says were lost.
    pub(super) fn take_sent(&mut self, stats: &MediaEgressStats) -> u32 {
        self.sent.count(stats.packets, stats.bytes, self.interval.as_secs());
        self.rtt = stats.rtt.or(self.rtt);
        let Some(remote) = &stats.remote else { return 0 };
        self.remote_jitter = remote.jitter;
        // RFC 3550 section 6.4.1: it has 24 bits with a sign, and duplicates make it negative.
        const NEGATIVE: u64 = 1 << 23;
        let lost = if remote.packets_lost < NEGATIVE { remote.packets_lost } else { 0 };
        let more = lost.saturating_sub(self.remote_lost);
        self.remote_lost = lost;
        u32::try_from(more).unwrap_or(u32::MAX)
    }

    pub(super) fn remote_ssrc(&self) -> Option<u32> {
        self.stream.as_ref().map(|stream| stream.ssrc)
    }

    /// Our address and the peer's.
    pub(super) fn selected_pair(&self) -> Option<(SocketAddr, SocketAddr)> {
        self.pair
    }

    pub(super) fn is_over_tcp(&self) -> bool {
        self.over_tcp
    }

    pub(super) fn flows(&self) -> (Flow, Flow) {
        (self.received, self.sent)
    }

    pub(super) fn quality(&self) -> Quality {
        Quality {
            rtt: self.rtt,
            lost: self.lost,
            lost_by_remote: self.remote_lost,
            jitter_ms: self.jitter / CLOCK_RATE,
            jitter_of_remote_ms: self.remote_jitter / CLOCK_RATE,
        }
    }
}
