//! Forwarding the mix as RTP: what is asked is checked in full. There are no forwarders yet.

use serde_json::{Value, json};

use super::AudioBridge;
use super::error::Error;
use super::request::{Body, ForwardRequest, StopForwardRequest};
use super::session::check_group;

impl AudioBridge {
    pub(super) fn rtp_forward(&self, body: Body<'_>) -> Result<Value, Error> {
        let request = ForwardRequest::parse(body, self.forward_key())?;
        let room = self.rooms.get(&request.room).ok_or_else(|| Error::no_such_room_to_forward(&request.room))?;
        body.check_secret("secret", room.secret.as_deref())?;
        if request.group.is_some_and(|group| check_group(room, group).is_err()) {
            return Err(Error::no_such_group_to_forward());
        }
        Err(Error::unsupported("rtp_forward"))
    }

    /// Succeeds for what is unknown, which every stream is.
    pub(super) fn stop_rtp_forward(&self, body: Body<'_>) -> Result<Value, Error> {
        let request = StopForwardRequest::parse(body, self.forward_key())?;
        let room = self.managed(&request.room, body)?;
        Ok(json!({"audiobridge": "success", "room": room.id, "stream_id": request.stream}))
    }

    pub(super) fn list_forwarders(&self, body: Body<'_>) -> Result<Value, Error> {
        let room = self.managed(&body.room()?, body)?;
        Ok(json!({"audiobridge": "forwarders", "room": room.id, "rtp_forwarders": []}))
    }

    /// The admin key, where forwarding needs it.
    fn forward_key(&self) -> Option<&str> {
        self.admin_key.as_deref().filter(|_| self.lock_rtp_forward)
    }
}
