//! The Janus API over WebSocket. Numbers are those of the conformance cases.

mod transport_support;

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use signaling::{Config, JsonStyle, JsonStyles, Pings, TransportConfig};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame, coding::CloseCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use transport_support::{Client, Port, SOON, World, error, id, now, pass};

fn ping(transaction: &str) -> Value {
    json!({"janus": "ping", "transaction": transaction})
}

fn pong(transaction: &str) -> Value {
    json!({"janus": "pong", "transaction": transaction})
}

fn keepalive(session: u64) -> Value {
    json!({"janus": "keepalive", "session_id": session, "transaction": "t1"})
}

fn claim(session: u64) -> Value {
    json!({"janus": "claim", "session_id": session, "transaction": "t1"})
}

/// Attaches and detaches a handle from `client`, so that the owner of the session gets an event.
async fn cause_event(client: &mut Client, session: u64) -> u64 {
    let plugin = "janus.plugin.audiobridge";
    let attach = json!({"janus": "attach", "plugin": plugin, "session_id": session, "transaction": "a"});
    let handle = id(&client.ask(attach).await);
    let detach = json!({"janus": "detach", "session_id": session, "handle_id": handle, "transaction": "d"});
    assert_eq!(client.ask(detach).await["janus"], "success");
    handle
}

