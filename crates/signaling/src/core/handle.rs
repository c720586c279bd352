//! The life of a handle: attach, message, hangup, detach. Knows no plugin.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::asked::RequestKind;
use super::effect::Pending;
use super::error::Error;
use super::field::Required;
use super::ids::{HandleId, SessionId};
use super::jsep::{Jsep, JsepKind, Offerer};
use super::media::MediaCommand;
use super::message::{self, Envelope};
use super::notice::Happening;
use super::peer::Peer;
use super::plugin::{Call, Plugin, Reply};
use super::trickle::WaitingCandidates;
use super::{Core, Output, Source};

/// A handle.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) session: SessionId,
    pub(super) plugin: Plugin,
    pub(super) opaque_id: Option<Arc<str>>,
    /// With which it was attached, where tokens are asked for.
    pub(super) token: Option<String>,
    pub(super) created: Instant,
    pub(super) peer: Option<Peer>,
    pub(super) waiting_candidates: WaitingCandidates,
}

impl Handle {
    /// Whether an offer of its PeerConnection has been answered.
    pub(super) fn is_answered(&self) -> bool {
        self.peer.as_ref().is_some_and(|peer| peer.answered)
    }
}

/// The reason of a `hangup` that the client asked for.
const CLOSED_BY_CLIENT: &str = "Janus API";
/// The reason of an end that no `hangup` tells of, since the handle ends as well.
const CLOSED_BY_DETACHING: &str = "Detached";
/// The reason of a `hangup` that an operator asked for.
pub(super) const CLOSED_BY_OPERATOR: &str = "Admin API";

impl Core {
    pub(super) fn attach(
        &mut self,
        source: Source,
        envelope: &Envelope,
        id: SessionId,
        now: Instant,
    ) -> Result<(), Error> {
        let fields = envelope.fields();
        let package = fields.string("plugin").required("plugin")?;
        let opaque_id = fields.string("opaque_id")?;
        fields.natural("loop_index")?;
        let plugin = Plugin::parse(package).ok_or_else(|| Error::no_such_plugin(package))?;
        // Without a token the secret has let the request in, which is good for every plugin.
        let token = envelope.fields.get("token").and_then(Value::as_str);
        if token.is_some_and(|token| !self.tokens.permit_plugin(token, plugin, now)) {
            return Err(Error::forbidden_plugin(plugin.package()));
        }
        let limits = &self.config.limits;
        if opaque_id.is_some_and(|text| text.len() > limits.text_bytes) {
            return Err(Error::too_long("opaque_id", limits.text_bytes));
        }
        let Some(session) = self.sessions.get_mut(&id) else { return Err(Error::session_not_found()) };
        if session.handles.len() >= limits.handles_per_session {
            return Err(Error::too_many_handles(limits.handles_per_session));
        }
        let handles = &self.handles;
        let handle = HandleId(self.ids.draw(|id| handles.contains_key(&HandleId(id))));
        session.handles.insert(handle);
        self.handles.insert(
            handle,
            Handle {
                session: id,
                plugin,
                opaque_id: opaque_id.map(Arc::from),
                token: token.filter(|_| self.config.token_auth).map(str::to_owned),
                created: now,
                peer: None,
                waiting_candidates: WaitingCandidates::default(),
            },
        );
        self.plugin_attached(plugin, handle);
        self.tell_of_handle(handle, Happening::HandleAttached { plugin: plugin.package() });
        self.reply(source, message::created(Some(id), &envelope.transaction, handle.0));
        Ok(())
    }

    pub(super) fn execute_on_handle(
        &mut self,
        source: Source,
        client: Option<IpAddr>,
        envelope: &Envelope,
        session: SessionId,
        handle: HandleId,
        now: Instant,
    ) -> Result<(), Error> {
        if envelope.is("message") {
            self.message(source, client, envelope, session, handle, now)?;
        } else if envelope.is("trickle") {
            self.trickle(source, envelope, session, handle, now)?;
        } else if envelope.is("hangup") {
            self.succeed(source, envelope, session);
            self.close_peer(handle, CLOSED_BY_CLIENT, now);
        } else if envelope.is("detach") {
            self.succeed(source, envelope, session);
            self.detach(session, handle, now);
        } else if envelope.is("keepalive") {
            self.reply(source, message::acknowledged(session, &envelope.transaction));
        } else if envelope.is("claim") {
            self.claim_session(source, envelope, session);
        } else if envelope.is("attach") || envelope.is("destroy") {
            return Err(Error::unhandled(&envelope.verb));
        } else {
            return Err(Error::unknown_request(&envelope.verb));
        }
        Ok(())
    }

