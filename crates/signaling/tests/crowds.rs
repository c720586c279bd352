//! Numbers that a busy server sees: ten thousand rooms with nobody in them, and one room with hundreds.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]
#![expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]

use std::time::Instant;

use serde_json::{Value, json};
use signaling::{Carrier, Config, ConnectionId, Core, Gauges, Id, Output, RoomConfig, RoomId, Source};

const SOURCE: Source = Source::Connection(ConnectionId { carrier: Carrier::WebSocket, number: 1 });

struct Client {
    core: Core,
    now: Instant,
    session: u64,
}

impl Client {
    fn new(config: Config) -> Self {
        let now = Instant::now();
        let mut client = Self { core: Core::new(config, [1; 32], now), now, session: 0 };
        client.session = client.ask(json!({"janus": "create", "transaction": "t"})).0["data"]["id"].as_u64().unwrap();
        client
    }

    /// The reply, and how many events came beside it.
    fn ask(&mut self, request: Value) -> (Value, usize) {
        self.core.handle_request(SOURCE, None, request, self.now);
        let (mut reply, mut events) = (Value::Null, 0);
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::Reply { message, .. } => reply = message,
                Output::Event { .. } => events += 1,
                Output::Store { .. }
                | Output::Media(_)
                | Output::Observed { .. }
                | Output::Measured { .. }
                | Output::Errand(_)
                | Output::JsonStyle { .. }
                | Output::LogLevel(_)
                | Output::LogLine { .. }
                | Output::Notice(_)
                | Output::SessionOpened { .. }
                | Output::SessionMoved { .. }
                | Output::SessionClosed { .. } => {}
            }
        }
        (reply, events)
    }

    fn attach(&mut self) -> u64 {
        let session = self.session;
        let attach = json!({
            "janus": "attach", "transaction": "t", "session_id": session, "plugin": "janus.plugin.audiobridge",
        });
        self.ask(attach).0["data"]["id"].as_u64().unwrap()
    }

    fn message(&mut self, handle: u64, body: Value) -> (Value, usize) {
        let session = self.session;
        self.ask(json!({
            "janus": "message", "transaction": "t", "session_id": session, "handle_id": handle, "body": body,
        }))
    }
}

#[test]
fn ten_thousand_empty_rooms_are_all_listed() {
    let mut client = Client::new(Config::default());
    let handle = client.attach();

    for room in 1..=10_000 {
        client.message(handle, json!({"request": "create", "room": room}));
    }
    let (reply, _) = client.message(handle, json!({"request": "list"}));

    let list = reply["plugindata"]["data"]["list"].as_array().unwrap();
    assert_eq!(list.len(), 10_000);
    assert!(list.iter().map(|room| room["room"].as_u64().unwrap()).eq(1..=10_000), "in the order of their ids");
}

#[test]
fn a_newcomer_to_a_room_of_hundreds_is_told_to_each_once() {
    let mut client = Client::new(Config {
        rooms: vec![RoomConfig { id: Some(RoomId(Id::Number(1))), ..RoomConfig::default() }],
        ..Config::default()
    });

    for before in 0..300 {
        let handle = client.attach();
        let (_, events) = client.message(handle, json!({"request": "join", "room": 1}));
        assert_eq!(events, before + 1, "one to each who was there, one to the newcomer");
    }

    let Gauges { participants, .. } = client.core.gauges();
    assert_eq!(participants, 300);
}

#[test]
fn everybody_kicked_hears_it_once() {
    let mut client = Client::new(Config {
        rooms: vec![RoomConfig { id: Some(RoomId(Id::Number(1))), ..RoomConfig::default() }],
        ..Config::default()
    });
    let handles: Vec<_> = (0..500).map(|_| client.attach()).collect();
    for handle in &handles {
        client.message(*handle, json!({"request": "join", "room": 1}));
    }

    let (_, events) = client.message(handles[0], json!({"request": "kick_all", "room": 1}));

    assert_eq!(events, 500);
    assert_eq!(client.core.gauges().participants, 0);
}