#[tokio::test(start_paused = true)]
async fn the_subprotocol_is_selected_on_any_path() {
    let world = World::new();
    // Case 43; the HTTP port takes WebSocket as well, so that one port is enough.
    for port in [Port::WebSocket, Port::Http] {
        for path in ["/", "/janus", "/ws", "/janus/5?x=y"] {
            let (mut client, headers) = world.handshake(port, path, Some("janus-protocol")).await.unwrap();
            assert_eq!(headers["sec-websocket-protocol"], "janus-protocol", "{port:?} {path}");
            assert_eq!(headers["access-control-allow-origin"], "*");
            assert_eq!(client.ask(ping("t1")).await, pong("t1"));
        }
    }
    let (_, headers) = world.handshake(Port::WebSocket, "/", Some("foo, janus-protocol")).await.unwrap();
    assert_eq!(headers["sec-websocket-protocol"], "janus-protocol");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_without_the_subprotocol_is_refused() {
    let world = World::new();
    // Cases 44, 45 and 46.
    for port in [Port::WebSocket, Port::Http] {
        for protocol in [None, Some("foo"), Some("janus-admin-protocol"), Some("janus-protocol2")] {
            let Err(Error::Http(answer)) = world.handshake(port, "/", protocol).await else {
                panic!("{protocol:?} was not refused");
            };
            assert_eq!(answer.status(), 400);
            assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_websocket_port_serves_nothing_else() {
    let world = World::new();
    for path in ["/", "/janus", "/janus/info"] {
        let get = Request::get(path).body(Body::empty()).unwrap();
        let answer = world.send(Port::WebSocket, get).await;

        // Case 47.
        assert!(answer.is_empty_with_cors(403), "{answer:?}");
        assert_eq!(answer.header("connection"), Some("close"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_enforced_origin_keeps_other_pages_out() {
    let config = TransportConfig { allow_origins: vec!["http://a".into()], enforce_cors: true, ..Default::default() };
    let world = World::with(Config::default(), config);

    // The client of these tests is no browser and sends no origin.
    let Err(Error::Http(answer)) = world.handshake(Port::WebSocket, "/", Some("janus-protocol")).await else {
        panic!("not refused");
    };
    assert_eq!(answer.status(), 403);
}

#[tokio::test(start_paused = true)]
async fn malformed_messages_get_one_error() {
    let world = World::new();
    let mut client = world.connect().await;
    // Cases 48 and 51: what stands before or behind the malformed document is not executed either.
    for text in [
        "{",
        "",
        "  ",
        "5",
        "\"x\"",
        "{\"janus\":\"ping\",\"transaction\":\"A\"} junk",
        "{\"janus\":\"ping\",\"transaction\":\"A\"}{\"id\":9223372036854775808}",
        "{\"janus\":\"ping\",\"transaction\":\"A\"} 5 {\"janus\":\"ping\",\"transaction\":\"A\"}",
        "{\"janus\":\"ping\",\"transaction\":\"\\u0000\"}",
    ] {
        client.send_frame(Message::text(text)).await;
        let reply = client.receive().await;
        assert!(error(&reply, 454).starts_with("Invalid Janus API request - <string>(1,"), "{text}: {reply}");
        assert_eq!(reply.as_object().unwrap().len(), 2, "{reply}");
    }
    client.send_frame(Message::binary(&b"{\"janus\":\"p\xffng\"}"[..])).await;
    error(&client.receive().await, 454);
    client.send_frame(Message::text("{}\n {")).await;
    let reply = client.receive().await;
    assert!(error(&reply, 454).starts_with("Invalid Janus API request - <string>(2,2): "), "{reply}");

    // Nothing else came of it.
    assert_eq!(client.ask(ping("t1")).await, pong("t1"));
}

#[tokio::test(start_paused = true)]
async fn documents_that_are_no_objects_lack_a_transaction() {
    let world = World::new();
    let mut client = world.connect().await;

    // Case 49.
    for text in ["[]", "[{}]"] {
        client.send_frame(Message::text(text)).await;
        assert_eq!(error(&client.receive().await, 456), "Missing mandatory element (transaction)");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_may_hold_several_documents() {
    let world = World::new();
    let mut client = world.connect().await;

    // Case 50.
    client.send_frame(Message::text(format!("{}{}\n{} ", ping("A"), ping("B"), ping("C")))).await;
    for transaction in ["A", "B", "C"] {
        assert_eq!(client.receive().await, pong(transaction));
    }

    // Errors keep their place in the order.
    client.send(ping("D")).await;
    client.send_frame(Message::text("{")).await;
    client.send(ping("E")).await;
    assert_eq!(client.receive().await, pong("D"));
    error(&client.receive().await, 454);
    assert_eq!(client.receive().await, pong("E"));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_requests_is_answered_in_order() {
    // As many documents as a message can hold, four times what may wait for the core or to be sent.
    let world = World::with(Config::default(), TransportConfig { connection_capacity: 1100, ..Default::default() });
    let mut client = world.connect().await;
    let count = 5000;
    let flood: String = (0..count).map(|number| ping(&number.to_string()).to_string()).collect();

    client.send_frame(Message::text(flood)).await;

    for number in 0..count {
        assert_eq!(client.receive().await, pong(&number.to_string()));
    }
    assert_eq!(world.transport.counters().overflowed_connections, 0);
}

#[tokio::test(start_paused = true)]
async fn fragments_make_one_message() {
    let world = World::new();
    let mut client = world.connect().await;
    let text = ping("t1").to_string();
    let (start, rest) = text.split_at(5);
    let (middle, end) = rest.split_at(7);

    // Case 52, with a ping between two of them as RFC 6455 allows.
    client.send_frame(Message::Frame(Frame::message(start.to_owned(), OpCode::Data(Data::Text), false))).await;
    client.send_frame(Message::Frame(Frame::message(middle.to_owned(), OpCode::Data(Data::Continue), false))).await;
    client.send_frame(Message::Ping("between".into())).await;
    client.send_frame(Message::Frame(Frame::message(end.to_owned(), OpCode::Data(Data::Continue), true))).await;

    assert_eq!(client.receive_frame().await, Message::Pong("between".into()));
    assert_eq!(client.receive().await, pong("t1"));
}

#[tokio::test(start_paused = true)]
async fn a_long_reply_is_one_message() {
    let world = World::new();
    let mut client = world.connect().await;
    let transaction = "x".repeat(100_000);

    // Case 53.
    assert_eq!(client.ask(ping(&transaction)).await, pong(&transaction));
}

#[tokio::test(start_paused = true)]
async fn a_ping_gets_its_payload_back() {
    let world = World::new();
    let mut client = world.connect().await;

    // Case 54; Janode closes the socket without it.
    client.send_frame(Message::Ping("payload".into())).await;

    assert_eq!(client.receive_frame().await, Message::Pong("payload".into()));
}

#[tokio::test(start_paused = true)]
async fn binary_messages_are_read_like_text() {
    let world = World::new();
    let mut client = world.connect().await;

    // Case 55.
    client.send_frame(Message::binary(ping("t1").to_string())).await;

    assert_eq!(client.receive().await, pong("t1"));
}

#[tokio::test(start_paused = true)]
async fn a_message_over_the_limit_ends_the_connection() {
    let world = World::new();
    let mut client = world.connect().await;
    let mut other = world.connect().await;

    // Nobody reads it to its end, so that sending it may fail.
    let _ = client.0.send(Message::text("x".repeat(300 * 1024))).await;

    let end = tokio::time::timeout(SOON, client.receive_frame()).await.unwrap();
    assert_eq!(end, Message::Close(Some(CloseFrame { code: CloseCode::Policy, reason: "".into() })));
    assert_eq!(other.ask(ping("t1")).await, pong("t1"));
}

#[tokio::test(start_paused = true)]
async fn sessions_end_with_their_connection() {
    let world = World::new();
    let mut client = world.connect().await;
    let mut other = world.connect().await;
    let sessions = [client.create_session().await, client.create_session().await];
    assert_eq!(world.transport.counters().connections, 2);

    // Case 56, with the code that janus.js gives when its session timed out.
    let code = CloseCode::from(3504);
    client.0.close(Some(CloseFrame { code, reason: "Gateway timeout".into() })).await.unwrap();
    let goodbye = tokio::time::timeout(SOON, client.receive_frame()).await.unwrap();

    let Message::Close(Some(CloseFrame { code: echoed, .. })) = goodbye else { panic!("{goodbye:?}") };
    assert_eq!(echoed, code);
    assert!(client.0.next().await.is_none());
    for session in sessions {
        assert_eq!(error(&other.ask(keepalive(session)).await, 458), format!("No such session {session}"));
    }
    assert_eq!(world.transport.counters().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn sessions_end_with_a_connection_that_was_cut() {
    let world = World::new();
    let mut client = world.connect().await;
    let mut other = world.connect().await;
    let session = client.create_session().await;

    // Case 56.
    drop(client);

    assert_eq!(error(&other.ask(keepalive(session)).await, 458), format!("No such session {session}"));
}

#[tokio::test(start_paused = true)]
async fn a_session_can_be_claimed_after_its_connection_has_gone() {
    let config = Config { reclaim_session_timeout: Duration::from_secs(30), ..Default::default() };
    let world = World::with(config, TransportConfig::default());
    let mut client = world.connect().await;
    let session = client.create_session().await;
    drop(client);
    pass(Duration::from_secs(25)).await;

    // Case 57.
    let mut client = world.connect().await;
    let reply = client.ask(claim(session)).await;

    assert_eq!(reply, json!({"janus": "success", "session_id": session, "transaction": "t1"}));
    let handle = cause_event(&mut world.connect().await, session).await;
    assert_eq!(client.receive().await, json!({"janus": "detached", "session_id": session, "sender": handle}));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_nobody_claims_ends() {
    let config = Config { reclaim_session_timeout: Duration::from_secs(30), ..Default::default() };
    let world = World::with(config, TransportConfig::default());
    let mut client = world.connect().await;
    let session = client.create_session().await;
    drop(client);

    // Case 58: looked at every 2 s.
    pass(Duration::from_secs(33)).await;

    let mut client = world.connect().await;
    assert_eq!(error(&client.ask(claim(session)).await, 458), format!("No such session {session}"));
}

#[tokio::test(start_paused = true)]
async fn a_request_from_elsewhere_does_not_move_a_session() {
    let world = World::new();
    let mut owner = world.connect().await;
    let mut other = world.connect().await;
    let session = owner.create_session().await;

    // Case 59.
    let reply = other.ask(keepalive(session)).await;
    let handle = cause_event(&mut other, session).await;

    assert_eq!(reply, json!({"janus": "ack", "session_id": session, "transaction": "t1"}));
    assert_eq!(owner.receive().await, json!({"janus": "detached", "session_id": session, "sender": handle}));
    assert!(other.is_quiet_for(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn a_claim_moves_a_session() {
    let world = World::new();
    let mut owner = world.connect().await;
    let mut other = world.connect().await;
    let session = owner.create_session().await;

    // Cases 60 and 61: a second claim by the same changes nothing.
    for _ in 0..2 {
        let reply = other.ask(claim(session)).await;
        assert_eq!(reply, json!({"janus": "success", "session_id": session, "transaction": "t1"}));
    }

    let handle = cause_event(&mut owner, session).await;
    assert_eq!(other.receive().await, json!({"janus": "detached", "session_id": session, "sender": handle}));
    drop(owner);
    assert_eq!(other.ask(keepalive(session)).await["janus"], "ack");
}

#[tokio::test(start_paused = true)]
async fn a_silent_session_times_out_and_leaves_the_socket_open() {
    let world = World::new();
    let mut client = world.connect().await;
    let session = client.create_session().await;
    let start = now();

    let event = client.receive_within(Duration::from_secs(100)).await;

    // Case 62.
    assert_eq!(event, json!({"janus": "timeout", "session_id": session}));
    let silence = now() - start;
    assert!(silence >= Duration::from_secs(60) && silence <= Duration::from_secs(62), "{silence:?}");
    assert_eq!(client.ask(ping("t1")).await, pong("t1"));
}

#[tokio::test(start_paused = true)]
async fn keepalives_keep_a_session_alive() {
    let world = World::new();
    let mut client = world.connect().await;
    let session = client.create_session().await;
    for _ in 0..6 {
        assert!(client.is_quiet_for(Duration::from_secs(30)).await);
        assert_eq!(client.ask(keepalive(session)).await["janus"], "ack");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_slower_than_its_events_is_closed() {
    // What the pipe and the WebSocket hold is some 64 KiB, and so are 500 events.
    let world = World::with(Config::default(), TransportConfig { connection_capacity: 10, ..Default::default() });
    let mut slow = world.connect().await;
    let mut other = world.connect().await;
    let session = slow.create_session().await;

    // The slow one does not read. It is closed when its queue is full, and its session ends.
    let attach = json!({"janus": "attach", "plugin": "janus.plugin.audiobridge", "session_id": session,
        "transaction": "a"});
    let mut handles = 0;
    let last = loop {
        let reply = other.ask(attach.clone()).await;
        if reply["janus"] == "error" {
            break reply;
        }
        let handle = id(&reply);
        let detach = json!({"janus": "detach", "session_id": session, "handle_id": handle, "transaction": "d"});
        let reply = other.ask(detach).await;
        handles += 1;
        assert!(handles < 10_000, "the queue has no bound");
        if reply["janus"] == "error" {
            break reply;
        }
    };

    error(&last, 458);
    assert_eq!(world.transport.counters().overflowed_connections, 1);
    // All that was queued in time arrives, and then the end of the connection.
    let mut events = 0;
    let code = loop {
        let frame = tokio::time::timeout(SOON, slow.receive_frame()).await.unwrap();
        if let Message::Close(Some(close)) = frame {
            break close.code;
        }
        assert!(matches!(frame, Message::Text(_)), "{frame:?}");
        events += 1;
    };
    assert_eq!((events, code), (handles - 1, CloseCode::Again));
}

fn pinging() -> TransportConfig {
    let pings = Pings { interval: Duration::from_secs(20), timeout: Duration::from_secs(5) };
    TransportConfig { pings: Some(pings), ..Default::default() }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_stays() {
    let world = World::with(Config { session_timeout: Duration::ZERO, ..Default::default() }, pinging());
    let mut client = world.connect().await;
    let session = client.create_session().await;
    let mut last = now();

    // Reading answers them.
    for _ in 0..5 {
        assert_eq!(tokio::time::timeout(SOON * 10, client.receive_frame()).await.unwrap(), Message::Ping("".into()));
        assert_eq!((now() - last).as_secs(), 20);
        last = now();
    }

    assert_eq!(client.ask(keepalive(session)).await["janus"], "ack");
    assert_eq!(world.transport.counters().silent_connections, 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_is_not_asked() {
    let world = World::with(Config::default(), pinging());
    let mut client = world.connect().await;
    let session = client.create_session().await;
    for _ in 0..5 {
        assert!(client.is_quiet_for(Duration::from_secs(19)).await);
        assert_eq!(client.ask(keepalive(session)).await["janus"], "ack");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_no_ping_is_let_go() {
    let world = World::with(Config::default(), pinging());
    let mut client = world.connect().await;
    let mut other = world.connect().await;
    let session = client.create_session().await;

    // It reads nothing, and so answers nothing.
    pass(Duration::from_secs(24)).await;
    assert_eq!(world.transport.counters().silent_connections, 0);
    assert_eq!(other.receive_frame().await, Message::Ping("".into()));
    // What it sends takes its answer along.
    assert_eq!(other.ask(ping("t1")).await, pong("t1"));
    pass(Duration::from_secs(2)).await;

    assert_eq!(world.transport.counters().silent_connections, 1);
    assert_eq!(error(&other.ask(keepalive(session)).await, 458), format!("No such session {session}"));
    assert_eq!(client.receive_frame().await, Message::Ping("".into()));
    let Message::Close(Some(frame)) = client.receive_frame().await else { panic!("not closed") };
    assert_eq!(frame.code, CloseCode::Protocol);
}

#[tokio::test(start_paused = true)]
async fn messages_are_written_as_configured() {
    let json = JsonStyles { websocket: JsonStyle::Indented, ..Default::default() };
    let world = World::with(Config::default(), TransportConfig { json, ..Default::default() });
    let mut client = world.connect().await;

    client.send(ping("t1")).await;

    let text = "{\n   \"janus\": \"pong\",\n   \"transaction\": \"t1\"\n}";
    assert_eq!(client.receive_frame().await, Message::text(text));
}
