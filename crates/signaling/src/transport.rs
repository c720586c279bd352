//! The shell of the signaling plane: carries the conversation over HTTP and WebSocket. One task owns the [`Core`]; HTTP
//! handlers and WebSocket connections reach it over one bounded queue. It must not know what a request means.

pub(crate) mod access;
mod admin;
#[cfg(any(feature = "rabbitmq", feature = "mqtt"))]
mod broker;
pub(crate) mod connection;
mod cors;
mod document;
mod durations;
mod guard;
mod http;
pub(crate) mod listener;
mod mailbox;
#[cfg(feature = "mqtt")]
pub(crate) mod mqtt;
mod owner;
mod path;
#[cfg(feature = "rabbitmq")]
pub(crate) mod rabbitmq;
mod refusal;
mod stun;
pub(crate) mod style;
pub(crate) mod tls;
pub(crate) mod unix;
mod websocket;

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use histogram::Histogram;
use serde_json::Value;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use self::connection::Api;
use self::cors::Cors;
use self::listener::ClientAddress;
use self::mailbox::Mailboxes;
use self::owner::{CoreOwner, Inbound, Stop, Told};
pub use self::owner::{Occurrence, StoreRequest};
use self::path::RoomPath;
use self::style::Styles;
use crate::{
    Carrier, Core, Counters, Gauges, HandleStatistics, Happening, JsonStyle, LogLevel, MediaCommand, MediaEvent,
    Notice, Operation, Outcome, Refused, RequestKind, Standing,
};

/// Bytes of a request body or a WebSocket message. An offer of a browser with many codecs is about 10 KiB.
const MESSAGE_LIMIT: usize = 256 * 1024;
/// Requests that wait for the core. When it is full, clients wait: the core takes some microseconds for each.
const INBOX_CAPACITY: usize = 1024;
/// Notices that wait for their slowest listener. A listener has nothing to do but to sort them: this is a second of a storm.
const NOTICES_CAPACITY: usize = 4096;
/// How long the core may take for a reply, as in Janus (spec of its HTTP transport).
const REPLY_TIME: Duration = Duration::from_secs(10);
/// How long polls and connections may take to end after the last event, so that a slow client can't delay a stop.
const STOP_TIME: Duration = Duration::from_secs(5);

/// The settings of the shell.
#[derive(Clone, Debug)]
pub struct TransportConfig {
    /// Where the Janus API is over HTTP: starts with a slash.
    pub base_path: String,
    /// Where the admin API is over HTTP: starts with a slash.
    pub admin_base_path: String,
    /// The origins of pages that browsers allow to call; empty = any.
    pub allow_origins: Vec<String>,
    /// Refuse requests from other origins than `allow_origins`.
    pub enforce_cors: bool,
    /// How messages are written at first.
    pub json: JsonStyles,
    /// Whether WebSocket clients that say nothing are asked whether they are there; `None` = never.
    pub pings: Option<Pings>,
    /// Events that wait for the next poll of one HTTP session; the oldest go first.
    pub mailbox_capacity: usize,
    /// Messages that wait to be sent on one WebSocket connection; a connection that needs more is closed. It should exceed
    /// the requests that can wait for the core (1024), or a client that sends those in one go is taken for a slow one.
    pub connection_capacity: usize,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            base_path: "/janus".to_owned(),
            admin_base_path: "/admin".to_owned(),
            allow_origins: Vec::new(),
            enforce_cors: false,
            json: JsonStyles::default(),
            pings: None,
            mailbox_capacity: 1024,
            connection_capacity: 4096,
        }
    }
}

/// The style of each transport.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonStyles {
    /// Answers over HTTP.
    pub http: JsonStyle,
    /// Messages of WebSockets, on whatever port.
    pub websocket: JsonStyle,
    /// Packets of Unix sockets.
    pub unix: JsonStyle,
}

/// How long a WebSocket may be silent.
#[derive(Clone, Copy, Debug)]
pub struct Pings {
    /// A client that has sent nothing for so long is sent a ping …
    pub interval: Duration,
    /// … and let go when nothing has come of it for as long as this.
    pub timeout: Duration,
}

