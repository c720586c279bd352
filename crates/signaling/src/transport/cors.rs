//! Cross-origin headers of every answer, and the check of the origin. It must not know what the answer says.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN, REFERER, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::TransportConfig;

/// Seconds for which a browser may remember a preflight: a day.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

/// Echoed, so that whatever verb and headers a client asks for are allowed.
const ECHOED: [(HeaderName, HeaderName); 2] = [
    (ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_ALLOW_METHODS),
    (ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_ALLOW_HEADERS),
];

#[derive(Debug, Clone)]
pub(super) struct Cors {
    allow_origin: Option<HeaderValue>,
    enforce: bool,
}

impl Cors {
    /// An `allow_origin` that is no header value counts as none.
    pub(super) fn new(config: &TransportConfig) -> Self {
        let allow_origin = config.allow_origin.as_deref().and_then(|origin| HeaderValue::from_str(origin).ok());
        Self { enforce: config.enforce_cors && allow_origin.is_some(), allow_origin }
    }

    /// False only when the origin is enforced and the request comes from elsewhere, or does not say where from.
    pub(super) fn permits(&self, request: &HeaderMap) -> bool {
        let Some(allowed) = self.allow_origin.as_ref().filter(|_| self.enforce) else { return true };
        let origin = request.get(ORIGIN).or_else(|| request.get(REFERER));
        origin.is_some_and(|origin| origin.as_bytes().starts_with(allowed.as_bytes()))
    }

    /// The headers that the answer to a request carries.
    pub(super) fn headers(&self, request: &HeaderMap) -> HeaderMap {
        let mut headers = HeaderMap::new();
        match &self.allow_origin {
            None => {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            Some(origin) => {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
                headers.insert(VARY, HeaderValue::from_static("Origin"));
            }
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        for (asked, allowed) in ECHOED {
            if let Some(value) = request.get(asked) {
                headers.insert(allowed, value.clone());
            }
        }
        headers
    }
}
