//! The result of a run: what was measured, by name and unit, and what was expected of it. Prints nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scenario::Expect;
use crate::tally::{Outcome, Times};

pub mod chart;
pub mod comparison;
pub mod cost;
pub mod html;
pub mod table;

/// All of a run; one JSON line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the scenario.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// What the server says it is.
    pub server: String,
    /// Where it was reached.
    pub url: String,
    /// Rooms of the call.
    pub rooms: u32,
    /// Participants in each.
    pub participants: u32,
    /// How many of them speak.
    pub speakers: u32,
    /// How it went to come in.
    pub join: Join,
    /// Measurements: first the call alone, then with guests or garbage.
    pub windows: Vec<Window>,
    /// Memory, if the process is known.
    pub memory: Option<Memory>,
    /// The generator itself: whether it kept up.
    pub generator: Generator,
    /// Why participants were lost, and how many.
    pub failures: BTreeMap<String, u64>,
    /// How requests about other rooms were answered.
    pub requests: Option<RequestsResult>,
    /// What came back for broken requests.
    pub garbage: Option<GarbageResult>,
    /// Second by second.
    pub series: Vec<Second>,
    /// What was expected, and whether it holds.
    pub verdicts: Vec<Verdict>,
}

/// A distribution in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// How many values.
    pub count: u64,
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

/// How it went to come in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Join {
    /// Joins that worked, guests included.
    pub joined: u64,
    /// Participants lost or never come in.
    pub failed: u64,
    /// Milliseconds until the server's SDP.
    pub answered_ms: Option<Spread>,
    /// Milliseconds until ICE and DTLS were through.
    pub connected_ms: Option<Spread>,
    /// Milliseconds until the first packet of audio.
    pub audible_ms: Option<Spread>,
    /// The server's CPU per join of a participant of the call, without what those already in cost meanwhile.
    pub cpu_ms: Option<f64>,
    /// The server's CPU per guest: join, stay and leave.
    pub guest_cpu_ms: Option<f64>,
}

/// A stretch of measurement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// `call`, `guests`, `requests` or `garbage`.
    pub name: String,
    /// How long.
    pub seconds: f64,
    /// Participants measured.
    pub measured: u64,
    /// Of them gone before the end.
    pub vanished: u64,
    /// Packets per second received: mean over participants.
    pub packets_per_second_mean: f64,
    /// Packets per second received: the worst served participant.
    pub packets_per_second_min: f64,
    /// Packets per second sent: mean over participants.
    pub sent_per_second_mean: f64,
    /// Packets missing.
    pub lost: u64,
    /// Packets out of order.
    pub late: u64,
    /// Mouth to ear.
    pub latency_ms: Option<Spread>,
    /// Between packets of one full receiver.
    pub interval_ms: Option<Spread>,
    /// What full participants heard.
    pub hearing: HearingSum,
    /// The server's process, if it is known.
    pub server: Option<ServerLoad>,
    /// Counters of encodes and decodes per second, from the server's metrics.
    pub counters: BTreeMap<String, f64>,
}

/// What the full participants of a window heard, together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HearingSum {
    /// Full participants.
    pub listeners: u64,
    /// Pairs of a listener and another's tone that was heard.
    pub heard: u64,
    /// Pairs that were not.
    pub missed: u64,
    /// Listeners who heard their own tone.
    pub own_leaked: u64,
    /// The weakest tone of another, in dB.
    pub weakest_db: Option<f32>,
    /// The loudest echo of one's own, in dB.
    pub own_db: Option<f32>,
    /// Interruptions in tones.
    pub dropouts: u64,
    /// The longest of them.
    pub longest_dropout_ms: f32,
    /// Frames a browser would have had to conceal.
    pub concealed: u64,
    /// Packets no decoder takes.
    pub undecodable: u64,
}

/// What the server's process used in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerLoad {
    /// CPU in percent of a core.
    pub cpu_percent: f64,
    /// CPU per participant and second.
    pub cpu_ms_per_participant: f64,
    /// Resident memory.
    pub resident_kb: u64,
    /// Of it in anonymous huge pages.
    pub huge_kb: u64,
    /// Threads.
    pub threads: u64,
    /// Context switches per second.
    pub switches_per_second: f64,
}

/// The server's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Resident before the rooms were made.
    pub before_kb: u64,
    /// With empty rooms.
    pub rooms_kb: u64,
    /// At the end of the first window.
    pub call_kb: u64,
    /// What a room took.
    pub kb_per_room: f64,
    /// What a participant took; 0 without any.
    pub kb_per_participant: f64,
    /// Threads before.
    pub threads_before: u64,
    /// Threads with empty rooms.
    pub threads_rooms: u64,
}

