//! The PeerConnection of a handle as the API sees it: offers under way, what the media planes report, how it ends.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::asked::RequestKind;
use super::ids::HandleId;
use super::jsep::{self, Description, Jsep, JsepKind, Offerer};
use super::media::{Answer, AnswerTraits, MediaCommand, MediaEvent, MixTraits, Settled};
use super::notice::{Happening, Side};
use super::plugin::{Plugin, Refusal};
use super::{Core, Output};

/// A PeerConnection, from its first offer on.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) offerer: Offerer,
    pub(super) created: Instant,
    description: Description,
    /// The last SDP of the client.
    pub(super) remote: Option<Arc<str>>,
    /// The last SDP of ours.
    pub(super) local: Option<Arc<str>>,
    waiting: VecDeque<Waiting>,
    /// An offer of ours is open: an answer may come.
    pub(super) has_offered: bool,
    /// An offer of it has been answered. Whatever is reported before that is of its predecessor.
    pub(super) answered: bool,
    pub(super) connected: bool,
}

/// An event that waits for the media planes: for an answer or an offer of theirs, or until they have taken an answer.
#[derive(Debug)]
struct Waiting {
    negotiation: u64,
    transaction: String,
    data: Value,
    since: Instant,
}

/// Clients are told how long nothing came only when it is more than this.
const TOLD_SILENCE: Duration = Duration::from_secs(1);

impl Peer {
    fn new(offerer: Offerer, description: Description, now: Instant) -> Self {
        Self {
            offerer,
            created: now,
            description,
            remote: None,
            local: None,
            waiting: VecDeque::new(),
            has_offered: false,
            answered: false,
            connected: false,
        }
    }

    pub(super) fn takes_candidate_at(&self, mid: Option<&str>, index: Option<u64>) -> bool {
        self.description.has_candidate_at(mid, index)
    }

    /// The section of the SDP that is the audio's.
    pub(super) fn audio_mid(&self) -> &str {
        self.description.audio_mid()
    }

    pub(super) fn waiting_offers(&self) -> usize {
        self.waiting.len()
    }
}

impl Core {
    /// Has the offer of a request answered, or its answer taken; `data` is the event that comes then.
    pub(super) fn negotiate(
        &mut self,
        id: HandleId,
        transaction: String,
        data: Value,
        jsep: Jsep,
        traits: AnswerTraits,
        now: Instant,
    ) {
        let Some(handle) = self.handles.get_mut(&id) else { return };
        self.negotiations += 1;
        let negotiation = self.negotiations;
        let Jsep { kind, sdp, description, .. } = jsep;
        let peer = handle.peer.get_or_insert_with(|| Peer::new(Offerer::Client, description.clone(), now));
        let theirs: Arc<str> = sdp.as_str().into();
        peer.remote = Some(Arc::clone(&theirs));
        peer.waiting.push_back(Waiting { negotiation, transaction, data, since: now });
        let command = match kind {
            JsepKind::Offer => {
                peer.description = description;
                MediaCommand::Negotiate { handle: id, negotiation, offer: sdp, traits }
            }
            JsepKind::Answer => {
                peer.has_offered = false;
                MediaCommand::Accept { handle: id, negotiation, answer: sdp }
            }
        };
        self.tell_of_handle(id, Happening::SdpExchanged { side: Side::Remote, kind, sdp: Arc::clone(&theirs) });
        self.tell_candidates(id, Side::Remote, jsep::candidates(&theirs));
        self.outputs.push_back(Output::Media(command));
        self.release_candidates(id, now);
    }

    /// Makes an offer, which goes with the event that is `data`.
    pub(super) fn offer(&mut self, id: HandleId, transaction: String, data: Value, traits: MixTraits, now: Instant) {
        let limit = self.config.limits.waiting_offers;
        let Some(handle) = self.handles.get_mut(&id) else { return };
        let peer = handle.peer.get_or_insert_with(|| Peer::new(Offerer::Server, Description::of_our_offers(), now));
        if peer.waiting.len() >= limit {
            let reason = format!("Too many offers at once (max {limit})");
            let plugin = handle.plugin;
            let data = self.refuse_negotiation(id, plugin, plugin.refused_offer(reason));
            self.push_plugin_event(id, Some(&transaction), data, None);
            return;
        }
        self.negotiations += 1;
        let negotiation = self.negotiations;
        peer.waiting.push_back(Waiting { negotiation, transaction, data, since: now });
        self.outputs.push_back(Output::Media(MediaCommand::Offer { handle: id, negotiation, traits }));
        self.release_candidates(id, now);
    }

    /// Who makes the offers of the handle's PeerConnection, if it has one.
    pub(super) fn offerer(&self, id: HandleId) -> Option<Offerer> {
        Some(self.handles.get(&id)?.peer.as_ref()?.offerer)
    }

