//! Recording as a state of rooms: what shall be recorded is known and told. Nothing is written yet.

use serde_json::{Value, json};

use super::AudioBridge;
use super::error::Error;
use super::request::{Body, EnableMjrs, EnableRecording};
use super::room::Room;
use crate::core::ids::RoomId;

impl AudioBridge {
    pub(super) fn enable_recording(&mut self, body: Body<'_>) -> Result<Value, Error> {
        let request = EnableRecording::parse(body)?;
        let recording = &mut self.managed_mut(&request.room, body)?.recording;
        // Where a recording goes is settled when it begins.
        if request.record && !recording.record {
            recording.record_file = request.record_file;
            recording.record_dir = request.record_dir;
        }
        recording.record = request.record;
        Ok(json!({"audiobridge": "success", "record": request.record}))
    }

    pub(super) fn enable_mjrs(&mut self, body: Body<'_>) -> Result<Value, Error> {
        let request = EnableMjrs::parse(body)?;
        let recording = &mut self.managed_mut(&request.room, body)?.recording;
        if request.mjrs && !recording.mjrs {
            recording.mjrs_dir = request.mjrs_dir;
        }
        recording.mjrs = request.mjrs;
        Ok(json!({"audiobridge": "success", "mjrs": request.mjrs}))
    }

    /// A room that the sender of `body` may change.
    fn managed_mut(&mut self, id: &RoomId, body: Body<'_>) -> Result<&mut Room, Error> {
        let room = self.rooms.get_mut(id).ok_or_else(|| Error::no_such_room(id))?;
        body.check_secret("secret", room.secret.as_deref())?;
        Ok(room)
    }
}
