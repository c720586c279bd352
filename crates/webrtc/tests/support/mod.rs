//! A shard, clients that are str0m agents of their own with full ICE, and a network between them, in virtual time.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

pub mod client;
pub mod net;
pub mod offers;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use webrtc::{
    Answer, AnswerTraits, AudioPacket, Certificate, Command, MixTraits, MixedAudio, OurOffer, Output, PeerAnswer,
    PeerEvent, PeerSlot, PeerStatistics, Protocol, Shard, ShardConfig, Transmit, TransportInfo,
};

pub use client::Client;

/// Where the shard is.
pub const SERVER: &str = "203.0.113.5:10000";
/// Where it takes TCP connections, if it does.
pub const TCP_PORT: u16 = 443;
const STEP: Duration = Duration::from_millis(1);
const FRAME: Duration = Duration::from_millis(20);

/// Everything, and the time.
pub struct World {
    pub now: Instant,
    pub start: Instant,
    pub shard: Shard<u32>,
    pub clients: Vec<Client>,
    /// What the shard said, but for datagrams.
    pub events: Vec<(PeerSlot, PeerEvent)>,
    pub measured: Vec<(u64, Vec<(PeerSlot, PeerStatistics)>)>,
    pub packets: Vec<(u32, AudioPacket)>,
    /// When each of them was put out.
    pub packet_times: Vec<Instant>,
    /// Share of the datagrams that the network loses, and how long it takes for the others.
    pub loss: f64,
    pub delay: Duration,
    /// The public address of a 1:1 NAT before the shard.
    pub nat: Option<SocketAddr>,
    /// The network loses all DTLS.
    pub drop_dtls: bool,
    /// The network loses all UDP.
    pub drop_udp: bool,
    /// Peers that get a packet of a mix every 20 ms.
    pub listeners: Vec<PeerSlot>,
    pub media_time: u64,
    pub negotiations: u64,
    /// The last STUN request and the last DTLS record that a client sent.
    pub last_check: Vec<u8>,
    pub last_record: Vec<u8>,
    /// Datagrams to addresses where no client is.
    pub strays: usize,
    in_flight: Vec<Flight>,
    rng: StdRng,
}

struct Flight {
    at: Instant,
    protocol: Protocol,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

impl World {
    pub fn new() -> Self {
        Self::with(ShardConfig::announcing(vec![server()]))
    }

    #[expect(clippy::disallowed_methods, reason = "where virtual time starts does not matter")]
    pub fn with(config: ShardConfig) -> Self {
        let start = Instant::now();
        Self {
            now: start,
            start,
            shard: Shard::new(config, Certificate::generate().unwrap(), [7; 32], start),
            clients: Vec::new(),
            events: Vec::new(),
            measured: Vec::new(),
            packets: Vec::new(),
            packet_times: Vec::new(),
            loss: 0.0,
            delay: Duration::from_millis(5),
            nat: None,
            drop_dtls: false,
            drop_udp: false,
            listeners: Vec::new(),
            media_time: 1_000_000,
            negotiations: 0,
            last_check: Vec::new(),
            last_record: Vec::new(),
            strays: 0,
            in_flight: Vec::new(),
            rng: StdRng::seed_from_u64(1),
        }
    }

    /// A client with an address of its own, not yet known to the shard. Its packets have its index as route.
    pub fn add_client(&mut self) -> usize {
        let index = self.clients.len();
        self.add(Client::new(address(index), slot(index), self.now))
    }

    /// A client that opens TCP connections as well.
    pub fn add_tcp_client(&mut self) -> usize {
        let index = self.clients.len();
        self.add(Client::with_tcp(address(index), slot(index), self.now))
    }

    fn add(&mut self, client: Client) -> usize {
        let index = self.clients.len();
        self.clients.push(client);
        self.command(Command::Route { peer: slot(index), route: Some(index as u32) });
        index
    }

    /// A client whose call is up.
    pub fn connected_client(&mut self) -> usize {
        let index = self.add_client();
        self.negotiate(index);
        assert!(self.run_until(Duration::from_secs(5), |world| world.is_up(index)), "no connection");
        index
    }

    pub fn is_up(&self, client: usize) -> bool {
        self.clients[client].connected && self.count(client, |event| *event == PeerEvent::Connected) > 0
    }

    /// Offer and answer; the answer must come.
    pub fn negotiate(&mut self, client: usize) -> Answer {
        let offer = self.clients[client].offer();
        let answer = self.offer(client, &offer).expect("accepted");
        self.clients[client].accept_answer(&answer.sdp);
        answer
    }

