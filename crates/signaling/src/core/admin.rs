//! The admin requests: what an operator may ask and do. Knows the core from within, but no transport.

mod handle_info;
mod settings;
mod tokens;
mod transport;

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::asked::RequestKind;
use super::errand::{Errand, Task};
use super::error::Error;
use super::field::Required;
use super::handle::CLOSED_BY_OPERATOR;
use super::ids::{HandleId, SessionId};
use super::message::{self, Envelope, HandleField};
use super::notice::{Happening, SessionEnd};
use super::plugin::{Call, Plugin, Reply};
use super::{Core, LogLevel, Output, Source, same_secret};
pub(super) use settings::Idle;
use settings::Setting;
use tokens::TokenVerb;

/// What an operator may ask, by name.
pub(super) const VERBS: [&str; 38] = [
    "accept_new_sessions",
    "add_token",
    "allow_token",
    "custom_event",
    "custom_logline",
    "destroy_session",
    "detach_handle",
    "disallow_token",
    "get_status",
    "handle_info",
    "hangup_webrtc",
    "info",
    "list_handles",
    "list_sessions",
    "list_tokens",
    "loops_info",
    "message_plugin",
    "ping",
    "query_eventhandler",
    "query_logger",
    "query_transport",
    "remove_token",
    "resolve_address",
    "set_locking_debug",
    "set_log_colors",
    "set_log_level",
    "set_log_timestamps",
    "set_min_nack_queue",
    "set_nack_optimizations",
    "set_no_media_timer",
    "set_refcount_debug",
    "set_session_timeout",
    "set_slowlink_threshold",
    "start_pcap",
    "start_text2pcap",
    "stop_pcap",
    "stop_text2pcap",
    "test_stun",
];

/// Requests about the server.
#[derive(Clone, Copy, Debug)]
enum ServerVerb {
    MessagePlugin,
    GetStatus,
    ListSessions,
    LoopsInfo,
    Set(Setting),
    Token(TokenVerb),
    QueryTransport,
    QueryEventHandler,
    QueryLogger,
    ResolveAddress,
    TestStun,
    CustomEvent,
    CustomLogLine,
}

/// Requests about a session.
#[derive(Clone, Copy, Debug)]
enum SessionVerb {
    ListHandles,
    SetTimeout,
    Destroy,
}

/// Requests about a handle.
#[derive(Clone, Copy, Debug)]
enum HandleVerb {
    Info,
    HangUp,
    Detach,
    StartCapture,
    StopCapture,
}

impl ServerVerb {
    fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "message_plugin" => Self::MessagePlugin,
            "get_status" => Self::GetStatus,
            "list_sessions" => Self::ListSessions,
            "loops_info" => Self::LoopsInfo,
            "query_transport" => Self::QueryTransport,
            "query_eventhandler" => Self::QueryEventHandler,
            "query_logger" => Self::QueryLogger,
            "resolve_address" => Self::ResolveAddress,
            "test_stun" => Self::TestStun,
            "custom_event" => Self::CustomEvent,
            "custom_logline" => Self::CustomLogLine,
            name => return Setting::parse(name).map(Self::Set).or_else(|| TokenVerb::parse(name).map(Self::Token)),
        })
    }
}

impl SessionVerb {
    fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "list_handles" => Self::ListHandles,
            "set_session_timeout" => Self::SetTimeout,
            "destroy_session" => Self::Destroy,
            _ => return None,
        })
    }
}

impl HandleVerb {
    fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "handle_info" => Self::Info,
            "hangup_webrtc" => Self::HangUp,
            "detach_handle" => Self::Detach,
            "start_pcap" | "start_text2pcap" => Self::StartCapture,
            "stop_pcap" | "stop_text2pcap" => Self::StopCapture,
            _ => return None,
        })
    }
}

