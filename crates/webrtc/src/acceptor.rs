//! The shell that takes TCP connections: one thread and one port for all drivers. It reads the first frame, which names the peer, and
//! hands the connection to the driver of that peer; who says nothing of that kind is cut off. Decides nothing but that.

use std::collections::HashMap;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::demux::Kind;
use crate::framing::FrameReader;
use crate::inbox::DriverHandle;
use crate::newcomers::Newcomers;
use crate::ufrag;

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);
/// Of the first connection.
const FIRST: usize = 2;

/// Connections that the kernel holds for us.
const BACKLOG: i32 = 1024;
/// Bytes that the kernel takes and cannot send yet: half a second of audio. More would only come too late.
const UNSENT: u32 = 4096;
/// When the process has no file descriptor left, it may have one a little later.
const RETRY: Duration = Duration::from_secs(1);

/// A bound TCP port.
#[derive(Debug)]
pub struct Acceptor {
    listener: TcpListener,
    local_address: SocketAddr,
    poll: Poll,
}

/// A running acceptor, which ends when this is dropped.
#[derive(Debug)]
pub struct AcceptorHandle {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Stop {
    waker: Waker,
    stopping: AtomicBool,
}

/// What became of the TCP connections since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AcceptorCounters {
    /// Handed to a driver.
    pub handed_over: u64,
    /// Closed: no whole frame in time, or others waited who had come later.
    pub expired: u64,
    /// Closed: the first frame was no STUN request for a peer that may exist.
    pub refused: u64,
    /// Closed: that driver had too many to take in.
    pub dropped: u64,
}

/// A connection on its way to its driver, with what was read of it.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) stream: TcpStream,
    pub(crate) source: SocketAddr,
    pub(crate) local_ip: IpAddr,
    pub(crate) reader: FrameReader,
}

impl Acceptor {
    /// Opens the port. An IPv6 wildcard takes IPv6 only.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // Connections of the process before this one may linger.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from_std(socket.into());
        let local_address = listener.local_addr()?;
        Ok(Self { listener, local_address, poll: Poll::new()? })
    }

    /// Where it listens, with the port the kernel chose if none was given.
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// Starts the thread. The index of a driver is the number of its shard. `publish` is called when the counters may have changed.
    pub fn spawn<R: Send + 'static>(
        self,
        drivers: Vec<DriverHandle<R>>,
        publish: impl FnMut(&AcceptorCounters) + Send + 'static,
    ) -> io::Result<AcceptorHandle> {
        let Self { mut listener, poll, .. } = self;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let stop = Arc::new(Stop { waker: Waker::new(poll.registry(), WAKER)?, stopping: AtomicBool::new(false) });
        let turns = Turns {
            poll,
            listener,
            stop: stop.clone(),
            newcomers: Newcomers::default(),
            waiting: HashMap::new(),
            next: FIRST,
            accept_at: None,
            drivers,
            counters: AcceptorCounters::default(),
            publish,
        };
        let builder = std::thread::Builder::new().name("net-accept".to_owned());
        #[expect(clippy::disallowed_methods, reason = "this is the shell")]
        let thread = builder.spawn(move || turns.run())?;
        Ok(AcceptorHandle { stop, thread: Some(thread) })
    }
}

impl Drop for AcceptorHandle {
    fn drop(&mut self) {
        self.stop.stopping.store(true, Ordering::Release);
        if let Err(error) = self.stop.waker.wake() {
            tracing::error!(%error, "the acceptor could not be woken");
            return;
        }
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the acceptor's thread had panicked");
        }
    }
}

struct Turns<R, P> {
    poll: Poll,
    listener: TcpListener,
    stop: Arc<Stop>,
    newcomers: Newcomers,
    /// Those of `newcomers`, by number.
    waiting: HashMap<usize, Arrival>,
    next: usize,
    /// When to try again what has failed.
    accept_at: Option<Instant>,
    drivers: Vec<DriverHandle<R>>,
    counters: AcceptorCounters,
    publish: P,
}

impl<R, P: FnMut(&AcceptorCounters)> Turns<R, P> {
    fn run(mut self) {
        let mut events = Events::with_capacity(256);
        let mut now = clock();
        while !self.stop.stopping.load(Ordering::Acquire) {
            let wake_at = [self.newcomers.poll_timeout(), self.accept_at].into_iter().flatten().min();
            let sleep = wake_at.map(|at| at.saturating_duration_since(now));
            if let Err(error) = self.poll.poll(&mut events, sleep)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "the acceptor can't wait for connections any more");
                break;
            }
            now = clock();
            if self.accept_at.is_some_and(|at| at <= now) || events.iter().any(|event| event.token() == LISTENER) {
                self.accept(now);
            }
            for event in events.iter().filter(|event| event.token().0 >= FIRST) {
                self.read(event.token().0);
            }
            while let Some(number) = self.newcomers.poll_overdue(now) {
                self.waiting.remove(&number);
                self.counters.expired += 1;
            }
            (self.publish)(&self.counters);
        }
    }

    /// Takes in all that have connected.
    fn accept(&mut self, now: Instant) {
        self.accept_at = None;
        loop {
            match self.listener.accept() {
                Ok((stream, source)) => match self.welcome(stream, source) {
                    Ok(number) => {
                        if let Some(number) = self.newcomers.enter(number, source.ip(), now) {
                            self.waiting.remove(&number);
                            self.counters.expired += 1;
                        }
                    }
                    Err(error) => tracing::debug!(%error, "a connection could not be set up"),
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted) => {
                }
                Err(error) => {
                    tracing::warn!(%error, "TCP connections for media can't be accepted");
                    self.accept_at = Some(now + RETRY);
                    return;
                }
            }
        }
    }

    fn welcome(&mut self, mut stream: TcpStream, source: SocketAddr) -> io::Result<usize> {
        let socket = SockRef::from(&stream);
        socket.set_tcp_nodelay(true)?;
        socket.set_tcp_notsent_lowat(UNSENT)?;
        let local_ip = stream.local_addr()?.ip();
        let number = self.next;
        self.next += 1;
        self.poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
        self.waiting.insert(number, Arrival { stream, source, local_ip, reader: FrameReader::new() });
        Ok(number)
    }

    /// Reads what has come from a newcomer; with the first frame it goes, one way or the other.
    fn read(&mut self, number: usize) {
        let Some(arrival) = self.waiting.get_mut(&number) else { return };
        let frame = loop {
            match arrival.reader.peek() {
                Ok(Some(frame)) => break Some(frame),
                Ok(None) => {}
                Err(_) => break None,
            }
            match arrival.stream.read(arrival.reader.space()) {
                Ok(0) => break None,
                Ok(count) => arrival.reader.fill(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break None,
            }
        };
        let shard = match frame.and_then(Kind::of) {
            Some(Kind::StunRequest { user }) => ufrag::shard(user),
            Some(Kind::Stun | Kind::Dtls | Kind::Rtp { .. } | Kind::Rtcp) | None => None,
        };
        self.newcomers.leave(number);
        let Some(mut arrival) = self.waiting.remove(&number) else { return };
        let Some(driver) = shard.and_then(|shard| self.drivers.get(shard)) else {
            self.counters.refused += 1;
            return;
        };
        if let Err(error) = self.poll.registry().deregister(&mut arrival.stream) {
            tracing::debug!(%error, "a connection could not be handed over");
            return;
        }
        *(if driver.connect(arrival) { &mut self.counters.handed_over } else { &mut self.counters.dropped }) += 1;
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the shell")]
fn clock() -> Instant {
    Instant::now()
}