/// What the shell has counted since it was spawned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportCounters {
    /// WebSocket connections that are open now.
    pub connections: u64,
    /// Clients of Unix sockets now.
    pub unix_clients: u64,
    /// Connections closed because their client did not answer a ping.
    pub silent_connections: u64,
    /// Connections closed as they came, because their address may not connect.
    pub refused_connections: u64,
    /// Connections closed as they came, because there were too many.
    pub surplus_connections: u64,
    /// TLS handshakes that failed or took too long.
    pub failed_handshakes: u64,
    /// Documents and paths refused before the core saw them.
    pub refused: u64,
    /// Events dropped from mailboxes that nobody polled, and messages for a broker that is away.
    pub dropped_events: u64,
    /// Connections closed because their client was slower than its events.
    pub overflowed_connections: u64,
    /// Requests that wait for the core now.
    pub waiting_requests: u64,
}

/// What the core has counted, what it holds now, and how long it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreCounts {
    /// What has happened so far.
    pub counters: Counters,
    /// What there is now.
    pub gauges: Gauges,
    /// From the moment the core began with a request until all that came of it at once was handed out.
    pub durations: BTreeMap<RequestKind, Histogram>,
}

/// A handle to the task that owns the core; clones are handles to the same one. Without any handle left the task ends.
#[derive(Clone, Debug)]
pub struct Transport {
    inbox: mpsc::Sender<Inbound>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: TransportConfig,
    cors: RwLock<Arc<Cors>>,
    mailboxes: Mailboxes,
    tallies: Arc<Tallies>,
    styles: Arc<Styles>,
    log_level: watch::Receiver<LogLevel>,
    notices: broadcast::WeakSender<Occurrence>,
    last_connection: AtomicU64,
    /// What the core was told last: only while it drains it is asked who may come.
    draining: AtomicBool,
    /// Becomes true at the stop. Polls and connections hold a receiver, and its closing tells that all have ended.
    stopping: watch::Sender<bool>,
}

/// [`TransportCounters`] as they are counted.
#[derive(Debug, Default)]
struct Tallies {
    connections: AtomicU64,
    unix_clients: AtomicU64,
    silent_connections: AtomicU64,
    refused_connections: AtomicU64,
    surplus_connections: AtomicU64,
    failed_handshakes: AtomicU64,
    refused: AtomicU64,
    dropped_events: AtomicU64,
    overflowed_connections: AtomicU64,
}

impl Transport {
    /// Starts the task, on the runtime this is called in. Commands for the media planes are sent to `media`, and what
    /// those tell is read from `events`. Changes to store are sent to `store`; while that is full or closed, nothing is
    /// permanent.
    pub fn spawn(
        core: Core,
        media: mpsc::UnboundedSender<MediaCommand>,
        events: mpsc::Receiver<MediaEvent>,
        store: mpsc::Sender<StoreRequest>,
        mut config: TransportConfig,
    ) -> Self {
        for base in [&mut config.base_path, &mut config.admin_base_path] {
            base.truncate(base.trim_end_matches('/').len());
        }
        let (inbox, requests) = mpsc::channel(INBOX_CAPACITY);
        let tallies = Arc::new(Tallies::default());
        let mailboxes = Mailboxes::new(config.mailbox_capacity);
        let (set_log_level, log_level) = watch::channel(LogLevel::INFO);
        let (tell, _) = broadcast::channel(NOTICES_CAPACITY);
        let notices = tell.downgrade();
        let styles = Arc::new(Styles::new(config.json));
        let told = Told { log_level: set_log_level, styles: Arc::clone(&styles), notices: tell };
        let owner = CoreOwner::new(core, media, store, mailboxes.clone(), Arc::clone(&tallies), told);
        tokio::spawn(owner.run(requests, events));
        let cors = RwLock::new(Arc::new(Cors::new(&config.allow_origins, config.enforce_cors)));
        let (stopping, _) = watch::channel(false);
        let last_connection = AtomicU64::new(0);
        let draining = AtomicBool::new(false);
        let shared = Shared {
            config,
            cors,
            mailboxes,
            tallies,
            styles,
            log_level,
            notices,
            last_connection,
            draining,
            stopping,
        };
        Self { inbox, shared: Arc::new(shared) }
    }

    /// The Janus API of the HTTP port, and WebSocket by upgrade on every path of it. `pages` is what else is served there:
    /// paths that it has no route for go to the API.
    pub fn http_router(&self, pages: Router) -> Router {
        let transport = self.clone();
        self.finish(pages.fallback(move |request| http::handle(transport.clone(), request)), Api::Janus)
    }

