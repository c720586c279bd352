//! A room as the API sees it: its properties and who is in it. Knows no mixing: how it shall sound is in its settings.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::config::{Recording, RoomConfig, SAMPLING_RATES};
use crate::core::ids::{HandleId, RoomId, RoomKey, UserId};
use crate::core::media::{AnswerTraits, MixTraits, RoomSettings, TalkDetection};

/// A room. An empty one is nothing but this.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) id: RoomId,
    pub(super) key: RoomKey,
    pub(super) description: Box<str>,
    pub(super) secret: Option<Box<str>>,
    pub(super) pin: Option<Box<str>>,
    pub(super) is_private: bool,
    /// Whether joining needs one of the tokens.
    pub(super) checks_tokens: bool,
    pub(super) tokens: BTreeSet<Box<str>>,
    pub(super) groups: Box<[String]>,
    /// In bit/s; `None` = the codec decides.
    pub(super) bitrate: Option<u32>,
    /// In percent.
    pub(super) expected_loss: u8,
    pub(super) denoise: bool,
    pub(super) recording: Recording,
    pub(super) allows_plain_rtp: bool,
    /// Whether joining needs a token that is signed for this room.
    pub(super) signed_tokens: bool,
    pub(super) settings: RoomSettings,
    pub(super) participants: BTreeMap<UserId, HandleId>,
    pub(super) usedtx: bool,
    /// It is in the configuration.
    pub(super) from_start: bool,
}

/// Who in a room hears of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hearing {
    All,
    /// All who do not have their events paused.
    Unpaused,
}

/// When to count as talking, as a room or a participant wishes it; 0 = no wish.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TalkWish {
    /// Over how many packets.
    pub(super) packets: u32,
    /// Below which average level, in -dBov.
    pub(super) level: u8,
}

const DEFAULT_TALK_DETECTION: TalkDetection = TalkDetection { active_packets: 100, average_level: 25 };

impl TalkWish {
    /// What is done where nothing is wished for is `otherwise`.
    fn detection(self, otherwise: TalkDetection) -> TalkDetection {
        TalkDetection {
            active_packets: if self.packets == 0 { otherwise.active_packets } else { self.packets },
            average_level: if self.level == 0 { otherwise.average_level } else { self.level.min(127) },
        }
    }
}

/// Opus takes 500 to 512000 bit/s (RFC 6716 section 2.1.1 and libopus); what is outside means: let the codec decide.
pub(super) fn opus_bitrate(bitrate: u64) -> Option<u32> {
    u32::try_from(bitrate).ok().filter(|bitrate| (500..=512_000).contains(bitrate))
}

/// More loss than this is taken for a mistake.
const MAX_EXPECTED_LOSS: u8 = 20;

impl Room {
    /// A room as configured; `None` if it cannot sound at its rate.
    pub(super) fn open(id: RoomId, key: RoomKey, config: RoomConfig) -> Option<Self> {
        if !SAMPLING_RATES.contains(&config.sampling_rate) {
            return None;
        }
        let talk_detection = (config.audiolevel_ext && config.audiolevel_event).then(|| {
            let wish = TalkWish { packets: config.audio_active_packets, level: config.audio_level_average };
            wish.detection(DEFAULT_TALK_DETECTION)
        });
        let description = match config.description {
            empty if empty.is_empty() => format!("Room {id}"),
            description => description,
        };
        Some(Self {
            id,
            key,
            description: description.into(),
            secret: config.secret.map(String::into_boxed_str),
            pin: config.pin.map(String::into_boxed_str),
            is_private: config.is_private,
            checks_tokens: config.allowed.is_some(),
            tokens: config.allowed.unwrap_or_default().into_iter().map(String::into_boxed_str).collect(),
            groups: config.groups.into(),
            bitrate: opus_bitrate(config.default_bitrate.into()),
            expected_loss: Some(config.default_expectedloss)
                .filter(|loss| *loss <= MAX_EXPECTED_LOSS)
                .unwrap_or_default(),
            denoise: config.denoise,
            recording: config.recording,
            allows_plain_rtp: config.allow_rtp_participants,
            signed_tokens: config.signed_tokens,
            settings: RoomSettings {
                sampling_rate: config.sampling_rate,
                stereo: config.spatial_audio,
                muted: false,
                trust_levels: config.audiolevel_ext,
                talk_detection,
                max_speakers: config.max_speakers,
                silence_threshold: config.silence_threshold,
                shared_encoding: config.shared_encoding,
            },
            participants: BTreeMap::new(),
            usedtx: config.usedtx,
            from_start: false,
        })
    }

    /// What makes the same room again, empty: every property as it is now.
    pub(super) fn config(&self) -> RoomConfig {
        let default = RoomConfig::default();
        let RoomSettings {
            sampling_rate,
            stereo,
            muted: _,
            trust_levels,
            talk_detection,
            max_speakers,
            silence_threshold,
            shared_encoding,
        } = self.settings;
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        RoomConfig {
            id: Some(self.id.clone()),
            description: self.description.clone().into(),
            secret: text(&self.secret),
            pin: text(&self.pin),
            is_private: self.is_private,
            allowed: self.checks_tokens.then(|| self.tokens.iter().map(|token| token.clone().into()).collect()),
            sampling_rate,
            spatial_audio: stereo,
            audiolevel_ext: trust_levels,
            audiolevel_event: talk_detection.is_some(),
            audio_active_packets: talk_detection
                .map_or(default.audio_active_packets, |detection| detection.active_packets),
            audio_level_average: talk_detection
                .map_or(default.audio_level_average, |detection| detection.average_level),
            default_expectedloss: self.expected_loss,
            default_bitrate: self.bitrate.unwrap_or_default(),
            denoise: self.denoise,
            recording: self.recording.clone(),
            allow_rtp_participants: self.allows_plain_rtp,
            groups: self.groups.to_vec(),
            signed_tokens: self.signed_tokens,
            max_speakers,
            silence_threshold,
            usedtx: self.usedtx,
            shared_encoding,
        }
    }

    /// When somebody who wishes this counts as talking, if that is another time than for others.
    pub(super) fn talk_detection(&self, wish: TalkWish) -> Option<TalkDetection> {
        let ours = self.settings.talk_detection?;
        Some(wish.detection(ours)).filter(|theirs| *theirs != ours)
    }

    /// What an answer to somebody in this room says.
    pub(super) fn answer_traits(&self) -> AnswerTraits {
        // A line end in an id that is a text would begin a line of its own in the SDP.
        let id = self.id.to_string().replace(char::is_control, "");
        AnswerTraits::Mix(MixTraits {
            session_name: format!("AudioBridge {id}"),
            max_playback_rate: self.settings.sampling_rate,
            stereo: self.settings.stereo,
            dtx: self.usedtx,
        })
    }
}
