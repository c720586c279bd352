//! The shell around a [`Shard`]: one thread, one UDP socket, TCP connections, the clock. Decides nothing but the order of a turn.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use socket2::{Domain, Protocol, Socket, Type};

use crate::batch::{BATCH, Datagram, ReceiveBatch, SendBatch, forbid_fragments, report_local_addresses};
use crate::command::Output;
use crate::connections::Connections;
use crate::counters::Counters;
use crate::demux::is_dtls;
use crate::handshakes::{Handshakes, Waiting};
use crate::inbox::{DriverHandle, Inbox, Mixes, inbox};
use crate::load::LoadMeter;
use crate::pace::Pace;
use crate::packet::{self, MixedAudio, Transmit};
use crate::shard::Shard;
use crate::times::Times;

const SOCKET: Token = Token(0);
const WAKER: Token = Token(1);
const FIRST_CONNECTION: Token = Token(2);

/// 2000 peers at 50 packets a second for 100 ms of stall, with the kernel's overhead of some 700 bytes each: 7 MB. The
/// kernel cuts it to `net.core.rmem_max`.
const SOCKET_BUFFER: usize = 8 << 20;
/// Receive batches a turn, so that a flood leaves time for audio and timers.
const RECEIVES_PER_TURN: usize = 8;
/// Packets sent between two looks at the socket: a batch for 3000 peers takes 7 ms, in which a thousand datagrams come, and
/// the kernel may have room for less.
const SENDS_PER_RECEIVE: usize = BATCH;
/// Commands a turn: an offer takes a third of a millisecond, and a storm of joins is to leave time for what comes in.
const COMMANDS_PER_TURN: usize = 4;
/// Datagrams of handshakes a turn, each of which takes as long.
const HANDSHAKES_PER_TURN: usize = 4;
/// TCP connections taken in a turn: each comes with a check to verify.
const CONNECTIONS_PER_TURN: usize = 16;
/// Batches of audio at once, of which each may have a packet for every peer.
const BATCHES_PER_TURN: usize = 64;

/// How a driver runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverConfig {
    /// The name of the thread (the kernel shows 15 characters of it).
    pub thread_name: String,
    /// Commands that may wait; more make the caller wait.
    pub command_queue: usize,
    /// Batches of audio that may wait; more are dropped.
    pub audio_queue: usize,
    /// When media time was 0, and a mix began: while much comes, the socket is read just before mixes.
    pub epoch: Instant,
}

impl DriverConfig {
    /// With queues for a storm of joins and for a second of ticks from twenty mix threads.
    pub fn named(thread_name: impl Into<String>, epoch: Instant) -> Self {
        Self { thread_name: thread_name.into(), command_queue: 1024, audio_queue: 1024, epoch }
    }
}

/// A bound socket that waits for its shard.
#[derive(Debug)]
pub struct Driver {
    socket: UdpSocket,
    local_address: SocketAddr,
    poll: Poll,
}

impl Driver {
    /// Binds the socket. A wildcard address is fine: replies leave from the address that was written to. An IPv6 wildcard
    /// takes IPv6 only.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        for enlarged in [socket.set_recv_buffer_size(SOCKET_BUFFER), socket.set_send_buffer_size(SOCKET_BUFFER)] {
            if let Err(error) = enlarged {
                tracing::debug!(%error, "socket buffer left as it is");
            }
        }
        if let Err(error) = forbid_fragments(socket.as_fd(), address.is_ipv6()) {
            tracing::debug!(%error, "datagrams may be cut on their way");
        }
        socket.bind(&address.into())?;
        if address.ip().is_unspecified() {
            report_local_addresses(socket.as_fd(), address.is_ipv6())?;
        }
        let socket = UdpSocket::from_std(socket.into());
        let local_address = socket.local_addr()?;
        Ok(Self { socket, local_address, poll: Poll::new()? })
    }

    /// Where the socket is bound, with the port the kernel chose if none was given.
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// Starts the thread. `sink` gets every packet and event, `publish` the counts after each turn; both are called on
    /// the thread that all peers of the shard share and must not wait.
    pub fn spawn<R: Copy + Send + 'static>(
        self,
        config: DriverConfig,
        shard: Shard<R>,
        sink: impl FnMut(Output<R>) + Send + 'static,
        publish: impl FnMut(&Counters, &Times) + Send + 'static,
    ) -> io::Result<DriverHandle<R>> {
        let waker = Waker::new(self.poll.registry(), WAKER)?;
        let (handle, inbox) = inbox(waker, config.command_queue, config.audio_queue);
        let Self { socket, local_address, poll } = self;
        let local_ip = local_address.ip();
        let turns = move || {
            let now = clock();
            let port = Port::new(socket, local_ip);
            let connections = Connections::new(FIRST_CONNECTION);
            let (pace, meter) = (Pace::new(config.epoch, now), LoadMeter::new(now));
            let handshakes = Handshakes::default();
            Turns { poll, port, connections, pace, meter, handshakes, shard, inbox, sink, publish, now }.run();
        };
        let builder = std::thread::Builder::new().name(config.thread_name);
        #[expect(clippy::disallowed_methods, reason = "this is the shell")]
        let thread = builder.spawn(turns)?;
        handle.set_thread(thread);
        Ok(handle)
    }
}

