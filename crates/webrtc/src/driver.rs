//! The shell around a [`Shard`]: one thread, one UDP socket, the clock. Decides nothing but the order of a turn.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

use crate::command::Output;
use crate::counters::Counters;
use crate::inbox::{DriverHandle, Inbox, inbox};
use crate::packet::Transmit;
use crate::shard::Shard;

const SOCKET: Token = Token(0);
const WAKER: Token = Token(1);

/// 2000 peers at 50 packets a second for 100 ms of stall, with the kernel's overhead of some 700 bytes each: 7 MB. The
/// kernel cuts it to `net.core.rmem_max`.
const SOCKET_BUFFER: usize = 8 << 20;
/// The longest UDP datagram, and what the kernel may coalesce into one buffer (GRO).
const BUFFER: usize = 1 << 16;
/// Receive batches a turn, so that a flood leaves time for audio and timers.
const RECEIVES_PER_TURN: usize = 8;
/// Commands a turn: a join takes 0.24 ms, and the audio of a tick waits behind it.
const COMMANDS_PER_TURN: usize = 16;
/// Batches of audio a turn, of which each may have a packet for every peer.
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
}

impl DriverConfig {
    /// With queues for a storm of joins and for a second of ticks from twenty mix threads.
    pub fn named(thread_name: impl Into<String>) -> Self {
        Self { thread_name: thread_name.into(), command_queue: 1024, audio_queue: 1024 }
    }
}

/// A bound socket that waits for its shard.
#[derive(Debug)]
pub struct Driver {
    socket: UdpSocket,
    state: UdpSocketState,
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
        socket.bind(&address.into())?;
        let mut socket = UdpSocket::from_std(socket.into());
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let local_address = socket.local_addr()?;
        let poll = Poll::new()?;
        poll.registry().register(&mut socket, SOCKET, Interest::READABLE)?;
        Ok(Self { socket, state, local_address, poll })
    }

    /// Where the socket is bound, with the port the kernel chose if none was given.
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// Starts the thread. `sink` gets every packet and event, `publish` the counters after each turn; both are called on
    /// the thread that all peers of the shard share and must not wait.
    pub fn spawn<R: Copy + Send + 'static>(
        self,
        config: DriverConfig,
        shard: Shard<R>,
        sink: impl FnMut(Output<R>) + Send + 'static,
        publish: impl FnMut(&Counters) + Send + 'static,
    ) -> io::Result<DriverHandle<R>> {
        let waker = Waker::new(self.poll.registry(), WAKER)?;
        let (handle, inbox) = inbox(waker, config.command_queue, config.audio_queue);
        let Self { socket, state, local_address, poll } = self;
        let port = Port { socket, state, local_ip: local_address.ip(), readable: true };
        let turns = Turns { poll, port, shard, inbox, sink, publish };
        let builder = std::thread::Builder::new().name(config.thread_name);
        #[expect(clippy::disallowed_methods, reason = "this is the shell")]
        let thread = builder.spawn(move || turns.run())?;
        handle.set_thread(thread);
        Ok(handle)
    }
}

struct Turns<R, S, P> {
    poll: Poll,
    port: Port,
    shard: Shard<R>,
    inbox: Inbox<R>,
    sink: S,
    publish: P,
}

impl<R: Copy, S: FnMut(Output<R>), P: FnMut(&Counters)> Turns<R, S, P> {
    fn run(mut self) {
        let mut buffers = Buffers::new();
        let mut events = Events::with_capacity(8);
        let mut now = clock();
        while !self.inbox.is_stopping() {
            if let Err(error) = self.poll.poll(&mut events, self.sleep(now))
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "a driver can't wait for its socket any more");
                break;
            }
            self.port.readable |= events.iter().any(|event| event.token() == SOCKET);
            now = clock();
            self.turn(&mut buffers, now);
        }
        self.shard.close_all(clock());
        self.drain();
    }

    fn turn(&mut self, buffers: &mut Buffers, now: Instant) {
        self.inbox.mute();
        for command in self.inbox.commands.try_iter().take(COMMANDS_PER_TURN) {
            self.shard.handle_command(command, now);
        }
        for _ in 0..RECEIVES_PER_TURN {
            if !self.port.readable {
                break;
            }
            self.port.receive(buffers, |source, destination, datagram| {
                self.shard.handle_datagram(source, destination, datagram, now);
            });
        }
        for audio in self.inbox.audio.try_iter().take(BATCHES_PER_TURN).flatten() {
            self.shard.handle_audio(audio, now);
        }
        self.shard.handle_timeout(now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.shard.poll_output() {
            match output {
                Output::Transmit(transmit) => {
                    if !self.port.send(&transmit) {
                        self.shard.counters_mut().send_errors += 1;
                    }
                }
                Output::Packet { .. } | Output::Event { .. } => (self.sink)(output),
            }
        }
        self.shard.counters_mut().audio_batches_dropped = self.inbox.batches_dropped();
        (self.publish)(self.shard.counters());
    }

    /// `None`: until something comes. Work left over from the last turn allows no sleep.
    fn sleep(&self, now: Instant) -> Option<Duration> {
        if self.port.readable || !self.inbox.is_empty() {
            return Some(Duration::ZERO);
        }
        self.shard.poll_timeout().map(|at| at.saturating_duration_since(now))
    }
}

/// The socket.
struct Port {
    socket: UdpSocket,
    state: UdpSocketState,
    local_ip: IpAddr,
    /// mio reports an edge: it stays readable until a read would block.
    readable: bool,
}

struct Buffers {
    bytes: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
}

impl Buffers {
    fn new() -> Self {
        Self { bytes: vec![0; BUFFER * BATCH_SIZE], metas: [RecvMeta::default(); BATCH_SIZE] }
    }
}

impl Port {
    /// One batch.
    fn receive(&mut self, buffers: &mut Buffers, mut handle: impl FnMut(SocketAddr, IpAddr, &[u8])) {
        let Buffers { bytes, metas } = buffers;
        let mut chunks = bytes.chunks_exact_mut(BUFFER);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let count = match self.state.recv(UdpSockRef::from(&self.socket), &mut slices, metas) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
            Err(error) => {
                if error.kind() != io::ErrorKind::WouldBlock {
                    tracing::debug!(%error, "receive");
                }
                self.readable = false;
                return;
            }
        };
        for (meta, slice) in metas.iter().zip(&slices).take(count) {
            let destination = meta.dst_ip.unwrap_or(self.local_ip);
            let filled = slice.get(..meta.len).unwrap_or_default();
            // The kernel may have coalesced datagrams of one length.
            for datagram in filled.chunks(meta.stride.max(1)) {
                handle(meta.addr, destination, datagram);
            }
        }
    }

    fn send(&self, transmit: &Transmit) -> bool {
        let Transmit { source, destination, payload } = transmit;
        let transmit = quinn_udp::Transmit {
            destination: *destination,
            ecn: None,
            contents: payload,
            segment_size: None,
            src_ip: *source,
        };
        match self.state.try_send(UdpSockRef::from(&self.socket), &transmit) {
            Ok(()) => true,
            Err(error) => {
                tracing::debug!(%error, "send");
                false
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the shell")]
fn clock() -> Instant {
    Instant::now()
}
