//! The life of rooms: create, edit, destroy, and what can be asked about them.

use std::net::IpAddr;
use std::time::Instant;

use serde_json::{Value, json};

use super::error::Error;
use super::request::{AllowedAction, AllowedRequest, Body, CreateRequest, EditRequest, managed_room};
use super::room::{Hearing, Room};
use super::{AudioBridge, response};
use crate::core::config::RoomConfig;
use crate::core::effect::Effect;
use crate::core::ids::{IdSource, RoomId, RoomKey};
use crate::core::notice::{Departure, Happening};
use crate::core::plugin::Reply;
use crate::core::same_secret;
use crate::core::store::{RoomChange, Storing};

/// What was done to a room, and what of it shall outlive the process.
#[derive(Debug)]
pub(super) struct Changed {
    what: &'static str,
    pub(super) room: RoomId,
    pub(super) change: Option<RoomChange>,
}

/// `permanent` in the reply says whether the change is stored, so the reply waits for that.
pub(super) fn reply_to_change(outcome: Result<Changed, Error>) -> Reply {
    let Changed { what, room, change } = match outcome {
        Ok(changed) => changed,
        Err(error) => return Reply::Last(Err(error.into())),
    };
    let say = |permanent| response::room_changed(what, &room, permanent);
    match change {
        None => Reply::Last(Ok(say(false))),
        Some(change) => Reply::Stored(Storing { change, saved: say(true), unsaved: say(false) }),
    }
}

impl AudioBridge {
    /// Whether a client at this address may make one more room now.
    pub(super) fn may_create(&mut self, client: Option<IpAddr>, now: Instant) -> Result<(), Error> {
        let rate = self.dialect.limits.room_rate;
        if self.creations.take(client, now) { Ok(()) } else { Err(Error::too_many_creations(rate)) }
    }

    pub(super) fn create(
        &mut self,
        body: Body<'_>,
        ids: &mut IdSource,
        effects: &mut Vec<Effect>,
    ) -> Result<Changed, Error> {
        let request = CreateRequest::parse(body, self.admin_key.as_deref())?;
        self.check_permanence(request.permanent, "create permanent room")?;
        let mut config = request.config;
        if let Some(id) = config.id.as_ref().filter(|id| self.rooms.contains_key(*id)) {
            return Err(Error::room_exists(id));
        }
        let unsupported = || Error::unsupported_sampling_rate(request.sampling_rate);
        config.sampling_rate = u32::try_from(request.sampling_rate).map_err(|_| unsupported())?;
        if self.draining {
            return Err(Error::draining());
        }
        if self.rooms.len() >= self.dialect.limits.rooms {
            return Err(Error::too_many_rooms(self.dialect.limits.rooms));
        }
        let room = self.open_room(config, ids).ok_or_else(unsupported)?;
        effects.push(Effect::Tell { handle: None, what: Happening::RoomCreated { room: room.clone() } });
        Ok(Changed { what: "created", change: self.kept(&room, request.permanent), room })
    }

    /// Makes a room; `None` if its id is taken or of the wrong kind, or its rate unsupported.
    pub(super) fn open_room(&mut self, mut config: RoomConfig, ids: &mut IdSource) -> Option<RoomId> {
        let rooms = &self.rooms;
        let id = match config.id.take() {
            None => RoomId(ids.draw_id(self.dialect.string_ids, |id| rooms.contains_key(&RoomId(id.clone())))),
            Some(id) if rooms.contains_key(&id) || id.is_text() != self.dialect.string_ids => return None,
            Some(id) => id,
        };
        let room = Room::open(id.clone(), RoomKey(self.keys), config)?;
        self.keys += 1;
        self.rooms.insert(id.clone(), room);
        Some(id)
    }

    pub(super) fn edit(&mut self, body: Body<'_>, effects: &mut Vec<Effect>) -> Result<Changed, Error> {
        let request = EditRequest::parse(body)?;
        self.check_permanence(request.permanent, "edit room permanently")?;
        let room = self.rooms.get_mut(&request.room).ok_or_else(|| Error::no_such_room(&request.room))?;
        body.check_secret("secret", room.secret.as_deref())?;
        if let Some(description) = request.description {
            room.description = description.into();
        }
        if let Some(secret) = request.secret {
            room.secret = Some(secret.into());
        }
        if let Some(pin) = request.pin {
            room.pin = Some(pin.into_boxed_str()).filter(|pin| !pin.is_empty());
        }
        if let Some(is_private) = request.is_private {
            room.is_private = is_private;
        }
        if let Some(folder) = request.record_dir {
            room.recording.record_dir = Some(folder);
        }
        if let Some(folder) = request.mjrs_dir {
            room.recording.mjrs_dir = Some(folder);
        }
        effects.push(Effect::Tell { handle: None, what: Happening::RoomEdited { room: request.room.clone() } });
        Ok(Changed { what: "edited", change: self.kept(&request.room, request.permanent), room: request.room })
    }

