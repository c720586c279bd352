//! The list of all metrics: name, labels, help, and where each figure comes from. `docs/metrics.md`, the dashboards and the
//! alerts are held against it. Must not know how a figure is published.
//!
//! Seconds and bytes; nothing that a room or a participant could be known by. `thread` is added to what one thread counts.

use crate::wiring::{Driver, Worker};

use super::{Kind, Series, Timing};
use crate::process::Figures;

pub(super) const REQUESTS: &str = "plenum_requests_total";
pub(super) const REQUESTS_HELP: &str = "Requests by API, verb and the code of the answer, 0 = no error";
pub(super) const REQUEST_DURATION: &str = "plenum_request_duration_seconds";
pub(super) const REQUEST_DURATION_HELP: &str = "Time that the core spent on a request and all that came of it at once";
pub(super) const JOIN_DURATION: &str = "plenum_join_duration_seconds";
pub(super) const JOIN_DURATION_HELP: &str = "How long a client that joins waits, by phase: for the answer, for ICE, for DTLS, for the first packet of its audio";
pub(super) const THREAD_CPU: &str = "plenum_thread_cpu_seconds_total";
pub(super) const THREAD_CPU_HELP: &str = "CPU time of each media thread";
pub(super) const BUILD_INFO: &str = "plenum_build_info";
pub(super) const BUILD_INFO_HELP: &str = "1; what runs is in the labels";

/// Those whose labels are not known beforehand, by name, kind and labels.
#[cfg(test)]
pub(super) const FAMILIES: &[(&str, &str, &[&str])] = &[
    (REQUESTS, "counter", &["api", "verb", "code"]),
    (REQUEST_DURATION, "histogram", &["api", "verb"]),
    (THREAD_CPU, "counter", &["thread"]),
    (BUILD_INFO, "gauge", &["version"]),
];

const ROOMS: &str = "plenum_rooms";
const ROOMS_HELP: &str = "Rooms: active with somebody in them, else idle";

pub(super) const SIGNALING: &[Series<signaling::Gauges>] = &[
    gauge("plenum_sessions", "Sessions of the Janus API", |it| it.sessions as u64),
    gauge("plenum_handles", "Handles that are attached to a plugin", |it| it.handles as u64),
    with(&[("state", "active")], gauge(ROOMS, ROOMS_HELP, |it| it.active_rooms as u64)),
    with(&[("state", "idle")], gauge(ROOMS, ROOMS_HELP, |it| (it.rooms - it.active_rooms) as u64)),
    gauge("plenum_participants_connecting", "Participants of rooms whose peer connection is not up", |it| {
        it.connecting as u64
    }),
    gauge("plenum_draining", "1 while the server drains: no room begins, calls go on", |it| it.draining.into()),
];

const WEBHOOK_EVENTS: &str = "plenum_webhook_events_total";
const WEBHOOK_EVENTS_HELP: &str = "Events for webhooks, by what became of them";

/// Of each webhook.
pub(super) const WEBHOOKS: &[Series<crate::webhooks::Counters>] = &[
    with(&[("result", "delivered")], counter(WEBHOOK_EVENTS, WEBHOOK_EVENTS_HELP, |it| it.delivered)),
    with(&[("result", "overflowed")], counter(WEBHOOK_EVENTS, WEBHOOK_EVENTS_HELP, |it| it.overflowed)),
    with(&[("result", "refused")], counter(WEBHOOK_EVENTS, WEBHOOK_EVENTS_HELP, |it| it.refused)),
    with(&[("result", "expired")], counter(WEBHOOK_EVENTS, WEBHOOK_EVENTS_HELP, |it| it.expired)),
    counter("plenum_webhook_failed_posts_total", "Posts to webhooks that failed", |it| it.failed_posts),
    gauge("plenum_webhook_waiting_events", "Events that wait for their webhook", |it| it.waiting),
];

const LIMITED: &str = "plenum_requests_limited_total";
const LIMITED_HELP: &str = "Requests refused by a limit of the configuration, which is in the label";

