//! The error table of the core protocol: codes and texts are API. The only place they are written.

use super::counters::Limit;
use super::field::FieldError;
use super::ids::SessionId;

/// A refusal of a core request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Error {
    pub(crate) code: u16,
    pub(crate) reason: String,
    /// The session it is about, where the request does not name it as its own.
    pub(crate) about: Option<SessionId>,
    /// What there would have been too much of.
    pub(crate) limit: Option<Limit>,
}

impl Error {
    pub(crate) fn unauthorized() -> Self {
        Self::new(403, "Unauthorized request (wrong or missing secret/token)")
    }

    pub(crate) fn forbidden_plugin(plugin: &str) -> Self {
        Self::new(405, format!("Provided token can't access plugin '{plugin}'"))
    }

    /// Janus has no rates; its codes of this kind are those of HTTP.
    pub(crate) fn too_many_requests(rate: u32) -> Self {
        Self::over(Limit::Requests, 429, format!("Too many requests from your address (max {rate} a second)"))
    }

    pub(crate) fn unknown_request(verb: &str) -> Self {
        Self::new(453, format!("Unknown request '{verb}'"))
    }

    pub(crate) fn both_candidate_forms() -> Self {
        Self::new(454, "Can't have both candidate and candidates")
    }

    pub(crate) fn jsep_not_an_object() -> Self {
        Self::new(455, "Invalid jsep object")
    }

    pub(crate) fn missing(name: &'static str) -> Self {
        FieldError::Missing(name).into()
    }

    pub(crate) fn unhandled(verb: &str) -> Self {
        Self::new(457, format!("Unhandled request '{verb}' at this path"))
    }

    pub(crate) fn session_not_found() -> Self {
        Self::new(458, "Session not found")
    }

    pub(crate) fn no_such_session(session: i64) -> Self {
        Self::new(458, format!("No such session {session}"))
    }

    pub(crate) fn handle_not_found() -> Self {
        Self::new(459, "Handle not found")
    }

    pub(crate) fn no_such_handle(handle: u64, session: u64) -> Self {
        Self::new(459, format!("No such handle {handle} in session {session}"))
    }

    pub(crate) fn no_such_plugin(plugin: &str) -> Self {
        Self::new(460, format!("No such plugin '{plugin}'"))
    }

    pub(crate) fn invalid_plugin() -> Self {
        Self::new(460, "Invalid plugin")
    }

    pub(crate) fn invalid_transport() -> Self {
        Self::new(460, "Invalid transport")
    }

    pub(crate) fn invalid_event_handler() -> Self {
        Self::new(460, "Invalid event handler")
    }

    pub(crate) fn invalid_logger() -> Self {
        Self::new(460, "Invalid logger")
    }

    pub(crate) fn too_many_handles(limit: usize) -> Self {
        Self::over(Limit::Handles, 461, format!("Too many handles in this session (max {limit})"))
    }

    pub(crate) fn unknown_jsep_type(kind: &str) -> Self {
        Self::new(464, format!("JSEP error: unknown message type '{kind}'"))
    }

    pub(crate) fn invalid_sdp(reason: String) -> Self {
        Self::new(465, reason)
    }

    /// A first offer that lacks what a transport needs.
    pub(crate) fn incomplete_sdp() -> Self {
        Self::new(465, "Error processing SDP")
    }

    /// The same of a renegotiation.
    pub(crate) fn incomplete_update() -> Self {
        Self::new(469, "Error processing SDP")
    }

    pub(crate) fn too_long(name: &str, limit: usize) -> Self {
        Self::new(467, format!("Invalid element ({name} should have at most {limit} bytes)"))
    }

    pub(crate) fn candidates_not_an_array() -> Self {
        Self::new(467, "candidates is not an array")
    }

    pub(crate) fn no_session_timeout() -> Self {
        Self::new(467, "Invalid element type (timeout should be a non-negative integer or -1)")
    }

    pub(crate) fn no_log_level() -> Self {
        Self::new(467, "Invalid element type (level should be between 0 and 7)")
    }

    pub(crate) fn unknown_plugins() -> Self {
        Self::new(467, "Invalid element type (some of the provided plugins are invalid)")
    }

    pub(crate) fn session_in_use(session: SessionId) -> Self {
        Self { about: Some(session), ..Self::new(468, "Session ID already in use") }
    }

    pub(crate) fn unexpected_answer() -> Self {
        Self::new(469, "Unexpected ANSWER (did we offer?)")
    }

    pub(crate) fn no_such_token(token: &str) -> Self {
        Self::new(470, format!("Token {token} not found"))
    }

    pub(crate) fn too_many_offers(limit: usize) -> Self {
        Self::new(471, format!("Too many offers waiting for an answer (max {limit})"))
    }

    pub(crate) fn not_accepting_sessions() -> Self {
        Self::new(472, "Currently not accepting new sessions")
    }

    pub(crate) fn too_many_sessions(limit: usize) -> Self {
        Self::over(Limit::Sessions, 472, format!("Too many sessions (max {limit})"))
    }

    pub(crate) fn too_many_candidates(limit: usize) -> Self {
        Self::new(490, format!("Too many candidates waiting for an offer (max {limit})"))
    }

    pub(crate) fn no_stored_tokens() -> Self {
        Self::new(490, "Stored-Token based authentication disabled")
    }

    pub(crate) fn token_not_removed() -> Self {
        Self::new(490, "Error removing token")
    }

    pub(crate) fn unresolved() -> Self {
        Self::new(490, "Could not resolve address")
    }

    pub(crate) fn no_stun_answer() -> Self {
        Self::new(490, "No answer of that STUN server")
    }

    pub(crate) fn no_captures() -> Self {
        Self::new(490, "Packets are not captured by this server")
    }

    pub(crate) fn capture_not_started() -> Self {
        Self::new(490, "Capture not started")
    }

    /// The same refusal, as a part of a request says it: `JSEP error: missing …`.
    pub(crate) fn within(mut self, part: &str) -> Self {
        let mut letters = self.reason.chars();
        if let Some(first) = letters.next() {
            self.reason = format!("{part} error: {}{}", first.to_lowercase(), letters.as_str());
        }
        self
    }

    fn new(code: u16, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), about: None, limit: None }
    }

    fn over(limit: Limit, code: u16, reason: String) -> Self {
        Self { limit: Some(limit), ..Self::new(code, reason) }
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        let code = match error {
            FieldError::Missing(_) => 456,
            FieldError::Wrong(..) => 467,
        };
        Self::new(code, error.text())
    }
}
