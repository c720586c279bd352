//! Real sockets: what only the wire can show, and clients that send rubbish beside one that converses.
#![allow(clippy::unwrap_used, reason = "what is not as expected fails the test")]

mod transport_support;

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::Request;
use futures_util::StreamExt;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::json;
use signaling::{ListenerConfig, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tower::ServiceExt;
use transport_support::{Answer, Client, SOON, handshake, id, open, transport};

/// A transport on ports of its own.
struct Ports {
    transport: Transport,
    http: SocketAddr,
    websocket: SocketAddr,
}

impl Ports {
    async fn open() -> Self {
        let transport = transport();
        let http = open(&transport, transport.http_router(Router::new()), ListenerConfig::default()).await;
        let websocket = open(&transport, transport.websocket_router(), ListenerConfig::default()).await;
        Self { transport, http, websocket }
    }

    async fn connect(&self) -> Client<TcpStream> {
        let stream = TcpStream::connect(self.websocket).await.unwrap();
        handshake(stream, "/", Some("janus-protocol")).await.unwrap().0
    }
}

/// Sends bytes and reads what comes until the server ends it, which it does soon.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answer = Vec::new();
    let exchange = async {
        // The server may cut off rubbish before it has read all of it.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut answer).await;
    };
    tokio::time::timeout(SOON, exchange).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn answers_are_http() {
    let ports = Ports::open().await;
    let requests = [
        ("POST /janus HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 400 "),
        ("POST /janus HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 "),
        ("PUT /janus HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", "HTTP/1.1 200 "),
        ("GET /other HTTP/1.0\r\n\r\n", "HTTP/1.0 404 "),
        ("HEAD /janus/ping HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 "),
    ];
    for (request, status) in requests {
        let answer = exchange(ports.http, request.as_bytes()).await;
        assert!(answer.starts_with(status), "{request}{answer}");
        assert!(answer.contains("\r\naccess-control-allow-origin: *\r\n"), "{request}{answer}");
    }

    let answer = exchange(ports.websocket, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let ports = Ports::open().await;
    let body = r#"{"janus":"ping","transaction":"t1"}"#;
    let length = body.len();
    let one = format!("POST /janus HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}");
    let last = "GET /janus/ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    let answer = exchange(ports.http, format!("{one}{one}{last}").as_bytes()).await;

    assert_eq!(answer.matches("\"janus\":\"pong\"").count(), 3, "{answer}");
}

#[tokio::test]
async fn rubbish_in_quantity_disturbs_nobody_else() {
    let ports = Ports::open().await;
    let mut client = ports.connect().await;
    let session = client.create_session().await;

    let rubbish = async {
        tokio::join!(
            rubbish_on_the_wire(ports.http, 1),
            rubbish_on_the_wire(ports.websocket, 2),
            rubbish_in_bodies(&ports.transport),
            rubbish_in_messages(&ports),
            rubbish_after_handshakes(&ports),
        );
    };
    let conversation = async {
        for number in 0..500 {
            let keepalive = json!({"janus": "keepalive", "session_id": session, "transaction": number.to_string()});
            let ack = json!({"janus": "ack", "session_id": session, "transaction": number.to_string()});
            assert_eq!(client.ask(keepalive).await, ack);
        }
    };
    tokio::join!(rubbish, conversation);

    let keepalive = json!({"janus": "keepalive", "session_id": session, "transaction": "t1"});
    assert_eq!(client.ask(keepalive).await["janus"], "ack");
    assert!(ports.transport.counters().refused > 1000);
}

async fn rubbish_on_the_wire(address: SocketAddr, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..200 {
        exchange(address, &bytes(&mut random)).await;
    }
}

async fn rubbish_in_bodies(transport: &Transport) {
    let mut random = StdRng::seed_from_u64(3);
    let router = transport.http_router(Router::new());
    for number in 0..2000 {
        let body = if number % 2 == 0 { bytes(&mut random) } else { mutation(&mut random) };
        let empty = body.is_empty();
        let path = ["/janus", "/janus/5", "/janus/5/6"][number % 3];
        let post = Request::post(path).body(Body::from(body)).unwrap();

        let answer = Answer::read(router.clone().oneshot(post).await.unwrap()).await;

        if empty {
            assert!(answer.is_empty_with_cors(400));
        } else {
            assert!(answer.json()["janus"].is_string());
        }
    }
}

async fn rubbish_in_messages(ports: &Ports) {
    let mut random = StdRng::seed_from_u64(4);
    let mut client = ports.connect().await;
    for number in 0..2000 {
        let body = if number % 2 == 0 { bytes(&mut random) } else { mutation(&mut random) };
        client.send_frame(Message::binary(body)).await;
        // One malformed document means one error, and a mutation that is none is one request.
        assert!(client.receive().await["janus"].is_string());
    }
    id(&client.ask(json!({"janus": "create", "transaction": "t1"})).await);
}

/// Frames that are none end their connection, with or without a close frame.
async fn rubbish_after_handshakes(ports: &Ports) {
    let mut random = StdRng::seed_from_u64(5);
    for _ in 0..100 {
        let mut client = ports.connect().await;
        let stream = client.0.get_mut();
        let _ = stream.write_all(&bytes(&mut random)).await;
        let _ = stream.shutdown().await;
        let end = async { while let Some(Ok(_)) = client.0.next().await {} };
        tokio::time::timeout(SOON, end).await.unwrap();
    }
}

fn bytes(random: &mut StdRng) -> Bytes {
    let mut bytes = vec![0; random.random_range(0..200)];
    random.fill_bytes(&mut bytes);
    bytes.into()
}

/// A request with a few bytes changed.
fn mutation(random: &mut StdRng) -> Bytes {
    let request = json!({"janus": "attach", "session_id": 5, "transaction": "t\u{e9}",
        "plugin": ["janus.plugin.audiobridge", -1.5e3, {"deep": [null, true]}]});
    let mut bytes = request.to_string().into_bytes();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..bytes.len());
        bytes[at] = random.random();
    }
    bytes.into()
}
