//! Cross-origin headers of every answer, and the check of the origin. It must not know what the answer says.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN, REFERER, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// Seconds for which a browser may remember a preflight: a day.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

/// Echoed, so that whatever verb and headers a client asks for are allowed.
const ECHOED: [(HeaderName, HeaderName); 2] = [
    (ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_ALLOW_METHODS),
    (ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_ALLOW_HEADERS),
];

#[derive(Debug, Clone)]
pub(super) struct Cors {
    /// Empty = any.
    allowed: Vec<HeaderValue>,
    enforce: bool,
}

impl Cors {
    /// An origin that is no header value counts as none.
    pub(super) fn new(origins: &[String], enforce: bool) -> Self {
        let values = origins.iter().map(|origin| HeaderValue::from_str(origin));
        let allowed: Vec<_> = values.filter_map(Result::ok).collect();
        Self { enforce: enforce && !allowed.is_empty(), allowed }
    }

    /// False only when origins are enforced and the request comes from elsewhere, or does not say where from.
    pub(super) fn permits(&self, request: &HeaderMap) -> bool {
        if !self.enforce {
            return true;
        }
        let referer = || request.get(REFERER).map(|referer| origin_of(referer.as_bytes()));
        let origin = request.get(ORIGIN).map(HeaderValue::as_bytes).or_else(referer);
        origin.is_some_and(|origin| self.allowed(origin).is_some())
    }

    /// The headers that the answer to a request carries. Who comes from elsewhere is told the first origin, as everybody is
    /// when there is one only.
    pub(super) fn headers(&self, request: &HeaderMap) -> HeaderMap {
        let mut headers = HeaderMap::new();
        match self.allowed.first() {
            None => {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            Some(first) => {
                let own = request.get(ORIGIN).and_then(|origin| self.allowed(origin.as_bytes()));
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, own.unwrap_or(first).clone());
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

    fn allowed(&self, origin: &[u8]) -> Option<&HeaderValue> {
        self.allowed.iter().find(|allowed| allowed.as_bytes().eq_ignore_ascii_case(origin))
    }
}

/// Scheme and host of a URL, with its port: all before the third slash.
fn origin_of(url: &[u8]) -> &[u8] {
    let third = url.iter().enumerate().filter(|(_, byte)| **byte == b'/').nth(2);
    &url[..third.map_or(url.len(), |(place, _)| place)]
}
