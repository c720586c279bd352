//! Who has connected over TCP and not said yet whom for: how many may wait, and how long. Pure; knows no socket.
//!
//! A client sends its check at once, so who waits longer than a slow network takes holds a place that others need. When there are
//! too many, the one that has waited longest goes: an attacker loses its own connections, and a client keeps its own for longer
//! than a round trip.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// From the connection to the end of the first check. A lost packet or two cost three seconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// That wait at the same time: each takes a file descriptor and 4 KB.
const MAX_NEWCOMERS: usize = 1024;
/// From one address: a company behind one may join at once, each client with a connection for each of our candidates.
const MAX_OF_ONE_ADDRESS: usize = 128;

/// Those who wait, by a number.
#[derive(Debug, Default)]
pub(crate) struct Newcomers {
    /// In the order they came, so that the first is also the first whose time is up.
    waiting: VecDeque<Newcomer>,
}

#[derive(Debug)]
struct Newcomer {
    number: usize,
    origin: IpAddr,
    until: Instant,
}

impl Newcomers {
    /// One more; who has to go for it, if anybody has.
    pub(crate) fn enter(&mut self, number: usize, address: IpAddr, now: Instant) -> Option<usize> {
        let origin = origin(address);
        let of_origin = |newcomer: &Newcomer| newcomer.origin == origin;
        let leaving = if self.waiting.iter().filter(|it| of_origin(it)).count() >= MAX_OF_ONE_ADDRESS {
            self.waiting.iter().position(of_origin)
        } else {
            (self.waiting.len() >= MAX_NEWCOMERS).then_some(0)
        };
        let leaving = leaving.and_then(|index| self.waiting.remove(index));
        self.waiting.push_back(Newcomer { number, origin, until: now + PATIENCE });
        leaving.map(|newcomer| newcomer.number)
    }

    /// It has said whom for, or is gone.
    pub(crate) fn leave(&mut self, number: usize) {
        self.waiting.retain(|newcomer| newcomer.number != number);
    }

    /// One whose time is up.
    pub(crate) fn poll_overdue(&mut self, now: Instant) -> Option<usize> {
        self.waiting.pop_front_if(|first| first.until <= now).map(|newcomer| newcomer.number)
    }

    /// When somebody's time is up.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.waiting.front().map(|first| first.until)
    }
}

/// Who has an IPv6 address has a network of 2^64.
fn origin(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "where virtual time starts does not matter")]
    fn now() -> Instant {
        Instant::now()
    }

    fn ip(last: usize) -> IpAddr {
        IpAddr::from([198, 51, (last >> 8) as u8, last as u8])
    }

    #[test]
    fn who_says_nothing_goes_when_its_time_is_up() {
        let (mut newcomers, start) = (Newcomers::default(), now());
        assert_eq!(newcomers.poll_timeout(), None);
        newcomers.enter(7, ip(1), start);
        newcomers.enter(8, ip(1), start + Duration::from_secs(1));
        newcomers.enter(9, ip(2), start + Duration::from_secs(2));
        newcomers.leave(8);

        assert_eq!(newcomers.poll_timeout(), Some(start + PATIENCE));
        assert_eq!(newcomers.poll_overdue(start + PATIENCE - Duration::from_millis(1)), None);
        assert_eq!(newcomers.poll_overdue(start + PATIENCE), Some(7));
        assert_eq!(newcomers.poll_overdue(start + PATIENCE), None);
        assert_eq!(newcomers.poll_timeout(), Some(start + PATIENCE + Duration::from_secs(2)));
    }

    #[test]
    fn too_many_of_one_address_push_out_their_own() {
        let (mut newcomers, now) = (Newcomers::default(), now());
        newcomers.enter(1000, ip(1), now);
        for number in 0..MAX_OF_ONE_ADDRESS {
            assert_eq!(newcomers.enter(number, ip(2), now), None);
        }

        assert_eq!(newcomers.enter(2000, ip(2), now), Some(0));
        assert_eq!(newcomers.enter(2001, ip(2), now), Some(1));
        assert_eq!(newcomers.enter(2002, ip(3), now), None, "another address");
    }

    #[test]
    fn too_many_push_out_who_has_waited_longest() {
        let (mut newcomers, now) = (Newcomers::default(), now());
        for number in 0..MAX_NEWCOMERS {
            assert_eq!(newcomers.enter(number, ip(number), now), None);
        }

        assert_eq!(newcomers.enter(5000, ip(5000), now), Some(0));
        assert_eq!(newcomers.enter(5001, ip(5001), now), Some(1));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let (mut newcomers, now) = (Newcomers::default(), now());
        let address = |last: usize| IpAddr::from(Ipv6Addr::from_bits((0x2001_0db8 << 96) + last as u128));
        for number in 0..MAX_OF_ONE_ADDRESS {
            newcomers.enter(number, address(number), now);
        }

        assert_eq!(newcomers.enter(5000, address(5000), now), Some(0));
    }
}
