//! One TCP port before two drivers, over loopback: bounded waits, no sleeps.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use support::net::{Net, now};
use support::{Client, slot, traits};
use webrtc::{
    Acceptor, AcceptorCounters, AcceptorHandle, Command, Driver, MixedAudio, Output, PeerEvent, Protocol, ShardConfig,
};

const LIMIT: Duration = Duration::from_secs(10);

/// Two net threads and what takes their connections.
struct Running {
    address: SocketAddr,
    drivers: Vec<Net>,
    counters: Arc<Mutex<AcceptorCounters>>,
    _acceptor: AcceptorHandle,
}

impl Running {
    fn wait_for(&self, expected: AcceptorCounters) {
        wait(|| *self.counters.lock().unwrap() == expected, || true);
    }
}

fn start() -> Running {
    let acceptor = Acceptor::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = acceptor.local_address();
    let drivers: Vec<Net> = (0..2).map(|number| net(number, address.port())).collect();
    let counters = Arc::new(Mutex::new(AcceptorCounters::default()));
    let published = counters.clone();
    let handles = drivers.iter().map(|driver| driver.handle.clone()).collect();
    let _acceptor = acceptor.spawn(handles, move |counters| *published.lock().unwrap() = *counters).unwrap();
    Running { address, drivers, counters, _acceptor }
}

fn net(number: u8, tcp_port: u16) -> Net {
    let driver = Driver::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let config =
        ShardConfig { number, tcp_port: Some(tcp_port), ..ShardConfig::announcing(vec![driver.local_address()]) };
    Net::start(driver, config)
}

/// A client on a connection of its own, which leaves UDP aside.
struct Caller {
    stream: TcpStream,
    unread: Vec<u8>,
    client: Client,
}

impl Caller {
    /// `window`: bytes that it takes before it has read them.
    fn connect(address: SocketAddr, window: Option<usize>) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        if let Some(window) = window {
            socket.set_recv_buffer_size(window).unwrap();
        }
        socket.connect(&address.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
        let client = Client::with_tcp(stream.local_addr().unwrap(), slot(0), now());
        Self { stream, unread: Vec::new(), client }
    }

    fn negotiate(&mut self, net: &Net) {
        let offer = self.client.offer();
        net.handle.command(Command::Route { peer: slot(0), route: Some(42) });
        net.handle.command(Command::Negotiate { peer: slot(0), negotiation: 1, offer, traits: traits() });
        let Output::Event { event: PeerEvent::Answered { answer, .. }, .. } = net.outputs.recv_timeout(LIMIT).unwrap()
        else {
            panic!("no answer");
        };
        self.client.accept_answer(&answer.sdp);
    }

    fn run(&mut self, mut done: impl FnMut(&mut Client) -> bool) {
        let deadline = now() + LIMIT;
        let mut buffer = [0; 4096];
        while !done(&mut self.client) {
            assert!(now() < deadline, "not within {LIMIT:?}");
            self.write();
            match self.stream.read(&mut buffer) {
                Ok(0) => panic!("cut off"),
                Ok(count) => self.unread.extend(&buffer[..count]),
                Err(error) => assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}"),
            }
            let from = self.stream.peer_addr().unwrap();
            while let Some(frame) = take_frame(&mut self.unread) {
                self.client.handle_frame(from, &frame, now());
            }
        }
    }

    fn write(&mut self) {
        for transmit in self.client.poll(now()) {
            if transmit.protocol == Protocol::Tcp {
                self.stream.write_all(&framed(&transmit.payload)).unwrap();
            }
        }
    }

    /// Audio both ways.
    fn talk(&mut self, net: &Net) {
        self.client.talking = true;
        let (mut media_time, mut heard) = (0, 0);
        let before = self.client.received.len();
        self.run(|client| {
            client.frame(now());
            media_time += 960;
            net.handle.audio(vec![mixed(media_time, 100)]);
            heard += net.outputs.try_iter().filter(|output| matches!(output, Output::Packet { route: 42, .. })).count();
            heard >= 10 && client.received.len() >= before + 10
        });
    }
}

