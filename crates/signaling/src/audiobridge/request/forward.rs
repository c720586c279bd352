//! Requests about forwarders, parsed.

use std::net::IpAddr;

use super::Body;
use crate::audiobridge::error::Error;
use crate::core::ids::RoomId;

/// `rtp_forward`: of all that is checked, what the room has to say something about.
#[derive(Debug)]
pub(in crate::audiobridge) struct ForwardRequest<'a> {
    pub(in crate::audiobridge) room: RoomId,
    pub(in crate::audiobridge) group: Option<&'a str>,
}

impl<'a> ForwardRequest<'a> {
    /// `admin_key` is what the sender needs to have, if anything.
    pub(in crate::audiobridge) fn parse(body: Body<'a>, admin_key: Option<&str>) -> Result<Self, Error> {
        let group = body.string("group")?;
        body.natural("ssrc")?;
        let codec = body.string("codec")?;
        body.natural("ptype")?;
        let port = body.natural("port")?.ok_or_else(|| Error::missing("port"))?;
        let host = body.required_string("host")?;
        let family = body.string("host_family")?;
        let srtp_suite = body.natural("srtp_suite")?;
        let srtp_crypto = body.string("srtp_crypto")?;
        body.check_booleans(&["always_on"])?;
        let room = body.room()?;
        body.check_secret("admin_key", admin_key)?;
        if let Some(codec) = codec
            && !["opus", "pcma", "pcmu"].iter().any(|known| codec.eq_ignore_ascii_case(known))
        {
            return Err(Error::unsupported_codec(codec));
        }
        // Janus cuts the number to 16 bits before it looks at it.
        if port & 0xffff == 0 {
            return Err(Error::invalid_port(0));
        }
        let family =
            family.map(|name| Family::parse(name).ok_or_else(|| Error::unsupported_family(name))).transpose()?;
        if !may_resolve(host, family) {
            return Err(Error::unresolvable(host));
        }
        match (srtp_suite, srtp_crypto) {
            (Some(32 | 80), _) | (None, _) | (_, None) => Ok(Self { room, group }),
            (Some(suite), Some(_)) => Err(Error::invalid_srtp_suite(suite)),
        }
    }
}

/// `stop_rtp_forward`.
#[derive(Debug)]
pub(in crate::audiobridge) struct StopForwardRequest {
    pub(in crate::audiobridge) room: RoomId,
    pub(in crate::audiobridge) stream: u64,
}

impl StopForwardRequest {
    pub(in crate::audiobridge) fn parse(body: Body<'_>, admin_key: Option<&str>) -> Result<Self, Error> {
        let stream = body.natural("stream_id")?.ok_or_else(|| Error::missing("stream_id"))?;
        let room = body.room()?;
        body.check_secret("admin_key", admin_key)?;
        Ok(Self { room, stream })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

impl Family {
    fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "ipv4" => Some(Self::V4),
            "ipv6" => Some(Self::V6),
            _ => None,
        }
    }
}

/// Whether `host` is an address of this family or a name that may have one. Names are not looked up here; of those
/// that end in `.invalid` it is known that there are none (RFC 6761 section 6.4).
fn may_resolve(host: &str, family: Option<Family>) -> bool {
    match host.parse() {
        Ok(IpAddr::V4(_)) => family != Some(Family::V6),
        Ok(IpAddr::V6(_)) => family != Some(Family::V4),
        Err(_) => {
            let of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
            let mut labels = host.trim_end_matches('.').split('.');
            labels.all(|label| !label.is_empty() && label.chars().all(of_name))
                && !host.trim_end_matches('.').to_ascii_lowercase().ends_with(".invalid")
        }
    }
}
