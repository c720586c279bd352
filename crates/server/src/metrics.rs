//! The way from the planes' plain counts to Prometheus. What there is to see is in `metrics/list.rs`.
//!
//! The planes count in plain integers; once a tick (or a scrape) a [`Publisher`] stores them into handles it looked up once.
//! Histograms are counted by the planes too, which the exporter knows nothing of: their lines come from `metrics/text.rs`.

mod list;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use histogram::Histogram;
use metrics::{Counter, Gauge, Key, Label, Level, Metadata, Recorder as _, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use signaling::{CoreCounts, RequestKind, TransportCounters};

use crate::process::{self, Thread};
use crate::wiring::{Driver, Worker};

use text::{Histograms, Labels, Text};

/// One line of `/metrics`: where it comes from is `read`.
struct Series<C> {
    name: &'static str,
    labels: &'static [(&'static str, &'static str)],
    kind: Kind,
    help: &'static str,
    read: fn(&C) -> u64,
}

/// One histogram of `/metrics`.
struct Timing<T> {
    name: &'static str,
    labels: &'static [(&'static str, &'static str)],
    /// Else those of all threads are added up.
    of_each_thread: bool,
    help: &'static str,
    read: fn(&T) -> &Histogram,
}

#[derive(Clone, Copy)]
enum Kind {
    /// Only rises.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// The metrics of one server.
pub(crate) struct Metrics {
    recorder: PrometheusRecorder,
    /// What each mix thread has published.
    mix_times: Vec<Published<mixer::Times>>,
    /// What each net thread has published.
    net_times: Vec<Published<webrtc::Times>>,
}

/// What a scrape shows besides what the media threads have published.
pub(crate) struct Scrape {
    metrics: Metrics,
    gauges: Publisher<signaling::Gauges>,
    limits: Publisher<signaling::Counters>,
    connections: Publisher<TransportCounters>,
    /// Queues, by thread.
    workers: Vec<(Worker, Publisher<Worker>)>,
    drivers: Vec<(Driver, Publisher<Driver>)>,
}

/// Publishes the counts `C` and the times `T` of one thread.
pub(crate) struct ThreadMetrics<C: 'static, T> {
    counts: Publisher<C>,
    times: Published<T>,
}

/// Publishes the counts of who takes TCP connections.
pub(crate) struct AcceptorMetrics(Publisher<webrtc::AcceptorCounters>);

pub(crate) type MixMetrics = ThreadMetrics<mixer::Counters, mixer::Times>;
pub(crate) type NetMetrics = ThreadMetrics<webrtc::Counters, webrtc::Times>;

pub(crate) type WebhookMetrics = Publisher<crate::webhooks::Counters>;

/// Publishes the counts `C`.
pub(crate) struct Publisher<C: 'static> {
    series: &'static [Series<C>],
    /// One for each series.
    handles: Vec<Handle>,
}

enum Handle {
    Counter(Counter),
    Gauge(Gauge),
}

/// A copy for who scrapes.
struct Published<T>(Arc<Mutex<T>>);

/// The threads that live as long as the process, by the beginning of their names: of others a counter would fall.
const MEDIA_THREADS: [&str; 3] = ["crew-", MIX_THREAD, NET_THREAD];
const MIX_THREAD: &str = "mix-";
const NET_THREAD: &str = "net-";

impl Metrics {
    pub(crate) fn new(net_threads: usize, mix_threads: usize) -> Self {
        Self {
            recorder: PrometheusBuilder::new().build_recorder(),
            mix_times: (0..mix_threads).map(|_| Published::default()).collect(),
            net_times: (0..net_threads).map(|_| Published::default()).collect(),
        }
    }

    pub(crate) fn mixer(&self, worker: usize) -> MixMetrics {
        let counts = self.publisher(list::MIXER, Some(of_thread(MIX_THREAD, worker)));
        ThreadMetrics { counts, times: self.mix_times[worker].clone() }
    }

    pub(crate) fn webrtc(&self, shard: usize) -> NetMetrics {
        let counts = self.publisher(list::WEBRTC, Some(of_thread(NET_THREAD, shard)));
        ThreadMetrics { counts, times: self.net_times[shard].clone() }
    }

