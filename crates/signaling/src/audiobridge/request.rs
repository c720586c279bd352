//! Requests of the AudioBridge, parsed: a request that exists has fields of the right types. What depends on the state
//! of a room is checked where the room is known.

mod announce;
mod body;
mod forward;
mod participant;
mod record;
mod room;

use std::net::IpAddr;
use std::time::Instant;

use super::error::Error;
use crate::core::ids::{HandleId, RoomId, UserId};
use crate::core::jsep::{Jsep, JsepKind, Offerer};

pub(super) use announce::{FileRequest, PlayRequest, announcing_room};
pub(super) use body::{Body, Dialect};
pub(super) use forward::{ForwardRequest, StopForwardRequest};
pub(super) use participant::{Codec, EntryRequest, Wishes, wished_user, wished_user_untyped};
pub(super) use record::{EnableMjrs, EnableRecording};
pub(super) use room::{AllowedAction, AllowedRequest, CreateRequest, EditRequest};

/// What is asked, by when the answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Now(VerbNow),
    Later(VerbLater),
}

/// Requests answered by a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VerbNow {
    Create,
    Edit,
    Destroy,
    Exists,
    List,
    ListParticipants,
    Allowed,
    Mute,
    Unmute,
    MuteRoom,
    UnmuteRoom,
    Kick,
    KickAll,
    ResetDecoder,
    Suspend,
    Resume,
    EnableRecording,
    EnableMjrs,
    RtpForward,
    StopRtpForward,
    ListForwarders,
    PlayFile,
    IsPlaying,
    StopFile,
    StopAllFiles,
    ListAnnouncements,
}

/// Requests answered by an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VerbLater {
    Join,
    Configure,
    ChangeRoom,
    Leave,
    Hangup,
}

/// The requests by their names.
const VERBS: [(&str, Verb); 31] = [
    ("create", Verb::Now(VerbNow::Create)),
    ("edit", Verb::Now(VerbNow::Edit)),
    ("destroy", Verb::Now(VerbNow::Destroy)),
    ("exists", Verb::Now(VerbNow::Exists)),
    ("list", Verb::Now(VerbNow::List)),
    ("listparticipants", Verb::Now(VerbNow::ListParticipants)),
    ("allowed", Verb::Now(VerbNow::Allowed)),
    ("mute", Verb::Now(VerbNow::Mute)),
    ("unmute", Verb::Now(VerbNow::Unmute)),
    ("mute_room", Verb::Now(VerbNow::MuteRoom)),
    ("unmute_room", Verb::Now(VerbNow::UnmuteRoom)),
    ("kick", Verb::Now(VerbNow::Kick)),
    ("kick_all", Verb::Now(VerbNow::KickAll)),
    ("resetdecoder", Verb::Now(VerbNow::ResetDecoder)),
    ("suspend", Verb::Now(VerbNow::Suspend)),
    ("resume", Verb::Now(VerbNow::Resume)),
    ("enable_recording", Verb::Now(VerbNow::EnableRecording)),
    ("enable_mjrs", Verb::Now(VerbNow::EnableMjrs)),
    ("rtp_forward", Verb::Now(VerbNow::RtpForward)),
    ("stop_rtp_forward", Verb::Now(VerbNow::StopRtpForward)),
    ("listforwarders", Verb::Now(VerbNow::ListForwarders)),
    ("play_file", Verb::Now(VerbNow::PlayFile)),
    ("is_playing", Verb::Now(VerbNow::IsPlaying)),
    ("stop_file", Verb::Now(VerbNow::StopFile)),
    ("stop_all_files", Verb::Now(VerbNow::StopAllFiles)),
    ("listannouncements", Verb::Now(VerbNow::ListAnnouncements)),
    ("join", Verb::Later(VerbLater::Join)),
    ("configure", Verb::Later(VerbLater::Configure)),
    ("changeroom", Verb::Later(VerbLater::ChangeRoom)),
    ("leave", Verb::Later(VerbLater::Leave)),
    ("hangup", Verb::Later(VerbLater::Hangup)),
];

impl Verb {
    /// The request of this name, written in any case.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(find(name)?.1)
    }
}

/// The name, if it is that of a request, as it is documented.
pub(crate) fn known_request(name: &str) -> Option<&'static str> {
    Some(find(name)?.0)
}

fn find(name: &str) -> Option<(&'static str, Verb)> {
    VERBS.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// A request that a handle made and that an event will answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) handle: HandleId,
    pub(super) body: Body<'a>,
    pub(super) jsep: Option<&'a Jsep>,
    /// Who makes the offers of the handle's PeerConnection, if it has one.
    pub(super) offerer: Option<Offerer>,
    /// Where it comes from, where that counts.
    pub(super) client: Option<IpAddr>,
    pub(super) now: Instant,
}

impl Asked<'_> {
    /// What can be said against an SDP before anything is done.
    pub(super) fn check_jsep(&self) -> Result<(), Error> {
        let Some(jsep) = self.jsep else { return Ok(()) };
        match (jsep.kind, self.offerer) {
            (JsepKind::Offer, Some(Offerer::Server)) => Err(Error::unexpected_offer()),
            (JsepKind::Answer, Some(Offerer::Client) | None) => Err(Error::unexpected_answer()),
            (JsepKind::Offer, Some(Offerer::Client) | None) | (JsepKind::Answer, Some(Offerer::Server)) => {
                if jsep.e2ee { Err(Error::media_encryption()) } else { Ok(()) }
            }
        }
    }

    /// Whether the event shall carry an offer of ours. An SDP that came along goes before such a wish.
    pub(super) fn wants_offer(&self, wishes: &Wishes) -> Result<bool, Error> {
        match self.offerer {
            _ if self.jsep.is_some() => Ok(false),
            Some(Offerer::Client) if wishes.generate_offer => Err(Error::client_offers()),
            Some(Offerer::Client) => Ok(false),
            Some(Offerer::Server) => Ok(wishes.generate_offer || wishes.update),
            None => Ok(wishes.generate_offer),
        }
    }
}

/// Who is meant by a request about one participant.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) room: RoomId,
    pub(super) user: UserId,
}

impl Target {
    pub(super) fn parse(body: Body<'_>) -> Result<Self, Error> {
        body.check_strings(&["secret"])?;
        Ok(Self { room: body.room()?, user: body.user()? })
    }
}

/// The room that is meant by a request that may need its secret.
pub(super) fn managed_room(body: Body<'_>) -> Result<RoomId, Error> {
    body.check_strings(&["secret"])?;
    body.room()
}