#[test]
fn each_connection_comes_to_the_thread_of_its_peer() {
    let running = start();
    let mut callers = running.drivers.iter().map(|net| (net, Caller::connect(running.address, None)));

    for (net, mut caller) in callers.by_ref() {
        caller.negotiate(net);
        caller.run(|client| client.connected);
        caller.talk(net);
        let counters = *net.counters.lock().unwrap();
        assert_eq!((counters.connections, counters.handshakes, counters.frames_dropped), (1, 1, 0));

        drop(caller);
        wait(|| net.counters.lock().unwrap().connections == 0, || net.handle.audio(Vec::new()));
    }
    running.wait_for(AcceptorCounters { handed_over: 2, ..Default::default() });
}

#[test]
fn who_has_nothing_to_do_here_is_cut_off() {
    let running = start();
    // A STUN request (RFC 8489 section 5) with a user of eight characters.
    let request = |user: &[u8; 8]| {
        let header = [&[0, 1, 0, 16, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
        [&header[..], &[0, 6, 0, 10], user, b":x", &[0, 0]].concat()
    };
    let unknown = request(b"AAxxxxxx");
    let first_frames = [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xff; 100],
        framed(b""),
        framed(&[22; 50]),
        framed(&request(b"////////")),
        framed(&unknown),
    ];
    for bytes in first_frames {
        let mut stream = TcpStream::connect(running.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(&bytes).unwrap();
        let ended = stream.read(&mut [0; 1]);
        // What it had not read yet when it closed makes the kernel say so.
        let cut_off = ended.is_ok_and(|count| count == 0) || stream.read(&mut [0; 1]).is_ok_and(|count| count == 0);
        assert!(cut_off, "{bytes:?}");
    }
    let net = &running.drivers[0];
    wait(|| net.counters.lock().unwrap().connections_refused == 1, || net.handle.audio(Vec::new()));
    running.wait_for(AcceptorCounters { handed_over: 1, refused: 5, ..Default::default() });
}

#[test]
fn who_does_not_read_loses_packets_and_nobody_else_does() {
    let running = start();
    let net = &running.drivers[0];
    let mut slow = Caller::connect(running.address, Some(4096));
    slow.negotiate(net);
    slow.run(|client| client.connected);

    let mut media_time = 0;
    wait(
        || net.counters.lock().unwrap().frames_dropped >= 100,
        || {
            media_time += 960;
            net.handle.audio(vec![mixed(media_time, 1000)])
        },
    );
    let other = &running.drivers[1];
    let mut caller = Caller::connect(running.address, None);
    caller.negotiate(other);
    caller.run(|client| client.connected);
    caller.talk(other);

    let received = slow.client.received.len();
    slow.run(|client| {
        media_time += 960;
        net.handle.audio(vec![mixed(media_time, 100)]);
        client.received.len() > received + 10
    });
    assert_eq!(net.counters.lock().unwrap().connections, 1, "it goes on where it was");
}

fn mixed(media_time: u64, bytes: usize) -> MixedAudio {
    MixedAudio { peer: slot(0), media_time, payload: vec![7; bytes].into() }
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

fn take_frame(stream: &mut Vec<u8>) -> Option<Vec<u8>> {
    let [high, low, ..] = stream[..] else { return None };
    let end = 2 + usize::from(u16::from_be_bytes([high, low]));
    (end <= stream.len()).then(|| stream.drain(..end).skip(2).collect())
}

/// Until it is so; `nudge` makes the thread publish what it counts.
fn wait(done: impl Fn() -> bool, mut nudge: impl FnMut() -> bool) {
    let deadline = now() + LIMIT;
    while !done() {
        assert!(now() < deadline, "not within {LIMIT:?}");
        nudge();
        std::thread::yield_now();
    }
}
