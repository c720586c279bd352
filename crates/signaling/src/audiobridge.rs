//! The AudioBridge plugin: rooms and who is in them, as API state. Knows no session of the core and no transport; what
//! shall happen outside it says in [`Effect`]s.

mod announce;
mod drain;
mod error;
mod forward;
mod info;
mod manage;
mod moderate;
mod operator;
mod participant;
mod record;
mod request;
mod response;
mod room;
mod session;
mod suspend;

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::Value;

pub(crate) use error::Error;
pub(crate) use request::known_request;

use crate::core::config::Config;
use crate::core::effect::Effect;
use crate::core::ids::{HandleId, IdSource, RoomId};
use crate::core::media::{MediaCommand, MemberSettings, Settled};
use crate::core::notice::{Departure, Happening};
use crate::core::plugin::{Call, Reply};
use crate::core::rate::Rate;
use crate::core::token::SignedTokens;
use participant::{Attachment, Participant};
use request::{Asked, Body, Dialect, Verb, VerbLater, VerbNow};
use room::{Hearing, Room};

/// The plugin.
#[derive(Debug)]
pub(crate) struct AudioBridge {
    admin_key: Option<String>,
    lock_rtp_forward: bool,
    lock_play_file: bool,
    tokens: Option<SignedTokens>,
    default_quality: u8,
    dialect: Dialect,
    /// The mixer can take nobody more.
    overloaded: bool,
    /// No room begins any more.
    draining: bool,
    /// Whether there is where to store permanent rooms.
    stores_rooms: bool,
    rooms: BTreeMap<RoomId, Room>,
    attachments: BTreeMap<HandleId, Attachment>,
    /// How many rooms there ever were.
    keys: u64,
    participants: usize,
    joins: Rate,
    creations: Rate,
}

impl AudioBridge {
    /// Rooms of `config` exist from the start; `started` is the moment whose wall clock time it tells.
    pub(crate) fn new(config: &Config, ids: &mut IdSource, started: Instant) -> Self {
        let mut plugin = Self {
            admin_key: config.admin_key.clone(),
            lock_rtp_forward: config.lock_rtp_forward,
            lock_play_file: config.lock_play_file,
            tokens: SignedTokens::new(config, started),
            default_quality: config.default_quality,
            dialect: Dialect { limits: config.limits, string_ids: config.string_ids },
            overloaded: false,
            draining: false,
            stores_rooms: config.stores_rooms,
            rooms: BTreeMap::new(),
            attachments: BTreeMap::new(),
            keys: 0,
            participants: 0,
            joins: Rate::per_second(config.limits.join_rate, started),
            creations: Rate::per_second(config.limits.room_rate, started),
        };
        plugin.open_rooms(config, ids);
        plugin
    }

    /// Takes new settings, and makes the rooms of `config` that are not there.
    pub(crate) fn reconfigure(&mut self, config: &Config, ids: &mut IdSource, started: Instant) {
        self.admin_key.clone_from(&config.admin_key);
        self.lock_rtp_forward = config.lock_rtp_forward;
        self.lock_play_file = config.lock_play_file;
        self.tokens = SignedTokens::new(config, started);
        self.default_quality = config.default_quality;
        self.dialect.limits = config.limits;
        self.joins.set(config.limits.join_rate);
        self.creations.set(config.limits.room_rate);
        self.open_rooms(config, ids);
    }

    fn open_rooms(&mut self, config: &Config, ids: &mut IdSource) {
        for room in &config.rooms {
            // Whoever configures rooms checks them first and tells the operator; here is no one to tell.
            let opened = self.open_room(room.clone(), ids).and_then(|id| self.rooms.get_mut(&id));
            if let Some(room) = opened {
                room.from_start = true;
            }
        }
    }

    /// While the mixer is overloaded nobody new is let in, before it costs those inside their sound.
    pub(crate) fn set_overloaded(&mut self, overloaded: bool) {
        self.overloaded = overloaded;
    }

