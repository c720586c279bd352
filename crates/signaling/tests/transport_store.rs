//! A reply that says `permanent` waits for the store, and says what came of it; nothing else waits.

mod transport_support;

use serde_json::{Value, json};
use signaling::{Config, StoreRequest, TransportConfig};
use tokio::sync::mpsc;
use tokio::time::timeout;
use transport_support::{Answer, Port, SOON, World, request};

#[tokio::test(start_paused = true)]
async fn a_reply_comes_once_the_change_is_stored() {
    let (world, mut store) = world();
    let asked = create(&world, 1);
    tokio::pin!(asked);

    assert!(timeout(SOON, &mut asked).await.is_err(), "nothing was stored yet");
    let change = store.recv().await.unwrap();
    assert_eq!(response(&ask(&world, json!({"request": "exists", "room": 1})).await)["exists"], true, "others go on");
    change.done.send(true).unwrap();

    assert_eq!(response(&asked.await)["permanent"], true);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_could_not_be_stored_is_not_called_permanent() {
    let (world, mut store) = world();
    for room in [1, 2] {
        let asked = create(&world, room);
        tokio::pin!(asked);
        assert!(timeout(SOON, &mut asked).await.is_err());
        let change = store.recv().await.unwrap();
        match room {
            1 => change.done.send(false).unwrap(),
            _ => drop(change),
        }
        assert_eq!(response(&asked.await)["permanent"], false);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_behind_is_not_waited_for() {
    let (world, mut store) = world();
    let first = create(&world, 1);
    tokio::pin!(first);
    assert!(timeout(SOON, &mut first).await.is_err());

    let second = timeout(SOON, create(&world, 2)).await.unwrap();

    assert_eq!(response(&second)["permanent"], false);
    store.recv().await.unwrap().done.send(true).unwrap();
    assert_eq!(response(&first.await)["permanent"], true);
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_what_is_being_stored() {
    let (world, mut store) = world();
    let asked = create(&world, 1);
    tokio::pin!(asked);
    assert!(timeout(SOON, &mut asked).await.is_err());
    let transport = world.transport.clone();
    let stop = tokio::spawn(async move { transport.shut_down().await });
    tokio::task::yield_now().await;

    store.recv().await.unwrap().done.send(true).unwrap();

    assert_eq!(response(&asked.await)["permanent"], true);
    timeout(SOON, stop).await.unwrap().unwrap();
}

fn world() -> (World, mpsc::Receiver<StoreRequest>) {
    let mut world = World::with(Config { stores_rooms: true, ..Config::default() }, TransportConfig::default());
    let store = std::mem::replace(&mut world.store, mpsc::channel(1).1);
    (world, store)
}

async fn create(world: &World, room: u64) -> Answer {
    ask(world, json!({"request": "create", "room": room, "permanent": true})).await
}

/// An AudioBridge request of an operator.
async fn ask(world: &World, body: Value) -> Answer {
    let message = json!({"janus": "message_plugin", "transaction": "t", "plugin": "janus.plugin.audiobridge",
        "request": body});
    world.send(Port::Admin, request("POST", "/admin", &message.to_string())).await
}

fn response(answer: &Answer) -> Value {
    answer.json()["response"].clone()
}