pub(super) const LIMITS: &[Series<signaling::Counters>] = &[
    with(&[("limit", "sessions")], counter(LIMITED, LIMITED_HELP, |it| refused_by(it, signaling::Limit::Sessions))),
    with(
        &[("limit", "handles_per_session")],
        counter(LIMITED, LIMITED_HELP, |it| refused_by(it, signaling::Limit::Handles)),
    ),
    with(&[("limit", "rooms")], counter(LIMITED, LIMITED_HELP, |it| refused_by(it, signaling::Limit::Rooms))),
    with(
        &[("limit", "participants")],
        counter(LIMITED, LIMITED_HELP, |it| refused_by(it, signaling::Limit::Participants)),
    ),
    with(
        &[("limit", "participants_per_room")],
        counter(LIMITED, LIMITED_HELP, |it| refused_by(it, signaling::Limit::RoomParticipants)),
    ),
    with(&[("limit", "request_rate")], counter(LIMITED, LIMITED_HELP, |it| refused_by(it, signaling::Limit::Requests))),
    with(&[("limit", "join_rate")], counter(LIMITED, LIMITED_HELP, |it| refused_by(it, signaling::Limit::Joins))),
    with(
        &[("limit", "room_rate")],
        counter(LIMITED, LIMITED_HELP, |it| refused_by(it, signaling::Limit::RoomCreations)),
    ),
];

fn refused_by(counters: &signaling::Counters, limit: signaling::Limit) -> u64 {
    counters.limited.get(&limit).copied().unwrap_or_default()
}

const CONNECTIONS: &str = "plenum_connections";
const CONNECTIONS_HELP: &str = "Connections of clients by transport; HTTP has none that last";
const CUT: &str = "plenum_connections_cut_total";
const CUT_HELP: &str = "Connections that the server ended or refused, by reason";
const QUEUE: &str = "plenum_queue_depth";
const QUEUE_HELP: &str = "What waits in a queue between two threads";
const DROPS: &str = "plenum_queue_drops_total";
const DROPS_HELP: &str = "What was dropped because a queue was full";

pub(super) const TRANSPORT: &[Series<signaling::TransportCounters>] = &[
    with(&[("transport", "websocket")], gauge(CONNECTIONS, CONNECTIONS_HELP, |it| it.connections)),
    with(&[("transport", "unix")], gauge(CONNECTIONS, CONNECTIONS_HELP, |it| it.unix_clients)),
    with(&[("reason", "unanswered_ping")], counter(CUT, CUT_HELP, |it| it.silent_connections)),
    with(&[("reason", "address")], counter(CUT, CUT_HELP, |it| it.refused_connections)),
    with(&[("reason", "surplus")], counter(CUT, CUT_HELP, |it| it.surplus_connections)),
    with(&[("reason", "tls_handshake")], counter(CUT, CUT_HELP, |it| it.failed_handshakes)),
    with(&[("reason", "slow")], counter(CUT, CUT_HELP, |it| it.overflowed_connections)),
    counter("plenum_malformed_requests_total", "Requests refused before they were understood", |it| it.refused),
    with(&[("queue", "requests")], gauge(QUEUE, QUEUE_HELP, |it| it.waiting_requests)),
    with(&[("queue", "events")], counter(DROPS, DROPS_HELP, |it| it.dropped_events)),
];

/// Of a mix thread, asked for at a scrape.
pub(super) const WORKER: &[Series<Worker>] = &[
    with(&[("queue", "packets")], gauge(QUEUE, QUEUE_HELP, |it| it.waiting_packets() as u64)),
    with(&[("queue", "commands")], gauge(QUEUE, QUEUE_HELP, |it| it.waiting_commands() as u64)),
];

/// Of a net thread, asked for at a scrape.
pub(super) const DRIVER: &[Series<Driver>] = &[
    with(&[("queue", "mixes")], gauge(QUEUE, QUEUE_HELP, |it| it.waiting_batches() as u64)),
    with(&[("queue", "commands")], gauge(QUEUE, QUEUE_HELP, |it| it.waiting_commands() as u64)),
];

const PARTICIPANTS: &str = "plenum_participants";
const PARTICIPANTS_HELP: &str = "Participants that are mixed, by kind and role: in the mix, not in it, or not to be";
const DECODES: &str = "plenum_decodes_total";
const DECODES_HELP: &str = "Opus decodes: normal, from forward error correction, concealed, to warm a decoder up; and \
    packets skipped, because nobody was to hear them";
