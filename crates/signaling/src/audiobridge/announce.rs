//! Playing files into a room: what is asked is checked in full. There are no announcements yet.

use serde_json::{Value, json};

use super::AudioBridge;
use super::error::Error;
use super::request::{Body, FileRequest, PlayRequest, announcing_room};
use super::session::require_group;

impl AudioBridge {
    pub(super) fn play_file(&self, body: Body<'_>) -> Result<Value, Error> {
        let request = PlayRequest::parse(body, self.play_key())?;
        let room = self.managed(&request.room, body)?;
        require_group(room, request.group)?;
        Err(Error::unsupported("play_file"))
    }

    pub(super) fn is_playing(&self, body: Body<'_>) -> Result<Value, Error> {
        let request = FileRequest::parse(body, self.play_key())?;
        let room = self.managed(&request.room, body)?;
        Ok(json!({"audiobridge": "success", "room": room.id, "file_id": request.file, "playing": false}))
    }

    /// Succeeds for what is unknown, which every file is.
    pub(super) fn stop_file(&self, body: Body<'_>) -> Result<Value, Error> {
        let request = FileRequest::parse(body, self.play_key())?;
        let room = self.managed(&request.room, body)?;
        Ok(json!({"audiobridge": "success", "room": room.id, "file_id": request.file}))
    }

    pub(super) fn stop_all_files(&self, body: Body<'_>) -> Result<Value, Error> {
        let room = self.managed(&announcing_room(body, self.play_key())?, body)?;
        Ok(json!({"audiobridge": "success", "room": room.id, "file_id_list": []}))
    }

    pub(super) fn list_announcements(&self, body: Body<'_>) -> Result<Value, Error> {
        let room = self.managed(&body.room()?, body)?;
        Ok(json!({"audiobridge": "announcements", "room": room.id, "announcements": []}))
    }

    /// The admin key, where playing files needs it.
    fn play_key(&self) -> Option<&str> {
        self.admin_key.as_deref().filter(|_| self.lock_play_file)
    }
}
