//! The operation on the configuration.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::problem::Problem;
use super::schema::{self, Failed};
use crate::reload::{Reload, Reloader};

/// Reads the configuration again
///
/// The file, the environment and the files of secrets and certificates, as at the start. If anything of it is wrong nothing
/// changes (422), and the detail says which key, where, and what would be right.
#[utoipa::path(
    post, path = "/config/reload", tag = "server", operation_id = "reload_config",
    responses(
        (status = 200, description = "What is different now, and what will be after a restart.", body = schema::Reload),
        Failed,
    ),
)]
pub(super) async fn reload(State(reloader): State<Reloader>) -> Result<Json<Reload>, Problem> {
    // With its client a handler ends where it is: half a configuration would be in effect.
    let reload = tokio::spawn(async move { reloader.reload().await });
    let outcome = reload.await.map_err(|_| Problem::Server(StatusCode::SERVICE_UNAVAILABLE))?;
    outcome.map(Json).map_err(|error| Problem::Configuration(error.to_string()))
}
