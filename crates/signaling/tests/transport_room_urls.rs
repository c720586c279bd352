//! The room in front of the path: what it is good for while the server drains, and that all else is as without it.

mod transport_support;

use axum::http::StatusCode;
use serde_json::json;
use transport_support::{Port, World, request};

const CREATE: &str = r#"{"janus":"create","transaction":"t"}"#;

#[tokio::test(start_paused = true)]
async fn the_api_is_the_same_behind_a_room() {
    let world = World::new();
    let created = world.post("/room/1234/janus", json!({"janus": "create", "transaction": "t"})).await;
    let session = created["data"]["id"].as_u64().unwrap();
    let attach = json!({"janus": "attach", "plugin": "janus.plugin.audiobridge", "transaction": "t"});
    let handle = world.post(&format!("/room/1234/janus/{session}"), attach).await["data"]["id"].as_u64().unwrap();

    let info = world.get("/room/1234/janus/info").await;
    let redirect = world.get(&format!("/room/1234/janus/{session}/{handle}")).await;
    let poll = world.get(&format!("/room/1234/janus/{session}")).await;

    assert_eq!(info.json()["janus"], "server_info");
    assert_eq!(redirect.headers["location"], format!("/room/1234/janus/{session}"));
    assert_eq!(poll.json(), json!({"janus": "keepalive"}));
    assert_eq!(world.get("/room/1234/nothing").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_session_for_a_room_that_cannot_begin_is_for_another_server() {
    let world = World::new();
    let before = world.create_session().await;
    world.transport.set_draining(true).await.unwrap();

    let named = world.send(Port::Http, request("POST", "/room/1234/janus", CREATE)).await;
    let upgrade = world.handshake(Port::WebSocket, "/room/1234/janus", Some("janus-protocol")).await;
    let going_on = world.get(&format!("/room/1234/janus/{before}")).await;
    let of_another = world.get("/room/1234/janus/5").await;
    let unnamed = world.send(Port::Http, request("POST", "/janus", CREATE)).await;

    assert_eq!(named.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(of_another.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(upgrade.is_err(), "the handshake was accepted");
    assert_eq!(going_on.json(), json!({"janus": "keepalive"}));
    assert_eq!(unnamed.json()["janus"], "success");

    world.transport.set_draining(false).await.unwrap();
    assert_eq!(world.send(Port::Http, request("POST", "/room/1234/janus", CREATE)).await.status, StatusCode::OK);
}
