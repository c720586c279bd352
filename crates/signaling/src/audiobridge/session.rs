//! What participants do themselves: join, configure, changeroom, leave, hangup.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::error::Error;
use super::participant::{self, Participant};
use super::request::{Asked, Body, Codec, EntryRequest, Wishes, wished_user, wished_user_untyped};
use super::room::{Hearing, Room, opus_bitrate};
use super::{AudioBridge, response};
use crate::core::effect::Effect;
use crate::core::ids::{HandleId, Id, IdSource, RoomId, UserId};
use crate::core::notice::{Departure, Happening, Place};
use crate::core::plugin::Plugin;

impl AudioBridge {
    pub(super) fn join(
        &mut self,
        asked: Asked<'_>,
        ids: &mut IdSource,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Error> {
        let Asked { handle, body, jsep, now, .. } = asked;
        self.count_join(asked)?;
        if self.seat(handle).is_some() {
            return Err(Error::already_in_a_room());
        }
        let request = EntryRequest::parse(body)?;
        let user = wished_user(body)?;
        let room = self.rooms.get(&request.room).ok_or_else(|| Error::no_such_room(&request.room))?;
        // An SDP makes it a WebRTC participant, whatever else it says.
        let plain_rtp = request.wishes.plain_rtp && jsep.is_none();
        if plain_rtp && !room.allows_plain_rtp {
            return Err(Error::plain_rtp_forbidden());
        }
        let admin = self.admit(room, &request, body, now)?;
        let quality = request.wishes.quality()?;
        let expected_loss = request.wishes.expected_loss()?;
        let codec = request.codec()?;
        let user = self.free_user(room, user, ids)?;
        match codec {
            Codec::Opus => {}
            Codec::G711 => return Err(Error::unsupported("G.711")),
        }
        if plain_rtp {
            return Err(Error::unsupported("Plain RTP"));
        }
        let offers = asked.wants_offer(&request.wishes)?;
        if self.overloaded {
            return Err(Error::overloaded());
        }
        let limit = self.dialect.limits.participants;
        if self.participants >= limit {
            return Err(Error::server_full(limit));
        }
        self.check_beginning(room)?;
        let id = room.id.clone();
        let wishes = request.wishes;
        let newcomer = Participant {
            room: id,
            user,
            display: wishes.display,
            group: wishes.group.filter(|_| !room.groups.is_empty()),
            admin,
            muted: wishes.muted.unwrap_or(false),
            talking: false,
            suspended: request.suspended,
            paused: request.pause_events,
            volume: participant::volume(wishes.volume),
            position: participant::position(wishes.spatial_position),
            bitrate: wishes.bitrate.and_then(opus_bitrate).or(room.bitrate),
            quality: quality.unwrap_or(self.default_quality),
            expected_loss: expected_loss.unwrap_or(room.expected_loss),
            talk_wish: request.talk_wish,
            denoise: wishes.denoise.unwrap_or(room.denoise),
        };
        let what = Happening::ParticipantJoined {
            place: newcomer.place(),
            display: newcomer.display.as_deref().map(Arc::from),
            muted: newcomer.muted,
        };
        effects.push(Effect::Tell { handle: Some(handle), what });
        self.enter_as(asked, newcomer, "joined", offers, effects);
        Ok(())
    }

    pub(super) fn change_room(
        &mut self,
        asked: Asked<'_>,
        ids: &mut IdSource,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Error> {
        let Asked { handle, body, now, .. } = asked;
        self.count_join(asked)?;
        let request = EntryRequest::parse(body)?;
        let (old_room, before) = self.seat(handle).ok_or_else(Error::no_room_to_change)?;
        if old_room.id == request.room {
            return Err(Error::already_in_this_room());
        }
        let room = self.rooms.get(&request.room).ok_or_else(|| Error::no_such_room(&request.room))?;
        let admin = self.admit(room, &request, body, now)?;
        let quality = request.wishes.quality()?;
        let expected_loss = request.wishes.expected_loss()?;
        let user = self.free_user(room, wished_user_untyped(body), ids)?;
        self.check_beginning(room)?;
        let wishes = request.wishes;
        let after = Participant {
            room: room.id.clone(),
            user,
            display: wishes.display,
            group: wishes.group.filter(|_| !room.groups.is_empty()),
            admin,
            muted: wishes.muted.unwrap_or(false),
            talking: false,
            suspended: before.suspended || request.suspended,
            paused: before.paused || request.pause_events,
            volume: participant::volume(wishes.volume),
            position: participant::position(wishes.spatial_position),
            bitrate: wishes.bitrate.and_then(opus_bitrate).or(room.bitrate),
            quality: quality.unwrap_or(before.quality),
            expected_loss: expected_loss.unwrap_or(before.expected_loss),
            talk_wish: before.talk_wish,
            denoise: wishes.denoise.unwrap_or(room.denoise),
        };
        let what = before.tell_moved(&after);
        self.announce_exit(handle, effects);
        effects.push(Effect::Tell { handle: Some(handle), what });
        self.enter_as(asked, after, "roomchanged", false, effects);
        Ok(())
    }

    pub(super) fn configure(&mut self, asked: Asked<'_>, effects: &mut Vec<Effect>) -> Result<(), Error> {
        let Asked { handle, body, .. } = asked;
        let (room, _) = self.seat(handle).ok_or_else(|| Error::not_in_a_room("configure"))?;
        let wishes = Wishes::parse(body)?;
        let quality = wishes.quality()?;
        let expected_loss = wishes.expected_loss()?;
        if let Some(group) = &wishes.group {
            check_group(room, group)?;
        }
        let offers = asked.wants_offer(&wishes)?;
        if wishes.plain_rtp && asked.jsep.is_none() {
            return Err(Error::unsupported("Plain RTP"));
        }
        let moves = room.settings.stereo && wishes.spatial_position.is_some();
        let is_told = wishes.muted.is_some() || wishes.display.is_some() || wishes.denoise.is_some() || moves;
        let has_groups = !room.groups.is_empty();
        let before = self.media_settings(handle);
        let mut is_muted_anew = false;
        let attachment = self.attachments.get_mut(&handle);
        if let Some(participant) = attachment.and_then(|attachment| attachment.participant.as_mut()) {
            if let Some(muted) = wishes.muted {
                is_muted_anew = std::mem::replace(&mut participant.muted, muted) != muted;
            }
            participant.display = wishes.display.or(participant.display.take());
            participant.quality = quality.unwrap_or(participant.quality);
            participant.expected_loss = expected_loss.unwrap_or(participant.expected_loss);
            participant.denoise = wishes.denoise.unwrap_or(participant.denoise);
            if wishes.volume.is_some() {
                participant.volume = participant::volume(wishes.volume);
            }
            if let Some(bitrate) = wishes.bitrate {
                participant.bitrate = opus_bitrate(bitrate);
            }
            if moves {
                participant.position = participant::position(wishes.spatial_position);
            }
            if has_groups && wishes.group.is_some() {
                participant.group = wishes.group;
            }
        }
        effects.extend(self.configure_media(handle, before.as_ref()));
        if is_told && let Some((room, participant)) = self.seat(handle) {
            let data = response::participant_update(&room.id, self.describe(handle, participant, room));
            let to = self.audience(room, Some(handle), Hearing::Unpaused);
            effects.push(Effect::Notify { to, data });
            effects.extend(is_muted_anew.then(|| participant.tell_muted(handle)));
        }
        effects.push(self.respond(asked, response::configured(), offers));
        Ok(())
    }

    pub(super) fn leave(&mut self, asked: Asked<'_>, effects: &mut Vec<Effect>) -> Result<(), Error> {
        let Some((room, user)) = self.announce_exit(asked.handle, effects) else {
            return Err(Error::not_in_a_room("leave"));
        };
        let place = Place { room: room.clone(), participant: user.clone() };
        let what = Happening::ParticipantLeft { place, reason: Departure::Left };
        effects.push(Effect::Tell { handle: Some(asked.handle), what });
        effects.push(self.respond(asked, response::left(&room, &user), false));
        Ok(())
    }

    pub(super) fn hang_up(&self, asked: Asked<'_>, effects: &mut Vec<Effect>) {
        effects.push(Effect::Respond { outcome: Ok(response::hanging_up()), traits: None });
        effects.push(Effect::ClosePeer { handle: asked.handle });
    }

    /// Takes the participant out of its room and tells the others.
    pub(super) fn announce_exit(&mut self, handle: HandleId, effects: &mut Vec<Effect>) -> Option<(RoomId, UserId)> {
        let gone = self.exit(handle, effects)?;
        let room = self.rooms.get(&gone.room)?;
        let data = response::parting("leaving", &gone.room, &gone.user);
        effects.push(Effect::Notify { to: self.audience(room, None, Hearing::Unpaused), data });
        Some((gone.room, gone.user))
    }

    /// Puts a participant into its room as it asked to, and answers.
    fn enter_as(
        &mut self,
        asked: Asked<'_>,
        newcomer: Participant,
        what: &str,
        offers: bool,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(data) = self.announce_entry(asked.handle, newcomer, what, effects) {
            effects.push(self.respond(asked, data, offers));
        }
    }

    /// Puts a participant into its room and tells the others. What tells the newcomer who they are comes back.
    pub(super) fn announce_entry(
        &mut self,
        handle: HandleId,
        newcomer: Participant,
        what: &str,
        effects: &mut Vec<Effect>,
    ) -> Option<Value> {
        self.enter(handle, newcomer, effects);
        let (room, newcomer) = self.seat(handle)?;
        let data = response::joined(&room.id, self.describe(handle, newcomer, room));
        effects.push(Effect::Notify { to: self.audience(room, Some(handle), Hearing::Unpaused), data });
        let others = self.describe_all(room, Some(handle));
        Some(response::entered(what, &room.id, &newcomer.user, others))
    }

    /// The event that answers a request, once its SDP is dealt with if it had one, or with an offer of ours.
    fn respond(&self, asked: Asked<'_>, data: Value, offers: bool) -> Effect {
        let traits = self.seat(asked.handle).map(|(room, _)| room.answer_traits());
        match (asked.jsep, traits) {
            (Some(_), None) => {
                Effect::Respond { outcome: Err(Error::not_in_a_room("handle SDP").into()), traits: None }
            }
            (Some(_), traits) => Effect::Respond { outcome: Ok(data), traits },
            (None, traits) => Effect::Respond { outcome: Ok(data), traits: traits.filter(|_| offers) },
        }
    }

    /// Counts a way into a room. One that fails counts as well: to guess a pin takes many.
    fn count_join(&mut self, Asked { client, now, .. }: Asked<'_>) -> Result<(), Error> {
        let is_permitted = self.joins.take(client, now);
        is_permitted.then_some(()).ok_or_else(|| Error::too_many_joins(self.dialect.limits.join_rate))
    }

    /// Whether the sender of a request may enter; and if so, whether as an admin.
    fn admit(&self, room: &Room, request: &EntryRequest<'_>, body: Body<'_>, now: Instant) -> Result<bool, Error> {
        if room.signed_tokens
            && let Some(tokens) = &self.tokens
        {
            let descriptor = format!("room={}", room.id);
            let permits = |token| tokens.permits(token, Plugin::AudioBridge.package(), Some(&descriptor), now);
            if !request.token.is_some_and(permits) {
                return Err(Error::wrong("token"));
            }
        }
        body.check_secret("pin", room.pin.as_deref())?;
        if room.checks_tokens && !request.token.is_some_and(|token| room.tokens.contains(token)) {
            return Err(Error::not_allowed());
        }
        if request.wants_admin {
            body.check_secret("secret", room.secret.as_deref())?;
        }
        require_group(room, request.wishes.group.as_deref())?;
        // A secret that the room has not got proves nothing.
        Ok(request.wants_admin && room.secret.is_some())
    }

    /// The wished id if it is free, or one that is.
    pub(super) fn free_user(&self, room: &Room, wish: Option<UserId>, ids: &mut IdSource) -> Result<UserId, Error> {
        let limit = self.dialect.limits.participants_per_room;
        match wish {
            Some(user) if room.participants.contains_key(&user) => Err(Error::user_exists(&user)),
            _ if room.participants.len() >= limit => Err(Error::room_full(&room.id, limit)),
            Some(user) => Ok(user),
            None => {
                let is_taken = |id: &Id| room.participants.contains_key(&UserId(id.clone()));
                Ok(UserId(ids.draw_id(self.dialect.string_ids, is_taken)))
            }
        }
    }
}

/// Whether this names a group of the room, which must be where it has any.
pub(super) fn require_group(room: &Room, group: Option<&str>) -> Result<(), Error> {
    match group {
        _ if room.groups.is_empty() => Ok(()),
        None => Err(Error::missing("group")),
        Some(group) => check_group(room, group),
    }
}

pub(super) fn check_group(room: &Room, group: &str) -> Result<(), Error> {
    if room.groups.is_empty() || room.groups.iter().any(|name| name == group) {
        Ok(())
    } else {
        Err(Error::no_such_group(group))
    }
}
