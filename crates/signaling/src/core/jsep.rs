//! The jsep of a request and the checks an SDP has to pass before anybody else sees it. Understands of SDP only what
//! the API answers for: its grammar, and whether a transport can come of it.

use serde_json::Value;

use super::error::Error;
use super::field::{Fields, Required};

/// An offer or answer of a client, well formed.
#[derive(Debug)]
pub(crate) struct Jsep {
    pub(crate) kind: JsepKind,
    pub(crate) sdp: String,
    /// Media is encrypted end to end.
    pub(crate) e2ee: bool,
    pub(crate) description: Description,
}

/// Which half of the exchange it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsepKind {
    /// The first.
    Offer,
    /// The second.
    Answer,
}

impl JsepKind {
    /// As a JSEP says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Answer => "answer",
        }
    }
}

/// Who makes the offers of a PeerConnection, from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offerer {
    Client,
    Server,
}

/// What the core has to know of an SDP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Description {
    /// The first section, whose transport all others are bundled on.
    first: Section,
    /// The first audio section, if there is one.
    audio: Option<Section>,
    /// Whether the first section has ufrag, password and fingerprint, of its own or of the session.
    pub(crate) complete: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Section {
    index: u64,
    mid: Option<String>,
}

/// Offers of Janus number their sections from zero.
const OUR_MID: &str = "0";

impl Jsep {
    pub(crate) fn parse(value: &Value) -> Result<Self, Error> {
        let fields = Fields(value.as_object().ok_or_else(Error::jsep_not_an_object)?);
        let read = || -> Result<_, Error> {
            let kind = fields.string("type").required("type")?;
            let sdp = fields.string("sdp").required("sdp")?;
            fields.boolean("trickle")?;
            fields.string("rid_order")?;
            fields.boolean("force_relay")?;
            let e2ee = fields.boolean("e2ee")?.unwrap_or(false);
            Ok((kind, sdp, e2ee))
        };
        let (kind, sdp, e2ee) = read().map_err(|error| error.within("JSEP"))?;
        let kind = if kind.eq_ignore_ascii_case("offer") {
            JsepKind::Offer
        } else if kind.eq_ignore_ascii_case("answer") {
            JsepKind::Answer
        } else {
            return Err(Error::unknown_jsep_type(kind));
        };
        let description = Description::parse(sdp).map_err(Error::invalid_sdp)?;
        Ok(Self { kind, sdp: sdp.to_owned(), e2ee, description })
    }
}

impl Description {
    /// That of our own offers, which have one section.
    pub(crate) fn of_our_offers() -> Self {
        let audio = Section { index: 0, mid: Some(OUR_MID.to_owned()) };
        Self { first: audio.clone(), audio: Some(audio), complete: true }
    }

    /// Where the transport is: the mid and index of the audio section.
    pub(crate) fn audio_place(&self) -> (&str, u64) {
        (self.audio_mid(), self.audio.as_ref().map_or(0, |section| section.index))
    }

    /// The mid that events about the audio name.
    pub(crate) fn audio_mid(&self) -> &str {
        self.audio.as_ref().and_then(|section| section.mid.as_deref()).unwrap_or(OUR_MID)
    }

    /// Whether a candidate with this address is of the transport in use. The audio section counts beside the first
    /// one: where the first is rejected, the transport is the audio's.
    pub(crate) fn has_candidate_at(&self, mid: Option<&str>, index: Option<u64>) -> bool {
        [Some(&self.first), self.audio.as_ref()].into_iter().flatten().any(|section| match mid {
            Some(mid) => section.mid.as_deref().is_none_or(|own| own == mid),
            None => index == Some(section.index),
        })
    }

    /// Reads an SDP; the refusal is in words that go to the client.
    fn parse(sdp: &str) -> Result<Self, String> {
        if !sdp.starts_with("v=") {
            return Err("Invalid SDP (doesn't start with v=)".to_owned());
        }
        let mut reader = Reader::default();
        for line in sdp.split('\n') {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if !line.is_empty() {
                reader.read(line)?;
            }
        }
        reader.finish()
    }
}

/// The candidates in an SDP, as `a=candidate:…`.
pub(super) fn candidates(sdp: &str) -> impl Iterator<Item = &str> {
    sdp.lines().filter(|line| line.starts_with("a=candidate:"))
}

/// What an ICE and DTLS transport needs to be told.
#[derive(Clone, Copy, Debug, Default)]
struct Transport {
    ufrag: bool,
    password: bool,
    fingerprint: bool,
}

#[derive(Debug, Default)]
struct Reader {
    origin: bool,
    name: bool,
    connection: bool,
    sections: u64,
    session_transport: Transport,
    first_transport: Transport,
    first: Option<Section>,
    audio: Option<Section>,
    /// Whether the section being read is the first audio one.
    in_audio: bool,
}

