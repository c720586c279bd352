//! Which peer a datagram is for: by its source address, or by the user fragment in a STUN request. Never by asking
//! every peer, and an address counts only after its owner proved to know the ICE password: the caller says when.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::packet::Protocol;

/// A browser uses one or two source addresses; a moving phone leaves some behind. The oldest one goes.
const MAX_ADDRESSES: usize = 8;

/// The kinds of datagrams that share a port (RFC 7983).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// A STUN request, with the user fragment that names its receiver.
    StunRequest {
        user: &'a str,
    },
    /// Any other STUN message.
    Stun,
    Dtls,
    Rtp,
    Rtcp,
}

impl<'a> Kind<'a> {
    pub(crate) fn of(datagram: &'a [u8]) -> Option<Self> {
        match *datagram {
            [0..=3, ..] => stun_kind(datagram),
            _ if is_dtls(datagram) => Some(Self::Dtls),
            // RFC 5761 section 4: by the payload type, marker left out.
            [128..=191, second, ..] if matches!(second & 0x7f, 64..=95) => Some(Self::Rtcp),
            [128..=191, ..] => Some(Self::Rtp),
            _ => None,
        }
    }
}

/// Told by the first byte (RFC 7983).
pub(crate) fn is_dtls(datagram: &[u8]) -> bool {
    matches!(datagram, [20..=63, ..])
}

/// The addresses and user fragments of all peers of a shard; a peer is its index.
#[derive(Debug, Default)]
pub(crate) struct Demux {
    /// Looked up for each packet. A fast hash with a key drawn at random is enough: nobody can fill the map with addresses
    /// that collide, since each was verified.
    by_address: HashMap<SocketAddr, u32, foldhash::fast::RandomState>,
    /// The same for connections: their ports have nothing to do with those of UDP.
    by_connection: HashMap<SocketAddr, u32, foldhash::fast::RandomState>,
    by_user: HashMap<String, u32>,
    keys: Vec<Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    user: Option<String>,
    /// Oldest first.
    addresses: Vec<(Protocol, SocketAddr)>,
}

impl Demux {
    pub(crate) fn by_address(&self, protocol: Protocol, source: SocketAddr) -> Option<u32> {
        match protocol {
            Protocol::Udp => self.by_address.get(&source).copied(),
            Protocol::Tcp => self.by_connection.get(&source).copied(),
        }
    }

    pub(crate) fn by_user(&self, user: &str) -> Option<u32> {
        self.by_user.get(user).copied()
    }

    /// `source` proved to be `peer`: what it sends is the peer's from now on.
    pub(crate) fn learn(&mut self, protocol: Protocol, source: SocketAddr, peer: u32) {
        if let Some(previous) = self.map_mut(protocol).insert(source, peer) {
            if previous == peer {
                return;
            }
            self.keys_mut(previous).addresses.retain(|address| *address != (protocol, source));
        }
        let addresses = &mut self.keys_mut(peer).addresses;
        addresses.push((protocol, source));
        if addresses.len() > MAX_ADDRESSES {
            let (protocol, oldest) = addresses.remove(0);
            self.map_mut(protocol).remove(&oldest);
        }
    }

    /// The connection from there has ended: whoever connects next has proved nothing.
    pub(crate) fn forget_connection(&mut self, source: SocketAddr) {
        if let Some(peer) = self.by_connection.remove(&source) {
            self.keys_mut(peer).addresses.retain(|address| *address != (Protocol::Tcp, source));
        }
    }

    /// The user fragment of `peer` from now on; the one before is forgotten.
    pub(crate) fn set_user(&mut self, peer: u32, user: &str) {
        let previous = self.keys_mut(peer).user.replace(user.to_owned());
        if let Some(previous) = previous {
            self.by_user.remove(&previous);
        }
        self.by_user.insert(user.to_owned(), peer);
    }

    /// Nothing is for `peer` any more.
    pub(crate) fn forget(&mut self, peer: u32) {
        let Keys { user, addresses } = std::mem::take(self.keys_mut(peer));
        if let Some(user) = user {
            self.by_user.remove(&user);
        }
        for (protocol, address) in addresses {
            self.map_mut(protocol).remove(&address);
        }
    }

    fn map_mut(&mut self, protocol: Protocol) -> &mut HashMap<SocketAddr, u32, foldhash::fast::RandomState> {
        match protocol {
            Protocol::Udp => &mut self.by_address,
            Protocol::Tcp => &mut self.by_connection,
        }
    }

    fn keys_mut(&mut self, peer: u32) -> &mut Keys {
        let index = peer as usize;
        if self.keys.len() <= index {
            self.keys.resize_with(index + 1, Keys::default);
        }
        &mut self.keys[index]
    }
}

/// RFC 8489 section 5: header of 20 bytes with a magic cookie, then attributes padded to four bytes.
fn stun_kind(datagram: &[u8]) -> Option<Kind<'_>> {
    const HEADER: usize = 20;
    const BINDING_REQUEST: [u8; 2] = [0, 1];
    const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    const USERNAME: u16 = 6;
    let header = datagram.get(..HEADER)?;
    if header[4..8] != MAGIC_COOKIE {
        return None;
    }
    if header[..2] != BINDING_REQUEST {
        return Some(Kind::Stun);
    }
    let mut rest = &datagram[HEADER..];
    while let [type_high, type_low, length_high, length_low, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
        let value = tail.get(..length)?;
        if u16::from_be_bytes([*type_high, *type_low]) == USERNAME {
            // RFC 8445 section 7.2.2: the receiver's fragment, a colon, the sender's.
            let (user, _) = std::str::from_utf8(value).ok()?.split_once(':')?;
            return Some(Kind::StunRequest { user });
        }
        rest = tail.get(length.next_multiple_of(4)..)?;
    }
    None
}
