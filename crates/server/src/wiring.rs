//! The threads and the queues between them; see the picture in ARCHITECTURE.md.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use signaling::{MediaCommand, MediaEvent};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use crate::bridge::{self, Bridge, Loads, Outlet, Output, PlaneEvent, Route};
use crate::metrics::MixMetrics;

/// How often the threads are asked how busy they are: they tell it of a second.
const LOAD_INTERVAL: Duration = Duration::from_secs(1);

pub(crate) type Worker = mixer::WorkerHandle<Outlet>;
pub(crate) type Driver = webrtc::DriverHandle<Route>;

/// What a net thread does with what its shard puts out: audio goes straight to the mix thread of its route, events to the bridge.
///
/// `workers` is set once the mix threads run, which is before the first peer exists.
pub(crate) fn net_sink(
    shard: usize,
    workers: Arc<OnceLock<Vec<Worker>>>,
    events: mpsc::UnboundedSender<PlaneEvent>,
) -> impl FnMut(webrtc::Output<Route>) + Send + 'static {
    move |output| match output {
        webrtc::Output::Packet { route, packet } => {
            if let Some(workers) = workers.get() {
                workers[route.worker].packet(route.member, bridge::incoming_audio(packet));
            }
        }
        webrtc::Output::Event { peer, event } => {
            let _ = events.send(PlaneEvent::Peer { shard, peer, event });
        }
        webrtc::Output::Measured { inquiry, peers } => {
            let _ = events.send(PlaneEvent::Peers { shard, inquiry, peers });
        }
        webrtc::Output::Transmit(_) => unreachable!("the driver sends datagrams itself"),
    }
}

/// What a mix thread does once a tick with what its worker puts out: one batch of audio for each shard, events to the bridge.
pub(crate) fn mix_sink(
    worker: usize,
    drivers: Vec<Driver>,
    events: mpsc::UnboundedSender<PlaneEvent>,
    metrics: MixMetrics,
) -> impl FnMut(&mut dyn Iterator<Item = mixer::Output<Outlet>>, &mixer::Counters, &mixer::Times) + Send + 'static {
    let mut batches: Vec<Vec<webrtc::MixedAudio>> = drivers.iter().map(|_| Vec::new()).collect();
    move |outputs, counters, times| {
        for output in outputs {
            match output {
                mixer::Output::Packet { outlet, packet } => {
                    batches[outlet.shard].push(bridge::outgoing_audio(outlet.peer, packet));
                }
                mixer::Output::Event { member, event } => {
                    let _ = events.send(PlaneEvent::Member { worker, member, event });
                }
                mixer::Output::Measured { inquiry, members } => {
                    let _ = events.send(PlaneEvent::Members { worker, inquiry, members });
                }
            }
        }
        for (driver, batch) in drivers.iter().zip(&mut batches) {
            if !batch.is_empty() {
                let next = Vec::with_capacity(batch.len());
                driver.audio(std::mem::replace(batch, next));
            }
        }
        metrics.publish(counters, times);
    }
}

/// Carries commands from signaling to the planes and events back, until signaling ends.
pub(crate) async fn run_bridge(
    mut commands: mpsc::UnboundedReceiver<MediaCommand>,
    mut plane_events: mpsc::UnboundedReceiver<PlaneEvent>,
    events: mpsc::Sender<MediaEvent>,
    drivers: Vec<Driver>,
    workers: Vec<Worker>,
) {
    let mut bridge = Bridge::new(drivers.len(), workers.len());
    let mut load_check = tokio::time::interval(LOAD_INTERVAL);
    load_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(command) => bridge.handle_command(command),
                None => return,
            },
            Some(event) = plane_events.recv() => bridge.handle_event(event),
            _ = load_check.tick(), if bridge.wants_loads() => {
                bridge.handle_loads(Loads {
                    shards: drivers.iter().map(Driver::load).collect(),
                    workers: workers.iter().map(Worker::load).collect(),
                    overloaded: workers.iter().any(Worker::is_overloaded) || drivers.iter().any(Driver::is_overloaded),
                });
            }
        }
        while let Some(output) = bridge.poll_output() {
            match output {
                Output::Shard { shard, command } => drivers[shard].command(command),
                Output::Worker { worker, command } => workers[worker].command(command),
                Output::Move { room, from, to, slots } => workers[from].move_room(room, &workers[to], slots),
                Output::Event(event) => {
                    // Signaling never waits for the bridge, so the bridge may wait for signaling.
                    let _ = events.send(event).await;
                }
            }
        }
    }
}