impl Core {
    /// The reply, or `None` when it comes later.
    pub(super) fn execute_admin(
        &mut self,
        source: Source,
        envelope: &Envelope,
        now: Instant,
    ) -> Result<Option<Value>, Error> {
        if envelope.session == 0 && !matches!(envelope.handle, HandleField::Given(_)) {
            if envelope.is("info") {
                return Ok(Some(self.server_info(&envelope.transaction)));
            }
            if envelope.is("ping") {
                return Ok(Some(json!({"janus": "pong", "transaction": envelope.transaction})));
            }
        }
        self.authorize_admin(envelope)?;
        let message = match (envelope.session, envelope.handle) {
            (0, HandleField::Given(_)) => return Err(Error::session_not_found()),
            (0, HandleField::Absent | HandleField::Invalid) => self.administer_server(source, envelope, now)?,
            // Janus takes a handle id that is none for a session that is none.
            (_, HandleField::Invalid) => return Err(Error::session_not_found()),
            (_, HandleField::Absent) => {
                let id = self.existing_session(envelope.session)?;
                Some(self.administer_session(envelope, id, now)?)
            }
            (_, HandleField::Given(handle)) => {
                let id = self.existing_session(envelope.session)?;
                if self.handles.get(&handle).is_none_or(|handle| handle.session != id) {
                    return Err(Error::no_such_handle(handle.0, id.0));
                }
                Some(self.administer_handle(envelope, id, handle, now)?)
            }
        };
        Ok(message.map(Value::Object))
    }

    fn existing_session(&self, id: i64) -> Result<SessionId, Error> {
        let known = u64::try_from(id).map(SessionId).ok().filter(|id| self.sessions.contains_key(id));
        known.ok_or_else(|| Error::no_such_session(id))
    }

    fn administer_server(
        &mut self,
        source: Source,
        envelope: &Envelope,
        now: Instant,
    ) -> Result<Option<Map<String, Value>>, Error> {
        let verb = ServerVerb::parse(&envelope.verb).ok_or_else(|| Error::unhandled(&envelope.verb))?;
        let fields = envelope.fields();
        let mut message = message::succeeded(None, &envelope.transaction);
        let mut tell = |key: &str, value: Value| {
            message.insert(key.to_owned(), value);
        };
        match verb {
            ServerVerb::MessagePlugin => match self.message_plugin(source, envelope, now)? {
                Some(response) => tell("response", response),
                None => return Ok(None),
            },
            ServerVerb::GetStatus => tell("status", self.status()),
            ServerVerb::ListSessions => {
                let sessions: Vec<_> = self.sessions.keys().map(|id| id.0).collect();
                tell("sessions", sessions.into());
            }
            // There are none that are made at the start and shared.
            ServerVerb::LoopsInfo => tell("loops", json!([])),
            ServerVerb::Set(setting) => {
                let (key, value) = self.set(setting, fields)?;
                tell(key, value);
            }
            ServerVerb::Token(verb) => {
                if let Some(data) = self.administer_tokens(verb, fields)? {
                    tell("data", data);
                }
            }
            ServerVerb::QueryTransport => match self.query_transport(source, envelope)? {
                Some(response) => tell("response", response),
                None => return Ok(None),
            },
            ServerVerb::ResolveAddress => {
                let task = Task::Resolve(fields.string("address").required("address")?.to_owned());
                let transaction = envelope.transaction.clone();
                self.outputs.push_back(Output::Errand(Errand { to: source, task, transaction }));
                return Ok(None);
            }
            ServerVerb::TestStun => {
                let host = fields.string("address").required("address")?.to_owned();
                let port = fields.natural("port").required("port")?;
                let local_port = fields.natural("localport")?.unwrap_or(0);
                let (Ok(port), Ok(local_port)) = (port.try_into(), local_port.try_into()) else {
                    return Err(Error::no_stun_answer());
                };
                let task = Task::TestStun { host, port, local_port };
                let transaction = envelope.transaction.clone();
                self.outputs.push_back(Output::Errand(Errand { to: source, task, transaction }));
                return Ok(None);
            }
            ServerVerb::QueryEventHandler => {
                fields.string("handler").required("handler")?;
                fields.object("request")?;
                return Err(Error::invalid_event_handler());
            }
            ServerVerb::QueryLogger => {
                fields.string("logger").required("logger")?;
                fields.object("request")?;
                return Err(Error::invalid_logger());
            }
            ServerVerb::CustomEvent => {
                let schema = fields.string("schema").required("schema")?.into();
                let data = fields.object("data").required("data")?.clone().into();
                self.tell(Happening::Custom { schema, data });
            }
            ServerVerb::CustomLogLine => {
                let line = fields.string("line").required("line")?.to_owned();
                let level = fields.natural("level")?.map_or(LogLevel::INFO, LogLevel::at_most);
                self.outputs.push_back(Output::LogLine { level, line });
            }
        }
        Ok(Some(message))
    }

