//! Shell: how datagrams go between participants and the server. Knows bytes, addresses and seats only.
//!
//! A server on the same machine pays for what the kernel does to receive its packets, and a thousand sockets are a
//! thousand times cold memory, which no network would charge it for. All of 127.0.0.0/8 is local on Linux: there each
//! participant has an address of its own, and many share a socket. To a server that receives elsewhere, each has a
//! socket of its own: libnice, for one, does not answer loopback addresses.
//!
//! Sockets are read by the clock, not when something comes, which spares both sides a wake-up per packet: when a
//! datagram arrived is said by the kernel.

#![expect(clippy::disallowed_methods, reason = "shell: sockets, and the two clocks that the kernel's time is between")]

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};

use crate::driver::Seat;

/// Participants on one socket at most: what comes for them in 80 ms fits into the buffer that the kernel gives a socket
/// by default, so that nothing is lost if this thread is late.
const SHARERS: usize = 64;
/// Room for as many datagrams as the kernel may hand over as one (UDP GRO). No power of two: the beginnings of all
/// buffers would share few sets of the cache.
const BUFFER: usize = (1 << 16) + 192;
/// The first of the participants' own addresses.
const FIRST_ADDRESS: u32 = 0x7f01_0000;

/// A socket of one participant or of many.
pub struct Port {
    socket: UdpSocket,
    state: UdpSocketState,
    whose: Whose,
}

#[derive(Clone, Copy)]
enum Whose {
    One(Seat),
    /// Said by the address a datagram was sent to.
    Many,
}

/// A participant's way to the server.
pub struct Line {
    port: Rc<Port>,
    local: SocketAddr,
    remote: SocketAddr,
}

impl Line {
    /// The address the server is to send to.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Where datagrams come in, if nobody else's do.
    pub fn own_port(&self) -> Option<Rc<Port>> {
        matches!(self.port.whose, Whose::One(_)).then(|| self.port.clone())
    }

    /// Sends a datagram.
    pub fn send(&self, contents: &[u8]) -> io::Result<()> {
        let src_ip = match self.port.whose {
            Whose::One(_) => None,
            Whose::Many => Some(self.local.ip()),
        };
        let transmit = Transmit { destination: self.remote, ecn: None, contents, segment_size: None, src_ip };
        self.port.state.try_send((&self.port.socket).into(), &transmit)
    }
}

/// The sockets of a driver that are shared.
#[derive(Default)]
pub struct Ports(Vec<Rc<Port>>);

impl Ports {
    /// A way to the server that receives at this address.
    pub fn open(&mut self, seat: Seat, remote: SocketAddr) -> io::Result<Line> {
        if let SocketAddr::V4(server) = remote
            && server.ip().is_loopback()
        {
            let port = self.shared()?;
            let local = (address(seat), port.socket.local_addr()?.port()).into();
            return Ok(Line { port, local, remote });
        }
        let any: SocketAddr = if remote.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
        let socket = UdpSocket::bind(any)?;
        socket.connect(remote)?;
        let local = socket.local_addr()?;
        Ok(Line { port: Rc::new(Port::new(socket, Whose::One(seat))?), local, remote })
    }

    /// Those that somebody uses.
    pub fn iter(&self) -> impl Iterator<Item = &Rc<Port>> {
        self.0.iter()
    }

    fn shared(&mut self) -> io::Result<Rc<Port>> {
        self.0.retain(|port| Rc::strong_count(port) > 1);
        if let Some(port) = self.0.iter().find(|port| Rc::strong_count(port) <= SHARERS) {
            return Ok(port.clone());
        }
        let port = Rc::new(Port::new(UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?, Whose::Many)?);
        self.0.push(port.clone());
        Ok(port)
    }
}

impl Port {
    fn new(socket: UdpSocket, whose: Whose) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Self { socket, state, whose })
    }
}

/// An address for each seat, as long as they are fewer than 16 million.
fn address(seat: Seat) -> Ipv4Addr {
    Ipv4Addr::from_bits(FIRST_ADDRESS + seat.0)
}

fn seat_of(address: IpAddr) -> Option<Seat> {
    match address {
        IpAddr::V4(address) => address.to_bits().checked_sub(FIRST_ADDRESS).map(Seat),
        IpAddr::V6(_) => None,
    }
}

