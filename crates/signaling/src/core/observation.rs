//! A room as an operator watches it, who is in it and how the audio of each fares; and how the audio of all fares. Waits for the
//! media planes, which measure only when they are asked.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::Core;
use super::handle::Handle;
use super::ids::{HandleId, RoomId};
use super::media::MediaCommand;
use super::operator::Refused;
use super::statistics::{AudioStatistics, HandleStatistics, MixStatistics, milliseconds};
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

    /// Looks at all whose PeerConnection is up. What comes of it is an [`Output::Measured`] of this number, at the latest after
    /// a second.
    pub fn measure_all(&mut self, now: Instant) -> u64 {
        let is_up = |handle: &Handle| handle.peer.as_ref().is_some_and(|peer| peer.connected);
        let handles = self.handles.iter().filter(|(_, handle)| is_up(handle)).map(|(id, _)| *id).collect();
        let inquiry = self.inquiries.expect(inquiry::Purpose::All, now);
        self.outputs.push_back(Output::Media(MediaCommand::Measure { handles, inquiry }));
        inquiry
    }

    /// The answer came, or it is too late for one.
    pub(super) fn measured_all(&mut self, inquiry: u64, statistics: Vec<(HandleId, AudioStatistics)>) {
        let of = |(id, audio): (HandleId, AudioStatistics)| {
            let mid = self.handles.get(&id)?.peer.as_ref()?.audio_mid().to_owned();
            Some(HandleStatistics { origin: self.origin(id)?, mid, network: audio.network? })
        };
        let statistics = statistics.into_iter().filter_map(of).collect();
        self.outputs.push_back(Output::Measured { inquiry, statistics });
    }

    fn particulars(&self, handle: HandleId, statistics: Option<&AudioStatistics>) -> Map<String, Value> {
        let AudioStatistics { network, mix } = statistics.copied().unwrap_or_default();
        let mut shown = Map::new();
        if let Some(handle) = self.handles.get(&handle) {
            shown.insert("session_id".to_owned(), handle.session.0.into());
        }
        shown.insert("handle_id".to_owned(), handle.0.into());
        shown.extend(network.map(|network| ("network".to_owned(), network.as_json())));
        shown.extend(mix.map(|mix| ("mix".to_owned(), shown_mix(&mix))));
        shown
    }
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
