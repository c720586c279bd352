//! Plenum: introduces signaling, webrtc and mixer to one another and makes a server of them.
//!
//! [`start`] turns a [`Config`] into a [`Running`] server. What connects the planes is in `bridge.rs` (who is who) and
//! `wiring.rs` (threads and queues).

mod bridge;
#[cfg(any(feature = "rabbitmq", feature = "mqtt"))]
mod brokers;
mod certificate;
pub mod config;
mod documentation;
mod drain;
mod health;
mod http_client;
pub mod janus;
mod listen;
mod logs;
mod metrics;
mod observatory;
mod placement;
mod ports;
mod process;
mod reload;
mod rest;
mod slots;
mod store;
pub mod systemd;
#[cfg(feature = "otlp")]
mod telemetry;
mod turn;
pub mod verifier;
mod web;
mod webhooks;
mod wiring;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use axum::routing::get;
use signaling::{Core, JsonStyles, LogLevel, MediaFacts, Pings, Transport, TransportConfig};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use certificate::CertificateFiles;
use config::{Config, ConfigError, Secret, Source};
use drain::owner::Drainer;
pub use drain::{Ending, Occupancy};
use health::Health;
pub use logs::Logs;
use metrics::Metrics;
use observatory::Observatory;
use ports::OpenPort;
use store::RoomStore;
use webhooks::Webhooks;

pub use config::Change;
pub use ports::Port;
pub use reload::Reload;
use reload::{Audience, Reloader};

/// Media events that wait for signaling; the bridge waits when it is full.
const MEDIA_EVENTS: usize = 4096;

/// A server that runs until [`Running::stop`].
#[derive(Debug)]
pub struct Running {
    addresses: Addresses,
    transport: Transport,
    drivers: Vec<wiring::Driver>,
    acceptor: Option<webrtc::AcceptorHandle>,
    workers: Vec<wiring::Worker>,
    stopping: watch::Sender<bool>,
    reloader: Reloader,
    drainer: Drainer,
    tasks: JoinSet<()>,
}

/// Where a server listens.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// The ports of the signaling plane that are open.
    pub tcp: BTreeMap<Port, SocketAddr>,
    /// Audio: one address a net thread.
    pub media: Vec<SocketAddr>,
    /// Audio over TCP, if that is on.
    pub media_tcp: Option<SocketAddr>,
}

/// Says what is wrong with a configuration as far as that can be known without a port and without changing anything.
///
/// # Errors
/// As for [`start`].
pub fn check(config: &Config, source: &Source) -> Result<(), ConfigError> {
    let file = source.file.as_deref();
    let check = || {
        Logs::check(&config.log, file)?;
        certificate_files(config, file)?;
        Webhooks::read(config, file)?;
        #[cfg(any(feature = "rabbitmq", feature = "mqtt"))]
        brokers::Brokers::read(config, file)?;
        config.storage.directory.as_deref().map_or(Ok(()), |directory| store::check(file, directory))
    };
    check().map_err(|error| source.located(error))
}

