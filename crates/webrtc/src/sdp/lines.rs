//! The lines of an offer, sorted by section but not yet understood. The limits on size are here.

use super::offer::{AUDIO_LEVEL_URI, Direction, ExtensionKind, HeaderExtension, MID_URI, Section};
use crate::error::OfferError;

/// A browser's offer with audio, video and data is 7 KB.
const MAX_LENGTH: usize = 64 * 1024;
const MAX_SECTIONS: usize = 64;
/// Longer quotations from an offer are cut in error texts.
const MAX_QUOTE: usize = 40;

/// A whole offer.
pub(super) struct Lines<'a> {
    pub(super) user_name: &'a str,
    pub(super) session_name: &'a str,
    pub(super) session: Attributes<'a>,
    pub(super) sections: Vec<SectionLines<'a>>,
}

/// The `a=` lines of one level: name and value.
#[derive(Default)]
pub(super) struct Attributes<'a>(Vec<(&'a str, &'a str)>);

pub(super) struct SectionLines<'a> {
    pub(super) kind: &'a str,
    pub(super) port: &'a str,
    pub(super) protocol: &'a str,
    pub(super) formats: Vec<&'a str>,
    pub(super) attributes: Attributes<'a>,
}

impl<'a> Lines<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, OfferError> {
        if text.len() > MAX_LENGTH {
            return Err(OfferError::TooLong { limit: MAX_LENGTH });
        }
        if !text.starts_with("v=") {
            return Err(OfferError::NoVersion);
        }
        let mut session = Attributes::default();
        let mut sections: Vec<SectionLines<'a>> = Vec::new();
        let (mut origin, mut name) = (None, None);
        for line in text.split(['\r', '\n']).filter(|line| !line.is_empty()) {
            let (kind, value) = split_line(line)?;
            match kind {
                b'o' if sections.is_empty() => origin = Some(value),
                b's' if sections.is_empty() => name = Some(value),
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
        let (Some(origin), Some(session_name), false) = (origin, name, sections.is_empty()) else {
            return Err(OfferError::Incomplete);
        };
        let user_name = origin.split(' ').next().filter(|name| !name.is_empty() && name.len() <= 64).unwrap_or("-");
        Ok(Self { user_name, session_name, session, sections })
    }
}

impl<'a> Attributes<'a> {
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |it| it.0 == name).map(|it| it.1)
    }

    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.values(name).next()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    pub(super) fn direction(&self) -> Option<Direction> {
        self.0.iter().find_map(|it| Direction::parse(it.0))
    }
}

impl<'a> SectionLines<'a> {
    pub(super) fn read(value: &'a str) -> Result<Self, OfferError> {
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
    pub(super) fn is_offered(&self) -> bool {
        self.port != "0" || self.attributes.has("bundle-only")
    }

    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.attributes.value(name)
    }

    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.attributes.values(name)
    }

    pub(super) fn opus_payload_types(&self) -> Vec<u8> {
        let maps = self.values("rtpmap").filter_map(|map| map.split_once(' '));
        maps.filter(|(format, codec)| {
            codec.trim().eq_ignore_ascii_case("opus/48000/2") && self.formats.contains(format)
        })
        .filter_map(|(format, _)| format.parse().ok())
        // 64 to 95 can't be told from RTCP on one port (RFC 5761 section 4).
        .filter(|payload_type| matches!(payload_type, 0..=63 | 96..=127))
        .collect()
    }

    /// Whether the parameters of a payload type say so (RFC 7587 section 6.1).
    pub(super) fn has_parameter(&self, payload_type: u8, parameter: &str) -> bool {
        let payload_type = payload_type.to_string();
        let formats = self.values("fmtp").filter_map(|format| format.split_once(' '));
        let mut parameters = formats.filter(|it| it.0 == payload_type).flat_map(|it| it.1.split(';'));
        parameters.any(|it| it.trim() == parameter)
    }

    pub(super) fn extensions(&self) -> Vec<HeaderExtension> {
        let has_mid = self.value("mid").is_some();
        let mut extensions: Vec<HeaderExtension> = Vec::new();
        for (id, uri) in self.values("extmap").filter_map(|map| map.split_once(' ')) {
            let kind = match uri.split(' ').next() {
                Some(MID_URI) if has_mid => ExtensionKind::Mid,
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

    pub(super) fn to_section(&self) -> Section {
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

pub(super) fn quote(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(MAX_QUOTE).collect()
}
