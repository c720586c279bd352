//! Ports with TLS: what they show, and how it is replaced while they are open.
#![allow(clippy::unwrap_used, reason = "what is not as expected fails the test")]

mod transport_support;

use std::time::Duration;

use axum::Router;
use serde_json::json;
use signaling::{Certificate, CertificateError, ListenerConfig};
use tokio::net::TcpStream;
use transport_support::authority::{Authority, Issued};
use transport_support::{Client, exchange, handshake, open, transport};

const PING: &[u8] = b"GET /janus/ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

fn shown(issued: &Issued) -> (Certificate, ListenerConfig) {
    let certificate = Certificate::from_pem(issued.chain.as_bytes(), issued.key.as_bytes()).unwrap();
    let config = ListenerConfig { certificate: Some(certificate.clone()), ..Default::default() };
    (certificate, config)
}

#[tokio::test]
async fn both_apis_go_over_tls() {
    let authority = Authority::new();
    let (_, config) = shown(&authority.issue());
    let transport = transport();
    let http = open(&transport, transport.http_router(Router::new()), config.clone()).await;
    let admin = open(&transport, transport.admin_websocket_router(), config).await;

    let answer = exchange(authority.connect(http).await.unwrap(), PING).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""janus":"pong""#), "{answer}");

    let ping = json!({"janus": "ping", "transaction": "t1"});
    let pong = json!({"janus": "pong", "transaction": "t1"});
    for (address, protocol) in [(http, "janus-protocol"), (admin, "janus-admin-protocol")] {
        let stream = authority.connect(address).await.unwrap();
        let mut client = handshake(stream, "/", Some(protocol)).await.unwrap().0;
        assert_eq!(client.ask(ping.clone()).await, pong);
    }
    let answer = exchange(authority.connect(admin).await.unwrap(), PING).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[tokio::test]
async fn a_certificate_is_replaced_while_connections_stay_open() {
    let authority = Authority::new();
    let (old, new) = (authority.issue(), authority.issue());
    let (certificate, config) = shown(&old);
    let transport = transport();
    let address = open(&transport, transport.websocket_router(), config).await;
    let stream = authority.connect(address).await.unwrap();
    assert_eq!(stream.get_ref().1.peer_certificates().unwrap(), [old.der]);
    let mut client = handshake(stream, "/", Some("janus-protocol")).await.unwrap().0;
    let session = client.create_session().await;

    certificate.replace(new.chain.as_bytes(), new.key.as_bytes()).unwrap();

    let stream = authority.connect(address).await.unwrap();
    assert_eq!(stream.get_ref().1.peer_certificates().unwrap(), [new.der]);
    let keepalive = json!({"janus": "keepalive", "session_id": session, "transaction": "t1"});
    assert_eq!(client.ask(keepalive).await["janus"], "ack");
}

#[tokio::test]
async fn what_cannot_replace_it_changes_nothing() {
    let authority = Authority::new();
    let (old, other) = (authority.issue(), authority.issue());
    let (certificate, config) = shown(&old);
    let transport = transport();
    let address = open(&transport, transport.websocket_router(), config).await;

    let mismatch = certificate.replace(other.chain.as_bytes(), old.key.as_bytes()).unwrap_err();
    assert!(matches!(mismatch, CertificateError::Mismatch), "{mismatch}");
    let chain = certificate.replace(b"rubbish", other.key.as_bytes()).unwrap_err();
    assert!(matches!(chain, CertificateError::Chain(_)), "{chain}");
    let swapped = certificate.replace(other.key.as_bytes(), other.chain.as_bytes()).unwrap_err();
    assert!(matches!(swapped, CertificateError::Chain(_)), "{swapped}");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let chain = certificate.replace(broken.as_bytes(), other.key.as_bytes()).unwrap_err();
    assert!(matches!(chain, CertificateError::Chain(_)), "{chain}");
    let key = certificate.replace(other.chain.as_bytes(), other.chain.as_bytes()).unwrap_err();
    assert!(matches!(key, CertificateError::Key(_)), "{key}");

    let stream = authority.connect(address).await.unwrap();
    assert_eq!(stream.get_ref().1.peer_certificates().unwrap(), [old.der]);
}

#[tokio::test]
async fn clients_without_tls_are_counted_and_disturb_nobody() {
    let authority = Authority::new();
    let (_, config) = shown(&authority.issue());
    let transport = transport();
    let address = open(&transport, transport.websocket_router(), config).await;
    let silent = TcpStream::connect(address).await.unwrap();

    let answer = exchange(TcpStream::connect(address).await.unwrap(), PING).await;

    assert!(!answer.contains("HTTP"), "{answer}");
    let stream = authority.connect(address).await.unwrap();
    let mut client: Client<_> = handshake(stream, "/", Some("janus-protocol")).await.unwrap().0;
    client.create_session().await;
    assert_eq!(transport.counters().failed_handshakes, 1);
    drop(silent);
}

#[tokio::test]
async fn a_stranger_is_not_trusted() {
    let (_, config) = shown(&Authority::new().issue());
    let transport = transport();
    let address = open(&transport, transport.websocket_router(), config).await;

    let refused = tokio::time::timeout(Duration::from_secs(5), Authority::new().connect(address)).await.unwrap();

    assert!(refused.is_err());
}