/// Starts a server: opens its ports, starts its threads, and serves.
///
/// `source` is where `config` was read from; `logs` is what operators change the level of.
///
/// # Errors
/// A [`config::ConfigError`] when a port cannot be opened; anything else is a fault of the machine.
pub async fn start(mut config: Config, source: Source, logs: Logs) -> anyhow::Result<Running> {
    let (file, configured) = (source.file.as_deref(), config.clone());
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let cores = available_parallelism().map_or(1, usize::from);
    let or_cores = |threads| if threads == 0 { cores } else { threads };
    let epoch = now();

    let certificate_files = certificate_files(&config, file)?;
    let ports = ports::open(&config, file, certificate_files.as_ref().map(CertificateFiles::certificate)).await?;
    let unix_sockets = listen::unix(file, &config.unix)?;
    let store = open_store(&mut config, file)?;
    let sockets = listen::udp(file, &config.media, or_cores(config.media.net_threads))?;
    let acceptor = listen::media_tcp(file, &config.media)?;
    let media_addresses = listen::media_addresses(&config.media).context("finding the addresses of this machine")?;
    let addresses = Addresses {
        tcp: ports::addresses(&ports)?,
        media: sockets.iter().map(webrtc::Driver::local_address).collect(),
        media_tcp: acceptor.as_ref().map(webrtc::Acceptor::local_address),
    };

    #[cfg(any(feature = "rabbitmq", feature = "mqtt"))]
    let brokers = brokers::Brokers::read(&config, file)?;
    let webhooks = Webhooks::read(&config, file)?;
    #[cfg(feature = "otlp")]
    let traces = config.telemetry.as_ref().map(|telemetry| telemetry::Traces::open(telemetry, file)).transpose()?;
    let mix_threads = or_cores(config.mixer.mix_threads);
    let metrics = Metrics::new(sockets.len(), mix_threads);
    let (plane_events, from_planes) = mpsc::unbounded_channel();
    let workers_cell = Arc::new(OnceLock::new());
    let certificate = webrtc::Certificate::generate().context("making a certificate")?;
    let mut drivers = Vec::new();
    for (index, socket) in sockets.into_iter().enumerate() {
        let shard_config = webrtc::ShardConfig {
            number: u8::try_from(index).context("more net threads than shards have numbers")?,
            tcp_port: addresses.media_tcp.map(|address| address.port()),
            ..shard_config(&config, &media_addresses, socket.local_address().port())
        };
        let shard = webrtc::Shard::new(shard_config, certificate.clone(), rand::random(), epoch);
        let sink = wiring::net_sink(index, Arc::clone(&workers_cell), plane_events.clone());
        let publisher = metrics.webrtc(index);
        let driver_config = webrtc::DriverConfig::named(format!("net-{index}"), epoch);
        drivers.push(socket.spawn(driver_config, shard, sink, move |counts, times| publisher.publish(counts, times))?);
    }
    let acceptor = match acceptor {
        Some(acceptor) => {
            let publisher = metrics.acceptor();
            Some(acceptor.spawn(drivers.clone(), move |counters| publisher.publish(counters))?)
        }
        None => None,
    };
    let pool_config = mixer::PoolConfig { workers: mix_threads, ..mixer::PoolConfig::default() };
    let workers = mixer::Pool::spawn(&pool_config, epoch, |index| {
        wiring::mix_sink(index, drivers.clone(), plane_events.clone(), metrics.mixer(index))
    })?;
    let _ = workers_cell.set(workers.clone());

    let (commands, to_planes) = mpsc::unbounded_channel();
    let (events, from_media) = mpsc::channel(MEDIA_EVENTS);
    let core_config = signaling_config(&config, &media_addresses, logs.level());
    let core = Core::new(core_config, rand::random(), now());
    let (changes, to_store) = mpsc::channel(store::WAITING_CHANGES);
    let transport = Transport::spawn(core, commands, from_media, changes, transport_config(&config));

    let (stopping, _) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let (added, to_configure) = mpsc::unbounded_channel();
    if let Some(store) = store {
        tasks.spawn(store.run(to_store, to_configure));
    }
    tasks.spawn(wiring::run_bridge(to_planes, from_planes, events, drivers.clone(), workers.clone()));
    #[cfg(feature = "otlp")]
    if let Some(traces) = traces {
        tasks.spawn(traces.run(transport.notices()));
    }
    webhooks.serve(&transport, &metrics, &mut tasks);
    let scrape = Arc::new((metrics.scraped(&drivers, &workers), transport.clone()));
    let metrics_page = get(move || async move {
        let (scrape, transport) = &*scrape;
        scrape.page(transport.core_counts().await.as_ref(), &transport.counters())
    });
    let token = watch::Sender::new(config.admin.token.clone());
    let (certificates, read_again) = mpsc::channel(1);
    let audience = Audience {
        transport: transport.clone(),
        access: ports.iter().map(|open| (open.port, open.access.clone())).collect(),
        token: token.clone(),
        filter: logs.filter(),
        certificate: certificates,
        configured: added,
    };
    let reloader = Reloader::new(source.clone(), configured, audience);
    let drainer = Drainer::spawn(transport.clone(), Duration::from_secs(config.drain.deadline));
    let health = Health { drivers: drivers.clone(), workers: workers.clone(), transport: transport.clone() };
    let observatory = Observatory::new(transport.clone(), workers.clone(), drainer.clone(), stopping.subscribe());
    let api =
        rest::Api { transport: transport.clone(), observatory, reloader: reloader.clone(), drainer: drainer.clone() };
    let admin_pages = rest::router(api, token.subscribe())
        .route("/metrics", metrics_page)
        .merge(health.router())
        .merge(documentation::router())
        .merge(web::console());
    tasks.spawn(logs.follow(transport.log_level(), stopping.subscribe()));
    tasks.spawn(logs::log_changes(transport.notices()));
    #[cfg(any(feature = "rabbitmq", feature = "mqtt"))]
    brokers.serve(&transport, &mut tasks);
    let client_pages = transport.for_clients(turn::router(config.turn.take())).merge(web::router());
    for OpenPort { port, listener, access: _, config } in ports {
        let router = match port {
            Port::Http | Port::Https => transport.http_router(client_pages.clone()),
            Port::WebSocket | Port::WebSocketTls => transport.websocket_router(),
            Port::Admin | Port::AdminTls => transport.admin_router(admin_pages.clone()),
            Port::AdminWebSocket | Port::AdminWebSocketTls => transport.admin_websocket_router(),
        };
        let (transport, mut stopping) = (transport.clone(), stopping.subscribe());
        tasks.spawn(async move {
            let stopped = async {
                let _ = stopping.wait_for(|stopping| *stopping).await;
            };
            transport.serve(listener, router, config, stopped).await;
        });
    }
    for (api, listener) in unix_sockets {
        let (transport, mut stopping) = (transport.clone(), stopping.subscribe());
        tasks.spawn(async move {
            let stopped = async {
                let _ = stopping.wait_for(|stopping| *stopping).await;
            };
            transport.serve_unix(listener, api, stopped).await;
        });
    }
    if let Some(files) = certificate_files {
        tasks.spawn(files.keep_up(read_again));
    }
    if let Some(interval) = systemd::watchdog_interval() {
        tasks.spawn(health.keep_watchdog(interval, stopping.subscribe()));
    }
    addresses.log();
    transport.tell_started();
    Ok(Running { addresses, transport, drivers, acceptor, workers, stopping, reloader, drainer, tasks })
}