const ENCODES: &str = "plenum_encodes_total";
const ENCODES_HELP: &str = "Opus encodes: shared by all who hear the same, private to one, and to prime an encoder";
const CODEC_ERRORS: &str = "plenum_codec_errors_total";
const CODEC_ERRORS_HELP: &str = "Packets that libopus refused to decode, or frames that it refused to encode";
const PACKETS_DROPPED: &str = "plenum_mix_packets_dropped_total";
const PACKETS_DROPPED_HELP: &str = "Packets that were not played, by reason";
const RETIMED: &str = "plenum_jitter_buffer_adjustments_total";
const RETIMED_HELP: &str = "Times that a jitter buffer began anew, or changed the length of sound to change the delay";
const RELIEVED: &str = "plenum_relieved_total";
const RELIEVED_HELP: &str = "What gave way because ticks came late: room ticks without levels and statistics, speakers not \
    decoded, phases that wanted no new members";
const PANICS: &str = "plenum_panics_total";
const PANICS_HELP: &str = "Panics that were caught: each cost one room a tick, or one peer its connection";

pub(super) const MIXER: &[Series<mixer::Counters>] = &[
    with(&[("kind", "webrtc"), ("role", "speaking")], gauge(PARTICIPANTS, PARTICIPANTS_HELP, |it| it.speaking)),
    with(
        &[("kind", "webrtc"), ("role", "listening")],
        gauge(PARTICIPANTS, PARTICIPANTS_HELP, |it| it.members.saturating_sub(it.speaking + it.muted)),
    ),
    with(&[("kind", "webrtc"), ("role", "muted")], gauge(PARTICIPANTS, PARTICIPANTS_HELP, |it| it.muted)),
    gauge("plenum_mix_rooms", "Rooms that are mixed", |it| it.rooms),
    counter("plenum_mix_ticks_total", "Ticks of rooms", |it| it.ticks),
    counter("plenum_mix_ticks_late_total", "Ticks that began over 5 ms late", |it| it.late_ticks),
    counter("plenum_mix_ticks_missed_total", "Ticks left out because the thread was more than a frame behind", |it| {
        it.skipped_ticks
    }),
    with(&[("kind", "shared")], counter(ENCODES, ENCODES_HELP, |it| it.encodes_shared)),
    with(&[("kind", "private")], counter(ENCODES, ENCODES_HELP, |it| it.encodes_private)),
    with(&[("kind", "priming")], counter(ENCODES, ENCODES_HELP, |it| it.encodes_priming)),
    counter("plenum_encodes_spared_total", "Encodes spared in lasting silence", |it| it.encodes_rested),
    with(&[("kind", "normal")], counter(DECODES, DECODES_HELP, |it| it.decodes_normal)),
    with(&[("kind", "fec")], counter(DECODES, DECODES_HELP, |it| it.decodes_fec)),
    with(&[("kind", "plc")], counter(DECODES, DECODES_HELP, |it| it.decodes_plc)),
    with(&[("kind", "skipped")], counter(DECODES, DECODES_HELP, |it| it.decodes_skipped)),
    with(&[("kind", "warm_up")], counter(DECODES, DECODES_HELP, |it| it.decodes_warm_up)),
    with(&[("kind", "decode")], counter(CODEC_ERRORS, CODEC_ERRORS_HELP, |it| it.decode_errors)),
    with(&[("kind", "encode")], counter(CODEC_ERRORS, CODEC_ERRORS_HELP, |it| it.encode_errors)),
    counter("plenum_mix_packets_total", "Packets handed to the mixer", |it| it.packets),
    with(&[("reason", "unknown_member")], counter(PACKETS_DROPPED, PACKETS_DROPPED_HELP, |it| it.dropped_unknown)),
    with(&[("reason", "malformed")], counter(PACKETS_DROPPED, PACKETS_DROPPED_HELP, |it| it.dropped_malformed)),
    with(&[("reason", "late")], counter(PACKETS_DROPPED, PACKETS_DROPPED_HELP, |it| it.dropped_late)),
    with(&[("reason", "duplicate")], counter(PACKETS_DROPPED, PACKETS_DROPPED_HELP, |it| it.dropped_duplicate)),
    with(&[("reason", "buffer_full")], counter(PACKETS_DROPPED, PACKETS_DROPPED_HELP, |it| it.dropped_overflow)),
    with(&[("reason", "skipped")], counter(PACKETS_DROPPED, PACKETS_DROPPED_HELP, |it| it.dropped_skipped)),
    with(&[("queue", "packets")], counter(DROPS, DROPS_HELP, |it| it.dropped_queue)),
    with(&[("kind", "resync")], counter(RETIMED, RETIMED_HELP, |it| it.resyncs)),
    with(&[("kind", "shortened")], counter(RETIMED, RETIMED_HELP, |it| it.shortened)),
    with(&[("kind", "lengthened")], counter(RETIMED, RETIMED_HELP, |it| it.lengthened)),
    counter("plenum_mix_entries_deferred_total", "Members that joined the mix a tick late: too many at once", |it| {
        it.primings_deferred
    }),
    counter("plenum_mix_limited_total", "Mixes that the limiter turned down", |it| it.limited),
    gauge(OVERLOAD, OVERLOAD_HELP, |it| it.overload),
    with(&[("kind", "unheard")], counter(RELIEVED, RELIEVED_HELP, |it| it.relieved_unheard)),
    with(&[("kind", "speakers")], counter(RELIEVED, RELIEVED_HELP, |it| it.relieved_speakers)),
    with(&[("kind", "joins")], counter(RELIEVED, RELIEVED_HELP, |it| it.relieved_joins)),
    counter(PANICS, PANICS_HELP, |it| it.panics),
];

