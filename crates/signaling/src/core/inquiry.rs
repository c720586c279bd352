//! What waits for the media planes to tell of a PeerConnection or of a room's audio. Knows how a PeerConnection is shown, not
//! what else is in the reply.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::ids::{HandleId, RoomId};
use super::media::MediaCommand;
use super::message::{Envelope, HandleField};
use super::statistics::{AudioStatistics, MixStatistics, NetworkStatistics};
use super::transport_info::{AudioInfo, DtlsInfo, Flow, IceInfo, TransportInfo};
use super::{Core, Output, Source};

/// A net thread answers within a turn, some milliseconds. A reply goes without its answer rather than never.
const PATIENCE: Duration = Duration::from_secs(1);

/// What waits, by inquiry: older ones have smaller numbers.
#[derive(Debug, Default)]
pub(super) struct Inquiries {
    last: u64,
    waiting: BTreeMap<u64, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    purpose: Purpose,
    until: Instant,
}

/// What the answer is for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// The reply to an admin request, and after this whose transport is told in it besides.
    Reply { to: Source, message: Value, transport: Option<HandleId> },
    /// An operator who watches a room.
    Room(RoomId),
    /// Back-ends that are told how all fare.
    All,
}

impl Inquiries {
    /// When the first one has waited long enough.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.values().next().map(|waiting| waiting.until)
    }

    /// The number of a new inquiry.
    pub(super) fn expect(&mut self, purpose: Purpose, now: Instant) -> u64 {
        self.last += 1;
        self.waiting.insert(self.last, Waiting { purpose, until: now + PATIENCE });
        self.last
    }
}

impl Core {
    /// Replies to an admin request, once what it asks of the media planes is there.
    pub(super) fn reply_to_admin(&mut self, to: Source, envelope: &Envelope, message: Value, now: Instant) {
        let transport = self.described_handle(envelope, &message);
        match mixed_handle(envelope, &message) {
            Some(handle) => {
                let inquiry = self.inquiries.expect(Purpose::Reply { to, message, transport }, now);
                self.outputs.push_back(Output::Media(MediaCommand::Measure { handles: vec![handle], inquiry }));
            }
            None => self.reply_with_transport(to, message, transport, now),
        }
    }

    fn reply_with_transport(&mut self, to: Source, message: Value, transport: Option<HandleId>, now: Instant) {
        let Some(handle) = transport else { return self.reply(to, message) };
        let inquiry = self.inquiries.expect(Purpose::Reply { to, message, transport: None }, now);
        self.outputs.push_back(Output::Media(MediaCommand::Describe { handle, inquiry }));
    }

    pub(super) fn described(&mut self, inquiry: u64, info: Option<&TransportInfo>) {
        let Some(Waiting { purpose, .. }) = self.inquiries.waiting.remove(&inquiry) else { return };
        let (to, mut message) = match purpose {
            Purpose::Reply { to, message, .. } => (to, message),
            Purpose::Room(room) => return self.observed(inquiry, &room, Vec::new()),
            Purpose::All => return self.measured_all(inquiry, Vec::new()),
        };
        if let (Some(transport), Some(info)) = (info, message.get_mut("info").and_then(Value::as_object_mut)) {
            let (mode, role) = (transport.ice.lite, transport.ice.controlling);
            info.insert("ice-mode".to_owned(), if mode { "lite" } else { "full" }.into());
            info.insert("ice-role".to_owned(), if role { "controlling" } else { "controlled" }.into());
            let webrtc = shown(transport, |at| self.since_start(at));
            info.insert("webrtc".to_owned(), webrtc);
        }
        self.reply(to, message);
    }

    pub(super) fn measured(&mut self, inquiry: u64, statistics: Vec<(HandleId, AudioStatistics)>, now: Instant) {
        let Some(Waiting { purpose, .. }) = self.inquiries.waiting.remove(&inquiry) else { return };
        match purpose {
            Purpose::Room(room) => self.observed(inquiry, &room, statistics),
            Purpose::All => self.measured_all(inquiry, statistics),
            Purpose::Reply { to, mut message, transport } => {
                if let Some(mix) = statistics.first().and_then(|(_, audio)| audio.mix) {
                    tell_mix(&mut message, &mix);
                }
                self.reply_with_transport(to, message, transport, now);
            }
        }
    }

    /// Answers what has waited long enough.
    pub(super) fn expire_inquiries(&mut self, now: Instant) {
        while let Some((&inquiry, _)) = self.inquiries.waiting.iter().next().filter(|(_, it)| it.until <= now) {
            self.described(inquiry, None);
        }
    }

    /// In microseconds.
    fn since_start(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.started).as_micros()).unwrap_or(u64::MAX)
    }

    /// The handle whose transport belongs into the reply.
    fn described_handle(&self, envelope: &Envelope, message: &Value) -> Option<HandleId> {
        let HandleField::Given(id) = envelope.handle else { return None };
        let is_whole = envelope.is("handle_info") && message["info"].get("flags").is_some();
        self.handles.get(&id).filter(|handle| is_whole && handle.is_answered()).map(|_| id)
    }
}

/// The handle whose mix belongs into the reply: a participant's whose audio flows.
fn mixed_handle(envelope: &Envelope, message: &Value) -> Option<HandleId> {
    let HandleField::Given(id) = envelope.handle else { return None };
    let plugin = message["info"].get("plugin_specific").filter(|_| envelope.is("handle_info"))?;
    (plugin["state"] == "inroom" && plugin["active"] == true).then_some(id)
}

