//! A static room: `[[rooms]]` with every property of the AudioBridge's `create` request.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use signaling::{Id, Recording, RoomConfig, SAMPLING_RATES};

use super::{ConfigError, Secret};

/// `[[rooms]]`: names and meanings are those of `create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Room {
    /// The room's id; 0 = the server picks one.
    pub room: RoomId,
    /// Empty = `Room <id>`.
    pub description: String,
    /// Needed to manage the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// Needed to join.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<Secret>,
    /// Left out of `list`.
    pub is_private: bool,
    /// Tokens of which a joiner must have one; none = no token check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<Secret>>,
    /// Hz: 8000, 12000, 16000, 24000 or 48000.
    #[serde(alias = "sampling")]
    pub sampling_rate: u32,
    /// Stereo, each participant at its `spatial_position`.
    pub spatial_audio: bool,
    /// Use the audio levels that clients send (RFC 6464).
    pub audiolevel_ext: bool,
    /// Tell everybody who starts and stops talking.
    pub audiolevel_event: bool,
    /// Packets over which that is decided.
    pub audio_active_packets: u32,
    /// Mean level, in -dBov, that counts as talking.
    pub audio_level_average: u8,
    /// Percent, 0..=20.
    pub default_expectedloss: u8,
    /// Bits per second, 500..=512000; 0 = Opus decides.
    pub default_bitrate: u32,
    /// At most five names.
    pub groups: Vec<String>,
    /// Record the mix. Not in this version: must be false.
    pub record: bool,
    /// The file of that; none = a name is made up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_file: Option<String>,
    /// Its folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_dir: Option<String>,
    /// Record every participant. Not in this version: must be false.
    pub mjrs: bool,
    /// The folder of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mjrs_dir: Option<String>,
    /// Remove noise. Not in this version: must be false.
    pub denoise: bool,
    /// Participants over plain RTP. Not in this version: must be false.
    pub allow_rtp_participants: bool,
    /// Joining needs a token that is signed for the room; only with `signaling.token_auth_secret`.
    pub signed_tokens: bool,
    /// Mix the loudest so many; 0 = everybody.
    pub max_speakers: usize,
    /// dBov, -127..=0: what is softer is not mixed.
    pub silence_threshold: i8,
    /// Let clients stop sending while they are silent (DTX).
    pub usedtx: bool,
    /// One encode for everybody who hears the same.
    pub shared_encoding: bool,
}

/// The id of a room. Where ids are texts, a number is that text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, or a text with signaling.string_ids")]
pub enum RoomId {
    /// `1234`
    Number(u64),
    /// `"town hall"`
    Text(String),
}

impl RoomId {
    /// Whether the choice is left to the server.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Number(number) => *number == 0,
            Self::Text(text) => text.is_empty(),
        }
    }

    /// The same for signaling; `None` when the choice is left to it.
    pub(crate) fn for_signaling(&self, string_ids: bool) -> Option<signaling::RoomId> {
        (!self.is_blank()).then(|| match self {
            Self::Number(number) if !string_ids => signaling::RoomId(Id::Number(*number)),
            Self::Number(number) => signaling::RoomId(Id::Text(number.to_string().into())),
            Self::Text(text) => signaling::RoomId(Id::Text(text.as_str().into())),
        })
    }

    /// The same as the configuration has it.
    pub(crate) fn of_signaling(signaling::RoomId(id): &signaling::RoomId) -> Self {
        match id {
            Id::Number(number) => Self::Number(*number),
            Id::Text(text) => Self::Text(text.to_string()),
        }
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Text(text) => text.fmt(formatter),
        }
    }
}

impl Default for Room {
    fn default() -> Self {
        Self {
            room: RoomId::Number(0),
            description: String::new(),
            secret: None,
            pin: None,
            is_private: false,
            allowed: None,
            sampling_rate: 16000,
            spatial_audio: false,
            audiolevel_ext: true,
            audiolevel_event: false,
            audio_active_packets: 100,
            audio_level_average: 25,
            default_expectedloss: 0,
            default_bitrate: 0,
            groups: Vec::new(),
            record: false,
            record_file: None,
            record_dir: None,
            mjrs: false,
            mjrs_dir: None,
            denoise: false,
            allow_rtp_participants: false,
            signed_tokens: false,
            max_speakers: 0,
            silence_threshold: -60,
            usedtx: true,
            shared_encoding: true,
        }
    }
}

