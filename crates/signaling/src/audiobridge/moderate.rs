//! What is done to participants by others: mute, unmute, kick.

use serde_json::Value;

use super::error::Error;
use super::request::{Body, Target, managed_room};
use super::room::Hearing;
use super::{AudioBridge, response};
use crate::core::effect::Effect;
use crate::core::ids::HandleId;
use crate::core::media::MediaCommand;
use crate::core::notice::Departure;

impl AudioBridge {
    pub(super) fn mute(&mut self, body: Body<'_>, muted: bool, effects: &mut Vec<Effect>) -> Result<Value, Error> {
        let target = Target::parse(body)?;
        let handle = self.target(&target, body)?;
        let attachment = self.attachments.get_mut(&handle);
        let participant = attachment.and_then(|attachment| attachment.participant.as_mut());
        match participant {
            Some(participant) if participant.muted != muted => participant.muted = muted,
            Some(_) | None => return Ok(response::success()),
        }
        effects.extend(self.configure_media(handle, None));
        if let Some((room, participant)) = self.seat(handle) {
            let data = response::participant_update(&room.id, self.describe(handle, participant, room));
            effects.push(Effect::Notify { to: self.audience(room, None, Hearing::Unpaused), data });
            effects.push(participant.tell_muted(handle));
        }
        Ok(response::success_in(&target.room))
    }

    pub(super) fn kick(&mut self, body: Body<'_>, effects: &mut Vec<Effect>) -> Result<Value, Error> {
        let target = Target::parse(body)?;
        let handle = self.target(&target, body)?;
        if let Some((room, _)) = self.seat(handle) {
            let to = self.audience(room, None, Hearing::All);
            let data = response::parting("kicked", &target.room, &target.user);
            effects.push(Effect::Notify { to, data });
        }
        self.remove_participant(handle, Departure::Kicked, effects);
        effects.push(Effect::ClosePeer { handle });
        Ok(response::success())
    }

    /// Everybody hears of its own going only: nobody is left to be told about the others.
    pub(super) fn kick_all(&mut self, body: Body<'_>, effects: &mut Vec<Effect>) -> Result<Value, Error> {
        let id = managed_room(body)?;
        let room = self.managed(&id, body)?;
        for (user, handle) in room.participants.clone() {
            let data = response::parting("kicked_all", &id, &user);
            effects.push(Effect::Notify { to: vec![handle], data });
            self.send_away(handle, Departure::Kicked, effects);
            effects.push(Effect::ClosePeer { handle });
        }
        Ok(response::success())
    }

    pub(super) fn reset_decoder(&self, handle: Option<HandleId>, effects: &mut Vec<Effect>) -> Result<Value, Error> {
        let seated = handle.filter(|handle| self.seat(*handle).is_some());
        let handle = seated.ok_or_else(|| Error::not_in_a_room("reset"))?;
        if self.attachments.get(&handle).is_some_and(|attachment| attachment.connected) {
            effects.push(Effect::Media(MediaCommand::ResetDecoder { handle }));
        }
        Ok(response::success())
    }

    /// The handle of the participant that the sender of `body` may deal with.
    fn target(&self, target: &Target, body: Body<'_>) -> Result<HandleId, Error> {
        let room = self.managed(&target.room, body)?;
        let handle = room.participants.get(&target.user);
        handle.copied().ok_or_else(|| Error::no_such_user(&target.user, &target.room))
    }
}