pub(super) const MIX_TIMES: &[Timing<mixer::Times>] = &[
    of_each_thread(timing("plenum_mix_tick_duration_seconds", "How long a tick of all rooms of a phase took", |it| {
        &it.tick_duration
    })),
    of_each_thread(timing("plenum_mix_tick_lateness_seconds", "How late a tick began", |it| &it.tick_lateness)),
    timing(
        "plenum_jitter_buffer_delay_seconds",
        "From the arrival of a speaker's sound to its mix, for each speaker in each tick",
        |it| &it.delay,
    ),
];

const OVERLOAD: &str = "plenum_overload_step";
const OVERLOAD_HELP: &str = "How much gives way now: 0 nothing, 1 what nobody hears, 2 to 4 speakers, from 3 joins";
const DATAGRAMS: &str = "plenum_datagrams_total";
const DATAGRAMS_HELP: &str = "UDP datagrams";
const BYTES: &str = "plenum_datagram_bytes_total";
const BYTES_HELP: &str = "Payload of UDP datagrams";
const NET_DROPPED: &str = "plenum_datagrams_dropped_total";
const NET_DROPPED_HELP: &str = "Datagrams dropped before any peer saw them, or refused by their peer, by reason";
const OFFERS: &str = "plenum_offers_total";
const OFFERS_HELP: &str = "SDP offers: of clients answered, of ours accepted, and refused";
const ICE: &str = "plenum_ice_outcomes_total";
const ICE_HELP: &str = "Peer connections for which ICE found a path, found none in time, or lost it";
const DTLS: &str = "plenum_dtls_outcomes_total";
const DTLS_HELP: &str = "DTLS handshakes that were completed, took too long, or failed";
const CLOSED: &str = "plenum_peers_closed_total";
const CLOSED_HELP: &str = "Peer connections that ended, by reason";
const RTP: &str = "plenum_rtp_packets_total";
const RTP_HELP: &str = "Packets of audio";
const RTP_BYTES: &str = "plenum_rtp_bytes_total";
const RTP_BYTES_HELP: &str = "Opus payload of packets of audio";
const RTP_LOST: &str = "plenum_rtp_lost_total";
const RTP_LOST_HELP: &str = "Packets of audio that did not arrive: of clients, as we count, and of ours, as they say";
const RTP_DISCARDED: &str = "plenum_rtp_discarded_total";
const RTP_DISCARDED_HELP: &str = "Packets of audio from who is in no room, or for who does not receive";

const TCP: &str = "plenum_media_tcp_arrivals_total";
const TCP_HELP: &str = "TCP connections for media, by what became of them at first";

