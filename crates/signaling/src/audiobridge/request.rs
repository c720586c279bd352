//! Requests of the AudioBridge, parsed: a request that exists has fields of the right types. What depends on the state
//! of a room is checked where the room is known.

use serde_json::{Map, Value};

use super::error::Error;
use crate::core::config::{Limits, RoomConfig};
use crate::core::field::{Fields, Required};
use crate::core::ids::{HandleId, RoomId, UserId};
use crate::core::jsep::{Jsep, JsepKind};
use crate::core::same_secret;

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

impl Verb {
    /// The request of this name, written in any case.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "create" => Self::Now(VerbNow::Create),
            "edit" => Self::Now(VerbNow::Edit),
            "destroy" => Self::Now(VerbNow::Destroy),
            "exists" => Self::Now(VerbNow::Exists),
            "list" => Self::Now(VerbNow::List),
            "listparticipants" => Self::Now(VerbNow::ListParticipants),
            "allowed" => Self::Now(VerbNow::Allowed),
            "mute" => Self::Now(VerbNow::Mute),
            "unmute" => Self::Now(VerbNow::Unmute),
            "mute_room" => Self::Now(VerbNow::MuteRoom),
            "unmute_room" => Self::Now(VerbNow::UnmuteRoom),
            "kick" => Self::Now(VerbNow::Kick),
            "kick_all" => Self::Now(VerbNow::KickAll),
            "resetdecoder" => Self::Now(VerbNow::ResetDecoder),
            "join" => Self::Later(VerbLater::Join),
            "configure" => Self::Later(VerbLater::Configure),
            "changeroom" => Self::Later(VerbLater::ChangeRoom),
            "leave" => Self::Later(VerbLater::Leave),
            "hangup" => Self::Later(VerbLater::Hangup),
            _ => return None,
        })
    }
}

/// A request that a handle made and that an event will answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) handle: HandleId,
    pub(super) body: Body<'a>,
    pub(super) jsep: Option<&'a Jsep>,
}

impl Asked<'_> {
    /// What can be said against an SDP before anything is done.
    pub(super) fn check_jsep(&self) -> Result<(), Error> {
        match self.jsep {
            Some(jsep) if jsep.kind == JsepKind::Answer => Err(Error::unexpected_answer()),
            Some(jsep) if jsep.e2ee => Err(Error::media_encryption()),
            Some(_) | None => Ok(()),
        }
    }
}

/// The body of a request, read with the errors and limits of the plugin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body<'a> {
    fields: Fields<'a>,
    limits: Limits,
}

impl<'a> Body<'a> {
    pub(super) fn new(fields: &'a Map<String, Value>, limits: Limits) -> Self {
        Self { fields: Fields(fields), limits }
    }

    pub(super) fn boolean(self, name: &'static str) -> Result<Option<bool>, Error> {
        Ok(self.fields.boolean(name)?)
    }

    pub(super) fn natural(self, name: &'static str) -> Result<Option<u64>, Error> {
        Ok(self.fields.natural(name)?)
    }

