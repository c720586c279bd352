//! Understands an offer: which section is ours and what it says. Anything in it may be hostile.

use std::collections::HashSet;

use super::lines::{Attributes, Lines, SectionLines, quote};
use crate::error::OfferError;

/// A host with many interfaces offers some twenty; a lite agent needs none.
const MAX_CANDIDATES: usize = 32;
/// RFC 5888 sets no limit; the RTP header extension of 16 bytes does (RFC 8285 section 4.2).
const MAX_MID: usize = 16;

pub(super) const MID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
pub(super) const AUDIO_LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/// An offer whose every section is known well enough to be answered.
#[derive(Debug)]
pub(crate) struct Offer {
    /// The user name of the `o=` line.
    pub(crate) user_name: String,
    pub(crate) session_name: String,
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
    /// Of the first of them.
    pub(crate) flags: OpusFlags,
    pub(crate) direction: Direction,
    pub(crate) extensions: Vec<HeaderExtension>,
    pub(crate) ufrag: String,
    pub(crate) password: String,
    pub(crate) fingerprint: String,
    pub(crate) setup: Setup,
    pub(crate) ice_lite: bool,
    pub(crate) candidates: Vec<String>,
}

/// What an offer asks of whoever sends it Opus (RFC 7587 section 6.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OpusFlags {
    pub(crate) fec: bool,
    pub(crate) dtx: bool,
    pub(crate) stereo: bool,
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
        let Lines { user_name, session_name, session, sections } = Lines::read(text)?;
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
            session_name: session_name.to_owned(),
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
        let Some(&payload_type) = payload_types.first().filter(|_| section.protocol.contains("RTP/SAVP")) else {
            return Ok(None);
        };
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
            flags: OpusFlags {
                fec: section.has_parameter(payload_type, "useinbandfec=1"),
                dtx: section.has_parameter(payload_type, "usedtx=1"),
                stereo: section.has_parameter(payload_type, "stereo=1"),
            },
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

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive].into_iter().find(|it| it.as_str() == text)
    }
}

impl Setup {
    pub(crate) fn as_str(self) -> &'static str {
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
