//! One peer's transport: the only file that touches `str0m::Rtc`. Knows nothing of other peers, rooms or sockets.

mod config;
mod info;
mod media;
mod statistics;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::change::SdpOffer;
use str0m::media::{Mid, Pt};
use str0m::net::Receive;
use str0m::rtp::{RtpPacket, RtpWrite, Ssrc};
use str0m::{Candidate, Event, IceConnectionState, IceCreds, Input, Rtc, net};

pub(crate) use self::config::PeerConfig;
use self::config::str0m_extension;
use self::media::MediaWatch;
use self::statistics::Statistics;
use crate::demux::Kind;
use crate::error::{CloseReason, OfferError};
use crate::packet::{Path, Protocol, Received};
use crate::sdp::{AudioOffer, Direction, ExtensionKind, HeaderExtension, Setup};
use crate::times::Measured;

/// SSRCs a peer may use at one time. A browser has one per track it ever sent.
const MAX_STREAMS: usize = 8;
/// So late str0m's timers and reports may be: a peer whose packets flow is polled to the end only this often. What was
/// left comes out with the next packet, most times.
const POLL_WITHIN: Duration = Duration::from_millis(100);
/// Packets come every 20 ms: an input this close to the limit polls to the end, so that no timer has to.
const POLL_EARLY: Duration = Duration::from_millis(25);
/// Remote candidates over the life of a transport; more are ignored.
const MAX_CANDIDATES: usize = 64;

/// A peer's ICE, DTLS and SRTP. Call order: any input (`negotiate`, `handle_datagram`, `send`, `handle_timeout`,
/// `close`), then [`Peer::poll`] until `Timeout` or `Closed`, before the next input: str0m holds one received packet.
pub(crate) struct Peer {
    rtc: Rtc,
    mid: Mid,
    payload_type: u8,
    remote: Remote,
    credentials: IceCreds,
    /// The DTLS role, which no later offer can change.
    active: bool,
    /// The ICE role.
    controlling: bool,
    direction: Direction,
    extensions: Vec<HeaderExtension>,
    ssrc: Ssrc,
    /// The SSRCs that str0m was told to expect, oldest first.
    streams: Vec<u32>,
    /// The peer's, for those who ask.
    candidates: Vec<String>,
    events: VecDeque<PeerOutput>,
    polling: Polling,
    /// When str0m has to be polled to the end; `None` if it was.
    poll_by: Option<Instant>,
    ice: IceConnectionState,
    /// When its first offer was answered, or its answer to ours taken.
    answered_at: Instant,
    /// When there was a path for the first time.
    path_at: Option<Instant>,
    connected_at: Option<Instant>,
    /// When ICE and DTLS must be up, while one of them is not.
    connect_by: Option<Instant>,
    connect_timeout: Duration,
    media: MediaWatch,
    statistics: Statistics,
    slowlink_threshold: u32,
    /// When the last datagram came; it may have waited since.
    arrival: Instant,
    closed: Option<CloseReason>,
}

/// How far str0m is polled after an input. To find out that it has nothing more to say costs as much as half a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Polling {
    ToTheEnd,
    UntilReceived,
    /// Until the packet with this sequence number has left; an older one may still wait before it.
    UntilSent(u16),
    Enough,
}

/// What tells a renegotiation from a restart, and a restart from another peer connection.
#[derive(Debug, PartialEq, Eq)]
struct Remote {
    ufrag: String,
    password: String,
    fingerprint: String,
}

#[derive(Debug)]
pub(crate) enum PeerOutput {
    Transmit(net::Transmit),
    Packet(Received),
    PathFound,
    Connected,
    Receiving(bool),
    SlowLink {
        uplink: bool,
        lost: u32,
    },
    Measured(Measured),
    /// Nothing more until then.
    Timeout(Instant),
    /// Nothing more at all.
    Closed(CloseReason),
}

/// What an answer needs to know of the transport.
#[derive(Debug)]
pub(crate) struct Negotiated {
    pub(crate) payload_type: u8,
    pub(crate) direction: Direction,
    pub(crate) extensions: Vec<HeaderExtension>,
    pub(crate) credentials: IceCreds,
    pub(crate) fingerprint: String,
    pub(crate) setup: Setup,
    pub(crate) ssrc: u32,
}

