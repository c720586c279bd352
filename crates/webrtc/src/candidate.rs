//! ICE candidates: those of a peer are parsed, ours get their priorities.

use std::net::SocketAddr;

use str0m::Candidate;

/// Type preference of a host candidate (RFC 8445 section 5.1.2.2).
const HOST_PREFERENCE: u32 = 126;
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
pub(crate) fn ours(addresses: &[SocketAddr]) -> impl Iterator<Item = String> {
    addresses.iter().enumerate().map(|(index, address)| {
        let (foundation, priority) = (index + 1, host_priority(index));
        format!("candidate:{foundation} 1 udp {priority} {} {} typ host", address.ip(), address.port())
    })
}

/// The priority of our candidate number `index` in the order of preference (RFC 8445 section 5.1.2.1, component 1).
fn host_priority(index: usize) -> u32 {
    let local_preference = u16::MAX - u16::try_from(index).unwrap_or(u16::MAX);
    (HOST_PREFERENCE << 24) | (u32::from(local_preference) << 8) | 255
}
