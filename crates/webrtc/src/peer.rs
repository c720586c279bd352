//! One peer's transport: the only file that touches `str0m::Rtc`. Knows nothing of other peers, rooms or sockets.

mod media;

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::change::SdpOffer;
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::format::{Codec, FormatParams};
use str0m::media::{Frequency, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, ExtensionMap, RtpPacket, RtpWrite, Ssrc};
use str0m::{Candidate, Event, IceConnectionState, IceCreds, Input, Rtc, RtcConfig, net};

use self::media::MediaWatch;
use crate::demux::Kind;
use crate::error::{CloseReason, OfferError};
use crate::packet::Received;
use crate::sdp::{AudioOffer, Direction, ExtensionKind, Setup};

/// SSRCs a peer may use at one time. A browser has one per track it ever sent.
const MAX_STREAMS: usize = 8;
/// So late str0m's timers and reports may be: a peer whose packets flow is polled to the end only this often. What was
/// left comes out with the next packet, most times.
const POLL_WITHIN: Duration = Duration::from_millis(100);
/// Packets come every 20 ms: an input this close to the limit polls to the end, so that no timer has to.
const POLL_EARLY: Duration = Duration::from_millis(25);
/// Remote candidates over the life of a transport; more are ignored.
const MAX_CANDIDATES: usize = 64;

/// What all peers of a shard share.
#[derive(Debug)]
pub(crate) struct PeerConfig {
    pub(crate) certificate: DtlsCert,
    pub(crate) crypto: Arc<CryptoProvider>,
    pub(crate) candidates: Vec<SocketAddr>,
    pub(crate) ice_lite: bool,
    pub(crate) no_media_timeout: Duration,
    pub(crate) connect_timeout: Duration,
}

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
    direction: Direction,
    extensions: Vec<ExtensionKind>,
    ssrc: Ssrc,
    /// The SSRCs that str0m was told to expect, oldest first.
    streams: Vec<u32>,
    candidates: usize,
    events: VecDeque<PeerOutput>,
    polling: Polling,
    /// When str0m has to be polled to the end; `None` if it was.
    poll_by: Option<Instant>,
    ice_connected: bool,
    connected_at: Option<Instant>,
    /// When ICE and DTLS must be up, while one of them is not.
    connect_by: Option<Instant>,
    connect_timeout: Duration,
    media: MediaWatch,
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
    Connected,
    Receiving(bool),
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
    pub(crate) extensions: Vec<ExtensionKind>,
    pub(crate) credentials: IceCreds,
    pub(crate) fingerprint: String,
    pub(crate) active: bool,
    pub(crate) ssrc: u32,
}

impl Peer {
    /// A new transport for the peer that made `offer`, which it will be shown first.
    pub(crate) fn new(
        config: &PeerConfig,
        offer: &AudioOffer,
        credentials: IceCreds,
        now: Instant,
    ) -> Result<Self, OfferError> {
        let payload_type = *offer.payload_types.first().ok_or(OfferError::NotApplied)?;
        let mut extensions = ExtensionMap::empty();
        for extension in &offer.extensions {
            extensions.set(extension.id, str0m_extension(extension.kind));
        }
        let mut builder = RtcConfig::new()
            .set_crypto_provider(config.crypto.clone())
            .set_dtls_cert(config.certificate.clone())
            .set_local_ice_credentials(credentials.clone())
            .set_ice_lite(config.ice_lite)
            .set_rtp_mode(true)
            .set_extension_map(extensions)
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
        for address in &config.candidates {
            match Candidate::host(*address, Protocol::Udp) {
                Ok(candidate) => {
                    rtc.add_local_candidate(candidate);
                }
                Err(error) => tracing::debug!(%error, "our own candidate is not usable"),
            }
        }
        let mut peer = Self {
            rtc,
            mid: offer.mid.as_str().into(),
            payload_type,
            remote: Remote::of(offer),
            credentials,
            active: offer.setup == Setup::Passive,
            direction: Direction::Inactive,
            extensions: Vec::new(),
            ssrc: 0.into(),
            streams: Vec::new(),
            candidates: 0,
            events: VecDeque::new(),
            polling: Polling::ToTheEnd,
            poll_by: None,
            ice_connected: false,
            connected_at: None,
            connect_by: Some(now + config.connect_timeout),
            connect_timeout: config.connect_timeout,
            media: MediaWatch::new(config.no_media_timeout),
            arrival: now,
            closed: None,
        };
        peer.apply(offer)?;
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
            active: self.active,
            ssrc: *self.ssrc,
        }
    }

    /// Whether it was taken. A lite agent makes no checks and learns its pairs from the requests it gets (RFC 8445
    /// section 6.1.1), so the candidates would only cost memory.
    pub(crate) fn add_candidate(&mut self, candidate: Candidate, ice_lite: bool) -> bool {
        if self.candidates == MAX_CANDIDATES {
            return false;
        }
        self.candidates += 1;
        if !ice_lite {
            self.rtc.add_remote_candidate(candidate);
        }
        true
    }

    /// Whether str0m takes the datagram as this peer's; for STUN that includes its message integrity.
    pub(crate) fn accepts(&self, source: SocketAddr, destination: SocketAddr, datagram: &[u8], now: Instant) -> bool {
        Receive::new(Protocol::Udp, source, destination, datagram)
            .is_ok_and(|receive| self.rtc.accepts(&Input::Receive(now, receive)))
    }

    /// A datagram that came at `arrival`. Whether str0m had no objection. None of its errors here ends the transport: anybody can send from the peer's
    /// address what is no DTLS record.
    pub(crate) fn handle_datagram(
        &mut self,
        source: SocketAddr,
        destination: SocketAddr,
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
        let Ok(receive) = Receive::new(Protocol::Udp, source, destination, datagram) else { return false };
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
            self.closed = Some(match (self.ice_connected, self.connected_at) {
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
            self.connected_at = Some(now);
            self.settle();
            return first.then_some(PeerOutput::Connected);
        }
        None
    }

    fn handle_ice_state(&mut self, state: IceConnectionState, now: Instant) {
        match state {
            IceConnectionState::New | IceConnectionState::Checking => {
                self.ice_connected = false;
                // With ICE lite the state has no end of its own: a pair may be possible for ever.
                self.connect_by.get_or_insert(now + self.connect_timeout);
            }
            IceConnectionState::Connected | IceConnectionState::Completed => {
                self.ice_connected = true;
                self.settle();
            }
            IceConnectionState::Disconnected => {
                self.ice_connected = false;
                // Before the first connection late candidates may still come: the connect timer decides.
                if self.connected_at.is_some() {
                    self.closed.get_or_insert(CloseReason::ConsentLost);
                }
            }
        }
    }

    /// The connect timer ends when both are up, in whatever order.
    fn settle(&mut self) {
        if self.ice_connected && self.connected_at.is_some() {
            self.connect_by = None;
        }
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
        let media = self.rtc.media(self.mid).ok_or(OfferError::NotApplied)?;
        let used = |kind: ExtensionKind, id| media.remote_extmap().lookup(id) == Some(&str0m_extension(kind));
        self.extensions = offer.extensions.iter().filter(|it| used(it.kind, it.id)).map(|it| it.kind).collect();
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

fn str0m_extension(kind: ExtensionKind) -> Extension {
    match kind {
        ExtensionKind::Mid => Extension::RtpMid,
        ExtensionKind::AudioLevel => Extension::AudioLevel,
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