    pub(super) fn take_media_event(&mut self, event: MediaEvent, now: Instant) {
        match event {
            MediaEvent::Answered { handle, negotiation, answer } => {
                self.answered(handle, negotiation, answer, now);
            }
            MediaEvent::Offered { handle, negotiation, sdp, candidates } => {
                self.offered(handle, negotiation, &sdp, &candidates);
            }
            MediaEvent::Accepted { handle, negotiation, settled } => self.accepted(handle, negotiation, settled, now),
            MediaEvent::Refused { handle, negotiation, reason } => self.refused(handle, negotiation, reason),
            MediaEvent::PathFound { handle } => {
                if self.live_peer(handle).is_some() {
                    self.tell_of_handle(handle, Happening::PathFound);
                }
            }
            MediaEvent::Connected { handle } => self.connected(handle, now),
            MediaEvent::Receiving { handle, receiving } => self.receiving(handle, receiving),
            MediaEvent::SlowLink { handle, uplink, lost } => self.slow_link(handle, uplink, lost),
            MediaEvent::Described { inquiry, info } => self.described(inquiry, info.as_deref()),
            MediaEvent::Measured { inquiry, statistics } => self.measured(inquiry, statistics, now),
            MediaEvent::Talking { handle, talking } => {
                let mut effects = Vec::new();
                self.audiobridge.talking(handle, talking, &mut effects);
                self.perform(effects, None, now);
            }
            MediaEvent::Overloaded { overloaded } => {
                self.audiobridge.set_overloaded(overloaded);
                self.tell(Happening::Overloaded { overloaded });
            }
            MediaEvent::Closed { handle, reason } => self.closed(handle, &reason, now),
        }
    }

    /// Ends the PeerConnection of a handle, if it has one, with a `hangup` event.
    pub(super) fn close_peer(&mut self, id: HandleId, reason: &str, now: Instant) {
        let Some(peer) = self.take_peer(id) else { return };
        self.plugin_closed(id, now);
        self.outputs.push_back(Output::Media(MediaCommand::ClosePeer { handle: id }));
        self.tell_end(id, peer, reason);
    }

    /// The PeerConnection has ended by itself.
    fn closed(&mut self, id: HandleId, reason: &str, now: Instant) {
        if self.live_peer(id).is_none() {
            return;
        }
        let Some(peer) = self.take_peer(id) else { return };
        self.plugin_closed(id, now);
        self.tell_end(id, peer, reason);
    }

    fn take_peer(&mut self, id: HandleId) -> Option<Peer> {
        self.handles.get_mut(&id)?.peer.take()
    }

    fn tell_end(&mut self, id: HandleId, peer: Peer, reason: &str) {
        let Some(plugin) = self.plugin(id) else { return };
        for waiting in peer.waiting {
            let data = self.refuse_negotiation(id, plugin, plugin.closed_unanswered());
            self.push_plugin_event(id, Some(&waiting.transaction), data, None);
        }
        self.push_handle_event("hangup", id, None, |message| {
            message.insert("reason".to_owned(), reason.into());
        });
        self.tell_of_handle(id, Happening::Disconnected { reason: reason.into() });
    }

    fn answered(&mut self, id: HandleId, negotiation: u64, answer: Answer, now: Instant) {
        let Some(waiting) = self.take_waiting(id, negotiation) else { return };
        let Answer { sdp, candidates, audio_level, fec, .. } = answer;
        self.plugin_answered(id, Settled { audio_level, fec }, now);
        if let Some(peer) = self.handles.get_mut(&id).and_then(|handle| handle.peer.as_mut())
            && !std::mem::replace(&mut peer.answered, true)
        {
            self.counters.answering.record(now.saturating_duration_since(waiting.since));
        }
        self.keep_ours(id, JsepKind::Answer, &sdp, &candidates);
        self.push_plugin_event(id, Some(&waiting.transaction), waiting.data, Some((JsepKind::Answer, &sdp)));
        self.trickle_ours(id, &candidates);
    }

    fn offered(&mut self, id: HandleId, negotiation: u64, sdp: &str, candidates: &[String]) {
        let Some(waiting) = self.take_waiting(id, negotiation) else { return };
        if let Some(peer) = self.peer(id) {
            peer.has_offered = true;
        }
        self.keep_ours(id, JsepKind::Offer, sdp, candidates);
        self.push_plugin_event(id, Some(&waiting.transaction), waiting.data, Some((JsepKind::Offer, sdp)));
        self.trickle_ours(id, candidates);
    }

    fn accepted(&mut self, id: HandleId, negotiation: u64, settled: Settled, now: Instant) {
        let Some(waiting) = self.take_waiting(id, negotiation) else { return };
        self.plugin_answered(id, settled, now);
        if let Some(peer) = self.peer(id) {
            peer.answered = true;
        }
        self.push_plugin_event(id, Some(&waiting.transaction), waiting.data, None);
    }