    /// What becomes of TCP connections for media.
    pub(crate) fn acceptor(&self) -> AcceptorMetrics {
        AcceptorMetrics(self.publisher(list::ACCEPTOR, Some(of_thread(NET_THREAD, "accept"))))
    }

    pub(crate) fn webhook(&self, hook: usize) -> WebhookMetrics {
        self.publisher(list::WEBHOOKS, Some(("hook", hook.to_string())))
    }

    /// The rest is asked for at a scrape.
    pub(crate) fn scraped(self, drivers: &[Driver], workers: &[Worker]) -> Scrape {
        let driver = |(index, driver): (usize, &Driver)| {
            (driver.clone(), self.publisher(list::DRIVER, Some(of_thread(NET_THREAD, index))))
        };
        let worker = |(index, worker): (usize, &Worker)| {
            (worker.clone(), self.publisher(list::WORKER, Some(of_thread(MIX_THREAD, index))))
        };
        Scrape {
            gauges: self.publisher(list::SIGNALING, None),
            limits: self.publisher(list::LIMITS, None),
            connections: self.publisher(list::TRANSPORT, None),
            drivers: drivers.iter().enumerate().map(driver).collect(),
            workers: workers.iter().enumerate().map(worker).collect(),
            metrics: self,
        }
    }

    /// Requests by kind and code, which are not known beforehand.
    fn publish_requests(&self, requests: &BTreeMap<(RequestKind, u16), u64>) {
        self.describe(list::REQUESTS, Kind::Counter, list::REQUESTS_HELP);
        for ((kind, code), count) in requests {
            let labels = request_labels(kind).into_iter().chain([("code", code.to_string())]);
            let labels = labels.map(|(name, value)| Label::new(name, value)).collect();
            self.counter(list::REQUESTS, labels).absolute(*count);
        }
    }

    /// `of` is a label that all of these have.
    fn publisher<C>(&self, series: &'static [Series<C>], of: Option<(&'static str, String)>) -> Publisher<C> {
        let handle = |series: &Series<C>| {
            self.describe(series.name, series.kind, series.help);
            let own = series.labels.iter().map(|(name, value)| Label::new(*name, *value));
            let labels = own.chain(of.clone().map(|(name, value)| Label::new(name, value))).collect();
            match series.kind {
                Kind::Counter => Handle::Counter(self.counter(series.name, labels)),
                Kind::Gauge => Handle::Gauge(self.gauge(series.name, labels)),
            }
        };
        Publisher { series, handles: series.iter().map(handle).collect() }
    }

    fn describe(&self, name: &'static str, kind: Kind, help: &'static str) {
        match kind {
            Kind::Counter => self.recorder.describe_counter(name.into(), Some(Unit::Count), help.into()),
            Kind::Gauge => self.recorder.describe_gauge(name.into(), Some(Unit::Count), help.into()),
        }
    }

    fn counter(&self, name: &'static str, labels: Vec<Label>) -> Counter {
        self.recorder.register_counter(&Key::from_parts(name, labels), &METADATA)
    }

    fn gauge(&self, name: &'static str, labels: Vec<Label>) -> Gauge {
        self.recorder.register_gauge(&Key::from_parts(name, labels), &METADATA)
    }
}

