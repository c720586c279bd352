//! What happens, as it happens: streams of server-sent events for who watches. What is seen is `observatory.rs`'s.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use signaling::{Operation, Transport};

use super::problem::Problem;
use super::request::Named;
use super::schema::Failed;
use super::seen::{RoomEvent, ServerEvent};
use crate::observatory::{Observatory, Telling, Topic};

/// A stream on which nothing happens says so in between: proxies cut what is silent for a minute, and a page that hears
/// nothing for some of these takes the server for gone.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// Watches the server
///
/// Server-sent events, each with an `id` that counts and JSON in `data`: first a `snapshot` of the server and of all rooms in
/// few words, then once a second a `change` with those that are new or others and the ids of those that are `gone`. Who reads
/// too slowly misses changes and gets another `snapshot`. `gone` is the last event, when the server ends.
#[utoipa::path(
    get, path = "/events", tag = "events", operation_id = "watch_server",
    responses(
        (status = 200, description = "The stream.", body = ServerEvent, content_type = "text/event-stream"),
        Failed,
    ),
)]
pub(super) async fn server(State(observatory): State<Observatory>) -> Result<Response, Problem> {
    stream(&observatory, Topic::Server)
}

/// Watches a room
///
/// The same for one room: who is in it and how the audio of each fares, about twice a second and in large rooms less often.
/// `gone` is the last event, when the room is.
#[utoipa::path(
    get, path = "/rooms/{room}/events", tag = "events", operation_id = "watch_room",
    params(("room" = String, Path, description = "The room's id.")),
    responses(
        (status = 200, description = "The stream.", body = RoomEvent, content_type = "text/event-stream"),
        Failed,
    ),
)]
pub(super) async fn room(
    State(transport): State<Transport>,
    State(observatory): State<Observatory>,
    Named(room): Named<String>,
) -> Result<Response, Problem> {
    let there = transport.operate(Operation::ReadRoom { room: room.clone() }).await.map_err(Problem::Server)?;
    there.map_err(Problem::Refused)?;
    stream(&observatory, Topic::Room(room))
}

fn stream(observatory: &Observatory, topic: Topic) -> Result<Response, Problem> {
    let telling = observatory.watch(topic).ok_or(Problem::Watchers)?;
    let events = telling.enumerate().map(|(number, Telling { what, data })| {
        Ok::<_, Infallible>(Event::default().id(number.to_string()).event(what).data(data))
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEPALIVE)).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx collects what it passes on unless it is told not to.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}
