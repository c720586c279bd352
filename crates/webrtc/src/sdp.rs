//! Session descriptions: an offer is read as far as its audio goes, and the answer is written whole. An offer of ours is written
//! the same way, and its answer read as the offer that it could have been. No I/O, no transport.

mod answer;
mod lines;
mod offer;
mod ours;

pub(crate) use answer::{Accepted, Origin, write_answer};
pub(crate) use offer::{AudioOffer, Direction, ExtensionKind, HeaderExtension, Offer, OpusFlags, Setup};
pub(crate) use ours::{EXTENSIONS, PAYLOAD_TYPE, read_answer, write_offer};

/// What an answer says beyond what follows from the offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerTraits {
    /// The peer hears a mix.
    Mix(MixTraits),
    /// The peer hears itself, so it is told what it said: the name and the Opus flags are those of the offer.
    Echo,
}

/// What the room decides about an offer or an answer of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MixTraits {
    /// The `s=` line, as in `AudioBridge 1234`.
    pub session_name: String,
    /// `maxplaybackrate`: the sampling rate of the room in Hz.
    pub max_playback_rate: u32,
    /// Stereo both ways.
    pub stereo: bool,
    /// `usedtx=1`: a silent peer may send five packets a second instead of fifty.
    pub dtx: bool,
}

/// The answer to an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The whole text.
    pub sdp: String,
    /// Audio was accepted. If not, all media are rejected (port 0) and there is no peer connection.
    pub audio: bool,
    /// RFC 6464 levels are negotiated.
    pub audio_level: bool,
    /// The peer decodes in-band FEC: it said `useinbandfec=1` in this offer or an earlier one.
    pub fec: bool,
    /// We send to the peer.
    pub sends: bool,
    /// We receive from the peer.
    pub receives: bool,
    /// Ours, as `candidate:…`, where the text has none and the peer has not got them yet.
    pub candidates: Vec<String>,
}

/// An offer of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OurOffer {
    /// The whole text.
    pub sdp: String,
    /// Ours, as `candidate:…`, where the text has none and the peer has not got them yet.
    pub candidates: Vec<String>,
}

/// What the peer's answer to an offer of ours settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAnswer {
    /// RFC 6464 levels are negotiated.
    pub audio_level: bool,
    /// The peer decodes in-band FEC: it said `useinbandfec=1` in this answer or an earlier one.
    pub fec: bool,
}
