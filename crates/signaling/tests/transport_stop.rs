//! The end of a transport: everybody is told, and nobody can delay it for long.

mod transport_support;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use transport_support::{Port, World, now, pass, request};

#[tokio::test(start_paused = true)]
async fn sessions_are_told_and_connections_closed() {
    let world = Arc::new(World::new());
    let polled = world.create_session().await;
    let poll = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.get(&format!("/janus/{polled}?maxev=10")).await.json() })
    };
    let mut client = world.connect().await;
    let session = client.create_session().await;
    let start = now();

    let stop = {
        let transport = world.transport.clone();
        tokio::spawn(async move { transport.shut_down().await })
    };

    assert_eq!(poll.await.unwrap(), json!([{"janus": "timeout", "session_id": polled}]));
    assert_eq!(client.receive().await, json!({"janus": "timeout", "session_id": session}));
    let Message::Close(Some(frame)) = client.receive_frame().await else { panic!("not closed") };
    assert_eq!(frame.code, CloseCode::Away);
    // Reading on answers the close frame.
    assert!(client.is_over().await);
    stop.await.unwrap();
    assert!(now() - start < Duration::from_secs(1));
    assert_eq!(world.transport.counters().connections, 0);
}

#[tokio::test(start_paused = true)]
async fn a_poll_without_a_session_is_released() {
    let world = Arc::new(World::new());
    let session = world.create_session().await;
    let poll = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.get(&format!("/janus/{session}")).await.json() })
    };
    pass(Duration::from_millis(1)).await;
    world.post(&format!("/janus/{session}"), json!({"janus": "destroy", "transaction": "t1"})).await;
    let start = now();

    world.transport.shut_down().await;

    assert_eq!(poll.await.unwrap(), json!({"janus": "keepalive"}));
    assert!(now() - start < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_delays_the_stop_for_seconds_only() {
    let world = World::new();
    let mut client = world.connect().await;
    client.create_session().await;
    let start = now();

    world.transport.shut_down().await;

    let time = now() - start;
    assert!(time <= Duration::from_secs(5), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn what_comes_after_the_stop_is_unavailable() {
    let world = World::new();
    let session = world.create_session().await;
    let ping = r#"{"janus":"ping","transaction":"t1"}"#;

    world.transport.shut_down().await;
    world.transport.shut_down().await;

    for (port, method, path, body) in [
        (Port::Http, "POST", "/janus".to_owned(), ping),
        (Port::Http, "GET", "/janus/info".to_owned(), ""),
        (Port::Http, "GET", format!("/janus/{session}"), ""),
        (Port::Admin, "POST", "/admin".to_owned(), ping),
    ] {
        let answer = world.send(port, request(method, &path, body)).await;
        assert!(answer.is_empty_with_cors(503), "{method} {path}: {answer:?}");
    }
    let mut late = world.connect().await;
    let Message::Close(Some(frame)) = late.receive_frame().await else { panic!("not closed") };
    assert_eq!(frame.code, CloseCode::Away);
    assert_eq!(world.transport.core_counts().await, None);
}
