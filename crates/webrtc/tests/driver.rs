//! The real thread and socket, over loopback: bounded waits for events, no sleeps.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::net::{Net, now};
use support::{Client, slot, traits};
use webrtc::{
    Certificate, Command, Counters, Driver, DriverConfig, DriverHandle, MixedAudio, Output, PeerEvent, Shard,
    ShardConfig, Times,
};

const LIMIT: Duration = Duration::from_secs(10);

fn start(bind: &str, announce: &str) -> Net {
    let driver = Driver::bind(bind.parse().unwrap()).unwrap();
    let announced = SocketAddr::new(announce.parse().unwrap(), driver.local_address().port());
    Net::start(driver, ShardConfig::announcing(vec![announced]))
}

/// A client on a socket of its own, driven until the condition holds.
struct Caller {
    socket: UdpSocket,
    client: Client,
}

impl Caller {
    #[expect(clippy::disallowed_methods, reason = "a real socket is what is tested")]
    fn new(ip: &str) -> Self {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
        let client = Client::new(socket.local_addr().unwrap(), slot(0), now());
        Self { socket, client }
    }

    fn run(&mut self, mut done: impl FnMut(&mut Client) -> bool) {
        let deadline = now() + LIMIT;
        let mut buffer = [0; 2048];
        while !done(&mut self.client) {
            assert!(now() < deadline, "not within {LIMIT:?}");
            for transmit in self.client.poll(now()) {
                self.socket.send_to(&transmit.payload, transmit.destination).unwrap();
            }
            match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) => self.client.handle_datagram(from, &buffer[..length], now()),
                Err(error) => assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}"),
            }
        }
    }
}

#[test]
fn a_call_over_loopback() {
    let Net { handle, outputs, counters } = start("127.0.0.1:0", "127.0.0.1");
    let mut caller = Caller::new("127.0.0.1");
    call(&handle, &outputs, &mut caller);

    handle.stop();
    caller.run(|client| client.closed);
    let counters = *counters.lock().unwrap();
    assert_eq!((counters.handshakes, counters.peers, counters.send_errors), (1, 0, 0));
    assert!(outputs.try_iter().all(|output| !matches!(output, Output::Event { event: PeerEvent::Closed(_), .. })));
}

/// Replies of a wildcard socket have to leave from the address that was written to: 127.0.0.2 is not the one the kernel
/// would choose, and the client takes no answer from another.
#[test]
fn a_wildcard_socket_answers_from_the_address_it_was_sent_to() {
    let Net { handle, outputs, .. } = start("0.0.0.0:0", "127.0.0.2");
    let mut caller = Caller::new("127.0.0.1");
    call(&handle, &outputs, &mut caller);
    handle.stop();
}

#[test]
fn a_taken_port_is_reported_before_anything_starts() {
    let first = Driver::bind("127.0.0.1:0".parse().unwrap()).unwrap();

    let second = Driver::bind(first.local_address());

    assert_eq!(second.unwrap_err().kind(), ErrorKind::AddrInUse);
}

#[test]
fn audio_never_waits() {
    let driver = Driver::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let config = ShardConfig::announcing(vec![driver.local_address()]);
    let shard: Shard<u32> = Shard::new(config, Certificate::generate().unwrap(), [1; 32], now());
    // The thread stands still in its first turn as long as the test holds this lock.
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap();
    let (entered, turns) = channel();
    let thread_gate = gate.clone();
    let publish = move |_: &Counters, _: &Times| {
        let _ = entered.send(());
        drop(thread_gate.lock());
    };
    let config = DriverConfig { audio_queue: 2, ..DriverConfig::named("net-test", now()) };
    let handle = driver.spawn(config, shard, |_| {}, publish).unwrap();
    turns.recv_timeout(LIMIT).unwrap();

    let accepted: Vec<bool> = (0..4).map(|_| handle.audio(Vec::new())).collect();

    assert_eq!(accepted, [true, true, false, false]);
    drop(closed);
    handle.stop();
}

#[test]
fn without_peers_the_thread_sleeps() {
    let driver = Driver::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let config = ShardConfig::announcing(vec![driver.local_address()]);
    let shard: Shard<u32> = Shard::new(config, Certificate::generate().unwrap(), [1; 32], now());
    let (turned, turns) = channel();
    let publish = move |_: &Counters, _: &Times| turned.send(()).unwrap_or(());
    let handle = driver.spawn(DriverConfig::named("net-test", now()), shard, |_| {}, publish).unwrap();

    // The first turns find out that there is nothing to do.
    while turns.recv_timeout(Duration::from_millis(500)).is_ok() {}
    assert!(turns.recv_timeout(Duration::from_millis(500)).is_err(), "a turn for nothing");

    assert!(handle.audio(Vec::new()));
    assert!(turns.recv_timeout(LIMIT).is_ok(), "woken");
    handle.stop();
}

#[test]
fn the_last_handle_ends_the_thread() {
    let Net { handle, outputs, .. } = start("127.0.0.1:0", "127.0.0.1");
    let other = handle.clone();

    drop(handle);
    drop(other);

    // The sink goes with the thread.
    assert!(outputs.recv_timeout(LIMIT).is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Disconnected));
}

/// Connects, sends audio both ways.
fn call(handle: &DriverHandle<u32>, outputs: &Receiver<Output<u32>>, caller: &mut Caller) {
    let offer = caller.client.offer();
    handle.command(Command::Route { peer: slot(0), route: Some(42) });
    handle.command(Command::Negotiate { peer: slot(0), negotiation: 1, offer, traits: traits() });
    let Output::Event { event: PeerEvent::Answered { answer, .. }, .. } = outputs.recv_timeout(LIMIT).unwrap() else {
        panic!("no answer");
    };
    caller.client.accept_answer(&answer.sdp);
    caller.run(|client| client.connected);

    caller.client.talking = true;
    let (mut media_time, mut heard) = (0, 0);
    caller.run(|client| {
        client.frame(now());
        media_time += 960;
        handle.audio(vec![MixedAudio { peer: slot(0), media_time, payload: Arc::from(&b"mixed"[..]) }]);
        heard += outputs.try_iter().filter(|output| matches!(output, Output::Packet { route: 42, .. })).count();
        heard >= 10 && client.received.len() >= 10
    });
}
