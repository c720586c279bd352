//! Shell: leads through a scenario: makes rooms, lets participants come, measures, lets guests or garbage come, measures
//! again, cleans up, reports.

#![expect(clippy::disallowed_methods, reason = "shell: a run takes place in real time")]

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::barrage::Barrage;
use crate::cast::Common;
use crate::flood::Flood;
use crate::process::{Usage, parse_open_files};
use crate::prometheus::{self, Scrape};
use crate::report::{Join, Memory, Report, ServerLoad, Spread, Window};
use crate::scenario::{Content, Pattern, Scenario};
use crate::server_url::ServerUrl;
use crate::sound;

mod stage;

use stage::Stage;

/// What a run needs to know besides the scenario.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the scenario, for the report.
    pub name: String,
    /// The server.
    pub url: ServerUrl,
    /// Its process on this machine, to be measured.
    pub pid: Option<u32>,
    /// Its Prometheus metrics.
    pub metrics: Option<ServerUrl>,
    /// Threads that carry participants.
    pub threads: usize,
    /// `apisecret`, if the server wants one.
    pub api_secret: Option<String>,
    /// `admin_key` for making rooms, if the server wants one.
    pub admin_key: Option<String>,
    /// Whether to write a progress line to standard error.
    pub progress: bool,
}

/// Once everybody has begun to join, so long until those still on their way are given up.
const LAST_JOIN: Duration = Duration::from_secs(35);
/// So far above the first room's id is none.
const NO_ROOM: u64 = 1_000_000;
/// File descriptors besides those of participants.
const OTHER_FILES: u64 = 64;

/// Runs a scenario.
pub fn run(scenario: &Scenario, options: &Options) -> anyhow::Result<Report> {
    check_open_files(scenario, options)?;
    let common = common(scenario, options)?;
    let mut stage = Stage::set(scenario, options, common)?;
    let result = play(scenario, options, &mut stage);
    // Rooms are to go even if the run broke off.
    stage.clear();
    result
}

fn play(scenario: &Scenario, options: &Options, stage: &mut Stage) -> anyhow::Result<Report> {
    let mut report = Report {
        scenario: options.name.clone(),
        title: scenario.title.clone(),
        server: stage.server.clone(),
        url: options.url.to_string(),
        rooms: scenario.rooms,
        participants: scenario.participants,
        speakers: scenario.speakers,
        ..Report::default()
    };
    let before = stage.usage();
    stage.make_rooms()?;
    stage.wait(Duration::from_secs(1));
    let with_rooms = stage.usage();

    let came = Instant::now();
    let came_cpu = stage.usage();
    come(scenario, stage);
    let come_time = came.elapsed();
    let come_cpu = used(came_cpu, stage.usage());
    let presence = stage.participant_seconds();

    stage.wait(Duration::from_secs(scenario.hold.warm_up.into()));
    let call = measure(stage, options, "call", |stage| {
        stage.wait(Duration::from_secs(scenario.hold.seconds.into()));
    })?;
    let with_call = stage.usage();
    report.generator = stage.generator();
    report.join.cpu_ms = come_cpu.zip(call.server).map(|(cpu, steady)| {
        // What those already in cost meanwhile is not the price of joining.
        let rest = cpu.as_secs_f64() * 1000.0 - steady.cpu_ms_per_participant * presence;
        rest / f64::from(scenario.population().max(1))
    });
    if scenario.population() == 0 || come_time < Duration::from_millis(1) {
        report.join.cpu_ms = None;
    }
    report.memory = memory(scenario, before, with_rooms, with_call);
    report.windows.push(call);

    if let Some(guests) = &scenario.guests {
        let joined = stage.joined();
        let window = measure(stage, options, "guests", |stage| {
            let count = (guests.per_second * f64::from(guests.seconds)) as u32;
            for number in 0..count {
                stage.wait_until_share(f64::from(number) / guests.per_second);
                stage.join_guest(number, guests.stay);
            }
            stage.wait_until_share(f64::from(guests.seconds));
        })?;
        let joins = stage.joined() - joined;
        let extra = extra_cpu(&report.windows[0], &window);
        report.join.guest_cpu_ms = extra.map(|extra| extra * 1000.0 / joins.max(1) as f64);
        report.windows.push(window);
    }
    if let Some(requests) = &scenario.requests {
        let mut result = None;
        let window = measure(stage, options, "requests", |stage| {
            let (secret, key) = (options.api_secret.as_deref(), options.admin_key.as_deref());
            let barrage = Barrage::start(stage.connector(), requests, scenario.room.first + NO_ROOM, secret, key);
            stage.wait(Duration::from_secs(requests.seconds.into()));
            result = Some(barrage.and_then(Barrage::stop));
        })?;
        report.requests = result.transpose()?;
        if let Some(requests) = &mut report.requests {
            let extra = extra_cpu(&report.windows[0], &window);
            requests.cpu_us = extra.map(|extra| extra * 1e6 / requests.sent.max(1) as f64);
        }
        report.windows.push(window);
    }
    if let Some(garbage) = &scenario.garbage {
        let mut result = None;
        let window = measure(stage, options, "garbage", |stage| {
            let flood =
                Flood::start(stage.connector(), garbage, stage.media_addresses(), scenario.room.first + NO_ROOM);
            stage.wait(Duration::from_secs(garbage.seconds.into()));
            result = Some(flood.map(Flood::stop));
        })?;
        report.garbage = result.transpose()?;
        report.windows.push(window);
    }

    stage.sample();
    let totals = stage.totals();
    report.join = Join {
        joined: stage.joined(),
        failed: stage.failed(),
        answered_ms: Spread::of(&totals.answered),
        connected_ms: Spread::of(&totals.connected),
        audible_ms: Spread::of(&totals.audible),
        ..report.join
    };
    report.failures = stage.failures();
    report.series = stage.take_series();
    report.judge(&scenario.expect.clone().unwrap_or_default());
    Ok(report)
}

