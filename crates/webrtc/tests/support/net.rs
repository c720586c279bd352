//! A net thread over loopback, as the server starts it: the real clock and a real socket.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use webrtc::{Certificate, Counters, Driver, DriverConfig, DriverHandle, Output, Shard, ShardConfig, Times};

pub struct Net {
    pub handle: DriverHandle<u32>,
    pub outputs: Receiver<Output<u32>>,
    pub counters: Arc<Mutex<Counters>>,
}

impl Net {
    pub fn start(driver: Driver, config: ShardConfig) -> Self {
        let seed = [config.number; 32];
        let shard = Shard::new(config, Certificate::generate().unwrap(), seed, now());
        let (sender, outputs) = channel();
        let counters = Arc::new(Mutex::new(Counters::default()));
        let published = counters.clone();
        let sink = move |output| drop(sender.send(output));
        let publish = move |counters: &Counters, _: &Times| *published.lock().unwrap() = *counters;
        let handle = driver.spawn(DriverConfig::named("net-test", now()), shard, sink, publish).unwrap();
        Self { handle, outputs, counters }
    }
}

#[expect(clippy::disallowed_methods, reason = "the real clock is part of what is tested")]
pub fn now() -> Instant {
    Instant::now()
}
