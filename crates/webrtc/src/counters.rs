//! What a shard counts: plain numbers that only rise (but for what is now), read by whoever publishes them.

use crate::error::CloseReason;

/// The counts of one shard and its driver since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams read from the socket, and frames from TCP connections.
    pub datagrams_received: u64,
    /// Bytes of payload in them.
    pub bytes_received: u64,
    /// Datagrams given to the socket or a TCP connection.
    pub datagrams_sent: u64,
    /// Bytes of payload in them.
    pub bytes_sent: u64,
    /// Dropped: neither STUN nor DTLS, RTP or RTCP (RFC 7983).
    pub dropped_unknown_kind: u64,
    /// Dropped: from an address no peer has proved to own.
    pub dropped_unknown_source: u64,
    /// Dropped: STUN for a user fragment no peer has.
    pub dropped_unknown_user: u64,
    /// Dropped: STUN with the name of a peer but not its key, or malformed.
    pub dropped_unverified: u64,
    /// Datagrams of handshakes dropped because too many waited until audio had its turn.
    pub handshakes_dropped: u64,
    /// Datagrams from a peer's address that were not its own, broken or not what was negotiated; the peer goes on.
    pub datagram_errors: u64,
    /// Offers answered.
    pub offers_answered: u64,
    /// Offers of ours answered.
    pub offers_accepted: u64,
    /// Offers, and answers to ours, refused.
    pub offers_refused: u64,
    /// Remote candidates not used: mDNS, TCP, malformed, too many.
    pub candidates_ignored: u64,
    /// Transports for which ICE found a path.
    pub paths: u64,
    /// DTLS handshakes completed.
    pub handshakes: u64,
    /// Peers with a transport now.
    pub peers: u64,
    /// Transports that ended, by reason.
    pub closed: ClosedPeers,
    /// Panics caught, each of which cost one peer.
    pub panics: u64,
    /// Commands and audio for a peer that is gone.
    pub stale: u64,
    /// Audio packets received.
    pub audio_received: u64,
    /// Bytes of Opus in them.
    pub audio_bytes_received: u64,
    /// Audio packets of peers that did not come, counted every few seconds.
    pub audio_lost_receiving: u64,
    /// Audio packets received while the peer had no route.
    pub audio_unrouted: u64,
    /// Audio packets sent.
    pub audio_sent: u64,
    /// Bytes of Opus in them.
    pub audio_bytes_sent: u64,
    /// Audio packets sent that did not reach their peer, as it says.
    pub audio_lost_sending: u64,
    /// Audio packets not sent: the peer is not connected or does not want to receive.
    pub audio_unsent: u64,
    /// Mixes have waited too long for their turn: nobody new should be let in.
    pub overloaded: bool,
    /// Batches of audio dropped because the driver's queue was full.
    pub audio_batches_dropped: u64,
    /// Datagrams the kernel did not take.
    pub send_errors: u64,
    /// TCP connections of peers now.
    pub connections: u64,
    /// TCP connections closed because they were nobody's: a first check that was not right, or a peer that has gone.
    pub connections_refused: u64,
    /// Frames not sent: the client does not read its TCP connection, or has closed it.
    pub frames_dropped: u64,
}

/// How transports ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClosedPeers {
    /// By our own command, or replaced by a new transport of the same peer.
    pub by_us: u64,
    /// [`CloseReason::DtlsAlert`].
    pub dtls_alert: u64,
    /// [`CloseReason::DtlsTimeout`].
    pub dtls_timeout: u64,
    /// [`CloseReason::DtlsError`].
    pub dtls_error: u64,
    /// [`CloseReason::IceFailed`].
    pub ice_failed: u64,
    /// [`CloseReason::ConsentLost`].
    pub consent_lost: u64,
    /// [`CloseReason::Internal`].
    pub internal: u64,
}

impl ClosedPeers {
    pub(crate) fn count(&mut self, reason: CloseReason) {
        let counter = match reason {
            CloseReason::DtlsAlert => &mut self.dtls_alert,
            CloseReason::DtlsTimeout => &mut self.dtls_timeout,
            CloseReason::DtlsError => &mut self.dtls_error,
            CloseReason::IceFailed => &mut self.ice_failed,
            CloseReason::ConsentLost => &mut self.consent_lost,
            CloseReason::Internal => &mut self.internal,
        };
        *counter += 1;
    }
}