/// A datagram that was received.
pub struct Datagram<'a> {
    /// For whom.
    pub seat: Seat,
    /// What.
    pub bytes: &'a [u8],
    /// When it came.
    pub arrival: Instant,
}

/// Room for a batch to receive.
#[derive(Default)]
pub struct Batch {
    bytes: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
    count: usize,
    whose: Option<Whose>,
    /// When they were read, by both clocks.
    read_at: Option<(Instant, SystemTime)>,
}

impl Batch {
    /// Takes what has come; whether there may be more.
    pub fn receive(&mut self, port: &Port) -> bool {
        self.bytes.resize(BATCH_SIZE * BUFFER, 0);
        let mut chunks = self.bytes.chunks_exact_mut(BUFFER);
        let mut buffers: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        self.count = port.state.recv((&port.socket).into(), &mut buffers, &mut self.metas).unwrap_or(0);
        self.whose = Some(port.whose);
        self.read_at = Some((Instant::now(), SystemTime::now()));
        self.count == BATCH_SIZE
    }

    /// What the last call has taken.
    pub fn datagrams(&self) -> impl Iterator<Item = Datagram<'_>> {
        let buffers = self.bytes.chunks_exact(BUFFER).zip(&self.metas).take(self.count);
        let received = buffers.filter_map(|(buffer, meta)| {
            let seat = match self.whose? {
                Whose::One(seat) => seat,
                Whose::Many => seat_of(meta.dst_ip?)?,
            };
            let (now, system) = self.read_at?;
            let since_epoch = system.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let arrival = arrival(meta.timestamp, now, since_epoch);
            let datagrams = buffer[..meta.len].chunks(meta.stride.max(1));
            Some(datagrams.map(move |bytes| Datagram { seat, bytes, arrival }))
        });
        received.flatten()
    }
}

/// When a datagram came that was read at `now`, which the other clock calls `system`.
fn arrival(timestamp: Option<Duration>, now: Instant, system: Duration) -> Instant {
    let ago = timestamp.map_or(Duration::ZERO, |timestamp| system.saturating_sub(timestamp));
    now.checked_sub(ago).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_seat_has_an_address_of_this_machine() {
        for seat in [0, 1, 255, 256, 70_000, 10_000_000].map(Seat) {
            assert!(address(seat).is_loopback(), "{seat:?}");
            assert_eq!(seat_of(address(seat).into()), Some(seat));
        }
        assert_eq!(seat_of(Ipv4Addr::LOCALHOST.into()), None);
    }

    #[test]
    fn those_who_share_a_socket_are_told_apart() {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let remote = server.local_addr().unwrap();
        let mut ports = Ports::default();
        let lines = [3, 1000].map(|seat| ports.open(Seat(seat), remote).unwrap());
        assert_eq!(ports.iter().count(), 1);

        let mut sources = Vec::new();
        for line in &lines {
            line.send(b"here").unwrap();
            sources.push(server.recv_from(&mut [0; 16]).unwrap().1);
        }
        assert_eq!(sources, [lines[0].local(), lines[1].local()]);

        server.send_to(b"second", sources[1]).unwrap();
        let mut batch = Batch::default();
        let port = ports.iter().next().unwrap();
        assert!(!batch.receive(port));
        let received: Vec<_> = batch.datagrams().map(|datagram| (datagram.seat, datagram.bytes)).collect();
        assert_eq!(received, [(Seat(1000), &b"second"[..])]);
    }

    #[test]
    fn a_socket_has_few_users_and_none_is_kept_for_nobody() {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let remote = server.local_addr().unwrap();
        let mut ports = Ports::default();

        let lines: Vec<_> = (0..=SHARERS as u32).map(|seat| ports.open(Seat(seat), remote).unwrap()).collect();
        assert_eq!(ports.iter().count(), 2);

        drop(lines);
        let _line = ports.open(Seat(0), remote).unwrap();
        assert_eq!(ports.iter().count(), 1);
    }

    #[test]
    fn the_kernel_says_when_a_datagram_came() {
        let now = Instant::now();
        let system = Duration::from_secs(1000);
        let five = Duration::from_millis(5);
        assert_eq!(arrival(Some(system - five), now, system), now - five);
        assert_eq!(arrival(None, now, system), now);
        assert_eq!(arrival(Some(system + five), now, system), now, "the system's clock was set back");
    }
}
