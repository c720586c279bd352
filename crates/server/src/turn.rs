//! TURN servers for clients, with credentials that those servers check by themselves (draft-uberti-behave-turn-rest-00): the password
//! is an HMAC of the user name, which says when it ends. Knows no TURN; it is the clients who speak it.

use std::time::Duration;

use aws_lc_rs::hmac;
use axum::Router;
use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::config::Turn;
use crate::since_1970;

/// Where clients ask.
const PATH: &str = "/turn";
/// Of a user's own name. coturn takes user names of up to 512 bytes.
const LONGEST_USER: usize = 128;

/// What a client is told.
#[derive(Debug, Serialize)]
struct Credentials<'a> {
    username: String,
    password: String,
    /// Seconds.
    ttl: u64,
    uris: &'a [String],
}

#[derive(Debug, Deserialize)]
struct Asked {
    service: Option<String>,
    username: Option<String>,
}

/// The page that tells them; 204 when there are no TURN servers. Whom to let in is for the caller.
pub(crate) fn router(turn: Option<Turn>) -> Router {
    Router::new().route(PATH, get(move |query| std::future::ready(answer(turn.as_ref(), query))))
}

fn answer(turn: Option<&Turn>, Query(query): Query<Asked>) -> Response {
    let Some(turn) = turn else { return StatusCode::NO_CONTENT.into_response() };
    if query.service.is_some_and(|service| service != "turn") {
        return (StatusCode::BAD_REQUEST, "service: must be turn").into_response();
    }
    let user = match query.username {
        Some(user) if is_user(&user) => user,
        Some(_) => {
            let right = "username: must be 1 to 128 visible characters of ASCII, without a colon";
            return (StatusCode::BAD_REQUEST, right).into_response();
        }
        None => format!("{:016x}", rand::random::<u64>()),
    };
    let credentials = json!(credentials(turn, &user, since_1970()));
    // What a cache keeps would be used when it has ended, and by others.
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, credentials.to_string()).into_response()
}

fn is_user(text: &str) -> bool {
    (1..=LONGEST_USER).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':')
}

fn credentials<'a>(turn: &'a Turn, user: &str, since_1970: Duration) -> Credentials<'a> {
    let username = format!("{}:{user}", since_1970.as_secs() + turn.ttl);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, turn.secret.reveal().as_bytes());
    let password = STANDARD.encode(hmac::sign(&key, username.as_bytes()));
    Credentials { username, password, ttl: turn.ttl, uris: &turn.uris }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `printf 1700003600:ada | openssl dgst -sha1 -hmac north -binary | base64` prints.
    #[test]
    fn the_password_is_the_hmac_of_the_name() {
        let turn = Turn { uris: vec!["turn:a".to_owned()], secret: "north".to_owned().into(), ttl: 3600 };

        let credentials = credentials(&turn, "ada", Duration::from_secs(1_700_000_000));

        assert_eq!(credentials.username, "1700003600:ada");
        assert_eq!(credentials.password, "xnSlQG4JwD6eDlwPBFdbTt6sTJk=");
    }
}
