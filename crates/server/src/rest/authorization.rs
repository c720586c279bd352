//! Who may use the API: whoever has the token of the configuration (RFC 6750). Knows nothing of what is asked.

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;

use super::problem::Problem;
use crate::config::Secret;

/// The token as it is configured now. Without one nobody may: behind a proxy on the same machine, or in the hands of a web page in a
/// browser there, everything comes from loopback.
#[derive(Clone)]
pub(super) struct Token(watch::Receiver<Option<Secret>>);

impl Token {
    pub(super) fn new(token: watch::Receiver<Option<Secret>>) -> Self {
        Self(token)
    }

    fn admit(&self, request: &Request) -> Result<(), Problem> {
        let token = self.0.borrow();
        let Some(expected) = token.as_ref().map(Secret::reveal) else { return Err(Problem::Off) };
        let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
        match given {
            None => Err(Problem::NoToken),
            // Takes a time that tells nothing but the length.
            Some(given) if bool::from(expected.as_bytes().ct_eq(given.as_bytes())) => Ok(()),
            Some(_) => Err(Problem::WrongToken),
        }
    }
}

/// Lets a request through to its operation, or refuses it.
pub(super) async fn check(State(token): State<Token>, request: Request, next: Next) -> Response {
    match token.admit(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// The token of an `Authorization` header. The name of the scheme is written in any case (RFC 9110 section 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