/// Whether the generator kept up; if not, nothing else means much.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// Its CPU in percent of a core, in the first window.
    pub cpu_percent: f64,
    /// How late it sent.
    pub lateness_ms: Option<Spread>,
    /// Milliseconds of its grid that it left out.
    pub skipped_ms: u64,
    /// Datagrams the kernel did not take.
    pub unsent: u64,
}

/// How requests about other rooms were answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RequestsResult {
    /// How many.
    pub sent: u64,
    /// How many of them were answered.
    pub answered: u64,
    /// Answers that were not as they must be, and how many.
    pub unexpected: BTreeMap<String, u64>,
    /// From when a request was due until its answer.
    pub latency_ms: Option<Spread>,
    /// The most that waited for their answers at once, sampled every millisecond.
    pub waiting_most: u64,
    /// How many waited when the last was sent: a queue that grows is longest then.
    pub waiting_last: u64,
    /// The server's CPU for each, over that of the call alone.
    pub cpu_us: Option<f64>,
}

/// What came of broken input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GarbageResult {
    /// Datagrams sent.
    pub datagrams: u64,
    /// Requests sent.
    pub requests: u64,
    /// Requests answered, by what.
    pub answers: BTreeMap<String, u64>,
    /// Times the server closed the connection.
    pub disconnects: u64,
}

/// One second of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Since the first arrival.
    pub at: f64,
    /// Participants present.
    pub present: u64,
    /// Packets per second and participant.
    pub packets_per_participant: f64,
    /// The server's CPU in percent of a core.
    pub cpu_percent: Option<f64>,
    /// Its resident memory in MiB.
    pub resident_mb: Option<f64>,
    /// Median latency.
    pub latency_p50_ms: Option<f64>,
    /// 99th percentile of latency.
    pub latency_p99_ms: Option<f64>,
    /// 99th percentile of the time between packets.
    pub interval_p99_ms: Option<f64>,
}

/// An expectation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which key of `[expect]`.
    pub name: String,
    /// What was expected.
    pub limit: f64,
    /// The worst that was measured; `None` if nothing was.
    pub measured: Option<f64>,
    /// Whether it holds. What was not measured does not.
    pub holds: bool,
}

impl Spread {
    /// Of a distribution; `None` without values.
    pub fn of(times: &Times) -> Option<Self> {
        Some(Self {
            count: times.count(),
            p50: times.percentile(50.0)?,
            p99: times.percentile(99.0)?,
            max: times.max()?,
        })
    }
}

impl Window {
    /// Sums up what participants report.
    pub fn of(name: &str, outcomes: &[Outcome]) -> Self {
        let rate = |packets: u64, outcome: &Outcome| packets as f64 / outcome.time.as_secs_f64().max(1e-9);
        let mean = |packets: fn(&Outcome) -> u64| {
            let sum: f64 = outcomes.iter().map(|outcome| rate(packets(outcome), outcome)).sum();
            sum / outcomes.len().max(1) as f64
        };
        let min = outcomes.iter().map(|outcome| rate(outcome.received, outcome)).reduce(f64::min);
        Self {
            name: name.to_owned(),
            seconds: outcomes.iter().map(|outcome| outcome.time.as_secs_f64()).fold(0.0, f64::max),
            measured: outcomes.len() as u64,
            vanished: outcomes.iter().filter(|outcome| !outcome.present).count() as u64,
            packets_per_second_mean: mean(|outcome| outcome.received),
            packets_per_second_min: min.unwrap_or(0.0),
            sent_per_second_mean: mean(|outcome| outcome.sent),
            lost: outcomes.iter().map(|outcome| outcome.lost).sum(),
            late: outcomes.iter().map(|outcome| outcome.late).sum(),
            hearing: HearingSum::of(outcomes),
            ..Self::default()
        }
    }
}

impl HearingSum {
    fn of(outcomes: &[Outcome]) -> Self {
        let mut sum = Self::default();
        for hearing in outcomes.iter().filter_map(|outcome| outcome.hearing.as_ref()) {
            sum.listeners += 1;
            sum.heard += hearing.heard.len() as u64;
            sum.missed += hearing.missed.len() as u64;
            sum.own_leaked += u64::from(hearing.own_leaked);
            sum.weakest_db = sum.weakest_db.into_iter().chain(hearing.weakest_db).reduce(f32::min);
            sum.own_db = sum.own_db.into_iter().chain(hearing.own_db).reduce(f32::max);
            sum.dropouts += hearing.dropouts;
            sum.longest_dropout_ms = sum.longest_dropout_ms.max(hearing.longest_dropout_ms);
            sum.concealed += hearing.concealed;
            sum.undecodable += hearing.undecodable;
        }
        sum
    }
}

