//! The messages that the short lines of a dialogue stand for. Knows no server.

use serde_json::{Value, json};

use crate::pattern::{Bindings, sdp};

/// An AudioBridge request as a message.
pub(crate) fn asking(
    bindings: &mut Bindings,
    actor: &str,
    transaction: String,
    body: &Value,
    jsep: Option<&(&str, String)>,
) -> Result<Value, String> {
    bindings.bind(&format!("${actor}.transaction"), transaction.clone().into());
    let mut message = json!({
        "janus": "message",
        "transaction": transaction,
        "session_id": bindings.number(&format!("${actor}.session"))?,
        "handle_id": bindings.number(&format!("${actor}.handle"))?,
        "body": bindings.fill(body)?,
    });
    if let Some((kind, name)) = jsep {
        message["jsep"] = json!({"type": kind, "sdp": sdp(name)?});
    }
    Ok(message)
}

/// The reply to a synchronous request.
pub(crate) fn answer_pattern(actor: &str, data: &Value) -> Value {
    json!({
        "janus": "success", "session_id": format!("${actor}.session"), "transaction": format!("${actor}.transaction"),
        "sender": format!("${actor}.handle"), "plugindata": {"plugin": format!("${actor}.plugin"), "data": data},
    })
}

/// The reply to an asynchronous request.
pub(crate) fn ack_pattern(actor: &str, hint: Option<&str>) -> Value {
    let mut pattern = json!({"janus": "ack", "session_id": format!("${actor}.session"), "transaction": format!("${actor}.transaction")});
    if let Some(hint) = hint {
        pattern["hint"] = hint.into();
    }
    pattern
}

/// An event of the plugin.
pub(crate) fn event_pattern(actor: &str, data: &Value, answers: bool, jsep: Option<&str>) -> Value {
    let mut pattern = json!({
        "janus": "event", "session_id": format!("${actor}.session"), "sender": format!("${actor}.handle"),
        "plugindata": {"plugin": format!("${actor}.plugin"), "data": data},
    });
    if answers {
        pattern["transaction"] = format!("${actor}.transaction").into();
    }
    if let Some(kind) = jsep {
        pattern["jsep"] = json!({"type": kind, "sdp": format!("the {kind}")});
    }
    pattern
}