    /// Gives the shard an offer. `Err` is the text of the refusal.
    pub fn offer(&mut self, client: usize, offer: &str) -> Result<Answer, String> {
        self.negotiations += 1;
        let number = self.negotiations;
        let (peer, offer) = (self.clients[client].slot, offer.to_owned());
        self.command(Command::Negotiate { peer, negotiation: number, offer, traits: traits() });
        for (_, event) in &self.events {
            match event {
                PeerEvent::Answered { negotiation, answer } if *negotiation == number => return Ok(answer.clone()),
                PeerEvent::Refused { negotiation, reason } if *negotiation == number => return Err(reason.clone()),
                PeerEvent::Answered { .. }
                | PeerEvent::Refused { .. }
                | PeerEvent::Offered { .. }
                | PeerEvent::Accepted { .. }
                | PeerEvent::PathFound
                | PeerEvent::Connected
                | PeerEvent::Receiving(_)
                | PeerEvent::SlowLink { .. }
                | PeerEvent::Described { .. }
                | PeerEvent::Closed(_) => {}
            }
        }
        panic!("no outcome of the negotiation");
    }

    /// Has the shard make an offer.
    pub fn offer_of_ours(&mut self, client: usize) -> OurOffer {
        self.negotiations += 1;
        let number = self.negotiations;
        let peer = self.clients[client].slot;
        self.command(Command::Offer { peer, negotiation: number, traits: mix_traits() });
        match self.events.last() {
            Some((_, PeerEvent::Offered { negotiation, offer })) if *negotiation == number => offer.clone(),
            other => panic!("no offer: {other:?}"),
        }
    }

    /// Gives the shard the answer to its offer. `Err` is the text of the refusal.
    pub fn answer(&mut self, client: usize, answer: &str) -> Result<PeerAnswer, String> {
        self.negotiations += 1;
        let number = self.negotiations;
        let (peer, answer) = (self.clients[client].slot, answer.to_owned());
        self.command(Command::Accept { peer, negotiation: number, answer });
        match self
            .events
            .iter()
            .rfind(|(_, event)| !matches!(event, PeerEvent::PathFound | PeerEvent::Connected | PeerEvent::Receiving(_)))
        {
            Some((_, PeerEvent::Accepted { negotiation, answer })) if *negotiation == number => Ok(*answer),
            Some((_, PeerEvent::Refused { negotiation, reason })) if *negotiation == number => Err(reason.clone()),
            other => panic!("no outcome: {other:?}"),
        }
    }

    /// What an operator is told of the client's transport.
    pub fn describe(&mut self, client: usize) -> Option<TransportInfo> {
        let peer = self.clients[client].slot;
        self.command(Command::Describe { peer, inquiry: 5 });
        match self.events.last() {
            Some((_, PeerEvent::Described { inquiry: 5, info })) => info.as_deref().cloned(),
            other => panic!("no description: {other:?}"),
        }
    }

    pub fn command(&mut self, command: Command<u32>) {
        self.shard.handle_command(command, self.now);
        self.collect();
    }

    pub fn datagram(&mut self, from: SocketAddr, bytes: &[u8]) {
        self.shard.handle_datagram(from, server().ip(), bytes, self.now);
        self.collect();
    }

    /// The same over a TCP connection; whether the shard wants to keep that.
    pub fn frame(&mut self, from: SocketAddr, bytes: &[u8]) -> bool {
        let wanted = self.shard.handle_frame(from, server().ip(), bytes, self.now);
        self.collect();
        wanted
    }

    pub fn audio(&mut self, peer: PeerSlot, media_time: u64) {
        let payload = Arc::from(&b"mixed"[..]);
        self.shard.handle_audio(MixedAudio { peer, media_time, payload }, self.now);
        self.collect();
    }

    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.now < end {
            self.step();
        }
    }

    /// Whether it came true in time.
    pub fn run_until(&mut self, limit: Duration, condition: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + limit;
        while !condition(self) {
            if self.now >= end {
                return false;
            }
            self.step();
        }
        true
    }

    pub fn count(&self, client: usize, matches: impl Fn(&PeerEvent) -> bool) -> usize {
        let slot = self.clients[client].slot;
        self.events.iter().filter(|(peer, event)| *peer == slot && matches(event)).count()
    }