struct Turns<R, S, P> {
    poll: Poll,
    port: Port,
    connections: Connections,
    pace: Pace,
    meter: LoadMeter,
    handshakes: Handshakes,
    shard: Shard<R>,
    inbox: Inbox<R>,
    sink: S,
    publish: P,
    /// Read once a turn.
    now: Instant,
}

impl<R: Copy, S: FnMut(Output<R>), P: FnMut(&Counters, &Times)> Turns<R, S, P> {
    fn run(mut self) {
        let mut events = Events::with_capacity(64);
        while !self.inbox.is_stopping() {
            let read_at = self.pace.next_read(self.now);
            self.port.listen(read_at.is_none(), self.poll.registry());
            if let Err(error) = self.poll.poll(&mut events, self.sleep(read_at))
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "a driver can't wait for its socket any more");
                break;
            }
            self.now = clock();
            self.port.readable |=
                read_at.is_some_and(|at| at <= self.now) || events.iter().any(|event| event.token() == SOCKET);
            for event in events.iter().filter(|event| event.token() >= FIRST_CONNECTION) {
                self.connections.handle_event(event);
            }
            self.turn();
        }
        self.shard.close_all(clock());
        self.finish();
    }

    /// A join takes a third of a millisecond, in its offer and again in its handshake, and a storm of them has hundreds: audio
    /// goes between.
    fn turn(&mut self) {
        self.inbox.mute();
        let mut received = self.send_all();
        for _ in 0..CONNECTIONS_PER_TURN {
            let Ok(arrival) = self.inbox.connections.try_recv() else { break };
            self.connections.adopt(arrival, self.poll.registry(), &mut self.shard, self.now);
        }
        for _ in 0..RECEIVES_PER_TURN {
            received += self.receive();
            received += self.receive_frames();
            received += self.send_all();
        }
        for _ in 0..HANDSHAKES_PER_TURN {
            let Some(Waiting { source, destination, bytes }) = self.handshakes.pop() else { break };
            self.shard.handle_datagram(source, destination, &bytes, self.now);
            received += self.send_all();
        }
        for _ in 0..COMMANDS_PER_TURN {
            let Ok(command) = self.inbox.commands.try_recv() else { break };
            self.pace.commanded(self.now);
            self.shard.handle_command(command, self.now);
            received += self.send_all();
        }
        self.pace.count(received, self.now);
        self.shard.handle_timeout(self.now);
        self.connections.handle_timeout(&mut self.shard, self.now);
        self.finish();
        if self.shard.counters_mut().peers == 0 {
            self.meter.rest(self.now, &self.inbox.load);
        } else {
            self.meter.turn(self.now, clock(), &self.inbox.load);
        }
    }

    /// The mixes that wait; how many datagrams have come meanwhile.
    fn send_all(&mut self) -> usize {
        let mut received = 0;
        for _ in 0..BATCHES_PER_TURN {
            let Ok(Mixes { given_at, audio }) = self.inbox.audio.try_recv() else { break };
            self.meter.mixes_waited(clock().saturating_duration_since(given_at));
            if let Some(first) = audio.first() {
                self.pace.mixed(first.media_time, self.now);
            }
            received += self.send(audio);
            self.flush();
        }
        received
    }

    /// One batch of datagrams, if there are any; how many.
    fn receive(&mut self) -> usize {
        let Self { port, handshakes, shard, now, .. } = self;
        if !port.readable {
            return 0;
        }
        let count = port.receive();
        // What each needs is fetched at the same time, not one after the other.
        port.received.datagrams().for_each(|datagram| shard.expect_datagram(datagram.source));
        for Datagram { source, destination, bytes } in port.received.datagrams() {
            let destination = destination.unwrap_or(port.local_ip);
            if !is_dtls(bytes) {
                shard.handle_datagram(source, destination, bytes, *now);
            } else if !handshakes.push(Waiting { source, destination, bytes: bytes.into() }) {
                shard.counters_mut().handshakes_dropped += 1;
            }
        }
        self.drain();
        count
    }

    /// A little of each TCP connection that has something; how many frames.
    fn receive_frames(&mut self) -> usize {
        let count = self.connections.receive(&mut self.shard, self.now);
        if count > 0 {
            self.drain();
        }
        count
    }

    /// A batch of mixes, with looks at the socket; how many datagrams have come meanwhile.
    fn send(&mut self, mixes: Vec<MixedAudio>) -> usize {
        let mut received = 0;
        let mut mixes = mixes.into_iter();
        for index in 0.. {
            let Some(mix) = mixes.next() else { break };
            if let [next, ..] = mixes.as_slice() {
                self.shard.expect_audio(next);
            }
            if index % SENDS_PER_RECEIVE == SENDS_PER_RECEIVE - 1 {
                received += self.receive();
            }
            self.shard.handle_audio(mix, self.now);
            self.drain();
        }
        received
    }

    /// Sends what fills a batch.
    fn drain(&mut self) {
        while let Some(output) = self.shard.poll_output() {
            match output {
                Output::Transmit(transmit) => match transmit.protocol {
                    packet::Protocol::Udp => {
                        self.port.push(transmit);
                        if self.port.leaving.is_full() {
                            self.shard.counters_mut().send_errors += self.port.flush();
                        }
                    }
                    packet::Protocol::Tcp => {
                        if !self.connections.push(transmit.destination, &transmit.payload) {
                            self.shard.counters_mut().frames_dropped += 1;
                        }
                    }
                },
                Output::Packet { .. } | Output::Event { .. } | Output::Measured { .. } => (self.sink)(output),
            }
        }
    }

    /// Sends the rest.
    fn flush(&mut self) {
        self.drain();
        self.shard.counters_mut().send_errors += self.port.flush();
        self.connections.flush(&mut self.shard);
    }

    fn finish(&mut self) {
        self.flush();
        let counters = self.shard.counters_mut();
        counters.audio_batches_dropped = self.inbox.batches_dropped();
        counters.overloaded = self.inbox.load.is_overloaded();
        (self.publish)(self.shard.counters(), self.shard.times());
    }

    /// `None`: until something comes. Work left over from the last turn allows no sleep. Timers bear to wait for a read.
    fn sleep(&self, read_at: Option<Instant>) -> Option<Duration> {
        let is_left = !self.handshakes.is_empty() || !self.inbox.is_empty();
        if self.port.readable || self.connections.is_readable() || is_left {
            return Some(Duration::ZERO);
        }
        let timers = [self.shard.poll_timeout(), self.connections.poll_timeout()];
        let wake_at = read_at.or(timers.into_iter().flatten().min());
        wake_at.map(|at| at.saturating_duration_since(self.now))
    }
}

