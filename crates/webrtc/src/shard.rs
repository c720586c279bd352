//! The peers of one UDP socket. Pure: no clock, no socket, no thread; knows neither rooms nor Opus.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use str0m::{Candidate, IceCreds};

use crate::candidate;
use crate::counters::Counters;
use crate::demux::{Demux, Kind};
use crate::dtls::{Certificate, crypto_provider};
use crate::error::{CloseReason, OfferError};
use crate::packet::{AudioPacket, Incoming, MixedAudio, Outgoing, Transmit};
use crate::peer::{Negotiated, Peer, PeerConfig, PeerOutput};
use crate::sdp::{Accepted, Answer, AnswerTraits, AudioOffer, Offer, Origin, write_answer};

/// Timers of ICE, DTLS and RTCP bear to be this late, and a shard with many peers is not swept for each of them alone.
const SWEEP_INTERVAL: Duration = Duration::from_millis(5);
/// Candidates kept for a peer whose offer has not come yet.
const MAX_EARLY_CANDIDATES: usize = 16;
/// RFC 6716 section 3.2.1: an Opus frame has at most 1275 bytes; more would not fit a datagram either.
const MAX_PAYLOAD: usize = 1275;
/// RFC 8445 section 5.3 asks for 24 bits in the user fragment and 128 in the password; a character has 6.
const UFRAG_LENGTH: usize = 8;
const PASSWORD_LENGTH: usize = 24;

/// A place for a peer. Indexes are dense and used again; the generation then rises, so that what is late for the old
/// peer does not reach the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerSlot {
    /// Dense within a shard.
    pub index: u32,
    /// Rises with every use of the index.
    pub generation: u32,
}

/// What a shard is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command<R> {
    /// Answer an offer. The first one makes the peer; a later one renegotiates, restarts ICE or replaces the transport.
    /// The outcome is [`PeerEvent::Answered`] or [`PeerEvent::Refused`] with the same number.
    Negotiate {
        /// Whose.
        peer: PeerSlot,
        /// Comes back in the event.
        negotiation: u64,
        /// The SDP.
        offer: String,
        /// What the room decides about the answer.
        traits: AnswerTraits,
    },
    /// A remote candidate, with or without `a=`; unusable ones are ignored and counted.
    AddCandidate {
        /// Whose.
        peer: PeerSlot,
        /// `candidate:…`
        candidate: String,
    },
    /// Where the peer's audio goes from now on; `None` is nowhere.
    Route {
        /// Whose.
        peer: PeerSlot,
        /// Comes back with every packet.
        route: Option<R>,
    },
    /// End the peer; no [`PeerEvent::Closed`] comes back.
    Close {
        /// Whose.
        peer: PeerSlot,
    },
}

/// What happened to a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    /// An offer was accepted.
    Answered {
        /// As in the command.
        negotiation: u64,
        /// Ours.
        answer: Answer,
    },
    /// An offer was refused. The transport, if there was one, goes on as before.
    Refused {
        /// As in the command.
        negotiation: u64,
        /// May be shown to the client.
        reason: String,
    },
    /// DTLS is up.
    Connected,
    /// The peer's audio arrives, or no longer does.
    Receiving(bool),
    /// The transport is gone; a new offer makes a new one.
    Closed(CloseReason),
}

/// What a shard wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output<R> {
    /// Send a datagram.
    Transmit(Transmit),
    /// Audio came.
    Packet {
        /// Where it goes.
        route: R,
        /// The audio.
        packet: AudioPacket,
    },
    /// Something happened to a peer.
    Event {
        /// To whom.
        peer: PeerSlot,
        /// What.
        event: PeerEvent,
    },
}

