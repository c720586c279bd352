//! Reads an offer and writes the part of it that str0m is shown. Anything in it may be hostile.
//!
//! What str0m gets is written from the values read here, never copied line by line: its parser then sees only text of a
//! known form, so that an offer is refused before it touches a connection that works.

use std::collections::HashSet;
use std::fmt::Write;

use crate::error::OfferError;

/// A browser's offer with audio, video and data is 7 KB.
const MAX_LENGTH: usize = 64 * 1024;
const MAX_SECTIONS: usize = 64;
/// A host with many interfaces offers some twenty; a lite agent needs none.
const MAX_CANDIDATES: usize = 32;
/// RFC 5888 sets no limit; the RTP header extension of 16 bytes does, and str0m cuts longer ones.
const MAX_MID: usize = 16;
/// Longer quotations from an offer are cut in error texts.
const MAX_QUOTE: usize = 40;

const MID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
const AUDIO_LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/// An offer whose every section is known well enough to be answered.
#[derive(Debug)]
pub(crate) struct Offer {
    /// The user name of the `o=` line.
    pub(crate) user_name: String,
    pub(crate) sections: Vec<Section>,
    /// The first audio section that is not rejected, if it offers Opus.
    pub(crate) audio: Option<AudioOffer>,
    pub(crate) bundle: bool,
    /// `useinbandfec=1` occurs anywhere.
    pub(crate) fec: bool,
}

/// One m-line: what is needed to reject it.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) kind: String,
    pub(crate) protocol: String,
    pub(crate) mid: Option<String>,
}

/// The audio section.
#[derive(Debug)]
pub(crate) struct AudioOffer {
    /// Its place among the sections.
    pub(crate) index: usize,
    pub(crate) mid: String,
    /// The payload types of Opus, never empty.
    pub(crate) payload_types: Vec<u8>,
    pub(crate) direction: Direction,
    pub(crate) extensions: Vec<HeaderExtension>,
    pub(crate) ufrag: String,
    pub(crate) password: String,
    pub(crate) fingerprint: String,
    pub(crate) setup: Setup,
    pub(crate) ice_lite: bool,
    pub(crate) candidates: Vec<String>,
}

/// A direction, from the side of whoever wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

/// The DTLS role in an offer (RFC 4145 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setup {
    ActPass,
    Active,
    Passive,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderExtension {
    pub(crate) id: u8,
    pub(crate) direction: Option<Direction>,
    pub(crate) kind: ExtensionKind,
}

/// The header extensions that are used; all others are left out of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExtensionKind {
    Mid,
    AudioLevel,
}

impl Offer {
    pub(crate) fn parse(text: &str, we_are_lite: bool) -> Result<Self, OfferError> {
        let Lines { user_name, session, sections } = Lines::read(text)?;
        let mut mids = HashSet::new();
        for mid in sections.iter().filter_map(|section| section.value("mid")) {
            if mid.is_empty() || mid.len() > MAX_MID || !mid.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(OfferError::Mid { mid: quote(mid) });
            }
            if !mids.insert(mid) {
                return Err(OfferError::DuplicateMid { mid: quote(mid) });
            }
        }
        let audio = match sections.iter().position(|section| section.kind == "audio" && section.is_offered()) {
            Some(index) => AudioOffer::read(index, &session, &sections, we_are_lite)?,
            None => None,
        };
        Ok(Self {
            user_name: user_name.to_owned(),
            audio,
            bundle: session.values("group").any(|group| group.split(' ').next() == Some("BUNDLE")),
            fec: text.contains("useinbandfec=1"),
            sections: sections.iter().map(SectionLines::to_section).collect(),
        })
    }
}

