//! The peers of one UDP socket, and those of its TCP connections. Pure: no clock, no socket, no thread; knows neither rooms nor Opus.

mod audio;
mod counting;
mod negotiation;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use counting::{count, leaving};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use str0m::{Candidate, IceCreds};

use crate::command::{Command, Output, PeerEvent, PeerSlot};
use crate::config::ShardConfig;
use crate::counters::Counters;
use crate::demux::{Demux, Kind};
use crate::dtls::Certificate;
use crate::error::CloseReason;
use crate::packet::{Incoming, Outgoing, Path, Protocol};
use crate::peer::{Peer, PeerConfig, PeerOutput};
use crate::times::Times;
use crate::transport::{PeerStatistics, TransportInfo};

/// Timers of ICE, DTLS and RTCP bear to be this late, and a shard with many peers is not swept for each of them alone.
const SWEEP_INTERVAL: Duration = Duration::from_millis(5);

/// The peers of one UDP socket.
///
/// Any input (`handle_*`) may be followed by another; outputs wait in order until [`Shard::poll_output`] has returned
/// `None`. `now` must not go backwards.
#[derive(Debug)]
pub struct Shard<R> {
    config: ShardConfig,
    peer_config: PeerConfig,
    /// Of our certificate, as in `a=fingerprint`.
    fingerprint: String,
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
    times: Times,
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
    /// What has no route goes back.
    echo: bool,
    /// `None` before the first offer and after the end.
    peer: Option<Box<Peer>>,
    session_id: u64,
    version: u64,
    fec: bool,
    /// What we have promised, if the offers of the peer connection are ours.
    promise: Option<Promise>,
    /// The user fragment of ours that candidates were told apart from the SDP for.
    trickled: Option<String>,
    early_candidates: Vec<Candidate>,
    incoming: Incoming,
    outgoing: Outgoing,
}

/// What an offer of ours promises of the transport that its answer makes.
#[derive(Debug, Clone)]
struct Promise {
    credentials: IceCreds,
    ssrc: u32,
}

impl<R: Copy> Shard<R> {
    /// A shard without peers. Everything random comes from `seed`, but for what ICE and DTLS draw themselves.
    pub fn new(config: ShardConfig, certificate: Certificate, seed: [u8; 32], now: Instant) -> Self {
        let peer_config = PeerConfig {
            certificate: certificate.clone(),
            candidates: config.candidates.clone(),
            tcp_port: config.tcp_port,
            ice_lite: config.ice_lite,
            no_media_timeout: config.no_media_timeout,
            slowlink_threshold: config.slowlink_threshold,
            connect_timeout: config.connect_timeout,
            began: (now, config.wall_clock),
        };
        Self {
            config,
            peer_config,
            fingerprint: certificate.fingerprint(),
            rng: StdRng::from_seed(seed),
            demux: Demux::default(),
            slots: Vec::new(),
            deadlines: Vec::new(),
            wake_at: None,
            swept_at: now,
            outputs: VecDeque::new(),
            counters: Counters::default(),
            times: Times::default(),
        }
    }

