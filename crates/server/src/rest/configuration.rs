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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures_util::FutureExt as _;
    use signaling::{Core, Transport, TransportConfig};
    use tokio::sync::{mpsc, watch};

    use super::*;
    use crate::config::{Config, Source};
    use crate::reload::Audience;

    #[tokio::test]
    async fn a_reload_is_done_even_if_nobody_waits_for_its_answer() {
        let core = Core::new(signaling::Config::default(), [7; 32], crate::now());
        let media = mpsc::unbounded_channel().0;
        let transport =
            Transport::spawn(core, media, mpsc::channel(1).1, mpsc::channel(1).0, TransportConfig::default());
        let (filter, mut filters) = watch::channel(String::new());
        let audience = Audience {
            transport,
            access: BTreeMap::new(),
            token: watch::Sender::new(None),
            filter,
            certificate: mpsc::channel(1).0,
            configured: mpsc::unbounded_channel().0,
        };
        let source = Source { assignments: vec!["log.filter=warn".to_owned()], ..Source::default() };
        let reloader = Reloader::new(source, Config::default(), audience);

        let unfinished = reload(State(reloader.clone())).now_or_never();

        assert!(unfinished.is_none());
        filters.changed().await.expect("it has begun");
        let again = reloader.reload().await.expect("a configuration");
        assert_eq!(again, Reload::default(), "all of it was done the first time");
    }
}
