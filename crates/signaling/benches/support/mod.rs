//! A server with a client on it, for benchmarks: one of many rooms, or with a call in progress.

#![allow(dead_code, reason = "each benchmark uses a part")]
#![allow(clippy::unwrap_used, reason = "what is not as expected ends the benchmark")]
#![allow(clippy::disallowed_methods, reason = "time has to begin somewhere")]

use std::net::IpAddr;
use std::time::Instant;

use serde_json::{Value, json};
use signaling::{Carrier, Config, ConnectionId, Core, Output, Source};

const SOURCE: Source = Source::Connection(ConnectionId { carrier: Carrier::WebSocket, number: 1 });

/// The room that comes and goes.
const ROOM: u64 = 1_000_000;

/// A core, and a client that has attached.
pub(crate) struct Server {
    core: Core,
    now: Instant,
    session: u64,
    handle: u64,
    /// Whose requests are counted against the rates of an address.
    client: Option<IpAddr>,
}

impl Server {
    /// With so many rooms that stay.
    pub(crate) fn with_rooms(rooms: u64) -> Self {
        let now = Instant::now();
        let mut server =
            Self { core: Core::new(Config::default(), [1; 32], now), now, session: 0, handle: 0, client: None };
        server.session = server.id_of(json!({"janus": "create", "transaction": "t"}));
        let attach = json!({
            "janus": "attach", "transaction": "t", "session_id": server.session, "plugin": "janus.plugin.audiobridge",
        });
        server.handle = server.id_of(attach);
        for room in 1..=rooms {
            server.ask(&server.request("create", room));
        }
        server
    }

    /// Comes from this address from now on.
    pub(crate) fn with_client(mut self, client: Option<IpAddr>) -> Self {
        self.client = client;
        self
    }

    /// The text of a request about the room that comes and goes.
    pub(crate) fn texts(&self) -> [String; 3] {
        ["create", "exists", "destroy"].map(|name| self.request(name, ROOM))
    }

    /// What the shell does with the text of a request: reads it, asks, and writes the reply.
    pub(crate) fn ask(&mut self, text: &str) -> usize {
        let request = serde_json::from_str(text).unwrap();
        self.core.handle_request(SOURCE, self.client, request, self.now);
        let mut written = 0;
        while let Some(output) = self.core.poll_output() {
            if let Output::Reply { message, .. } = output {
                written += message.to_string().len();
            }
        }
        written
    }

    fn request(&self, name: &str, room: u64) -> String {
        json!({
            "janus": "message", "transaction": "transaction", "session_id": self.session, "handle_id": self.handle,
            "body": {"request": name, "room": room},
        })
        .to_string()
    }

    fn id_of(&mut self, request: Value) -> u64 {
        self.core.handle_request(SOURCE, self.client, request, self.now);
        let mut id = None;
        while let Some(output) = self.core.poll_output() {
            if let Output::Reply { message, .. } = output {
                id = message["data"]["id"].as_u64();
            }
        }
        id.unwrap()
    }
}
