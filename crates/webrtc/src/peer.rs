//! One peer's transport: ICE, DTLS and SRTP put together. Knows nothing of other peers, rooms or sockets.
//!
//! ICE is str0m's agent and DTLS is what str0m uses. Its `Rtc`, which joins them to RTP, is not used: it does far more than a mix
//! needs, and the memory that it goes through for each packet of a thousand peers cost more than all else a listener needs.

mod audio;
mod config;
mod info;
mod media;
mod statistics;
mod stream;

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use str0m::ice::{IceAgent, IceAgentEvent, StunMessage, StunPacket};
use str0m::{Candidate, IceConnectionState, IceCreds, net};

use self::audio::{Audio, Unheard};
pub(crate) use self::config::PeerConfig;
use self::media::MediaWatch;
use self::statistics::Statistics;
use crate::dtls::{Dtls, DtlsOutput};
use crate::error::{CloseReason, OfferError};
use crate::packet::{Path, Protocol, Received, Transmit};
use crate::prefetch::prefetch;
use crate::sdp::{AudioOffer, Direction, HeaderExtension, Setup};
use crate::srtp::Srtp;
use crate::times::Measured;

/// Remote candidates over the life of a transport; more are ignored.
const MAX_CANDIDATES: usize = 64;
/// Records of DTLS that wait for a path: a flight has five or six.
const MAX_UNSENT: usize = 16;

/// A peer's ICE, DTLS and SRTP. What comes of an input (any method that takes `now`) waits in [`Peer::poll`]; the next input may
/// come before that.
pub(crate) struct Peer {
    audio: Audio,
    /// Ours and the peer's address, by the pair that ICE has nominated last.
    path: Option<Path>,
    media: MediaWatch,
    outputs: VecDeque<PeerOutput>,
    /// Records of DTLS from before there was a path.
    unsent: Vec<Vec<u8>>,
    /// Why there is nothing more, once all that waits is taken.
    closed: Option<CloseReason>,
    ice: IceAgent,
    ice_state: IceConnectionState,
    /// When the agent wants to know the time.
    ice_at: Option<Instant>,
    dtls: Dtls,
    remote: Remote,
    /// The peer's, for those who ask.
    candidates: Vec<String>,
    /// When its first offer was answered, or its answer to ours taken.
    answered_at: Instant,
    /// When there was a path for the first time.
    path_at: Option<Instant>,
    connected_at: Option<Instant>,
    /// When ICE and DTLS must be up, while one of them is not.
    connect_by: Option<Instant>,
    connect_timeout: Duration,
    /// When to look at the statistics.
    look_at: Instant,
    slowlink_threshold: u32,
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
    Transmit(Transmit),
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

/// What came of a datagram that looked like RTP.
#[derive(Debug)]
pub(crate) enum Heard {
    Packet(Received),
    /// One that is of no use: it came before, or is not to be heard.
    Nothing,
    /// It is not the peer's, or not what was negotiated.
    Wrong,
}

/// What an answer needs to know of the transport.
#[derive(Debug)]
pub(crate) struct Negotiated {
    pub(crate) payload_type: u8,
    pub(crate) direction: Direction,
    pub(crate) extensions: Vec<HeaderExtension>,
    pub(crate) credentials: IceCreds,
    pub(crate) setup: Setup,
    pub(crate) ssrc: u32,
}

impl Peer {
    /// A new transport for the peer that made `offer`. `ssrc` is that of what we send; `ours`: it was in an offer of ours, to which
    /// this is the answer.
    pub(crate) fn new(
        config: &PeerConfig,
        offer: &AudioOffer,
        credentials: IceCreds,
        ssrc: u32,
        ours: bool,
        now: Instant,
    ) -> Result<Self, OfferError> {
        let payload_type = *offer.payload_types.first().ok_or(OfferError::NotApplied)?;
        // The DTLS server chooses the cipher of SRTP, so that is us if the peer lets us. No later offer can change it.
        let active = offer.setup == Setup::Passive;
        let dtls = Dtls::new(&config.certificate, &offer.fingerprint, active, now).ok_or(OfferError::NotApplied)?;
        let statistics = Statistics::new(config.slowlink_threshold);
        let mut peer = Self {
            look_at: now + statistics.interval(),
            audio: Audio::new(ssrc, payload_type, statistics, now, config.wall_clock(now)),
            path: None,
            media: MediaWatch::new(config.no_media_timeout),
            outputs: VecDeque::new(),
            unsent: Vec::new(),
            closed: None,
            // RFC 8445 section 6.1.1: who makes the offer controls, but for a lite agent.
            ice: config.ice(credentials, offer.ice_lite || (ours && !config.ice_lite)),
            ice_state: IceConnectionState::New,
            ice_at: None,
            dtls,
            remote: Remote::of(offer),
            candidates: Vec::new(),
            answered_at: now,
            path_at: None,
            connected_at: None,
            connect_by: Some(now + config.connect_timeout),
            connect_timeout: config.connect_timeout,
            slowlink_threshold: config.slowlink_threshold,
        };
        peer.ice.set_remote_credentials(peer.remote.credentials());
        peer.audio.apply(offer);
        peer.run_ice(now);
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
        if !offer.payload_types.contains(&self.audio.payload_type) {
            return Err(OfferError::PayloadTypeChanged);
        }
        self.audio.apply(offer);
        if !self.audio.direction.receives() && self.media.stop() {
            self.outputs.push_back(PeerOutput::Receiving(false));
        }
        let remote = Remote::of(offer);
        if self.remote != remote {
            self.remote = remote;
            self.ice.ice_restart(credentials, true);
            self.ice.set_remote_credentials(self.remote.credentials());
            self.connect_by = Some(now + self.connect_timeout);
            self.run_ice(now);
        }
        Ok(())
    }

