//! Batches of datagrams: many by one system call (`recvmmsg`, `sendmmsg`), each with its local address (`IP_PKTINFO`).
//! The only unsafe code of this crate, for Linux; does not know what is in a datagram.
//!
//! No safe crate has it all: nix gives the same control data to all of a batch, rustix and socket2 have no `recvmmsg`,
//! quinn-udp has no `sendmmsg`.
#![expect(unsafe_code, reason = "the system calls; all that is read or written around them is plain bytes")]

use std::io;
use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::packet::Transmit;

/// Datagrams by one system call. More gain nothing: at 64 the call itself is a hundredth of the cost.
pub(crate) const BATCH: usize = 64;
/// An Ethernet frame's worth; nothing in WebRTC is longer, and what is gets cut and then fails its check. No power of two:
/// the beginnings of all buffers would share few sets of the cache.
const DATAGRAM: usize = 1600;

/// A datagram that was received.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Datagram<'a> {
    pub(crate) source: SocketAddr,
    /// `None` unless [`report_local_addresses`] was called.
    pub(crate) destination: Option<IpAddr>,
    pub(crate) bytes: &'a [u8],
}

/// Makes the socket say to which local address each datagram was sent.
pub(crate) fn report_local_addresses(socket: BorrowedFd<'_>, ipv6: bool) -> io::Result<()> {
    let (level, option) =
        if ipv6 { (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO) } else { (libc::IPPROTO_IP, libc::IP_PKTINFO) };
    set_option(socket, level, option, 1)
}

/// No router may cut a datagram: ours are short, and to number those that may be cut takes the kernel a look-up in a large table
/// for each.
pub(crate) fn forbid_fragments(socket: BorrowedFd<'_>, ipv6: bool) -> io::Result<()> {
    if ipv6 {
        set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_PROBE)
    } else {
        set_option(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_PROBE)
    }
}

fn set_option(socket: BorrowedFd<'_>, level: libc::c_int, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: the option's value is an int, which lives over the call and has the length that is given.
    let result = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const value).cast(), size_of_val(&value) as u32)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Room for a batch to receive.
pub(crate) struct ReceiveBatch {
    bytes: Box<[[u8; DATAGRAM]]>,
    names: Box<[Name]>,
    controls: Box<[Control]>,
    lengths: [usize; BATCH],
    count: usize,
}

impl ReceiveBatch {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![[0; DATAGRAM]; BATCH].into(),
            names: vec![Name::EMPTY; BATCH].into(),
            controls: vec![Control::empty(); BATCH].into(),
            lengths: [0; BATCH],
            count: 0,
        }
    }

    /// Takes what has come, at most [`BATCH`], without waiting; how many. Those of the last call are gone.
    pub(crate) fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        self.count = 0;
        let mut vectors = [NO_VECTOR; BATCH];
        let mut messages = no_messages();
        let buffers = self.bytes.iter_mut().zip(&mut self.names).zip(&mut self.controls);
        for ((message, vector), ((bytes, name), control)) in messages.iter_mut().zip(&mut vectors).zip(buffers) {
            *control = Control::empty();
            *vector = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: DATAGRAM };
            message.msg_hdr.msg_name = name.0.as_mut_ptr().cast();
            message.msg_hdr.msg_namelen = Name::SIZE as u32;
            message.msg_hdr.msg_iov = vector;
            message.msg_hdr.msg_iovlen = 1;
            message.msg_hdr.msg_control = (&raw mut *control).cast();
            message.msg_hdr.msg_controllen = size_of::<Control>();
        }
        let (first, length) = (messages.as_mut_ptr(), BATCH as u32);
        // SAFETY: each of the `length` messages points to a name, a vector, a buffer and control data of the lengths given,
        // which are borrowed until after the call and to which nothing else points; any bytes are a value of all of them.
        let count =
            unsafe { libc::recvmmsg(socket.as_raw_fd(), first, length, libc::MSG_DONTWAIT, std::ptr::null_mut()) };
        self.count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for (length, message) in self.lengths.iter_mut().zip(&messages).take(self.count) {
            *length = message.msg_len as usize;
        }
        Ok(self.count)
    }

    /// What the last call has received.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = Datagram<'_>> {
        (0..self.count).filter_map(|index| {
            Some(Datagram {
                source: self.names[index].address()?,
                destination: self.controls[index].local_address(),
                bytes: &self.bytes[index][..self.lengths[index].min(DATAGRAM)],
            })
        })
    }
}

/// Datagrams to send.
pub(crate) struct SendBatch {
    transmits: Vec<Transmit>,
}

impl SendBatch {
    pub(crate) fn new() -> Self {
        Self { transmits: Vec::with_capacity(BATCH) }
    }

    pub(crate) fn push(&mut self, transmit: Transmit) {
        self.transmits.push(transmit);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.transmits.len() >= BATCH
    }

    /// Sends all without waiting; how many the kernel did not take.
    pub(crate) fn send(&mut self, socket: BorrowedFd<'_>) -> usize {
        let refused = self.transmits.chunks(BATCH).map(|chunk| send(socket, chunk)).sum();
        self.transmits.clear();
        refused
    }
}

