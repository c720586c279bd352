//! Writes the answer: line for line what Janus writes, but for the DTLS role, `ice-lite` and `usedtx`.
//! Knows what was negotiated, not how.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use super::offer::{Direction, ExtensionKind, HeaderExtension, Offer, OpusFlags, Section};
use super::{AnswerTraits, MixTraits};
use crate::candidate::host_priority;

/// The `o=` line of a peer connection: the id stays, the version rises with every answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) session_id: u64,
    pub(crate) version: u64,
    pub(crate) address: IpAddr,
}

/// What was negotiated for the audio section.
#[derive(Debug)]
pub(crate) struct Accepted<'a> {
    pub(crate) payload_type: u8,
    /// Ours.
    pub(crate) direction: Direction,
    pub(crate) extensions: Vec<HeaderExtension>,
    pub(crate) ufrag: &'a str,
    pub(crate) password: &'a str,
    /// Hash function and digest as in `a=fingerprint`.
    pub(crate) fingerprint: String,
    /// The DTLS role is that of the client.
    pub(crate) active: bool,
    pub(crate) ssrc: u32,
    pub(crate) ice_lite: bool,
    pub(crate) candidates: &'a [SocketAddr],
    pub(crate) fec: bool,
    /// What the offer says of Opus.
    pub(crate) offered: OpusFlags,
}

impl Accepted<'_> {
    pub(crate) fn has_audio_level(&self) -> bool {
        self.extensions.iter().any(|extension| extension.kind == ExtensionKind::AudioLevel)
    }
}

/// The text of the answer; without `accepted` every section is rejected.
pub(crate) fn write_answer(
    offer: &Offer,
    accepted: Option<&Accepted<'_>>,
    origin: Origin,
    traits: &AnswerTraits,
) -> String {
    let mut text = Text(String::with_capacity(1024));
    let connection = match origin.address {
        IpAddr::V4(ip) => format!("IN IP4 {ip}"),
        IpAddr::V6(ip) => format!("IN IP6 {ip}"),
    };
    let audio = offer.audio.as_ref().zip(accepted);
    text.line("v=0");
    text.line(format_args!("o={} {} {} {connection}", offer.user_name, origin.session_id, origin.version));
    text.line(format_args!("s={}", session_name(offer, traits)));
    text.line("t=0 0");
    if let Some((audio, accepted)) = audio {
        if offer.bundle {
            text.line(format_args!("a=group:BUNDLE {}", audio.mid));
        }
        text.line("a=ice-options:trickle");
        text.line(format_args!("a=fingerprint:{}", accepted.fingerprint));
    }
    text.line("a=extmap-allow-mixed");
    text.line("a=msid-semantic: WMS *");
    if audio.is_some_and(|(_, accepted)| accepted.ice_lite) {
        text.line("a=ice-lite");
    }
    for (index, section) in offer.sections.iter().enumerate() {
        match audio {
            Some((audio, accepted)) if audio.index == index => {
                text.audio_section(section, accepted, &connection, traits);
            }
            Some(_) | None => text.rejected_section(section, &connection),
        }
    }
    text.0
}

struct Text(String);

impl Text {
    fn line(&mut self, line: impl std::fmt::Display) {
        let _ = write!(self.0, "{line}\r\n");
    }

    fn audio_section(&mut self, section: &Section, accepted: &Accepted<'_>, connection: &str, traits: &AnswerTraits) {
        let Accepted { payload_type, direction, ufrag, password, ssrc, .. } = accepted;
        self.line(format_args!("m=audio 9 {} {payload_type}", section.protocol));
        self.line(format_args!("c={connection}"));
        self.line(format_args!("a={}", direction.as_str()));
        if let Some(mid) = &section.mid {
            self.line(format_args!("a=mid:{mid}"));
        }
        self.line("a=rtcp-mux");
        self.line(format_args!("a=ice-ufrag:{ufrag}"));
        self.line(format_args!("a=ice-pwd:{password}"));
        self.line("a=ice-options:trickle");
        self.line(format_args!("a=setup:{}", if accepted.active { "active" } else { "passive" }));
        self.line(format_args!("a=rtpmap:{payload_type} opus/48000/2"));
        for HeaderExtension { id, direction, kind } in &accepted.extensions {
            match direction {
                Some(theirs) => {
                    self.line(format_args!("a=extmap:{id}/{} {}", theirs.mirrored().as_str(), kind.uri()));
                }
                None => self.line(format_args!("a=extmap:{id} {}", kind.uri())),
            }
        }
        if let Some(parameters) = opus_parameters(accepted, traits) {
            self.line(format_args!("a=fmtp:{payload_type} {parameters}"));
        }
        if *direction != Direction::Inactive {
            self.line(format_args!("a=msid:janus janus{}", section.mid.as_deref().unwrap_or("0")));
        }
        self.line(format_args!("a=ssrc:{ssrc} cname:janus"));
        for (index, address) in accepted.candidates.iter().enumerate() {
            let (foundation, priority) = (index + 1, host_priority(index));
            let (ip, port) = (address.ip(), address.port());
            self.line(format_args!("a=candidate:{foundation} 1 udp {priority} {ip} {port} typ host"));
        }
        self.line("a=end-of-candidates");
    }

    fn rejected_section(&mut self, section: &Section, connection: &str) {
        self.line(format_args!("m={} 0 {} 0", section.kind, section.protocol));
        self.line(format_args!("c={connection}"));
        self.line("a=inactive");
        if let Some(mid) = &section.mid {
            self.line(format_args!("a=mid:{mid}"));
        }
    }
}

/// The value of `a=fmtp`, if there is anything to say.
fn opus_parameters(accepted: &Accepted<'_>, traits: &AnswerTraits) -> Option<String> {
    match traits {
        AnswerTraits::Mix(MixTraits { max_playback_rate, stereo, dtx, .. }) => {
            let (stereo, fec) = (u8::from(*stereo), u8::from(accepted.fec));
            let dtx = if *dtx { "; usedtx=1" } else { "" };
            Some(format!(
                "maxplaybackrate={max_playback_rate}; stereo={stereo}; sprop-stereo={stereo}; useinbandfec={fec}{dtx}"
            ))
        }
        AnswerTraits::Echo => {
            let OpusFlags { fec, dtx, stereo } = accepted.offered;
            let flags = [(fec, "useinbandfec=1"), (dtx, "usedtx=1"), (stereo, "stereo=1")];
            let set: Vec<_> = flags.into_iter().filter(|flag| flag.0).map(|flag| flag.1).collect();
            (!set.is_empty()).then(|| set.join(";"))
        }
    }
}

/// `s=` may not be empty and ends at the line.
fn session_name(offer: &Offer, traits: &AnswerTraits) -> String {
    let name = match traits {
        AnswerTraits::Mix(MixTraits { session_name, .. }) => session_name,
        AnswerTraits::Echo => &offer.session_name,
    };
    let name: String = name.chars().filter(|char| !char.is_control()).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}
