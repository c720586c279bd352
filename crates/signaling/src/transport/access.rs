//! Who may connect to a port, by address. It must not know what is asked for.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderName};
use ipnet::{IpNet, Ipv4Net};

/// Added by proxies, each writing behind what was there whom it was called by.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Bits of an IPv6 address before the IPv4 address that is mapped into it (RFC 4291 section 2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// A range of addresses: `192.0.2.0/24`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

/// What a [`Network`] cannot be read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

/// Which addresses a port serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Who may connect; empty = everybody.
    pub allowed: Vec<Network>,
    /// Proxies that are believed whom they speak for (`X-Forwarded-For`); empty = none, and everybody is who connects.
    pub proxies: Vec<Network>,
    /// Whether `allowed` is about those whom proxies speak for, and not about the proxies.
    pub forwarded: bool,
    /// Whose requests are not counted.
    pub unlimited: Vec<Network>,
}

/// What is to be done with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Refused,
    Admitted,
    /// It is a proxy's: whether a request is admitted depends on whom it comes from.
    PerRequest,
}

impl Access {
    /// The address by which a request is counted, which a connection from `peer` has brought; `None` = it is not counted.
    pub(super) fn counted(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let client = if self.is_proxy(peer) { self.origin(peer, headers).unwrap_or(peer) } else { peer };
        let is_unlimited = self.unlimited.iter().any(|network| network.contains(client));
        (!is_unlimited).then_some(client)
    }

    /// Judges a connection by where it comes from.
    pub(super) fn judge(&self, peer: IpAddr) -> Verdict {
        if self.allowed.is_empty() {
            Verdict::Admitted
        } else if self.forwarded && self.is_proxy(peer) {
            Verdict::PerRequest
        } else if self.allows(peer) {
            Verdict::Admitted
        } else {
            Verdict::Refused
        }
    }

    /// Judges a request that came through the proxy `peer`.
    pub(super) fn permits(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        self.origin(peer, headers).is_some_and(|origin| self.allows(origin))
    }

    /// Whom the proxy `peer` speaks for: the last address that no trusted proxy has, as who stands before that one may be
    /// invented. A proxy that names nobody speaks for itself; `None` = what it names is no address.
    fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let mut origin = peer;
        for line in headers.get_all(FORWARDED_FOR).iter().rev() {
            for hop in line.to_str().ok()?.rsplit(',') {
                origin = address(hop.trim())?;
                if !self.is_proxy(origin) {
                    return Some(origin);
                }
            }
        }
        Some(origin)
    }

    fn allows(&self, address: IpAddr) -> bool {
        self.allowed.iter().any(|network| network.contains(address))
    }

    fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(address))
    }
}

impl Network {
    /// Whether an address lies in it. An IPv4 address is the same one when it is mapped into IPv6, as sockets of both show it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let network = match text.parse::<IpNet>() {
            Ok(network) => network,
            Err(_) => IpNet::from(text.parse::<IpAddr>().map_err(|_| NotANetwork)?),
        };
        let mapped = match network {
            IpNet::V6(v6) => v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(MAPPED_BITS)),
            IpNet::V4(_) => None,
        };
        match mapped {
            Some((address, bits)) => Ipv4Net::new(address, bits).map(|v4| Self(v4.into())).map_err(|_| NotANetwork),
            None => Ok(Self(network)),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an address or a network in CIDR notation, such as \"192.0.2.7\", \"192.0.2.0/24\" or \"2001:db8::/32\"",
        )
    }
}

impl std::error::Error for NotANetwork {}

/// Some proxies add the port.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn behind_proxy() -> Access {
        let (allowed, proxies) = (networks(&["198.51.100.0/24"]), networks(&["10.0.0.0/8"]));
        Access { allowed, proxies, forwarded: true, unlimited: Vec::new() }
    }

    fn forwarded(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (FORWARDED_FOR, line.parse().unwrap())).collect()
    }

    #[test]
    fn networks_are_compared_by_bits() {
        let allowed = networks(&["10.1.0.0/16", "192.0.2.7", "2001:db8::/32"]);
        let access = Access { allowed, ..Access::default() };
        for (peer, verdict) in [
            ("10.1.255.255", Verdict::Admitted),
            ("10.10.0.1", Verdict::Refused),
            ("192.0.2.7", Verdict::Admitted),
            ("192.0.2.70", Verdict::Refused),
            ("::ffff:10.1.2.3", Verdict::Admitted),
            ("::ffff:10.2.2.3", Verdict::Refused),
            ("2001:db8:ffff::1", Verdict::Admitted),
            ("2001:db9::1", Verdict::Refused),
        ] {
            assert_eq!(access.judge(ip(peer)), verdict, "{peer}");
        }
        assert_eq!(Access::default().judge(ip("203.0.113.1")), Verdict::Admitted);
    }

    #[test]
    fn a_mapped_network_is_the_one_it_maps() {
        for text in ["::ffff:10.1.0.0/112", "10.1.0.0/16"] {
            let network: Network = text.parse().unwrap();
            assert!(network.contains(ip("10.1.2.3")) && network.contains(ip("::ffff:10.1.2.3")), "{text}");
            assert!(!network.contains(ip("10.2.0.0")), "{text}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "10.", "10.0.0", "192.168.0.", "10.0.0.0/33", "::/129", "localhost", "10.0.0.0/8 "] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
        }
    }

    #[test]
    fn who_stands_before_the_last_stranger_does_not_count() {
        let access = behind_proxy();
        let proxy = ip("::ffff:10.0.0.1");
        assert_eq!(access.judge(proxy), Verdict::PerRequest);
        for (lines, permitted) in [
            (&["198.51.100.7"][..], true),
            (&["203.0.113.9"], false),
            (&["198.51.100.7, 203.0.113.9"], false),
            (&["203.0.113.9, 198.51.100.7"], true),
            (&["198.51.100.7, 10.0.0.2"], true),
            (&["198.51.100.7", "203.0.113.9"], false),
            (&["203.0.113.9", "198.51.100.7"], true),
            (&["198.51.100.7:4711"], true),
            (&["[2001:db8::1]:4711"], false),
            (&["unknown"], false),
            (&["198.51.100.7, , 10.0.0.2"], false),
            (&[], false),
        ] {
            assert_eq!(access.permits(proxy, &forwarded(lines)), permitted, "{lines:?}");
        }
    }

    #[test]
    fn a_stranger_is_not_believed() {
        let access = behind_proxy();
        assert_eq!(access.judge(ip("203.0.113.9")), Verdict::Refused);
        assert_eq!(access.counted(ip("203.0.113.9"), &forwarded(&["198.51.100.7"])), Some(ip("203.0.113.9")));
    }

    #[test]
    fn requests_are_counted_by_whom_a_proxy_speaks_for() {
        let access = Access { unlimited: networks(&["198.51.100.7"]), forwarded: false, ..behind_proxy() };
        let counted = |peer: &str, lines: &[&str]| access.counted(ip(peer), &forwarded(lines));
        assert_eq!(counted("10.0.0.1", &["203.0.113.9, 198.51.100.8"]), Some(ip("198.51.100.8")));
        assert_eq!(counted("10.0.0.1", &["198.51.100.7"]), None);
        assert_eq!(counted("198.51.100.7", &[]), None);
        assert_eq!(counted("10.0.0.1", &["unknown"]), Some(ip("10.0.0.1")));
        assert_eq!(counted("10.0.0.1", &[]), Some(ip("10.0.0.1")));
        // The list is about the proxy itself then.
        assert_eq!(access.judge(ip("10.0.0.1")), Verdict::Refused);
    }
}
