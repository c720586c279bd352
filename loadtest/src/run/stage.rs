//! Shell: where a run takes place: the threads that carry participants, the process that is watched, the seconds that pass.

#![expect(clippy::disallowed_methods, reason = "shell: a run takes place in real time")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use tokio::runtime::Runtime;

use super::Options;
use crate::cast::{Cast, Common};
use crate::connection::{Connector, HttpConnection};
use crate::driver::{Collection, Driver, DriverConfig, DriverInput, OnsetBoard, Sample, Seat, Stay};
use crate::dtls::Identity;
use crate::manager::Manager;
use crate::process::{Process, Usage};
use crate::report::{Generator, Second, Spread};
use crate::scenario::Scenario;
use crate::server_url::ServerUrl;
use crate::tally::{Counts, Timings};

/// Between two lines of progress.
const SECOND: Duration = Duration::from_secs(1);
/// A driver that does not answer for so long hangs.
const DRIVER_LIMIT: Duration = Duration::from_secs(10);
/// Seconds between two signs of life of the manager's session.
const KEEP_ALIVE: u64 = 20;

pub(super) struct Stage {
    pub(super) server: String,
    scenario: Scenario,
    cast: Cast,
    runtime: Runtime,
    connector: Connector,
    manager: Manager,
    process: Option<Process>,
    drivers: Vec<Driver>,
    seats: u32,
    progress: bool,
    started: Instant,
    share: Instant,
    next_tick: Instant,
    ticks: u64,
    latest: Counts,
    /// Counts and times of the second that is passing.
    noted: Counts,
    second: Timings,
    latest_cpu: Option<(Instant, Duration)>,
    totals: Timings,
    window: Timings,
    window_own: (Instant, Duration),
    sampled: Instant,
    /// How long participants have been present, summed over all of them.
    participant_seconds: f64,
    series: Vec<Second>,
    collection: Collection,
}

