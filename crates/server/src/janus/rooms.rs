//! The rooms of the AudioBridge's file.

use jcfg::Value;

use super::value::{boolean, natural, text, texts};
use super::{Document, JanusConfig, Place};
use crate::config::{ConfigError, Room, RoomId, Secret};

const FORWARDS: &str = "rooms forward to nobody by themselves in this version";
const RECORDS: &str = "nothing is recorded in this version";
const LATER: &str = "this version does not have it, so it is off";

impl JanusConfig {
    /// `room-<id>: { … }` becomes a `[[rooms]]` each. With none, there is none: not even the demo room.
    pub(super) fn take_rooms(&mut self, audiobridge: &Document) -> Result<(), ConfigError> {
        let string_ids = match audiobridge.find("general", "string_ids") {
            Some((place, value)) => boolean(&place, value)?,
            None => false,
        };
        let mut rooms = Vec::new();
        for setting in &audiobridge.group.settings {
            let Some(id) = setting.name.strip_prefix("room-") else { continue };
            let Value::Group(group) = &setting.value else { continue };
            let place =
                Place { file: audiobridge.name.clone(), line: Some(setting.position.line), key: setting.name.clone() };
            let room = match id.parse() {
                Ok(number) if !string_ids => RoomId::Number(number),
                Ok(_) | Err(_) if string_ids => RoomId::Text(id.to_owned()),
                Ok(_) | Err(_) => {
                    self.note(place, "the id of a room is a number, as string_ids is not on: there is no such room");
                    continue;
                }
            };
            let mut room = Room { room, ..Room::default() };
            for setting in &group.settings {
                let place = audiobridge.place(&place.key, setting);
                self.take_property(&mut room, &setting.name, &place, &setting.value)?;
            }
            if let Some((key, right)) = room.problem(string_ids) {
                return Err(ConfigError::foreign(&place, &format!("{key}: must be {right}")));
            }
            rooms.push(toml::Value::Table(written(&room)));
        }
        self.settings.insert("rooms".to_owned(), rooms.into());
        Ok(())
    }

    fn take_property(&mut self, room: &mut Room, name: &str, place: &Place, value: &Value) -> Result<(), ConfigError> {
        let number = || natural(place, value);
        match name {
            "description" => room.description = text(place, value)?,
            "is_private" => room.is_private = boolean(place, value)?,
            "secret" => room.secret = Some(text(place, value)?.into()),
            "pin" => room.pin = Some(text(place, value)?.into()),
            "allowed" => {
                room.allowed = Some(texts(place, value)?.into_iter().map(Secret::from).collect());
            }
            "sampling_rate" | "sampling" => room.sampling_rate = u32::try_from(number()?).unwrap_or(0),
            "spatial_audio" => room.spatial_audio = boolean(place, value)?,
            "audiolevel_ext" => room.audiolevel_ext = boolean(place, value)?,
            "audiolevel_event" => room.audiolevel_event = boolean(place, value)?,
            "audio_active_packets" => room.audio_active_packets = u32::try_from(number()?).unwrap_or(u32::MAX),
            "audio_level_average" => room.audio_level_average = u8::try_from(number()?).unwrap_or(127).min(127),
            // What Janus takes for a mistake, and so for nothing, is the same here.
            "default_expectedloss" => {
                room.default_expectedloss = u8::try_from(number()?).ok().filter(|loss| *loss <= 20).unwrap_or(0);
            }
            "default_bitrate" => {
                let bitrate = u32::try_from(number()?).ok().filter(|bitrate| (500..=512_000).contains(bitrate));
                room.default_bitrate = bitrate.unwrap_or(0);
            }
            "groups" => room.groups = texts(place, value)?,
            "record" | "mjrs" if boolean(place, value)? => self.note(place.clone(), RECORDS),
            "signed_tokens" => room.signed_tokens = boolean(place, value)?,
            "denoise" | "allow_rtp_participants" if boolean(place, value)? => {
                self.note(place.clone(), LATER);
            }
            "record" | "mjrs" | "denoise" | "allow_rtp_participants" => {}
            "record_file" | "record_dir" | "mjrs_dir" => self.note(place.clone(), RECORDS),
            "default_prebuffering" => {
                self.note(place.clone(), "how much is buffered follows from how regularly packets come");
            }
            name if name.starts_with("rtp_forward_") => self.note(place.clone(), FORWARDS),
            _ => self.note(place.clone(), super::keys::UNKNOWN),
        }
        Ok(())
    }
}

/// A room without what it has by default.
fn written(room: &Room) -> toml::Table {
    let table = |room: &Room| toml::Table::try_from(room).unwrap_or_default();
    let default = table(&Room::default());
    table(room).into_iter().filter(|(key, value)| key == "room" || default.get(key) != Some(value)).collect()
}
