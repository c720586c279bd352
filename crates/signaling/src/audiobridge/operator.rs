//! What an operator's back-end does with rooms and participants: the requests of clients with an authority that needs no
//! secret, and what only an operator can do.

use std::ops::Bound;

use serde_json::{Map, Value, json};

use super::error::Error;
use super::manage::Changed;
use super::participant::Participant;
use super::request::{Body, CreateRequest, Target};
use super::room::Room;
use super::session::require_group;
use super::{AudioBridge, response};
use crate::core::config::RoomConfig;
use crate::core::effect::Effect;
use crate::core::ids::{HandleId, IdSource, RoomId, UserId};
use crate::core::operator::{Operated, Operation, Outcome};
use crate::core::store::{RoomChange, Storing};

type Properties = Map<String, Value>;

impl AudioBridge {
    pub(crate) fn operate(
        &mut self,
        operation: Operation,
        ids: &mut IdSource,
        effects: &mut Vec<Effect>,
    ) -> Result<Operated, Error> {
        let outcome = match operation {
            Operation::CreateRoom { properties } => return self.create_room(&properties, ids, effects),
            Operation::EnsureRoom { room, properties } => return self.ensure_room(&room, properties, ids, effects),
            Operation::EditRoom { room, changes } => return self.edit_room(&room, changes, effects),
            Operation::DestroyRoom { room, permanent } => {
                let fields = [("room", self.id_named(&room)), ("permanent", permanent.into())];
                let Changed { change, .. } = self.destroy(self.order(&object(fields)), effects)?;
                return Ok(settled(Outcome::Gone, change));
            }
            Operation::SurveyRooms => Ok(self.survey()),
            Operation::ListRooms { after, limit } => self.list_page(after, limit),
            Operation::ReadRoom { room } => self.read_room(&self.room_named(&room)?),
            Operation::ListParticipants { room, after, limit } => self.list_participants_page(&room, after, limit),
            Operation::ReadParticipant { room, participant } => {
                self.read_participant(&self.target_named(&room, &participant)?)
            }
            Operation::EditParticipant { room, participant, changes } => {
                self.edit_participant(&room, &participant, &changes, effects)
            }
            Operation::Kick { room, participant } => {
                let fields = [("room", self.id_named(&room)), ("id", self.id_named(&participant))];
                self.kick(self.order(&object(fields)), effects).map(|_| Outcome::Gone)
            }
            Operation::KickAll { room } => {
                let fields = [("room", self.id_named(&room))];
                self.kick_all(self.order(&object(fields)), effects).map(|_| Outcome::Gone)
            }
            Operation::Move { room, participant, destination } => {
                let target = self.target_named(&room, &participant)?;
                self.relocate(&target, &destination, ids, effects)
            }
        };
        outcome.map(Operated::Done)
    }

    /// The room of this name, and who is in it.
    pub(crate) fn handles_in(&self, name: &str) -> Result<(RoomId, Vec<HandleId>), Error> {
        let id = self.room_named(name)?;
        let room = self.rooms.get(&id).ok_or_else(|| Error::no_such_room(&id))?;
        Ok((id, room.participants.values().copied().collect()))
    }

    /// A room and its participants, each with its `particulars`.
    pub(crate) fn observe(&self, id: &RoomId, particulars: impl Fn(HandleId) -> Properties) -> Result<Value, Error> {
        let room = self.rooms.get(id).ok_or_else(|| Error::no_such_room(id))?;
        let participants = room.participants.iter().filter_map(|(user, &handle)| {
            let Value::Object(mut participant) = self.shown_participant(room, user)? else { return None };
            participant.extend(particulars(handle));
            Some(Value::Object(participant))
        });
        let participants: Vec<_> = participants.collect();
        Ok(json!({"room": shown(room), "participants": participants}))
    }

    fn survey(&self) -> Outcome {
        let is_talking = |handle: &&HandleId| {
            let participant = self.attachments.get(handle).and_then(|attachment| attachment.participant.as_ref());
            participant.is_some_and(|participant| participant.talking && !participant.muted)
        };
        let rooms = self.rooms.values().map(|room| {
            json!({
                "room": room.id,
                "description": room.description,
                "num_participants": room.participants.len(),
                "num_talking": room.participants.values().filter(is_talking).count(),
                "muted": room.settings.muted,
                "is_private": room.is_private,
                "pin_required": room.pin.is_some(),
            })
        });
        Outcome::Is(rooms.collect())
    }

    fn list_page(&self, after: Option<String>, limit: usize) -> Result<Outcome, Error> {
        let start = match after {
            Some(last) => Bound::Excluded(self.room_named(&last)?),
            None => Bound::Unbounded,
        };
        let mut rooms = self.rooms.range((start, Bound::Unbounded));
        let page: Vec<&Room> = rooms.by_ref().take(limit).map(|(_, room)| room).collect();
        let next = page.last().filter(|_| rooms.next().is_some()).map(|last| json!(last.id));
        Ok(Outcome::Is(self::page("rooms", page.into_iter().map(shown).collect(), next)))
    }

