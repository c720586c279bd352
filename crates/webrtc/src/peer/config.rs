//! What all peers of a shard share, and their ICE agents. Knows no peer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::ice::IceAgent;
use str0m::net::{Protocol, TcpType};
use str0m::{Candidate, IceCreds};

use crate::candidate;
use crate::dtls::{Certificate, crypto};

/// What all peers of a shard share.
#[derive(Debug)]
pub(crate) struct PeerConfig {
    pub(crate) certificate: Certificate,
    pub(crate) candidates: Vec<SocketAddr>,
    pub(crate) tcp_port: Option<u16>,
    pub(crate) ice_lite: bool,
    pub(crate) no_media_timeout: Duration,
    pub(crate) slowlink_threshold: u32,
    pub(crate) connect_timeout: Duration,
    /// When the shard began, and how long after the Unix epoch that was.
    pub(crate) began: (Instant, Duration),
}

impl PeerConfig {
    pub(super) fn ice(&self, credentials: IceCreds, controlling: bool) -> IceAgent {
        let mut ice = IceAgent::with_hmac(credentials, crypto().sha1_hmac_provider);
        ice.set_ice_lite(self.ice_lite);
        ice.set_controlling(controlling);
        let udp = self.candidates.iter().map(|address| Candidate::host(*address, Protocol::Udp));
        let tcp = candidate::over_tcp(&self.candidates, self.tcp_port)
            .map(|address| Candidate::builder().tcp().host(address).tcptype(TcpType::Passive).build());
        for candidate in udp.chain(tcp) {
            match candidate {
                Ok(candidate) => {
                    ice.add_local_candidate(candidate);
                }
                Err(error) => tracing::debug!(%error, "our own candidate is not usable"),
            }
        }
        ice
    }

    /// Since the Unix epoch.
    pub(super) fn wall_clock(&self, now: Instant) -> Duration {
        let (began, wall_clock) = self.began;
        wall_clock + now.saturating_duration_since(began)
    }
}