/// At most [`BATCH`].
fn send(socket: BorrowedFd<'_>, transmits: &[Transmit]) -> usize {
    let mut names = [Name::EMPTY; BATCH];
    let mut controls = [Control::empty(); BATCH];
    let mut vectors = [NO_VECTOR; BATCH];
    let mut messages = no_messages();
    let headers = messages.iter_mut().zip(&mut vectors).zip(&mut names).zip(&mut controls);
    for ((((message, vector), name), control), transmit) in headers.zip(transmits) {
        let Transmit { protocol: _, source, destination, payload } = transmit;
        *vector = libc::iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: payload.len() };
        message.msg_hdr.msg_iov = vector;
        message.msg_hdr.msg_iovlen = 1;
        message.msg_hdr.msg_namelen = name.set(*destination) as u32;
        message.msg_hdr.msg_name = name.0.as_mut_ptr().cast();
        if let Some(source) = *source {
            message.msg_hdr.msg_controllen = control.set(source);
            message.msg_hdr.msg_control = (&raw mut *control).cast();
        }
    }
    let (mut done, mut refused) = (0, 0);
    while done < transmits.len() {
        let rest = &mut messages[done..transmits.len()];
        let (first, length) = (rest.as_mut_ptr(), rest.len() as u32);
        // SAFETY: each of the `length` messages points to a name, a vector, a payload and control data of the lengths given,
        // or to none; all of them live until after the call, which writes to the messages alone.
        let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), first, length, libc::MSG_DONTWAIT) };
        if let Ok(sent @ 1..) = usize::try_from(sent) {
            done += sent;
            continue;
        }
        let error = io::Error::last_os_error();
        if error.kind() == io::ErrorKind::WouldBlock {
            return refused + transmits.len() - done;
        }
        if error.kind() != io::ErrorKind::Interrupted {
            // It is about the first of them.
            tracing::debug!(%error, "send");
            refused += 1;
            done += 1;
        }
    }
    refused
}

const NO_VECTOR: libc::iovec = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };

fn no_messages() -> [libc::mmsghdr; BATCH] {
    // SAFETY: integers and pointers, for which zero is a value.
    unsafe { std::mem::zeroed() }
}

/// `sockaddr_in` or `sockaddr_in6`: the family in the order of this machine, port and address in that of the network.
#[derive(Clone, Copy)]
#[repr(C, align(4))]
struct Name([u8; Self::SIZE]);

impl Name {
    const SIZE: usize = size_of::<libc::sockaddr_in6>();
    const EMPTY: Self = Self([0; Self::SIZE]);

    /// How many bytes count.
    fn set(&mut self, address: SocketAddr) -> usize {
        let Self(bytes) = self;
        bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
        match address {
            SocketAddr::V4(address) => {
                bytes[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
                bytes[4..8].copy_from_slice(&address.ip().octets());
                size_of::<libc::sockaddr_in>()
            }
            SocketAddr::V6(address) => {
                bytes[..2].copy_from_slice(&(libc::AF_INET6 as u16).to_ne_bytes());
                bytes[4..8].copy_from_slice(&address.flowinfo().to_be_bytes());
                bytes[8..24].copy_from_slice(&address.ip().octets());
                bytes[24..28].copy_from_slice(&address.scope_id().to_ne_bytes());
                Self::SIZE
            }
        }
    }

    fn address(&self) -> Option<SocketAddr> {
        let Self(bytes) = self;
        let port = u16::from_be_bytes(part(bytes, 2));
        match libc::c_int::from(u16::from_ne_bytes(part(bytes, 0))) {
            libc::AF_INET => Some(SocketAddr::from((part::<4>(bytes, 4), port))),
            libc::AF_INET6 => {
                let ip = Ipv6Addr::from(part::<16>(bytes, 8));
                let (flow, scope) = (u32::from_be_bytes(part(bytes, 4)), u32::from_ne_bytes(part(bytes, 24)));
                Some(SocketAddrV6::new(ip, port, flow, scope).into())
            }
            _ => None,
        }
    }
}

/// One control message with room for an `in_pktinfo` (interface, local address, address in the header; 4 bytes each) or
/// an `in6_pktinfo` (address of 16 bytes, interface).
#[derive(Clone, Copy)]
#[repr(C)]
struct Control {
    header: libc::cmsghdr,
    data: [u8; 24],
}

impl Control {
    fn empty() -> Self {
        // SAFETY: integers, for which zero is a value.
        unsafe { std::mem::zeroed() }
    }

    /// The local address to send from. How many bytes count.
    fn set(&mut self, source: IpAddr) -> usize {
        let length = match source {
            IpAddr::V4(ip) => {
                (self.header.cmsg_level, self.header.cmsg_type) = (libc::IPPROTO_IP, libc::IP_PKTINFO);
                self.data[4..8].copy_from_slice(&ip.octets());
                size_of::<libc::in_pktinfo>()
            }
            IpAddr::V6(ip) => {
                (self.header.cmsg_level, self.header.cmsg_type) = (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO);
                self.data[..16].copy_from_slice(&ip.octets());
                size_of::<libc::in6_pktinfo>()
            }
        };
        let length = offset_of!(Self, data) + length;
        self.header.cmsg_len = length;
        length.next_multiple_of(size_of::<usize>())
    }

    /// The address a datagram was sent to, if the kernel said so.
    fn local_address(&self) -> Option<IpAddr> {
        match (self.header.cmsg_level, self.header.cmsg_type) {
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => Some(Ipv4Addr::from(part::<4>(&self.data, 8)).into()),
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => Some(Ipv6Addr::from(part::<16>(&self.data, 0)).into()),
            _ => None,
        }
    }
}

fn part<const N: usize>(bytes: &[u8], start: usize) -> [u8; N] {
    std::array::from_fn(|index| bytes[start + index])
}

#[cfg(test)]
mod tests;