    /// What has come from a client.
    pub fn heard(&self, client: usize) -> Vec<&AudioPacket> {
        self.packets.iter().filter(|(route, _)| *route == client as u32).map(|(_, packet)| packet).collect()
    }

    /// Whether a talking client that is a listener is heard, and hears, for the next second.
    pub fn flows_both_ways(&mut self, client: usize) -> bool {
        let (heard, received) = (self.heard(client).len(), self.clients[client].received.len());
        self.run_for(Duration::from_secs(1));
        self.heard(client).len() > heard + 40 && self.clients[client].received.len() > received + 40
    }

    fn step(&mut self) {
        self.now += STEP;
        let now = self.now;
        let (due, later) = std::mem::take(&mut self.in_flight).into_iter().partition(|flight| flight.at <= now);
        self.in_flight = later;
        for Flight { protocol, from, to, bytes, .. } in due {
            let server = self.nat.unwrap_or(server());
            let client = self.clients.iter_mut().find(|client| client.address == to);
            match (protocol, client) {
                (Protocol::Udp, None) if to == server => self.datagram(from, &bytes),
                (Protocol::Tcp, None) if to == over_tcp(server) => drop(self.frame(from, &bytes)),
                (Protocol::Udp, Some(client)) => client.handle_datagram(from, &bytes, now),
                (Protocol::Tcp, Some(client)) => client.handle_frame(from, &bytes, now),
                (Protocol::Udp | Protocol::Tcp, None) => self.strays += 1,
            }
        }
        if (now - self.start).as_millis().is_multiple_of(FRAME.as_millis()) {
            self.media_time += 960;
            for peer in self.listeners.clone() {
                self.audio(peer, self.media_time);
            }
            self.clients.iter_mut().for_each(|client| client.frame(now));
        }
        if self.shard.poll_timeout().is_some_and(|at| at <= now) {
            self.shard.handle_timeout(now);
            self.collect();
        }
        for client in 0..self.clients.len() {
            for Transmit { protocol, destination, payload, .. } in self.clients[client].poll(now) {
                let from = self.clients[client].address;
                self.send(protocol, from, destination, payload);
            }
        }
    }

    fn collect(&mut self) {
        while let Some(output) = self.shard.poll_output() {
            match output {
                Output::Transmit(Transmit { protocol, source, destination, payload }) => {
                    // Behind a NAT the kernel chooses.
                    assert_eq!(source, Some(server().ip()).filter(|_| self.nat.is_none()));
                    let from = self.nat.unwrap_or(server());
                    let from = if protocol == Protocol::Tcp { over_tcp(from) } else { from };
                    self.send(protocol, from, destination, payload);
                }
                Output::Packet { route, packet } => {
                    self.packets.push((route, packet));
                    self.packet_times.push(self.now);
                }
                Output::Event { peer, event } => self.events.push((peer, event)),
                Output::Measured { inquiry, peers } => self.measured.push((inquiry, peers)),
            }
        }
    }

    fn send(&mut self, protocol: Protocol, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        let to_shard = to.ip() == self.nat.unwrap_or(server()).ip();
        if to_shard && bytes.starts_with(&[0, 1]) {
            self.last_check.clone_from(&bytes);
        } else if to_shard && matches!(bytes[0], 20..=63) {
            self.last_record.clone_from(&bytes);
        }
        let dtls = matches!(bytes[0], 20..=63);
        let udp = protocol == Protocol::Udp;
        if self.rng.random::<f64>() >= self.loss && !(dtls && self.drop_dtls) && !(udp && self.drop_udp) {
            self.in_flight.push(Flight { at: self.now + self.delay, protocol, from, to, bytes });
        }
    }
}

pub fn server() -> SocketAddr {
    SERVER.parse().unwrap()
}

/// Where the shard is over TCP, if anywhere.
pub fn over_tcp(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), TCP_PORT)
}

fn address(client: usize) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 10 + client as u8], 40_000))
}

pub fn server_ip() -> IpAddr {
    server().ip()
}

pub fn slot(index: usize) -> PeerSlot {
    PeerSlot { index: index as u32, generation: 1 }
}

pub fn traits() -> AnswerTraits {
    AnswerTraits::Mix(mix_traits())
}

pub fn mix_traits() -> MixTraits {
    MixTraits { session_name: "AudioBridge 1234".to_owned(), max_playback_rate: 16_000, stereo: false, dtx: true }
}

/// A line of an SDP, by how it starts.
pub fn line<'a>(sdp: &'a str, start: &str) -> &'a str {
    sdp.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in {sdp}"))
}
