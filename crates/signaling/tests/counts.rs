//! How requests are counted: by whom they are for, what they ask and what comes of it; whatever clients write.
#![expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};
use signaling::{Carrier, Config, ConnectionId, Core, Operation, Output, RequestApi, Source};

const SOURCE: Source = Source::Connection(ConnectionId { carrier: Carrier::WebSocket, number: 1 });

struct Server {
    core: Core,
    now: Instant,
}

impl Server {
    fn new() -> Self {
        let now = Instant::now();
        Self { core: Core::new(Config::default(), [1; 32], now), now }
    }

    fn ask(&mut self, mut request: Value) -> Value {
        request["transaction"] = "t".into();
        self.core.handle_request(SOURCE, None, request, self.now);
        self.reply()
    }

    fn reply(&mut self) -> Value {
        let mut reply = Value::Null;
        while let Some(output) = self.core.poll_output() {
            if let Output::Reply { message, .. } = output {
                reply = message;
            }
        }
        reply
    }

    /// An AudioBridge's handle: what its requests have in common.
    fn attached(&mut self) -> Value {
        let session = self.ask(json!({"janus": "create"}))["data"]["id"].clone();
        let attach = json!({"janus": "attach", "session_id": session, "plugin": "janus.plugin.audiobridge"});
        let handle = self.ask(attach)["data"]["id"].clone();
        json!({"janus": "message", "session_id": session, "handle_id": handle})
    }

    fn counts(&self) -> BTreeMap<(RequestApi, &'static str, u16), u64> {
        let requests = self.core.counters().requests.iter();
        requests.map(|((kind, code), count)| ((kind.api, kind.verb, *code), *count)).collect()
    }
}

#[test]
fn requests_count_by_api_verb_and_code() {
    let mut server = Server::new();
    let mut message = server.attached();
    for body in [
        json!({"request": "list"}),
        json!({"request": "LIST"}),
        json!({"request": "exists"}),
        json!({"request": "join", "room": 99}),
        json!({"request": "configure"}),
        json!({"request": "sing"}),
    ] {
        message["body"] = body;
        server.ask(message.clone());
    }
    server.ask(json!({"janus": "ping"}));
    server.ask(json!({"janus": "keepalive", "session_id": 1}));

    let counts = server.counts();

    let of = |api, verb, code| counts.get(&(api, verb, code)).copied().unwrap_or(0);
    assert_eq!(of(RequestApi::Janus, "create", 0), 1);
    assert_eq!(of(RequestApi::Janus, "attach", 0), 1);
    assert_eq!(of(RequestApi::Janus, "ping", 0), 1);
    assert_eq!(of(RequestApi::Janus, "keepalive", 458), 1);
    assert_eq!(of(RequestApi::AudioBridge, "list", 0), 2);
    assert_eq!(of(RequestApi::AudioBridge, "exists", 483), 1);
    assert_eq!(of(RequestApi::AudioBridge, "join", 485), 1);
    assert_eq!(of(RequestApi::AudioBridge, "configure", 487), 1);
    assert_eq!(of(RequestApi::AudioBridge, "other", 482), 1);
    assert_eq!(counts.values().sum::<u64>(), 10, "{counts:?}");
}

#[test]
fn what_clients_make_up_has_one_count() {
    let mut server = Server::new();
    let message = server.attached();
    let before = server.counts().len();
    for number in 0..100 {
        server.ask(json!({"janus": format!("verb{number}")}));
        let mut message = message.clone();
        message["body"] = json!({"request": format!("verb{number}")});
        server.ask(message);
        server.core.handle_request(SOURCE, None, json!([number]), server.now);
    }
    server.reply();

    assert!(server.counts().len() <= before + 3, "{:?}", server.counts());
}

#[test]
fn operators_count_too() {
    let mut server = Server::new();
    let list = json!({"janus": "list_sessions", "transaction": "t"});
    server.core.handle_admin(SOURCE, list, server.now);
    let refused = server.core.handle_operation(Operation::ReadRoom { room: "99".to_owned() }, server.now);
    assert!(refused.is_err());

    let counts = server.counts();

    assert_eq!(counts.get(&(RequestApi::Admin, "list_sessions", 0)), Some(&1));
    assert_eq!(counts.get(&(RequestApi::Rest, "read_room", 485)), Some(&1));
}