    fn create_room(
        &mut self,
        properties: &Properties,
        ids: &mut IdSource,
        effects: &mut Vec<Effect>,
    ) -> Result<Operated, Error> {
        let Changed { room, change, .. } = self.create(self.order(properties), ids, effects)?;
        let created = self.rooms.get(&room).ok_or_else(|| Error::no_such_room(&room))?;
        Ok(settled(Outcome::Created(shown(created)), change))
    }

    fn ensure_room(
        &mut self,
        room: &str,
        mut properties: Properties,
        ids: &mut IdSource,
        effects: &mut Vec<Effect>,
    ) -> Result<Operated, Error> {
        let id = self.room_named(room)?;
        if id.0.is_blank() {
            return Err(Error::invalid("room", "should name a room"));
        }
        let named = json!(id);
        if properties.insert("room".to_owned(), named.clone()).is_some_and(|given| given != named) {
            return Err(Error::invalid("room", "should be that of the path"));
        }
        let Some(there) = self.rooms.get(&id) else { return self.create_room(&properties, ids, effects) };
        let request = CreateRequest::parse(self.order(&properties), None)?;
        self.check_permanence(request.permanent, "create permanent room")?;
        let CreateRequest { config, sampling_rate, permanent } = request;
        let unsupported = || Error::unsupported_sampling_rate(sampling_rate);
        let rate = u32::try_from(sampling_rate).map_err(|_| unsupported())?;
        let config = RoomConfig { sampling_rate: rate, ..config };
        let wanted = Room::open(id.clone(), there.key, config).ok_or_else(unsupported)?;
        if there.config() != wanted.config() {
            return Err(Error::room_exists(&id));
        }
        // Stored once more: who asks again may do so because it could not be.
        Ok(settled(Outcome::Is(shown(there)), self.kept(&id, permanent)))
    }

    fn edit_room(&mut self, room: &str, changes: Properties, effects: &mut Vec<Effect>) -> Result<Operated, Error> {
        let id = self.room_named(room)?;
        let muted = self.order(&changes).boolean("muted")?;
        for name in ["description", "secret"] {
            // `edit` would take it for a wish to change nothing.
            if changes.get(name).is_some_and(|value| value == "") {
                return Err(Error::invalid(name, "should not be empty"));
            }
        }
        let mut fields = object([("room", json!(id))]);
        for (name, value) in changes {
            let name = match name.as_str() {
                "muted" => continue,
                "permanent" => name,
                _ => format!("new_{name}"),
            };
            fields.insert(name, value);
        }
        let order = self.order(&fields);
        let Changed { change, .. } = self.edit(order, effects)?;
        if let Some(muted) = muted {
            self.mute_room(order, muted, effects)?;
        }
        Ok(settled(self.read_room(&id)?, change))
    }

    fn read_room(&self, id: &RoomId) -> Result<Outcome, Error> {
        self.rooms.get(id).map(|room| Outcome::Is(shown(room))).ok_or_else(|| Error::no_such_room(id))
    }

    fn list_participants_page(&self, room: &str, after: Option<String>, limit: usize) -> Result<Outcome, Error> {
        let id = self.room_named(room)?;
        let start = match after {
            Some(last) => Bound::Excluded(self.target_named(room, &last)?.user),
            None => Bound::Unbounded,
        };
        let room = self.rooms.get(&id).ok_or_else(|| Error::no_such_room(&id))?;
        let mut rest = room.participants.range((start, Bound::Unbounded));
        let users: Vec<&UserId> = rest.by_ref().take(limit).map(|(user, _)| user).collect();
        let next = users.last().filter(|_| rest.next().is_some()).map(|last| json!(last));
        let page = users.iter().filter_map(|user| self.shown_participant(room, user)).collect();
        Ok(Outcome::Is(self::page("participants", page, next)))
    }

    fn read_participant(&self, target: &Target) -> Result<Outcome, Error> {
        let room = self.rooms.get(&target.room).ok_or_else(|| Error::no_such_room(&target.room))?;
        let shown = self.shown_participant(room, &target.user);
        shown.map(Outcome::Is).ok_or_else(|| Error::no_such_user(&target.user, &target.room))
    }