impl AudioOffer {
    /// `None` if Opus or an encrypted transport is not offered: such a section is rejected, which is no error.
    fn read(
        index: usize,
        session: &Attributes<'_>,
        sections: &[SectionLines<'_>],
        we_are_lite: bool,
    ) -> Result<Option<Self>, OfferError> {
        let section = &sections[index];
        let payload_types = section.opus_payload_types();
        if payload_types.is_empty() || !section.protocol.contains("RTP/SAVP") {
            return Ok(None);
        }
        // RFC 9143 section 9.2: in a bundle the transport's attributes may stand in another section.
        let transport = |name| {
            let elsewhere = || sections.iter().find_map(|other| other.value(name));
            section.value(name).or_else(|| session.value(name)).or_else(elsewhere)
        };
        let ufrag = transport("ice-ufrag").filter(|it| is_ice_string(it, 4));
        let password = transport("ice-pwd").filter(|it| is_ice_string(it, 22));
        let (Some(ufrag), Some(password)) = (ufrag, password) else { return Err(OfferError::IceCredentials) };
        let levels = [&section.attributes, session].into_iter().chain(sections.iter().map(|other| &other.attributes));
        let fingerprints: Vec<_> = levels.flat_map(|level| level.values("fingerprint")).collect();
        let ice_lite = session.has("ice-lite");
        if ice_lite && we_are_lite {
            return Err(OfferError::BothLite);
        }
        let direction = section.attributes.direction().or_else(|| session.direction());
        Ok(Some(Self {
            index,
            mid: section.value("mid").unwrap_or("0").to_owned(),
            payload_types,
            direction: direction.unwrap_or(Direction::SendRecv),
            extensions: section.extensions(),
            ufrag: ufrag.to_owned(),
            password: password.to_owned(),
            fingerprint: best_fingerprint(&fingerprints).ok_or(OfferError::Fingerprint)?,
            setup: Setup::parse(transport("setup"))?,
            ice_lite,
            candidates: section.values("candidate").take(MAX_CANDIDATES).map(str::to_owned).collect(),
        }))
    }

    /// The offer that str0m is shown: this section alone.
    pub(crate) fn to_str0m(&self, payload_type: u8) -> String {
        let Self { mid, ufrag, password, fingerprint, .. } = self;
        let lite = if self.ice_lite { "a=ice-lite\r\n" } else { "" };
        let setup = self.setup.as_str();
        let direction = self.direction.as_str();
        let mut text = format!(
            "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {mid}\r\n{lite}\
             m=audio 9 UDP/TLS/RTP/SAVPF {payload_type}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na={direction}\r\na=rtcp-mux\r\n\
             a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\na=fingerprint:{fingerprint}\r\na=setup:{setup}\r\n\
             a=rtpmap:{payload_type} opus/48000/2\r\n"
        );
        for HeaderExtension { id, kind, .. } in &self.extensions {
            let _ = write!(text, "a=extmap:{id} {}\r\n", kind.uri());
        }
        text
    }

    /// The offer that makes str0m give up the section `mid`, so that another may take its place (RFC 8829 section 5.2.2).
    pub(crate) fn to_str0m_without(&self, mid: &str) -> String {
        let Self { ufrag, password, fingerprint, .. } = self;
        let setup = self.setup.as_str();
        format!(
            "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE\r\n\
             m=audio 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=inactive\r\n\
             a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\na=fingerprint:{fingerprint}\r\na=setup:{setup}\r\n"
        )
    }
}

impl Direction {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// The same, seen from the other side.
    pub(crate) fn mirrored(self) -> Self {
        match self {
            Self::SendRecv => Self::SendRecv,
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            Self::Inactive => Self::Inactive,
        }
    }

    pub(crate) fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    pub(crate) fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive].into_iter().find(|it| it.as_str() == text)
    }
}

impl Setup {
    fn as_str(self) -> &'static str {
        match self {
            Self::ActPass => "actpass",
            Self::Active => "active",
            Self::Passive => "passive",
        }
    }

    fn parse(text: Option<&str>) -> Result<Self, OfferError> {
        match text {
            // RFC 8842 section 5.2 asks for actpass in every offer.
            None | Some("actpass") => Ok(Self::ActPass),
            Some("active") => Ok(Self::Active),
            Some("passive") => Ok(Self::Passive),
            Some(other) => Err(OfferError::Setup { setup: quote(other) }),
        }
    }
}

impl ExtensionKind {
    pub(crate) fn uri(self) -> &'static str {
        match self {
            Self::Mid => MID_URI,
            Self::AudioLevel => AUDIO_LEVEL_URI,
        }
    }
}

/// The lines of an offer, sorted but not yet understood.
struct Lines<'a> {
    user_name: &'a str,
    session: Attributes<'a>,
    sections: Vec<SectionLines<'a>>,
}

/// The `a=` lines of one level: name and value.
#[derive(Default)]
struct Attributes<'a>(Vec<(&'a str, &'a str)>);

struct SectionLines<'a> {
    kind: &'a str,
    port: &'a str,
    protocol: &'a str,
    formats: Vec<&'a str>,
    attributes: Attributes<'a>,
}

impl<'a> Lines<'a> {
    fn read(text: &'a str) -> Result<Self, OfferError> {
        if text.len() > MAX_LENGTH {
            return Err(OfferError::TooLong { limit: MAX_LENGTH });
        }
        if !text.starts_with("v=") {
            return Err(OfferError::NoVersion);
        }
        let mut session = Attributes::default();
        let mut sections: Vec<SectionLines<'a>> = Vec::new();
        let (mut origin, mut named) = (None, false);
        for line in text.split(['\r', '\n']).filter(|line| !line.is_empty()) {
            let (kind, value) = split_line(line)?;
            match kind {
                b'o' if sections.is_empty() => origin = Some(value),
                b's' if sections.is_empty() => named = true,
                b'm' if sections.len() == MAX_SECTIONS => {
                    return Err(OfferError::TooManySections { limit: MAX_SECTIONS });
                }
                b'm' => sections.push(SectionLines::read(value)?),
                b'a' => {
                    let attribute = value.split_once(':').unwrap_or((value, ""));
                    sections.last_mut().map_or(&mut session, |section| &mut section.attributes).0.push(attribute);
                }
                _ => {}
            }
        }
        let Some(origin) = origin.filter(|_| named && !sections.is_empty()) else {
            return Err(OfferError::Incomplete);
        };
        let user_name = origin.split(' ').next().filter(|name| !name.is_empty() && name.len() <= 64).unwrap_or("-");
        Ok(Self { user_name, session, sections })
    }
}