/// No m-line of a browser is longer; one that is, is refused.
const M_LINE_BYTES: usize = 200;
const MID_BYTES: usize = 16;

impl Reader {
    fn read(&mut self, line: &str) -> Result<(), String> {
        let bytes = line.as_bytes();
        if bytes.len() < 3 {
            return Err(format!("Invalid line ({} bytes): {}", bytes.len(), shortened(line)));
        }
        if bytes[1] != b'=' {
            return Err(format!("Invalid line (2nd char is not '='): {}", shortened(line)));
        }
        let value = line.get(2..).unwrap_or_default();
        match bytes[0] {
            b'o' => self.read_origin(line, value),
            b's' if self.name => Err(format!("Multiple s= lines: {}", shortened(line))),
            b's' => {
                self.name = true;
                Ok(())
            }
            b'c' => self.read_connection(line, value),
            b'm' => self.read_media(line, value),
            b'a' => self.read_attribute(value),
            _ => Ok(()),
        }
    }

    fn read_origin(&mut self, line: &str, value: &str) -> Result<(), String> {
        if std::mem::replace(&mut self.origin, true) {
            return Err(format!("Multiple o= lines: {}", shortened(line)));
        }
        let words: Vec<_> = value.split_ascii_whitespace().collect();
        match words[..] {
            [_, _, _, "IN", "IP4" | "IP6", _] => Ok(()),
            [_, _, _, "IN", protocol, _] => {
                Err(format!("Invalid o= line (unsupported protocol {}): {}", shortened(protocol), shortened(line)))
            }
            _ => Err(format!("Invalid o= line: {}", shortened(line))),
        }
    }

    fn read_connection(&mut self, line: &str, value: &str) -> Result<(), String> {
        if self.sections == 0 && std::mem::replace(&mut self.connection, true) {
            return Err(format!("Multiple global c= lines: {}", shortened(line)));
        }
        let words: Vec<_> = value.split_ascii_whitespace().collect();
        match words[..] {
            ["IN", "IP4" | "IP6", _] => Ok(()),
            _ => Err(format!("Invalid c= line: {}", shortened(line))),
        }
    }

    fn read_media(&mut self, line: &str, value: &str) -> Result<(), String> {
        let mut words = value.split_ascii_whitespace();
        let kind = words.next().unwrap_or_default();
        let port = words.next().is_some_and(|port| port.starts_with(|digit: char| digit.is_ascii_digit()));
        let formats = words.skip(1).count();
        if line.len() > M_LINE_BYTES || !port {
            return Err(format!("Invalid m= line: {}", shortened(line)));
        }
        if formats == 0 {
            return Err(format!("Invalid m= line (no payload types/formats): {}", shortened(line)));
        }
        let section = Section { index: self.sections, mid: None };
        self.sections += 1;
        self.in_audio = kind == "audio" && self.audio.is_none();
        if self.in_audio {
            self.audio = Some(section.clone());
        }
        self.first.get_or_insert(section);
        Ok(())
    }

    fn read_attribute(&mut self, value: &str) -> Result<(), String> {
        let Some((name, rest)) = value.split_once(':') else { return Ok(()) };
        if name.is_empty() || rest.is_empty() {
            return Err(format!("Invalid a= line: {}", shortened(value)));
        }
        let mut unread = Transport::default();
        let transport = match self.sections {
            0 => &mut self.session_transport,
            1 => &mut self.first_transport,
            _ => &mut unread,
        };
        match name {
            "ice-ufrag" => transport.ufrag = true,
            "ice-pwd" => transport.password = true,
            "fingerprint" => transport.fingerprint = true,
            "mid" => return self.read_mid(rest),
            _ => {}
        }
        Ok(())
    }

    fn read_mid(&mut self, mid: &str) -> Result<(), String> {
        if mid.len() > MID_BYTES {
            return Err(format!("Invalid mid (max {MID_BYTES} characters): {}", shortened(mid)));
        }
        if self.sections == 1
            && let Some(first) = &mut self.first
        {
            first.mid = Some(mid.to_owned());
        }
        if self.in_audio
            && let Some(audio) = &mut self.audio
        {
            audio.mid = Some(mid.to_owned());
        }
        Ok(())
    }

    fn finish(self) -> Result<Description, String> {
        let (true, true, Some(first)) = (self.origin, self.name, self.first) else {
            return Err("Missing mandatory lines (o=, s= or m=)".to_owned());
        };
        let (session, own) = (self.session_transport, self.first_transport);
        let complete = (session.ufrag || own.ufrag)
            && (session.password || own.password)
            && (session.fingerprint || own.fingerprint);
        Ok(Description { first, audio: self.audio, complete })
    }
}

/// What an error quotes of a client's line.
fn shortened(line: &str) -> String {
    line.chars().take(M_LINE_BYTES).collect()
}
