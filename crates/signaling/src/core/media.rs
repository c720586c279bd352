//! The boundary to the other planes: what the conversation asks of the media, and what the media tells it.
//! Knows no JSON; the server turns these into commands of the webrtc and mixer planes.

use std::time::Duration;

use super::ids::{HandleId, RoomKey};
use super::statistics::AudioStatistics;
use super::transport_info::TransportInfo;

/// What the media planes shall do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaCommand {
    /// Answer an offer. The first of a handle makes its PeerConnection, later ones renegotiate it.
    Negotiate {
        /// Whose PeerConnection.
        handle: HandleId,
        /// Comes back in [`MediaEvent::Answered`] or [`MediaEvent::Refused`]; rises with every offer.
        negotiation: u64,
        /// The SDP of the client.
        offer: String,
        /// What the answer shall say.
        traits: AnswerTraits,
    },
    /// Make an offer. The first of a handle begins its PeerConnection, a later one renews it.
    Offer {
        /// Whose PeerConnection.
        handle: HandleId,
        /// Comes back in [`MediaEvent::Offered`].
        negotiation: u64,
        /// What the offer shall say.
        traits: MixTraits,
    },
    /// Take the client's answer to the last offer of ours.
    Accept {
        /// Whose PeerConnection.
        handle: HandleId,
        /// Comes back in [`MediaEvent::Accepted`] or [`MediaEvent::Refused`].
        negotiation: u64,
        /// The SDP of the client.
        answer: String,
    },
    /// A candidate of the client, after the offer it belongs to.
    AddCandidate {
        /// Whose PeerConnection.
        handle: HandleId,
        /// `candidate:…` or `a=candidate:…`, unchecked.
        candidate: String,
    },
    /// Tell what a PeerConnection's transport is and does, by [`MediaEvent::Described`].
    Describe {
        /// Whose PeerConnection.
        handle: HandleId,
        /// Comes back in the event.
        inquiry: u64,
    },
    /// Tell how the audio of participants fares, by one [`MediaEvent::Measured`].
    Measure {
        /// Whose.
        handles: Vec<HandleId>,
        /// Comes back in the event.
        inquiry: u64,
    },
    /// When to tell of media that stops or gets lost, for all PeerConnections now and later.
    SetThresholds {
        /// Without a packet for so long media has stopped; zero = it never has.
        no_media_timeout: Duration,
        /// So many packets lost in a second are told; zero = none are.
        slowlink_threshold: u32,
    },
    /// End the PeerConnection. No [`MediaEvent`] of it is expected any more.
    ClosePeer {
        /// Whose PeerConnection.
        handle: HandleId,
    },
    /// The handle, whose PeerConnection is up, sounds and hears in this room from now on.
    Join {
        /// Whose audio.
        handle: HandleId,
        /// The room, made by its first member.
        room: RoomKey,
        /// How the room mixes.
        room_settings: RoomSettings,
        /// How this member sounds and hears.
        settings: MemberSettings,
    },
    /// New settings of a member.
    Configure {
        /// A member by [`MediaCommand::Join`].
        handle: HandleId,
        /// All of its settings.
        settings: MemberSettings,
    },
    /// New settings of a room that has members.
    UpdateRoom {
        /// The room.
        room: RoomKey,
        /// All of its settings.
        settings: RoomSettings,
    },
    /// The handle is in no room any more; the last one out takes the mixer's room with it.
    Leave {
        /// A member by [`MediaCommand::Join`].
        handle: HandleId,
    },
    /// What comes from the handle, whose PeerConnection is up, goes back to it from now on, or no longer does.
    Echo {
        /// Whose audio; in no room.
        handle: HandleId,
        /// Whether it goes back.
        echo: bool,
    },
    /// Start the decoder of a member afresh.
    ResetDecoder {
        /// A member by [`MediaCommand::Join`].
        handle: HandleId,
    },
}

