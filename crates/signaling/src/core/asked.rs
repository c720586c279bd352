//! What was asked, as it is counted: by API, verb and code. Clients may write what they like for a verb, so that only
//! known ones have a count of their own. Must not know what a request does.

use serde_json::{Map, Value};

use super::admin;
use super::operator::Operation;
use super::plugin::Plugin;
use crate::audiobridge;

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestApi {
    /// The core of the Janus API.
    Janus,
    /// The AudioBridge, by a message to it.
    AudioBridge,
    /// The EchoTest.
    EchoTest,
    /// The admin API.
    Admin,
    /// The REST API.
    Rest,
}

impl RequestApi {
    /// Its name in the metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Janus => "janus",
            Self::AudioBridge => "audiobridge",
            Self::EchoTest => "echotest",
            Self::Admin => "admin",
            Self::Rest => "rest",
        }
    }
}

/// What is asked of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestKind {
    /// Who is asked.
    pub api: RequestApi,
    /// The name of the request; `other` if it has none that is known.
    pub verb: &'static str,
}

/// The verbs of the Janus API.
const JANUS: [&str; 11] =
    ["attach", "claim", "create", "destroy", "detach", "hangup", "info", "keepalive", "message", "ping", "trickle"];
/// What has no name that is known.
const OTHER: &str = "other";
/// An offer or answer on which the media planes had the last word.
const NEGOTIATION: &str = "negotiation";
/// The one request of the EchoTest has no name.
const ECHO: &str = "echo";

impl RequestKind {
    pub(crate) fn janus(verb: &str) -> Self {
        Self { api: RequestApi::Janus, verb: known(&JANUS, verb) }
    }

    pub(crate) fn admin(verb: &str) -> Self {
        Self { api: RequestApi::Admin, verb: known(&admin::VERBS, verb) }
    }

    /// Of a message to a plugin.
    pub(crate) fn of_plugin(plugin: Plugin, body: &Map<String, Value>) -> Self {
        let name = body.get("request").and_then(Value::as_str);
        let verb = match plugin {
            Plugin::AudioBridge => name.and_then(audiobridge::known_request).unwrap_or(OTHER),
            Plugin::EchoTest => ECHO,
        };
        Self { api: api_of(plugin), verb }
    }

    pub(crate) fn negotiation(plugin: Plugin) -> Self {
        Self { api: api_of(plugin), verb: NEGOTIATION }
    }

    pub(crate) fn operation(operation: &Operation) -> Self {
        Self { api: RequestApi::Rest, verb: operation.name() }
    }
}

fn api_of(plugin: Plugin) -> RequestApi {
    match plugin {
        Plugin::AudioBridge => RequestApi::AudioBridge,
        Plugin::EchoTest => RequestApi::EchoTest,
    }
}

fn known(names: &[&'static str], verb: &str) -> &'static str {
    names.iter().find(|name| name.eq_ignore_ascii_case(verb)).copied().unwrap_or(OTHER)
}
