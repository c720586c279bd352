//! The shapes of bodies, for the document. The names of their fields are what `request.rs` lets through; types and values
//! are signaling's to check, and the tests hold the two together.

#![expect(dead_code, reason = "bodies are read and made by signaling")]

use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

/// A number; a text where the server has `string_ids`.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Id {
    Number(u64),
    Text(String),
}

/// A room to make: every field may be left out.
#[derive(ToSchema)]
pub(super) struct NewRoom {
    /// Its id; without it one is drawn.
    room: Option<Id>,
    /// What it is called. Without it: `Room` and its id.
    description: Option<String>,
    /// What clients need to manage it.
    secret: Option<String>,
    /// What clients need to join it.
    pin: Option<String>,
    /// Left out of the list that clients get.
    #[schema(default = false)]
    is_private: Option<bool>,
    /// Tokens of which a joiner must have one.
    allowed: Option<Vec<String>>,
    /// In Hz: 8000, 12000, 16000, 24000 or 48000.
    #[schema(default = 16000)]
    sampling_rate: Option<u32>,
    /// Stereo, each participant at its `spatial_position`.
    #[schema(default = false)]
    spatial_audio: Option<bool>,
    /// The audio levels that clients send with their packets (RFC 6464) are used.
    #[schema(default = true)]
    audiolevel_ext: Option<bool>,
    /// Everybody is told who starts and stops talking.
    #[schema(default = false)]
    audiolevel_event: Option<bool>,
    /// … decided over so many packets of 20 ms.
    #[schema(default = 100)]
    audio_active_packets: Option<u32>,
    /// … whose mean level is at least this, in -dBov: 0 loud to 127 silent.
    #[schema(default = 25)]
    audio_level_average: Option<u8>,
    /// Loss to protect against with in-band FEC, in percent, 0 to 20.
    #[schema(default = 0)]
    default_expectedloss: Option<u8>,
    /// To each participant, in bit/s, 500 to 512000; 0 = Opus decides.
    #[schema(default = 0)]
    default_bitrate: Option<u32>,
    /// Noise is removed from participants that do not say so themselves.
    #[schema(default = false)]
    denoise: Option<bool>,
    /// The mix is recorded.
    #[schema(default = false)]
    record: Option<bool>,
    /// The file of the mix.
    record_file: Option<String>,
    /// Its folder.
    record_dir: Option<String>,
    /// Each participant is recorded.
    #[schema(default = false)]
    mjrs: Option<bool>,
    /// The folder of these files.
    mjrs_dir: Option<String>,
    /// Plain RTP participants may join.
    #[schema(default = false)]
    allow_rtp_participants: Option<bool>,
    /// Groups of participants, at most five.
    groups: Option<Vec<String>>,
    /// Joining needs a token that is signed for the room.
    #[schema(default = false)]
    signed_tokens: Option<bool>,
    /// So many sound at once, the loudest; 0 = everybody who is heard.
    #[schema(default = 0)]
    max_speakers: Option<u32>,
    /// What is softer is not mixed, in dBov, -127 to 0.
    #[schema(default = -60)]
    silence_threshold: Option<i8>,
    /// Clients may stop sending while they are silent.
    #[schema(default = true)]
    usedtx: Option<bool>,
    /// One encode for everybody who hears the same.
    #[schema(default = true)]
    shared_encoding: Option<bool>,
    /// It is there again when the server has been started again.
    #[schema(default = false)]
    permanent: Option<bool>,
}

/// What to change about a room: what is left out stays as it is.
#[derive(ToSchema)]
pub(super) struct RoomChanges {
    /// What it is called; not empty.
    description: Option<String>,
    /// What clients need to manage it; not empty.
    secret: Option<String>,
    /// What clients need to join it; empty = nothing.
    pin: Option<String>,
    /// Left out of the list that clients get.
    is_private: Option<bool>,
    /// The folder of the recording of the mix.
    record_dir: Option<String>,
    /// The folder of the recordings of participants.
    mjrs_dir: Option<String>,
    /// Only admins sound.
    muted: Option<bool>,
    /// The change is there again when the server has been started again.
    #[schema(default = false)]
    permanent: Option<bool>,
}

