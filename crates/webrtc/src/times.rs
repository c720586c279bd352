//! How long peer connections took to come up, and how far away their peers are. Must not know who reads it.

use std::time::Duration;

use histogram::{Histogram, WAITS};

/// Histograms since the shard began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// From the answer, or the answer to an offer of ours, to a path that ICE has found.
    pub ice: Histogram,
    /// From the path to the end of the DTLS handshake.
    pub dtls: Histogram,
    /// From there to the first packet of the peer's audio.
    pub first_packet: Histogram,
    /// Round trips as RTCP tells them (RFC 3550 section 6.4.1), for each peer at each look at it.
    pub round_trip: Histogram,
}

/// What was measured at one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measured {
    Ice(Duration),
    Dtls(Duration),
    FirstPacket(Duration),
    RoundTrip(Duration),
    /// So many packets of the peer's were lost.
    LostReceiving(u32),
    /// So many of ours were, as the peer says.
    LostSending(u32),
}

/// From the same machine to around the world by satellite; a conversation suffers from 300 ms on (ITU-T G.114).
const ROUND_TRIP: &[Duration] = &[
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(30),
    Duration::from_millis(50),
    Duration::from_millis(75),
    Duration::from_millis(100),
    Duration::from_millis(150),
    Duration::from_millis(200),
    Duration::from_millis(300),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

impl Default for Times {
    fn default() -> Self {
        Self {
            ice: Histogram::new(WAITS),
            dtls: Histogram::new(WAITS),
            first_packet: Histogram::new(WAITS),
            round_trip: Histogram::new(ROUND_TRIP),
        }
    }
}
