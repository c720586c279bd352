//! How a shard connects its peers. Plain data: where it comes from is the server's business.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::candidate;

/// How a shard connects its peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardConfig {
    /// Which of the shards of this process it is: whose TCP connections are handed to it.
    pub number: u8,
    /// Our addresses as announced, in order of preference.
    pub candidates: Vec<SocketAddr>,
    /// Where TCP connections are taken as well, at the addresses of the candidates.
    pub tcp_port: Option<u16>,
    /// The address in `o=` and `c=`.
    pub sdp_address: IpAddr,
    /// Behind a 1:1 NAT: the public address, which has to be among the candidates. Datagrams to a local address that is
    /// no candidate count as sent to this one, and the answers leave from the address the kernel chooses.
    pub public_mapping: Option<IpAddr>,
    /// Answer ICE checks but make none. Saves a quarter of a second at connecting and works for every server whose
    /// announced addresses can be reached.
    pub ice_lite: bool,
    /// Candidates are told apart from the SDP, which then has none.
    pub full_trickle: bool,
    /// After this time without a packet the peer is no longer [receiving](crate::PeerEvent::Receiving); zero: never.
    pub no_media_timeout: Duration,
    /// So many packets lost in a second are [told](crate::PeerEvent::SlowLink); zero: never.
    pub slowlink_threshold: u32,
    /// ICE and DTLS have to be up after this time.
    pub connect_timeout: Duration,
    /// Since the Unix epoch, when the shard begins: what sender reports tell of the time.
    pub wall_clock: Duration,
}

impl ShardConfig {
    /// ICE lite at these addresses, of which the first one goes into `o=` and `c=`, with the time limits of Janus and a clock that begins in 1970.
    pub fn announcing(candidates: Vec<SocketAddr>) -> Self {
        let sdp_address = candidates.first().map_or(IpAddr::from([0, 0, 0, 0]), SocketAddr::ip);
        Self {
            number: 0,
            candidates,
            tcp_port: None,
            sdp_address,
            public_mapping: None,
            ice_lite: true,
            full_trickle: false,
            no_media_timeout: Duration::from_secs(1),
            slowlink_threshold: 0,
            connect_timeout: Duration::from_secs(20),
            wall_clock: Duration::ZERO,
        }
    }

    /// As an SDP names them.
    pub(crate) fn candidates_of_ours(&self) -> impl Iterator<Item = String> {
        candidate::ours(&self.candidates, self.tcp_port)
    }
}