/// A room. What it needs is not told, only whether it needs it.
#[derive(ToSchema)]
pub(super) struct Room {
    /// Its id.
    room: Id,
    /// What it is called.
    description: String,
    /// Managing it needs a secret.
    secret_required: bool,
    /// Joining it needs a pin.
    pin_required: bool,
    /// Joining it needs a token.
    token_required: bool,
    /// Left out of the list that clients get.
    is_private: bool,
    /// In Hz.
    sampling_rate: u32,
    /// Stereo.
    spatial_audio: bool,
    /// The audio levels that clients send are used.
    audiolevel_ext: bool,
    /// Everybody is told who starts and stops talking.
    audiolevel_event: bool,
    /// … decided over so many packets.
    audio_active_packets: u32,
    /// … whose mean level is at least this, in -dBov.
    audio_level_average: u8,
    /// In percent.
    default_expectedloss: u8,
    /// In bit/s; 0 = Opus decides.
    default_bitrate: u32,
    /// Noise is removed from participants that do not say so themselves.
    denoise: bool,
    /// The mix is recorded.
    record: bool,
    /// Each participant is recorded.
    mjrs: bool,
    /// Plain RTP participants may join.
    allow_rtp_participants: bool,
    /// Groups of participants.
    groups: Vec<String>,
    /// Joining needs a token that is signed for the room.
    signed_tokens: bool,
    /// So many sound at once; 0 = everybody who is heard.
    max_speakers: u32,
    /// In dBov.
    silence_threshold: i8,
    /// Clients may stop sending while they are silent.
    usedtx: bool,
    /// One encode for everybody who hears the same.
    shared_encoding: bool,
    /// Only admins sound.
    muted: bool,
    /// How many are in it.
    num_participants: u32,
}

/// A page of rooms.
#[derive(ToSchema)]
pub(super) struct Rooms {
    /// The rooms, in the order of their ids.
    rooms: Vec<Room>,
    /// The `after` of the next page; absent on the last one.
    next: Option<Id>,
}

/// Somebody in a room.
#[derive(ToSchema)]
pub(super) struct Participant {
    /// The room.
    room: Id,
    /// Its id there.
    id: Id,
    /// Its name.
    display: Option<String>,
    /// Its PeerConnection is up.
    setup: bool,
    /// It is muted.
    muted: bool,
    /// It talks; absent where that is not known.
    talking: Option<bool>,
    /// 0 left … 100 right; absent in mono rooms.
    spatial_position: Option<u8>,
    /// It neither sounds nor hears; absent while it does.
    suspended: Option<bool>,
    /// Its group, in rooms that have some.
    group: Option<String>,
}

/// A page of participants.
#[derive(ToSchema)]
pub(super) struct Participants {
    /// The participants, in the order of their ids.
    participants: Vec<Participant>,
    /// The `after` of the next page; absent on the last one.
    next: Option<Id>,
}

/// What to change about a participant.
#[derive(ToSchema)]
pub(super) struct ParticipantChanges {
    /// Its audio is discarded, or no longer.
    muted: bool,
}

/// Where a participant shall go.
#[derive(ToSchema)]
pub(super) struct Destination {
    /// The room to go to.
    room: Id,
    /// Its id there. Without it: that which it has, or one drawn if somebody there has that.
    id: Option<Id>,
    /// Its group there. Without it: that which it has.
    group: Option<String>,
}

/// How to drain.
#[derive(ToSchema)]
pub(super) struct DrainOrder {
    /// In seconds from now, when calls are cut. Without it: `drain.deadline` of the configuration, or that of the drain that has
    /// begun.
    deadline: Option<u64>,
}

/// Whether the server drains.
#[derive(ToSchema)]
pub(super) struct Drain {
    /// It does.
    draining: bool,
    /// Rooms with somebody in them.
    rooms: u64,
    /// Those in all rooms.
    participants: u64,
    /// For so many seconds; absent while it does not.
    elapsed: Option<u64>,
    /// It ends in so many seconds at the latest; absent while it does not.
    remaining: Option<u64>,
}

/// Why a request failed (RFC 9457).
#[derive(ToSchema)]
pub(super) struct Problem {
    /// What kind of problem it is: `urn:plenum:problem:` and a name that does not change.
    #[schema(example = "urn:plenum:problem:no-such-room")]
    r#type: String,
    /// The same in words.
    title: String,
    /// The status of the response.
    status: u16,
    /// What is wrong in this case.
    detail: Option<String>,
    /// The AudioBridge's error code, if it was the AudioBridge that refused.
    #[schema(example = 485)]
    error_code: Option<u16>,
}

/// What every operation may answer.
#[derive(IntoResponses)]
#[response(status = "default", description = "It failed.", content_type = "application/problem+json")]
pub(super) struct Failed(Problem);

/// What has come of reading the configuration again.
#[derive(ToSchema)]
pub(super) struct Reload {
    /// Keys whose new value is in effect.
    changed: Vec<Change>,
    /// Keys whose new value waits for a restart.
    restart: Vec<Change>,
}

/// A key of the configuration with two values, as TOML; of a secret only whether there is one.
#[derive(ToSchema)]
pub(super) struct Change {
    /// The key.
    key: String,
    /// What it was; null = it was not there.
    old: Option<String>,
    /// What it is; null = it is not there any more.
    new: Option<String>,
}