/// How a shard connects its peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardConfig {
    /// Our addresses as announced, in order of preference.
    pub candidates: Vec<SocketAddr>,
    /// The address in `o=` and `c=`.
    pub sdp_address: IpAddr,
    /// Behind a 1:1 NAT: the public address, which has to be among the candidates. Datagrams to a local address that is
    /// no candidate count as sent to this one, and the answers leave from the address the kernel chooses.
    pub public_mapping: Option<IpAddr>,
    /// Answer ICE checks but make none. Saves a quarter of a second at connecting and works for every server whose
    /// announced addresses can be reached.
    pub ice_lite: bool,
    /// After this time without a packet the peer is no longer [`PeerEvent::Receiving`]; zero: never.
    pub no_media_timeout: Duration,
    /// ICE and DTLS have to be up after this time.
    pub connect_timeout: Duration,
}

impl ShardConfig {
    /// ICE lite at these addresses, of which the first one goes into `o=` and `c=`, with the time limits of Janus.
    pub fn announcing(candidates: Vec<SocketAddr>) -> Self {
        let sdp_address = candidates.first().map_or(IpAddr::from([0, 0, 0, 0]), SocketAddr::ip);
        Self {
            candidates,
            sdp_address,
            public_mapping: None,
            ice_lite: true,
            no_media_timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(20),
        }
    }
}

/// The peers of one UDP socket.
///
/// Any input (`handle_*`) may be followed by another; outputs wait in order until [`Shard::poll_output`] has returned
/// `None`. `now` must not go backwards.
#[derive(Debug)]
pub struct Shard<R> {
    config: ShardConfig,
    peer_config: PeerConfig,
    rng: StdRng,
    demux: Demux,
    slots: Vec<Slot<R>>,
    /// When each peer wants to be woken, by index: swept, since a dense array beats a heap that changes with every packet.
    deadlines: Vec<Option<Instant>>,
    /// Not later than the earliest deadline.
    wake_at: Option<Instant>,
    swept_at: Instant,
    outputs: VecDeque<Output<R>>,
    counters: Counters,
}

#[derive(Debug)]
struct Slot<R> {
    /// The newest seen.
    generation: Option<u32>,
    entry: Option<Entry<R>>,
}

#[derive(Debug)]
struct Entry<R> {
    route: Option<R>,
    /// `None` before the first offer and after the end.
    peer: Option<Box<Peer>>,
    session_id: u64,
    version: u64,
    fec: bool,
    early_candidates: Vec<Candidate>,
    incoming: Incoming,
    outgoing: Outgoing,
}