impl Running {
    /// Where the server listens.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The room page, as a person on this machine reaches it; `None` when HTTP is off.
    #[must_use]
    pub fn page(&self) -> Option<String> {
        let tcp = &self.addresses.tcp;
        let (scheme, address) = match (tcp.get(&Port::Http), tcp.get(&Port::Https)) {
            (Some(address), _) => ("http", address),
            (None, Some(address)) => ("https", address),
            (None, None) => return None,
        };
        let host = match address.ip() {
            ip if ip.is_unspecified() || ip.is_loopback() => "localhost".to_owned(),
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        Some(format!("{scheme}://{host}:{}/", address.port()))
    }

    /// Reads the configuration again, and says in the log what has come of it.
    pub async fn reload(&self) {
        let _ = self.reloader.reload().await;
    }

    /// Begins to drain: no room begins any more, and [`ended`](Self::ended) returns when all have left or at the deadline.
    pub async fn drain(&self) {
        let _ = self.drainer.begin(None).await;
    }

    /// Whether it drains.
    pub async fn is_draining(&self) -> bool {
        self.drainer.progress().await.is_ok_and(|progress| progress.times.is_some())
    }

    /// Who is here; nobody once it is over.
    pub async fn occupancy(&self) -> Occupancy {
        self.drainer.progress().await.map(|progress| progress.left).unwrap_or_default()
    }

    /// Returns when a drain is over, whoever has asked for it; or `None` when a part that all depend on has ended, which only a
    /// fault makes it do.
    pub async fn ended(&mut self) -> Option<Ending> {
        let Self { tasks, drainer, .. } = self;
        tokio::select! {
            _ = tasks.join_next() => None,
            ending = drainer.ended() => ending,
        }
    }

    /// Tells every session, closes every peer connection and socket, and ends the threads.
    pub async fn stop(mut self) {
        self.transport.shut_down().await;
        self.stopping.send_replace(true);
        // The bridge ends with the last command of signaling, the listeners with their connections.
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_TIME, ended).await.is_err() {
            tracing::debug!("some connections are still open");
        }
        drop(self.acceptor);
        self.drivers.into_iter().for_each(wiring::Driver::stop);
        self.workers.iter().for_each(wiring::Worker::stop);
        tracing::info!("ended");
    }
}

/// How long connections may take to end.
const STOP_TIME: Duration = Duration::from_secs(5);

impl Addresses {
    fn log(&self) {
        let of = |port| self.tcp.get(&port).map(tracing::field::display);
        tracing::info!(
            http = of(Port::Http),
            https = of(Port::Https),
            websocket = of(Port::WebSocket),
            websocket_tls = of(Port::WebSocketTls),
            admin = of(Port::Admin),
            admin_tls = of(Port::AdminTls),
            admin_websocket = of(Port::AdminWebSocket),
            admin_websocket_tls = of(Port::AdminWebSocketTls),
            media = ?self.media,
            media_tcp = self.media_tcp.map(tracing::field::display),
            "listening"
        );
    }
}