pub(super) const WEBRTC: &[Series<webrtc::Counters>] = &[
    gauge("plenum_peers", "Peer connections", |it| it.peers),
    // Only joins can give way here: the third step.
    gauge(OVERLOAD, OVERLOAD_HELP, |it| if it.overloaded { 3 } else { 0 }),
    with(&[("direction", "received")], counter(DATAGRAMS, DATAGRAMS_HELP, |it| it.datagrams_received)),
    with(&[("direction", "sent")], counter(DATAGRAMS, DATAGRAMS_HELP, |it| it.datagrams_sent)),
    with(&[("direction", "received")], counter(BYTES, BYTES_HELP, |it| it.bytes_received)),
    with(&[("direction", "sent")], counter(BYTES, BYTES_HELP, |it| it.bytes_sent)),
    with(&[("reason", "unknown_kind")], counter(NET_DROPPED, NET_DROPPED_HELP, |it| it.dropped_unknown_kind)),
    with(&[("reason", "unknown_source")], counter(NET_DROPPED, NET_DROPPED_HELP, |it| it.dropped_unknown_source)),
    with(&[("reason", "unknown_user")], counter(NET_DROPPED, NET_DROPPED_HELP, |it| it.dropped_unknown_user)),
    with(&[("reason", "unverified")], counter(NET_DROPPED, NET_DROPPED_HELP, |it| it.dropped_unverified)),
    with(&[("reason", "refused_by_peer")], counter(NET_DROPPED, NET_DROPPED_HELP, |it| it.datagram_errors)),
    with(&[("reason", "slow_tcp")], counter(NET_DROPPED, NET_DROPPED_HELP, |it| it.frames_dropped)),
    with(&[("reason", "not_sent")], counter(NET_DROPPED, NET_DROPPED_HELP, |it| it.send_errors)),
    with(&[("direction", "received")], counter(RTP, RTP_HELP, |it| it.audio_received)),
    with(&[("direction", "sent")], counter(RTP, RTP_HELP, |it| it.audio_sent)),
    with(&[("direction", "received")], counter(RTP_BYTES, RTP_BYTES_HELP, |it| it.audio_bytes_received)),
    with(&[("direction", "sent")], counter(RTP_BYTES, RTP_BYTES_HELP, |it| it.audio_bytes_sent)),
    with(&[("direction", "received")], counter(RTP_LOST, RTP_LOST_HELP, |it| it.audio_lost_receiving)),
    with(&[("direction", "sent")], counter(RTP_LOST, RTP_LOST_HELP, |it| it.audio_lost_sending)),
    with(&[("direction", "received")], counter(RTP_DISCARDED, RTP_DISCARDED_HELP, |it| it.audio_unrouted)),
    with(&[("direction", "sent")], counter(RTP_DISCARDED, RTP_DISCARDED_HELP, |it| it.audio_unsent)),
    with(&[("result", "answered")], counter(OFFERS, OFFERS_HELP, |it| it.offers_answered)),
    with(&[("result", "accepted")], counter(OFFERS, OFFERS_HELP, |it| it.offers_accepted)),
    with(&[("result", "refused")], counter(OFFERS, OFFERS_HELP, |it| it.offers_refused)),
    with(&[("outcome", "connected")], counter(ICE, ICE_HELP, |it| it.paths)),
    with(&[("outcome", "failed")], counter(ICE, ICE_HELP, |it| it.closed.ice_failed)),
    with(&[("outcome", "lost")], counter(ICE, ICE_HELP, |it| it.closed.consent_lost)),
    with(&[("outcome", "completed")], counter(DTLS, DTLS_HELP, |it| it.handshakes)),
    with(&[("outcome", "timeout")], counter(DTLS, DTLS_HELP, |it| it.closed.dtls_timeout)),
    with(&[("outcome", "failed")], counter(DTLS, DTLS_HELP, |it| it.closed.dtls_error)),
    with(&[("reason", "by_us")], counter(CLOSED, CLOSED_HELP, |it| it.closed.by_us)),
    with(&[("reason", "dtls_alert")], counter(CLOSED, CLOSED_HELP, |it| it.closed.dtls_alert)),
    with(&[("reason", "dtls_timeout")], counter(CLOSED, CLOSED_HELP, |it| it.closed.dtls_timeout)),
    with(&[("reason", "dtls_error")], counter(CLOSED, CLOSED_HELP, |it| it.closed.dtls_error)),
    with(&[("reason", "ice_failed")], counter(CLOSED, CLOSED_HELP, |it| it.closed.ice_failed)),
    with(&[("reason", "consent_lost")], counter(CLOSED, CLOSED_HELP, |it| it.closed.consent_lost)),
    with(&[("reason", "internal")], counter(CLOSED, CLOSED_HELP, |it| it.closed.internal)),
    counter("plenum_candidates_ignored_total", "Remote candidates of no use: mDNS, TCP, malformed, too many", |it| {
        it.candidates_ignored
    }),
    counter("plenum_stale_commands_total", "Commands and audio for peers that are gone", |it| it.stale),
    with(&[("queue", "mixes")], counter(DROPS, DROPS_HELP, |it| it.audio_batches_dropped)),
    with(&[("queue", "handshakes")], counter(DROPS, DROPS_HELP, |it| it.handshakes_dropped)),
    counter(PANICS, PANICS_HELP, |it| it.panics),
    gauge("plenum_media_tcp_connections", "TCP connections of peers", |it| it.connections),
    with(&[("outcome", "nobodys")], counter(TCP, TCP_HELP, |it| it.connections_refused)),
];

