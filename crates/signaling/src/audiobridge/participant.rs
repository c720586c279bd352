//! A handle of the plugin, and the participant that it is while it is in a room.

use std::sync::Arc;

use super::room::{Room, TalkWish};
use crate::core::effect::Effect;
use crate::core::ids::{HandleId, RoomId, UserId};
use crate::core::media::MemberSettings;
use crate::core::notice::{Happening, Place};

/// A handle of the plugin. What concerns its PeerConnection outlives its stay in a room.
#[derive(Debug, Default)]
pub(super) struct Attachment {
    /// Its PeerConnection is up.
    pub(super) connected: bool,
    /// It has said that it takes in-band FEC.
    pub(super) fec: bool,
    /// It tells audio levels.
    pub(super) audio_level: bool,
    pub(super) participant: Option<Participant>,
}

/// Somebody in a room.
#[derive(Clone, Debug)]
pub(super) struct Participant {
    pub(super) room: RoomId,
    pub(super) user: UserId,
    pub(super) display: Option<String>,
    pub(super) group: Option<String>,
    pub(super) admin: bool,
    pub(super) muted: bool,
    pub(super) talking: bool,
    pub(super) suspended: bool,
    /// It does not hear of what goes on in the room.
    pub(super) paused: bool,
    /// In percent.
    pub(super) volume: u32,
    /// 0 left … 100 right.
    pub(super) position: u8,
    /// In bit/s; `None` = the codec decides.
    pub(super) bitrate: Option<u32>,
    /// Opus complexity.
    pub(super) quality: u8,
    /// In percent.
    pub(super) expected_loss: u8,
    pub(super) talk_wish: TalkWish,
    pub(super) denoise: bool,
}

/// As loud as it comes in.
pub(super) const DEFAULT_VOLUME: u32 = 100;

const CENTRE: u8 = 50;
const RIGHT: u64 = 100;

impl Participant {
    pub(super) fn place(&self) -> Place {
        Place { room: self.room.clone(), participant: self.user.clone() }
    }

    /// This one is that one from now on.
    pub(super) fn tell_moved(&self, after: &Self) -> Happening {
        let display = after.display.as_deref().map(Arc::from);
        Happening::ParticipantMoved { from: self.place(), to: after.place(), display }
    }

    pub(super) fn tell_muted(&self, handle: HandleId) -> Effect {
        let what = Happening::ParticipantMuted { place: self.place(), muted: self.muted };
        Effect::Tell { handle: Some(handle), what }
    }

    /// How it sounds and hears, being the participant of `attachment` in `room`.
    pub(super) fn settings(&self, attachment: &Attachment, room: &Room) -> MemberSettings {
        MemberSettings {
            muted: self.muted,
            admin: self.admin,
            volume: self.volume,
            position: self.position,
            bitrate: self.bitrate,
            complexity: self.quality,
            expected_loss: self.expected_loss,
            fec: attachment.fec,
            suspended: self.suspended,
            talk_detection: room.talk_detection(self.talk_wish),
        }
    }
}

/// The volume for what was asked; there is no upper bound but that of the number.
pub(super) fn volume(wish: Option<u64>) -> u32 {
    wish.map_or(DEFAULT_VOLUME, |volume| u32::try_from(volume).unwrap_or(u32::MAX))
}

/// The position for what was asked.
pub(super) fn position(wish: Option<u64>) -> u8 {
    wish.and_then(|position| u8::try_from(position.min(RIGHT)).ok()).unwrap_or(CENTRE)
}
