//! Datagrams of handshakes that wait until audio had its turn. Knows no clock and no socket.
//!
//! A flight of DTLS takes as long as a hundred packets of audio, and a storm of joins brings hundreds at once.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

/// What waits at most: a hundred clients' worth. What does not fit is lost, and its sender sends it again (RFC 6347
/// section 4.2.4).
const MOST: usize = 512;

/// A bounded queue; the oldest goes first.
#[derive(Debug, Default)]
pub(crate) struct Handshakes {
    waiting: VecDeque<Waiting>,
}

/// A datagram as it was received.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) source: SocketAddr,
    pub(crate) destination: IpAddr,
    pub(crate) bytes: Box<[u8]>,
}

impl Handshakes {
    /// `false`: it was dropped.
    pub(crate) fn push(&mut self, waiting: Waiting) -> bool {
        let has_room = self.waiting.len() < MOST;
        if has_room {
            self.waiting.push_back(waiting);
        }
        has_room
    }

    pub(crate) fn pop(&mut self) -> Option<Waiting> {
        self.waiting.pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::demux::is_dtls;

    fn record(number: u8) -> Waiting {
        let source = (Ipv4Addr::LOCALHOST, 4000).into();
        Waiting { source, destination: Ipv4Addr::LOCALHOST.into(), bytes: [22, 254, 253, number].into() }
    }

    #[test]
    fn only_records_of_dtls_are_of_a_handshake() {
        let first_bytes: Vec<u8> = (0..=255).filter(|&first| is_dtls(&[first, 0])).collect();
        assert_eq!(first_bytes, (20..=63).collect::<Vec<u8>>());
        assert!(!is_dtls(&[]));
    }

    #[test]
    fn a_flood_leaves_the_oldest() {
        let mut handshakes = Handshakes::default();
        let taken = (0..=MOST).filter(|&number| handshakes.push(record(number as u8))).count();

        assert_eq!(taken, MOST);
        assert_eq!(handshakes.pop(), Some(record(0)));
        assert!(handshakes.push(record(1)), "there is room again");
        assert!(!handshakes.is_empty());
    }
}
