//! What the HTTP and WebSocket shells refuse by themselves, before the core sees it: documents and
//! paths. What is wrong with a request is in the core's error table.

use axum::http::Method;
use serde_json::{Value, json};

use super::document::Malformed;

/// An error of the transport, answered with neither transaction nor session: nobody has read them yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    UnsupportedMethod {
        method: Method,
    },
    MissingPayload,
    UseGetForInfo,
    /// An HTTP body that is no JSON document.
    MalformedBody(Malformed),
    /// A WebSocket message that is not a sequence of JSON documents.
    MalformedMessage(Malformed),
    NotAnObject,
    ConflictingSession,
    ConflictingHandle,
}

impl Refusal {
    /// The error as it goes out.
    pub(super) fn message(&self) -> Value {
        json!({ "janus": "error", "error": { "code": self.code(), "reason": self.reason() } })
    }

    fn code(&self) -> u32 {
        match self {
            Self::UnsupportedMethod { .. } | Self::UseGetForInfo => 450,
            Self::MissingPayload | Self::MalformedBody(_) | Self::MalformedMessage(_) => 454,
            Self::NotAnObject => 455,
            Self::ConflictingSession | Self::ConflictingHandle => 457,
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::UnsupportedMethod { method } => format!("Unsupported method {method}"),
            Self::MissingPayload => "Request payload missing".to_owned(),
            Self::UseGetForInfo => "Use GET for the info endpoint".to_owned(),
            Self::MalformedBody(Malformed { line, text, .. }) => format!("JSON error: on line {line}: {text}"),
            Self::MalformedMessage(Malformed { line, column, text }) => {
                format!("Invalid Janus API request - <string>({line},{column}): {text}")
            }
            Self::NotAnObject => "JSON error: not an object".to_owned(),
            Self::ConflictingSession => "Conflicting session ID (payload and path)".to_owned(),
            Self::ConflictingHandle => "Conflicting handle ID (payload and path)".to_owned(),
        }
    }
}
