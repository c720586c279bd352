//! Every metric's name, labels and help in one list per plane, and the way from the planes' plain counts to Prometheus.
//!
//! The planes count in plain integers; once a tick (or a scrape) a [`Publisher`] stores them into handles it looked up once.

use metrics::{Counter, Gauge, Key, Label, Level, Metadata, Recorder as _, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// One line of `/metrics`: where it comes from is `read`.
struct Series<C> {
    name: &'static str,
    label: Option<(&'static str, &'static str)>,
    kind: Kind,
    help: &'static str,
    read: fn(&C) -> u64,
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
}

/// Publishes the counts `C` of one thread.
pub(crate) struct Publisher<C: 'static> {
    series: &'static [Series<C>],
    /// One for each series.
    handles: Vec<Handle>,
}

pub(crate) type MixMetrics = Publisher<mixer::Counters>;
pub(crate) type NetMetrics = Publisher<webrtc::Counters>;
pub(crate) type TransportMetrics = Publisher<signaling::TransportCounters>;

enum Handle {
    Counter(Counter),
    Gauge(Gauge),
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self { recorder: PrometheusBuilder::new().build_recorder() }
    }

    /// What `/metrics` shows.
    pub(crate) fn handle(&self) -> PrometheusHandle {
        self.recorder.handle()
    }

    pub(crate) fn mixer(&self, worker: usize) -> MixMetrics {
        self.publisher(MIXER, Some(("thread", worker)))
    }

    pub(crate) fn webrtc(&self, shard: usize) -> NetMetrics {
        self.publisher(WEBRTC, Some(("thread", shard)))
    }

    pub(crate) fn transport(&self) -> TransportMetrics {
        self.publisher(TRANSPORT, None)
    }

    pub(crate) fn gauges(&self) -> Publisher<signaling::Gauges> {
        self.publisher(SIGNALING, None)
    }

    /// The requests that the core has answered, by result. The codes are not known beforehand.
    pub(crate) fn publish_requests(&self, counters: &signaling::Counters) {
        let signaling::Counters { accepted, refused, plugin_refused } = counters;
        let by_code = |part: &'static str, codes: &std::collections::BTreeMap<u16, u64>| {
            for (code, count) in codes {
                let labels = vec![Label::new("result", part), Label::new("code", code.to_string())];
                self.counter(REQUESTS, labels).absolute(*count);
            }
        };
        self.describe(REQUESTS, Kind::Counter, "Requests of the Janus API and the admin API, by result");
        self.counter(REQUESTS, vec![Label::new("result", "accepted"), Label::new("code", "0")]).absolute(*accepted);
        by_code("refused", refused);
        by_code("plugin_refused", plugin_refused);
    }

    fn publisher<C>(&self, series: &'static [Series<C>], thread: Option<(&'static str, usize)>) -> Publisher<C> {
        let handle = |series: &Series<C>| {
            self.describe(series.name, series.kind, series.help);
            let own = series.label.map(|(name, value)| Label::new(name, value));
            let labels =
                own.into_iter().chain(thread.map(|(name, index)| Label::new(name, index.to_string()))).collect();
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

static METADATA: Metadata<'static> = Metadata::new("plenum", Level::INFO, None);

const REQUESTS: &str = "plenum_signaling_requests_total";

const fn counter<C>(name: &'static str, help: &'static str, read: fn(&C) -> u64) -> Series<C> {
    Series { name, label: None, kind: Kind::Counter, help, read }
}

const fn gauge<C>(name: &'static str, help: &'static str, read: fn(&C) -> u64) -> Series<C> {
    Series { name, label: None, kind: Kind::Gauge, help, read }
}

const fn by<C>(label: &'static str, value: &'static str, series: Series<C>) -> Series<C> {
    Series { label: Some((label, value)), ..series }
}

const DECODES: &str = "plenum_mixer_decodes_total";
const DECODES_HELP: &str = "Opus decodes: normal, from forward error correction, concealed, and to warm a decoder up";
const ENCODES: &str = "plenum_mixer_encodes_total";
const ENCODES_HELP: &str = "Opus encodes: shared by all who hear the same, private to one, and to prime an encoder";
const CODEC_ERRORS: &str = "plenum_mixer_codec_errors_total";
const CODEC_ERRORS_HELP: &str = "Packets that libopus refused to decode or frames that it refused to encode";
const TICKS: &str = "plenum_mixer_ticks_total";
const TICKS_HELP: &str = "Ticks of rooms (mixed) and of phases that began over 5 ms late or were left out";
const DROPPED: &str = "plenum_mixer_dropped_packets_total";
const DROPPED_HELP: &str = "Packets that were not played, by reason";
const RETIMED: &str = "plenum_mixer_retimed_total";
const RETIMED_HELP: &str = "Times that a jitter buffer began anew, or changed the length of sound to change the delay";

const RELIEVED: &str = "plenum_mixer_relieved_total";
const RELIEVED_HELP: &str = "What gave way because ticks came late: room ticks without levels and statistics, speakers not \
    decoded, phases that wanted no new members";

const MIXER: &[Series<mixer::Counters>] = &[
    by("kind", "normal", counter(DECODES, DECODES_HELP, |it| it.decodes_normal)),
    by("kind", "fec", counter(DECODES, DECODES_HELP, |it| it.decodes_fec)),
    by("kind", "plc", counter(DECODES, DECODES_HELP, |it| it.decodes_plc)),
    by("kind", "warm_up", counter(DECODES, DECODES_HELP, |it| it.decodes_warm_up)),
    by("kind", "shared", counter(ENCODES, ENCODES_HELP, |it| it.encodes_shared)),
    by("kind", "private", counter(ENCODES, ENCODES_HELP, |it| it.encodes_private)),
    by("kind", "priming", counter(ENCODES, ENCODES_HELP, |it| it.encodes_priming)),
    by("kind", "decode", counter(CODEC_ERRORS, CODEC_ERRORS_HELP, |it| it.decode_errors)),
    by("kind", "encode", counter(CODEC_ERRORS, CODEC_ERRORS_HELP, |it| it.encode_errors)),
    by("kind", "mixed", counter(TICKS, TICKS_HELP, |it| it.ticks)),
    by("kind", "late", counter(TICKS, TICKS_HELP, |it| it.late_ticks)),
    by("kind", "skipped", counter(TICKS, TICKS_HELP, |it| it.skipped_ticks)),
    by("reason", "unknown_member", counter(DROPPED, DROPPED_HELP, |it| it.dropped_unknown)),
    by("reason", "malformed", counter(DROPPED, DROPPED_HELP, |it| it.dropped_malformed)),
    by("reason", "late", counter(DROPPED, DROPPED_HELP, |it| it.dropped_late)),
    by("reason", "duplicate", counter(DROPPED, DROPPED_HELP, |it| it.dropped_duplicate)),
    by("reason", "buffer_full", counter(DROPPED, DROPPED_HELP, |it| it.dropped_overflow)),
    by("reason", "skipped", counter(DROPPED, DROPPED_HELP, |it| it.dropped_skipped)),
    by("reason", "queue_full", counter(DROPPED, DROPPED_HELP, |it| it.dropped_queue)),
    by("kind", "resync", counter(RETIMED, RETIMED_HELP, |it| it.resyncs)),
    by("kind", "shortened", counter(RETIMED, RETIMED_HELP, |it| it.shortened)),
    by("kind", "lengthened", counter(RETIMED, RETIMED_HELP, |it| it.lengthened)),
    counter("plenum_mixer_packets_total", "Packets handed to the mixer", |it| it.packets),
    counter("plenum_mixer_panics_total", "Room ticks that panicked; each cost one room a tick", |it| it.panics),
    counter("plenum_mixer_deferred_total", "Members that joined the mix a tick late: too many at once", |it| {
        it.primings_deferred
    }),
    counter("plenum_mixer_limited_total", "Mixes that the limiter turned down", |it| it.limited),
    counter("plenum_mixer_audible_total", "Audible members, summed over ticks", |it| it.audible),
    counter(
        "plenum_mixer_delay_samples_total",
        "Delay from arrival to mix at 48 kHz, summed over the members below",
        |it| it.delay,
    ),
    counter("plenum_mixer_delay_members_total", "Members whose delay was summed, over ticks", |it| it.delay_members),
    counter("plenum_mixer_rested_total", "Encodes spared in lasting silence", |it| it.encodes_rested),
    by("kind", "unheard", counter(RELIEVED, RELIEVED_HELP, |it| it.relieved_unheard)),
    by("kind", "speakers", counter(RELIEVED, RELIEVED_HELP, |it| it.relieved_speakers)),
    by("kind", "joins", counter(RELIEVED, RELIEVED_HELP, |it| it.relieved_joins)),
    gauge(
        "plenum_mixer_overload",
        "How much gives way now: 0 nothing, 1 what nobody hears, 2 to 4 speakers, from 3 joins",
        |it| it.overload,
    ),
    gauge("plenum_mixer_rooms", "Rooms that are mixed now", |it| it.rooms),
    gauge("plenum_mixer_members", "Participants that are mixed now", |it| it.members),
];

const DATAGRAMS: &str = "plenum_webrtc_datagrams_total";
const DATAGRAMS_HELP: &str = "UDP datagrams";
const BYTES: &str = "plenum_webrtc_bytes_total";
const BYTES_HELP: &str = "Payload bytes of UDP datagrams";
const NET_DROPPED: &str = "plenum_webrtc_dropped_datagrams_total";
const NET_DROPPED_HELP: &str = "Datagrams dropped before any peer saw them, or refused by their peer, by reason";
const OFFERS: &str = "plenum_webrtc_offers_total";
const OFFERS_HELP: &str = "SDP offers, by result";
const CLOSED: &str = "plenum_webrtc_closed_peers_total";
const CLOSED_HELP: &str = "Peer connections that ended, by reason";
const AUDIO: &str = "plenum_webrtc_audio_packets_total";
const AUDIO_HELP: &str = "Audio packets: received and sent, and those that had nowhere to go";

const WEBRTC: &[Series<webrtc::Counters>] = &[
    by("direction", "received", counter(DATAGRAMS, DATAGRAMS_HELP, |it| it.datagrams_received)),
    by("direction", "sent", counter(DATAGRAMS, DATAGRAMS_HELP, |it| it.datagrams_sent)),
    by("direction", "received", counter(BYTES, BYTES_HELP, |it| it.bytes_received)),
    by("direction", "sent", counter(BYTES, BYTES_HELP, |it| it.bytes_sent)),
    by("reason", "unknown_kind", counter(NET_DROPPED, NET_DROPPED_HELP, |it| it.dropped_unknown_kind)),
    by("reason", "unknown_source", counter(NET_DROPPED, NET_DROPPED_HELP, |it| it.dropped_unknown_source)),
    by("reason", "unknown_user", counter(NET_DROPPED, NET_DROPPED_HELP, |it| it.dropped_unknown_user)),
    by("reason", "unverified", counter(NET_DROPPED, NET_DROPPED_HELP, |it| it.dropped_unverified)),
    by("reason", "refused_by_peer", counter(NET_DROPPED, NET_DROPPED_HELP, |it| it.datagram_errors)),
    by("result", "answered", counter(OFFERS, OFFERS_HELP, |it| it.offers_answered)),
    by("result", "refused", counter(OFFERS, OFFERS_HELP, |it| it.offers_refused)),
    by("reason", "by_us", counter(CLOSED, CLOSED_HELP, |it| it.closed.by_us)),
    by("reason", "dtls_alert", counter(CLOSED, CLOSED_HELP, |it| it.closed.dtls_alert)),
    by("reason", "dtls_timeout", counter(CLOSED, CLOSED_HELP, |it| it.closed.dtls_timeout)),
    by("reason", "dtls_error", counter(CLOSED, CLOSED_HELP, |it| it.closed.dtls_error)),
    by("reason", "ice_failed", counter(CLOSED, CLOSED_HELP, |it| it.closed.ice_failed)),
    by("reason", "consent_lost", counter(CLOSED, CLOSED_HELP, |it| it.closed.consent_lost)),
    by("reason", "internal", counter(CLOSED, CLOSED_HELP, |it| it.closed.internal)),
    by("kind", "received", counter(AUDIO, AUDIO_HELP, |it| it.audio_received)),
    by("kind", "sent", counter(AUDIO, AUDIO_HELP, |it| it.audio_sent)),
    by("kind", "unrouted", counter(AUDIO, AUDIO_HELP, |it| it.audio_unrouted)),
    by("kind", "unsent", counter(AUDIO, AUDIO_HELP, |it| it.audio_unsent)),
    counter("plenum_webrtc_handshakes_total", "DTLS handshakes completed", |it| it.handshakes),
    counter(
        "plenum_webrtc_candidates_ignored_total",
        "Remote candidates of no use: mDNS, TCP, malformed, too many",
        |it| it.candidates_ignored,
    ),
    counter("plenum_webrtc_panics_total", "Panics caught; each cost one peer", |it| it.panics),
    counter("plenum_webrtc_stale_total", "Commands and audio for peers that are gone", |it| it.stale),
    counter("plenum_webrtc_dropped_batches_total", "Batches of mixes dropped: the queue was full", |it| {
        it.audio_batches_dropped
    }),
    counter("plenum_webrtc_send_errors_total", "Datagrams that the kernel did not take", |it| it.send_errors),
    gauge("plenum_webrtc_peers", "Peer connections now", |it| it.peers),
];

const SIGNALING: &[Series<signaling::Gauges>] = &[
    gauge("plenum_signaling_sessions", "Sessions now", |it| it.sessions as u64),
    gauge("plenum_signaling_handles", "Handles now", |it| it.handles as u64),
    gauge("plenum_signaling_rooms", "Rooms now", |it| it.rooms as u64),
    gauge("plenum_signaling_participants", "Participants in rooms now", |it| it.participants as u64),
];

const TRANSPORT: &[Series<signaling::TransportCounters>] = &[
    gauge("plenum_signaling_connections", "WebSocket connections now", |it| it.connections),
    gauge("plenum_signaling_unix_clients", "Clients of Unix sockets now", |it| it.unix_clients),
    counter("plenum_signaling_silent_connections_total", "WebSockets closed: their client answered no ping", |it| {
        it.silent_connections
    }),
    counter("plenum_signaling_refused_connections_total", "Connections from addresses that may not connect", |it| {
        it.refused_connections
    }),
    counter("plenum_signaling_surplus_connections_total", "Connections over the limit of their port", |it| {
        it.surplus_connections
    }),
    counter("plenum_signaling_failed_handshakes_total", "TLS handshakes that failed", |it| it.failed_handshakes),
    counter("plenum_signaling_malformed_total", "Requests refused before they were understood", |it| it.refused),
    counter("plenum_signaling_dropped_events_total", "Messages dropped because nobody fetched them", |it| {
        it.dropped_events
    }),
    counter("plenum_signaling_slow_connections_total", "Connections closed: slower than their events", |it| {
        it.overflowed_connections
    }),
];