/// The socket and the datagrams on their way through it.
struct Port {
    socket: UdpSocket,
    local_ip: IpAddr,
    /// Whether mio tells when something comes.
    listening: bool,
    /// Something may be there to read. mio tells only of what has come since the last time that all was read.
    readable: bool,
    received: ReceiveBatch,
    leaving: SendBatch,
}

impl Port {
    fn new(socket: UdpSocket, local_ip: IpAddr) -> Self {
        let (received, leaving) = (ReceiveBatch::new(), SendBatch::new());
        Self { socket, local_ip, listening: false, readable: true, received, leaving }
    }

    /// Whether readability wakes the thread. If it does from now on, then also what is there already.
    fn listen(&mut self, listening: bool, registry: &Registry) {
        if listening == self.listening {
            return;
        }
        self.listening = listening;
        let changed = if listening {
            registry.register(&mut self.socket, SOCKET, Interest::READABLE)
        } else {
            registry.deregister(&mut self.socket)
        };
        if let Err(error) = changed {
            tracing::error!(%error, "a driver can't tell whether its socket is to wake it");
        }
    }

    /// One batch, which is in `received` then; how many.
    fn receive(&mut self) -> usize {
        match self.received.receive(self.socket.as_fd()) {
            Ok(count) => {
                self.readable = count == BATCH;
                count
            }
            Err(error) => {
                self.readable = error.kind() == io::ErrorKind::Interrupted;
                if !matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) {
                    tracing::debug!(%error, "receive");
                }
                0
            }
        }
    }

    fn push(&mut self, mut transmit: Transmit) {
        if !self.local_ip.is_unspecified() {
            // It has one address, and to name it would cost the kernel a look-up.
            transmit.source = None;
        }
        self.leaving.push(transmit);
    }

    /// Sends what waits; how many the kernel did not take.
    fn flush(&mut self) -> u64 {
        self.leaving.send(self.socket.as_fd()) as u64
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the shell")]
pub(crate) fn clock() -> Instant {
    Instant::now()
}