impl<'a> Attributes<'a> {
    fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |it| it.0 == name).map(|it| it.1)
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.values(name).next()
    }

    fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    fn direction(&self) -> Option<Direction> {
        self.0.iter().find_map(|it| Direction::parse(it.0))
    }
}

impl<'a> SectionLines<'a> {
    fn read(value: &'a str) -> Result<Self, OfferError> {
        let mut words = value.split(' ').filter(|word| !word.is_empty());
        let (Some(kind), Some(port), Some(protocol)) = (words.next(), words.next(), words.next()) else {
            return Err(OfferError::Media { line: quote(value) });
        };
        let formats: Vec<_> = words.collect();
        if formats.is_empty() || port.parse::<u16>().is_err() {
            return Err(OfferError::Media { line: quote(value) });
        }
        Ok(Self { kind, port, protocol, formats, attributes: Attributes::default() })
    }

    /// Port 0 rejects a section, unless it shares the transport of another one (RFC 9143 section 6).
    fn is_offered(&self) -> bool {
        self.port != "0" || self.attributes.has("bundle-only")
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.attributes.value(name)
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.attributes.values(name)
    }

    fn opus_payload_types(&self) -> Vec<u8> {
        let maps = self.values("rtpmap").filter_map(|map| map.split_once(' '));
        maps.filter(|(format, codec)| {
            codec.trim().eq_ignore_ascii_case("opus/48000/2") && self.formats.contains(format)
        })
        .filter_map(|(format, _)| format.parse().ok())
        // 64 to 95 can't be told from RTCP on one port (RFC 5761 section 4).
        .filter(|payload_type| matches!(payload_type, 0..=63 | 96..=127))
        .collect()
    }

    fn extensions(&self) -> Vec<HeaderExtension> {
        // str0m writes the mid with everything but letters, digits and "_" replaced: then it is better not sent.
        let mid = self.value("mid").unwrap_or_default();
        let writable = !mid.is_empty() && mid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let mut extensions: Vec<HeaderExtension> = Vec::new();
        for (id, uri) in self.values("extmap").filter_map(|map| map.split_once(' ')) {
            let kind = match uri.split(' ').next() {
                Some(MID_URI) if writable => ExtensionKind::Mid,
                Some(AUDIO_LEVEL_URI) => ExtensionKind::AudioLevel,
                _ => continue,
            };
            let (id, direction) = id.split_once('/').map_or((id, None), |it| (it.0, Direction::parse(it.1)));
            // Ids above 14 would force the two-byte header on every packet (RFC 8285 section 4.3).
            let Some(id) = id.parse().ok().filter(|id| matches!(id, 1..=14)) else { continue };
            if extensions.iter().all(|other| other.id != id && other.kind != kind) {
                extensions.push(HeaderExtension { id, direction, kind });
            }
        }
        extensions
    }

    fn to_section(&self) -> Section {
        Section {
            kind: self.kind.to_owned(),
            protocol: self.protocol.to_owned(),
            mid: self.value("mid").map(str::to_owned),
        }
    }
}

fn split_line(line: &str) -> Result<(u8, &str), OfferError> {
    match line.as_bytes() {
        [kind, b'=', _, ..] if kind.is_ascii() => Ok((*kind, &line[2..])),
        [_, _] | [_] | [] => Err(OfferError::ShortLine { length: line.len(), line: quote(line) }),
        _ => Err(OfferError::NoEquals { line: quote(line) }),
    }
}

/// RFC 8839 section 5.4: ice-char, at most 256 of them. Some clients use `-`, `_`, `=` or `#` too; a colon or a space
/// would break STUN's user name or the line.
fn is_ice_string(text: &str, at_least: usize) -> bool {
    (at_least..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':')
}

/// The strongest hash that is supported (RFC 8122 section 5.1).
fn best_fingerprint(fingerprints: &[&str]) -> Option<String> {
    let find = |hash: &str, length: usize| {
        fingerprints.iter().find(|fingerprint| {
            fingerprint.split_once(' ').is_some_and(|(name, digest)| {
                name.eq_ignore_ascii_case(hash)
                    && digest.split(':').count() == length
                    && digest.split(':').all(|byte| byte.len() == 2 && byte.bytes().all(|it| it.is_ascii_hexdigit()))
            })
        })
    };
    find("sha-256", 32).or_else(|| find("sha-1", 20)).map(|fingerprint| (*fingerprint).to_owned())
}

fn quote(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(MAX_QUOTE).collect()
}
