//! `query_transport`: requests to what carries the API, in a language of their own.

use serde_json::{Map, Value, json};

use crate::core::errand::{Errand, Task};
use crate::core::error::Error;
use crate::core::field::{FieldError, Fields, Required};
use crate::core::ids::Carrier;
use crate::core::message::Envelope;
use crate::core::{Core, JsonStyle, Output, Source};

/// The package of the transport that is no [`Carrier`].
const HTTP: &str = "janus.transport.http";
const CARRIERS: [Carrier; 4] = [Carrier::WebSocket, Carrier::Unix, Carrier::RabbitMq, Carrier::Mqtt];

impl Core {
    /// The response, or `None` when it comes later.
    pub(super) fn query_transport(&mut self, source: Source, envelope: &Envelope) -> Result<Option<Value>, Error> {
        let package = envelope.fields().string("transport").required("transport")?;
        let request = envelope.fields().object("request")?;
        let carrier = CARRIERS.into_iter().find(|carrier| carrier.package() == package);
        if carrier.is_none() && package != HTTP {
            return Err(Error::invalid_transport());
        }
        let empty = Map::new();
        let fields = Fields(request.unwrap_or(&empty));
        let name = match fields.string("request").required("request") {
            Ok(name) => name,
            Err(error) => return Ok(Some(refusal(&error))),
        };
        if name.eq_ignore_ascii_case("connections") {
            let task = Task::CountConnections(carrier);
            let transaction = envelope.transaction.clone();
            self.outputs.push_back(Output::Errand(Errand { to: source, task, transaction }));
            return Ok(None);
        }
        Ok(Some(if name.eq_ignore_ascii_case("configure") {
            self.configure_transport(carrier, fields).unwrap_or_else(|error| refusal(&error))
        } else {
            json!({"error_code": 411, "error": format!("Unknown request '{name}'")})
        }))
    }

    /// What can't be done is said in the notes.
    fn configure_transport(&mut self, carrier: Option<Carrier>, fields: Fields<'_>) -> Result<Value, FieldError> {
        let events = fields.boolean("events")?.unwrap_or(false);
        let style = fields.string("json")?.map(JsonStyle::named);
        let mut notes = Vec::new();
        if events {
            notes.push("Event handlers disabled at the core level");
        }
        match style {
            Some(Some(style)) => self.outputs.push_back(Output::JsonStyle { carrier, style }),
            Some(None) => notes.push("Ignored unsupported indentation format"),
            None => {}
        }
        Ok(if notes.is_empty() { json!({"result": 200}) } else { json!({"result": 200, "notes": notes}) })
    }
}

fn refusal(error: &FieldError) -> Value {
    let code = match error {
        FieldError::Missing(_) => 412,
        FieldError::Wrong(..) => 413,
    };
    json!({"error_code": code, "error": error.text()})
}
