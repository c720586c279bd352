//! What a plugin asks of the core in the course of a request or event, and how the core does it: events get their
//! envelope and their way here.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::ids::HandleId;
use super::jsep::{Jsep, JsepKind};
use super::media::{AnswerTraits, MediaCommand};
use super::message;
use super::notice::Happening;
use super::plugin::Refusal;
use super::{Core, Output};

/// One thing to be done, in order.
#[derive(Debug)]
pub(crate) enum Effect {
    /// An event of the plugin that nobody asked for, the same for each of these.
    Notify { to: Vec<HandleId>, data: Value },
    /// The event that answers the asynchronous request being handled. With `traits`, it waits: for the answer to the
    /// offer that came along, until the answer that came along is taken, or, if no SDP came, for an offer of ours.
    Respond { outcome: Result<Value, Refusal>, traits: Option<AnswerTraits> },
    /// Something for the media planes.
    Media(MediaCommand),
    /// End the handle's PeerConnection if there is one; its client hears `hangup`.
    ClosePeer { handle: HandleId },
    /// Tell people and back-ends; with `handle` if it is about one.
    Tell { handle: Option<HandleId>, what: Happening },
}

impl Effect {
    /// What a request is answered with, if this answers one.
    pub(super) fn outcome(&self) -> Option<&Result<Value, Refusal>> {
        match self {
            Self::Respond { outcome, .. } => Some(outcome),
            Self::Notify { .. } | Self::Media(_) | Self::ClosePeer { .. } | Self::Tell { .. } => None,
        }
    }
}

/// An acknowledged request whose event is still to come.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) handle: HandleId,
    pub(super) transaction: String,
    pub(super) jsep: Option<Jsep>,
}

/// The reason of a `hangup` that a plugin wanted.
const CLOSED_BY_PLUGIN: &str = "Close PC";

impl Core {
    /// Does everything in order; `pending` is the request that [`Effect::Respond`] answers.
    pub(super) fn perform(&mut self, effects: Vec<Effect>, mut pending: Option<Pending>, now: Instant) {
        for effect in effects {
            match effect {
                Effect::Notify { to, data } => self.notify(&to, &data.to_string()),
                Effect::Respond { outcome, traits } => {
                    let Some(Pending { handle, transaction, jsep }) = pending.take() else { continue };
                    let data = self.plugin_data(Some(handle), outcome);
                    match (jsep, traits) {
                        (Some(jsep), Some(traits)) => {
                            self.negotiate(handle, transaction, data, jsep, traits, now);
                        }
                        (None, Some(AnswerTraits::Mix(traits))) => self.offer(handle, transaction, data, traits, now),
                        (None, Some(AnswerTraits::Echo)) | (Some(_) | None, None) => {
                            self.push_plugin_event(handle, Some(&transaction), data, None);
                        }
                    }
                }
                Effect::Media(command) => self.outputs.push_back(Output::Media(command)),
                Effect::ClosePeer { handle } => self.close_peer(handle, CLOSED_BY_PLUGIN, now),
                Effect::Tell { handle: Some(handle), what } => self.tell_of_handle(handle, what),
                Effect::Tell { handle: None, what } => self.tell(what),
            }
        }
    }

    /// What a plugin says; a refusal is told.
    pub(super) fn plugin_data(&mut self, handle: Option<HandleId>, outcome: Result<Value, Refusal>) -> Value {
        outcome.unwrap_or_else(|Refusal { code, data, limit: _ }| {
            let what = Happening::Refused { code };
            match handle {
                Some(handle) => self.tell_of_handle(handle, what),
                None => self.tell(what),
            }
            data
        })
    }

    /// An event of the plugin of `handle`; lost without a trace when the handle or its session is no more.
    pub(super) fn push_plugin_event(
        &mut self,
        handle: HandleId,
        transaction: Option<&str>,
        data: Value,
        jsep: Option<(JsepKind, &str)>,
    ) {
        let Some(plugin) = self.plugin(handle) else { return };
        self.push_handle_event("event", handle, transaction, |message| {
            message.insert("plugindata".to_owned(), json!({"plugin": plugin.package(), "data": data}));
            if let Some((kind, sdp)) = jsep {
                message.insert("jsep".to_owned(), json!({"type": kind.as_str(), "sdp": sdp}));
            }
        });
    }

    /// The same event for many: `data` is JSON text, written once, and only the envelope is written for each.
    fn notify(&mut self, to: &[HandleId], data: &str) {
        for &handle in to {
            let Some(sender) = self.handles.get(&handle) else { continue };
            let Some(session) = self.sessions.get(&sender.session) else { continue };
            let (id, owner, plugin) = (sender.session, session.owner, sender.plugin.package());
            let opaque_id = match &sender.opaque_id {
                Some(opaque_id) if self.config.opaqueid_in_api => format!(r#","opaque_id":{}"#, json!(**opaque_id)),
                Some(_) | None => String::new(),
            };
            let message = format!(
                r#"{{"janus":"event","session_id":{},"sender":{}{opaque_id},"plugindata":{{"plugin":"{plugin}","data":{data}}}}}"#,
                id.0, handle.0,
            );
            self.outputs.push_back(Output::Event { session: id, owner, message });
        }
    }

    /// An event of a handle: `what` happened, and what `complete` adds to it.
    pub(super) fn push_handle_event(
        &mut self,
        what: &str,
        handle: HandleId,
        transaction: Option<&str>,
        complete: impl FnOnce(&mut Map<String, Value>),
    ) {
        let Some(sender) = self.handles.get(&handle) else { return };
        let Some(session) = self.sessions.get(&sender.session) else { return };
        let mut message = message::event(what, sender.session);
        if let Some(transaction) = transaction {
            message.insert("transaction".to_owned(), transaction.into());
        }
        message.insert("sender".to_owned(), handle.0.into());
        self.add_opaque_id(&mut message, handle);
        complete(&mut message);
        let (session, owner) = (sender.session, session.owner);
        self.outputs.push_back(Output::Event { session, owner, message: Value::Object(message).to_string() });
    }

    pub(super) fn add_opaque_id(&self, message: &mut Map<String, Value>, handle: HandleId) {
        if self.config.opaqueid_in_api
            && let Some(opaque_id) = self.handles.get(&handle).and_then(|handle| handle.opaque_id.as_deref())
        {
            message.insert("opaque_id".to_owned(), opaque_id.into());
        }
    }
}
