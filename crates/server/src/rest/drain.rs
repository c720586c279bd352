//! The operations on the server as a whole: its end in good order.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::problem::Problem;
use super::request::Fields;
use super::schema::{Drain, DrainOrder, Failed};
use crate::config::LONGEST;
use crate::drain::Progress;
use crate::drain::owner::{Drainer, TooLate};

/// Shows whether the server drains
///
/// And who is left.
#[utoipa::path(
    get, path = "/drain", tag = "server", operation_id = "read_drain",
    responses(
        (status = 200, description = "Whether and how far.", body = Drain),
        Failed,
    ),
)]
pub(super) async fn read(State(drainer): State<Drainer>) -> Result<Response, Problem> {
    shown(drainer.progress().await)
}

/// Drains the server
///
/// No room begins any more, `/readyz` says 503, calls go on. When all have left, or at the deadline, clients are told and the
/// process ends. May be repeated, with another deadline.
#[utoipa::path(
    put, path = "/drain", tag = "server", operation_id = "drain", request_body = DrainOrder,
    responses(
        (status = 200, description = "How far it is.", body = Drain),
        Failed,
    ),
)]
pub(super) async fn begin(State(drainer): State<Drainer>, order: Fields<DrainOrder>) -> Result<Response, Problem> {
    let deadline = match order.0.get("deadline") {
        None => None,
        Some(value) => Some(seconds(value).ok_or(Problem::Deadline)?),
    };
    shown(drainer.begin(deadline).await)
}

/// Goes on serving
///
/// As if the server had never been asked to drain.
#[utoipa::path(
    delete, path = "/drain", tag = "server", operation_id = "undo_drain",
    responses(
        (status = 200, description = "It does not drain any more.", body = Drain),
        Failed,
    ),
)]
pub(super) async fn undo(State(drainer): State<Drainer>) -> Result<Response, Problem> {
    shown(drainer.undo().await)
}

fn seconds(value: &Value) -> Option<Duration> {
    value.as_u64().filter(|seconds| *seconds <= LONGEST).map(Duration::from_secs)
}

fn shown(progress: Result<Progress, TooLate>) -> Result<Response, Problem> {
    let progress = progress.map_err(|TooLate| Problem::Server(StatusCode::SERVICE_UNAVAILABLE))?;
    Ok(Json(progress.as_json()).into_response())
}