impl Scrape {
    /// What `/metrics` shows. Without what the core counts (`None`), what was last known of it.
    pub(crate) fn page(&self, core: Option<&CoreCounts>, transport: &TransportCounters) -> String {
        let mut histograms = Histograms::default();
        if let Some(CoreCounts { counters, gauges, durations }) = core {
            self.metrics.publish_requests(&counters.requests);
            self.gauges.publish(gauges);
            self.limits.publish(counters);
            collect(list::CORE_TIMES, None, counters, &mut histograms);
            for (kind, durations) in durations {
                let labels = request_labels(kind).into();
                histograms.add(list::REQUEST_DURATION, list::REQUEST_DURATION_HELP, labels, durations);
            }
        }
        self.connections.publish(transport);
        self.drivers.iter().for_each(|(driver, publisher)| publisher.publish(driver));
        self.workers.iter().for_each(|(worker, publisher)| publisher.publish(worker));
        for (index, times) in self.metrics.mix_times.iter().enumerate() {
            collect(list::MIX_TIMES, Some(thread(MIX_THREAD, index)), &times.read(), &mut histograms);
        }
        for (index, times) in self.metrics.net_times.iter().enumerate() {
            collect(list::NET_TIMES, Some(thread(NET_THREAD, index)), &times.read(), &mut histograms);
        }
        let mut text = Text::default();
        histograms.write(&mut text);
        write_process(&mut text);
        self.metrics.recorder.handle().render() + &text.into_string()
    }
}

impl<C, T: Copy> ThreadMetrics<C, T> {
    /// Never waits.
    pub(crate) fn publish(&self, counts: &C, times: &T) {
        self.counts.publish(counts);
        self.times.publish(times);
    }
}

impl AcceptorMetrics {
    pub(crate) fn publish(&self, counts: &webrtc::AcceptorCounters) {
        self.0.publish(counts);
    }
}

impl<C> Publisher<C> {
    pub(crate) fn publish(&self, counts: &C) {
        for (handle, series) in self.handles.iter().zip(self.series) {
            match handle {
                Handle::Counter(counter) => counter.absolute((series.read)(counts)),
                #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; these are far below 2^52")]
                Handle::Gauge(gauge) => gauge.set((series.read)(counts) as f64),
            }
        }
    }
}

impl<T: Copy> Published<T> {
    /// Skipped while somebody reads: a media thread does not wait, and the next time comes soon.
    fn publish(&self, value: &T) {
        if let Ok(mut published) = self.0.try_lock() {
            *published = *value;
        }
    }

    fn read(&self) -> T {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Default> Default for Published<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Published<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

static METADATA: Metadata<'static> = Metadata::new("plenum", Level::INFO, None);

fn of_thread(prefix: &str, index: impl fmt::Display) -> (&'static str, String) {
    ("thread", thread(prefix, index))
}

fn thread(prefix: &str, index: impl fmt::Display) -> String {
    format!("{prefix}{index}")
}

fn request_labels(kind: &RequestKind) -> [(&'static str, String); 2] {
    [("api", kind.api.as_str().to_owned()), ("verb", kind.verb.to_owned())]
}

fn collect<T>(timings: &[Timing<T>], thread: Option<String>, times: &T, histograms: &mut Histograms) {
    for Timing { name, labels, of_each_thread, help, read } in timings {
        let own = labels.iter().map(|(label, value)| (*label, (*value).to_owned()));
        let thread = thread.clone().filter(|_| *of_each_thread).map(|thread| ("thread", thread));
        let labels: Labels = own.chain(thread).collect();
        histograms.add(name, help, labels, read(times));
    }
}

fn write_process(text: &mut Text) {
    text.family(list::BUILD_INFO, "gauge", list::BUILD_INFO_HELP);
    text.sample(list::BUILD_INFO, &[("version", env!("CARGO_PKG_VERSION").to_owned())], 1);
    match process::threads() {
        Ok(threads) => {
            text.family(list::THREAD_CPU, "counter", list::THREAD_CPU_HELP);
            let is_lasting = |name: &str| MEDIA_THREADS.iter().any(|prefix| name.starts_with(prefix));
            for Thread { name, ticks, .. } in threads.into_iter().filter(|thread| is_lasting(&thread.name)) {
                text.sample(list::THREAD_CPU, &[("thread", name)], process::seconds(ticks));
            }
        }
        Err(error) => tracing::debug!(%error, "what the threads use is not to be known"),
    }
    match process::figures() {
        Ok(figures) => {
            for figure in list::PROCESS {
                text.family(figure.name, figure.kind.as_str(), figure.help);
                text.sample(figure.name, &[], (figure.read)(&figures));
            }
        }
        Err(error) => tracing::debug!(%error, "what the process uses is not to be known"),
    }
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}