impl Peer {
    /// A new transport for the peer that made `offer`, which it will be shown first. If that is the answer to an offer of
    /// ours, `promised` is the SSRC that we named in it.
    pub(crate) fn new(
        config: &PeerConfig,
        offer: &AudioOffer,
        credentials: IceCreds,
        promised: Option<u32>,
        now: Instant,
    ) -> Result<Self, OfferError> {
        let payload_type = *offer.payload_types.first().ok_or(OfferError::NotApplied)?;
        let mut peer = Self {
            rtc: config.rtc(payload_type, &offer.extensions, credentials.clone(), now),
            mid: offer.mid.as_str().into(),
            payload_type,
            remote: Remote::of(offer),
            credentials,
            active: offer.setup == Setup::Passive,
            // RFC 8445 section 6.1.1: who makes the offer controls, but for a lite agent.
            controlling: offer.ice_lite || (promised.is_some() && !config.ice_lite),
            direction: Direction::Inactive,
            extensions: Vec::new(),
            ssrc: 0.into(),
            streams: Vec::new(),
            candidates: Vec::new(),
            events: VecDeque::new(),
            polling: Polling::ToTheEnd,
            poll_by: None,
            ice: IceConnectionState::New,
            answered_at: now,
            path_at: None,
            connected_at: None,
            connect_by: Some(now + config.connect_timeout),
            connect_timeout: config.connect_timeout,
            media: MediaWatch::new(config.no_media_timeout),
            statistics: Statistics::new(statistics::interval(config.slowlink_threshold)),
            slowlink_threshold: config.slowlink_threshold,
            arrival: now,
            closed: None,
        };
        peer.apply(offer)?;
        let mut api = peer.rtc.direct_api();
        api.set_ice_controlling(peer.controlling);
        if let Some(promised) = promised {
            // str0m has drawn one of its own.
            api.remove_stream_tx(peer.ssrc);
            peer.ssrc = promised.into();
            api.declare_stream_tx(peer.ssrc, None, peer.mid, None);
        }
        peer.rtc.handle_input(Input::Timeout(now)).map_err(not_applied)?;
        Ok(peer)
    }

    /// Whether `offer` comes from the peer connection this transport belongs to: another certificate is another one.
    pub(crate) fn is_of(&self, offer: &AudioOffer) -> bool {
        self.remote.fingerprint == offer.fingerprint
    }

    /// A later offer. `credentials` are used if it restarts ICE. After an error the transport goes on as before.
    pub(crate) fn negotiate(
        &mut self,
        offer: &AudioOffer,
        credentials: IceCreds,
        now: Instant,
    ) -> Result<(), OfferError> {
        if !offer.payload_types.contains(&self.payload_type) {
            return Err(OfferError::PayloadTypeChanged);
        }
        let restart = self.remote != Remote::of(offer);
        let mid = Mid::from(offer.mid.as_str());
        if mid != self.mid {
            self.accept(&offer.to_str0m_without(&self.mid))?;
            self.mid = mid;
            self.streams.clear();
        }
        self.apply(offer)?;
        if restart {
            // str0m has chosen some at random: ours come from the seed, and from a cryptographic generator.
            self.rtc.direct_api().set_local_ice_credentials(credentials.clone());
            self.credentials = credentials;
            self.remote = Remote::of(offer);
            self.connect_by = Some(now + self.connect_timeout);
        }
        self.rtc.handle_input(Input::Timeout(now)).map_err(not_applied)
    }

    pub(crate) fn negotiated(&mut self) -> Negotiated {
        let fingerprint = self.rtc.direct_api().local_dtls_fingerprint().to_string();
        Negotiated {
            payload_type: self.payload_type,
            direction: self.direction,
            extensions: self.extensions.clone(),
            credentials: self.credentials.clone(),
            fingerprint,
            setup: if self.active { Setup::Active } else { Setup::Passive },
            ssrc: *self.ssrc,
        }
    }

    /// From now on.
    pub(crate) fn set_thresholds(&mut self, no_media_timeout: Duration, slowlink_threshold: u32, now: Instant) {
        self.media.set_timeout(no_media_timeout, now);
        self.slowlink_threshold = slowlink_threshold;
    }