    fn administer_session(
        &mut self,
        envelope: &Envelope,
        id: SessionId,
        now: Instant,
    ) -> Result<Map<String, Value>, Error> {
        let verb = SessionVerb::parse(&envelope.verb).ok_or_else(|| Error::unhandled(&envelope.verb))?;
        let mut message = message::succeeded(Some(id), &envelope.transaction);
        match verb {
            SessionVerb::ListHandles => {
                let handles = self.sessions.get(&id).into_iter().flat_map(|session| &session.handles);
                let handles: Vec<_> = handles.map(|id| id.0).collect();
                message.insert("handles".to_owned(), handles.into());
            }
            SessionVerb::SetTimeout => {
                let timeout = envelope.fields().integer("timeout").required("timeout")?;
                let own = match timeout {
                    -1 => None,
                    timeout => {
                        let seconds = u64::try_from(timeout).map_err(|_| Error::no_session_timeout())?;
                        Some(Duration::from_secs(seconds))
                    }
                };
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.timeout = own;
                }
                message.insert("timeout".to_owned(), timeout.into());
            }
            SessionVerb::Destroy => self.end_session(id, SessionEnd::ByOperator, now),
        }
        Ok(message)
    }

    fn administer_handle(
        &mut self,
        envelope: &Envelope,
        session: SessionId,
        id: HandleId,
        now: Instant,
    ) -> Result<Map<String, Value>, Error> {
        let verb = HandleVerb::parse(&envelope.verb).ok_or_else(|| Error::unhandled(&envelope.verb))?;
        let fields = envelope.fields();
        let mut message = message::succeeded(Some(session), &envelope.transaction);
        match verb {
            HandleVerb::Info => {
                let plugin_only = fields.boolean("plugin_only")?.unwrap_or(false);
                message.insert("handle_id".to_owned(), id.0.into());
                message.insert("info".to_owned(), self.handle_info(session, id, plugin_only, now));
            }
            HandleVerb::HangUp => self.close_peer(id, CLOSED_BY_OPERATOR, now),
            HandleVerb::Detach => self.detach(session, id, now),
            HandleVerb::StartCapture => {
                fields.string("folder")?;
                fields.string("filename")?;
                fields.natural("truncate")?;
                return Err(Error::no_captures());
            }
            HandleVerb::StopCapture => return Err(Error::capture_not_started()),
        }
        Ok(message)
    }

    /// A synchronous plugin request without a handle.
    fn message_plugin(&mut self, source: Source, envelope: &Envelope, now: Instant) -> Result<Option<Value>, Error> {
        let package = envelope.fields().string("plugin").required("plugin")?;
        let request = envelope.fields().object("request")?;
        let plugin = Plugin::parse(package).ok_or_else(Error::invalid_plugin)?;
        let empty = Map::new();
        let call = Call { handle: None, body: request.unwrap_or(&empty), jsep: None, offerer: None, client: None, now };
        let kind = RequestKind::of_plugin(plugin, call.body);
        let mut effects = Vec::new();
        let reply = self.ask_plugin(plugin, call, &mut effects);
        self.count_reply(kind, &reply, &effects);
        self.perform(effects, None, now);
        Ok(match reply {
            Reply::Now(outcome) | Reply::Last(outcome) => Some(self.plugin_data(None, outcome)),
            Reply::Stored(storing) => {
                let storing = storing.map(|response| {
                    let mut message = message::succeeded(None, &envelope.transaction);
                    message.insert("response".to_owned(), response);
                    Value::Object(message)
                });
                self.outputs.push_back(Output::Store { to: source, storing });
                None
            }
            Reply::Later => Some(json!({})),
        })
    }

    fn authorize_admin(&self, envelope: &Envelope) -> Result<(), Error> {
        let given = envelope.fields.get("admin_secret").and_then(Value::as_str);
        let is_right = match &self.config.admin_secret {
            None => true,
            Some(secret) => given.is_some_and(|given| same_secret(secret, given)),
        };
        if is_right { Ok(()) } else { Err(Error::unauthorized()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_that_is_counted_is_one() {
        for verb in VERBS.into_iter().filter(|verb| !["info", "ping"].contains(verb)) {
            let is_known = ServerVerb::parse(verb).is_some()
                || SessionVerb::parse(verb).is_some()
                || HandleVerb::parse(verb).is_some();
            assert!(is_known, "{verb}");
        }
    }
}
