//! Every dialogue on a running server: real HTTP handlers and WebSockets around the core, on connections in memory, so that
//! its clock can be turned and the test can take the place of the media planes and of the store.

use std::time::Duration;

use signaling::TransportConfig;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::live::{Port, Server, Stream, Transport, play};
use crate::pattern::Bindings;
use crate::planes::Planes;
use crate::pure::settings;
use crate::script::{Script, Step, scripts};
use crate::transport_support::{self, World, now};

/// All that is under way has happened by then: the clock goes on when nobody has anything to do.
const SETTLED: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn every_dialogue_goes_as_written_over_websockets() {
    goes_as_written(Transport::WebSocket).await;
}

#[tokio::test(start_paused = true)]
async fn every_dialogue_goes_as_written_over_http() {
    goes_as_written(Transport::Http).await;
}

async fn goes_as_written(transport: Transport) {
    let mut failures = Vec::new();
    // Connections in memory have no address whose requests could be counted.
    let has_rates = |script: &Script| script.config.iter().any(|(key, _)| key.ends_with("_rate"));
    for script in scripts().iter().filter(|script| transport.plays(script) && !has_rates(script)) {
        failures.extend(play(script, Around::new(script), transport, 4_000_000).await.err());
    }
    assert!(failures.is_empty(), "{} dialogues went differently:\n\n{}", failures.len(), failures.join("\n\n"));
}

struct Around {
    world: World,
    planes: Planes,
}

impl Around {
    fn new(script: &Script) -> Self {
        let mut world = World::with(settings(script), TransportConfig::default());
        let (mut store, works) = (std::mem::replace(&mut world.store, mpsc::channel(1).1), script.stores());
        tokio::spawn(async move {
            while let Some(change) = store.recv().await {
                let _ = change.done.send(works);
            }
        });
        Self { world, planes: Planes::default() }
    }
}

impl Server for Around {
    async fn connect(&self, port: Port) -> Result<Stream, String> {
        Ok(Box::new(self.world.pipe(match port {
            Port::Http => transport_support::Port::Http,
            Port::WebSocket => transport_support::Port::WebSocket,
            Port::Admin => transport_support::Port::Admin,
        })))
    }

    async fn meddle(&mut self, step: &Step, bindings: &mut Bindings) -> Result<(), String> {
        sleep(SETTLED).await;
        while let Ok(command) = self.world.media.try_recv() {
            self.planes.take(&command);
        }
        match step {
            Step::Event(actor, event) => {
                let event = self.planes.event(bindings, actor, event, now())?;
                self.world.events.send(event).await.map_err(|error| error.to_string())?;
                sleep(SETTLED).await;
            }
            Step::Media(pattern) => self.planes.expect(pattern, bindings)?,
            Step::Wait(time) => sleep(*time - SETTLED).await,
            Step::Opens(..)
            | Step::Sends(..)
            | Step::Gets(..)
            | Step::Asks(..)
            | Step::Has(..)
            | Step::Acked(..)
            | Step::Told(..)
            | Step::Hears(..)
            | Step::Let(_)
            | Step::Closes(_)
            | Step::Polls { .. }
            | Step::Admin(_)
            | Step::AdminHas(_) => {}
        }
        Ok(())
    }
}