/// The certificate, when a port needs one.
fn certificate_files(config: &Config, file: Option<&Path>) -> Result<Option<CertificateFiles>, ConfigError> {
    let wanting = [
        ("http.tls", config.http.tls),
        ("websocket.tls", config.websocket.tls),
        ("admin.tls", config.admin.tls),
        ("admin.websocket_tls", config.admin.websocket_tls),
    ];
    let wanted_by = wanting.into_iter().find(|(_, wanted)| *wanted);
    wanted_by.map(|(key, _)| CertificateFiles::load(&config.tls, key, file)).transpose()
}

/// The store, if there is one, whose rooms are added to those of the configuration or take their place.
fn open_store(config: &mut Config, file: Option<&Path>) -> Result<Option<RoomStore>, ConfigError> {
    let Some(directory) = &config.storage.directory else { return Ok(None) };
    let (store, rooms) = RoomStore::open(file, directory, config.rooms(), config.signaling.string_ids)?;
    config.rooms = Some(rooms);
    Ok(Some(store))
}

fn shard_config(config: &Config, addresses: &[IpAddr], port: u16) -> webrtc::ShardConfig {
    let announced = config.media.public_ip.map_or_else(|| addresses.to_vec(), |public| vec![public]);
    let candidates = announced.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
    webrtc::ShardConfig {
        public_mapping: config.media.public_ip,
        ice_lite: config.media.ice_lite,
        full_trickle: config.media.full_trickle,
        no_media_timeout: Duration::from_secs(config.media.no_media_timeout),
        slowlink_threshold: config.media.slowlink_threshold,
        wall_clock: since_1970(),
        ..webrtc::ShardConfig::announcing(candidates)
    }
}

fn signaling_config(config: &Config, addresses: &[IpAddr], log_level: LogLevel) -> signaling::Config {
    let seconds = Duration::from_secs;
    let config::Signaling {
        server_name,
        session_timeout,
        reclaim_session_timeout,
        candidates_timeout,
        api_secret,
        token_auth,
        token_auth_secret,
        admin_key,
        lock_rtp_forward,
        lock_play_file,
        string_ids,
        opaqueid_in_api,
        hide_dependencies,
    } = config.signaling.clone();
    signaling::Config {
        server_name,
        session_timeout: seconds(session_timeout),
        reclaim_session_timeout: seconds(reclaim_session_timeout),
        candidates_timeout: seconds(candidates_timeout),
        no_media_timeout: seconds(config.media.no_media_timeout),
        slowlink_threshold: config.media.slowlink_threshold,
        log_level,
        api_secret: api_secret.map(Secret::into_text),
        token_auth,
        token_auth_secret: token_auth_secret.map(Secret::into_text),
        wall_clock: since_1970(),
        admin_secret: config.admin.secret.clone().map(Secret::into_text),
        admin_key: admin_key.map(Secret::into_text),
        lock_rtp_forward,
        lock_play_file,
        string_ids,
        opaqueid_in_api,
        hide_dependencies,
        default_quality: config.mixer.complexity,
        stores_rooms: config.storage.directory.is_some(),
        rooms: config.rooms().into_iter().map(|room| room.for_signaling(string_ids)).collect(),
        media: MediaFacts {
            local_ip: addresses.first().map(IpAddr::to_string).unwrap_or_default(),
            public_ips: config.media.public_ip.iter().map(IpAddr::to_string).collect(),
            ipv6: addresses.iter().any(IpAddr::is_ipv6),
            ice_lite: config.media.ice_lite,
            full_trickle: config.media.full_trickle,
        },
        limits: config.limits.for_signaling(),
    }
}

fn transport_config(config: &Config) -> TransportConfig {
    TransportConfig {
        base_path: config.http.base_path.clone(),
        admin_base_path: config.admin.base_path.clone(),
        allow_origins: config.http.allow_origin.clone(),
        enforce_cors: config.http.enforce_cors,
        json: JsonStyles {
            http: config.http.json.into(),
            websocket: config.websocket.json.into(),
            unix: config.unix.json.into(),
        },
        pings: (config.websocket.ping_interval > 0).then(|| Pings {
            interval: Duration::from_secs(config.websocket.ping_interval),
            timeout: Duration::from_secs(config.websocket.ping_timeout),
        }),
        ..TransportConfig::default()
    }
}

#[expect(clippy::disallowed_methods, reason = "the server is a shell: here the clock enters")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the server is a shell: here the clock enters")]
fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