/// Lets everybody in, in the pattern of the scenario.
fn come(scenario: &Scenario, stage: &mut Stage) {
    let pause = match scenario.arrival.pattern {
        Pattern::Ramp => 1.0 / scenario.arrival.per_second,
        Pattern::Storm => 0.0,
    };
    stage.begin_share();
    let mut place = 0;
    // Room by room within a round, so that all rooms fill at the same time.
    for number in 0..scenario.participants {
        for room in 0..scenario.rooms {
            stage.wait_until_share(f64::from(place) * pause);
            stage.join_member(room, number);
            place += 1;
        }
    }
    let limit = Instant::now() + LAST_JOIN;
    while stage.arrived() < u64::from(scenario.population()) && Instant::now() < limit {
        stage.wait(Duration::from_millis(50));
    }
}

/// Measures everybody while something happens.
fn measure(
    stage: &mut Stage,
    options: &Options,
    name: &str,
    happening: impl FnOnce(&mut Stage),
) -> anyhow::Result<Window> {
    let counters = scrape(stage, options)?;
    stage.mark();
    stage.begin_share();
    let (started, usage) = (Instant::now(), stage.usage());
    happening(stage);
    let (seconds, after) = (started.elapsed().as_secs_f64(), stage.usage());
    let collection = stage.collect();
    let mut window = Window::of(name, &collection.outcomes);
    window.seconds = seconds;
    let timings = stage.window_timings();
    window.latency_ms = Spread::of(&timings.latency);
    window.interval_ms = Spread::of(&timings.interval);
    window.server = used(usage, after).zip(after).map(|(cpu, after)| ServerLoad {
        cpu_percent: cpu.as_secs_f64() / seconds * 100.0,
        cpu_ms_per_participant: cpu.as_secs_f64() * 1000.0 / seconds / window.measured.max(1) as f64,
        resident_kb: after.resident_kb,
        huge_kb: after.huge_kb,
        threads: after.threads,
        switches_per_second: after.switches.saturating_sub(usage.map_or(0, |usage| usage.switches)) as f64 / seconds,
    });
    window.counters = prometheus::rates(&counters, &scrape(stage, options)?, seconds);
    Ok(window)
}

/// The server's CPU in a window, in seconds, over what the call alone takes in that time.
fn extra_cpu(call: &Window, window: &Window) -> Option<f64> {
    let (with, without) = window.server.zip(call.server)?;
    Some((with.cpu_percent - without.cpu_percent) / 100.0 * window.seconds)
}

fn used(before: Option<Usage>, after: Option<Usage>) -> Option<Duration> {
    before.zip(after).map(|(before, after)| after.cpu.saturating_sub(before.cpu))
}

fn memory(scenario: &Scenario, before: Option<Usage>, rooms: Option<Usage>, call: Option<Usage>) -> Option<Memory> {
    let (before, rooms, call) = (before?, rooms?, call?);
    let share = |more: u64, less: u64, count: u32| {
        if count == 0 { 0.0 } else { more.saturating_sub(less) as f64 / f64::from(count) }
    };
    Some(Memory {
        before_kb: before.resident_kb,
        rooms_kb: rooms.resident_kb,
        call_kb: call.resident_kb,
        kb_per_room: share(rooms.resident_kb, before.resident_kb, scenario.rooms),
        kb_per_participant: share(call.resident_kb, rooms.resident_kb, scenario.population()),
        threads_before: before.threads,
        threads_rooms: rooms.threads,
    })
}

fn scrape(stage: &Stage, options: &Options) -> anyhow::Result<Scrape> {
    match &options.metrics {
        None => Ok(Scrape::new()),
        Some(url) => Ok(prometheus::codec_counters(&stage.fetch(url).context("metrics")?)),
    }
}

fn common(scenario: &Scenario, options: &Options) -> anyhow::Result<Common> {
    let mut recordings = BTreeMap::new();
    let guest = scenario.guests.as_ref().map(|guests| &guests.voice);
    for voice in [&scenario.speaker, &scenario.listener].into_iter().chain(guest) {
        if voice.kind() == Content::File {
            let bytes = fs::read(&voice.file).with_context(|| format!("cannot read {}", voice.file))?;
            let recording = sound::read_wav(&bytes).with_context(|| voice.file.clone())?;
            recordings.insert(voice.file.clone(), recording);
        }
    }
    Ok(Common { api_secret: options.api_secret.clone(), api_host: options.url.host.parse().ok(), recordings })
}

/// A participant is a socket for media and one or two connections; better to say so now than to fail at the 500th.
fn check_open_files(scenario: &Scenario, options: &Options) -> anyhow::Result<()> {
    use crate::server_url::Scheme;
    let each = match options.url.scheme {
        Scheme::WebSocket => 2,
        Scheme::Http => 3,
    };
    let guests = scenario.guests.as_ref().map_or(0.0, |guests| guests.per_second * (guests.stay + 2.0)) as u64;
    let needed = each * (u64::from(scenario.population()) + guests) + OTHER_FILES;
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    match parse_open_files(&limits) {
        Some(limit) if limit < needed => {
            bail!(
                "this scenario needs {needed} open files, the limit is {limit}: ulimit -n {}",
                needed.next_multiple_of(1000)
            )
        }
        Some(_) | None => Ok(()),
    }
}
