//! The shapes of what the AudioBridge says, in the order of keys that clients know.

use serde_json::{Map, Value, json};

use super::participant::Participant;
use super::room::Room;
use crate::core::ids::{RoomId, UserId};

/// A participant, for lists with `talking` where that is known, for notifications without.
pub(super) fn participant(participant: &Participant, room: &Room, connected: bool, talking: Option<bool>) -> Value {
    let mut shown = Map::new();
    shown.insert("id".to_owned(), json!(participant.user));
    if let Some(display) = &participant.display {
        shown.insert("display".to_owned(), display.as_str().into());
    }
    shown.insert("setup".to_owned(), connected.into());
    shown.insert("muted".to_owned(), participant.muted.into());
    if let Some(talking) = talking {
        shown.insert("talking".to_owned(), talking.into());
    }
    if room.settings.stereo {
        shown.insert("spatial_position".to_owned(), participant.position.into());
    }
    if participant.suspended {
        shown.insert("suspended".to_owned(), true.into());
    }
    Value::Object(shown)
}

/// A room in the list of rooms.
pub(super) fn listed_room(room: &Room) -> Value {
    json!({
        "room": room.id,
        "description": room.description,
        "sampling_rate": room.settings.sampling_rate,
        "spatial_audio": room.settings.stereo,
        "pin_required": room.pin.is_some(),
        "record": room.recording.record,
        "muted": room.settings.muted,
        "num_participants": room.participants.len(),
    })
}

/// `success`, and nothing to say about it.
pub(super) fn success() -> Value {
    json!({"audiobridge": "success"})
}

pub(super) fn success_in(room: &RoomId) -> Value {
    json!({"audiobridge": "success", "room": room})
}

/// A change to the room itself: `created`, `edited`, `destroyed`.
pub(super) fn room_changed(what: &str, room: &RoomId, permanent: bool) -> Value {
    json!({"audiobridge": what, "room": room, "permanent": permanent})
}

pub(super) fn destroyed(room: &RoomId) -> Value {
    json!({"audiobridge": "destroyed", "room": room})
}

/// To those who were in the room already.
pub(super) fn joined(room: &RoomId, newcomer: Value) -> Value {
    json!({"audiobridge": "joined", "room": room, "participants": [newcomer]})
}

/// To the newcomer itself: `joined` or `roomchanged`.
pub(super) fn entered(what: &str, room: &RoomId, user: &UserId, others: Vec<Value>) -> Value {
    json!({"audiobridge": what, "room": room, "id": user, "participants": others})
}

pub(super) fn participants(room: &RoomId, all: Vec<Value>) -> Value {
    json!({"audiobridge": "participants", "room": room, "participants": all})
}

pub(super) fn participant_update(room: &RoomId, participant: Value) -> Value {
    json!({"audiobridge": "event", "room": room, "participants": [participant]})
}

pub(super) fn room_muted(room: &RoomId, muted: bool) -> Value {
    json!({"audiobridge": "event", "room": room, "muted": muted})
}

/// Somebody went, or is made to: `leaving`, `kicked`, `kicked_all`.
pub(super) fn parting(how: &str, room: &RoomId, user: &UserId) -> Value {
    let mut data = Map::new();
    data.insert("audiobridge".to_owned(), "event".into());
    data.insert("room".to_owned(), json!(room));
    data.insert(how.to_owned(), json!(user));
    Value::Object(data)
}

/// Somebody is `suspended` or `resumed`.
pub(super) fn suspension(what: &str, room: &RoomId, user: &UserId) -> Value {
    parting(what, room, user)
}

/// To somebody `resumed` who has not heard what went on in the room: who is there.
pub(super) fn recap(room: &RoomId, user: &UserId, others: Vec<Value>) -> Value {
    json!({"audiobridge": "event", "room": room, "resumed": user, "participants": others})
}

pub(super) fn talking(room: &RoomId, user: &UserId, talking: bool) -> Value {
    let what = if talking { "talking" } else { "stopped-talking" };
    json!({"audiobridge": what, "room": room, "id": user})
}

pub(super) fn left(room: &RoomId, user: &UserId) -> Value {
    json!({"audiobridge": "left", "room": room, "id": user})
}

pub(super) fn configured() -> Value {
    json!({"audiobridge": "event", "result": "ok"})
}

pub(super) fn hanging_up() -> Value {
    json!({"audiobridge": "hangingup"})
}