    /// Does what the server asks.
    pub fn handle_command(&mut self, command: Command<R>, now: Instant) {
        match command {
            Command::Negotiate { peer, negotiation, offer, traits } => {
                if self.enter(peer, now) {
                    let event = self.negotiate(peer, negotiation, &offer, &traits, now);
                    self.outputs.push_back(Output::Event { peer, event });
                    self.drive(peer.index, |_| ());
                }
            }
            Command::Offer { peer, negotiation, traits } => {
                if self.enter(peer, now) {
                    let event = self.offer(peer.index, negotiation, &traits);
                    self.outputs.push_back(Output::Event { peer, event });
                }
            }
            Command::Accept { peer, negotiation, answer } => {
                if self.enter(peer, now) {
                    let event = self.accept(peer.index, negotiation, &answer, now);
                    self.outputs.push_back(Output::Event { peer, event });
                    self.drive(peer.index, |_| ());
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
            Command::Echo { peer, echo } => {
                if self.enter(peer, now)
                    && let Some(entry) = self.entry_mut(peer.index)
                {
                    entry.echo = echo;
                }
            }
            Command::Describe { peer, inquiry } => {
                if self.is_current(peer) {
                    let event = PeerEvent::Described { inquiry, info: self.describe(peer.index).map(Box::new) };
                    self.outputs.push_back(Output::Event { peer, event });
                } else {
                    self.counters.stale += 1;
                }
            }
            Command::Measure { peers, inquiry } => {
                let peers = peers.into_iter().filter_map(|peer| Some((peer, self.measure(peer)?))).collect();
                self.outputs.push_back(Output::Measured { inquiry, peers });
            }
            Command::SetThresholds { no_media_timeout, slowlink_threshold } => {
                self.peer_config.no_media_timeout = no_media_timeout;
                self.peer_config.slowlink_threshold = slowlink_threshold;
                for index in 0..self.slots.len() as u32 {
                    self.drive(index, |peer| peer.set_thresholds(no_media_timeout, slowlink_threshold, now));
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

    /// A datagram from `source` to our address `destination`, over UDP. Any bytes will do.
    pub fn handle_datagram(&mut self, source: SocketAddr, destination: IpAddr, datagram: &[u8], now: Instant) {
        let destination = self.announced(destination);
        self.handle(Path { protocol: Protocol::Udp, source, destination }, datagram, now);
    }

    /// The same over the TCP connection from `source`. `false`: it has not proved to be a peer's, or the peer is gone, and the
    /// connection is of no use.
    pub fn handle_frame(&mut self, source: SocketAddr, destination: IpAddr, frame: &[u8], now: Instant) -> bool {
        let destination = SocketAddr::new(self.announced(destination).ip(), self.config.tcp_port.unwrap_or(0));
        self.handle(Path { protocol: Protocol::Tcp, source, destination }, frame, now);
        self.has_connection(source)
    }

    /// Whether the TCP connection from `source` is a peer's.
    pub fn has_connection(&self, source: SocketAddr) -> bool {
        self.demux.by_address(Protocol::Tcp, source).is_some()
    }

    /// The TCP connection from `source` has ended.
    pub fn forget_connection(&mut self, source: SocketAddr) {
        self.demux.forget_connection(source);
    }

    fn handle(&mut self, path: Path, datagram: &[u8], now: Instant) {
        let Path { protocol, source, .. } = path;
        self.counters.datagrams_received += 1;
        self.counters.bytes_received += datagram.len() as u64;
        let Some(kind) = Kind::of(datagram) else {
            self.counters.dropped_unknown_kind += 1;
            return;
        };
        // A request goes to whom it names, also from a known address: that may have passed to another peer.
        let index = if let Kind::StunRequest { user } = kind {
            let Some(index) = self.demux.by_user(user) else {
                self.counters.dropped_unknown_user += 1;
                return;
            };
            if self.demux.by_address(protocol, source) != Some(index) {
                if !self.verify(index, datagram) {
                    self.counters.dropped_unverified += 1;
                    return;
                }
                self.demux.learn(protocol, source, index);
            }
            index
        } else {
            let Some(index) = self.demux.by_address(protocol, source) else {
                self.counters.dropped_unknown_source += 1;
                return;
            };
            index
        };
        let taken = match kind {
            Kind::Rtp => self.hear(index, datagram, now),
            Kind::Rtcp => self.drive(index, |peer| peer.handle_rtcp(datagram, now)),
            Kind::Dtls => self.drive(index, |peer| peer.handle_dtls(datagram, now)),
            Kind::Stun | Kind::StunRequest { .. } => self.drive(index, |peer| peer.handle_stun(path, datagram, now)),
        };
        if taken == Some(false) {
            self.counters.datagram_errors += 1;
        }
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
                self.drive(index, |peer| peer.handle_timeout(now));
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

    /// How long things took since the start.
    pub fn times(&self) -> &Times {
        &self.times
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
            echo: false,
            peer: None,
            session_id: self.rng.random::<u64>() >> 11,
            version: 0,
            fec: false,
            promise: None,
            trickled: None,
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

    fn begin_transport(&mut self, index: u32, peer: Peer) {
        let outgoing = Outgoing::new(self.rng.random(), self.rng.random());
        let Some(entry) = self.entry_mut(index) else { return };
        entry.peer = Some(Box::new(peer));
        entry.incoming.restart();
        entry.outgoing = outgoing;
        self.counters.peers += 1;
    }

    /// Says goodbye to the peer and forgets its transport, if it has one.
    fn end_transport(&mut self, index: u32, now: Instant) {
        let Some(mut peer) = self.forget_transport(index) else { return };
        self.counters.closed.by_us += 1;
        let (mapping, outputs, counters) = (self.config.public_mapping, &mut self.outputs, &mut self.counters);
        let farewell = isolated(|| {
            peer.close(now);
            loop {
                match peer.poll() {
                    PeerOutput::Transmit(transmit) => outputs.push_back(leaving(transmit, mapping, counters)),
                    PeerOutput::PathFound
                    | PeerOutput::Connected
                    | PeerOutput::Receiving(_)
                    | PeerOutput::SlowLink { .. }
                    | PeerOutput::Measured(_) => {}
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
        if self.counters.peers == 0 {
            self.wake_at = None;
        }
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

    fn set_deadline(&mut self, index: u32, at: Instant) {
        self.deadlines[index as usize] = Some(at);
        self.wake_at = Some(self.wake_at.map_or(at, |earliest| earliest.min(at)));
    }

    fn describe(&mut self, index: u32) -> Option<TransportInfo> {
        let candidates = self.config.candidates_of_ours().collect();
        let fingerprint = self.fingerprint.clone();
        self.with_peer(index, |peer| peer.info(fingerprint, candidates))
    }

    fn measure(&self, peer: PeerSlot) -> Option<PeerStatistics> {
        let slot = self.slots.get(peer.index as usize).filter(|slot| slot.generation == Some(peer.generation))?;
        Some(slot.entry.as_ref()?.peer.as_ref()?.measure())
    }

    /// Gives the peer's transport an input, and takes out what comes of it.
    fn drive<T>(&mut self, index: u32, input: impl FnOnce(&mut Peer) -> T) -> Option<T> {
        let slot = self.slots.get_mut(index as usize)?;
        let generation = slot.generation?;
        let peer = slot.entry.as_mut()?.peer.as_mut()?;
        let slot = PeerSlot { index, generation };
        let (mapping, outputs, counters) = (self.config.public_mapping, &mut self.outputs, &mut self.counters);
        let times = &mut self.times;
        let driven = isolated(|| {
            let value = input(peer);
            loop {
                let event = match peer.poll() {
                    PeerOutput::Transmit(transmit) => {
                        outputs.push_back(leaving(transmit, mapping, counters));
                        continue;
                    }
                    PeerOutput::Measured(measured) => {
                        count(measured, counters, times);
                        continue;
                    }
                    PeerOutput::PathFound => PeerEvent::PathFound,
                    PeerOutput::Connected => {
                        counters.handshakes += 1;
                        PeerEvent::Connected
                    }
                    PeerOutput::Receiving(receiving) => PeerEvent::Receiving(receiving),
                    PeerOutput::SlowLink { uplink, lost } => PeerEvent::SlowLink { uplink, lost },
                    PeerOutput::Timeout(at) => return (value, Ok(at)),
                    PeerOutput::Closed(reason) => return (value, Err(reason)),
                };
                outputs.push_back(Output::Event { peer: slot, event });
            }
        });
        match driven {
            Ok((value, Ok(at))) => {
                self.set_deadline(index, at);
                Some(value)
            }
            Ok((value, Err(reason))) => {
                self.lose_transport(index, reason);
                Some(value)
            }
            Err(Panicked) => {
                self.counters.panics += 1;
                self.lose_transport(index, CloseReason::Internal);
                None
            }
        }
    }

    /// Whether a STUN request that names the peer was made with its password.
    fn verify(&mut self, index: u32, datagram: &[u8]) -> bool {
        self.with_peer(index, |peer| peer.accepts(datagram)).unwrap_or(false)
    }

    /// The candidate that a datagram to this local address was sent to.
    fn announced(&self, destination: IpAddr) -> SocketAddr {
        let find = |ip| self.config.candidates.iter().find(|candidate| candidate.ip() == ip);
        let candidate = find(destination).or_else(|| self.config.public_mapping.and_then(find));
        candidate.copied().unwrap_or_else(|| SocketAddr::new(destination, 0))
    }

    fn slot(&self, index: u32) -> Option<PeerSlot> {
        let generation = self.slots.get(index as usize)?.generation?;
        Some(PeerSlot { index, generation })
    }

    fn entry_mut(&mut self, index: u32) -> Option<&mut Entry<R>> {
        self.slots.get_mut(index as usize)?.entry.as_mut()
    }
}

struct Panicked;

/// What reads hostile input may panic, as str0m did before, and 300 other peers share the thread. What the call had in hand may be
/// half changed, so the caller throws the peer away: that is why unwind safety may be asserted.
fn isolated<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| Panicked)
}
