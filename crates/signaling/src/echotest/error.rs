//! The error table of the EchoTest: codes and texts are API, and another space than the core's and the AudioBridge's.
//! The only place they are written.

use serde_json::json;

use crate::core::field::FieldError;
use crate::core::plugin::Refusal;

/// A refusal of an EchoTest request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Error {
    code: u16,
    text: String,
}

impl Error {
    /// The media plane can make nothing of an offer.
    pub(crate) fn refused_offer(reason: String) -> Self {
        Self::new(414, reason)
    }

    /// The PeerConnection ended while its offer was under way.
    pub(crate) fn closed_unanswered() -> Self {
        Self::new(414, "PeerConnection closed before the offer was answered")
    }

    pub(super) fn unexpected_answer() -> Self {
        Self::new(414, "Received an answer when we didn't send an offer")
    }

    pub(super) fn nothing_asked() -> Self {
        Self::new(413, "Message error: no supported attributes found")
    }

    pub(super) fn no_such_layer(name: &str) -> Self {
        Self::new(413, format!("Invalid value ({name} should be 0, 1 or 2)"))
    }

    pub(super) fn unsupported_codec(codec: &str) -> Self {
        Self::new(413, format!("Invalid value ({codec} not supported by this server)"))
    }

    fn new(code: u16, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self::new(413, error.text())
    }
}

impl From<Error> for Refusal {
    fn from(Error { code, text }: Error) -> Self {
        Self { code, data: json!({"echotest": "event", "error_code": code, "error": text}), limit: None }
    }
}