    pub(crate) fn rooms(&self) -> usize {
        self.rooms.len()
    }

    /// Rooms with somebody in them.
    pub(crate) fn active_rooms(&self) -> usize {
        self.rooms.values().filter(|room| !room.participants.is_empty()).count()
    }

    /// Participants whose PeerConnection is not up.
    pub(crate) fn connecting(&self) -> usize {
        let is_connecting = |it: &&Attachment| it.participant.is_some() && !it.connected;
        self.attachments.values().filter(is_connecting).count()
    }

    pub(crate) fn participants(&self) -> usize {
        self.participants
    }

    pub(crate) fn attach(&mut self, handle: HandleId) {
        self.attachments.insert(handle, Attachment::default());
    }

    /// The handle is going; whoever was in a room with it hears that.
    pub(crate) fn detach(&mut self, handle: HandleId, effects: &mut Vec<Effect>) {
        self.remove_participant(handle, Departure::Detached, effects);
        self.attachments.remove(&handle);
    }

    /// Does what is asked. Requests that need a handle are unknown without one.
    pub(crate) fn handle_message(&mut self, call: Call<'_>, ids: &mut IdSource, effects: &mut Vec<Effect>) -> Reply {
        let body = Body::new(call.body, self.dialect);
        let name = match body.required_string("request") {
            Ok(name) => name,
            Err(error) => return Reply::Now(Err(error.into())),
        };
        let outcome = match (Verb::parse(name), call.handle) {
            (None, _) | (Some(Verb::Later(_)), None) => Err(Error::unknown_request(name)),
            (Some(Verb::Later(verb)), Some(handle)) => {
                let Call { jsep, offerer, client, now, .. } = call;
                self.handle_later(verb, Asked { handle, body, jsep, offerer, client, now }, ids, effects);
                return Reply::Later;
            }
            (Some(Verb::Now(verb)), handle) => match verb {
                VerbNow::Create => {
                    let may_create = self.may_create(call.client, call.now);
                    return manage::reply_to_change(may_create.and_then(|()| self.create(body, ids, effects)));
                }
                VerbNow::Edit => return manage::reply_to_change(self.edit(body, effects)),
                VerbNow::Destroy => return manage::reply_to_change(self.destroy(body, effects)),
                VerbNow::Exists => self.exists(body),
                VerbNow::List => self.list(body),
                VerbNow::ListParticipants => self.list_participants(body),
                VerbNow::Allowed => self.edit_allowed(body),
                VerbNow::Mute => self.mute(body, true, effects),
                VerbNow::Unmute => self.mute(body, false, effects),
                VerbNow::MuteRoom => self.mute_room(body, true, effects),
                VerbNow::UnmuteRoom => self.mute_room(body, false, effects),
                VerbNow::Kick => self.kick(body, effects),
                VerbNow::KickAll => self.kick_all(body, effects),
                VerbNow::ResetDecoder => self.reset_decoder(handle, effects),
                VerbNow::Suspend => self.suspend(handle, body, effects),
                VerbNow::Resume => self.resume(handle, body, effects),
                VerbNow::EnableRecording => self.enable_recording(body),
                VerbNow::EnableMjrs => self.enable_mjrs(body),
                VerbNow::RtpForward => self.rtp_forward(body),
                VerbNow::StopRtpForward => self.stop_rtp_forward(body),
                VerbNow::ListForwarders => self.list_forwarders(body),
                VerbNow::PlayFile => self.play_file(body),
                VerbNow::IsPlaying => self.is_playing(body),
                VerbNow::StopFile => self.stop_file(body),
                VerbNow::StopAllFiles => self.stop_all_files(body),
                VerbNow::ListAnnouncements => self.list_announcements(body),
            },
        };
        Reply::Now(outcome.map_err(Error::into))
    }

