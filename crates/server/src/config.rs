//! What an operator may set: one TOML file, environment variables over it, flags over those.
//!
//! Every key, its default and its unit is in `config/plenum.toml`; a test keeps that file and these defaults equal.
//! Knows no sockets and no planes: `lib.rs` turns a [`Config`] into a running server.

mod admin;
mod broker_tls;
mod change;
mod drain;
mod error;
mod http;
mod json;
mod limits;
pub(crate) mod mqtt;
mod network;
mod rabbitmq;
pub(crate) mod remedy;
mod room;
mod secret;
mod source;
mod telemetry;
mod tls;
mod turn;
mod unix;
mod webhook;
mod websocket;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use admin::Admin;
pub use broker_tls::BrokerTls;
pub use change::Change;
pub use drain::Drain;
pub use error::ConfigError;
pub use http::Http;
pub use json::JsonStyle;
pub use limits::Limits;
pub use mqtt::{Mqtt, MqttStatus, MqttTopics, MqttVersion};
pub use network::{Network, Proxies};
pub use rabbitmq::{ExchangeType, RabbitMq, RabbitMqQueues};
pub use room::{Room, RoomId};
pub use secret::Secret;
pub use source::Source;
pub use telemetry::Telemetry;
pub use tls::Tls;
pub use turn::Turn;
pub use unix::{SocketType, Unix};
pub use webhook::{EventKind, Webhook, WebhookFormat};
pub use websocket::WebSocket;

/// Of any time, in seconds: an instant further away than a year may not exist.
pub(crate) const LONGEST: u64 = 366 * 86_400;

/// Everything that can be configured, with the defaults of `config/plenum.toml`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Logs.
    pub log: Log,
    /// The Janus API over HTTP, and the room page.
    pub http: Http,
    /// The Janus API over WebSocket on a port of its own.
    pub websocket: WebSocket,
    /// The admin API and the metrics.
    pub admin: Admin,
    /// The certificate of every port with TLS.
    pub tls: Tls,
    /// Proxies in front of this server.
    pub proxies: Proxies,
    /// Both APIs over Unix sockets.
    pub unix: Unix,
    /// The Janus and admin APIs over a RabbitMQ broker, if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rabbitmq: Option<RabbitMq>,
    /// The Janus and admin APIs over an MQTT broker, if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mqtt: Option<Mqtt>,
    /// Sessions and who may use them.
    pub signaling: Signaling,
    /// How much there may be of everything, and how often.
    pub limits: Limits,
    /// Audio over the network.
    pub media: Media,
    /// TURN servers that clients are told of, if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
    /// The mix.
    pub mixer: Mixer,
    /// How the server ends.
    pub drain: Drain,
    /// What outlives the process.
    pub storage: Storage,
    /// Traces for OpenTelemetry, if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<Telemetry>,
    /// Who is told by HTTP of what happens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
    /// Rooms that exist from the start. When none is given: the Demo Room, 1234.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rooms: Option<Vec<Room>>,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// What is logged, in the filter syntax of `tracing` (`info`, `webrtc=debug,info`).
    pub filter: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `[signaling]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Signaling {
    /// The name in `info`.
    pub server_name: String,
    /// A session that says nothing for so many seconds ends; 0 = never.
    pub session_timeout: u64,
    /// How many seconds a session outlives its WebSocket, so that it can be claimed; 0 = not at all.
    pub reclaim_session_timeout: u64,
    /// How many seconds candidates wait for their offer.
    pub candidates_timeout: u64,
    /// What every request but `info` and `ping` must carry as `apisecret`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_secret: Option<Secret>,
    /// Every request but `info` and `ping` must carry a `token`; with `api_secret` as well, either is enough.
    pub token_auth: bool,
    /// What tokens are signed with; none = the tokens are those that `add_token` of the admin API stores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_auth_secret: Option<Secret>,
    /// What `create` must carry as `admin_key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_key: Option<Secret>,
    /// `rtp_forward` and `stop_rtp_forward` need the admin key too.
    pub lock_rtp_forward: bool,
    /// `play_file` and what belongs to it need the admin key too.
    pub lock_play_file: bool,
    /// The ids of rooms and participants are texts, and not numbers.
    pub string_ids: bool,
    /// Events and replies carry the `opaque_id` of their handle.
    pub opaqueid_in_api: bool,
    /// `info` does not name the libraries in use.
    pub hide_dependencies: bool,
}