    /// `candidates` are those that are not in the SDP.
    fn keep_ours(&mut self, id: HandleId, kind: JsepKind, sdp: &str, candidates: &[String]) {
        let Some(peer) = self.peer(id) else { return };
        let sdp: Arc<str> = sdp.into();
        let is_first = peer.local.replace(Arc::clone(&sdp)).is_none();
        self.tell_of_handle(id, Happening::SdpExchanged { side: Side::Local, kind, sdp: Arc::clone(&sdp) });
        // Those of later SDPs are the same.
        if is_first {
            self.tell_candidates(id, Side::Local, jsep::candidates(&sdp).chain(candidates.iter().map(String::as_str)));
        }
    }

    /// Tells our candidates, where the SDP has none.
    fn trickle_ours(&mut self, id: HandleId, candidates: &[String]) {
        let Some((mid, index)) = self.peer(id).map(|peer| peer.description.audio_place()) else { return };
        let each = candidates.iter().map(|it| json!({"sdpMid": mid, "sdpMLineIndex": index, "candidate": it}));
        let end = (!candidates.is_empty()).then(|| json!({"completed": true}));
        for candidate in each.chain(end).collect::<Vec<_>>() {
            self.push_handle_event("trickle", id, None, |message| {
                message.insert("candidate".to_owned(), candidate);
            });
        }
    }

    fn refused(&mut self, id: HandleId, negotiation: u64, reason: String) {
        let Some(waiting) = self.take_waiting(id, negotiation) else { return };
        if let Some(handle) = self.handles.get_mut(&id)
            && let Some(peer) = &mut handle.peer
        {
            match peer.offerer {
                // Nothing was made of the first offer: the next one is a first offer again.
                Offerer::Client if !peer.answered && peer.waiting.is_empty() => handle.peer = None,
                Offerer::Client => {}
                // What we offered still stands, so that another answer may come.
                Offerer::Server => peer.has_offered = true,
            }
        }
        let Some(plugin) = self.plugin(id) else { return };
        let data = self.refuse_negotiation(id, plugin, plugin.refused_offer(reason));
        self.push_plugin_event(id, Some(&waiting.transaction), data, None);
    }

    fn connected(&mut self, id: HandleId, now: Instant) {
        let Some(peer) = self.live_peer(id) else { return };
        if std::mem::replace(&mut peer.connected, true) {
            return;
        }
        self.plugin_connected(id, now);
        self.push_handle_event("webrtcup", id, None, |_| {});
        self.tell_of_handle(id, Happening::Connected);
    }

    fn receiving(&mut self, id: HandleId, receiving: bool) {
        let Some(peer) = self.live_peer(id) else { return };
        let mid = peer.description.audio_mid().to_owned();
        let silence = self.config.no_media_timeout;
        self.push_handle_event("media", id, None, |message| {
            message.insert("mid".to_owned(), mid.into());
            message.insert("type".to_owned(), "audio".into());
            message.insert("receiving".to_owned(), receiving.into());
            if !receiving && silence > TOLD_SILENCE {
                message.insert("seconds".to_owned(), silence.as_secs().into());
            }
        });
        self.tell_of_handle(id, Happening::Receiving { receiving });
    }

    fn slow_link(&mut self, id: HandleId, uplink: bool, lost: u32) {
        let Some(peer) = self.live_peer(id) else { return };
        let mid = peer.description.audio_mid().to_owned();
        self.push_handle_event("slowlink", id, None, |message| {
            message.insert("mid".to_owned(), mid.into());
            message.insert("media".to_owned(), "audio".into());
            message.insert("uplink".to_owned(), uplink.into());
            message.insert("lost".to_owned(), lost.into());
        });
        self.tell_of_handle(id, Happening::SlowLink { uplink, lost });
    }

    fn peer(&mut self, id: HandleId) -> Option<&mut Peer> {
        self.handles.get_mut(&id)?.peer.as_mut()
    }

    /// The peer, when what is reported can be about it: events keep their order, so one that comes before the answer
    /// was on its way when the peer before this one was closed.
    fn live_peer(&mut self, id: HandleId) -> Option<&mut Peer> {
        self.peer(id).filter(|peer| peer.answered)
    }

    /// What the client hears of an offer or answer of which nothing came.
    fn refuse_negotiation(&mut self, id: HandleId, plugin: Plugin, refusal: Refusal) -> Value {
        self.count(RequestKind::negotiation(plugin), refusal.code);
        self.plugin_data(Some(id), Err(refusal))
    }

    fn take_waiting(&mut self, id: HandleId, negotiation: u64) -> Option<Waiting> {
        let waiting = &mut self.peer(id)?.waiting;
        let place = waiting.iter().position(|waiting| waiting.negotiation == negotiation)?;
        waiting.remove(place)
    }
}