    pub(super) fn string(self, name: &'static str) -> Result<Option<&'a str>, Error> {
        Ok(self.fields.string(name)?)
    }

    pub(super) fn required_string(self, name: &'static str) -> Result<&'a str, Error> {
        Ok(self.fields.string(name).required(name)?)
    }

    /// The room that is meant.
    pub(super) fn room(self) -> Result<RoomId, Error> {
        Ok(RoomId(self.fields.natural("room").required("room")?))
    }

    /// The participant that is meant.
    pub(super) fn user(self) -> Result<UserId, Error> {
        Ok(UserId(self.fields.natural("id").required("id")?))
    }

    /// Checks the secret that `expected` is, if there is one, in the field `name`.
    pub(super) fn check_secret(self, name: &'static str, expected: Option<&str>) -> Result<(), Error> {
        let Some(expected) = expected else { return Ok(()) };
        if same_secret(expected, self.required_string(name)?) { Ok(()) } else { Err(Error::wrong(name)) }
    }

    /// A string that will be kept.
    fn text(self, name: &'static str) -> Result<Option<&'a str>, Error> {
        let text = self.string(name)?;
        match text {
            Some(text) if text.len() > self.limits.text_bytes => Err(self.too_long(name)),
            Some(_) | None => Ok(text),
        }
    }

    fn too_long(self, name: &str) -> Error {
        Error::invalid(name, &format!("should have at most {} bytes", self.limits.text_bytes))
    }

    /// The strings of an array that was already found to be one.
    fn texts(self, name: &'static str, array: &[Value]) -> Result<Vec<String>, Error> {
        let mut texts = Vec::new();
        for value in array {
            let text = value.as_str().ok_or_else(|| Error::not_a_string_in(name))?;
            if text.len() > self.limits.text_bytes {
                return Err(self.too_long(name));
            }
            texts.push(text.to_owned());
        }
        Ok(texts)
    }

    /// Checks the types of fields that have no effect yet.
    fn check_booleans(self, names: &[&'static str]) -> Result<(), Error> {
        names.iter().try_for_each(|name| self.boolean(name).map(drop))
    }

    fn check_strings(self, names: &[&'static str]) -> Result<(), Error> {
        names.iter().try_for_each(|name| self.string(name).map(drop))
    }
}

/// `create`.
#[derive(Debug)]
pub(super) struct CreateRequest {
    /// The sampling rate in it is any number still.
    pub(super) config: RoomConfig,
    pub(super) sampling_rate: u64,
    pub(super) permanent: bool,
}

const GROUPS: usize = 5;

impl CreateRequest {
    pub(super) fn parse(body: Body<'_>, admin_key: Option<&str>) -> Result<Self, Error> {
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
        body.check_booleans(&["denoise", "record"])?;
        body.check_strings(&["record_file", "record_dir"])?;
        body.check_booleans(&["mjrs"])?;
        body.check_strings(&["mjrs_dir"])?;
        let allow_rtp = body.boolean("allow_rtp_participants")?;
        let groups = body.fields.array("groups")?;
        body.check_booleans(&["signed_tokens"])?;
        let permanent = body.boolean("permanent")?.unwrap_or(false);
        body.check_strings(&["admin_key"])?;
        let max_speakers = body.natural("max_speakers")?.unwrap_or_default();
        let silence_threshold = body.fields.integer("silence_threshold")?;
        let usedtx = body.boolean("usedtx")?.unwrap_or(default.usedtx);
        let shared_encoding = body.boolean("shared_encoding")?.unwrap_or(default.shared_encoding);
        let id = body.natural("room")?.unwrap_or_default();
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
            allow_rtp_participants: allow_rtp.unwrap_or(default.allow_rtp_participants),
            groups,
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
        if array.len() > self.limits.allowed_tokens {
            return Err(Error::too_many_tokens(self.limits.allowed_tokens));
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
pub(super) struct EditRequest {
    pub(super) room: RoomId,
    pub(super) description: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) pin: Option<String>,
    pub(super) is_private: Option<bool>,
    pub(super) permanent: bool,
}

impl EditRequest {
    pub(super) fn parse(body: Body<'_>) -> Result<Self, Error> {
        body.check_strings(&["secret"])?;
        let description = body.text("new_description")?.filter(|text| !text.is_empty());
        let secret = body.text("new_secret")?.filter(|text| !text.is_empty());
        let pin = body.text("new_pin")?;
        let is_private = body.boolean("new_is_private")?;
        body.check_strings(&["new_record_dir", "new_mjrs_dir"])?;
        let permanent = body.boolean("permanent")?.unwrap_or(false);
        Ok(Self {
            room: body.room()?,
            description: description.map(str::to_owned),
            secret: secret.map(str::to_owned),
            pin: pin.map(str::to_owned),
            is_private,
            permanent,
        })
    }
}

/// `allowed`.
#[derive(Debug)]
pub(super) struct AllowedRequest<'a> {
    pub(super) room: RoomId,
    pub(super) action: AllowedAction,
    body: Body<'a>,
    tokens: &'a [Value],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AllowedAction {
    Enable,
    Disable,
    Add,
    Remove,
}

impl<'a> AllowedRequest<'a> {
    pub(super) fn parse(body: Body<'a>) -> Result<Self, Error> {
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
    pub(super) fn tokens(&self) -> Result<Vec<String>, Error> {
        self.body.tokens(self.tokens)
    }
}

/// Who is meant by a request about one participant.
#[derive(Clone, Copy, Debug)]
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

/// What `join`, `changeroom` and `configure` say of the participant, by types alone.
#[derive(Debug)]
pub(super) struct Wishes {
    pub(super) display: Option<String>,
    pub(super) group: Option<String>,
    pub(super) muted: Option<bool>,
    pub(super) volume: Option<u64>,
    pub(super) bitrate: Option<u64>,
    pub(super) spatial_position: Option<u64>,
    quality: Option<u64>,
    expected_loss: Option<u64>,
    pub(super) plain_rtp: bool,
    pub(super) generate_offer: bool,
    /// `denoise` was there, whatever it said.
    pub(super) denoise: bool,
}

impl Wishes {
    pub(super) fn parse(body: Body<'_>) -> Result<Self, Error> {
        let display = body.text("display")?.map(str::to_owned);
        let group = body.text("group")?.map(str::to_owned);
        let muted = body.boolean("muted")?;
        let bitrate = body.natural("bitrate")?;
        let quality = body.natural("quality")?;
        let expected_loss = body.natural("expected_loss")?;
        let volume = body.natural("volume")?;
        let spatial_position = body.natural("spatial_position")?;
        let denoise = body.boolean("denoise")?.is_some();
        body.check_booleans(&["record"])?;
        body.check_strings(&["filename"])?;
        let generate_offer = body.boolean("generate_offer")?.unwrap_or(false);
        body.check_booleans(&["update"])?;
        let plain_rtp = body.fields.object("rtp")?.is_some();
        Ok(Self {
            display,
            group,
            muted,
            volume,
            bitrate,
            spatial_position,
            quality,
            expected_loss,
            plain_rtp,
            generate_offer,
            denoise,
        })
    }

    /// Opus complexity.
    pub(super) fn quality(&self) -> Result<Option<u8>, Error> {
        in_range(self.quality, "quality", 1, 10)
    }

    /// In percent.
    pub(super) fn expected_loss(&self) -> Result<Option<u8>, Error> {
        in_range(self.expected_loss, "expected_loss", 0, 20)
    }
}

fn in_range(value: Option<u64>, name: &str, least: u8, most: u8) -> Result<Option<u8>, Error> {
    let Some(value) = value else { return Ok(None) };
    let fits = u8::try_from(value).ok().filter(|value| (least..=most).contains(value));
    let rule = || format!("should be a positive integer between {least} and {most}");
    fits.map(Some).ok_or_else(|| Error::invalid(name, &rule()))
}

/// `join` and `changeroom`.
#[derive(Debug)]
pub(super) struct EntryRequest<'a> {
    pub(super) room: RoomId,
    pub(super) wishes: Wishes,
    pub(super) suspended: bool,
    pub(super) pause_events: bool,
    /// Whether a `secret` came along, which is a wish to be admin.
    pub(super) wants_admin: bool,
    pub(super) token: Option<&'a str>,
    codec: Option<&'a str>,
}

/// What a participant can speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Opus,
    G711,
}

impl<'a> EntryRequest<'a> {
    pub(super) fn parse(body: Body<'a>) -> Result<Self, Error> {
        let token = body.string("token")?;
        body.check_strings(&["pin"])?;
        let suspended = body.boolean("suspended")?.unwrap_or(false);
        let pause_events = body.boolean("pause_events")?.unwrap_or(false);
        let codec = body.string("codec")?;
        body.natural("audio_level_average")?;
        body.natural("audio_active_packets")?;
        let wants_admin = body.string("secret")?.is_some();
        let wishes = Wishes::parse(body)?;
        let room = body.room()?;
        Ok(Self { room, wishes, suspended, pause_events: pause_events && suspended, wants_admin, token, codec })
    }

    pub(super) fn codec(&self) -> Result<Codec, Error> {
        match self.codec.map(str::to_ascii_lowercase).as_deref() {
            None | Some("opus") => Ok(Codec::Opus),
            Some("pcmu" | "pcma") => Ok(Codec::G711),
            Some(_) => Err(Error::invalid("codec", "must opus, pcmu or pcma")),
        }
    }
}

/// The id a participant wishes for; `None` = whichever.
pub(super) fn wished_user(body: Body<'_>) -> Result<Option<UserId>, Error> {
    Ok(body.natural("id")?.filter(|id| *id != 0).map(UserId))
}

/// The same where the type of the field is not looked at.
pub(super) fn wished_user_untyped(body: Body<'_>) -> Option<UserId> {
    wished_user(body).ok().flatten()
}