    fn edit_participant(
        &mut self,
        room: &str,
        participant: &str,
        changes: &Properties,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, Error> {
        let target = self.target_named(room, participant)?;
        let muted = self.order(changes).boolean("muted")?.ok_or_else(|| Error::missing("muted"))?;
        let fields = object([("room", json!(target.room)), ("id", json!(target.user))]);
        self.mute(self.order(&fields), muted, effects)?;
        self.read_participant(&target)
    }

    /// What `changeroom` does, but that the participant stays who it is.
    fn relocate(
        &mut self,
        target: &Target,
        destination: &Properties,
        ids: &mut IdSource,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, Error> {
        let order = self.order(destination);
        let (goal, wish, group) = (order.room()?, order.wished_id("id")?.map(UserId), order.text("group")?);
        let old = self.rooms.get(&target.room).ok_or_else(|| Error::no_such_room(&target.room))?;
        let handle = old.participants.get(&target.user).copied();
        let seat = handle.and_then(|handle| Some((handle, self.seat(handle)?.1)));
        let (handle, before) = seat.ok_or_else(|| Error::no_such_user(&target.user, &target.room))?;
        let new = self.rooms.get(&goal).ok_or_else(|| Error::no_such_room(&goal))?;
        if old.id == new.id {
            return Err(Error::already_in_this_room());
        }
        self.check_beginning(new)?;
        let group = group.map(str::to_owned).or_else(|| before.group.clone()).filter(|_| !new.groups.is_empty());
        require_group(new, group.as_deref())?;
        let keeps_id = !new.participants.contains_key(&target.user);
        let wish = wish.or_else(|| keeps_id.then(|| target.user.clone()));
        let after = Participant {
            room: new.id.clone(),
            user: self.free_user(new, wish, ids)?,
            group,
            admin: false,
            talking: false,
            bitrate: if before.bitrate == old.bitrate { new.bitrate } else { before.bitrate },
            ..before.clone()
        };
        let what = before.tell_moved(&after);
        let arrival = Target { room: after.room.clone(), user: after.user.clone() };
        self.announce_exit(handle, effects);
        if let Some(data) = self.announce_entry(handle, after, "roomchanged", effects) {
            effects.push(Effect::Notify { to: vec![handle], data });
        }
        effects.push(Effect::Tell { handle: Some(handle), what });
        self.read_participant(&arrival)
    }

    /// A body with the authority of the operator.
    fn order<'a>(&self, fields: &'a Properties) -> Body<'a> {
        Body::of_operator(fields, self.dialect)
    }

    pub(super) fn room_named(&self, name: &str) -> Result<RoomId, Error> {
        self.order(&object([("room", self.id_named(name))])).room()
    }

    fn target_named(&self, room: &str, participant: &str) -> Result<Target, Error> {
        let fields = [("room", self.id_named(room)), ("id", self.id_named(participant))];
        Target::parse(self.order(&object(fields)))
    }

    /// The id that a text stands for, as a body has it. What can't be one stays a text, which the body then refuses.
    fn id_named(&self, name: &str) -> Value {
        match name.parse::<u64>() {
            Ok(number) if !self.dialect.string_ids => number.into(),
            Ok(_) | Err(_) => name.into(),
        }
    }

    fn shown_participant(&self, room: &Room, user: &UserId) -> Option<Value> {
        let attachment = self.attachments.get(room.participants.get(user)?)?;
        let participant = attachment.participant.as_ref()?;
        let talking = attachment.audio_level.then_some(participant.talking);
        let mut shown = object([("room", json!(room.id))]);
        if let Value::Object(as_listed) = response::participant(participant, room, attachment.connected, talking) {
            shown.extend(as_listed);
        }
        if let Some(group) = &participant.group {
            shown.insert("group".to_owned(), group.as_str().into());
        }
        Some(Value::Object(shown))
    }
}

/// What comes of an operation, once what shall outlive the process is stored.
fn settled(outcome: Outcome, change: Option<RoomChange>) -> Operated {
    match change {
        None => Operated::Done(outcome),
        Some(change) => Operated::Storing(Storing { change, saved: outcome, unsaved: Outcome::Unsaved }),
    }
}

/// A room with its properties; of secrets only whether there are any.
fn shown(room: &Room) -> Value {
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
        recording,
        allow_rtp_participants,
        groups,
        signed_tokens,
        max_speakers,
        silence_threshold,
        usedtx,
        shared_encoding,
    } = room.config();
    json!({
        "room": id,
        "description": description,
        "secret_required": secret.is_some(),
        "pin_required": pin.is_some(),
        "token_required": allowed.is_some(),
        "is_private": is_private,
        "sampling_rate": sampling_rate,
        "spatial_audio": spatial_audio,
        "audiolevel_ext": audiolevel_ext,
        "audiolevel_event": audiolevel_event,
        "audio_active_packets": audio_active_packets,
        "audio_level_average": audio_level_average,
        "default_expectedloss": default_expectedloss,
        "default_bitrate": default_bitrate,
        "denoise": denoise,
        "record": recording.record,
        "mjrs": recording.mjrs,
        "allow_rtp_participants": allow_rtp_participants,
        "groups": groups,
        "signed_tokens": signed_tokens,
        "max_speakers": max_speakers,
        "silence_threshold": silence_threshold,
        "usedtx": usedtx,
        "shared_encoding": shared_encoding,
        "muted": room.settings.muted,
        "num_participants": room.participants.len(),
    })
}

fn page(of: &str, items: Vec<Value>, next: Option<Value>) -> Value {
    let mut page = object([(of, items.into())]);
    page.extend(next.map(|next| ("next".to_owned(), next)));
    Value::Object(page)
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
