//! How a peer's `str0m::Rtc` is set up. Knows no peer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::config::{CryptoProvider, DtlsCert};
use str0m::format::{Codec, FormatParams};
use str0m::media::Frequency;
use str0m::net::{Protocol, TcpType};
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Candidate, IceCreds, Rtc, RtcConfig};

use super::statistics;
use crate::candidate;
use crate::sdp::{ExtensionKind, HeaderExtension};

/// What all peers of a shard share.
#[derive(Debug)]
pub(crate) struct PeerConfig {
    pub(crate) certificate: DtlsCert,
    pub(crate) crypto: Arc<CryptoProvider>,
    pub(crate) candidates: Vec<SocketAddr>,
    pub(crate) tcp_port: Option<u16>,
    pub(crate) ice_lite: bool,
    pub(crate) no_media_timeout: Duration,
    pub(crate) slowlink_threshold: u32,
    pub(crate) connect_timeout: Duration,
}

impl PeerConfig {
    pub(super) fn rtc(
        &self,
        payload_type: u8,
        offered: &[HeaderExtension],
        credentials: IceCreds,
        now: Instant,
    ) -> Rtc {
        let mut extensions = ExtensionMap::empty();
        for extension in offered {
            extensions.set(extension.id, str0m_extension(extension.kind));
        }
        let mut builder = RtcConfig::new()
            .set_crypto_provider(self.crypto.clone())
            .set_dtls_cert(self.certificate.clone())
            .set_local_ice_credentials(credentials)
            .set_ice_lite(self.ice_lite)
            .set_rtp_mode(true)
            .set_extension_map(extensions)
            .set_stats_interval(Some(statistics::interval(self.slowlink_threshold)))
            .clear_codecs();
        builder.codec_config().add_config(
            payload_type.into(),
            None,
            Codec::Opus,
            Frequency::FORTY_EIGHT_KHZ,
            Some(2),
            FormatParams::default(),
        );
        let mut rtc = builder.build(now);
        let udp = self.candidates.iter().map(|address| Candidate::host(*address, Protocol::Udp));
        let tcp = candidate::over_tcp(&self.candidates, self.tcp_port)
            .map(|address| Candidate::builder().tcp().host(address).tcptype(TcpType::Passive).build());
        for candidate in udp.chain(tcp) {
            match candidate {
                Ok(candidate) => {
                    rtc.add_local_candidate(candidate);
                }
                Err(error) => tracing::debug!(%error, "our own candidate is not usable"),
            }
        }
        rtc
    }
}

pub(super) fn str0m_extension(kind: ExtensionKind) -> Extension {
    match kind {
        ExtensionKind::Mid => Extension::RtpMid,
        ExtensionKind::AudioLevel => Extension::AudioLevel,
    }
}