/// `[media]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    /// The one address to use; none = all addresses of this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The first UDP port; each net thread takes one more. 0 = any free ports.
    pub port: u16,
    /// The one TCP port for clients that cannot use UDP; none = they cannot connect. 0 = any free port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_port: Option<u16>,
    /// The address that a 1:1 NAT in front of this machine shows to the world.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<IpAddr>,
    /// Threads for sockets and encryption; 0 = as many as cores.
    pub net_threads: usize,
    /// Full ICE costs clients a quarter of a second and is for servers that cannot be reached directly.
    pub ice_lite: bool,
    /// Tell our candidates one by one in `trickle` events and not in the SDP.
    pub full_trickle: bool,
    /// After so many seconds without a packet, clients are told that media stopped; 0 = never.
    pub no_media_timeout: u64,
    /// Clients are told (`slowlink`) when so many packets of a second were lost; 0 = never.
    pub slowlink_threshold: u32,
}

/// `[mixer]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mixer {
    /// Threads for decoding, mixing and encoding; 0 = as many as cores.
    pub mix_threads: usize,
    /// Opus complexity, 1..=10, of participants that do not ask for a `quality`.
    pub complexity: u8,
}

/// `[storage]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// Where rooms made or changed with `permanent: true` are kept; none = there are no such rooms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
}

impl Config {
    /// Reads a configuration from a file and assignments: [`Source::load`].
    ///
    /// # Errors
    /// Names the key, where it was set, and what would be right.
    pub fn load(file: Option<&Path>, assignments: &[String]) -> Result<Self, ConfigError> {
        Source { file: file.map(Path::to_owned), janus: None, assignments: assignments.to_vec() }.load()
    }

    /// The rooms that exist from the start.
    #[must_use]
    pub fn rooms(&self) -> Vec<Room> {
        self.rooms.clone().unwrap_or_else(|| vec![Room::demo()])
    }

