//! What a peer tells of its transport. A part of [`Peer`] that only reads.

use str0m::IceConnectionState;

use super::Peer;
use crate::transport::{AudioInfo, DtlsInfo, IceInfo, PeerStatistics, TransportInfo};

impl Peer {
    /// `candidates` are ours.
    pub(crate) fn info(&mut self, ice_lite: bool, candidates: Vec<String>) -> TransportInfo {
        let fingerprint = self.rtc.direct_api().local_dtls_fingerprint().to_string();
        let (received, sent) = self.statistics.flows();
        TransportInfo {
            ice: IceInfo {
                lite: ice_lite,
                controlling: self.controlling,
                state: match self.ice {
                    IceConnectionState::New => "new",
                    IceConnectionState::Checking => "checking",
                    IceConnectionState::Connected => "connected",
                    IceConnectionState::Completed => "completed",
                    IceConnectionState::Disconnected => "disconnected",
                },
                connected_at: self.path_at,
                local_candidates: candidates,
                remote_candidates: self.candidates.clone(),
                selected_pair: self.statistics.selected_pair(),
                over_tcp: self.statistics.is_over_tcp(),
            },
            dtls: DtlsInfo {
                fingerprint,
                remote_fingerprint: self.remote.fingerprint.clone(),
                active: self.active,
                connected_at: self.connected_at,
            },
            audio: AudioInfo {
                mid: self.mid.to_string(),
                payload_type: self.payload_type,
                ssrc: *self.ssrc,
                remote_ssrc: self.statistics.remote_ssrc(),
                sends: self.direction.sends(),
                receives: self.direction.receives(),
                extensions: self.extensions.iter().map(|it| (it.kind.uri(), it.id)).collect(),
                received,
                sent,
                quality: self.statistics.quality(),
            },
        }
    }

    pub(crate) fn measure(&self) -> PeerStatistics {
        let (received, sent) = self.statistics.flows();
        PeerStatistics { received, sent, quality: self.statistics.quality() }
    }
}
