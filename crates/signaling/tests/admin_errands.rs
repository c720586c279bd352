//! What an operator asks of names and connections leaves the core, and the reply comes of what was found.

#![expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signaling::{Carrier, Config, Core, Errand, Finding, Output, RequestId, Source, Task};

#[test]
fn a_name_is_resolved_outside() {
    let errand = errand(json!({"janus": "resolve_address", "transaction": "t", "address": "example.org"}));
    let elapsed = Duration::from_micros(421);

    let found = errand.reply(Finding::Address { ip: Some(Ipv4Addr::LOCALHOST.into()), elapsed });
    let unknown = errand.reply(Finding::Address { ip: None, elapsed });

    assert_eq!(errand.task, Task::Resolve("example.org".to_owned()));
    assert_eq!(found, json!({"janus": "success", "transaction": "t", "ip": "127.0.0.1", "elapsed": 421}));
    let error = json!({"code": 490, "reason": "Could not resolve address"});
    assert_eq!(unknown, json!({"janus": "error", "transaction": "t", "error": error}));
}

#[test]
fn a_stun_server_is_asked_outside() {
    let request = json!({"janus": "test_stun", "transaction": "t", "address": "stun.example.org", "port": 3478});
    let errand = errand(request);
    let elapsed = Duration::from_micros(421);

    let address = Some((Ipv4Addr::new(192, 0, 2, 1), 5000).into());
    let found = errand.reply(Finding::PublicAddress { address, elapsed });
    let silent = errand.reply(Finding::PublicAddress { address: None, elapsed });

    assert_eq!(errand.task, Task::TestStun { host: "stun.example.org".to_owned(), port: 3478, local_port: 0 });
    let expected = json!({
        "janus": "success", "transaction": "t", "public_ip": "192.0.2.1", "public_port": 5000, "elapsed": 421,
    });
    assert_eq!(found, expected);
    let error = json!({"code": 490, "reason": "No answer of that STUN server"});
    assert_eq!(silent, json!({"janus": "error", "transaction": "t", "error": error}));
}

#[test]
fn connections_are_counted_outside() {
    let http = errand(query("janus.transport.http"));
    let websockets = errand(query("janus.transport.websockets"));

    let reply = websockets.reply(Finding::Connections { open: 3, waiting: 1 });

    assert_eq!(http.task, Task::CountConnections(None));
    assert_eq!(websockets.task, Task::CountConnections(Some(Carrier::WebSocket)));
    let response = json!({"result": 200, "connections": {"ws": 3}, "messages": 1});
    assert_eq!(reply, json!({"janus": "success", "transaction": "t", "response": response}));
}

fn query(transport: &str) -> Value {
    let request = json!({"request": "connections"});
    json!({"janus": "query_transport", "transaction": "t", "transport": transport, "request": request})
}

/// The errand that comes of a request, which is not answered before.
fn errand(request: Value) -> Errand {
    let mut core = Core::new(Config::default(), [1; 32], Instant::now());
    core.handle_admin(Source::Http(RequestId(1)), request, Instant::now());
    match core.poll_output() {
        Some(Output::Errand(errand)) => errand,
        other => panic!("{other:?}"),
    }
}
