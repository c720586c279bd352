//! What the media planes tell of a PeerConnection's transport. Plain data; how an operator sees it is in `inquiry.rs`.

use std::net::SocketAddr;
use std::time::Instant;

use super::statistics::NetworkStatistics;

/// A transport at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportInfo {
    /// Paths.
    pub ice: IceInfo,
    /// Keys.
    pub dtls: DtlsInfo,
    /// Audio.
    pub audio: AudioInfo,
}

/// Paths to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceInfo {
    /// Whether the server is ICE lite.
    pub lite: bool,
    /// Whether the server chooses the pair.
    pub controlling: bool,
    /// In one word, for example `connected`.
    pub state: &'static str,
    /// When there was a path for the first time.
    pub connected_at: Option<Instant>,
    /// The server's.
    pub local_candidates: Vec<String>,
    /// The client's.
    pub remote_candidates: Vec<String>,
    /// The server's address and the client's, of the pair in use.
    pub selected_pair: Option<(SocketAddr, SocketAddr)>,
    /// That pair is a TCP connection.
    pub over_tcp: bool,
}

/// The encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DtlsInfo {
    /// Hash and digest, as in `a=fingerprint`.
    pub fingerprint: String,
    /// The client's.
    pub remote_fingerprint: String,
    /// Whether the server is the DTLS client.
    pub active: bool,
    /// When the handshake ended.
    pub connected_at: Option<Instant>,
}

/// The audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioInfo {
    /// The section of the SDP.
    pub mid: String,
    /// Of Opus.
    pub payload_type: u8,
    /// Of what the client is sent.
    pub ssrc: u32,
    /// Of what the client sends, once it does.
    pub remote_ssrc: Option<u32>,
    /// Whether the client is sent audio.
    pub sends: bool,
    /// Whether audio is taken from the client.
    pub receives: bool,
    /// Header extensions: URI and identifier.
    pub extensions: Vec<(&'static str, u8)>,
    /// How it fares.
    pub network: NetworkStatistics,
}

/// What went one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// RTP packets.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The bytes of the last second.
    pub bytes_last_second: u64,
}