    pub(crate) fn negotiated(&self) -> Negotiated {
        Negotiated {
            payload_type: self.audio.payload_type,
            direction: self.audio.direction,
            extensions: self.audio.extensions.clone(),
            credentials: self.ice.local_credentials().clone(),
            setup: if self.dtls.is_active() { Setup::Active } else { Setup::Passive },
            ssrc: self.audio.ssrc,
        }
    }

    /// From now on.
    pub(crate) fn set_thresholds(&mut self, no_media_timeout: Duration, slowlink_threshold: u32, now: Instant) {
        self.media.set_timeout(no_media_timeout, now);
        self.slowlink_threshold = slowlink_threshold;
    }

    /// Whether it was taken. A lite agent makes no checks and learns its pairs from the requests it gets (RFC 8445
    /// section 6.1.1), so the candidates would only cost memory.
    pub(crate) fn add_candidate(&mut self, candidate: Candidate, now: Instant) -> bool {
        if self.candidates.len() == MAX_CANDIDATES {
            return false;
        }
        self.candidates.push(candidate.to_sdp_string());
        if !self.ice.ice_lite() {
            self.ice.add_remote_candidate(candidate);
            // A check may be due at once.
            self.run_ice(now);
        }
        true
    }

    /// Whether the datagram is STUN with this peer's message integrity.
    pub(crate) fn accepts(&self, datagram: &[u8]) -> bool {
        StunMessage::parse(datagram).is_ok_and(|message| self.ice.accepts_message(&message))
    }

    /// STUN. Whether it was this peer's.
    pub(crate) fn handle_stun(&mut self, path: Path, datagram: &[u8], now: Instant) -> bool {
        let Ok(message) = StunMessage::parse(datagram) else { return false };
        let Path { protocol, source, destination } = path;
        let proto = match protocol {
            Protocol::Udp => net::Protocol::Udp,
            Protocol::Tcp => net::Protocol::Tcp,
        };
        let taken = self.ice.handle_packet(now, StunPacket { proto, source, destination, message });
        self.run_ice(now);
        taken
    }

    /// DTLS. Whether it was of use; if not, the transport goes on: anybody can send from the peer's address what is no record.
    pub(crate) fn handle_dtls(&mut self, datagram: &[u8], now: Instant) -> bool {
        let taken = self.dtls.handle_packet(datagram, now);
        let outputs = self.dtls.poll();
        self.take_dtls(outputs, now);
        taken
    }

