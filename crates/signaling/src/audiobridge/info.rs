//! What an operator sees of a handle in `handle_info`.

use serde_json::{Map, Value, json};

use super::AudioBridge;
use crate::core::ids::HandleId;

impl AudioBridge {
    pub(crate) fn describe_handle(&self, handle: HandleId) -> Value {
        let mut info = Map::new();
        let mut tell = |key: &str, value: Value| {
            info.insert(key.to_owned(), value);
        };
        let attachment = self.attachments.get(&handle);
        let connected = attachment.is_some_and(|attachment| attachment.connected);
        let participant = attachment.and_then(|attachment| Some((attachment, attachment.participant.as_ref()?)));
        tell("state", if participant.is_some() { "inroom" } else { "idle" }.into());
        if let Some((attachment, participant)) = participant {
            tell("room", json!(participant.room));
            tell("id", json!(participant.user));
            if let Some(group) = &participant.group {
                tell("group", group.as_str().into());
            }
            if let Some(display) = &participant.display {
                tell("display", display.as_str().into());
            }
            if participant.admin {
                tell("admin", true.into());
            }
            tell("muted", participant.muted.into());
            tell("active", connected.into());
            if self.seat(handle).is_some_and(|(room, _)| room.settings.stereo) {
                tell("spatial_position", participant.position.into());
            }
            if attachment.audio_level {
                tell("talking", participant.talking.into());
            }
            if participant.denoise {
                tell("denoise", true.into());
            }
            tell("fec", attachment.fec.into());
            if participant.expected_loss > 0 {
                tell("expected-loss", participant.expected_loss.into());
            }
            if let Some(bitrate) = participant.bitrate {
                tell("opus-bitrate", bitrate.into());
            }
            tell("suspended", participant.suspended.into());
        }
        tell("started", connected.into());
        tell("hangingup", false.into());
        tell("destroyed", false.into());
        Value::Object(info)
    }
}