fn tell_mix(message: &mut Value, mix: &MixStatistics) {
    let Some(plugin) = message.pointer_mut("/info/plugin_specific").and_then(Value::as_object_mut) else { return };
    plugin.insert("buffer-in".to_owned(), mix.queued.into());
    // Packets are decoded when they are mixed, so that no frame waits.
    plugin.insert("queue-in".to_owned(), 0.into());
    // There is such a key where the client tells its level.
    if plugin.contains_key("talking") {
        plugin.insert("audio-level-dBov".to_owned(), mix.level.unsigned_abs().into());
    }
}

fn shown(transport: &TransportInfo, microseconds: impl Fn(Instant) -> u64) -> Value {
    let TransportInfo { ice, dtls, audio } = transport;
    let mut webrtc = Map::new();
    webrtc.insert("ice".to_owned(), shown_ice(ice, &microseconds));
    webrtc.insert("dtls".to_owned(), shown_dtls(dtls, audio, &microseconds));
    let extensions: Map<_, _> = audio.extensions.iter().map(|(uri, id)| ((*uri).to_owned(), (*id).into())).collect();
    webrtc.insert("extensions".to_owned(), extensions.into());
    webrtc.insert("bwe".to_owned(), json!({"twcc": false}));
    webrtc.insert("media".to_owned(), json!({audio.mid.as_str(): shown_audio(audio)}));
    webrtc.into()
}

fn shown_ice(ice: &IceInfo, microseconds: &impl Fn(Instant) -> u64) -> Value {
    let mut shown = Map::new();
    shown.insert("stream_id".to_owned(), 1.into());
    shown.insert("component_id".to_owned(), 1.into());
    shown.insert("state".to_owned(), ice.state.into());
    if let Some(at) = ice.connected_at {
        shown.insert("connected".to_owned(), microseconds(at).into());
    }
    shown.insert("local-candidates".to_owned(), ice.local_candidates.clone().into());
    shown.insert("remote-candidates".to_owned(), ice.remote_candidates.clone().into());
    if let Some((ours, theirs)) = ice.selected_pair {
        shown.insert("selected-pair".to_owned(), shown_pair(ours, theirs, ice.over_tcp).into());
    }
    shown.insert("ready".to_owned(), i32::from(ice.connected_at.is_some()).into());
    shown.into()
}

/// As Janus writes it. A lite server has not heard of the client's candidate: it is taken as one that its checks made known.
fn shown_pair(ours: SocketAddr, theirs: SocketAddr, over_tcp: bool) -> String {
    let protocol = if over_tcp { "tcp" } else { "udp" };
    format!("{}:{} [host,{protocol}] <-> {}:{} [prflx,{protocol}]", ours.ip(), ours.port(), theirs.ip(), theirs.port())
}

fn shown_dtls(dtls: &DtlsInfo, audio: &AudioInfo, microseconds: &impl Fn(Instant) -> u64) -> Value {
    let digest = |fingerprint: &str| fingerprint.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut shown = Map::new();
    shown.insert("fingerprint".to_owned(), digest(&dtls.fingerprint).into());
    shown.insert("remote-fingerprint".to_owned(), digest(&dtls.remote_fingerprint).into());
    let hash = dtls.remote_fingerprint.split(' ').next().unwrap_or_default();
    shown.insert("remote-fingerprint-hash".to_owned(), hash.into());
    shown.insert("dtls-role".to_owned(), if dtls.active { "active" } else { "passive" }.into());
    let is_up = dtls.connected_at.is_some();
    shown.insert("dtls-state".to_owned(), if is_up { "connected" } else { "trying" }.into());
    shown.insert("valid".to_owned(), is_up.into());
    shown.insert("ready".to_owned(), is_up.into());
    if let Some(at) = dtls.connected_at {
        shown.insert("connected".to_owned(), microseconds(at).into());
    }
    shown.insert("sctp-association".to_owned(), false.into());
    shown.insert("stats".to_owned(), shown_flows(&audio.network));
    shown.into()
}

fn shown_audio(audio: &AudioInfo) -> Value {
    let network = &audio.network;
    let mut ssrc = Map::new();
    ssrc.insert("ssrc".to_owned(), audio.ssrc.into());
    if let Some(remote) = audio.remote_ssrc {
        ssrc.insert("ssrc-peer".to_owned(), remote.into());
    }
    json!({
        "type": "audio",
        "mindex": 0,
        "mid": audio.mid,
        "do_nacks": false,
        "nack-queue-ms": 0,
        "ssrc": ssrc,
        "direction": {"send": audio.sends, "recv": audio.receives},
        "codecs": {"pt": audio.payload_type, "codec": "opus"},
        "rtcp": {"main": network.as_rtcp()},
        "stats": shown_flows(network),
    })
}

fn shown_flows(network: &NetworkStatistics) -> Value {
    let shown =
        |flow: &Flow| json!({"packets": flow.packets, "bytes": flow.bytes, "bytes_lastsec": flow.bytes_last_second});
    let mut sent = shown(&network.sent);
    sent["nacks"] = 0.into();
    json!({"in": shown(&network.received), "out": sent})
}