    /// Whether it was taken. A lite agent makes no checks and learns its pairs from the requests it gets (RFC 8445
    /// section 6.1.1), so the candidates would only cost memory.
    pub(crate) fn add_candidate(&mut self, candidate: Candidate, ice_lite: bool) -> bool {
        if self.candidates.len() == MAX_CANDIDATES {
            return false;
        }
        self.candidates.push(candidate.to_sdp_string());
        if !ice_lite {
            self.rtc.add_remote_candidate(candidate);
        }
        true
    }

    /// Whether str0m takes the datagram as this peer's; for STUN that includes its message integrity.
    pub(crate) fn accepts(&self, path: Path, datagram: &[u8], now: Instant) -> bool {
        receive(path, datagram).is_some_and(|receive| self.rtc.accepts(&Input::Receive(now, receive)))
    }

    /// A datagram that came at `arrival`. Whether str0m had no objection. None of its errors here ends the transport: anybody can send from the peer's
    /// address what is no DTLS record.
    pub(crate) fn handle_datagram(
        &mut self,
        path: Path,
        kind: Kind<'_>,
        datagram: &[u8],
        arrival: Instant,
        now: Instant,
    ) -> bool {
        self.arrival = arrival;
        if let Kind::Rtp { ssrc } = kind {
            self.expect_stream(ssrc);
            self.poll_only(Polling::UntilReceived, now);
        }
        let Some(receive) = receive(path, datagram) else { return false };
        match self.rtc.handle_input(Input::Receive(now, receive)) {
            Ok(()) => true,
            Err(error) => {
                tracing::debug!(%error, "datagram not taken");
                false
            }
        }
    }

    pub(crate) fn can_send(&self) -> bool {
        self.connected_at.is_some() && self.closed.is_none() && self.direction.sends()
    }

    /// Sends one packet now.
    pub(crate) fn send(&mut self, sequence: u64, timestamp: u32, payload: Arc<[u8]>, now: Instant) {
        if let Some(stream) = self.rtc.direct_api().stream_tx(&self.ssrc) {
            let payload_type = Pt::from(self.payload_type);
            stream.write_rtp(RtpWrite::new(payload_type, sequence.into(), timestamp, now, payload));
            self.poll_only(Polling::UntilSent(sequence as u16), now);
        }
        // The packet is in str0m's queue until the time moves.
        self.handle_timeout(now);
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Err(error) = self.rtc.handle_input(Input::Timeout(now)) {
            tracing::debug!(%error, "timeout not taken");
        }
        self.check_time(now);
    }

    fn check_time(&mut self, now: Instant) {
        if self.connect_by.is_some_and(|at| at <= now) && self.closed.is_none() {
            self.closed = Some(match (self.has_path(), self.connected_at) {
                (true, _) => CloseReason::DtlsTimeout,
                (false, None) => CloseReason::IceFailed,
                (false, Some(_)) => CloseReason::ConsentLost,
            });
        }
        if self.media.is_lost(now) {
            self.events.push_back(PeerOutput::Receiving(false));
        }
    }

    /// Says goodbye: RTCP BYE and DTLS close_notify come out of the next polls.
    pub(crate) fn close(&mut self) {
        if let Err(error) = self.rtc.close() {
            tracing::debug!(%error, "close");
        }
    }

