//! Who looks at the server or at a room sees it here, as it changes. One task looks for all who watch the same thing, and
//! only while somebody does; what there is to say is written once. Nobody is waited for: who is slow misses what was in
//! between and gets the whole again.

mod node;
mod scene;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{self, Stream};
use serde_json::Value;
use signaling::{CoreCounts, Operation, Outcome, Transport};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::sleep;

use crate::drain::owner::Drainer;
use crate::wiring;
use node::Node;
use scene::Scene;

/// Watchers at one time: a handful of operators and their dashboards. Each costs a connection.
const MOST_WATCHERS: usize = 64;
/// How often the server as a whole is looked at.
const NODE_PAUSE: Duration = Duration::from_secs(1);
/// How often a room is looked at, so that levels seem to move …
const ROOM_PAUSE: Duration = Duration::from_millis(400);
/// … but a large one less often: a look costs the core some 5 µs for each who is in it, and a watcher half a kilobyte.
const PAUSE_FOR_EACH: Duration = Duration::from_millis(4);
/// … but for all that as often as this.
const LONGEST_ROOM_PAUSE: Duration = Duration::from_secs(4);

/// What can be watched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// The server and all its rooms in few words.
    Server,
    /// One room and everybody in it; by its id.
    Room(String),
}

/// One thing to tell a watcher.
#[derive(Clone, Debug)]
pub(crate) struct Telling {
    /// `snapshot`, `change` or `gone`.
    pub(crate) what: &'static str,
    /// JSON.
    pub(crate) data: String,
}

/// See the module. Clones are of the same one.
#[derive(Clone, Debug)]
pub(crate) struct Observatory(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    transport: Transport,
    workers: Vec<wiring::Worker>,
    drainer: Drainer,
    started: Instant,
    stopping: watch::Receiver<bool>,
    places: Arc<Semaphore>,
    /// What is watched now.
    watched: Mutex<HashMap<Topic, watch::Sender<Option<Arc<Frame>>>>>,
}

/// What was seen at one look, in the forms in which it is told.
#[derive(Debug)]
struct Frame {
    /// Counts the looks at which something was new.
    number: u64,
    scene: Scene,
    /// Against the frame before.
    change: String,
    /// Written when somebody needs it.
    snapshot: OnceLock<String>,
}

impl Observatory {
    /// Watchers are let go when `stopping` becomes true.
    pub(crate) fn new(
        transport: Transport,
        workers: Vec<wiring::Worker>,
        drainer: Drainer,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self(Arc::new(Shared {
            transport,
            workers,
            drainer,
            started: crate::now(),
            stopping,
            places: Arc::new(Semaphore::new(MOST_WATCHERS)),
            watched: Mutex::default(),
        }))
    }

    /// What there is to tell of a topic: a snapshot, then changes, at the end of a room that it is gone. `None` when too
    /// many watch already.
    pub(crate) fn watch(&self, topic: Topic) -> Option<impl Stream<Item = Telling> + Send + use<>> {
        let place = Arc::clone(&self.0.places).try_acquire_owned().ok()?;
        let frames = self.subscribe(topic);
        Some(stream::unfold(Watcher { frames, last: None, is_over: false, _place: place }, Watcher::next))
    }

    fn subscribe(&self, topic: Topic) -> watch::Receiver<Option<Arc<Frame>>> {
        let mut watched = self.0.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frames) = watched.get(&topic) {
            let mut receiver = frames.subscribe();
            // What was seen last is news to who comes.
            receiver.mark_changed();
            return receiver;
        }
        let (frames, receiver) = watch::channel(None);
        watched.insert(topic.clone(), frames.clone());
        drop(watched);
        let (shared, mut stopping) = (Arc::clone(&self.0), self.0.stopping.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = shared.keep_looking(&topic, &frames) => {}
                _ = stopping.wait_for(|stopping| *stopping) => shared.forget(&topic),
            }
        });
        receiver
    }
}

