//! The Janus API over HTTP: requests by POST, events by long poll. It must not know what a request means.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Query, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::listener::ClientAddress;
use super::owner::Inbound;
use super::path::{RoomPath, Target};
use super::refusal::Refusal;
use super::{Transport, document};
use crate::{Credentials, Poll, SessionId};

/// How long a poll waits for an event. Clients give up after 60 s (janus.js), so that half of it is safe.
const POLL_TIME: Duration = Duration::from_secs(30);
/// How long a request body may take to arrive: it is a few KiB.
const BODY_TIME: Duration = Duration::from_secs(30);
/// Characters of a transaction that is made up for a GET.
const TRANSACTION_LENGTH: usize = 11;

/// Answers every request of the API's port that no page and no WebSocket takes.
pub(super) async fn handle(transport: Transport, request: Request) -> Response {
    let cors = transport.cors().headers(request.headers());
    let mut response = answer(&transport, request).await;
    response.headers_mut().extend(cors);
    response
}

async fn answer(transport: &Transport, request: Request) -> Response {
    let base = transport.config().base_path.as_str();
    let whole_path = request.uri().path();
    let RoomPath { prefix, path, .. } = RoomPath::split(whole_path);
    let target = Target::parse(base, path);
    let client = ClientAddress::of(request.extensions());
    if let Some(response) = gate(transport, target, &request) {
        return response;
    }
    if target != Target::Outside
        && let Some(response) = transport.turn_away(whole_path, target.ids().0).await
    {
        return response;
    }
    if request.method() == Method::POST {
        return match target {
            Target::Outside | Target::TooDeep => StatusCode::NOT_FOUND.into_response(),
            Target::Info | Target::Ping => StatusCode::BAD_REQUEST.into_response(),
            Target::Base | Target::Session { .. } | Target::Handle { .. } => {
                post(transport, client, target, request).await
            }
        };
    }
    match target {
        Target::Outside | Target::TooDeep | Target::Base => StatusCode::NOT_FOUND.into_response(),
        Target::Info => reply(transport, transport.request(client, made_up("info")).await),
        Target::Ping => reply(transport, transport.request(client, made_up("ping")).await),
        Target::Session { session } => poll(transport, client, session, None, request.uri()).await,
        Target::Handle { session, .. } => {
            let redirect_base = format!("{prefix}{base}");
            poll(transport, client, session, Some(&redirect_base), request.uri()).await
        }
    }
}

/// What is answered before anything is done, the same for both APIs; `None` lets a GET or POST through.
pub(super) fn gate(transport: &Transport, target: Target, request: &Request) -> Option<Response> {
    if request.method() == Method::OPTIONS {
        return Some(StatusCode::OK.into_response());
    }
    if !transport.cors().permits(request.headers()) {
        return Some(StatusCode::FORBIDDEN.into_response());
    }
    if target == Target::TooDeep {
        return Some(StatusCode::NOT_FOUND.into_response());
    }
    if request.method() != Method::GET && request.method() != Method::POST {
        return Some(refuse(transport, &Refusal::UnsupportedMethod { method: request.method().clone() }));
    }
    None
}

/// The body of a POST as far as HTTP itself can judge it; empty is for the caller to judge.
pub(super) async fn body(request: Request) -> Result<Bytes, StatusCode> {
    match tokio::time::timeout(BODY_TIME, Bytes::from_request(request, &())).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(rejection)) => Err(rejection.status()),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// The one request of a body, with the ids of its path merged in: those count where the body has none.
pub(super) fn parse_request(body: &[u8], target: Target) -> Result<Value, Refusal> {
    let mut document = document::parse_one(body).map_err(Refusal::MalformedBody)?;
    let Value::Object(request) = &mut document else { return Err(Refusal::NotAnObject) };
    let (session, handle) = target.ids();
    for (field, of_path, conflict) in
        [("session_id", session, Refusal::ConflictingSession), ("handle_id", handle, Refusal::ConflictingHandle)]
    {
        let of_body = request.get(field).and_then(Value::as_i64).unwrap_or(0);
        if of_path == 0 {
            continue;
        } else if of_body == 0 {
            request.insert(field.to_owned(), of_path.into());
        } else if of_body.cast_unsigned() != of_path {
            return Err(conflict);
        }
    }
    Ok(document)
}

