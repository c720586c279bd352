//! Suspending a participant, so that it neither sounds nor hears, and resuming it.

use serde_json::Value;

use super::error::Error;
use super::request::{Body, Target};
use super::room::Hearing;
use super::{AudioBridge, response};
use crate::core::effect::Effect;
use crate::core::ids::HandleId;

impl AudioBridge {
    pub(super) fn suspend(
        &mut self,
        asker: Option<HandleId>,
        body: Body<'_>,
        effects: &mut Vec<Effect>,
    ) -> Result<Value, Error> {
        let target = Target::parse(body)?;
        let handle = self.own_or_managed(asker, &target, body)?;
        let pause_events = body.boolean("pause_events")?.unwrap_or(false);
        body.boolean("stop_record")?;
        let attachment = self.attachments.get_mut(&handle);
        match attachment.and_then(|attachment| attachment.participant.as_mut()) {
            Some(participant) if !participant.suspended => {
                participant.suspended = true;
                participant.paused = pause_events;
            }
            Some(_) | None => return Ok(response::success()),
        }
        effects.extend(self.configure_media(handle, None));
        if let Some((room, _)) = self.seat(handle) {
            // It hears of this whether its events are paused or not.
            let mut to = self.audience(room, Some(handle), Hearing::Unpaused);
            to.push(handle);
            let data = response::suspension("suspended", &target.room, &target.user);
            effects.push(Effect::Notify { to, data });
        }
        Ok(response::success())
    }

    pub(super) fn resume(
        &mut self,
        asker: Option<HandleId>,
        body: Body<'_>,
        effects: &mut Vec<Effect>,
    ) -> Result<Value, Error> {
        let target = Target::parse(body)?;
        let handle = self.own_or_managed(asker, &target, body)?;
        body.boolean("record")?;
        body.string("filename")?;
        let attachment = self.attachments.get_mut(&handle);
        let was_paused = match attachment.and_then(|attachment| attachment.participant.as_mut()) {
            Some(participant) if participant.suspended => {
                participant.suspended = false;
                std::mem::take(&mut participant.paused)
            }
            Some(_) | None => return Ok(response::success()),
        };
        effects.extend(self.configure_media(handle, None));
        if let Some((room, _)) = self.seat(handle) {
            let except = was_paused.then_some(handle);
            if was_paused {
                let others = self.describe_all(room, except);
                let data = response::recap(&target.room, &target.user, others);
                effects.push(Effect::Notify { to: vec![handle], data });
            }
            let to = self.audience(room, except, Hearing::Unpaused);
            let data = response::suspension("resumed", &target.room, &target.user);
            effects.push(Effect::Notify { to, data });
        }
        Ok(response::success())
    }

    /// The handle of a participant that is the asker itself or that the sender of `body` may deal with.
    fn own_or_managed(&self, asker: Option<HandleId>, target: &Target, body: Body<'_>) -> Result<HandleId, Error> {
        let room = self.rooms.get(&target.room).ok_or_else(|| Error::no_such_room(&target.room))?;
        let handle = room.participants.get(&target.user).copied();
        let handle = handle.ok_or_else(|| Error::no_such_user(&target.user, &target.room))?;
        if asker != Some(handle) {
            body.check_secret("secret", room.secret.as_deref())?;
        }
        Ok(handle)
    }
}
