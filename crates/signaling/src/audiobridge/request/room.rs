//! Requests about rooms, parsed.

use serde_json::Value;

use super::Body;
use crate::audiobridge::error::Error;
use crate::core::config::{Recording, RoomConfig};
use crate::core::ids::RoomId;

/// `create`.
#[derive(Debug)]
pub(in crate::audiobridge) struct CreateRequest {
    /// The sampling rate in it is any number still.
    pub(in crate::audiobridge) config: RoomConfig,
    pub(in crate::audiobridge) sampling_rate: u64,
    pub(in crate::audiobridge) permanent: bool,
}

const GROUPS: usize = 5;

impl CreateRequest {
    pub(in crate::audiobridge) fn parse(body: Body<'_>, admin_key: Option<&str>) -> Result<Self, Error> {
        let default = RoomConfig::default();
        let description = body.text("description")?.unwrap_or_default().to_owned();
        let secret = body.text("secret")?.map(str::to_owned);
        let pin = body.text("pin")?.map(str::to_owned);
        let is_private = body.boolean("is_private")?.unwrap_or(default.is_private);
        let allowed = body.fields.array("allowed")?;
        let rate = body.natural("sampling_rate")?;
        let rate = rate.or(body.natural("sampling")?);
        let spatial_audio = body.boolean("spatial_audio")?.unwrap_or(default.spatial_audio);
        let audiolevel_ext = body.boolean("audiolevel_ext")?.unwrap_or(default.audiolevel_ext);
        let audiolevel_event = body.boolean("audiolevel_event")?.unwrap_or(default.audiolevel_event);
        let active_packets = body.natural("audio_active_packets")?.unwrap_or_default();
        let average_level = body.natural("audio_level_average")?.unwrap_or_default();
        let expected_loss = body.natural("default_expectedloss")?.unwrap_or_default();
        let bitrate = body.natural("default_bitrate")?.unwrap_or_default();
        let denoise = body.boolean("denoise")?.unwrap_or(default.denoise);
        let recording = Recording {
            record: body.boolean("record")?.unwrap_or(false),
            record_file: body.text("record_file")?.map(str::to_owned),
            record_dir: body.text("record_dir")?.map(str::to_owned),
            mjrs: body.boolean("mjrs")?.unwrap_or(false),
            mjrs_dir: body.text("mjrs_dir")?.map(str::to_owned),
        };
        let allow_rtp = body.boolean("allow_rtp_participants")?;
        let groups = body.fields.array("groups")?;
        let signed_tokens = body.boolean("signed_tokens")?.unwrap_or(default.signed_tokens);
        let permanent = body.boolean("permanent")?.unwrap_or(false);
        body.check_strings(&["admin_key"])?;
        let max_speakers = body.natural("max_speakers")?.unwrap_or_default();
        let silence_threshold = body.fields.integer("silence_threshold")?;
        let usedtx = body.boolean("usedtx")?.unwrap_or(default.usedtx);
        let shared_encoding = body.boolean("shared_encoding")?.unwrap_or(default.shared_encoding);
        let id = body.wished_id("room")?.map(RoomId);
        body.check_secret("admin_key", admin_key)?;
        let allowed = allowed.map(|allowed| body.tokens(allowed)).transpose()?;
        let groups = groups.map(|groups| body.groups(groups)).transpose()?.unwrap_or_default();
        let silence_threshold = match silence_threshold {
            None => default.silence_threshold,
            Some(level) => i8::try_from(level)
                .ok()
                .filter(|level| (-127..=0).contains(level))
                .ok_or_else(|| Error::invalid("silence_threshold", "should be an integer between -127 and 0"))?,
        };
        let config = RoomConfig {
            id,
            description,
            secret,
            pin,
            is_private,
            allowed,
            sampling_rate: default.sampling_rate,
            spatial_audio,
            audiolevel_ext,
            audiolevel_event,
            audio_active_packets: u32::try_from(active_packets).unwrap_or(u32::MAX),
            audio_level_average: u8::try_from(average_level).unwrap_or(u8::MAX),
            default_expectedloss: u8::try_from(expected_loss).unwrap_or(u8::MAX),
            default_bitrate: u32::try_from(bitrate).unwrap_or(u32::MAX),
            denoise,
            recording,
            allow_rtp_participants: allow_rtp.unwrap_or(default.allow_rtp_participants),
            groups,
            signed_tokens,
            max_speakers: usize::try_from(max_speakers).unwrap_or(usize::MAX),
            silence_threshold,
            usedtx,
            shared_encoding,
        };
        let sampling_rate = rate.unwrap_or(default.sampling_rate.into());
        Ok(Self { config, sampling_rate, permanent })
    }
}

