//! Writes answers, and offers in the same shape: line for line what Janus writes, but for the DTLS role, `ice-lite` and
//! `usedtx`. Knows what was negotiated, not how.

use std::fmt::Write;
use std::net::IpAddr;

use super::offer::{Direction, ExtensionKind, HeaderExtension, Offer, OpusFlags, Section, Setup};
use super::{AnswerTraits, MixTraits};

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
    /// Our DTLS role.
    pub(crate) setup: Setup,
    pub(crate) ssrc: u32,
    pub(crate) ice_lite: bool,
    /// `None` if they are told apart from the SDP.
    pub(crate) candidates: Option<Vec<String>>,
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
    let audio = offer.audio.as_ref().zip(accepted).map(|(audio, accepted)| Audio {
        index: audio.index,
        bundled: offer.bundle.then_some(audio.mid.as_str()),
        accepted,
        parameters: opus_parameters(accepted, traits),
    });
    let session_name = match traits {
        AnswerTraits::Mix(MixTraits { session_name, .. }) => session_name,
        AnswerTraits::Echo => &offer.session_name,
    };
    write(Head { user_name: &offer.user_name, session_name, origin }, &offer.sections, audio)
}

/// What stands above all sections.
pub(super) struct Head<'a> {
    pub(super) user_name: &'a str,
    pub(super) session_name: &'a str,
    pub(super) origin: Origin,
}

/// Which of the sections is audio.
pub(super) struct Audio<'a> {
    pub(super) index: usize,
    /// The mid, in a bundle.
    pub(super) bundled: Option<&'a str>,
    pub(super) accepted: &'a Accepted<'a>,
    /// The value of `a=fmtp`, if there is anything to say.
    pub(super) parameters: Option<String>,
}

/// An offer or an answer; without `audio` every section is rejected.
pub(super) fn write(head: Head<'_>, sections: &[Section], audio: Option<Audio<'_>>) -> String {
    let origin = head.origin;
    let mut text = Text(String::with_capacity(1024));
    let connection = match origin.address {
        IpAddr::V4(ip) => format!("IN IP4 {ip}"),
        IpAddr::V6(ip) => format!("IN IP6 {ip}"),
    };
    text.line("v=0");
    text.line(format_args!("o={} {} {} {connection}", head.user_name, origin.session_id, origin.version));
    text.line(format_args!("s={}", session_name(head.session_name)));
    text.line("t=0 0");
    if let Some(Audio { bundled, accepted, .. }) = &audio {
        if let Some(mid) = bundled {
            text.line(format_args!("a=group:BUNDLE {mid}"));
        }
        text.line("a=ice-options:trickle");
        text.line(format_args!("a=fingerprint:{}", accepted.fingerprint));
    }
    text.line("a=extmap-allow-mixed");
    text.line("a=msid-semantic: WMS *");
    if audio.as_ref().is_some_and(|audio| audio.accepted.ice_lite) {
        text.line("a=ice-lite");
    }
    for (index, section) in sections.iter().enumerate() {
        match &audio {
            Some(audio) if audio.index == index => {
                text.audio_section(section, audio, &connection);
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

    fn audio_section(&mut self, section: &Section, audio: &Audio<'_>, connection: &str) {
        let Audio { accepted, parameters, .. } = audio;
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
        self.line(format_args!("a=setup:{}", accepted.setup.as_str()));
        self.line(format_args!("a=rtpmap:{payload_type} opus/48000/2"));
        for HeaderExtension { id, direction, kind } in &accepted.extensions {
            match direction {
                Some(theirs) => {
                    self.line(format_args!("a=extmap:{id}/{} {}", theirs.mirrored().as_str(), kind.uri()));
                }
                None => self.line(format_args!("a=extmap:{id} {}", kind.uri())),
            }
        }
        if let Some(parameters) = parameters {
            self.line(format_args!("a=fmtp:{payload_type} {parameters}"));
        }
        if *direction != Direction::Inactive {
            self.line(format_args!("a=msid:janus janus{}", section.mid.as_deref().unwrap_or("0")));
        }
        self.line(format_args!("a=ssrc:{ssrc} cname:janus"));
        if let Some(candidates) = &accepted.candidates {
            for candidate in candidates {
                self.line(format_args!("a={candidate}"));
            }
            self.line("a=end-of-candidates");
        }
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

fn opus_parameters(accepted: &Accepted<'_>, traits: &AnswerTraits) -> Option<String> {
    match traits {
        AnswerTraits::Mix(traits) => Some(mix_parameters(traits, accepted.fec)),
        AnswerTraits::Echo => {
            let OpusFlags { fec, dtx, stereo } = accepted.offered;
            let flags = [(fec, "useinbandfec=1"), (dtx, "usedtx=1"), (stereo, "stereo=1")];
            let set: Vec<_> = flags.into_iter().filter(|flag| flag.0).map(|flag| flag.1).collect();
            (!set.is_empty()).then(|| set.join(";"))
        }
    }
}

/// The Opus parameters of a mix.
pub(super) fn mix_parameters(traits: &MixTraits, fec: bool) -> String {
    let MixTraits { max_playback_rate, stereo, dtx, .. } = traits;
    let (stereo, fec) = (u8::from(*stereo), u8::from(fec));
    let dtx = if *dtx { "; usedtx=1" } else { "" };
    format!("maxplaybackrate={max_playback_rate}; stereo={stereo}; sprop-stereo={stereo}; useinbandfec={fec}{dtx}")
}

/// `s=` may not be empty and ends at the line.
fn session_name(name: &str) -> String {
    let name: String = name.chars().filter(|char| !char.is_control()).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}