/// What the media planes tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// The answer to an offer.
    Answered {
        /// Whose PeerConnection.
        handle: HandleId,
        /// That of [`MediaCommand::Negotiate`].
        negotiation: u64,
        /// The answer.
        answer: Answer,
    },
    /// An offer of ours.
    Offered {
        /// Whose PeerConnection.
        handle: HandleId,
        /// That of [`MediaCommand::Offer`].
        negotiation: u64,
        /// The SDP for the client.
        sdp: String,
        /// As in [`Answer`].
        candidates: Vec<String>,
    },
    /// The answer to an offer of ours was taken.
    Accepted {
        /// Whose PeerConnection.
        handle: HandleId,
        /// That of [`MediaCommand::Accept`].
        negotiation: u64,
        /// What it settled.
        settled: Settled,
    },
    /// An offer or answer could not be taken; what was there before is undisturbed.
    Refused {
        /// Whose PeerConnection.
        handle: HandleId,
        /// That of the command.
        negotiation: u64,
        /// Why, in words that a client may read.
        reason: String,
    },
    /// ICE has found a path for the first time.
    PathFound {
        /// Whose PeerConnection.
        handle: HandleId,
    },
    /// ICE and DTLS are done.
    Connected {
        /// Whose PeerConnection.
        handle: HandleId,
    },
    /// Audio arrives, or has stopped arriving.
    Receiving {
        /// Whose PeerConnection.
        handle: HandleId,
        /// Whether audio arrives.
        receiving: bool,
    },
    /// Much of the audio was lost within a second.
    SlowLink {
        /// Whose PeerConnection.
        handle: HandleId,
        /// Of what the client is sent, as it says; not of what it sends.
        uplink: bool,
        /// Packets.
        lost: u32,
    },
    /// What was asked by [`MediaCommand::Describe`].
    Described {
        /// As in the command.
        inquiry: u64,
        /// `None` if there is no transport now.
        info: Option<Box<TransportInfo>>,
    },
    /// What was asked by [`MediaCommand::Measure`].
    Measured {
        /// As in the command.
        inquiry: u64,
        /// Of those who have a transport or are mixed.
        statistics: Vec<(HandleId, AudioStatistics)>,
    },
    /// A member began or stopped talking.
    Talking {
        /// Whose audio.
        handle: HandleId,
        /// Whether it talks now.
        talking: bool,
    },
    /// The mixer has more to do than it can, or no longer has.
    Overloaded {
        /// Whether it has.
        overloaded: bool,
    },
    /// The PeerConnection ended without our doing.
    Closed {
        /// Whose PeerConnection.
        handle: HandleId,
        /// The reason of the `hangup` event, for example `DTLS alert`.
        reason: String,
    },
}

/// What an answer shall say beyond what follows from the offer, and an offer of ours as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerTraits {
    /// The client hears a mix.
    Mix(MixTraits),
    /// The client hears itself.
    Echo,
}

/// What a room decides about an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixTraits {
    /// The `s=` line.
    pub session_name: String,
    /// `maxplaybackrate`, in Hz.
    pub max_playback_rate: u32,
    /// `stereo` and `sprop-stereo`.
    pub stereo: bool,
    /// Whether the client may stop sending in silence (`usedtx=1`).
    pub dtx: bool,
}

/// An answer and what it settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The SDP for the client.
    pub sdp: String,
    /// Ours, as `candidate:…`, to be told apart from the SDP.
    pub candidates: Vec<String>,
    /// Whether an audio section was accepted.
    pub audio: bool,
    /// Whether audio levels (RFC 6464) were negotiated.
    pub audio_level: bool,
    /// Whether the offer said `useinbandfec=1`.
    pub fec: bool,
}

/// What offer and answer settled, whoever made which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Whether audio levels (RFC 6464) were negotiated.
    pub audio_level: bool,
    /// Whether the client said `useinbandfec=1`.
    pub fec: bool,
}

/// How a room mixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSettings {
    /// One of [`SAMPLING_RATES`](crate::SAMPLING_RATES), in Hz.
    pub sampling_rate: u32,
    /// Two channels, in which members have a position.
    pub stereo: bool,
    /// Only admins sound.
    pub muted: bool,
    /// Whether the audio levels in packets are believed.
    pub trust_levels: bool,
    /// Whether and how talking is told.
    pub talk_detection: Option<TalkDetection>,
    /// How many members sound at once, the loudest; 0 = all.
    pub max_speakers: usize,
    /// Members below this level are not mixed, in dBov.
    pub silence_threshold: i8,
    /// Whether listeners of the same mix share one encode.
    pub shared_encoding: bool,
}

/// When a member counts as talking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TalkDetection {
    /// The window, in packets.
    pub active_packets: u32,
    /// Talking is an average level in the window below this, in -dBov.
    pub average_level: u8,
}

/// How a member sounds and hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberSettings {
    /// Its audio is discarded.
    pub muted: bool,
    /// It sounds in a muted room.
    pub admin: bool,
    /// Its loudness for the others, in percent.
    pub volume: u32,
    /// 0 left … 100 right, in stereo rooms.
    pub position: u8,
    /// Of the stream it hears, in bit/s; `None` = the codec decides.
    pub bitrate: Option<u32>,
    /// Opus complexity, 1 to 10.
    pub complexity: u8,
    /// Packet loss to encode for, in percent.
    pub expected_loss: u8,
    /// Whether it takes in-band FEC.
    pub fec: bool,
    /// It neither sounds nor hears.
    pub suspended: bool,
    /// When it counts as talking, in place of what the room has.
    pub talk_detection: Option<TalkDetection>,
}
