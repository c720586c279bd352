//! What a peer tells of its transport. A part of [`Peer`] that only reads.

use str0m::IceConnectionState;

use super::Peer;
use crate::packet::Protocol;
use crate::transport::{AudioInfo, DtlsInfo, IceInfo, PeerStatistics, TransportInfo};

impl Peer {
    /// The fingerprint and the candidates are ours.
    pub(crate) fn info(&self, fingerprint: String, candidates: Vec<String>) -> TransportInfo {
        let PeerStatistics { received, sent, quality } = self.measure();
        TransportInfo {
            ice: IceInfo {
                lite: self.ice.ice_lite(),
                controlling: self.ice.controlling(),
                state: match self.ice_state {
                    IceConnectionState::New => "new",
                    IceConnectionState::Checking => "checking",
                    IceConnectionState::Connected => "connected",
                    IceConnectionState::Completed => "completed",
                    IceConnectionState::Disconnected => "disconnected",
                },
                connected_at: self.path_at,
                local_candidates: candidates,
                remote_candidates: self.candidates.clone(),
                selected_pair: self.path.map(|path| (path.destination, path.source)),
                over_tcp: self.path.is_some_and(|path| path.protocol == Protocol::Tcp),
            },
            dtls: DtlsInfo {
                fingerprint,
                remote_fingerprint: self.remote.fingerprint.clone(),
                active: self.dtls.is_active(),
                connected_at: self.connected_at,
            },
            audio: AudioInfo {
                mid: self.audio.mid.clone(),
                payload_type: self.audio.payload_type,
                ssrc: self.audio.ssrc,
                remote_ssrc: self.audio.remote_ssrc(),
                sends: self.audio.direction.sends(),
                receives: self.audio.direction.receives(),
                extensions: self.audio.extensions.iter().map(|it| (it.kind.uri(), it.id)).collect(),
                received,
                sent,
                quality,
            },
        }
    }

    pub(crate) fn measure(&self) -> PeerStatistics {
        let (received, sent) = self.audio.statistics.flows();
        PeerStatistics { received, sent, quality: self.audio.statistics.quality() }
    }
}