impl Shared {
    /// Until nobody watches any more, or there is nothing to be seen.
    async fn keep_looking(&self, topic: &Topic, frames: &watch::Sender<Option<Arc<Frame>>>) {
        let mut node = Node::new(self.started);
        let mut last: Option<Arc<Frame>> = None;
        loop {
            let Some(scene) = self.look(topic, &mut node).await else { return self.forget(topic) };
            let pause = match topic {
                Topic::Server => NODE_PAUSE,
                Topic::Room(_) => (PAUSE_FOR_EACH * scene.len()).clamp(ROOM_PAUSE, LONGEST_ROOM_PAUSE),
            };
            let change = match &last {
                Some(last) => scene.change_since(&last.scene),
                None => Some(String::new()),
            };
            if let Some(change) = change {
                let number = last.as_ref().map_or(0, |last| last.number + 1);
                let frame = Arc::new(Frame { number, scene, change, snapshot: OnceLock::new() });
                frames.send_replace(Some(Arc::clone(&frame)));
                last = Some(frame);
            }
            sleep(pause).await;
            if self.forget_unwatched(topic, frames) {
                return;
            }
        }
    }

    async fn look(&self, topic: &Topic, node: &mut Node) -> Option<Scene> {
        match topic {
            Topic::Server => {
                let surveyed = self.transport.operate(Operation::SurveyRooms).await.ok()?;
                let CoreCounts { gauges, .. } = self.transport.core_counts().await?;
                let Ok(Outcome::Is(Value::Array(rooms))) = surveyed else { return None };
                let mut server = node.figures(&gauges, &self.workers, crate::now());
                server["drain"] = self.drainer.progress().await.ok()?.as_json();
                Some(Scene::of_server(server, rooms))
            }
            Topic::Room(room) => {
                let seen = self.transport.observe_room(room.clone()).await.ok()?;
                Scene::of_room(seen.ok()?)
            }
        }
    }

    fn forget(&self, topic: &Topic) {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).remove(topic);
    }

    /// Under the lock, so that nobody begins to watch what is just being forgotten.
    fn forget_unwatched(&self, topic: &Topic, frames: &watch::Sender<Option<Arc<Frame>>>) -> bool {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let unwatched = frames.receiver_count() == 0;
        if unwatched {
            watched.remove(topic);
        }
        unwatched
    }
}

/// One who watches.
struct Watcher {
    frames: watch::Receiver<Option<Arc<Frame>>>,
    /// The number of the frame that it has.
    last: Option<u64>,
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

impl Watcher {
    async fn next(mut self) -> Option<(Telling, Self)> {
        if self.is_over {
            return None;
        }
        let frame = loop {
            if self.frames.changed().await.is_err() {
                self.is_over = true;
                return Some((Telling { what: "gone", data: "{}".to_owned() }, self));
            }
            if let Some(frame) = self.frames.borrow_and_update().clone() {
                break frame;
            }
        };
        let follows = self.last.is_some_and(|last| last + 1 == frame.number);
        self.last = Some(frame.number);
        let telling = if follows {
            Telling { what: "change", data: frame.change.clone() }
        } else {
            Telling { what: "snapshot", data: frame.snapshot.get_or_init(|| frame.scene.whole()).clone() }
        };
        Some((telling, self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(number: u64, name: &str) -> Option<Arc<Frame>> {
        let scene = Scene::of_server(Value::Null, vec![serde_json::json!({"room": 1, "description": name})]);
        Some(Arc::new(Frame { number, scene, change: format!("change {number}"), snapshot: OnceLock::new() }))
    }

    async fn told(watcher: Watcher) -> (&'static str, String, Watcher) {
        let (Telling { what, data }, watcher) = watcher.next().await.expect("something is told");
        (what, data, watcher)
    }

    #[tokio::test]
    async fn who_keeps_up_is_told_changes_and_who_does_not_the_whole() {
        let (frames, receiver) = watch::channel(None);
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().expect("a place");
        let watcher = Watcher { frames: receiver, last: None, is_over: false, _place: place };

        frames.send_replace(frame(0, "a"));
        let (what, data, watcher) = told(watcher).await;
        assert_eq!((what, data.contains("\"a\"")), ("snapshot", true));
        frames.send_replace(frame(1, "b"));
        let (what, data, watcher) = told(watcher).await;
        assert_eq!((what, data.as_str()), ("change", "change 1"));
        frames.send_replace(frame(2, "c"));
        frames.send_replace(frame(3, "d"));
        let (what, data, watcher) = told(watcher).await;
        assert_eq!((what, data.contains("\"d\"")), ("snapshot", true));
        drop(frames);
        let (what, _, watcher) = told(watcher).await;
        assert_eq!(what, "gone");
        assert!(watcher.next().await.is_none());
    }
}