pub(super) const ACCEPTOR: &[Series<webrtc::AcceptorCounters>] = &[
    with(&[("outcome", "handed_over")], counter(TCP, TCP_HELP, |it| it.handed_over)),
    with(&[("outcome", "silent")], counter(TCP, TCP_HELP, |it| it.expired)),
    with(&[("outcome", "not_stun")], counter(TCP, TCP_HELP, |it| it.refused)),
    with(&[("outcome", "queue_full")], counter(TCP, TCP_HELP, |it| it.dropped)),
];

pub(super) const NET_TIMES: &[Timing<webrtc::Times>] = &[
    in_phase(&[("phase", "ice")], timing(JOIN_DURATION, JOIN_DURATION_HELP, |it| &it.ice)),
    in_phase(&[("phase", "dtls")], timing(JOIN_DURATION, JOIN_DURATION_HELP, |it| &it.dtls)),
    in_phase(&[("phase", "first_packet")], timing(JOIN_DURATION, JOIN_DURATION_HELP, |it| &it.first_packet)),
    timing("plenum_rtt_seconds", "Round trips that clients report, for each at each look at it", |it| &it.round_trip),
];

pub(super) const CORE_TIMES: &[Timing<signaling::Counters>] =
    &[in_phase(&[("phase", "signaling")], timing(JOIN_DURATION, JOIN_DURATION_HELP, |it| &it.answering))];

/// The names are those that Prometheus recommends for every process.
pub(super) const PROCESS: &[Figure] = &[
    figure("process_cpu_seconds_total", Kind::Counter, "CPU time of the process", |it| it.cpu_seconds),
    figure("process_resident_memory_bytes", Kind::Gauge, "Memory that the process has in RAM", |it| it.resident_bytes),
    figure("process_virtual_memory_bytes", Kind::Gauge, "Address space of the process", |it| it.virtual_bytes),
    figure("process_open_fds", Kind::Gauge, "Open file descriptors", |it| it.open_files),
    figure("process_max_fds", Kind::Gauge, "File descriptors that the process may open", |it| it.open_files_limit),
    figure("process_threads", Kind::Gauge, "Threads of the process", |it| it.threads),
    figure("process_start_time_seconds", Kind::Gauge, "When the process was started, since 1970", |it| it.started),
];

/// A figure of the process.
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) help: &'static str,
    pub(super) read: fn(&Figures) -> f64,
}

const fn figure(name: &'static str, kind: Kind, help: &'static str, read: fn(&Figures) -> f64) -> Figure {
    Figure { name, kind, help, read }
}

const fn counter<C>(name: &'static str, help: &'static str, read: fn(&C) -> u64) -> Series<C> {
    Series { name, labels: &[], kind: Kind::Counter, help, read }
}

const fn gauge<C>(name: &'static str, help: &'static str, read: fn(&C) -> u64) -> Series<C> {
    Series { name, labels: &[], kind: Kind::Gauge, help, read }
}

const fn with<C>(labels: &'static [(&'static str, &'static str)], series: Series<C>) -> Series<C> {
    Series { labels, ..series }
}

const fn timing<T>(name: &'static str, help: &'static str, read: fn(&T) -> &histogram::Histogram) -> Timing<T> {
    Timing { name, labels: &[], of_each_thread: false, help, read }
}

const fn in_phase<T>(labels: &'static [(&'static str, &'static str)], timing: Timing<T>) -> Timing<T> {
    Timing { labels, ..timing }
}

const fn of_each_thread<T>(timing: Timing<T>) -> Timing<T> {
    Timing { of_each_thread: true, ..timing }
}
