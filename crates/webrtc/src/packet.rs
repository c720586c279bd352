//! The packets at the borders of this crate, and the counting that makes one continuous stream of what passes.
//! Knows RTP time and sequence, not sockets.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use crate::command::PeerSlot;
use crate::rtp::samples;

/// The shortest step between two packets: a frame of 20 ms.
const FRAME: u64 = 960;
/// Sequence numbers left free before a new stream, so that its late packets do not land on those of the old one: as far back as
/// what is late is taken.
const STREAM_GAP: u64 = 128;

/// One packet of a peer's audio, decrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioPacket {
    /// Extended sequence number: never wraps, and goes on rising when the peer changes its stream.
    pub sequence: u64,
    /// Extended RTP time in samples at 48 kHz; as `sequence`, continuous over a change of stream.
    pub timestamp: u64,
    /// The level the peer claims (RFC 6464) in dBov, −127 to 0; `None` if not negotiated.
    pub audio_level: Option<i8>,
    /// The Opus packet.
    pub payload: Arc<[u8]>,
    /// When its datagram was read.
    pub arrival: Instant,
}

/// One packet of a mix for one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MixedAudio {
    /// Who hears it.
    pub peer: PeerSlot,
    /// Samples at 48 kHz since the epoch that all mixes share.
    pub media_time: u64,
    /// The Opus packet.
    pub payload: Arc<[u8]>,
}

/// How datagrams travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// As they are.
    Udp,
    /// In the frames of a connection (RFC 4571) that the peer has opened.
    Tcp,
}

/// A datagram to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// How.
    pub protocol: Protocol,
    /// The local address it has to leave from; `None` leaves it to the kernel.
    pub source: Option<IpAddr>,
    /// Where to.
    pub destination: SocketAddr,
    /// What.
    pub payload: Vec<u8>,
}

/// How a datagram has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) protocol: Protocol,
    pub(crate) source: SocketAddr,
    /// Our candidate.
    pub(crate) destination: SocketAddr,
}

impl Path {
    /// A datagram the other way.
    pub(crate) fn reply(self, payload: Vec<u8>) -> Transmit {
        let Self { protocol, source, destination } = self;
        Transmit { protocol, source: Some(destination.ip()), destination: source, payload }
    }
}

/// One packet of a peer's audio with the sender's own numbers, extended so that they never wrap.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) ssrc: u32,
    pub(crate) sequence: u64,
    pub(crate) timestamp: u64,
    pub(crate) audio_level: Option<i8>,
    pub(crate) payload: Arc<[u8]>,
    pub(crate) arrival: Instant,
}

/// Numbers what a peer sends. A peer may change its SSRC (a replaced track, a new transport), and the numbers of the
/// new stream have nothing to do with those of the old: they are moved behind them.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    stream: Option<u32>,
    sequence_shift: u64,
    timestamp_shift: u64,
    newest: Option<Newest>,
}

#[derive(Debug, Clone, Copy)]
struct Newest {
    sequence: u64,
    timestamp: u64,
    arrival: Instant,
}

impl Incoming {
    /// The next packet of a new transport starts a stream of its own, even with the SSRC of the last.
    pub(crate) fn restart(&mut self) {
        self.stream = None;
    }

    /// Makes the packet one of the continuous stream.
    pub(crate) fn number(&mut self, packet: Received) -> AudioPacket {
        let Received { ssrc, sequence, timestamp, audio_level, payload, arrival } = packet;
        if self.stream != Some(ssrc) {
            self.stream = Some(ssrc);
            if let Some(newest) = self.newest {
                let elapsed = samples(arrival.saturating_duration_since(newest.arrival)).max(FRAME);
                self.sequence_shift = (newest.sequence + STREAM_GAP).wrapping_sub(sequence);
                self.timestamp_shift = (newest.timestamp + elapsed).wrapping_sub(timestamp);
            }
        }
        let sequence = sequence.wrapping_add(self.sequence_shift);
        let timestamp = timestamp.wrapping_add(self.timestamp_shift);
        if self.newest.is_none_or(|newest| newest.sequence < sequence) {
            self.newest = Some(Newest { sequence, timestamp, arrival });
        }
        AudioPacket { sequence, timestamp, audio_level, payload, arrival }
    }
}

/// Numbers what a peer is sent: one stream whatever room it comes from, with gaps where nothing was sent.
#[derive(Debug)]
pub(crate) struct Outgoing {
    sequence: u64,
    timestamp: u32,
    media_time: Option<u64>,
}

impl Outgoing {
    /// Starts at random numbers (RFC 3550 section 5.1).
    pub(crate) fn new(sequence: u16, timestamp: u32) -> Self {
        // The upper half of the range is left out: the extended number has to start in the first cycle of 65,536 and
        // a receiver that misses the first packets must not see the second cycle first (RFC 3711 section 3.3.1).
        Self { sequence: u64::from(sequence >> 1), timestamp, media_time: None }
    }

    /// Extended sequence number and RTP time of a packet with this media time.
    pub(crate) fn number(&mut self, media_time: u64) -> (u64, u32) {
        if let Some(previous) = self.media_time {
            // Rooms tick at different phases, so a change of room may come less than a frame after the last packet.
            let step = media_time.saturating_sub(previous).max(FRAME);
            self.sequence += 1;
            self.timestamp = self.timestamp.wrapping_add(step as u32);
        }
        self.media_time = Some(media_time);
        (self.sequence, self.timestamp)
    }
}
