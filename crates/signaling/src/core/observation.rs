//! A room as an operator watches it: who is in it and how the audio of each fares. Waits for the media planes, which measure
//! only when they are asked.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::Core;
use super::ids::{HandleId, RoomId};
use super::media::MediaCommand;
use super::operator::Refused;
use super::statistics::{AudioStatistics, MixStatistics, NetworkStatistics};
use super::transport_info::Flow;
use super::{Output, inquiry};

impl Core {
    /// Looks at a room with the operator's authority, which the caller has checked. Once the media planes have told of its
    /// audio, at the latest after a second, an [`Output::Observed`] of this number comes out.
    ///
    /// # Errors
    /// The refusal of the AudioBridge: there is no such room.
    pub fn observe_room(&mut self, name: &str, now: Instant) -> Result<u64, Refused> {
        let (room, handles) = self.audiobridge.handles_in(name)?;
        let inquiry = self.inquiries.expect(inquiry::Purpose::Room(room), now);
        self.outputs.push_back(Output::Media(MediaCommand::Measure { handles, inquiry }));
        Ok(inquiry)
    }

    /// The answer came, or it is too late for one: the room is shown with what there is.
    pub(super) fn observed(&mut self, inquiry: u64, room: &RoomId, statistics: Vec<(HandleId, AudioStatistics)>) {
        let statistics: HashMap<_, _> = statistics.into_iter().collect();
        let seen = self.audiobridge.observe(room, |handle| self.particulars(handle, statistics.get(&handle)));
        self.outputs.push_back(Output::Observed { inquiry, seen: seen.map_err(Refused::from) });
    }

    fn particulars(&self, handle: HandleId, statistics: Option<&AudioStatistics>) -> Map<String, Value> {
        let AudioStatistics { network, mix } = statistics.copied().unwrap_or_default();
        let mut shown = Map::new();
        if let Some(handle) = self.handles.get(&handle) {
            shown.insert("session_id".to_owned(), handle.session.0.into());
        }
        shown.insert("handle_id".to_owned(), handle.0.into());
        shown.extend(network.map(|network| ("network".to_owned(), shown_network(&network))));
        shown.extend(mix.map(|mix| ("mix".to_owned(), shown_mix(&mix))));
        shown
    }
}

fn shown_network(network: &NetworkStatistics) -> Value {
    let flow = |Flow { packets, bytes, bytes_last_second }: Flow| json!({"packets": packets, "bytes": bytes, "bits_per_second": bytes_last_second.saturating_mul(8)});
    json!({
        "rtt_ms": network.rtt.map(milliseconds),
        "received": flow(network.received),
        "sent": flow(network.sent),
        "lost": network.lost,
        "lost_by_client": network.lost_by_remote,
        "jitter_ms": network.jitter_ms,
        "jitter_of_client_ms": network.jitter_of_remote_ms,
    })
}

fn shown_mix(mix: &MixStatistics) -> Value {
    json!({
        "level_dbov": mix.level,
        "audible": mix.audible,
        "delay_ms": mix.delay.map(milliseconds),
        "queued": mix.queued,
        "packets": mix.packets,
        "late": mix.late,
        "dropped": mix.dropped,
        "concealed": mix.concealed,
        "restored": mix.restored,
    })
}

/// To a tenth.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
