//! The PeerConnection of a handle as the API sees it: offers under way, what the media planes report, how it ends.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::ids::HandleId;
use super::jsep::{Description, Jsep};
use super::media::{Answer, AnswerTraits, MediaCommand, MediaEvent};
use super::{Core, Output};

/// A PeerConnection, from its first offer on.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) created: Instant,
    description: Description,
    /// The last SDP of the client.
    pub(super) remote: Box<str>,
    /// The last SDP of ours.
    pub(super) local: Option<Box<str>>,
    offers: VecDeque<WaitingOffer>,
    /// An offer of it has been answered. Whatever is reported before that is of its predecessor.
    pub(super) answered: bool,
    pub(super) connected: bool,
}

/// An event that waits for the answer to the offer of its request.
#[derive(Debug)]
struct WaitingOffer {
    negotiation: u64,
    transaction: String,
    data: Value,
}

/// Clients are told how long nothing came only when it is more than this.
const TOLD_SILENCE: Duration = Duration::from_secs(1);

impl Peer {
    pub(super) fn takes_candidate_at(&self, mid: Option<&str>, index: Option<u64>) -> bool {
        self.description.has_candidate_at(mid, index)
    }

    pub(super) fn waiting_offers(&self) -> usize {
        self.offers.len()
    }
}

impl Core {
    /// Has the offer of a request answered; `data` is the event that goes with the answer.
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
        let offer = WaitingOffer { negotiation, transaction, data };
        match &mut handle.peer {
            Some(peer) => {
                peer.description = jsep.description;
                peer.remote = jsep.sdp.as_str().into();
                peer.offers.push_back(offer);
            }
            None => {
                handle.peer = Some(Peer {
                    created: now,
                    description: jsep.description,
                    remote: jsep.sdp.as_str().into(),
                    local: None,
                    offers: VecDeque::from([offer]),
                    answered: false,
                    connected: false,
                });
            }
        }
        let offer = jsep.sdp;
        let command = MediaCommand::Negotiate { handle: id, negotiation, offer, traits };
        self.outputs.push_back(Output::Media(command));
        self.release_candidates(id, now);
    }

    pub(super) fn take_media_event(&mut self, event: MediaEvent, now: Instant) {
        match event {
            MediaEvent::Answered { handle, negotiation, answer } => {
                self.answered(handle, negotiation, answer, now);
            }
            MediaEvent::Refused { handle, negotiation, reason } => self.refused(handle, negotiation, reason),
            MediaEvent::Connected { handle } => self.connected(handle, now),
            MediaEvent::Receiving { handle, receiving } => self.receiving(handle, receiving),
            MediaEvent::Talking { handle, talking } => {
                let mut effects = Vec::new();
                self.audiobridge.talking(handle, talking, &mut effects);
                self.perform(effects, None, now);
            }
            MediaEvent::Overloaded { overloaded } => self.audiobridge.set_overloaded(overloaded),
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
        for offer in peer.offers {
            let data = self.plugin_data(Err(plugin.closed_unanswered()));
            self.push_plugin_event(id, Some(&offer.transaction), data, None);
        }
        self.push_handle_event("hangup", id, None, |message| {
            message.insert("reason".to_owned(), reason.into());
        });
    }

    fn answered(&mut self, id: HandleId, negotiation: u64, answer: Answer, now: Instant) {
        let Some(offer) = self.take_offer(id, negotiation) else { return };
        self.plugin_answered(id, &answer, now);
        if let Some(peer) = self.peer(id) {
            peer.answered = true;
            peer.local = Some(answer.sdp.as_str().into());
        }
        self.push_plugin_event(id, Some(&offer.transaction), offer.data, Some(&answer.sdp));
    }

    fn refused(&mut self, id: HandleId, negotiation: u64, reason: String) {
        let Some(offer) = self.take_offer(id, negotiation) else { return };
        if let Some(handle) = self.handles.get_mut(&id)
            && handle.peer.as_ref().is_some_and(|peer| !peer.answered && peer.offers.is_empty())
        {
            // Nothing was made of the first offer: the next one is a first offer again.
            handle.peer = None;
        }
        let Some(plugin) = self.plugin(id) else { return };
        let data = self.plugin_data(Err(plugin.refused_offer(reason)));
        self.push_plugin_event(id, Some(&offer.transaction), data, None);
    }

    fn connected(&mut self, id: HandleId, now: Instant) {
        let Some(peer) = self.live_peer(id) else { return };
        if std::mem::replace(&mut peer.connected, true) {
            return;
        }
        self.plugin_connected(id, now);
        self.push_handle_event("webrtcup", id, None, |_| {});
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
    }

    fn peer(&mut self, id: HandleId) -> Option<&mut Peer> {
        self.handles.get_mut(&id)?.peer.as_mut()
    }

    /// The peer, when what is reported can be about it: events keep their order, so one that comes before the answer
    /// was on its way when the peer before this one was closed.
    fn live_peer(&mut self, id: HandleId) -> Option<&mut Peer> {
        self.peer(id).filter(|peer| peer.answered)
    }

    fn take_offer(&mut self, id: HandleId, negotiation: u64) -> Option<WaitingOffer> {
        let offers = &mut self.peer(id)?.offers;
        let place = offers.iter().position(|offer| offer.negotiation == negotiation)?;
        offers.remove(place)
    }
}
