//! The admin API as a transport. Numbers are those of the conformance cases; what its requests do is tested on the core.

mod transport_support;

use serde_json::json;
use signaling::{Config, TransportConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use transport_support::{Port, World, error, request};

#[tokio::test(start_paused = true)]
async fn info_and_ping_need_no_secret() {
    let config = Config { admin_secret: Some("adm".into()), ..Default::default() };
    let world = World::with(config, TransportConfig::default());
    let ping = r#"{"janus":"ping","transaction":"t1"}"#;

    // Cases 402 and 403.
    let reply = world.send(Port::Admin, request("POST", "/admin", ping)).await.json();
    assert_eq!(reply, json!({"janus": "pong", "transaction": "t1"}));
    let info = world.send(Port::Admin, request("GET", "/admin/info", "")).await.json();
    assert_eq!(info["janus"], "server_info");
    assert_eq!(info["transaction"].as_str().unwrap().len(), 11);
    let pong = world.send(Port::Admin, request("GET", "/admin/ping", "")).await.json();
    assert_eq!(pong["janus"], "pong");

    // Case 406.
    let list = r#"{"janus":"list_sessions","transaction":"t1"}"#;
    error(&world.send(Port::Admin, request("POST", "/admin", list)).await.json(), 403);
}

#[tokio::test(start_paused = true)]
async fn what_is_found_out_comes_as_the_reply() {
    let world = World::new();
    // An address, since names are nothing that a test should ask the world for.
    let resolve = r#"{"janus":"resolve_address","transaction":"t1","address":"192.0.2.7"}"#;
    let count = r#"{"janus":"query_transport","transaction":"t1","transport":"janus.transport.http",
        "request":{"request":"connections"}}"#;

    let found = world.send(Port::Admin, request("POST", "/admin", resolve)).await.json();
    let counted = world.send(Port::Admin, request("POST", "/admin", count)).await.json();

    assert_eq!(found["ip"], "192.0.2.7");
    assert!(found["elapsed"].is_u64());
    assert_eq!(counted["response"]["connections"], json!({"http": 1}));
}

#[tokio::test(start_paused = true)]
async fn an_operator_changes_how_messages_are_written() {
    let world = World::new();
    let mut client = world.connect().await;
    let ping = r#"{"janus":"ping","transaction":"t1"}"#;
    let configure = |transport: &str, json: &str| {
        let request = json!({"request": "configure", "json": json});
        json!({"janus": "query_transport", "transaction": "t1", "transport": transport, "request": request})
    };

    for (transport, json) in [("janus.transport.http", "plain"), ("janus.transport.websockets", "indented")] {
        let reply = world.send(Port::Admin, request("POST", "/admin", &configure(transport, json).to_string())).await;
        assert_eq!(reply.json()["response"], json!({"result": 200}));
    }

    let answer = world.send(Port::Http, request("POST", "/janus", ping)).await;
    assert_eq!(answer.body, br#"{"janus": "pong", "transaction": "t1"}"#);
    client.send_frame(Message::text(ping)).await;
    let frame = client.receive_frame().await;
    assert_eq!(frame, Message::text("{\n   \"janus\": \"pong\",\n   \"transaction\": \"t1\"\n}"));

    // What is no style changes nothing.
    let reply = world.send(Port::Admin, request("POST", "/admin", &configure("janus.transport.http", "x").to_string()));
    assert_eq!(reply.await.json()["response"]["notes"], json!(["Ignored unsupported indentation format"]));
    let back = configure("janus.transport.http", "compact").to_string();
    assert_eq!(world.send(Port::Admin, request("POST", "/admin", &back)).await.status, 200);
    let answer = world.send(Port::Http, request("POST", "/janus", ping)).await;
    assert_eq!(answer.body, ping.replace("ping", "pong").as_bytes());
}

#[tokio::test(start_paused = true)]
async fn requests_without_a_payload_are_refused() {
    let world = World::new();

    // Case 404.
    let reply = world.send(Port::Admin, request("POST", "/admin/info", "{}")).await.json();
    assert_eq!(error(&reply, 450), "Use GET for the info endpoint");

    // Case 405.
    for (method, path) in [("GET", "/admin"), ("GET", "/admin/5"), ("GET", "/admin/5/6"), ("POST", "/admin")] {
        let reply = world.send(Port::Admin, request(method, path, "")).await.json();
        assert_eq!(error(&reply, 454), "Request payload missing", "{method} {path}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_rest_is_as_on_the_other_port() {
    let world = World::new();
    for (method, path, status) in [
        ("POST", "/admin/ping", 400),
        ("GET", "/janus/info", 404),
        ("POST", "/janus", 404),
        ("GET", "/admin/1/2/x", 404),
        ("OPTIONS", "/admin", 200),
    ] {
        let answer = world.send(Port::Admin, request(method, path, "{}")).await;
        assert!(answer.is_empty_with_cors(status), "{method} {path}: {answer:?}");
    }
    let reply = world.send(Port::Admin, request("DELETE", "/admin/5", "")).await.json();
    assert_eq!(error(&reply, 450), "Unsupported method DELETE");
    let reply = world.send(Port::Admin, request("POST", "/admin", "{")).await.json();
    assert!(error(&reply, 454).starts_with("JSON error: on line 1: "));
    let reply = world.send(Port::Admin, request("POST", "/admin", "[]")).await.json();
    assert_eq!(error(&reply, 455), "JSON error: not an object");
    let reply = world.send(Port::Admin, request("POST", "/admin/5", r#"{"session_id":6}"#)).await.json();
    assert_eq!(error(&reply, 457), "Conflicting session ID (payload and path)");
    let body = "x".repeat(300 * 1024);
    assert!(world.send(Port::Admin, request("POST", "/admin", &body)).await.is_empty_with_cors(413));
}

#[tokio::test(start_paused = true)]
async fn ids_come_from_the_path() {
    let world = World::new();
    let session = world.create_session().await;

    // Case 408.
    let list = r#"{"janus":"list_handles","transaction":"t1"}"#;
    let reply = world.send(Port::Admin, request("POST", &format!("/admin/{session}"), list)).await.json();

    assert_eq!(reply["session_id"], session, "{reply}");
    assert_eq!(reply["handles"], json!([]), "{reply}");
}

#[tokio::test(start_paused = true)]
async fn websocket_speaks_the_admin_protocol() {
    let world = World::new();
    for path in ["/", "/admin"] {
        let (mut client, headers) = world.handshake(Port::Admin, path, Some("janus-admin-protocol")).await.unwrap();
        assert_eq!(headers["sec-websocket-protocol"], "janus-admin-protocol");

        let pings = json!({"janus": "ping", "transaction": "t1"}).to_string().repeat(2);
        client.send_frame(Message::text(pings)).await;
        client.send_frame(Message::text("{")).await;

        assert_eq!(client.receive().await, json!({"janus": "pong", "transaction": "t1"}));
        assert_eq!(client.receive().await, json!({"janus": "pong", "transaction": "t1"}));
        error(&client.receive().await, 454);
        // It is the other API: sessions are not made here.
        assert_eq!(client.ask(json!({"janus": "create", "transaction": "t1"})).await["janus"], "error");
    }
    for protocol in [None, Some("janus-protocol")] {
        let Err(Error::Http(answer)) = world.handshake(Port::Admin, "/", protocol).await else {
            panic!("{protocol:?} was not refused");
        };
        assert_eq!(answer.status(), 400);
    }
}