    /// RTP.
    pub(crate) fn handle_rtp(&mut self, datagram: &[u8], now: Instant) -> Heard {
        match self.audio.receive(datagram, now) {
            Ok(packet) => {
                if self.media.is_untouched() {
                    let since = self.connected_at.unwrap_or(now);
                    self.measured(Measured::FirstPacket(now.saturating_duration_since(since)));
                }
                if self.media.heard(now, self.connected_at) {
                    self.outputs.push_back(PeerOutput::Receiving(true));
                }
                Heard::Packet(packet)
            }
            Err(Unheard::Again | Unheard::Unwanted) => Heard::Nothing,
            Err(Unheard::Wrong) => Heard::Wrong,
        }
    }

    /// RTCP. Whether it was the peer's.
    pub(crate) fn handle_rtcp(&mut self, datagram: &[u8], now: Instant) -> bool {
        self.audio.receive_report(datagram, now)
    }

    pub(crate) fn can_send(&self) -> bool {
        self.connected_at.is_some() && self.closed.is_none() && self.audio.direction.sends()
    }

    /// One packet, to be sent now.
    pub(crate) fn send(&mut self, sequence: u64, timestamp: u32, payload: &[u8], now: Instant) -> Option<Transmit> {
        let path = self.path?;
        self.audio.send(sequence, timestamp, payload, now).map(|packet| path.reply(packet))
    }

    /// Asks for the memory that the next packet goes through.
    pub(crate) fn prefetch(&self) {
        prefetch(&self.audio);
        prefetch(&self.path);
        prefetch(&self.media);
        prefetch(&self.outputs);
    }

    /// Whether [`Peer::poll`] has more than the time.
    pub(crate) fn has_outputs(&self) -> bool {
        !self.outputs.is_empty() || self.closed.is_some()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.ice_at.is_some_and(|at| at <= now) {
            self.run_ice(now);
        }
        let outputs = self.dtls.handle_timeout(now);
        self.take_dtls(outputs, now);
        if let Some(report) = self.audio.report(now) {
            self.transmit(report);
        }
        if self.look_at <= now {
            self.look(now);
        }
        if self.connect_by.is_some_and(|at| at <= now) {
            self.closed.get_or_insert(match (self.has_path(), self.connected_at) {
                (true, _) => CloseReason::DtlsTimeout,
                (false, None) => CloseReason::IceFailed,
                (false, Some(_)) => CloseReason::ConsentLost,
            });
        }
        if self.media.is_lost(now) {
            self.outputs.push_back(PeerOutput::Receiving(false));
        }
    }

    /// Says goodbye: RTCP BYE and DTLS close_notify come out of the next polls.
    pub(crate) fn close(&mut self, now: Instant) {
        if let Some(report) = self.audio.end(now) {
            self.transmit(report);
        }
        for output in self.dtls.close() {
            if let DtlsOutput::Record(record) = output {
                self.transmit(record);
            }
        }
    }

    pub(crate) fn poll(&mut self) -> PeerOutput {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        match self.closed {
            Some(reason) => PeerOutput::Closed(reason),
            None => PeerOutput::Timeout(self.poll_timeout()),
        }
    }

    fn poll_timeout(&self) -> Instant {
        let timers =
            [self.ice_at, self.dtls.poll_timeout(), self.audio.report_at(), self.connect_by, self.media.check_at()];
        timers.into_iter().flatten().fold(self.look_at, Instant::min)
    }

    /// Moves the time of the agent and takes what comes of it.
    fn run_ice(&mut self, now: Instant) {
        self.ice.handle_timeout(now);
        while let Some(transmit) = self.ice.poll_transmit() {
            self.outputs.push_back(PeerOutput::Transmit(Transmit {
                protocol: protocol_of(transmit.proto),
                source: Some(transmit.source.ip()),
                destination: transmit.destination,
                payload: transmit.contents.into(),
            }));
        }
        while let Some(event) = self.ice.poll_event() {
            match event {
                IceAgentEvent::IceConnectionStateChange(state) => self.handle_ice_state(state, now),
                IceAgentEvent::NominatedSend { proto, source, destination } => {
                    let is_first = self.path.is_none();
                    // As if it had come on it.
                    self.path = Some(Path { protocol: protocol_of(proto), source: destination, destination: source });
                    if is_first {
                        let unsent = std::mem::take(&mut self.unsent);
                        unsent.into_iter().for_each(|payload| self.transmit(payload));
                        let outputs = self.dtls.start(now);
                        self.take_dtls(outputs, now);
                    }
                }
                IceAgentEvent::IceRestart(_) | IceAgentEvent::DiscoveredRecv { .. } => {}
            }
        }
        self.ice_at = self.ice.poll_timeout();
    }