    pub(crate) fn poll(&mut self, now: Instant) -> PeerOutput {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            if self.polling == Polling::Enough && self.closed.is_none() {
                self.polling = Polling::ToTheEnd;
                return PeerOutput::Timeout(*self.poll_by.get_or_insert(now + POLL_WITHIN));
            }
            match self.rtc.poll_output() {
                Ok(str0m::Output::Transmit(transmit)) => {
                    if let Polling::UntilSent(awaited) = self.polling
                        && rtp_sequence(&transmit.contents) == Some(awaited)
                    {
                        self.polling = Polling::Enough;
                    }
                    return PeerOutput::Transmit(transmit);
                }
                Ok(str0m::Output::Timeout(at)) => return self.idle(at),
                Ok(str0m::Output::Event(event)) => {
                    if let Some(output) = self.handle_event(event, now) {
                        return output;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "transport failed");
                    return PeerOutput::Closed(CloseReason::DtlsError);
                }
            }
        }
    }

    /// After an input that is a packet; any other polls to the end.
    fn poll_only(&mut self, polling: Polling, now: Instant) {
        if self.poll_by.is_none_or(|by| now + POLL_EARLY < by) {
            self.polling = polling;
        }
    }

    fn idle(&mut self, at: Instant) -> PeerOutput {
        self.polling = Polling::ToTheEnd;
        self.poll_by = None;
        if let Some(reason) = self.closed {
            return PeerOutput::Closed(reason);
        }
        if !self.rtc.is_alive() {
            return PeerOutput::Closed(CloseReason::DtlsAlert);
        }
        let timers = [self.connect_by, self.media.check_at()];
        PeerOutput::Timeout(timers.into_iter().flatten().fold(at, Instant::min))
    }

    fn handle_event(&mut self, event: Event, now: Instant) -> Option<PeerOutput> {
        if let Event::RtpPacket(packet) = event {
            if self.polling == Polling::UntilReceived {
                self.polling = Polling::Enough;
            }
            if !self.direction.receives() {
                return None;
            }
            self.statistics.heard(*packet.header.ssrc, *packet.seq_no);
            if self.media.is_untouched() {
                let since = self.connected_at.unwrap_or(now);
                self.measured(Measured::FirstPacket(now.saturating_duration_since(since)));
            }
            if self.media.heard(now, self.connected_at) {
                self.events.push_back(PeerOutput::Receiving(true));
            }
            return Some(PeerOutput::Packet(received(packet, self.arrival)));
        }
        if let Event::IceConnectionStateChange(state) = event {
            self.handle_ice_state(state, now);
        } else if let Event::Closed = event {
            // Our own close_notify is still to be polled.
            self.closed.get_or_insert(CloseReason::DtlsAlert);
        } else if let Event::Connected = event {
            let first = self.connected_at.is_none();
            if first {
                let since = self.path_at.unwrap_or(now);
                self.measured(Measured::Dtls(now.saturating_duration_since(since)));
            }
            self.connected_at = Some(now);
            self.settle();
            return first.then_some(PeerOutput::Connected);
        } else if let Event::PeerStats(stats) = event {
            let lost = self.statistics.look(&stats);
            self.measured(Measured::LostReceiving(lost));
            return self.slow_link(false, lost);
        } else if let Event::MediaIngressStats(stats) = event {
            self.statistics.take_received(&stats);
        } else if let Event::MediaEgressStats(stats) = event {
            let lost = self.statistics.take_sent(&stats);
            self.measured(Measured::LostSending(lost));
            if let Some(round_trip) = stats.rtt {
                self.measured(Measured::RoundTrip(round_trip));
            }
            return self.slow_link(true, lost);
        }
        None
    }

    fn measured(&mut self, measured: Measured) {
        self.events.push_back(PeerOutput::Measured(measured));
    }

    fn slow_link(&self, uplink: bool, lost: u32) -> Option<PeerOutput> {
        let told = self.slowlink_threshold > 0 && self.statistics.is_rate(lost, self.slowlink_threshold);
        told.then_some(PeerOutput::SlowLink { uplink, lost })
    }

    fn handle_ice_state(&mut self, state: IceConnectionState, now: Instant) {
        self.ice = state;
        match state {
            IceConnectionState::New | IceConnectionState::Checking => {
                // With ICE lite the state has no end of its own: a pair may be possible for ever.
                self.connect_by.get_or_insert(now + self.connect_timeout);
            }
            IceConnectionState::Connected | IceConnectionState::Completed => {
                if self.path_at.is_none() {
                    self.path_at = Some(now);
                    self.measured(Measured::Ice(now.saturating_duration_since(self.answered_at)));
                    self.events.push_back(PeerOutput::PathFound);
                }
                self.settle();
            }
            IceConnectionState::Disconnected => {
                // Before the first connection late candidates may still come: the connect timer decides.
                if self.connected_at.is_some() {
                    self.closed.get_or_insert(CloseReason::ConsentLost);
                }
            }
        }
    }

    /// The connect timer ends when both are up, in whatever order.
    fn settle(&mut self) {
        if self.has_path() && self.connected_at.is_some() {
            self.connect_by = None;
        }
    }

    fn has_path(&self) -> bool {
        matches!(self.ice, IceConnectionState::Connected | IceConnectionState::Completed)
    }

    /// Shows str0m an offer and takes over what came of it.
    fn apply(&mut self, offer: &AudioOffer) -> Result<(), OfferError> {
        self.accept(&offer.to_str0m(self.payload_type))?;
        let mut api = self.rtc.direct_api();
        let ssrc = api.stream_tx_by_mid(self.mid, None).map(|stream| stream.ssrc());
        // Also where we do not send yet: the answer names the SSRC, and it has to stay when the direction changes.
        self.ssrc = match ssrc {
            Some(ssrc) => ssrc,
            None => {
                let ssrc = api.new_ssrc();
                api.declare_stream_tx(ssrc, None, self.mid, None);
                ssrc
            }
        };
        if let Some(stream) = api.stream_tx(&self.ssrc) {
            // Nothing is sent twice, so nothing has to be kept or counted for it.
            stream.set_rtx_cache(0, Duration::ZERO, None);
        }
        let media = self.rtc.media(self.mid).ok_or(OfferError::NotApplied)?;
        let used = |kind: ExtensionKind, id| media.remote_extmap().lookup(id) == Some(&str0m_extension(kind));
        self.extensions = offer.extensions.iter().filter(|it| used(it.kind, it.id)).cloned().collect();
        self.direction = offer.direction.mirrored();
        if !self.direction.receives() && self.media.stop() {
            self.events.push_back(PeerOutput::Receiving(false));
        }
        Ok(())
    }

    fn accept(&mut self, offer: &str) -> Result<(), OfferError> {
        let offer = SdpOffer::from_sdp_string(offer).map_err(not_applied)?;
        self.rtc.sdp_api().accept_offer(offer).map_err(not_applied)?;
        Ok(())
    }

    /// Everything that comes on this transport is the one audio section's, whatever its SSRC and with or without a MID:
    /// str0m is told before it sees the packet. It would drop in silence what was announced by neither.
    fn expect_stream(&mut self, ssrc: u32) {
        if self.connected_at.is_none() || self.streams.contains(&ssrc) {
            return;
        }
        let mut api = self.rtc.direct_api();
        if self.streams.len() == MAX_STREAMS {
            // Anybody can send SSRCs, for they are read before the packet is authenticated. One that is pushed out comes
            // back with its next packet; str0m keeps the sequence numbers of all it ever authenticated.
            api.remove_stream_rx(self.streams.remove(0).into());
        }
        api.expect_stream_rx(ssrc.into(), None, self.mid, None).suppress_nack(true);
        self.streams.push(ssrc);
    }
}

