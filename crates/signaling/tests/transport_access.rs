//! Who may connect to a port, how many at the same time, and for how long in silence.
#![allow(clippy::unwrap_used, reason = "what is not as expected fails the test")]

mod transport_support;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use signaling::{Access, ListenerConfig, Network, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use transport_support::{Client, SOON, exchange, handshake, open, transport};

fn access(allowed: &[&str], proxies: &[&str]) -> ListenerConfig {
    let networks = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Network>>();
    let access = Access { allowed: networks(allowed), proxies: networks(proxies), forwarded: true, unlimited: vec![] };
    ListenerConfig { access: watch::channel(access).1, ..Default::default() }
}

async fn open_http(transport: &Transport, config: ListenerConfig) -> SocketAddr {
    open(transport, transport.http_router(Router::new()), config).await
}

/// A ping, with further header lines.
async fn ping(address: SocketAddr, headers: &str) -> String {
    let request = format!("GET /janus/ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n");
    exchange(TcpStream::connect(address).await.unwrap(), request.as_bytes()).await
}

async fn websocket(address: SocketAddr) -> Option<Client<TcpStream>> {
    let stream = TcpStream::connect(address).await.unwrap();
    handshake(stream, "/", Some("janus-protocol")).await.ok().map(|(client, _)| client)
}

/// Whether the server ends the connection, and soon.
async fn is_cut(mut stream: TcpStream) -> bool {
    let end = tokio::time::timeout(SOON, stream.read_to_end(&mut Vec::new())).await;
    matches!(end, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn who_may_not_connect_is_cut_off_without_an_answer() {
    let transport = transport();
    // A prefix as text would let 127.0.0.1 in.
    let closed = open_http(&transport, access(&["127.0.0.10", "10.0.0.0/8", "2001:db8::/32"], &[])).await;
    let opened = open_http(&transport, access(&["127.0.0.0/31"], &[])).await;

    // Whom nobody trusts to speak for others is judged by where it is.
    assert_eq!(ping(closed, "X-Forwarded-For: 10.0.0.1\r\n").await, "");
    assert!(ping(opened, "X-Forwarded-For: 203.0.113.9\r\n").await.starts_with("HTTP/1.1 200 "));
    assert!(websocket(closed).await.is_none());
    assert!(websocket(opened).await.is_some());
    assert_eq!(transport.counters().refused_connections, 2);
}

#[tokio::test]
async fn a_mapped_address_is_the_one_it_maps() {
    let transport = transport();
    let listener = TcpListener::bind("[::]:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (router, config) = (transport.http_router(Router::new()), access(&["127.0.0.0/8"], &[]));
    let serving = transport.clone();
    tokio::spawn(async move { serving.serve(listener, router, config, std::future::pending()).await });

    assert!(ping(([127, 0, 0, 1], port).into(), "").await.starts_with("HTTP/1.1 200 "));
    assert_eq!(ping(([0, 0, 0, 0, 0, 0, 0, 1], port).into(), "").await, "");
}

#[tokio::test]
async fn a_trusted_proxy_is_judged_by_whom_it_speaks_for() {
    let transport = transport();
    let address = open_http(&transport, access(&["198.51.100.0/24"], &["127.0.0.1"])).await;
    for (headers, status) in [
        ("X-Forwarded-For: 198.51.100.7\r\n", "200"),
        ("X-Forwarded-For: 203.0.113.9\r\n", "403"),
        ("X-Forwarded-For: 198.51.100.7, 203.0.113.9\r\n", "403"),
        ("X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\n", "200"),
        ("", "403"),
    ] {
        let answer = ping(address, headers).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{headers}{answer}");
    }
    assert!(websocket(address).await.is_none());
    assert_eq!(transport.counters().refused_connections, 0);
}

#[tokio::test]
async fn connections_over_the_limit_are_cut_off_until_one_ends() {
    let transport = transport();
    let address = open_http(&transport, ListenerConfig { connection_limit: 2, ..Default::default() }).await;
    // A connection keeps its place when it becomes a WebSocket.
    let first = websocket(address).await.unwrap();
    let _second = websocket(address).await.unwrap();

    assert!(is_cut(TcpStream::connect(address).await.unwrap()).await);
    assert_eq!(transport.counters().surplus_connections, 1);

    drop(first);
    let freed = async {
        while websocket(address).await.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, freed).await.unwrap();
}

#[tokio::test]
async fn a_connection_without_a_whole_request_is_closed() {
    let transport = transport();
    let config = ListenerConfig { idle_timeout: Duration::from_millis(50), ..Default::default() };
    let address = open_http(&transport, config).await;
    let whole = "GET /janus/ping HTTP/1.1\r\nHost: a\r\n\r\n";
    for (before, answers) in [("", 0), ("GET /janus/ping HT", 0), (whole, 1)] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(before.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(SOON, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert_eq!(answer.matches("pong").count(), answers, "{before}{answer}");
    }
    // A WebSocket may be silent.
    let mut client = websocket(address).await.unwrap();
    assert!(client.is_quiet_for(Duration::from_millis(200)).await);
    client.create_session().await;
}