    /// The PeerConnection of a handle is up: if it is in a room, it sounds there from now on.
    pub(crate) fn peer_connected(&mut self, handle: HandleId, effects: &mut Vec<Effect>) {
        let Some(attachment) = self.attachments.get_mut(&handle) else { return };
        attachment.connected = true;
        let Some((room, participant)) = self.seat(handle) else { return };
        let data = response::participant_update(&room.id, self.describe(handle, participant, room));
        let to = self.audience(room, Some(handle), Hearing::Unpaused);
        effects.push(Effect::Notify { to, data });
        effects.extend(self.join_media(handle));
    }

    /// An offer was answered, ours or the handle's.
    pub(crate) fn peer_answered(&mut self, handle: HandleId, settled: Settled, effects: &mut Vec<Effect>) {
        let Some(attachment) = self.attachments.get_mut(&handle) else { return };
        attachment.audio_level = settled.audio_level;
        // Once it was said it stays, since clients leave it out of later offers.
        if settled.fec && !std::mem::replace(&mut attachment.fec, true) {
            effects.extend(self.configure_media(handle, None));
        }
    }

    /// The PeerConnection of a handle is no more, and with it its participant.
    pub(crate) fn peer_closed(&mut self, handle: HandleId, effects: &mut Vec<Effect>) {
        self.remove_participant(handle, Departure::Disconnected, effects);
        if let Some(attachment) = self.attachments.get_mut(&handle) {
            *attachment = Attachment::default();
        }
    }

    /// A member began or stopped talking.
    pub(crate) fn talking(&mut self, handle: HandleId, talking: bool, effects: &mut Vec<Effect>) {
        let Some(attachment) = self.attachments.get_mut(&handle) else { return };
        // Without the extension nobody ever talks: clients rely on levels that the participant's own browser measured.
        if !attachment.audio_level {
            return;
        }
        let Some(participant) = &mut attachment.participant else { return };
        participant.talking = talking;
        let Some((room, participant)) = self.seat(handle) else { return };
        let data = response::talking(&room.id, &participant.user, talking);
        effects.push(Effect::Notify { to: self.audience(room, None, Hearing::Unpaused), data });
        let what = Happening::Talking { place: participant.place(), talking };
        effects.push(Effect::Tell { handle: Some(handle), what });
    }

    fn handle_later(&mut self, verb: VerbLater, asked: Asked<'_>, ids: &mut IdSource, effects: &mut Vec<Effect>) {
        let outcome = asked.check_jsep().and_then(|()| match verb {
            VerbLater::Join => self.join(asked, ids, effects),
            VerbLater::Configure => self.configure(asked, effects),
            VerbLater::ChangeRoom => self.change_room(asked, ids, effects),
            VerbLater::Leave => self.leave(asked, effects),
            VerbLater::Hangup => {
                self.hang_up(asked, effects);
                Ok(())
            }
        });
        if let Err(error) = outcome {
            effects.push(Effect::Respond { outcome: Err(error.into()), traits: None });
        }
    }

    /// The participant of a handle, and its room.
    fn seat(&self, handle: HandleId) -> Option<(&Room, &Participant)> {
        let participant = self.attachments.get(&handle)?.participant.as_ref()?;
        Some((self.rooms.get(&participant.room)?, participant))
    }

    /// Who in a room hears of something.
    fn audience(&self, room: &Room, except: Option<HandleId>, hearing: Hearing) -> Vec<HandleId> {
        let hears = |handle: &HandleId| match hearing {
            Hearing::All => true,
            Hearing::Unpaused => self
                .attachments
                .get(handle)
                .and_then(|attachment| attachment.participant.as_ref())
                .is_some_and(|participant| !participant.paused),
        };
        let handles = room.participants.values().copied();
        handles.filter(|handle| Some(*handle) != except && hears(handle)).collect()
    }

    /// Puts a participant into its room, which must exist.
    fn enter(&mut self, handle: HandleId, participant: Participant, effects: &mut Vec<Effect>) {
        let (Some(room), Some(attachment)) = (self.rooms.get_mut(&participant.room), self.attachments.get_mut(&handle))
        else {
            return;
        };
        room.participants.insert(participant.user.clone(), handle);
        attachment.participant = Some(participant);
        self.participants += 1;
        if attachment.connected {
            effects.extend(self.join_media(handle));
        }
    }