impl Remote {
    fn of(offer: &AudioOffer) -> Self {
        let AudioOffer { ufrag, password, fingerprint, .. } = offer;
        Self { ufrag: ufrag.clone(), password: password.clone(), fingerprint: fingerprint.clone() }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("mid", &self.mid).field("connected_at", &self.connected_at).finish_non_exhaustive()
    }
}

/// `None` for what str0m does not understand.
fn receive(path: Path, datagram: &[u8]) -> Option<Receive<'_>> {
    let Path { protocol, source, destination } = path;
    let protocol = match protocol {
        Protocol::Udp => net::Protocol::Udp,
        Protocol::Tcp => net::Protocol::Tcp,
    };
    Receive::new(protocol, source, destination, datagram).ok()
}

fn received(packet: RtpPacket, arrival: Instant) -> Received {
    Received {
        ssrc: *packet.header.ssrc,
        sequence: *packet.seq_no,
        timestamp: packet.time.numer(),
        audio_level: packet.header.ext_vals.audio_level,
        payload: packet.payload,
        arrival,
    }
}

fn rtp_sequence(datagram: &[u8]) -> Option<u16> {
    match (Kind::of(datagram), datagram) {
        (Some(Kind::Rtp { .. }), [_, _, high, low, ..]) => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}

/// str0m's own words stay in the log: they carry memory addresses and pieces of the offer.
fn not_applied(error: impl fmt::Display) -> OfferError {
    tracing::debug!(%error, "offer not applied");
    OfferError::NotApplied
}
