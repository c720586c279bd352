//! A shard with many connected peers in virtual time: what they send is made beforehand, so that only the shard's own
//! work is measured.
#![allow(dead_code, unreachable_pub, reason = "each benchmark uses a part of it")]
#![allow(clippy::unwrap_used, reason = "only benchmarks are built with it")]

#[path = "../../tests/support/client.rs"]
mod client;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use webrtc::{
    AnswerTraits, Certificate, Command, MixTraits, MixedAudio, Output, PeerEvent, PeerSlot, Shard, ShardConfig,
    Transmit,
};

use self::client::Client;

/// With the allocator of the product: what a thousand peers cost depends on it more than on anything else.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

pub const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 5)), 10_000);
const BINDING_REQUEST: [u8; 2] = [0, 1];
const FRAME: Duration = Duration::from_millis(20);
/// A network without delay needs some ten of these to connect a peer.
const CONNECTING_STEP: Duration = Duration::from_millis(10);
/// Of a mix: speech at 32 kb/s.
const PAYLOAD: [u8; 80] = [0x5a; 80];

/// A shard and its peers, of which each sends one packet and is sent one in every tick.
pub struct Crowd {
    pub shard: Shard<u32>,
    pub now: Instant,
    clients: Vec<Client>,
    /// The last connectivity check that a client made, which its peer answers as often as it comes.
    pub check: (SocketAddr, Vec<u8>),
    /// Not yet given to the clients.
    answers: Vec<Transmit>,
    media_time: u64,
    payload: Arc<[u8]>,
    rng: StdRng,
}

/// What comes from outside within 20 ms.
pub struct Tick {
    now: Instant,
    datagrams: Vec<(SocketAddr, Vec<u8>)>,
    audio: Vec<MixedAudio>,
}

impl Crowd {
    /// So many connected peers.
    #[expect(clippy::disallowed_methods, reason = "where virtual time starts does not matter")]
    pub fn connected(peers: usize) -> Self {
        let now = Instant::now();
        let config = ShardConfig::announcing(vec![SERVER]);
        let shard = Shard::new(config, Certificate::generate().unwrap(), [7; 32], now);
        let mut crowd = Self {
            shard,
            now,
            clients: Vec::new(),
            check: (SERVER, Vec::new()),
            answers: Vec::new(),
            media_time: 0,
            payload: Arc::from(PAYLOAD),
            rng: StdRng::seed_from_u64(1),
        };
        for index in 0..peers as u32 {
            crowd.add_client(index);
        }
        for _ in 0..500 {
            if crowd.clients.iter().all(|client| client.connected) {
                break;
            }
            crowd.now += CONNECTING_STEP;
            for (source, datagram) in crowd.datagrams() {
                crowd.receive(source, &datagram);
                if datagram.starts_with(&BINDING_REQUEST) {
                    crowd.check = (source, datagram);
                }
            }
            crowd.shard.handle_timeout(crowd.now);
            crowd.deliver();
        }
        assert!(crowd.clients.iter().all(|client| client.connected), "not all have connected");
        crowd.clients.iter_mut().for_each(|client| client.talking = true);
        // What is made with the first packets is no part of the running cost.
        for _ in 0..60 {
            let tick = crowd.next_tick();
            crowd.run(&tick);
        }
        crowd
    }

    /// What the clients make of the last 20 ms; in the random order in which peers that know nothing of one another send.
    pub fn next_tick(&mut self) -> Tick {
        self.deliver();
        self.now += FRAME;
        self.media_time += 960;
        let now = self.now;
        self.clients.iter_mut().for_each(|client| client.frame(now));
        let mut datagrams = self.datagrams();
        datagrams.shuffle(&mut self.rng);
        let audio = self.clients.iter().map(|client| MixedAudio {
            peer: client.slot,
            media_time: self.media_time,
            payload: self.payload.clone(),
        });
        Tick { now, audio: audio.collect(), datagrams }
    }

    /// What a driver does with a tick, but for the system calls. How many outputs there were.
    pub fn run(&mut self, tick: &Tick) -> usize {
        let mut outputs = 0;
        for (source, datagram) in &tick.datagrams {
            self.shard.handle_datagram(*source, SERVER.ip(), datagram, tick.now);
            outputs += self.drop_outputs();
        }
        for audio in &tick.audio {
            self.shard.handle_audio(audio.clone(), tick.now);
            outputs += self.drop_outputs();
        }
        self.shard.handle_timeout(tick.now);
        outputs + self.drop_outputs()
    }

    /// One datagram, now.
    pub fn receive(&mut self, source: SocketAddr, datagram: &[u8]) {
        self.shard.handle_datagram(source, SERVER.ip(), datagram, self.now);
    }

    /// How many there were.
    pub fn drop_outputs(&mut self) -> usize {
        let mut outputs = 0;
        while let Some(output) = self.shard.poll_output() {
            outputs += 1;
            // Clients need the answers to their checks to stay connected; audio is of no use to them.
            if let Output::Transmit(transmit) = output
                && transmit.payload[0] < 128
            {
                self.answers.push(transmit);
            }
        }
        outputs
    }

    fn add_client(&mut self, index: u32) {
        let peer = PeerSlot { index, generation: 1 };
        let mut client = Client::new(address_of(index), peer, self.now);
        let offer = client.offer();
        self.shard.handle_command(Command::Route { peer, route: Some(index) }, self.now);
        self.shard.handle_command(Command::Negotiate { peer, negotiation: 1, offer, traits: traits() }, self.now);
        while let Some(output) = self.shard.poll_output() {
            if let Output::Event { event: PeerEvent::Answered { answer, .. }, .. } = output {
                client.accept_answer(&answer.sdp);
            }
        }
        self.clients.push(client);
    }

    /// What the clients send now.
    fn datagrams(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        let now = self.now;
        let sent = |client: &mut Client| {
            let address = client.address;
            client.poll(now).into_iter().map(move |transmit| (address, transmit.payload))
        };
        self.clients.iter_mut().flat_map(sent).collect()
    }

    /// Gives the clients what the shard has put out.
    fn deliver(&mut self) {
        while let Some(output) = self.shard.poll_output() {
            if let Output::Transmit(transmit) = output {
                self.answers.push(transmit);
            }
        }
        for Transmit { destination, payload, .. } in self.answers.drain(..) {
            self.clients[index_of(destination)].handle_datagram(SERVER, &payload, self.now);
        }
    }
}

fn address_of(index: u32) -> SocketAddr {
    let [_, a, b, c] = index.to_be_bytes();
    SocketAddr::from(([10, a, b, c], 40_000))
}

fn index_of(address: SocketAddr) -> usize {
    match address.ip() {
        IpAddr::V4(ip) => u32::from_be_bytes(ip.octets()) as usize & 0x00ff_ffff,
        IpAddr::V6(_) => panic!("no client has such an address"),
    }
}

fn traits() -> AnswerTraits {
    AnswerTraits::Mix(MixTraits {
        session_name: "AudioBridge 1".to_owned(),
        max_playback_rate: 48_000,
        stereo: false,
        dtx: true,
    })
}
