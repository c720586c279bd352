//! The envelope of the API: what every request carries, and the shapes of replies and events. Knows no verb.

use serde_json::{Map, Value, json};

use super::error::Error;
use super::field::{Fields, Required, natural};
use super::ids::{HandleId, SessionId};

/// A request whose envelope is valid.
#[derive(Debug)]
pub(crate) struct Envelope {
    /// As sent; compared without regard to case.
    pub(crate) verb: String,
    pub(crate) transaction: String,
    /// 0 = none. Negative ones name no session.
    pub(crate) session: i64,
    pub(crate) handle: HandleField,
    /// All fields of the request.
    pub(crate) fields: Map<String, Value>,
}

/// `handle_id` as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandleField {
    Absent,
    /// Not a positive integer. Zero counts as no handle where there is no session either.
    Invalid,
    Given(HandleId),
}

impl Envelope {
    /// Checks what every request must have. The refusal is a finished message: it carries no transaction, even when
    /// there was one.
    pub(crate) fn parse(request: Value) -> Result<Self, (Error, Value)> {
        let Value::Object(fields) = request else {
            let error = Error::missing("transaction");
            let message = refused(0, None, &error);
            return Err((error, message));
        };
        // `null` is as good as absent for these two, and only for these.
        let session = fields.get("session_id").and_then(Value::as_i64).unwrap_or(0);
        let handle = match fields.get("handle_id") {
            None | Some(Value::Null) => HandleField::Absent,
            Some(value) => {
                natural(value).filter(|id| *id > 0).map_or(HandleField::Invalid, |id| HandleField::Given(HandleId(id)))
            }
        };
        match Self::names(&fields) {
            Ok((transaction, verb)) => Ok(Self { verb, transaction, session, handle, fields }),
            Err(error) => {
                let message = refused(session, None, &error);
                Err((error, message))
            }
        }
    }

    pub(crate) fn is(&self, verb: &str) -> bool {
        self.verb.eq_ignore_ascii_case(verb)
    }

    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields(&self.fields)
    }

    /// The error reply to this request.
    pub(crate) fn refused(&self, error: &Error) -> Value {
        refused(self.session, Some(&self.transaction), error)
    }

    fn names(fields: &Map<String, Value>) -> Result<(String, String), Error> {
        let fields = Fields(fields);
        let transaction = fields.string("transaction").required("transaction")?;
        let verb = fields.string("janus").required("janus")?;
        fields.natural("id")?;
        Ok((transaction.to_owned(), verb.to_owned()))
    }
}

/// `ack`.
pub(crate) fn acknowledged(session: SessionId, transaction: &str) -> Value {
    json!({"janus": "ack", "session_id": session.0, "transaction": transaction})
}

/// `success`, of a session or of the server when there is none.
pub(crate) fn succeeded(session: Option<SessionId>, transaction: &str) -> Map<String, Value> {
    let mut message = Map::new();
    message.insert("janus".to_owned(), "success".into());
    if let Some(session) = session {
        message.insert("session_id".to_owned(), session.0.into());
    }
    message.insert("transaction".to_owned(), transaction.into());
    message
}

/// `success` with the id of what was made.
pub(crate) fn created(session: Option<SessionId>, transaction: &str, id: u64) -> Value {
    let mut message = succeeded(session, transaction);
    message.insert("data".to_owned(), json!({"id": id}));
    Value::Object(message)
}

/// The beginning of every event: what happened, in which session.
pub(crate) fn event(what: &str, session: SessionId) -> Map<String, Value> {
    let mut message = Map::new();
    message.insert("janus".to_owned(), what.into());
    message.insert("session_id".to_owned(), session.0.into());
    message
}

pub(super) fn refused(session: i64, transaction: Option<&str>, error: &Error) -> Value {
    let mut message = Map::new();
    message.insert("janus".to_owned(), "error".into());
    if let Some(about) = error.about {
        message.insert("session_id".to_owned(), about.0.into());
    } else if session != 0 {
        message.insert("session_id".to_owned(), session.into());
    }
    if let Some(transaction) = transaction {
        message.insert("transaction".to_owned(), transaction.into());
    }
    message.insert("error".to_owned(), json!({"code": error.code, "reason": error.reason}));
    Value::Object(message)
}