    pub(super) fn destroy(&mut self, body: Body<'_>, effects: &mut Vec<Effect>) -> Result<Changed, Error> {
        let permanent = body.boolean("permanent")?.unwrap_or(false);
        let id = body.room()?;
        self.check_permanence(permanent, "destroy room permanently")?;
        self.managed(&id, body)?;
        let Some(room) = self.rooms.remove(&id) else { return Err(Error::no_such_room(&id)) };
        for handle in room.participants.into_values() {
            self.send_away(handle, Departure::RoomDestroyed, effects);
            effects.push(Effect::Notify { to: vec![handle], data: response::destroyed(&id) });
            effects.push(Effect::ClosePeer { handle });
        }
        effects.push(Effect::Tell { handle: None, what: Happening::RoomDestroyed { room: id.clone() } });
        Ok(Changed { what: "destroyed", change: permanent.then(|| RoomChange::Forget(id.clone())), room: id })
    }

    pub(super) fn exists(&self, body: Body<'_>) -> Result<Value, Error> {
        let room = body.room()?;
        let exists = self.rooms.contains_key(&room);
        Ok(json!({"audiobridge": "success", "room": room, "exists": exists}))
    }

    pub(super) fn list(&self, body: Body<'_>) -> Result<Value, Error> {
        let offered = body.string("admin_key")?.filter(|key| !key.is_empty());
        let sees_private = match (&self.admin_key, offered) {
            (Some(key), Some(offered)) if same_secret(key, offered) => true,
            (Some(_), Some(_)) => return Err(Error::wrong("admin_key")),
            (None, _) | (_, None) => false,
        };
        let rooms = self.rooms.values().filter(|room| sees_private || !room.is_private);
        let list: Vec<_> = rooms.map(response::listed_room).collect();
        Ok(json!({"audiobridge": "success", "list": list}))
    }

    pub(super) fn list_participants(&self, body: Body<'_>) -> Result<Value, Error> {
        let id = body.room()?;
        let room = self.rooms.get(&id).ok_or_else(|| Error::no_such_room(&id))?;
        Ok(response::participants(&id, self.describe_all(room, None)))
    }

    pub(super) fn edit_allowed(&mut self, body: Body<'_>) -> Result<Value, Error> {
        let request = AllowedRequest::parse(body)?;
        self.managed(&request.room, body)?;
        let limit = self.dialect.limits.allowed_tokens;
        let room = self.rooms.get_mut(&request.room).ok_or_else(|| Error::no_such_room(&request.room))?;
        match request.action {
            AllowedAction::Disable => {
                room.checks_tokens = false;
                return Ok(response::success_in(&request.room));
            }
            AllowedAction::Enable => room.checks_tokens = true,
            AllowedAction::Add => {
                let tokens = request.tokens()?;
                if room.tokens.len() + tokens.len() > limit {
                    return Err(Error::too_many_tokens(limit));
                }
                room.tokens.extend(tokens.into_iter().map(String::into_boxed_str));
            }
            AllowedAction::Remove => {
                for token in request.tokens()? {
                    room.tokens.remove(token.as_str());
                }
            }
        }
        let tokens: Vec<_> = room.tokens.iter().collect();
        Ok(json!({"audiobridge": "success", "room": request.room, "allowed": tokens}))
    }

    pub(super) fn mute_room(&mut self, body: Body<'_>, muted: bool, effects: &mut Vec<Effect>) -> Result<Value, Error> {
        let id = managed_room(body)?;
        self.managed(&id, body)?;
        let room = self.rooms.get_mut(&id).ok_or_else(|| Error::no_such_room(&id))?;
        if std::mem::replace(&mut room.settings.muted, muted) == muted {
            return Ok(response::success());
        }
        let Some(room) = self.rooms.get(&id) else { return Err(Error::no_such_room(&id)) };
        let to = self.audience(room, None, Hearing::Unpaused);
        effects.push(Effect::Notify { to, data: response::room_muted(&id, muted) });
        effects.extend(self.update_media(room));
        effects.push(Effect::Tell { handle: None, what: Happening::RoomMuted { room: id.clone(), muted } });
        Ok(response::success_in(&id))
    }

    pub(super) fn check_permanence(&self, permanent: bool, intention: &str) -> Result<(), Error> {
        if permanent && !self.stores_rooms { Err(Error::no_configuration_file(intention)) } else { Ok(()) }
    }

    /// The room as it shall be from the start, the next time; `None` if it is not to be `permanent`.
    pub(super) fn kept(&self, id: &RoomId, permanent: bool) -> Option<RoomChange> {
        let room = self.rooms.get(id).filter(|_| permanent)?;
        Some(RoomChange::Keep(Box::new(room.config())))
    }

    /// A room that the sender of `body` may manage.
    pub(super) fn managed(&self, id: &RoomId, body: Body<'_>) -> Result<&Room, Error> {
        let room = self.rooms.get(id).ok_or_else(|| Error::no_such_room(id))?;
        body.check_secret("secret", room.secret.as_deref())?;
        Ok(room)
    }
}
