//! Shell: sends broken input at a bounded rate and counts what comes back.

#![expect(clippy::disallowed_methods, reason = "shell: two threads that send at a rate")]

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::connection::Connector;
use crate::garbage::Garbage;
use crate::manager::Manager;
use crate::notice::Notice;
use crate::report::GarbageResult;
use crate::scenario;

/// How often what is due is sent: a rate of 2,000 a second is 20 at a time.
const TICK: Duration = Duration::from_millis(10);

/// Two threads that send until they are stopped.
pub struct Flood {
    stopped: Arc<AtomicBool>,
    datagrams: JoinHandle<u64>,
    requests: JoinHandle<GarbageResult>,
}

impl Flood {
    /// Starts; requests are about `room`, which should not exist: a server that overlooks what is wrong with a
    /// `destroy` would otherwise end the call that is measured.
    pub fn start(
        connector: &Connector,
        garbage: &scenario::Garbage,
        targets: BTreeSet<SocketAddr>,
        room: u64,
    ) -> anyhow::Result<Self> {
        let stopped = Arc::new(AtomicBool::new(false));
        let targets: Vec<SocketAddr> = targets.into_iter().collect();
        let (stop, rate) = (stopped.clone(), garbage.datagrams_per_second);
        let datagrams = thread::Builder::new().name("garbage-udp".to_owned()).spawn(move || {
            let mut source = Garbage::new(1);
            let mut sent = 0;
            let Ok(socket) = UdpSocket::bind("0.0.0.0:0") else {
                return 0;
            };
            at_rate(&stop, rate, |number| {
                if let Some(target) = targets.get(number as usize % targets.len().max(1)) {
                    sent += u64::from(socket.send_to(&source.datagram(), target).is_ok());
                }
            });
            sent
        })?;
        let (stop, rate, connector) = (stopped.clone(), garbage.requests_per_second, connector.clone());
        let requests =
            thread::Builder::new().name("garbage-api".to_owned()).spawn(move || ask(&stop, rate, &connector, room))?;
        Ok(Self { stopped, datagrams, requests })
    }

    /// Ends it and tells what came back.
    pub fn stop(self) -> GarbageResult {
        self.stopped.store(true, Ordering::Relaxed);
        let mut result = self.requests.join().unwrap_or_default();
        result.datagrams = self.datagrams.join().unwrap_or_default();
        result
    }
}

fn ask(stop: &AtomicBool, rate: u32, connector: &Connector, room: u64) -> GarbageResult {
    let mut source = Garbage::new(2);
    let mut result = GarbageResult::default();
    let mut manager: Option<Manager> = None;
    at_rate(stop, rate, |_| {
        if manager.is_none() {
            manager = Manager::open(connector, None, None).ok();
        }
        let Some((session, handle)) = manager.as_ref().and_then(Manager::ids) else {
            manager = None;
            return;
        };
        let broken = source.request(session, handle, room);
        result.requests += 1;
        let answer = manager.as_mut().map(|manager| manager.exchange(broken.text, broken.has_event));
        let answer = match answer {
            Some(Ok(notice)) => describe(&notice),
            Some(Err(_)) | None => {
                result.disconnects += 1;
                manager = None;
                "no answer".to_owned()
            }
        };
        *result.answers.entry(format!("{} → {answer}", broken.kind)).or_default() += 1;
    });
    result
}

/// An answer in a few words.
pub(crate) fn describe(notice: &Notice) -> String {
    match notice {
        Notice::Error { code, .. } => format!("error {code}"),
        Notice::Success { bridge: Some(bridge), .. } | Notice::Event { bridge, .. } => match bridge.error_code {
            Some(code) => format!("error {code} of the bridge"),
            None => bridge.audiobridge.clone(),
        },
        Notice::Success { .. } => "success".to_owned(),
        Notice::Ack { .. } => "ack".to_owned(),
        Notice::Info { .. } | Notice::WebRtcUp | Notice::Hangup { .. } | Notice::Timeout | Notice::Other => {
            "something else".to_owned()
        }
    }
}

fn at_rate(stop: &AtomicBool, rate: u32, mut act: impl FnMut(u64)) {
    let started = Instant::now();
    let mut done = 0;
    while !stop.load(Ordering::Relaxed) {
        let due = (started.elapsed().as_secs_f64() * f64::from(rate)) as u64;
        for number in done..due {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            act(number);
        }
        done = due;
        thread::sleep(TICK);
    }
}