    /// What the types cannot say.
    fn validate(&self, file: Option<&Path>) -> Result<(), ConfigError> {
        let wrong = |key: &str, right: &str| Err(ConfigError::value(file, key, right));
        for (section, problem) in [
            ("http", self.http.problem()),
            ("websocket", self.websocket.problem()),
            ("admin", self.admin.problem()),
            ("limits", self.limits.problem()),
        ] {
            if let Some((key, right)) = problem {
                return wrong(&format!("{section}.{key}"), right);
            }
        }
        for (section, forwarded) in [
            ("http", self.http.acl_forwarded),
            ("websocket", self.websocket.acl_forwarded),
            ("admin", self.admin.acl_forwarded),
        ] {
            if forwarded && self.proxies.trusted.is_empty() {
                let right = "false, or proxies.trusted the addresses of the proxies: anybody could write that header";
                return wrong(&format!("{section}.acl_forwarded"), right);
            }
        }
        if let Some((key, right)) = crate::ports::clash(self) {
            return wrong(key, &right);
        }
        if self.signaling.token_auth_secret.is_some() && !self.signaling.token_auth {
            return wrong(
                "signaling.token_auth_secret",
                "left out, or signaling.token_auth true: else nobody is asked",
            );
        }
        if self.signaling.lock_rtp_forward && self.signaling.admin_key.is_none() {
            return wrong("signaling.lock_rtp_forward", "false, or a signaling.admin_key to lock with");
        }
        if self.signaling.lock_play_file && self.signaling.admin_key.is_none() {
            return wrong("signaling.lock_play_file", "false, or a signaling.admin_key to lock with");
        }
        if !(1..=10).contains(&self.mixer.complexity) {
            return wrong("mixer.complexity", "a number from 1 to 10");
        }
        let ttl = self.turn.as_ref().map_or(0, |turn| turn.ttl);
        for (key, seconds) in [
            ("signaling.session_timeout", self.signaling.session_timeout),
            ("signaling.reclaim_session_timeout", self.signaling.reclaim_session_timeout),
            ("signaling.candidates_timeout", self.signaling.candidates_timeout),
            ("http.idle_timeout", self.http.idle_timeout),
            ("websocket.ping_interval", self.websocket.ping_interval),
            ("websocket.ping_timeout", self.websocket.ping_timeout),
            ("media.no_media_timeout", self.media.no_media_timeout),
            ("turn.ttl", ttl),
            ("drain.deadline", self.drain.deadline),
        ] {
            if seconds > LONGEST {
                return wrong(key, &format!("at most {LONGEST}, a year"));
            }
        }
        if self.media.net_threads > 256 {
            return wrong("media.net_threads", "at most 256");
        }
        if self.mixer.mix_threads > 256 {
            return wrong("mixer.mix_threads", "at most 256");
        }
        if let Some((key, right)) = self.turn.as_ref().and_then(Turn::problem) {
            return wrong(&format!("turn.{key}"), right);
        }
        if let Some(rabbitmq) = &self.rabbitmq {
            if !cfg!(feature = "rabbitmq") {
                return wrong("rabbitmq", &left_out("rabbitmq"));
            }
            if let Some((key, right)) = rabbitmq.problem() {
                return wrong(&format!("rabbitmq.{key}"), &right);
            }
        }
        if let Some(mqtt) = &self.mqtt {
            if !cfg!(feature = "mqtt") {
                return wrong("mqtt", &left_out("mqtt"));
            }
            if let Some((key, right)) = mqtt.problem() {
                return wrong(&format!("mqtt.{key}"), &right);
            }
        }
        if let Some(telemetry) = &self.telemetry {
            if !cfg!(feature = "otlp") {
                return wrong("telemetry", &left_out("otlp"));
            }
            if let Some((key, right)) = telemetry.problem() {
                return wrong(&format!("telemetry.{key}"), right);
            }
        }
        for (index, webhook) in self.webhooks.iter().enumerate() {
            if let Some((key, right)) = webhook.problem() {
                return wrong(&format!("webhooks.{index}.{key}"), right);
            }
        }
        let rooms = self.rooms();
        for (index, room) in rooms.iter().enumerate() {
            if room.signed_tokens && self.signaling.token_auth_secret.is_none() {
                let key = format!("rooms.{index}.signed_tokens");
                return wrong(&key, "false, or a signaling.token_auth_secret to sign with");
            }
            if let Some(key) = room.unsupported() {
                return wrong(&format!("rooms.{index}.{key}"), "false: this version does not have it");
            }
        }
        Room::check(&rooms, self.signaling.string_ids, file)
    }
}

fn left_out(feature: &str) -> String {
    format!("left out: this plenum was built without it (cargo build -p plenum --features {feature})")
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info,str0m=error,is=error,dimpl=error".to_owned(), format: LogFormat::Text }
    }
}

impl Default for Signaling {
    fn default() -> Self {
        Self {
            server_name: "Plenum".to_owned(),
            session_timeout: 60,
            reclaim_session_timeout: 10,
            candidates_timeout: 45,
            api_secret: None,
            token_auth: false,
            token_auth_secret: None,
            admin_key: None,
            lock_rtp_forward: false,
            lock_play_file: false,
            string_ids: false,
            opaqueid_in_api: false,
            hide_dependencies: false,
        }
    }
}

impl Default for Media {
    fn default() -> Self {
        Self {
            address: None,
            port: 10000,
            tcp_port: None,
            public_ip: None,
            net_threads: 0,
            ice_lite: true,
            full_trickle: false,
            no_media_timeout: 1,
            slowlink_threshold: 0,
        }
    }
}

impl Default for Mixer {
    fn default() -> Self {
        Self { mix_threads: 0, complexity: 6 }
    }
}
