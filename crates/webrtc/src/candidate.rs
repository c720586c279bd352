//! ICE candidates: those of a peer are parsed, ours get their priorities. Ours are hosts: UDP, and TCP for who cannot use that.

use std::net::SocketAddr;

use str0m::Candidate;

/// Type preference of a host candidate (RFC 8445 section 5.1.2.2).
const HOST_PREFERENCE: u32 = 126;
/// The same over TCP. RFC 6544 section 4.2 asks for less than over UDP; this is what libwebrtc and str0m give.
const TCP_HOST_PREFERENCE: u32 = 90;
/// RFC 6544 section 4.2: three bits of the local preference are about who connects; this is us waiting.
const PASSIVE_PREFERENCE: u16 = 4 << 13;
/// The rest of them.
const OTHER_PREFERENCE: u16 = (1 << 13) - 1;
/// Longer ones are no candidates; browsers write some 130 characters.
const MAX_LENGTH: usize = 512;

/// A peer's candidate, with or without `a=` before it. `None` for those that can't be used: the empty one (end of
/// candidates), mDNS names, TCP, and what is no candidate at all.
pub(crate) fn parse(text: &str) -> Option<Candidate> {
    let text = text.trim();
    let text = text.strip_prefix("a=").unwrap_or(text);
    let fields = text.strip_prefix("candidate:")?;
    // foundation, component, transport, priority, address, port, "typ", type
    let transport = fields.split(' ').nth(2)?;
    let address = fields.split(' ').nth(4)?;
    if text.len() > MAX_LENGTH || !transport.eq_ignore_ascii_case("udp") || address.parse::<std::net::IpAddr>().is_err()
    {
        return None;
    }
    Candidate::from_sdp_string(text).ok()
}

/// Ours, as an SDP or a trickle names them, in the order of preference.
pub(crate) fn ours(addresses: &[SocketAddr], tcp_port: Option<u16>) -> impl Iterator<Item = String> {
    let udp = addresses.iter().enumerate().map(|(index, address)| {
        let (foundation, priority) = (index + 1, priority(HOST_PREFERENCE, u16::MAX, index));
        format!("candidate:{foundation} 1 udp {priority} {} {} typ host", address.ip(), address.port())
    });
    let tcp = over_tcp(addresses, tcp_port).enumerate().map(|(index, address)| {
        let foundation = addresses.len() + index + 1;
        let priority = priority(TCP_HOST_PREFERENCE, PASSIVE_PREFERENCE | OTHER_PREFERENCE, index);
        format!("candidate:{foundation} 1 tcp {priority} {} {} typ host tcptype passive", address.ip(), address.port())
    });
    udp.chain(tcp)
}

/// Where we take connections: at the same addresses.
pub(crate) fn over_tcp(addresses: &[SocketAddr], tcp_port: Option<u16>) -> impl Iterator<Item = SocketAddr> {
    tcp_port.into_iter().flat_map(|port| addresses.iter().map(move |address| SocketAddr::new(address.ip(), port)))
}

/// The priority of our candidate number `index` in the order of preference (RFC 8445 section 5.1.2.1, component 1).
fn priority(type_preference: u32, first: u16, index: usize) -> u32 {
    let local_preference = first - u16::try_from(index).unwrap_or(OTHER_PREFERENCE).min(OTHER_PREFERENCE);
    (type_preference << 24) | (u32::from(local_preference) << 8) | 255
}
