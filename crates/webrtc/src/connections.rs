//! The TCP connections of a driver's peers: frames in and out of them, never waiting for one. A part of the shell; whose a connection
//! is, the shard says.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::acceptor::Arrival;
use crate::framing::{FrameQueue, FrameReader};
use crate::shard::Shard;

/// Browsers ask for consent every few seconds (RFC 7675 section 5.1), so a connection without a word for so long is dead.
const MAX_SILENCE: Duration = Duration::from_secs(30);
/// How often to look for those, and for those whose peer has gone.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// The connections, by numbers that are never used again.
#[derive(Debug)]
pub(crate) struct Connections {
    connections: HashMap<usize, Connection>,
    /// The newest from each address.
    by_source: HashMap<SocketAddr, usize>,
    next: usize,
    /// Those that may have something to read. mio tells only of what has come since the last time that all was read.
    readable: VecDeque<usize>,
    /// Those that have something to send.
    unsent: Vec<usize>,
    look_at: Option<Instant>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    source: SocketAddr,
    local_ip: IpAddr,
    reader: FrameReader,
    queue: FrameQueue,
    /// In [`Connections::readable`].
    is_readable: bool,
    heard_at: Instant,
}

/// Why nothing more comes from a connection.
enum Stop {
    /// Nothing is there now.
    Empty,
    /// It is of no use.
    Useless,
}

impl Connections {
    /// `first` is the first token that is free.
    pub(crate) fn new(first: Token) -> Self {
        Self {
            connections: HashMap::new(),
            by_source: HashMap::new(),
            next: first.0,
            readable: VecDeque::new(),
            unsent: Vec::new(),
            look_at: None,
        }
    }

    /// Takes a connection in. It stays if the first frame proves whose it is, which the next [`Connections::receive`] finds out.
    pub(crate) fn adopt<R: Copy>(&mut self, arrival: Arrival, registry: &Registry, shard: &mut Shard<R>, now: Instant) {
        let Arrival { mut stream, source, local_ip, reader } = arrival;
        let id = self.next;
        self.next += 1;
        if let Err(error) = registry.register(&mut stream, Token(id), Interest::READABLE | Interest::WRITABLE) {
            tracing::debug!(%error, "a connection could not be taken in");
            return;
        }
        if let Some(previous) = self.by_source.get(&source) {
            // The client has closed it and uses the port again.
            self.close(*previous, shard);
        }
        let queue = FrameQueue::default();
        let connection = Connection { stream, source, local_ip, reader, queue, is_readable: true, heard_at: now };
        self.connections.insert(id, connection);
        self.by_source.insert(source, id);
        self.readable.push_back(id);
        self.look_at.get_or_insert(now + LOOK_INTERVAL);
        shard.counters_mut().connections += 1;
    }

    /// What mio tells of one of them.
    pub(crate) fn handle_event(&mut self, event: &Event) {
        let Some(connection) = self.connections.get_mut(&event.token().0) else { return };
        if event.is_readable() && !connection.is_readable {
            connection.is_readable = true;
            self.readable.push_back(event.token().0);
        }
        if event.is_writable() && !connection.queue.unsent().is_empty() {
            self.unsent.push(event.token().0);
        }
    }

    /// Gives the shard what has come, a little of each connection; how many frames.
    pub(crate) fn receive<R: Copy>(&mut self, shard: &mut Shard<R>, now: Instant) -> usize {
        let mut count = 0;
        for _ in 0..self.readable.len() {
            let Some(id) = self.readable.pop_front() else { break };
            let Some(connection) = self.connections.get_mut(&id) else { continue };
            match connection.receive(shard, now, &mut count) {
                Ok(()) => self.readable.push_back(id),
                Err(Stop::Empty) => connection.is_readable = false,
                Err(Stop::Useless) => {
                    if !shard.has_connection(connection.source) {
                        shard.counters_mut().connections_refused += 1;
                    }
                    self.close(id, shard);
                }
            }
        }
        count
    }

    /// Whether more may be there to read at once.
    pub(crate) fn is_readable(&self) -> bool {
        !self.readable.is_empty()
    }

    /// Sends a frame with the next [`Connections::flush`]. `false`: there is no such connection, or it does not keep up.
    pub(crate) fn push(&mut self, destination: SocketAddr, frame: &[u8]) -> bool {
        let Some(id) = self.by_source.get(&destination) else { return false };
        let Some(connection) = self.connections.get_mut(id) else { return false };
        let was_empty = connection.queue.unsent().is_empty();
        let taken = connection.queue.push(frame);
        if was_empty && taken {
            self.unsent.push(*id);
        }
        taken
    }

    /// Sends as much as the connections take.
    pub(crate) fn flush<R: Copy>(&mut self, shard: &mut Shard<R>) {
        while let Some(id) = self.unsent.pop() {
            let sent = self.connections.get_mut(&id).is_none_or(Connection::send);
            if !sent {
                self.close(id, shard);
            }
        }
    }

    /// Closes those that are silent and those whose peer has gone.
    pub(crate) fn handle_timeout<R: Copy>(&mut self, shard: &mut Shard<R>, now: Instant) {
        if self.look_at.is_none_or(|at| now < at) {
            return;
        }
        let is_dead = |it: &Connection| {
            // What is there to read may prove whose it is.
            let is_nobodys = !it.is_readable && !shard.has_connection(it.source);
            is_nobodys || now >= it.heard_at + MAX_SILENCE
        };
        let dead: Vec<usize> = self.connections.iter().filter(|(_, it)| is_dead(it)).map(|(id, _)| *id).collect();
        dead.into_iter().for_each(|id| self.close(id, shard));
        self.look_at = (!self.connections.is_empty()).then_some(now + LOOK_INTERVAL);
    }

    /// When [`Connections::handle_timeout`] is next of use.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.look_at
    }

    fn close<R: Copy>(&mut self, id: usize, shard: &mut Shard<R>) {
        let Some(Connection { source, .. }) = self.connections.remove(&id) else { return };
        self.by_source.remove(&source);
        shard.forget_connection(source);
        shard.counters_mut().connections -= 1;
    }
}

impl Connection {
    /// Reads once. `Ok`: there may be more.
    fn receive<R: Copy>(&mut self, shard: &mut Shard<R>, now: Instant, count: &mut usize) -> Result<(), Stop> {
        // Before the first read: those that the acceptor has read.
        self.handle_frames(shard, now, count)?;
        match self.stream.read(self.reader.space()) {
            Ok(0) => Err(Stop::Useless),
            Ok(read) => {
                self.reader.fill(read);
                self.handle_frames(shard, now, count)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(Stop::Empty),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(_) => Err(Stop::Useless),
        }
    }

    fn handle_frames<R: Copy>(&mut self, shard: &mut Shard<R>, now: Instant, count: &mut usize) -> Result<(), Stop> {
        while let Some(frame) = self.reader.next().map_err(|_| Stop::Useless)? {
            *count += 1;
            self.heard_at = now;
            if !shard.handle_frame(self.source, self.local_ip, frame, now) {
                return Err(Stop::Useless);
            }
        }
        Ok(())
    }

    /// `false`: it takes nothing more, ever.
    fn send(&mut self) -> bool {
        while !self.queue.unsent().is_empty() {
            match self.stream.write(self.queue.unsent()) {
                Ok(0) => return false,
                Ok(sent) => self.queue.advance(sent),
                // mio tells when there is room again.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }
}
