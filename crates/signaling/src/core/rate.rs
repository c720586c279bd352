//! How often each client address may do something. Knows no request: what is counted is the caller's to say.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// So much of its rate an address has saved up: clients come in bursts, after a restart all at once.
const BURST: Duration = Duration::from_secs(10);
/// Bits of an IPv6 address that a client does not choose for itself (RFC 4291 section 2.5.4).
const NETWORK_BITS: u32 = 64;

/// A bound for every address. Keeps of each the moment at which it has saved up everything again (the generic cell rate
/// algorithm): an address that is silent for [`BURST`] is forgotten, so that there are never more than came within two of these.
#[derive(Debug)]
pub(crate) struct Rate {
    /// What one costs; `None` = nothing.
    interval: Option<Duration>,
    rested: HashMap<IpAddr, Instant>,
    next_sweep: Instant,
}

impl Rate {
    /// At most so many a second in the long run; 0 = without bounds.
    pub(crate) fn per_second(rate: u32, now: Instant) -> Self {
        Self { interval: Duration::from_secs(1).checked_div(rate), rested: HashMap::new(), next_sweep: now + BURST }
    }

    /// Another bound from now on; what was done stays done.
    pub(crate) fn set(&mut self, rate: u32) {
        self.interval = Duration::from_secs(1).checked_div(rate);
    }

    /// Whether this address may do it once more now; if so, it has. Who has no address is not counted.
    pub(crate) fn take(&mut self, client: Option<IpAddr>, now: Instant) -> bool {
        let (Some(interval), Some(client)) = (self.interval, client) else { return true };
        self.sweep_if_due(now);
        let rested = self.rested.entry(counted(client)).or_insert(now);
        let next = (*rested).max(now) + interval;
        if next > now + BURST {
            return false;
        }
        *rested = next;
        true
    }

    fn sweep_if_due(&mut self, now: Instant) {
        if now >= self.next_sweep {
            self.rested.retain(|_, rested| *rested > now);
            self.next_sweep = now + BURST;
        }
    }
}

/// What counts as one address.
fn counted(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> NETWORK_BITS << NETWORK_BITS).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "a test begins some time")]
        Instant::now()
    }

    fn takes(rate: &mut Rate, client: &str, now: Instant) -> usize {
        (0..1000).take_while(|_| rate.take(client.parse().ok(), now)).count()
    }

    #[test]
    fn a_burst_is_let_through_and_then_the_rate() {
        let now = start();
        let mut rate = Rate::per_second(5, now);
        assert_eq!(takes(&mut rate, "192.0.2.1", now), 50);
        assert_eq!(takes(&mut rate, "192.0.2.1", now + Duration::from_secs(1)), 5);
        assert_eq!(takes(&mut rate, "192.0.2.1", now + Duration::from_secs(60)), 50);
    }

    #[test]
    fn addresses_are_counted_one_by_one_and_ipv6_by_network() {
        let now = start();
        let mut rate = Rate::per_second(1, now);
        assert_eq!(takes(&mut rate, "192.0.2.1", now), 10);
        assert_eq!(takes(&mut rate, "::ffff:192.0.2.1", now), 0);
        assert_eq!(takes(&mut rate, "192.0.2.2", now), 10);
        assert_eq!(takes(&mut rate, "2001:db8::1", now), 10);
        assert_eq!(takes(&mut rate, "2001:db8::ffff:1", now), 0);
        assert_eq!(takes(&mut rate, "2001:db8:0:1::1", now), 10);
    }

    #[test]
    fn without_a_rate_or_an_address_everything_goes() {
        let now = start();
        assert!((0..100_000).all(|_| Rate::per_second(0, now).take("192.0.2.1".parse().ok(), now)));
        let mut rate = Rate::per_second(1, now);
        assert!((0..100).all(|_| rate.take(None, now)));
    }

    #[test]
    fn who_is_silent_is_forgotten() {
        let now = start();
        let mut rate = Rate::per_second(1, now);
        for host in 0..100 {
            rate.take(Some([192, 0, 2, host].into()), now);
        }
        rate.take(Some([198, 51, 100, 1].into()), now + BURST);
        assert_eq!(rate.rested.len(), 1);
    }
}
