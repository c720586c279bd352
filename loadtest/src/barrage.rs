//! Shell: makes rooms, asks whether they exist and destroys them, at a rate and whether or not answers keep up. How long
//! an answer takes counts from when its request was due, so that a server that stalls is charged for all who then wait.

#![expect(clippy::disallowed_methods, reason = "shell: threads that send at a rate")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde_json::json;
use tokio::sync::mpsc::UnboundedSender;

use crate::connection::Connector;
use crate::dialogue::Request;
use crate::driver::DriverInput;
use crate::flood::describe;
use crate::manager::Manager;
use crate::notice::Notice;
use crate::report::{RequestsResult, Spread};
use crate::scenario;
use crate::tally::Times;

/// How often what is due is sent: a rate of 10,000 a second is 10 at a time.
const TICK: Duration = Duration::from_millis(1);
/// So long after the last request, answers still count.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// Rooms of one connection are so far from those of the next.
const ROOMS_APART: u64 = 1_000_000;

/// Threads that send until they are stopped, each on a connection of its own.
pub struct Barrage {
    stopped: Arc<AtomicBool>,
    threads: Vec<JoinHandle<anyhow::Result<Score>>>,
}

/// Requests and answers of one connection.
struct Line {
    requests: UnboundedSender<Request>,
    inbox: Receiver<DriverInput>,
    session: u64,
    handle: u64,
    api_secret: Option<String>,
    admin_key: Option<String>,
    /// The first of its rooms.
    room: u64,
    /// When the requests were due whose answers are still to come: these come in order.
    waiting: VecDeque<(Turn, Instant)>,
    score: Score,
}

/// What came of it.
#[derive(Default)]
struct Score {
    sent: u64,
    times: Times,
    answers: RequestsResult,
}

/// What is done with a room, in this order.
#[derive(Clone, Copy)]
enum Turn {
    Create,
    Exists,
    Destroy,
}

impl Barrage {
    /// Opens the connections and starts. Rooms are numbered from `room` on.
    pub fn start(
        connector: &Connector,
        requests: &scenario::Requests,
        room: u64,
        api_secret: Option<&str>,
        admin_key: Option<&str>,
    ) -> anyhow::Result<Self> {
        let stopped = Arc::new(AtomicBool::new(false));
        let rate = f64::from(requests.per_second) / f64::from(requests.connections);
        let threads = (0..requests.connections).map(|number| {
            let manager = Manager::open(connector, api_secret.map(str::to_owned), None)?;
            let (session, handle) = manager.ids().ok_or_else(|| anyhow!("no handle"))?;
            let (requests, inbox) = manager.into_ends();
            let line = Line {
                requests,
                inbox,
                session,
                handle,
                api_secret: api_secret.map(str::to_owned),
                admin_key: admin_key.map(str::to_owned),
                room: room + u64::from(number) * ROOMS_APART,
                waiting: VecDeque::new(),
                score: Score::default(),
            };
            let stopped = stopped.clone();
            let thread = thread::Builder::new().name(format!("barrage-{number}"));
            Ok(thread.spawn(move || line.run(&stopped, rate))?)
        });
        Ok(Self { threads: threads.collect::<anyhow::Result<_>>()?, stopped })
    }

    /// Ends it and tells what came back.
    pub fn stop(self) -> anyhow::Result<RequestsResult> {
        self.stopped.store(true, Ordering::Relaxed);
        let (mut result, mut times) = (RequestsResult::default(), Times::default());
        for thread in self.threads {
            let Score { sent, times: own, answers } = thread.join().map_err(|_| anyhow!("a thread ended"))??;
            times.add(&own);
            result.sent += sent;
            result.answered += answers.answered;
            result.waiting_most += answers.waiting_most;
            result.waiting_last += answers.waiting_last;
            for (answer, count) in answers.unexpected {
                *result.unexpected.entry(answer).or_default() += count;
            }
        }
        result.latency_ms = Spread::of(&times);
        Ok(result)
    }
}

impl Line {
    fn run(mut self, stopped: &AtomicBool, rate: f64) -> anyhow::Result<Score> {
        let started = Instant::now();
        let mut tick = started;
        while !stopped.load(Ordering::Relaxed) {
            tick += TICK;
            self.listen_until(tick)?;
            loop {
                let due = started + Duration::from_secs_f64(self.score.sent as f64 / rate);
                if due > Instant::now() {
                    break;
                }
                self.send(due)?;
            }
            self.score.answers.waiting_most = self.score.answers.waiting_most.max(self.waiting.len() as u64);
        }
        self.score.answers.waiting_last = self.waiting.len() as u64;
        // What was begun is ended, so that no room stays behind.
        while !self.score.sent.is_multiple_of(3) {
            self.send(Instant::now())?;
        }
        let end = Instant::now() + LAST_ANSWERS;
        while !self.waiting.is_empty() && Instant::now() < end {
            self.listen_until(Instant::now() + TICK)?;
        }
        Ok(self.score)
    }

    fn send(&mut self, due: Instant) -> anyhow::Result<()> {
        let (turn, name) = match self.score.sent % 3 {
            0 => (Turn::Create, "create"),
            1 => (Turn::Exists, "exists"),
            _ => (Turn::Destroy, "destroy"),
        };
        let mut body = json!({"request": name, "room": self.room + self.score.sent / 3});
        if let (Turn::Create, Some(key)) = (turn, &self.admin_key) {
            body["admin_key"] = json!(key);
        }
        let mut message = json!({
            "janus": "message",
            "transaction": self.score.sent.to_string(),
            "session_id": self.session,
            "handle_id": self.handle,
            "body": body,
        });
        if let Some(secret) = &self.api_secret {
            message["apisecret"] = json!(secret);
        }
        let request = Request { session: Some(self.session), handle: Some(self.handle), text: message.to_string() };
        self.requests.send(request).ok().context("the connection is gone")?;
        self.waiting.push_back((turn, due));
        self.score.sent += 1;
        Ok(())
    }

    fn listen_until(&mut self, end: Instant) -> anyhow::Result<()> {
        loop {
            let input = match self.inbox.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(input) => input,
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(anyhow!("the connection is gone")),
            };
            if let DriverInput::Disconnected { reason, .. } = input {
                return Err(anyhow!(reason));
            }
            if let DriverInput::Notice { notice, .. } = input
                && notice != Notice::Other
            {
                self.take(&notice);
            }
        }
    }

    fn take(&mut self, notice: &Notice) {
        let Some((turn, due)) = self.waiting.pop_front() else { return };
        self.score.times.record(due.elapsed());
        self.score.answers.answered += 1;
        let expected = match turn {
            Turn::Create => "created",
            Turn::Exists => "success",
            Turn::Destroy => "destroyed",
        };
        let bridge = if let Notice::Success { bridge, .. } = notice { bridge.as_ref() } else { None };
        if bridge.is_none_or(|bridge| bridge.audiobridge != expected) {
            let kind = describe(notice);
            *self.score.answers.unexpected.entry(kind).or_default() += 1;
        }
    }
}