impl Room {
    /// The room that a server without `[[rooms]]` starts with. It shows who talks within 200 ms, for the page.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            room: RoomId::Number(1234),
            description: "Demo Room".to_owned(),
            sampling_rate: 48000,
            audiolevel_event: true,
            audio_active_packets: 10,
            audio_level_average: 45,
            ..Self::default()
        }
    }

    /// The same for signaling.
    pub(crate) fn for_signaling(self, string_ids: bool) -> RoomConfig {
        RoomConfig {
            id: self.room.for_signaling(string_ids),
            description: self.description,
            secret: self.secret.map(Secret::into_text),
            pin: self.pin.map(Secret::into_text),
            is_private: self.is_private,
            allowed: self.allowed.map(|tokens| tokens.into_iter().map(Secret::into_text).collect()),
            sampling_rate: self.sampling_rate,
            spatial_audio: self.spatial_audio,
            audiolevel_ext: self.audiolevel_ext,
            audiolevel_event: self.audiolevel_event,
            audio_active_packets: self.audio_active_packets,
            audio_level_average: self.audio_level_average,
            default_expectedloss: self.default_expectedloss,
            default_bitrate: self.default_bitrate,
            denoise: self.denoise,
            recording: Recording {
                record: self.record,
                record_file: self.record_file,
                record_dir: self.record_dir,
                mjrs: self.mjrs,
                mjrs_dir: self.mjrs_dir,
            },
            allow_rtp_participants: self.allow_rtp_participants,
            groups: self.groups,
            signed_tokens: self.signed_tokens,
            max_speakers: self.max_speakers,
            silence_threshold: self.silence_threshold,
            usedtx: self.usedtx,
            shared_encoding: self.shared_encoding,
        }
    }

    /// The same as the configuration has it.
    pub(crate) fn of_signaling(config: RoomConfig) -> Self {
        let RoomConfig {
            id,
            description,
            secret,
            pin,
            is_private,
            allowed,
            sampling_rate,
            spatial_audio,
            audiolevel_ext,
            audiolevel_event,
            audio_active_packets,
            audio_level_average,
            default_expectedloss,
            default_bitrate,
            denoise,
            recording: Recording { record, record_file, record_dir, mjrs, mjrs_dir },
            allow_rtp_participants,
            groups,
            signed_tokens,
            max_speakers,
            silence_threshold,
            usedtx,
            shared_encoding,
        } = config;
        Self {
            room: id.map_or(RoomId::Number(0), |id| RoomId::of_signaling(&id)),
            description,
            secret: secret.map(Secret::from),
            pin: pin.map(Secret::from),
            is_private,
            allowed: allowed.map(|tokens| tokens.into_iter().map(Secret::from).collect()),
            sampling_rate,
            spatial_audio,
            audiolevel_ext,
            audiolevel_event,
            audio_active_packets,
            audio_level_average,
            default_expectedloss,
            default_bitrate,
            groups,
            record,
            record_file,
            record_dir,
            mjrs,
            mjrs_dir,
            denoise,
            allow_rtp_participants,
            signed_tokens,
            max_speakers,
            silence_threshold,
            usedtx,
            shared_encoding,
        }
    }

    /// Checks that all of these, the `[[rooms]]` of `file`, can be rooms at once.
    pub(crate) fn check(rooms: &[Self], string_ids: bool, file: Option<&Path>) -> Result<(), ConfigError> {
        let mut ids = BTreeSet::new();
        for (index, room) in rooms.iter().enumerate() {
            let wrong = |key: &str, right: &str| Err(ConfigError::value(file, &format!("rooms.{index}.{key}"), right));
            if let Some((key, right)) = room.problem(string_ids) {
                return wrong(key, right);
            }
            if !room.room.is_blank() && !ids.insert(room.room.to_string()) {
                return wrong("room", "one that no other room has");
            }
        }
        Ok(())
    }

    /// The first property that cannot be used, and what it must be.
    pub(crate) fn problem(&self, string_ids: bool) -> Option<(&'static str, &'static str)> {
        if matches!(self.room, RoomId::Number(number) if number > (1 << 53) - 1) {
            Some(("room", "below 2^53, so that JavaScript can hold it"))
        } else if matches!(self.room, RoomId::Text(_)) && !string_ids {
            Some(("room", "a number, as signaling.string_ids is false"))
        } else if !SAMPLING_RATES.contains(&self.sampling_rate) {
            Some(("sampling_rate", "8000, 12000, 16000, 24000 or 48000"))
        } else if self.audio_level_average > 127 {
            Some(("audio_level_average", "0 to 127"))
        } else if self.default_expectedloss > 20 {
            Some(("default_expectedloss", "0 to 20"))
        } else if self.default_bitrate != 0 && !(500..=512_000).contains(&self.default_bitrate) {
            Some(("default_bitrate", "0 (automatic) or 500 to 512000"))
        } else if self.silence_threshold > 0 || self.silence_threshold < -127 {
            Some(("silence_threshold", "-127 to 0"))
        } else if self.groups.len() > 5 {
            Some(("groups", "at most five names"))
        } else {
            None
        }
    }

    /// The first property that this version does not have.
    pub(super) fn unsupported(&self) -> Option<&'static str> {
        let later = [
            ("record", self.record),
            ("mjrs", self.mjrs),
            ("denoise", self.denoise),
            ("allow_rtp_participants", self.allow_rtp_participants),
        ];
        later.into_iter().find(|(_, on)| *on).map(|(key, _)| key)
    }
}