    /// Ends a handle and its PeerConnection without a word to its client; the room hears that the participant left.
    pub(super) fn end_handle(&mut self, id: HandleId, now: Instant) {
        let Some(plugin) = self.plugin(id) else { return };
        self.plugin_detached(plugin, id, now);
        if self.handles.get(&id).is_some_and(|handle| handle.peer.is_some()) {
            self.outputs.push_back(Output::Media(MediaCommand::ClosePeer { handle: id }));
            self.tell_of_handle(id, Happening::Disconnected { reason: CLOSED_BY_DETACHING.into() });
        }
        self.tell_of_handle(id, Happening::HandleDetached { plugin: plugin.package() });
        self.handles.remove(&id);
    }

    /// Ends a handle; its client hears `detached`.
    pub(super) fn detach(&mut self, id: SessionId, handle: HandleId, now: Instant) {
        let mut last_words = message::event("detached", id);
        last_words.insert("sender".to_owned(), handle.0.into());
        self.add_opaque_id(&mut last_words, handle);
        self.end_handle(handle, now);
        if let Some(session) = self.sessions.get_mut(&id) {
            session.handles.remove(&handle);
            let (owner, message) = (session.owner, Value::Object(last_words).to_string());
            self.outputs.push_back(Output::Event { session: id, owner, message });
        }
    }

    fn message(
        &mut self,
        source: Source,
        client: Option<IpAddr>,
        envelope: &Envelope,
        session: SessionId,
        handle: HandleId,
        now: Instant,
    ) -> Result<(), Error> {
        let body = envelope.fields().object("body").required("body")?;
        let jsep = envelope.fields.get("jsep").map(Jsep::parse).transpose()?;
        if let Some(jsep) = &jsep {
            self.check_negotiable(handle, jsep)?;
        }
        let plugin = self.plugin(handle).ok_or_else(Error::handle_not_found)?;
        let mut effects = Vec::new();
        let offerer = self.offerer(handle);
        let call = Call { handle: Some(handle), body, jsep: jsep.as_ref(), offerer, client, now };
        let reply = self.ask_plugin(plugin, call, &mut effects);
        self.count_reply(RequestKind::of_plugin(plugin, body), &reply, &effects);
        match reply {
            Reply::Now(outcome) => {
                let data = self.plugin_data(Some(handle), outcome);
                self.reply(source, self.succeeded_with(envelope, session, handle, plugin, data));
                self.perform(effects, None, now);
            }
            Reply::Last(outcome) => {
                self.perform(effects, None, now);
                let data = self.plugin_data(Some(handle), outcome);
                self.reply(source, self.succeeded_with(envelope, session, handle, plugin, data));
            }
            Reply::Stored(storing) => {
                self.perform(effects, None, now);
                let storing = storing.map(|data| self.succeeded_with(envelope, session, handle, plugin, data));
                self.outputs.push_back(Output::Store { to: source, storing });
            }
            Reply::Later => {
                let transaction = envelope.transaction.clone();
                let mut acknowledgement = message::acknowledged(session, &transaction);
                if let Some(hint) = plugin.hint() {
                    acknowledgement["hint"] = hint.into();
                }
                self.reply(source, acknowledgement);
                self.perform(effects, Some(Pending { handle, transaction, jsep }), now);
            }
        }
        Ok(())
    }

    /// Whether this offer or answer can be one of the handle's PeerConnection.
    fn check_negotiable(&self, handle: HandleId, jsep: &Jsep) -> Result<(), Error> {
        let peer = self.handles.get(&handle).and_then(|handle| handle.peer.as_ref());
        let is_update = peer.is_some_and(|peer| peer.answered);
        match (jsep.kind, peer.map(|peer| peer.offerer)) {
            (JsepKind::Answer, Some(Offerer::Server)) if !peer.is_some_and(|peer| peer.has_offered) => {
                return Err(Error::unexpected_answer());
            }
            // Once it is up, the plugin says that it is the client who offers.
            (JsepKind::Answer, Some(Offerer::Client) | None) if !is_update => return Err(Error::unexpected_answer()),
            (JsepKind::Answer | JsepKind::Offer, Some(Offerer::Client | Offerer::Server) | None) => {}
        }
        if !jsep.description.complete {
            return Err(if is_update { Error::incomplete_update() } else { Error::incomplete_sdp() });
        }
        let limit = self.config.limits.waiting_offers;
        if peer.is_some_and(|peer| peer.waiting_offers() >= limit) {
            return Err(Error::too_many_offers(limit));
        }
        Ok(())
    }

    fn succeed(&mut self, source: Source, envelope: &Envelope, session: SessionId) {
        let message = message::succeeded(Some(session), &envelope.transaction);
        self.reply(source, Value::Object(message));
    }

    fn succeeded_with(
        &self,
        envelope: &Envelope,
        session: SessionId,
        handle: HandleId,
        plugin: Plugin,
        data: Value,
    ) -> Value {
        let mut message = message::succeeded(Some(session), &envelope.transaction);
        message.insert("sender".to_owned(), handle.0.into());
        self.add_opaque_id(&mut message, handle);
        message.insert("plugindata".to_owned(), json!({"plugin": plugin.package(), "data": data}));
        Value::Object(message)
    }
}