    fn handle_ice_state(&mut self, state: IceConnectionState, now: Instant) {
        self.ice_state = state;
        match state {
            IceConnectionState::New | IceConnectionState::Checking => {
                // With ICE lite the state has no end of its own: a pair may be possible for ever.
                self.connect_by.get_or_insert(now + self.connect_timeout);
            }
            IceConnectionState::Connected | IceConnectionState::Completed => {
                if self.path_at.is_none() {
                    self.path_at = Some(now);
                    self.measured(Measured::Ice(now.saturating_duration_since(self.answered_at)));
                    self.outputs.push_back(PeerOutput::PathFound);
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

    fn take_dtls(&mut self, outputs: Vec<DtlsOutput>, now: Instant) {
        for output in outputs {
            match output {
                DtlsOutput::Record(record) => self.transmit(record),
                DtlsOutput::Keys(..) if self.connected_at.is_some() => {}
                DtlsOutput::Keys(profile, material) => match Srtp::new(profile, &material, self.dtls.is_active()) {
                    Some(srtp) => {
                        self.audio.set_keys(srtp, now);
                        let since = self.path_at.unwrap_or(now);
                        self.measured(Measured::Dtls(now.saturating_duration_since(since)));
                        self.connected_at = Some(now);
                        self.settle();
                        self.outputs.push_back(PeerOutput::Connected);
                    }
                    None => self.fail(),
                },
                DtlsOutput::Closed => {
                    self.close(now);
                    self.closed.get_or_insert(CloseReason::DtlsAlert);
                }
                DtlsOutput::Failed => {
                    self.fail();
                    return;
                }
            }
        }
    }

    fn fail(&mut self) {
        self.closed.get_or_insert(CloseReason::DtlsError);
    }

    fn transmit(&mut self, payload: Vec<u8>) {
        match self.path {
            Some(path) => self.outputs.push_back(PeerOutput::Transmit(path.reply(payload))),
            // What is too much for that is sent again.
            None if self.unsent.len() < MAX_UNSENT => self.unsent.push(payload),
            None => {}
        }
    }

    /// The connect timer ends when both are up, in whatever order.
    fn settle(&mut self) {
        if self.has_path() && self.connected_at.is_some() {
            self.connect_by = None;
        }
    }

    fn has_path(&self) -> bool {
        matches!(self.ice_state, IceConnectionState::Connected | IceConnectionState::Completed)
    }

    fn look(&mut self, now: Instant) {
        self.look_at = now + self.audio.statistics.interval();
        let lost = self.audio.look();
        self.measured(Measured::LostReceiving(lost));
        self.tell_slow_link(false, lost);
        let lost = self.audio.statistics.lost_by_remote();
        self.measured(Measured::LostSending(lost));
        if let Some(round_trip) = self.audio.statistics.round_trip() {
            self.measured(Measured::RoundTrip(round_trip));
        }
        self.tell_slow_link(true, lost);
    }

    fn tell_slow_link(&mut self, uplink: bool, lost: u32) {
        if self.slowlink_threshold > 0 && self.audio.statistics.is_rate(lost, self.slowlink_threshold) {
            self.outputs.push_back(PeerOutput::SlowLink { uplink, lost });
        }
    }

    fn measured(&mut self, measured: Measured) {
        self.outputs.push_back(PeerOutput::Measured(measured));
    }
}

impl Remote {
    fn of(offer: &AudioOffer) -> Self {
        let AudioOffer { ufrag, password, fingerprint, .. } = offer;
        Self { ufrag: ufrag.clone(), password: password.clone(), fingerprint: fingerprint.clone() }
    }

    fn credentials(&self) -> IceCreds {
        IceCreds { ufrag: self.ufrag.clone(), pass: self.password.clone() }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("audio", &self.audio).field("path", &self.path).finish_non_exhaustive()
    }
}

fn protocol_of(protocol: net::Protocol) -> Protocol {
    match protocol {
        net::Protocol::Udp => Protocol::Udp,
        net::Protocol::Tcp | net::Protocol::SslTcp | net::Protocol::Tls => Protocol::Tcp,
    }
}