impl Report {
    /// Judges what was measured by what was expected: the worst of all windows counts.
    pub fn judge(&mut self, expect: &Expect) {
        let worst = |measure: &dyn Fn(&Window) -> Option<f64>, pick: fn(f64, f64) -> f64| {
            self.windows.iter().filter_map(measure).reduce(pick)
        };
        let server =
            |measure: fn(&ServerLoad) -> f64| worst(&move |window| window.server.as_ref().map(measure), f64::max);
        let spread = |part: fn(&Window) -> Option<Spread>, value: fn(&Spread) -> f64| {
            worst(&move |window| part(window).as_ref().map(value), f64::max)
        };
        let memory = self.memory.as_ref();
        let least = worst(&|window| (window.measured > 0).then_some(window.packets_per_second_min), f64::min);
        let most = [
            ("latency_p50_ms", expect.latency_p50_ms, spread(|window| window.latency_ms, |spread| spread.p50)),
            ("latency_p99_ms", expect.latency_p99_ms, spread(|window| window.latency_ms, |spread| spread.p99)),
            ("interval_p99_ms", expect.interval_p99_ms, spread(|window| window.interval_ms, |spread| spread.p99)),
            (
                "request_p99_ms",
                expect.request_p99_ms,
                self.requests.as_ref().and_then(|requests| requests.latency_ms).map(|spread| spread.p99),
            ),
            ("cpu_ms_per_participant", expect.cpu_ms_per_participant, server(|load| load.cpu_ms_per_participant)),
            ("cpu_percent", expect.cpu_percent, server(|load| load.cpu_percent)),
            ("cpu_ms_per_join", expect.cpu_ms_per_join, self.join.guest_cpu_ms.or(self.join.cpu_ms)),
            (
                "memory_kb_per_participant",
                expect.memory_kb_per_participant,
                memory.map(|memory| memory.kb_per_participant),
            ),
            ("memory_kb_per_room", expect.memory_kb_per_room, memory.map(|memory| memory.kb_per_room)),
        ];
        let verdict = |name: &str, limit: f64, measured: Option<f64>, holds: fn(f64, f64) -> bool| Verdict {
            name: name.to_owned(),
            limit,
            measured,
            holds: measured.is_some_and(|measured| holds(measured, limit)),
        };
        let least = expect
            .min_packets_per_second
            .map(|limit| verdict("min_packets_per_second", limit, least, |measured, limit| measured >= limit));
        let most = most.into_iter().filter_map(|(name, limit, measured)| {
            Some(verdict(name, limit?, measured, |measured, limit| measured <= limit))
        });
        self.verdicts = least.into_iter().chain(most).collect();
    }

    /// Whether everything expected holds and nobody was lost or unheard.
    pub fn passed(&self) -> bool {
        self.problems().is_empty()
    }

    /// What is wrong, in words.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for verdict in self.verdicts.iter().filter(|verdict| !verdict.holds) {
            let measured = verdict.measured.map_or("not measured".to_owned(), |measured| format!("{measured:.3}"));
            problems.push(format!("{}: {measured}, expected {}", verdict.name, verdict.limit));
        }
        if self.join.failed > 0 {
            problems.push(format!("{} participants failed", self.join.failed));
        }
        for window in &self.windows {
            let hearing = &window.hearing;
            if window.vanished > 0 {
                problems.push(format!("{}: {} participants vanished", window.name, window.vanished));
            }
            if hearing.missed > 0 {
                problems.push(format!("{}: {} tones of others were not heard", window.name, hearing.missed));
            }
            if hearing.own_leaked > 0 {
                problems.push(format!("{}: {} participants heard themselves", window.name, hearing.own_leaked));
            }
            if hearing.undecodable > 0 {
                problems.push(format!("{}: {} packets could not be decoded", window.name, hearing.undecodable));
            }
        }
        if let Some(requests) = &self.requests {
            if requests.answered < requests.sent {
                problems.push(format!("requests: {} were not answered", requests.sent - requests.answered));
            }
            // Half of the most is far more than waits at a random moment of a queue that does not grow.
            if requests.waiting_last > requests.waiting_most.div_ceil(2).max(100) {
                problems.push(format!("requests: {} waited at the end: the queue grows", requests.waiting_last));
            }
            let unexpected = requests.unexpected.iter();
            problems.extend(unexpected.map(|(answer, count)| format!("requests: {count} × {answer}")));
        }
        if let Some(garbage) = &self.garbage {
            let accepted = garbage.answers.iter().filter(|(answer, _)| {
                // An `ack` only says that somebody will look into it.
                !answer.contains("→ error") && !answer.ends_with("→ ack")
            });
            problems.extend(accepted.map(|(answer, count)| format!("garbage: {count} × {answer}")));
            if garbage.disconnects > 0 {
                problems.push(format!("garbage: {} disconnects", garbage.disconnects));
            }
        }
        if let Some(lateness) = self.generator.lateness_ms.filter(|lateness| lateness.p99 > 5.0) {
            problems.push(format!(
                "the generator was late itself (p99 {:.1} ms): give it more cores or fewer full participants",
                lateness.p99
            ));
        }
        problems
    }
}
