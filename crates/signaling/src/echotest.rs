//! The EchoTest plugin: who attaches hears itself. Knows no session of the core and no transport; what shall happen
//! outside it says in [`Effect`]s.

mod error;
mod request;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(crate) use error::Error;

use crate::core::effect::Effect;
use crate::core::ids::HandleId;
use crate::core::media::{AnswerTraits, MediaCommand};
use crate::core::plugin::{Call, Reply};
use request::Request;

/// The plugin.
#[derive(Debug, Default)]
pub(crate) struct EchoTest {
    echoes: BTreeMap<HandleId, Echo>,
}

/// What a handle hears of itself.
#[derive(Debug)]
struct Echo {
    audio: bool,
    connected: bool,
}

impl Default for Echo {
    fn default() -> Self {
        Self { audio: true, connected: false }
    }
}

impl EchoTest {
    pub(crate) fn attach(&mut self, handle: HandleId) {
        self.echoes.insert(handle, Echo::default());
    }

    pub(crate) fn detach(&mut self, handle: HandleId) {
        self.echoes.remove(&handle);
    }

    /// The one request there is. An operator, who has no handle, gets back what it sent.
    pub(crate) fn handle_message(&mut self, call: Call<'_>, effects: &mut Vec<Effect>) -> Reply {
        let Some(handle) = call.handle else { return Reply::Now(Ok(Value::Object(call.body.clone()))) };
        let (outcome, traits) = match Request::parse(call) {
            Ok(request) => {
                self.apply(handle, request, effects);
                (Ok(json!({"echotest": "event", "result": "ok"})), Some(AnswerTraits::Echo))
            }
            Err(error) => (Err(error.into()), None),
        };
        effects.push(Effect::Respond { outcome, traits });
        Reply::Later
    }

    /// The PeerConnection of a handle is up.
    pub(crate) fn peer_connected(&mut self, handle: HandleId, effects: &mut Vec<Effect>) {
        let Some(echo) = self.echoes.get_mut(&handle) else { return };
        echo.connected = true;
        effects.push(Effect::Media(MediaCommand::Echo { handle, echo: echo.audio }));
    }

    /// The PeerConnection of a handle is no more.
    pub(crate) fn peer_closed(&mut self, handle: HandleId, effects: &mut Vec<Effect>) {
        let Some(echo) = self.echoes.get_mut(&handle) else { return };
        *echo = Echo::default();
        effects.push(Effect::Notify { to: vec![handle], data: json!({"echotest": "event", "result": "done"}) });
    }

    /// What an operator sees of a handle in `handle_info`.
    pub(crate) fn describe_handle(&self, handle: HandleId) -> Value {
        let audio = self.echoes.get(&handle).is_some_and(|echo| echo.audio);
        json!({"audio_active": audio, "video_active": false, "hangingup": false, "destroyed": false})
    }

    fn apply(&mut self, handle: HandleId, request: Request, effects: &mut Vec<Effect>) {
        let (Some(audio), Some(echo)) = (request.audio, self.echoes.get_mut(&handle)) else { return };
        if std::mem::replace(&mut echo.audio, audio) != audio && echo.connected {
            effects.push(Effect::Media(MediaCommand::Echo { handle, echo: audio }));
        }
    }
}
