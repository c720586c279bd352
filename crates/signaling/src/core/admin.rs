//! The admin requests: what an operator may ask and do. Knows the core from within, but no transport.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::error::Error;
use super::field::Required;
use super::handle::Handle;
use super::ids::{HandleId, SessionId};
use super::message::{self, Envelope, HandleField};
use super::plugin::{Call, Plugin, Reply};
use super::session::Session;
use super::{Core, Output, Owner, Source, same_secret};

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
        match (envelope.session, envelope.handle) {
            (0, HandleField::Given(_)) => Err(Error::session_not_found()),
            (0, HandleField::Absent | HandleField::Invalid) => self.administer_server(source, envelope, now),
            // Janus takes a handle id that is none for a session that is none.
            (_, HandleField::Invalid) => Err(Error::session_not_found()),
            (_, HandleField::Absent | HandleField::Given(_)) => self.administer_session(envelope, now).map(Some),
        }
    }

    fn administer_server(&mut self, source: Source, envelope: &Envelope, now: Instant) -> Result<Option<Value>, Error> {
        let mut message = message::succeeded(None, &envelope.transaction);
        if envelope.is("message_plugin") {
            return self.message_plugin(source, envelope, now);
        } else if envelope.is("list_sessions") {
            let sessions: Vec<_> = self.sessions.keys().map(|id| id.0).collect();
            message.insert("sessions".to_owned(), sessions.into());
        } else if envelope.is("accept_new_sessions") {
            self.accepting = envelope.fields().boolean("accept").required("accept")?;
            message.insert("accept".to_owned(), self.accepting.into());
        } else {
            return Err(Error::unhandled(&envelope.verb));
        }
        Ok(Some(Value::Object(message)))
    }

    fn administer_session(&self, envelope: &Envelope, now: Instant) -> Result<Value, Error> {
        let id = u64::try_from(envelope.session).map(SessionId).ok();
        let Some((id, session)) = id.and_then(|id| Some((id, self.sessions.get(&id)?))) else {
            return Err(Error::no_such_session(envelope.session));
        };
        let mut message = message::succeeded(None, &envelope.transaction);
        message.insert("session_id".to_owned(), id.0.into());
        match envelope.handle {
            HandleField::Given(handle) => {
                let subject = self.handles.get(&handle).filter(|_| session.handles.contains(&handle));
                let subject = subject.ok_or_else(|| Error::no_such_handle(handle.0, id.0))?;
                if !envelope.is("handle_info") {
                    return Err(Error::unhandled(&envelope.verb));
                }
                let plugin_only = envelope.fields().boolean("plugin_only")?.unwrap_or(false);
                message.insert("handle_id".to_owned(), handle.0.into());
                let info = self.handle_info(id, session, handle, subject, plugin_only, now);
                message.insert("info".to_owned(), info);
            }
            HandleField::Absent | HandleField::Invalid => {
                if !envelope.is("list_handles") {
                    return Err(Error::unhandled(&envelope.verb));
                }
                let handles: Vec<_> = session.handles.iter().map(|id| id.0).collect();
                message.insert("handles".to_owned(), handles.into());
            }
        }
        Ok(Value::Object(message))
    }

    /// A synchronous plugin request without a handle.
    fn message_plugin(&mut self, source: Source, envelope: &Envelope, now: Instant) -> Result<Option<Value>, Error> {
        let package = envelope.fields().string("plugin").required("plugin")?;
        let request = envelope.fields().object("request")?;
        let plugin = Plugin::parse(package).ok_or_else(Error::invalid_plugin)?;
        let empty = Map::new();
        let call = Call { handle: None, body: request.unwrap_or(&empty), jsep: None };
        let mut effects = Vec::new();
        let reply = self.ask_plugin(plugin, call, &mut effects);
        self.perform(effects, None, now);
        let respond = |response: Value| {
            let mut message = message::succeeded(None, &envelope.transaction);
            message.insert("response".to_owned(), response);
            Value::Object(message)
        };
        Ok(match reply {
            Reply::Now(outcome) | Reply::Last(outcome) => Some(respond(self.plugin_data(outcome))),
            Reply::Stored(storing) => {
                self.outputs.push_back(Output::Store { to: source, storing: storing.map(respond) });
                None
            }
            Reply::Later => Some(respond(json!({}))),
        })
    }

    fn handle_info(
        &self,
        session_id: SessionId,
        session: &Session,
        id: HandleId,
        handle: &Handle,
        plugin_only: bool,
        now: Instant,
    ) -> Value {
        let microseconds =
            |at: Instant| u64::try_from(at.saturating_duration_since(self.started).as_micros()).unwrap_or(u64::MAX);
        let mut info = Map::new();
        let mut tell = |key: &str, value: Value| {
            info.insert(key.to_owned(), value);
        };
        tell("session_id", session_id.0.into());
        tell("session_last_activity", microseconds(session.last_activity).into());
        tell("session_timeout", self.config.session_timeout.as_secs().into());
        let transport = match session.owner {
            Owner::Connection(connection) => connection.carrier.package(),
            Owner::Http => "janus.transport.http",
        };
        tell("session_transport", transport.into());
        tell("handle_id", id.0.into());
        if let Some(opaque_id) = &handle.opaque_id {
            tell("opaque_id", opaque_id.as_str().into());
        }
        tell("loop-running", true.into());
        tell("created", microseconds(handle.created).into());
        tell("current_time", microseconds(now).into());
        tell("plugin", handle.plugin.package().into());
        tell("plugin_specific", self.describe_in_plugin(handle.plugin, id));
        if !plugin_only {
            let peer = handle.peer.as_ref();
            let (negotiated, ready) = (handle.is_answered(), peer.is_some_and(|peer| peer.connected));
            tell(
                "flags",
                json!({
                    "got-offer": peer.is_some(),
                    "got-answer": false,
                    "negotiated": negotiated,
                    "processing-offer": peer.is_some_and(|peer| peer.waiting_offers() > 0),
                    "ready": ready,
                    "has-audio": negotiated,
                    "has-video": false,
                }),
            );
            tell("pending-trickles", handle.waiting_candidates.len().into());
        }
        Value::Object(info)
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