    /// Takes the participant of a handle out of its room.
    fn exit(&mut self, handle: HandleId, effects: &mut Vec<Effect>) -> Option<Participant> {
        let attachment = self.attachments.get_mut(&handle)?;
        let participant = attachment.participant.take()?;
        if let Some(room) = self.rooms.get_mut(&participant.room) {
            room.participants.remove(&participant.user);
        }
        self.participants -= 1;
        if attachment.connected {
            effects.push(Effect::Media(MediaCommand::Leave { handle }));
        }
        Some(participant)
    }

    /// Takes the participant of a handle out of its room for good.
    fn send_away(&mut self, handle: HandleId, reason: Departure, effects: &mut Vec<Effect>) -> Option<Participant> {
        let participant = self.exit(handle, effects)?;
        let what = Happening::ParticipantLeft { place: participant.place(), reason };
        effects.push(Effect::Tell { handle: Some(handle), what });
        Some(participant)
    }

    /// Takes the participant of a handle out of its room without its doing; everybody else hears of it.
    fn remove_participant(&mut self, handle: HandleId, reason: Departure, effects: &mut Vec<Effect>) {
        let Some(participant) = self.send_away(handle, reason, effects) else { return };
        let Some(room) = self.rooms.get(&participant.room) else { return };
        let data = response::parting("leaving", &room.id, &participant.user);
        effects.push(Effect::Notify { to: self.audience(room, None, Hearing::All), data });
    }

    fn join_media(&self, handle: HandleId) -> Option<Effect> {
        let (room, participant) = self.seat(handle)?;
        Some(Effect::Media(MediaCommand::Join {
            handle,
            room: room.key,
            room_settings: room.settings.clone(),
            settings: participant.settings(self.attachments.get(&handle)?, room),
        }))
    }

    /// How a participant sounds and hears now, if its media flows.
    fn media_settings(&self, handle: HandleId) -> Option<MemberSettings> {
        let attachment = self.attachments.get(&handle).filter(|attachment| attachment.connected)?;
        let (room, participant) = self.seat(handle)?;
        Some(participant.settings(attachment, room))
    }

    /// Tells the mixer how a participant sounds and hears, if that is another way than `before`.
    fn configure_media(&self, handle: HandleId, before: Option<&MemberSettings>) -> Option<Effect> {
        let settings = self.media_settings(handle).filter(|settings| Some(settings) != before)?;
        Some(Effect::Media(MediaCommand::Configure { handle, settings }))
    }

    /// The settings of a room as they are now, if the mixer has it.
    fn update_media(&self, room: &Room) -> Option<Effect> {
        let is_connected = |handle| self.attachments.get(handle).is_some_and(|attachment| attachment.connected);
        room.participants.values().any(is_connected).then(|| {
            let settings = room.settings.clone();
            Effect::Media(MediaCommand::UpdateRoom { room: room.key, settings })
        })
    }

    /// A participant as notifications show it.
    fn describe(&self, handle: HandleId, participant: &Participant, room: &Room) -> Value {
        let connected = self.attachments.get(&handle).is_some_and(|attachment| attachment.connected);
        response::participant(participant, room, connected, None)
    }

    /// The participants of a room as lists show them.
    fn describe_all(&self, room: &Room, except: Option<HandleId>) -> Vec<Value> {
        let handles = room.participants.values().filter(|handle| Some(**handle) != except);
        let attachments = handles.filter_map(|handle| self.attachments.get(handle));
        attachments
            .filter_map(|attachment| {
                let participant = attachment.participant.as_ref()?;
                let talking = attachment.audio_level.then_some(participant.talking);
                Some(response::participant(participant, room, attachment.connected, talking))
            })
            .collect()
    }
}
