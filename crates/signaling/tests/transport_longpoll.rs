//! Long polls: how events reach a session over HTTP. Numbers are those of the conformance cases.

mod transport_support;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use signaling::{Config, TransportConfig};
use tokio::task::JoinHandle;
use transport_support::{World, error, now, pass};

/// What each queued event looks like: they are those of detached handles.
fn detached(session: u64, handle: u64) -> Value {
    json!({"janus": "detached", "session_id": session, "sender": handle})
}

/// A poll in the background, started for certain when this returns.
async fn hold(world: &Arc<World>, path: String) -> JoinHandle<Value> {
    let world = Arc::clone(world);
    let poll = tokio::spawn(async move { world.get(&path).await.json() });
    pass(Duration::from_millis(1)).await;
    assert!(!poll.is_finished());
    poll
}

fn keepalive() -> Value {
    json!({"janus": "keepalive", "transaction": "t1"})
}

#[tokio::test(start_paused = true)]
async fn one_event_comes_as_an_object() {
    let world = World::new();
    let session = world.create_session().await;
    let handles = world.queue_events(session, 6).await;

    // Cases 25 and 28: the oldest first.
    for (query, handle) in ["", "?maxev=1", "?maxev=0", "?maxev=-1", "?maxev=x", "?rid=5&%ff"].iter().zip(handles) {
        let event = world.get(&format!("/janus/{session}{query}")).await.json();
        assert_eq!(event, detached(session, handle), "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn several_events_come_as_an_array_in_order() {
    let world = World::new();
    let session = world.create_session().await;
    let events = |handles: &[u64]| Value::Array(handles.iter().map(|handle| detached(session, *handle)).collect());

    // Case 26.
    let handles = world.queue_events(session, 3).await;
    assert_eq!(world.get(&format!("/janus/{session}?maxev=10")).await.json(), events(&handles));

    // Case 27, and 29: an array even of one.
    let handles = world.queue_events(session, 3).await;
    assert_eq!(world.get(&format!("/janus/{session}?maxev=2")).await.json(), events(&handles[..2]));
    assert_eq!(world.get(&format!("/janus/{session}?maxev=5")).await.json(), events(&handles[2..]));
}

#[tokio::test(start_paused = true)]
async fn an_idle_poll_ends_after_30_seconds() {
    let world = World::new();
    let session = world.create_session().await;
    let start = now();

    let object = world.get(&format!("/janus/{session}")).await.json();
    let after_first = now() - start;
    let array = world.get(&format!("/janus/{session}?maxev=5")).await.json();

    // Cases 30 and 31.
    assert_eq!(object, json!({"janus": "keepalive"}));
    assert_eq!(array, json!([{"janus": "keepalive"}]));
    assert_eq!(after_first.as_secs(), 30);
    assert_eq!((now() - start).as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn an_event_releases_every_held_poll_at_once() {
    let world = Arc::new(World::new());
    let session = world.create_session().await;
    let first = hold(&world, format!("/janus/{session}")).await;
    let second = hold(&world, format!("/janus/{session}?maxev=10")).await;
    let start = now();

    let handles = world.queue_events(session, 1).await;
    let answers = [first.await.unwrap(), second.await.unwrap()];

    // Cases 32 and 33: one finds the event, the other nothing.
    assert!(now() - start < Duration::from_millis(10));
    let event = detached(session, handles[0]);
    let nothing = json!({"janus": "keepalive"});
    assert!(answers == [event.clone(), json!([nothing])] || answers == [nothing, json!([event])], "{answers:?}");
}

#[tokio::test(start_paused = true)]
async fn polling_keeps_a_session_alive() {
    let world = World::new();
    let session = world.create_session().await;

    // Case 34.
    for _ in 0..5 {
        assert_eq!(world.get(&format!("/janus/{session}")).await.json(), json!({"janus": "keepalive"}));
    }
    assert_eq!(world.post(&format!("/janus/{session}"), keepalive()).await["janus"], "ack");
}

#[tokio::test(start_paused = true)]
async fn a_poll_needs_the_secret() {
    let config = Config { api_secret: Some("good one".into()), ..Default::default() };
    let world = World::with(config, TransportConfig::default());
    let create = json!({"janus": "create", "transaction": "t1", "apisecret": "good one"});
    let session = transport_support::id(&world.post("/janus", create).await);

    // Cases 35 and 36; who lacks it learns nothing about sessions.
    for path in ["", "?apisecret=bad", "?token=good%20one", "/5"] {
        assert!(world.get(&format!("/janus/{session}{path}")).await.is_empty_with_cors(403), "{path}");
    }
    assert!(world.get("/janus/999").await.is_empty_with_cors(403));
    assert!(world.get("/janus/0").await.is_empty_with_cors(404));
    assert_eq!(world.get(&format!("/janus/{session}?apisecret=good%20one")).await.status, 200);
    assert_eq!(world.get(&format!("/janus/{session}?apisecret=good+one&maxev=2")).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_held_poll_learns_that_the_session_timed_out() {
    let config = Config { session_timeout: Duration::from_secs(10), ..Default::default() };
    let world = Arc::new(World::with(config, TransportConfig::default()));
    let session = world.create_session().await;

    // Case 38.
    let event = world.get(&format!("/janus/{session}")).await.json();
    assert_eq!(event, json!({"janus": "timeout", "session_id": session}));
    assert!(world.get(&format!("/janus/{session}")).await.is_empty_with_cors(404));
}

#[tokio::test(start_paused = true)]
async fn destroy_does_not_interrupt_a_held_poll() {
    let world = Arc::new(World::new());
    let session = world.create_session().await;
    let start = now();
    let poll = hold(&world, format!("/janus/{session}")).await;

    let destroy = json!({"janus": "destroy", "transaction": "t1"});
    assert_eq!(world.post(&format!("/janus/{session}"), destroy).await["janus"], "success");

    // Case 39.
    assert_eq!(poll.await.unwrap(), json!({"janus": "keepalive"}));
    assert_eq!((now() - start).as_secs(), 30);
    assert!(world.get(&format!("/janus/{session}")).await.is_empty_with_cors(404));
}

#[tokio::test(start_paused = true)]
async fn a_claim_over_http_starts_with_an_empty_mailbox() {
    let world = Arc::new(World::new());
    let session = world.create_session().await;
    let poll = hold(&world, format!("/janus/{session}")).await;
    let start = now();
    let claim = json!({"janus": "claim", "session_id": session, "transaction": "t1"});

    let reply = world.post("/janus", claim.clone()).await;
    let handles = world.queue_events(session, 1).await;

    // The poll from before the claim belongs to nobody, and ends in its own time; the next one gets the event.
    assert_eq!(reply, json!({"janus": "success", "session_id": session, "transaction": "t1"}));
    assert_eq!(world.get(&format!("/janus/{session}")).await.json(), detached(session, handles[0]));
    assert_eq!(poll.await.unwrap(), json!({"janus": "keepalive"}));
    assert_eq!((now() - start).as_secs_f64().round(), 30.0);

    world.queue_events(session, 1).await;
    world.post("/janus", claim).await;
    assert_eq!(world.get(&format!("/janus/{session}")).await.json(), json!({"janus": "keepalive"}));
}

#[tokio::test(start_paused = true)]
async fn a_session_moves_between_http_and_websocket() {
    let world = World::new();
    let session = world.create_session().await;
    let mut client = world.connect().await;

    let claim = json!({"janus": "claim", "session_id": session, "transaction": "t1"});
    assert_eq!(client.ask(claim.clone()).await["janus"], "success");
    assert!(world.get(&format!("/janus/{session}")).await.is_empty_with_cors(404));
    let handles = world.queue_events(session, 1).await;
    assert_eq!(client.receive().await, detached(session, handles[0]));

    world.post("/janus", claim).await;
    let handles = world.queue_events(session, 1).await;
    assert_eq!(world.get(&format!("/janus/{session}")).await.json(), detached(session, handles[0]));
    assert!(client.is_quiet_for(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_nobody_polls_keeps_the_newest_events() {
    let config = TransportConfig { mailbox_capacity: 3, ..Default::default() };
    let world = World::with(Config::default(), config);
    let session = world.create_session().await;

    let handles = world.queue_events(session, 5).await;

    let events = world.get(&format!("/janus/{session}?maxev=10")).await.json();
    assert_eq!(events, Value::Array(handles[2..].iter().map(|handle| detached(session, *handle)).collect()));
    assert_eq!(world.transport.counters().dropped_events, 2);
}

#[tokio::test(start_paused = true)]
async fn a_poll_whose_client_has_gone_takes_no_event_with_it() {
    let world = Arc::new(World::new());
    let session = world.create_session().await;
    let poll = hold(&world, format!("/janus/{session}")).await;
    poll.abort();

    let handles = world.queue_events(session, 1).await;

    assert_eq!(world.get(&format!("/janus/{session}")).await.json(), detached(session, handles[0]));
}

#[tokio::test(start_paused = true)]
async fn a_session_of_a_websocket_can_not_be_polled() {
    let world = World::new();
    let mut client = world.connect().await;
    let session = client.create_session().await;

    assert!(world.get(&format!("/janus/{session}")).await.is_empty_with_cors(404));

    let reply = world.post(&format!("/janus/{}", session + 1), keepalive()).await;
    assert_eq!(error(&reply, 458), format!("No such session {}", session + 1));
}
