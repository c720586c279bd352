//! The plugins that handles are attached to, and the way from the core to each of them. The only file that lists them;
//! knows nothing of what they do.

use std::net::IpAddr;
use std::time::Instant;

use serde_json::{Map, Value};

use super::Core;
use super::counters::Limit;
use super::effect::Effect;
use super::ids::HandleId;
use super::jsep::{Jsep, Offerer};
use super::media::Settled;
use super::store::Storing;
use crate::{audiobridge, echotest};

/// A plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Plugin {
    /// Rooms with mixed audio.
    AudioBridge,
    /// One's own audio back.
    EchoTest,
}

/// A request to a plugin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// `None` when an operator asks without one.
    pub(crate) handle: Option<HandleId>,
    pub(crate) body: &'a Map<String, Value>,
    pub(crate) jsep: Option<&'a Jsep>,
    /// Who makes the offers of the handle's PeerConnection, if it has one.
    pub(crate) offerer: Option<Offerer>,
    /// Where it comes from, where that counts.
    pub(crate) client: Option<IpAddr>,
    pub(crate) now: Instant,
}

/// What comes of it.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The reply, which goes before the effects.
    Now(Result<Value, Refusal>),
    /// The reply, which goes after the effects.
    Last(Result<Value, Refusal>),
    /// The reply, which goes after the effects and once the change is stored.
    Stored(Storing<Value>),
    /// An event, which is among the effects.
    Later,
}

impl Reply {
    /// Why the request is refused, if it is; that may be in the event that answers it.
    pub(super) fn refusal<'a>(&'a self, effects: &'a [Effect]) -> Option<&'a Refusal> {
        match self {
            Self::Now(outcome) | Self::Last(outcome) => outcome.as_ref().err(),
            Self::Stored(_) => None,
            Self::Later => effects.iter().find_map(Effect::outcome)?.as_ref().err(),
        }
    }
}

/// What a plugin refuses a request with. Each has codes of its own.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    /// As clients get it, within a reply or an event.
    pub(crate) data: Value,
    /// What there would have been too much of.
    pub(crate) limit: Option<Limit>,
}

impl Plugin {
    pub(crate) const ALL: [Self; 2] = [Self::AudioBridge, Self::EchoTest];

    /// The name that clients attach to.
    pub(crate) fn package(self) -> &'static str {
        match self {
            Self::AudioBridge => "janus.plugin.audiobridge",
            Self::EchoTest => "janus.plugin.echotest",
        }
    }

    pub(super) fn parse(package: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plugin| plugin.package() == package)
    }

    /// What the acknowledgement of an asynchronous request says besides.
    pub(super) fn hint(self) -> Option<&'static str> {
        match self {
            Self::AudioBridge => None,
            Self::EchoTest => Some("I'm taking my time!"),
        }
    }

    /// The media plane can make nothing of an offer.
    pub(super) fn refused_offer(self, reason: String) -> Refusal {
        match self {
            Self::AudioBridge => audiobridge::Error::refused_offer(reason).into(),
            Self::EchoTest => echotest::Error::refused_offer(reason).into(),
        }
    }

    /// The PeerConnection ended while its offer was under way.
    pub(super) fn closed_unanswered(self) -> Refusal {
        match self {
            Self::AudioBridge => audiobridge::Error::closed_unanswered().into(),
            Self::EchoTest => echotest::Error::closed_unanswered().into(),
        }
    }
}

impl Core {
    pub(super) fn ask_plugin(&mut self, plugin: Plugin, call: Call<'_>, effects: &mut Vec<Effect>) -> Reply {
        match plugin {
            Plugin::AudioBridge => self.audiobridge.handle_message(call, &mut self.ids, effects),
            Plugin::EchoTest => self.echotest.handle_message(call, effects),
        }
    }

    pub(super) fn plugin_attached(&mut self, plugin: Plugin, handle: HandleId) {
        match plugin {
            Plugin::AudioBridge => self.audiobridge.attach(handle),
            Plugin::EchoTest => self.echotest.attach(handle),
        }
    }

    pub(super) fn plugin_detached(&mut self, plugin: Plugin, handle: HandleId, now: Instant) {
        let mut effects = Vec::new();
        match plugin {
            Plugin::AudioBridge => self.audiobridge.detach(handle, &mut effects),
            Plugin::EchoTest => self.echotest.detach(handle),
        }
        self.perform(effects, None, now);
    }

    pub(super) fn plugin_answered(&mut self, handle: HandleId, settled: Settled, now: Instant) {
        let mut effects = Vec::new();
        match self.plugin(handle) {
            Some(Plugin::AudioBridge) => self.audiobridge.peer_answered(handle, settled, &mut effects),
            Some(Plugin::EchoTest) | None => {}
        }
        self.perform(effects, None, now);
    }

    pub(super) fn plugin_connected(&mut self, handle: HandleId, now: Instant) {
        let mut effects = Vec::new();
        match self.plugin(handle) {
            Some(Plugin::AudioBridge) => self.audiobridge.peer_connected(handle, &mut effects),
            Some(Plugin::EchoTest) => self.echotest.peer_connected(handle, &mut effects),
            None => {}
        }
        self.perform(effects, None, now);
    }

    pub(super) fn plugin_closed(&mut self, handle: HandleId, now: Instant) {
        let mut effects = Vec::new();
        match self.plugin(handle) {
            Some(Plugin::AudioBridge) => self.audiobridge.peer_closed(handle, &mut effects),
            Some(Plugin::EchoTest) => self.echotest.peer_closed(handle, &mut effects),
            None => {}
        }
        self.perform(effects, None, now);
    }

    /// What an operator sees of the handle.
    pub(super) fn describe_in_plugin(&self, plugin: Plugin, handle: HandleId) -> Value {
        match plugin {
            Plugin::AudioBridge => self.audiobridge.describe_handle(handle),
            Plugin::EchoTest => self.echotest.describe_handle(handle),
        }
    }

    pub(super) fn plugin(&self, handle: HandleId) -> Option<Plugin> {
        self.handles.get(&handle).map(|handle| handle.plugin)
    }
}
