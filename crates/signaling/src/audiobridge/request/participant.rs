//! Requests of participants about themselves, parsed.

use super::Body;
use crate::audiobridge::error::Error;
use crate::audiobridge::room::TalkWish;
use crate::core::ids::{RoomId, UserId};

/// What `join`, `changeroom` and `configure` say of the participant, by types alone.
#[derive(Debug)]
pub(in crate::audiobridge) struct Wishes {
    pub(in crate::audiobridge) display: Option<String>,
    pub(in crate::audiobridge) group: Option<String>,
    pub(in crate::audiobridge) muted: Option<bool>,
    pub(in crate::audiobridge) volume: Option<u64>,
    pub(in crate::audiobridge) bitrate: Option<u64>,
    pub(in crate::audiobridge) spatial_position: Option<u64>,
    quality: Option<u64>,
    expected_loss: Option<u64>,
    pub(in crate::audiobridge) plain_rtp: bool,
    pub(in crate::audiobridge) generate_offer: bool,
    pub(in crate::audiobridge) update: bool,
    pub(in crate::audiobridge) denoise: Option<bool>,
}

impl Wishes {
    /// Those of `configure`.
    pub(in crate::audiobridge) fn parse(body: Body<'_>) -> Result<Self, Error> {
        let muted = body.boolean("muted")?;
        let display = body.text("display")?.map(str::to_owned);
        let bitrate = body.natural("bitrate")?;
        let quality = body.natural("quality")?;
        let expected_loss = body.natural("expected_loss")?;
        let volume = body.natural("volume")?;
        let spatial_position = body.natural("spatial_position")?;
        let denoise = body.boolean("denoise")?;
        body.check_booleans(&["record"])?;
        body.check_strings(&["filename"])?;
        let group = body.text("group")?.map(str::to_owned);
        let generate_offer = body.boolean("generate_offer")?.unwrap_or(false);
        let update = body.boolean("update")?.unwrap_or(false);
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
            update,
            denoise,
        })
    }

    /// Opus complexity.
    pub(in crate::audiobridge) fn quality(&self) -> Result<Option<u8>, Error> {
        in_range(self.quality, "quality", 1, 10)
    }

    /// In percent.
    pub(in crate::audiobridge) fn expected_loss(&self) -> Result<Option<u8>, Error> {
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
pub(in crate::audiobridge) struct EntryRequest<'a> {
    pub(in crate::audiobridge) room: RoomId,
    pub(in crate::audiobridge) wishes: Wishes,
    pub(in crate::audiobridge) suspended: bool,
    pub(in crate::audiobridge) pause_events: bool,
    pub(in crate::audiobridge) talk_wish: TalkWish,
    /// Whether a `secret` came along, which is a wish to be admin.
    pub(in crate::audiobridge) wants_admin: bool,
    pub(in crate::audiobridge) token: Option<&'a str>,
    codec: Option<&'a str>,
}

/// What a participant can speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audiobridge) enum Codec {
    Opus,
    G711,
}

impl<'a> EntryRequest<'a> {
    pub(in crate::audiobridge) fn parse(body: Body<'a>) -> Result<Self, Error> {
        let display = body.text("display")?.map(str::to_owned);
        let token = body.string("token")?;
        body.check_strings(&["pin"])?;
        let group = body.text("group")?.map(str::to_owned);
        let muted = body.boolean("muted")?;
        let suspended = body.boolean("suspended")?.unwrap_or(false);
        let pause_events = body.boolean("pause_events")?.unwrap_or(false);
        let codec = body.string("codec")?;
        let bitrate = body.natural("bitrate")?;
        let quality = body.natural("quality")?;
        let expected_loss = body.natural("expected_loss")?;
        let volume = body.natural("volume")?;
        let spatial_position = body.natural("spatial_position")?;
        let average_level = body.natural("audio_level_average")?.unwrap_or_default();
        let active_packets = body.natural("audio_active_packets")?.unwrap_or_default();
        let denoise = body.boolean("denoise")?;
        body.check_booleans(&["record"])?;
        body.check_strings(&["filename"])?;
        let generate_offer = body.boolean("generate_offer")?.unwrap_or(false);
        let plain_rtp = body.fields.object("rtp")?.is_some();
        let wants_admin = body.string("secret")?.is_some();
        let room = body.room()?;
        let talk_wish = TalkWish {
            packets: u32::try_from(active_packets).unwrap_or(u32::MAX),
            level: u8::try_from(average_level).unwrap_or(u8::MAX),
        };
        let wishes = Wishes {
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
            update: false,
            denoise,
        };
        Ok(Self {
            room,
            wishes,
            suspended,
            pause_events: pause_events && suspended,
            talk_wish,
            wants_admin,
            token,
            codec,
        })
    }

    pub(in crate::audiobridge) fn codec(&self) -> Result<Codec, Error> {
        match self.codec.map(str::to_ascii_lowercase).as_deref() {
            None | Some("opus") => Ok(Codec::Opus),
            Some("pcmu" | "pcma") => Ok(Codec::G711),
            Some(_) => Err(Error::invalid("codec", "must opus, pcmu or pcma")),
        }
    }
}

/// The id a participant wishes for; `None` = whichever.
pub(in crate::audiobridge) fn wished_user(body: Body<'_>) -> Result<Option<UserId>, Error> {
    Ok(body.wished_id("id")?.map(UserId))
}

/// The same where the type of the field is not looked at.
pub(in crate::audiobridge) fn wished_user_untyped(body: Body<'_>) -> Option<UserId> {
    wished_user(body).ok().flatten()
}
