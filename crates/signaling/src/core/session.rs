//! The life of a session: create, claim, keepalive, destroy, and the silence that ends it. Knows no plugin.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::error::Error;
use super::ids::{ConnectionId, HandleId, SessionId};
use super::message::{self, Envelope};
use super::notice::{Happening, SessionEnd};
use super::{Core, Output, Owner, Source};

/// Silence is looked for this often, so that a session lives for its timeout and up to so much more.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// A session: who hears its events, and what it owns.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) owner: Owner,
    /// Its connection is gone; it waits for a claim.
    pub(super) orphaned: bool,
    pub(super) last_activity: Instant,
    /// What an operator has set for it alone.
    pub(super) timeout: Option<Duration>,
    pub(super) handles: BTreeSet<HandleId>,
}

impl Core {
    pub(super) fn create_session(&mut self, source: Source, envelope: &Envelope, now: Instant) -> Result<(), Error> {
        if !self.accepting {
            return Err(Error::not_accepting_sessions());
        }
        self.authorize(envelope, now)?;
        let id = match envelope.fields().natural("id")? {
            None | Some(0) => None,
            Some(id) if self.sessions.contains_key(&SessionId(id)) => {
                return Err(Error::session_in_use(SessionId(id)));
            }
            Some(id) => Some(SessionId(id)),
        };
        let limits = &self.config.limits;
        if self.sessions.len() >= limits.sessions {
            return Err(Error::too_many_sessions(limits.sessions));
        }
        let owner = source.owner();
        if let Owner::Connection(connection) = owner
            && !connection.carrier.is_broker()
            && self.connections.get(&connection).map_or(0, BTreeSet::len) >= limits.sessions_per_connection
        {
            return Err(Error::too_many_sessions(limits.sessions_per_connection));
        }
        let sessions = &self.sessions;
        let id = id.unwrap_or_else(|| SessionId(self.ids.draw(|id| sessions.contains_key(&SessionId(id)))));
        let session = Session { owner, orphaned: false, last_activity: now, timeout: None, handles: BTreeSet::new() };
        self.sessions.insert(id, session);
        self.belongs(id, owner);
        self.outputs.push_back(Output::SessionOpened { session: id, owner });
        self.tell_of_session(id, Happening::SessionCreated { owner });
        self.reply(source, message::created(None, &envelope.transaction, id.0));
        Ok(())
    }

    pub(super) fn claim_session(&mut self, source: Source, envelope: &Envelope, id: SessionId) {
        let owner = source.owner();
        if let Some(session) = self.sessions.get_mut(&id) {
            session.orphaned = false;
            let before = std::mem::replace(&mut session.owner, owner);
            // Every HTTP request is a transport instance of its own: a claim over HTTP always moves the session.
            if before != owner || owner == Owner::Http {
                self.belonged(id, before);
                self.belongs(id, owner);
                self.outputs.push_back(Output::SessionMoved { session: id, owner });
                self.tell_of_session(id, Happening::SessionClaimed { owner });
            }
        }
        let message = message::succeeded(Some(id), &envelope.transaction);
        self.reply(source, Value::Object(message));
    }

    pub(super) fn destroy_session(&mut self, source: Source, envelope: &Envelope, id: SessionId, now: Instant) {
        let message = message::succeeded(Some(id), &envelope.transaction);
        self.reply(source, Value::Object(message));
        self.end_session(id, SessionEnd::Destroyed, now);
    }

    /// Ends a session without a word to itself; others hear that its participants left.
    pub(super) fn end_session(&mut self, id: SessionId, reason: SessionEnd, now: Instant) {
        // Removed first: what its handles cause on their way out finds no one to be told to.
        let Some(session) = self.sessions.remove(&id) else { return };
        for handle in session.handles {
            self.end_handle(handle, now);
        }
        self.belonged(id, session.owner);
        self.outputs.push_back(Output::SessionClosed { session: id, owner: session.owner });
        self.tell_of_session(id, Happening::SessionEnded { reason });
    }

    /// Ends a session with a `timeout` event.
    pub(super) fn expire_session(&mut self, id: SessionId, reason: SessionEnd, now: Instant) {
        let Some(owner) = self.sessions.get(&id).map(|session| session.owner) else { return };
        let message = Value::Object(message::event("timeout", id)).to_string();
        self.outputs.push_back(Output::Event { session: id, owner, message });
        self.end_session(id, reason, now);
    }

    /// The sessions of a closed connection end, or wait for a claim where that is configured.
    pub(super) fn orphan_sessions(&mut self, connection: ConnectionId, now: Instant) {
        let sessions = self.connections.get(&connection).cloned().unwrap_or_default();
        for id in sessions {
            if self.config.reclaim_session_timeout.is_zero() {
                self.end_session(id, SessionEnd::ConnectionClosed, now);
            } else if let Some(session) = self.sessions.get_mut(&id) {
                session.orphaned = true;
            }
        }
    }

    /// Ends the sessions that were silent for too long.
    pub(super) fn check_silence(&mut self, now: Instant) {
        let reclaim = self.config.reclaim_session_timeout;
        let mut silent = Vec::new();
        for (id, session) in &self.sessions {
            let timeout = session.timeout.unwrap_or(self.config.session_timeout);
            let silence = now.saturating_duration_since(session.last_activity);
            if session.orphaned && silence >= reclaim {
                silent.push((*id, true));
            } else if !timeout.is_zero() && silence >= timeout {
                silent.push((*id, false));
            }
        }
        for (id, orphaned) in silent {
            if orphaned {
                self.end_session(id, SessionEnd::Unclaimed, now);
            } else {
                self.expire_session(id, SessionEnd::Timeout, now);
            }
        }
    }

    fn belongs(&mut self, session: SessionId, owner: Owner) {
        if let Owner::Connection(connection) = owner {
            self.connections.entry(connection).or_default().insert(session);
        }
    }

    fn belonged(&mut self, session: SessionId, owner: Owner) {
        if let Owner::Connection(connection) = owner
            && let Some(sessions) = self.connections.get_mut(&connection)
        {
            sessions.remove(&session);
            if sessions.is_empty() {
                self.connections.remove(&connection);
            }
        }
    }
}
