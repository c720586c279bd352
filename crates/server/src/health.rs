//! Whether the server is alive, and whether it is ready for new rooms: for balancers and whoever would start it afresh. Looks at
//! nothing outside the process.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use signaling::{Standing, Transport};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::systemd;
use crate::wiring::{Driver, Worker};

/// How long a thread may take to begin its next turn. The longest turn that was ever measured took 60 ms, and a probe of
/// Kubernetes waits for 1 s unless it is told otherwise.
const PATIENCE: Duration = Duration::from_millis(800);
/// How often it is looked whether it has.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);
/// After how many seconds a balancer may ask again.
const RETRY: &str = "5";

/// What is asked how it is.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    pub(crate) drivers: Vec<Driver>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) transport: Transport,
}

impl Health {
    /// `/livez`, `/readyz` and `/startupz`.
    pub(crate) fn router(&self) -> Router {
        let (live, ready, started) = (self.clone(), self.clone(), self.clone());
        Router::new()
            .route("/livez", get(async move || live.live().await))
            .route("/readyz", get(async move || ready.ready().await))
            // Every port is open and every thread started before the first request is answered.
            .route("/startupz", get(async move || started.live().await))
    }

    /// Tells the service manager so often that all threads turn, as long as they do and the server does not stop.
    pub(crate) async fn keep_watchdog(self, interval: Duration, mut stopping: watch::Receiver<bool>) {
        let mut beat = tokio::time::interval(interval);
        loop {
            tokio::select! {
                _ = beat.tick() => {}
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
            let stuck = self.stuck().await;
            if stuck.is_empty() {
                systemd::tell_alive();
            } else {
                tracing::error!(?stuck, "a thread does not turn any more");
            }
        }
    }

    async fn live(&self) -> Response {
        let stuck = self.stuck().await;
        let body = Json(json!({"live": stuck.is_empty(), "stuck": stuck}));
        respond(stuck.is_empty(), body)
    }

    async fn ready(&self) -> Response {
        let reasons = self.reasons().await;
        let body = Json(json!({"ready": reasons.is_empty(), "reasons": reasons}));
        respond(reasons.is_empty(), body)
    }

    /// Why no new room should come here.
    async fn reasons(&self) -> Vec<String> {
        let mut reasons: Vec<String> = self.stuck().await.iter().map(|name| format!("{name} is stuck")).collect();
        if let Ok(Ok(Standing { accepting, draining, overloaded })) = timeout(PATIENCE, self.transport.standing()).await
        {
            let wrong = [(!accepting, "no new sessions"), (draining, "draining"), (overloaded, "overloaded")];
            reasons.extend(wrong.into_iter().filter(|(is_so, _)| *is_so).map(|(_, reason)| reason.to_owned()));
        }
        reasons
    }

    /// The threads, and the task that owns the conversation, that have died or do not turn any more. Those that have nothing
    /// to do are woken to see.
    async fn stuck(&self) -> Vec<String> {
        let threads: Vec<Thread<'_>> = self
            .drivers
            .iter()
            .enumerate()
            .map(|(index, driver)| Thread::Net(index, driver, driver.turns()))
            .chain(self.workers.iter().enumerate().map(|(index, worker)| Thread::Mix(index, worker, worker.turns())))
            .collect();
        threads.iter().for_each(Thread::nudge);
        let turned = async {
            while !threads.iter().all(Thread::has_turned) {
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
        };
        let (_, conversation) = tokio::join!(timeout(PATIENCE, turned), timeout(PATIENCE, self.transport.standing()));
        let mut stuck: Vec<String> = threads.iter().filter(|it| !it.has_turned()).map(Thread::name).collect();
        if !matches!(conversation, Ok(Ok(_))) {
            stuck.push("signaling".to_owned());
        }
        stuck
    }
}

/// A thread, by its index, and how many turns it had begun.
enum Thread<'a> {
    Net(usize, &'a Driver, u64),
    Mix(usize, &'a Worker, u64),
}

impl Thread<'_> {
    fn nudge(&self) {
        match self {
            Self::Net(_, driver, _) => driver.nudge(),
            Self::Mix(_, worker, _) => worker.nudge(),
        }
    }

    fn has_turned(&self) -> bool {
        match self {
            Self::Net(_, driver, turns) => driver.turns() != *turns,
            Self::Mix(_, worker, turns) => worker.turns() != *turns,
        }
    }

    /// As the system shows it.
    fn name(&self) -> String {
        match self {
            Self::Net(index, ..) => format!("net-{index}"),
            Self::Mix(index, ..) => format!("mix-{index}"),
        }
    }
}

fn respond(is_well: bool, body: Json<serde_json::Value>) -> Response {
    let fresh = [(CACHE_CONTROL, "no-store")];
    if is_well {
        (StatusCode::OK, fresh, body).into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, fresh, [(RETRY_AFTER, RETRY)], body).into_response()
    }
}
