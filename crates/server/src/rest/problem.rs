//! Why a request failed, as problem details (RFC 9457). The types are API. Knows the error codes of the AudioBridge and
//! what they mean in HTTP.

use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use signaling::Refused;

/// A request that failed.
#[derive(Debug)]
pub(super) enum Problem {
    /// No token is configured.
    Off,
    NoToken,
    WrongToken,
    /// There is nothing of that path.
    Path,
    /// There is, but this cannot be done with it.
    Method,
    MediaType,
    TooLarge,
    /// Not a JSON object; in what way.
    Body(String),
    Field {
        name: String,
        known: Vec<String>,
    },
    Query(String),
    /// Too many watch.
    Watchers,
    /// A field that is not signaling's is wrong.
    Deadline,
    /// Signaling said no.
    Refused(Refused),
    /// Done, but it will not outlive the process.
    Unsaved,
    /// The configuration file is wrong; in what way.
    Configuration(String),
    /// Signaling said nothing.
    Server(StatusCode),
}

/// All types start so; what comes then is in `docs/http-api.md`.
const TYPE: &str = "urn:plenum:problem:";

impl Problem {
    /// The last part of the type, the status, and what there is to say about the type.
    fn kind(&self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::Off => ("no-token-configured", StatusCode::FORBIDDEN, "The REST API is off"),
            Self::NoToken | Self::WrongToken => ("unauthorized", StatusCode::UNAUTHORIZED, "Not the right token"),
            Self::Path => ("not-found", StatusCode::NOT_FOUND, "There is nothing here"),
            Self::Method => ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "Not with this method"),
            Self::MediaType => ("media-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not JSON"),
            Self::TooLarge => ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::Body(_) => ("malformed-body", StatusCode::BAD_REQUEST, "The body is not a JSON object"),
            Self::Field { .. } => ("unknown-field", StatusCode::BAD_REQUEST, "The body has an unknown field"),
            Self::Query(_) => ("invalid-query", StatusCode::BAD_REQUEST, "The query is wrong"),
            Self::Watchers => ("too-many-watchers", StatusCode::SERVICE_UNAVAILABLE, "Too many watch already"),
            Self::Deadline => refusal(484),
            Self::Refused(refused) if refused.is_temporary => {
                ("not-now", StatusCode::SERVICE_UNAVAILABLE, "Not now, or not on this server")
            }
            Self::Refused(refused) => refusal(refused.code),
            Self::Unsaved => ("not-stored", StatusCode::INTERNAL_SERVER_ERROR, "It is done, but could not be stored"),
            Self::Configuration(_) => {
                ("configuration-refused", StatusCode::UNPROCESSABLE_ENTITY, "The configuration cannot be used")
            }
            Self::Server(status) if *status == StatusCode::GATEWAY_TIMEOUT => {
                ("timeout", StatusCode::GATEWAY_TIMEOUT, "The server takes too long")
            }
            Self::Server(_) => ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "The server is stopping"),
        }
    }

    /// What there is to say about this one.
    fn detail(self) -> Option<String> {
        match self {
            Self::Off => Some("Set admin.token in the configuration to use the API".to_owned()),
            Self::NoToken => Some("Send the header Authorization: Bearer with the token of admin.token".to_owned()),
            Self::MediaType => Some("Send it with Content-Type: application/json".to_owned()),
            Self::Body(detail) | Self::Query(detail) | Self::Configuration(detail) => Some(detail),
            Self::Field { name, known } => Some(format!("'{name}' is none of: {}", known.join(", "))),
            Self::Deadline => Some("deadline should be a number of seconds, at most a year".to_owned()),
            Self::Refused(refused) => Some(refused.reason),
            Self::Unsaved => Some("It will be undone when the server starts again".to_owned()),
            Self::WrongToken | Self::Path | Self::Method | Self::TooLarge | Self::Watchers | Self::Server(_) => None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (name, status, title) = self.kind();
        let code = if let Self::Refused(refused) = &self { Some(refused.code) } else { None };
        // RFC 6750 section 3.
        let challenge = if let Self::WrongToken = self {
            r#"Bearer realm="plenum", error="invalid_token""#
        } else {
            r#"Bearer realm="plenum""#
        };
        let mut details = Map::new();
        details.insert("type".to_owned(), format!("{TYPE}{name}").into());
        details.insert("title".to_owned(), title.into());
        details.insert("status".to_owned(), status.as_u16().into());
        details.extend(self.detail().map(|detail| ("detail".to_owned(), detail.into())));
        details.extend(code.map(|code| ("error_code".to_owned(), code.into())));
        let body = Value::Object(details).to_string();
        let mut response = (status, [(CONTENT_TYPE, "application/problem+json")], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

/// What an error code of the AudioBridge is in HTTP.
fn refusal(code: u16) -> (&'static str, StatusCode, &'static str) {
    match code {
        483 => ("missing-field", StatusCode::BAD_REQUEST, "A field is missing"),
        484 => ("invalid-field", StatusCode::BAD_REQUEST, "A field is wrong"),
        485 => ("no-such-room", StatusCode::NOT_FOUND, "There is no such room"),
        486 => ("room-exists", StatusCode::CONFLICT, "There is such a room already"),
        490 => ("participant-exists", StatusCode::CONFLICT, "There is such a participant already"),
        491 => ("already-there", StatusCode::CONFLICT, "The participant is there already"),
        492 => ("no-such-participant", StatusCode::NOT_FOUND, "There is no such participant"),
        494 => ("no-such-group", StatusCode::BAD_REQUEST, "There is no such group"),
        _ => ("refused", StatusCode::UNPROCESSABLE_ENTITY, "The server can't do this"),
    }
}