impl Stage {
    pub(super) fn set(scenario: &Scenario, options: &Options, common: Common) -> anyhow::Result<Self> {
        let process = options
            .pid
            .map(|pid| Process::open(pid).with_context(|| format!("there is no process {pid}")))
            .transpose()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let connector = Connector::new(runtime.handle().clone(), options.url.clone(), options.api_secret.clone());
        let mut manager = Manager::open(&connector, options.api_secret.clone(), options.admin_key.clone())
            .with_context(|| format!("no Janus API at {}", options.url))?;
        let server = manager.server()?;
        let cast = Cast::new(scenario, common)?;
        let epoch = Instant::now();
        let config = DriverConfig {
            connector: connector.clone(),
            identity: Identity::generate().ok_or_else(|| anyhow!("no DTLS certificate could be made"))?,
            onsets: OnsetBoard::new(scenario.rooms, epoch),
            epoch,
        };
        let drivers = (0..options.threads.max(1))
            .map(|number| Driver::spawn(number, config.clone()))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            server,
            scenario: scenario.clone(),
            cast,
            runtime,
            connector,
            manager,
            process,
            drivers,
            seats: 0,
            progress: options.progress,
            started: epoch,
            share: epoch,
            next_tick: epoch + SECOND,
            ticks: 0,
            latest: Counts::default(),
            noted: Counts::default(),
            second: Timings::default(),
            latest_cpu: None,
            totals: Timings::default(),
            window: Timings::default(),
            window_own: (epoch, Duration::ZERO),
            sampled: epoch,
            participant_seconds: 0.0,
            series: Vec::new(),
            collection: Collection::default(),
        })
    }

    pub(super) fn make_rooms(&mut self) -> anyhow::Result<()> {
        let count = self.cast.rooms();
        if let Err(error) = self.manager.create_rooms(&self.scenario.room, count) {
            bail!("{error:#} (of an earlier run? choose another room.first, or restart the server)");
        }
        Ok(())
    }

    /// Ends everything; what fails now is of no interest any more.
    pub(super) fn clear(&mut self) {
        for driver in &self.drivers {
            driver.send(DriverInput::LeaveAll);
        }
        let limit = Instant::now() + Duration::from_secs(6);
        while self.latest.present + self.latest.joining > 0 && Instant::now() < limit {
            self.wait(Duration::from_millis(100));
            self.sample();
        }
        let count = self.cast.rooms();
        if let Err(error) = self.manager.destroy_rooms(&self.scenario.room, count) {
            tracing::warn!("{error:#}");
        }
        for driver in self.drivers.drain(..) {
            driver.stop();
        }
        if self.progress {
            let _ = writeln!(std::io::stderr());
        }
    }

    pub(super) fn join_member(&mut self, room: u32, number: u32) {
        let character = Box::new(self.cast.member(room, number));
        self.seat(|seat| DriverInput::Join { seat, room, character, stay: Stay::Throughout });
    }

    pub(super) fn join_guest(&mut self, number: u32, stay: f64) {
        let (room, character) = self.cast.guest(number);
        let stay = Stay::Guest(Duration::from_secs_f64(stay));
        self.seat(|seat| DriverInput::Join { seat, room, character: Box::new(character), stay });
    }

    fn seat(&mut self, input: impl FnOnce(Seat) -> DriverInput) {
        let seat = Seat(self.seats);
        self.seats += 1;
        self.drivers[seat.0 as usize % self.drivers.len()].send(input(seat));
    }

    /// From here [`wait_until_share`](Self::wait_until_share) counts.
    pub(super) fn begin_share(&mut self) {
        self.share = Instant::now();
    }

    pub(super) fn wait_until_share(&mut self, seconds: f64) {
        self.wait_until(self.share + Duration::from_secs_f64(seconds));
    }

    pub(super) fn wait(&mut self, time: Duration) {
        self.wait_until(Instant::now() + time);
    }

    fn wait_until(&mut self, until: Instant) {
        loop {
            let now = Instant::now();
            if now >= self.next_tick {
                self.next_tick += SECOND;
                self.tick();
            }
            if now >= until {
                return;
            }
            let next = until.min(self.next_tick);
            thread::sleep(next.saturating_duration_since(now));
        }
    }

    /// Asks the drivers how things stand.
    pub(super) fn sample(&mut self) {
        let (sender, receiver) = channel();
        for driver in &self.drivers {
            driver.send(DriverInput::Sample(sender.clone()));
        }
        let mut sum = Sample::default();
        for _ in &self.drivers {
            let Ok(sample) = receiver.recv_timeout(DRIVER_LIMIT) else {
                tracing::error!("a driver thread hangs");
                return;
            };
            sum.counts = sum.counts.plus(sample.counts);
            sum.timings.add(&sample.timings);
        }
        let now = Instant::now();
        let passed = now.saturating_duration_since(std::mem::replace(&mut self.sampled, now));
        let present = (self.latest.present + sum.counts.present) as f64 / 2.0;
        self.participant_seconds += present * passed.as_secs_f64();
        self.latest = sum.counts;
        self.totals.add(&sum.timings);
        self.window.add(&sum.timings);
        self.second.add(&sum.timings);
    }

    /// What is done every second.
    fn tick(&mut self) {
        self.sample();
        self.note();
        self.ticks += 1;
        if self.ticks.is_multiple_of(KEEP_ALIVE)
            && let Err(error) = self.manager.keep_alive()
        {
            tracing::warn!("the managing session: {error:#}");
        }
    }

    fn note(&mut self) {
        let times = std::mem::take(&mut self.second);
        let now = Instant::now();
        let usage = self.usage();
        let last = self.series.last().map_or(0.0, |second| second.at);
        let at = (now - self.started).as_secs_f64();
        let length = (at - last).max(1e-3);
        let counts = self.latest;
        let packets = counts.received.saturating_sub(self.noted.received) as f64;
        let cpu_percent = usage.and_then(|usage| {
            let (then, before) = self.latest_cpu.replace((now, usage.cpu))?;
            let passed = now.saturating_duration_since(then).as_secs_f64().max(1e-3);
            Some(usage.cpu.saturating_sub(before).as_secs_f64() / passed * 100.0)
        });
        let second = Second {
            at,
            present: counts.present,
            packets_per_participant: packets / length / counts.present.max(1) as f64,
            cpu_percent,
            resident_mb: usage.map(|usage| usage.resident_kb as f64 / 1024.0),
            latency_p50_ms: times.latency.percentile(50.0),
            latency_p99_ms: times.latency.percentile(99.0),
            interval_p99_ms: times.interval.percentile(99.0),
        };
        self.noted = counts;
        self.series.push(second);
        if self.progress {
            let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
            let _ = write!(
                std::io::stderr(),
                "\r{at:6.1} s  {} present, {} joining, {} failed  {:5.2} packets/s each  CPU {} %  {} MB  latency {}/{} ms  between packets {} ms \x1b[K",
                counts.present,
                counts.joining,
                counts.failed,
                second.packets_per_participant,
                number(second.cpu_percent),
                number(second.resident_mb),
                number(second.latency_p50_ms),
                number(second.latency_p99_ms),
                number(second.interval_p99_ms),
            );
        }
    }

    pub(super) fn mark(&mut self) {
        self.sample();
        self.window = Timings::default();
        self.window_own = (Instant::now(), own_cpu());
        for driver in &self.drivers {
            driver.send(DriverInput::Mark);
        }
    }

    pub(super) fn collect(&mut self) -> Collection {
        self.sample();
        let (sender, receiver) = channel();
        for driver in &self.drivers {
            driver.send(DriverInput::Collect(sender.clone()));
        }
        let mut all = Collection::default();
        for _ in &self.drivers {
            let Ok(part) = receiver.recv_timeout(DRIVER_LIMIT) else {
                break;
            };
            all.outcomes.extend(part.outcomes);
            all.media_addresses.extend(part.media_addresses);
            for (reason, count) in part.failures {
                *all.failures.entry(reason).or_default() += count;
            }
        }
        self.collection = all.clone();
        all
    }

    /// The generator itself since the last mark.
    pub(super) fn generator(&self) -> Generator {
        let (then, cpu) = self.window_own;
        let passed = then.elapsed().as_secs_f64().max(1e-3);
        Generator {
            cpu_percent: own_cpu().saturating_sub(cpu).as_secs_f64() / passed * 100.0,
            lateness_ms: Spread::of(&self.window.lateness),
            skipped_ms: self.latest.skipped,
            unsent: self.latest.unsent,
        }
    }

    pub(super) fn fetch(&self, url: &ServerUrl) -> anyhow::Result<String> {
        let (status, body) = self.runtime.block_on(HttpConnection::new(url).request(&url.path, None))?;
        if status != 200 {
            bail!("HTTP status {status} from {url}");
        }
        Ok(body)
    }

    pub(super) fn usage(&self) -> Option<Usage> {
        self.process.as_ref().and_then(|process| process.usage().ok())
    }

    pub(super) fn connector(&self) -> &Connector {
        &self.connector
    }

    pub(super) fn media_addresses(&self) -> BTreeSet<SocketAddr> {
        self.collection.media_addresses.clone()
    }

    pub(super) fn failures(&mut self) -> BTreeMap<String, u64> {
        self.collect().failures
    }

    /// Participants in the call or lost on the way to it.
    pub(super) fn arrived(&mut self) -> u64 {
        self.sample();
        self.latest.present + self.latest.failed
    }

    pub(super) fn joined(&self) -> u64 {
        self.latest.joined
    }

    pub(super) fn failed(&self) -> u64 {
        self.latest.failed
    }

    pub(super) fn participant_seconds(&self) -> f64 {
        self.participant_seconds
    }

    pub(super) fn totals(&self) -> &Timings {
        &self.totals
    }

    pub(super) fn window_timings(&self) -> &Timings {
        &self.window
    }

    pub(super) fn take_series(&mut self) -> Vec<Second> {
        std::mem::take(&mut self.series)
    }
}

fn own_cpu() -> Duration {
    Process::own().usage().map(|usage| usage.cpu).unwrap_or_default()
}