impl<R: Copy> Shard<R> {
    /// A shard without peers. Everything random comes from `seed`, but for what str0m and its crypto draw themselves.
    pub fn new(config: ShardConfig, certificate: Certificate, seed: [u8; 32], now: Instant) -> Self {
        let peer_config = PeerConfig {
            certificate: certificate.as_str0m(),
            crypto: Arc::new(crypto_provider()),
            candidates: config.candidates.clone(),
            ice_lite: config.ice_lite,
            no_media_timeout: config.no_media_timeout,
            connect_timeout: config.connect_timeout,
        };
        Self {
            config,
            peer_config,
            rng: StdRng::from_seed(seed),
            demux: Demux::default(),
            slots: Vec::new(),
            deadlines: Vec::new(),
            wake_at: None,
            swept_at: now,
            outputs: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Does what the server asks.
    pub fn handle_command(&mut self, command: Command<R>, now: Instant) {
        match command {
            Command::Negotiate { peer, negotiation, offer, traits } => {
                if self.enter(peer, now) {
                    let event = self.negotiate(peer, negotiation, &offer, &traits, now);
                    self.outputs.push_back(Output::Event { peer, event });
                    self.drain(peer.index, now);
                }
            }
            Command::AddCandidate { peer, candidate } => {
                if self.enter(peer, now) {
                    self.add_candidate(peer.index, &candidate, now);
                }
            }
            Command::Route { peer, route } => {
                if self.enter(peer, now)
                    && let Some(entry) = self.entry_mut(peer.index)
                {
                    entry.route = route;
                }
            }
            Command::Close { peer } => {
                if self.is_current(peer) {
                    self.end_transport(peer.index, now);
                    self.slots[peer.index as usize].entry = None;
                } else {
                    self.counters.stale += 1;
                }
            }
        }
    }

    /// A datagram from `source` to our address `destination`. Any bytes will do.
    pub fn handle_datagram(&mut self, source: SocketAddr, destination: IpAddr, datagram: &[u8], now: Instant) {
        self.counters.datagrams_received += 1;
        self.counters.bytes_received += datagram.len() as u64;
        let Some(kind) = Kind::of(datagram) else {
            self.counters.dropped_unknown_kind += 1;
            return;
        };
        let destination = self.announced(destination);
        // A request goes to whom it names, also from a known address: that may have passed to another peer.
        let index = if let Kind::StunRequest { user } = kind {
            let Some(index) = self.demux.by_user(user) else {
                self.counters.dropped_unknown_user += 1;
                return;
            };
            if self.demux.by_address(source) != Some(index) {
                if !self.verify(index, source, destination, datagram, now) {
                    self.counters.dropped_unverified += 1;
                    return;
                }
                self.demux.learn(source, index);
            }
            index
        } else {
            let Some(index) = self.demux.by_address(source) else {
                self.counters.dropped_unknown_source += 1;
                return;
            };
            index
        };
        let taken = self.with_peer(index, |peer| peer.handle_datagram(source, destination, kind, datagram, now));
        if taken == Some(false) {
            self.counters.datagram_errors += 1;
        }
        self.drain(index, now);
    }

    /// A packet of a mix. The peer gets one continuous stream, from whatever room.
    pub fn handle_audio(&mut self, audio: MixedAudio, now: Instant) {
        let MixedAudio { peer, media_time, payload } = audio;
        if !self.is_current(peer) {
            self.counters.stale += 1;
            return;
        }
        let index = peer.index;
        let Some(entry) = self.entry_mut(index) else { return };
        let can_send = entry.peer.as_ref().is_some_and(|peer| peer.can_send());
        if !can_send || payload.len() > MAX_PAYLOAD {
            self.counters.audio_unsent += 1;
            return;
        }
        let (sequence, timestamp) = entry.outgoing.number(media_time);
        self.counters.audio_sent += 1;
        self.with_peer(index, |peer| peer.send(sequence, timestamp, payload, now));
        self.drain(index, now);
    }

    /// Moves the time of all peers whose deadline has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.wake_at.is_none_or(|at| now < at) {
            return;
        }
        self.swept_at = now;
        for index in 0..self.deadlines.len() {
            if self.deadlines[index].is_some_and(|at| at <= now) {
                let index = index as u32;
                self.with_peer(index, |peer| peer.handle_timeout(now));
                self.drain(index, now);
            }
        }
        self.wake_at = self.deadlines.iter().flatten().min().copied();
    }