    /// Pages for [`Transport::http_router`] that only who may use the API sees: 403 without its secret or a token in the query, or
    /// from an origin that it refuses.
    pub fn for_clients(&self, pages: Router) -> Router {
        pages.layer(middleware::from_fn_with_state(self.clone(), guard::guard))
    }

    /// The Janus API of the WebSocket port: any path.
    pub fn websocket_router(&self) -> Router {
        self.websocket_only(Api::Janus)
    }

    /// The admin API over HTTP, and over WebSocket on every path. `pages` as in [`Transport::http_router`].
    pub fn admin_router(&self, pages: Router) -> Router {
        let transport = self.clone();
        self.finish(pages.fallback(move |request| admin::handle(transport.clone(), request)), Api::Admin)
    }

    /// The admin API of its WebSocket port: any path.
    pub fn admin_websocket_router(&self) -> Router {
        self.websocket_only(Api::Admin)
    }

    /// What the shell has counted.
    pub fn counters(&self) -> TransportCounters {
        let tallies = &*self.shared.tallies;
        let count = |tally: &AtomicU64| tally.load(Ordering::Relaxed);
        TransportCounters {
            connections: count(&tallies.connections),
            unix_clients: count(&tallies.unix_clients),
            silent_connections: count(&tallies.silent_connections),
            refused_connections: count(&tallies.refused_connections),
            surplus_connections: count(&tallies.surplus_connections),
            failed_handshakes: count(&tallies.failed_handshakes),
            refused: count(&tallies.refused),
            dropped_events: count(&tallies.dropped_events),
            overflowed_connections: count(&tallies.overflowed_connections),
            waiting_requests: (self.inbox.max_capacity() - self.inbox.capacity()) as u64,
        }
    }

    /// How much operators want to be logged; changes when one of them says so.
    #[must_use]
    pub fn log_level(&self) -> watch::Receiver<LogLevel> {
        self.shared.log_level.clone()
    }

    /// What people and back-ends are told of, from now on; ends after the stop. A receiver that is slower than this misses the
    /// oldest, and is told how many.
    #[must_use]
    pub fn notices(&self) -> broadcast::Receiver<Occurrence> {
        self.shared.notices.upgrade().map_or_else(|| broadcast::channel(1).1, |notices| notices.subscribe())
    }

    /// Tells all who listen by now that the server has started.
    pub fn tell_started(&self) {
        #[expect(clippy::disallowed_methods, reason = "a notice of the shell's own; tokio's clock, as in owner.rs")]
        let at = tokio::time::Instant::now().into_std();
        if let Some(notices) = self.shared.notices.upgrade() {
            let _ = notices.send(Occurrence { at, notice: Notice { origin: None, what: Happening::ServerStarted } });
        }
    }

    /// What the core has counted; `None` when it is stopped or takes longer than 10 s.
    pub async fn core_counts(&self) -> Option<CoreCounts> {
        self.ask(|reply| Inbound::Inspect { reply }).await.ok()
    }

    /// Begins no room from now on, or again.
    ///
    /// # Errors
    /// 503 when the core is stopped, 504 when it takes longer than 10 s.
    pub async fn set_draining(&self, draining: bool) -> Result<(), StatusCode> {
        self.ask(|reply| Inbound::Drain { draining, reply }).await?;
        self.shared.draining.store(draining, Ordering::Relaxed);
        Ok(())
    }

    /// Whether new sessions and rooms are welcome.
    ///
    /// # Errors
    /// 503 when the core is stopped, 504 when it takes longer than 10 s.
    pub async fn standing(&self) -> Result<Standing, StatusCode> {
        self.ask(|reply| Inbound::Standing { reply }).await
    }

    /// Does what a back-end asks with the operator's authority, which the caller has checked.
    ///
    /// # Errors
    /// 503 when the core is stopped, 504 when it takes longer than 10 s.
    pub async fn operate(&self, operation: Operation) -> Result<Result<Outcome, Refused>, StatusCode> {
        self.ask(|reply| Inbound::Operation { operation, reply }).await
    }

    /// Looks at a room with the operator's authority, which the caller has checked: the room, and who is in it with how the
    /// audio of each fares.
    ///
    /// # Errors
    /// As for [`Transport::operate`].
    pub async fn observe_room(&self, room: String) -> Result<Result<Value, Refused>, StatusCode> {
        self.ask(|reply| Inbound::Observe { room, reply }).await
    }