/// A reply of the core, or the status that stands for its absence.
pub(super) fn reply(transport: &Transport, message: Result<Value, StatusCode>) -> Response {
    match message {
        Ok(message) => json_response(transport, &message),
        Err(status) => status.into_response(),
    }
}

/// Every JSON answer is 200, errors of the protocol included: clients look at the JSON.
pub(super) fn refuse(transport: &Transport, refusal: &Refusal) -> Response {
    transport.count_refusal();
    json_response(transport, &refusal.message())
}

/// A request that stands for a GET, which has no transaction of its own.
pub(super) fn made_up(verb: &str) -> Value {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // A label for logs on the client's side; that no two are alike within reason is all it needs.
    let mut random = RandomState::new().hash_one(COUNT.fetch_add(1, Ordering::Relaxed));
    let transaction: String = std::iter::repeat_with(|| {
        let digit = DIGITS[(random % 36) as usize];
        random /= 36;
        char::from(digit)
    })
    .take(TRANSACTION_LENGTH)
    .collect();
    json!({ "janus": verb, "transaction": transaction })
}

async fn post(transport: &Transport, client: ClientAddress, target: Target, request: Request) -> Response {
    let body = match body(request).await {
        Ok(body) if body.is_empty() => return StatusCode::BAD_REQUEST.into_response(),
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    match parse_request(&body, target) {
        Ok(request) => reply(transport, transport.request(client, request).await),
        Err(refusal) => refuse(transport, &refusal),
    }
}

/// A long poll, or, below a handle (`redirect_base`), the way to it: that refreshes the session as well.
async fn poll(
    transport: &Transport,
    ClientAddress(client): ClientAddress,
    session: u64,
    redirect_base: Option<&str>,
    uri: &Uri,
) -> Response {
    let query = Query::<HashMap<String, String>>::try_from_uri(uri).map(|query| query.0).unwrap_or_default();
    if session == 0 {
        return StatusCode::NOT_FOUND.into_response();
    }
    let credentials = Credentials { apisecret: query.get("apisecret").cloned(), token: query.get("token").cloned() };
    let mut stopping = transport.stopping();
    let verdict = match transport.ask(|reply| Inbound::Poll { session, client, credentials, reply }).await {
        Ok(verdict) => verdict,
        Err(status) => return status.into_response(),
    };
    match (verdict, redirect_base) {
        (Poll::Forbidden, _) => return StatusCode::FORBIDDEN.into_response(),
        (Poll::TooMany, _) => return StatusCode::TOO_MANY_REQUESTS.into_response(),
        (Poll::NotFound | Poll::Ready, Some(base)) => {
            return (StatusCode::FOUND, [(header::LOCATION, format!("{base}/{session}"))]).into_response();
        }
        (Poll::NotFound, None) => return StatusCode::NOT_FOUND.into_response(),
        (Poll::Ready, None) => {}
    }
    let Some(mailbox) = transport.mailboxes().of(SessionId(session)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let maximum = query.get("maxev").and_then(|text| text.parse().ok()).unwrap_or(1).max(1);
    let stopped = async {
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    let mut events = mailbox.collect(maximum, POLL_TIME, stopped).await;
    if events.is_empty() {
        events.push(r#"{"janus":"keepalive"}"#.to_owned());
    }
    // An array is asked for by asking for more than one, even when there is only one.
    let text = if maximum == 1 { events.concat() } else { format!("[{}]", events.join(",")) };
    json_text(transport.style(None).rewrite(text))
}

fn json_response(transport: &Transport, message: &Value) -> Response {
    json_text(transport.style(None).write(message))
}

fn json_text(text: String) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (headers, Body::from(text)).into_response()
}