    /// When [`Shard::handle_timeout`] is next of use; `None` without peers.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.wake_at.map(|at| at.max(self.swept_at + SWEEP_INTERVAL))
    }

    /// The next output, in the order they came about.
    pub fn poll_output(&mut self) -> Option<Output<R>> {
        self.outputs.pop_front()
    }

    /// Ends all peers, as for the end of the process.
    pub fn close_all(&mut self, now: Instant) {
        for index in 0..self.slots.len() {
            self.end_transport(index as u32, now);
            self.slots[index].entry = None;
        }
    }

    /// What was counted since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) fn counters_mut(&mut self) -> &mut Counters {
        &mut self.counters
    }

    /// Makes the slot the peer's, if that is news. `false` if the peer is gone already.
    fn enter(&mut self, peer: PeerSlot, now: Instant) -> bool {
        if self.is_current(peer) {
            return true;
        }
        let index = peer.index as usize;
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, || Slot { generation: None, entry: None });
            self.deadlines.resize(index + 1, None);
        }
        if self.slots[index].generation.is_some_and(|newest| peer.generation <= newest) {
            self.counters.stale += 1;
            return false;
        }
        self.end_transport(peer.index, now);
        let entry = Entry {
            route: None,
            peer: None,
            session_id: self.rng.random::<u64>() >> 11,
            version: 0,
            fec: false,
            early_candidates: Vec::new(),
            incoming: Incoming::default(),
            outgoing: Outgoing::new(self.rng.random(), self.rng.random()),
        };
        self.slots[index] = Slot { generation: Some(peer.generation), entry: Some(entry) };
        true
    }

    fn is_current(&self, peer: PeerSlot) -> bool {
        self.slots
            .get(peer.index as usize)
            .is_some_and(|slot| slot.generation == Some(peer.generation) && slot.entry.is_some())
    }

    fn negotiate(
        &mut self,
        slot: PeerSlot,
        negotiation: u64,
        offer: &str,
        traits: &AnswerTraits,
        now: Instant,
    ) -> PeerEvent {
        let outcome = Offer::parse(offer, self.config.ice_lite).and_then(|offer| {
            let negotiated = match &offer.audio {
                Some(audio) => Some(self.negotiate_audio(slot.index, audio, now)?),
                None => {
                    self.end_transport(slot.index, now);
                    None
                }
            };
            Ok(self.answer(slot.index, &offer, negotiated, traits))
        });
        match outcome {
            Ok(answer) => {
                self.counters.offers_answered += 1;
                PeerEvent::Answered { negotiation, answer }
            }
            Err(error) => {
                self.counters.offers_refused += 1;
                PeerEvent::Refused { negotiation, reason: error.to_string() }
            }
        }
    }

    fn negotiate_audio(&mut self, index: u32, offer: &AudioOffer, now: Instant) -> Result<Negotiated, OfferError> {
        let credentials = self.credentials();
        let same = self.entry_mut(index).and_then(|entry| entry.peer.as_ref()).is_some_and(|peer| peer.is_of(offer));
        if same {
            self.with_peer(index, |peer| peer.negotiate(offer, credentials, now)).ok_or(OfferError::Internal)??;
        } else {
            let made = isolated(|| Peer::new(&self.peer_config, offer, credentials, now));
            let peer =
                made.inspect_err(|Panicked| self.counters.panics += 1).map_err(|Panicked| OfferError::Internal)??;
            self.end_transport(index, now);
            self.begin_transport(index, peer);
        }
        let ice_lite = self.config.ice_lite;
        let Some(entry) = self.entry_mut(index) else { return Err(OfferError::Internal) };
        let early = std::mem::take(&mut entry.early_candidates);
        let (offered, unusable) = parse_candidates(&offer.candidates);
        let ignored = self.with_peer(index, |peer| {
            let candidates = early.into_iter().chain(offered);
            candidates.filter(|candidate| !peer.add_candidate(candidate.clone(), ice_lite)).count()
        });
        self.counters.candidates_ignored += (unusable + ignored.unwrap_or(0)) as u64;
        let negotiated = self.with_peer(index, Peer::negotiated).ok_or(OfferError::Internal)?;
        self.demux.set_user(index, &negotiated.credentials.ufrag);
        Ok(negotiated)
    }

    fn answer(&mut self, index: u32, offer: &Offer, negotiated: Option<Negotiated>, traits: &AnswerTraits) -> Answer {
        let (session_id, version, fec) = match self.entry_mut(index) {
            Some(entry) => {
                entry.version += 1;
                entry.fec |= offer.fec;
                (entry.session_id, entry.version, entry.fec)
            }
            None => (0, 1, offer.fec),
        };
        let accepted = offer.audio.as_ref().zip(negotiated.as_ref()).map(|(audio, negotiated)| Accepted {
            payload_type: negotiated.payload_type,
            direction: negotiated.direction,
            extensions: audio
                .extensions
                .iter()
                .filter(|offered| negotiated.extensions.contains(&offered.kind))
                .cloned()
                .collect(),
            ufrag: &negotiated.credentials.ufrag,
            password: &negotiated.credentials.pass,
            fingerprint: negotiated.fingerprint.clone(),
            active: negotiated.active,
            ssrc: negotiated.ssrc,
            ice_lite: self.config.ice_lite,
            candidates: &self.config.candidates,
            fec,
        });
        let origin = Origin { session_id, version, address: self.config.sdp_address };
        Answer {
            sdp: write_answer(offer, accepted.as_ref(), origin, traits),
            audio: accepted.is_some(),
            audio_level: accepted.as_ref().is_some_and(Accepted::has_audio_level),
            fec,
            sends: accepted.as_ref().is_some_and(|accepted| accepted.direction.sends()),
            receives: accepted.as_ref().is_some_and(|accepted| accepted.direction.receives()),
        }
    }

    fn add_candidate(&mut self, index: u32, text: &str, now: Instant) {
        let ice_lite = self.config.ice_lite;
        let Some(candidate) = candidate::parse(text) else {
            self.counters.candidates_ignored += 1;
            return;
        };
        let Some(entry) = self.entry_mut(index) else { return };
        if entry.peer.is_none() {
            if entry.early_candidates.len() < MAX_EARLY_CANDIDATES {
                entry.early_candidates.push(candidate);
            } else {
                self.counters.candidates_ignored += 1;
            }
            return;
        }
        if self.with_peer(index, |peer| peer.add_candidate(candidate, ice_lite)) == Some(false) {
            self.counters.candidates_ignored += 1;
        }
        // A check may be due at once.
        self.with_peer(index, |peer| peer.handle_timeout(now));
        self.drain(index, now);
    }

    fn begin_transport(&mut self, index: u32, peer: Peer) {
        let Some(entry) = self.entry_mut(index) else { return };
        entry.peer = Some(Box::new(peer));
        entry.incoming.restart();
        self.counters.peers += 1;
    }

    /// Says goodbye to the peer and forgets its transport, if it has one.
    fn end_transport(&mut self, index: u32, now: Instant) {
        self.with_peer(index, |peer| {
            peer.close();
            peer.handle_timeout(now);
        });
        let Some(mut peer) = self.forget_transport(index) else { return };
        self.counters.closed.by_us += 1;
        let (mapping, outputs, counters) = (self.config.public_mapping, &mut self.outputs, &mut self.counters);
        let farewell = isolated(|| {
            loop {
                match peer.poll(now) {
                    PeerOutput::Transmit(transmit) => outputs.push_back(leaving(transmit, mapping, counters)),
                    PeerOutput::Packet(_) | PeerOutput::Connected | PeerOutput::Receiving(_) => {}
                    PeerOutput::Timeout(_) | PeerOutput::Closed(_) => break,
                }
            }
        });
        if farewell.is_err() {
            self.counters.panics += 1;
        }
    }

    fn forget_transport(&mut self, index: u32) -> Option<Box<Peer>> {
        let peer = self.entry_mut(index)?.peer.take()?;
        self.demux.forget(index);
        self.deadlines[index as usize] = None;
        self.counters.peers -= 1;
        Some(peer)
    }

    /// The end of a transport that we did not ask for.
    fn lose_transport(&mut self, index: u32, reason: CloseReason) {
        if self.forget_transport(index).is_none() {
            return;
        }
        self.counters.closed.count(reason);
        if let Some(peer) = self.slot(index) {
            self.outputs.push_back(Output::Event { peer, event: PeerEvent::Closed(reason) });
        }
    }

    /// Calls into the peer's transport, if there is one. A panic there costs this one peer.
    fn with_peer<T>(&mut self, index: u32, call: impl FnOnce(&mut Peer) -> T) -> Option<T> {
        let peer = self.entry_mut(index)?.peer.as_mut()?;
        match isolated(|| call(peer)) {
            Ok(value) => Some(value),
            Err(Panicked) => {
                self.counters.panics += 1;
                self.lose_transport(index, CloseReason::Internal);
                None
            }
        }
    }

    /// Takes everything out of the peer's transport; the next input may come then.
    fn drain(&mut self, index: u32, now: Instant) {
        let Some(slot) = self.slot(index) else { return };
        while let Some(output) = self.with_peer(index, |peer| peer.poll(now)) {
            match output {
                PeerOutput::Transmit(transmit) => {
                    let transmit = leaving(transmit, self.config.public_mapping, &mut self.counters);
                    self.outputs.push_back(transmit);
                }
                PeerOutput::Packet(packet) => self.route(index, &packet),
                PeerOutput::Connected => {
                    self.counters.handshakes += 1;
                    self.outputs.push_back(Output::Event { peer: slot, event: PeerEvent::Connected });
                }
                PeerOutput::Receiving(receiving) => {
                    self.outputs.push_back(Output::Event { peer: slot, event: PeerEvent::Receiving(receiving) });
                }
                PeerOutput::Timeout(at) => {
                    self.deadlines[index as usize] = Some(at);
                    self.wake_at = Some(self.wake_at.map_or(at, |earliest| earliest.min(at)));
                    return;
                }
                PeerOutput::Closed(reason) => {
                    self.lose_transport(index, reason);
                    return;
                }
            }
        }
    }

    fn route(&mut self, index: u32, packet: &str0m::rtp::RtpPacket) {
        self.counters.audio_received += 1;
        let Some(entry) = self.entry_mut(index) else { return };
        let header = &packet.header;
        let (sequence, timestamp) =
            entry.incoming.number(*header.ssrc, *packet.seq_no, packet.time.numer(), packet.timestamp);
        let Some(route) = entry.route else {
            self.counters.audio_unrouted += 1;
            return;
        };
        let packet = AudioPacket {
            sequence,
            timestamp,
            audio_level: header.ext_vals.audio_level,
            payload: packet.payload.clone(),
            arrival: packet.timestamp,
        };
        self.outputs.push_back(Output::Packet { route, packet });
    }

    /// Whether a STUN request that names the peer was made with its password.
    fn verify(&mut self, index: u32, source: SocketAddr, to: SocketAddr, datagram: &[u8], now: Instant) -> bool {
        self.with_peer(index, |peer| peer.accepts(source, to, datagram, now)).unwrap_or(false)
    }

    /// The candidate that a datagram to this local address was sent to.
    fn announced(&self, destination: IpAddr) -> SocketAddr {
        let find = |ip| self.config.candidates.iter().find(|candidate| candidate.ip() == ip);
        let candidate = find(destination).or_else(|| self.config.public_mapping.and_then(find));
        candidate.copied().unwrap_or_else(|| SocketAddr::new(destination, 0))
    }

    fn credentials(&mut self) -> IceCreds {
        loop {
            let ufrag = self.ice_string(UFRAG_LENGTH);
            if self.demux.by_user(&ufrag).is_none() {
                return IceCreds { ufrag, pass: self.ice_string(PASSWORD_LENGTH) };
            }
        }
    }

    fn ice_string(&mut self, length: usize) -> String {
        const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        (0..length).map(|_| char::from(ICE_CHARS[self.rng.random_range(0..ICE_CHARS.len())])).collect()
    }

    fn slot(&self, index: u32) -> Option<PeerSlot> {
        let generation = self.slots.get(index as usize)?.generation?;
        Some(PeerSlot { index, generation })
    }

    fn entry_mut(&mut self, index: u32) -> Option<&mut Entry<R>> {
        self.slots.get_mut(index as usize)?.entry.as_mut()
    }
}

fn leaving<R>(transmit: str0m::net::Transmit, mapping: Option<IpAddr>, counters: &mut Counters) -> Output<R> {
    counters.datagrams_sent += 1;
    counters.bytes_sent += transmit.contents.len() as u64;
    let source = Some(transmit.source.ip()).filter(|ip| Some(*ip) != mapping);
    Output::Transmit(Transmit { source, destination: transmit.destination, payload: transmit.contents.into() })
}

/// The usable ones, and how many are not.
fn parse_candidates(texts: &[String]) -> (Vec<Candidate>, usize) {
    let usable: Vec<_> = texts.iter().filter_map(|text| candidate::parse(&format!("candidate:{text}"))).collect();
    let unusable = texts.len() - usable.len();
    (usable, unusable)
}

struct Panicked;

/// str0m has panicked on hostile input before, and 300 other peers share the thread. What the call had in hand may be
/// half changed, so the caller throws the peer away: that is why unwind safety may be asserted.
fn isolated<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| Panicked)
}