    /// Looks how the audio of all fares whose PeerConnection is up. Nobody when the core is stopped or takes longer than 10 s.
    pub async fn measure_all(&self) -> Vec<HandleStatistics> {
        self.ask(|reply| Inbound::Measure { reply }).await.unwrap_or_default()
    }

    /// Gives the core new settings: [`Core::reconfigure`]. False when the core is stopped or takes longer than 10 s.
    pub async fn reconfigure(&self, config: crate::Config) -> bool {
        let config = Box::new(config);
        self.ask(|reply| Inbound::Reconfigure { config, reply }).await.is_ok()
    }

    /// Allows other origins from now on, as [`TransportConfig`] has them.
    pub fn allow_origins(&self, origins: &[String], enforce: bool) {
        let cors = Arc::new(Cors::new(origins, enforce));
        *self.shared.cors.write().unwrap_or_else(PoisonError::into_inner) = cors;
    }

    /// Tells every session that it ends, hands out what is queued, closes the connections and ends the task. Returns when
    /// all of that is done, or after 10 s for the core and 5 s for slow clients. What comes later is answered with 503.
    pub async fn shut_down(&self) {
        // Told first, so that connections know why their queue ends; polls look into their mailbox in any case.
        let stopping = self.shared.stopping.clone();
        let _ = self.ask(|reply| Inbound::ShutDown(Stop { stopping, reply })).await;
        self.shared.stopping.send_replace(true);
        let _ = tokio::time::timeout(STOP_TIME, self.shared.stopping.closed()).await;
    }

    fn websocket_only(&self, api: Api) -> Router {
        let transport = self.clone();
        let fallback = move |headers: HeaderMap| ready(websocket::refuse_plain_http(&transport, &headers));
        self.finish(Router::new().fallback(fallback), api)
    }

    fn finish(&self, router: Router, api: Api) -> Router {
        let upgrade = middleware::from_fn_with_state((self.clone(), api), websocket::upgrade);
        router.layer(upgrade).layer(DefaultBodyLimit::max(MESSAGE_LIMIT))
    }

    /// Refuses what is about a room that can't begin here (`path` names it) and about no session of ours, with a status on
    /// which a balancer tries another server; `None` lets it through.
    async fn turn_away(&self, path: &str, session: u64) -> Option<Response> {
        if !self.shared.draining.load(Ordering::Relaxed) {
            return None;
        }
        let room = RoomPath::split(path).room?;
        let refusal = match self.ask(|reply| Inbound::Welcome { room, session, reply }).await {
            Ok(true) => return None,
            Ok(false) => StatusCode::SERVICE_UNAVAILABLE,
            Err(status) => status,
        };
        Some(refusal.into_response())
    }

    /// A request over HTTP, answered by the core or, in its absence, by a status.
    async fn request(&self, ClientAddress(client): ClientAddress, request: Value) -> Result<Value, StatusCode> {
        self.ask(|reply| Inbound::Request { client, request, reply }).await
    }

    async fn admin_request(&self, request: Value) -> Result<Value, StatusCode> {
        self.ask(|reply| Inbound::AdminRequest { request, reply }).await
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Inbound) -> Result<T, StatusCode> {
        let (reply, answer) = oneshot::channel();
        let exchange = async {
            self.inbox.send(question(reply)).await.ok()?;
            answer.await.ok()
        };
        match tokio::time::timeout(REPLY_TIME, exchange).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(StatusCode::SERVICE_UNAVAILABLE),
            Err(_) => Err(StatusCode::GATEWAY_TIMEOUT),
        }
    }

    fn config(&self) -> &TransportConfig {
        &self.shared.config
    }

    fn cors(&self) -> Arc<Cors> {
        Arc::clone(&self.shared.cors.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn mailboxes(&self) -> &Mailboxes {
        &self.shared.mailboxes
    }

    fn stopping(&self) -> watch::Receiver<bool> {
        self.shared.stopping.subscribe()
    }

    /// How what is carried so, or by HTTP, is written now.
    fn style(&self, carrier: Option<Carrier>) -> JsonStyle {
        self.shared.styles.of(carrier)
    }

    fn count_refusal(&self) {
        self.shared.tallies.refused.fetch_add(1, Ordering::Relaxed);
    }
}
