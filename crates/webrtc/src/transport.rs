//! What a peer's transport is and does, for an operator who asks. Plain data.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A peer's transport at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportInfo {
    /// Paths.
    pub ice: IceInfo,
    /// Keys.
    pub dtls: DtlsInfo,
    /// Audio.
    pub audio: AudioInfo,
}

/// Paths to the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceInfo {
    /// We are ICE lite.
    pub lite: bool,
    /// We choose the pair.
    pub controlling: bool,
    /// In one word: `new`, `checking`, `connected`, `completed`, `disconnected`.
    pub state: &'static str,
    /// When a pair worked for the first time.
    pub connected_at: Option<Instant>,
    /// Ours, as `candidate:…`.
    pub local_candidates: Vec<String>,
    /// Those the peer told of, as `candidate:…`.
    pub remote_candidates: Vec<String>,
    /// Our address and the peer's, of the pair in use.
    pub selected_pair: Option<(SocketAddr, SocketAddr)>,
    /// That pair is a TCP connection.
    pub over_tcp: bool,
}

/// The encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DtlsInfo {
    /// As in `a=fingerprint`.
    pub fingerprint: String,
    /// As in `a=fingerprint`.
    pub remote_fingerprint: String,
    /// We are the client.
    pub active: bool,
    /// When the handshake ended; `None` while it is under way.
    pub connected_at: Option<Instant>,
}

/// The audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioInfo {
    /// The section of the SDP.
    pub mid: String,
    /// Of Opus.
    pub payload_type: u8,
    /// Of what we send.
    pub ssrc: u32,
    /// Of what the peer sends, once it does.
    pub remote_ssrc: Option<u32>,
    /// We send.
    pub sends: bool,
    /// We receive.
    pub receives: bool,
    /// Header extensions: URI and identifier.
    pub extensions: Vec<(&'static str, u8)>,
    /// From the peer.
    pub received: Flow,
    /// To the peer.
    pub sent: Flow,
    /// How well it travels.
    pub quality: Quality,
}

/// What of a peer's audio went both ways, and how well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PeerStatistics {
    /// From the peer.
    pub received: Flow,
    /// To the peer.
    pub sent: Flow,
    /// How well it travels.
    pub quality: Quality,
}

/// What went one way, as of the last look: once a second where slow links are told, every five seconds elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flow {
    /// RTP packets.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The bytes of a second before it.
    pub bytes_last_second: u64,
}

/// How well audio travels, both ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quality {
    /// There and back, from the peer's last receiver report.
    pub rtt: Option<Duration>,
    /// Packets of the peer that did not come.
    pub lost: u64,
    /// Packets of ours that did not come to the peer, as it says.
    pub lost_by_remote: u64,
    /// Of what we receive (RFC 3550 section 6.4.1).
    pub jitter_ms: u32,
    /// Of what the peer receives, as it says.
    pub jitter_of_remote_ms: u32,
}

impl Flow {
    /// Takes what it was in all after so many more seconds.
    pub(crate) fn count(&mut self, packets: u64, bytes: u64, seconds: u64) {
        *self = Self { packets, bytes, bytes_last_second: bytes.saturating_sub(self.bytes) / seconds };
    }
}