impl Body<'_> {
    fn tokens(self, array: &[Value]) -> Result<Vec<String>, Error> {
        if array.len() > self.dialect.limits.allowed_tokens {
            return Err(Error::too_many_tokens(self.dialect.limits.allowed_tokens));
        }
        self.texts("allowed", array)
    }

    fn groups(self, array: &[Value]) -> Result<Vec<String>, Error> {
        if array.len() > GROUPS {
            return Err(Error::too_many_groups(GROUPS));
        }
        let mut groups: Vec<String> = Vec::new();
        for group in self.texts("groups", array)? {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        Ok(groups)
    }
}

/// `edit`.
#[derive(Debug)]
pub(in crate::audiobridge) struct EditRequest {
    pub(in crate::audiobridge) room: RoomId,
    pub(in crate::audiobridge) description: Option<String>,
    pub(in crate::audiobridge) secret: Option<String>,
    pub(in crate::audiobridge) pin: Option<String>,
    pub(in crate::audiobridge) is_private: Option<bool>,
    pub(in crate::audiobridge) record_dir: Option<String>,
    pub(in crate::audiobridge) mjrs_dir: Option<String>,
    pub(in crate::audiobridge) permanent: bool,
}

impl EditRequest {
    pub(in crate::audiobridge) fn parse(body: Body<'_>) -> Result<Self, Error> {
        body.check_strings(&["secret"])?;
        let description = body.text("new_description")?.filter(|text| !text.is_empty());
        let secret = body.text("new_secret")?.filter(|text| !text.is_empty());
        let pin = body.text("new_pin")?;
        let is_private = body.boolean("new_is_private")?;
        let record_dir = body.text("new_record_dir")?;
        let mjrs_dir = body.text("new_mjrs_dir")?;
        let permanent = body.boolean("permanent")?.unwrap_or(false);
        Ok(Self {
            room: body.room()?,
            description: description.map(str::to_owned),
            secret: secret.map(str::to_owned),
            pin: pin.map(str::to_owned),
            is_private,
            record_dir: record_dir.map(str::to_owned),
            mjrs_dir: mjrs_dir.map(str::to_owned),
            permanent,
        })
    }
}

/// `allowed`.
#[derive(Debug)]
pub(in crate::audiobridge) struct AllowedRequest<'a> {
    pub(in crate::audiobridge) room: RoomId,
    pub(in crate::audiobridge) action: AllowedAction,
    body: Body<'a>,
    tokens: &'a [Value],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audiobridge) enum AllowedAction {
    Enable,
    Disable,
    Add,
    Remove,
}

impl<'a> AllowedRequest<'a> {
    pub(in crate::audiobridge) fn parse(body: Body<'a>) -> Result<Self, Error> {
        body.check_strings(&["secret"])?;
        let action = body.required_string("action")?;
        let tokens = body.fields.array("allowed")?.unwrap_or_default();
        let room = body.room()?;
        let action = match action.to_ascii_lowercase().as_str() {
            "enable" => AllowedAction::Enable,
            "disable" => AllowedAction::Disable,
            "add" => AllowedAction::Add,
            "remove" => AllowedAction::Remove,
            _ => return Err(Error::unsupported_action(action)),
        };
        Ok(Self { room, action, body, tokens })
    }

    /// The tokens to add or remove, which are looked at after the room and its secret.
    pub(in crate::audiobridge) fn tokens(&self) -> Result<Vec<String>, Error> {
        self.body.tokens(self.tokens)
    }
}
