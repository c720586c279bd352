//! Offers and candidates: from the text to a transport and the answer. A part of [`Shard`]; no packet passes here.

use std::time::Instant;

use rand::RngExt;
use str0m::{Candidate, IceCreds};

use super::{Panicked, Promise, Shard, isolated};
use crate::candidate;
use crate::command::{PeerEvent, PeerSlot};
use crate::error::OfferError;
use crate::peer::{Negotiated, Peer};
use crate::sdp::{
    Accepted, Answer, AnswerTraits, AudioOffer, Direction, EXTENSIONS, ExtensionKind, MixTraits, Offer, OpusFlags,
    Origin, OurOffer, PAYLOAD_TYPE, PeerAnswer, Setup, read_answer, write_answer, write_offer,
};
use crate::ufrag;

/// Candidates kept for a peer whose offer has not come yet.
const MAX_EARLY_CANDIDATES: usize = 16;
/// RFC 8445 section 5.3 asks for 128 bits; a character has 6.
const PASSWORD_LENGTH: usize = 24;

impl<R: Copy> Shard<R> {
    pub(super) fn negotiate(
        &mut self,
        slot: PeerSlot,
        negotiation: u64,
        offer: &str,
        traits: &AnswerTraits,
        now: Instant,
    ) -> PeerEvent {
        let outcome = Offer::parse(offer, self.config.ice_lite).and_then(|offer| {
            let negotiated = match &offer.audio {
                Some(audio) => Some(self.negotiate_audio(slot.index, audio, None, now)?),
                None => {
                    self.end_transport(slot.index, now);
                    None
                }
            };
            if let Some(entry) = self.entry_mut(slot.index) {
                entry.promise = None;
            }
            Ok(self.answer(slot.index, &offer, negotiated, traits))
        });
        match outcome {
            Ok(answer) => {
                self.counters.offers_answered += 1;
                PeerEvent::Answered { negotiation, answer }
            }
            Err(error) => {
                self.counters.offers_refused += 1;
                PeerEvent::Refused { negotiation, reason: error.to_string() }
            }
        }
    }

    pub(super) fn offer(&mut self, index: u32, negotiation: u64, traits: &MixTraits) -> PeerEvent {
        match self.make_offer(index, traits) {
            Ok(offer) => PeerEvent::Offered { negotiation, offer },
            Err(error) => PeerEvent::Refused { negotiation, reason: error.to_string() },
        }
    }

    pub(super) fn accept(&mut self, index: u32, negotiation: u64, answer: &str, now: Instant) -> PeerEvent {
        match self.take_answer(index, answer, now) {
            Ok(answer) => {
                self.counters.offers_accepted += 1;
                PeerEvent::Accepted { negotiation, answer }
            }
            Err(error) => {
                self.counters.offers_refused += 1;
                PeerEvent::Refused { negotiation, reason: error.to_string() }
            }
        }
    }

    fn make_offer(&mut self, index: u32, traits: &MixTraits) -> Result<OurOffer, OfferError> {
        let (credentials, ssrc) = (self.credentials(), self.rng.random());
        let fingerprint = self.fingerprint.clone();
        let Self { config, slots, .. } = self;
        let entry = slots.get_mut(index as usize).and_then(|slot| slot.entry.as_mut()).ok_or(OfferError::Internal)?;
        if entry.peer.is_some() && entry.promise.is_none() {
            return Err(OfferError::NotOurs);
        }
        // An offer that was not answered is renewed and not another one: the answer to either will do.
        let Promise { credentials, ssrc } = entry.promise.get_or_insert(Promise { credentials, ssrc });
        entry.version += 1;
        let terms = Accepted {
            payload_type: PAYLOAD_TYPE,
            direction: Direction::SendRecv,
            extensions: EXTENSIONS.to_vec(),
            ufrag: &credentials.ufrag,
            password: &credentials.pass,
            fingerprint,
            setup: Setup::ActPass,
            ssrc: *ssrc,
            ice_lite: config.ice_lite,
            candidates: (!config.full_trickle).then(|| config.candidates_of_ours().collect()),
            // What our decoder can do (RFC 7587 section 6.1).
            fec: true,
            offered: OpusFlags::default(),
        };
        let origin = Origin { session_id: entry.session_id, version: entry.version, address: config.sdp_address };
        let sdp = write_offer(&terms, origin, traits);
        let ufrag = credentials.ufrag.clone();
        Ok(OurOffer { sdp, candidates: self.trickle(index, ufrag) })
    }

    fn take_answer(&mut self, index: u32, answer: &str, now: Instant) -> Result<PeerAnswer, OfferError> {
        let promise = self.entry_mut(index).and_then(|entry| entry.promise.clone()).ok_or(OfferError::NoOffer)?;
        let (answer, fec) = read_answer(answer, self.config.ice_lite)?;
        let negotiated = self.negotiate_audio(index, &answer, Some(promise), now)?;
        let entry = self.entry_mut(index).ok_or(OfferError::Internal)?;
        entry.fec |= fec;
        let audio_level = negotiated.extensions.iter().any(|it| it.kind == ExtensionKind::AudioLevel);
        Ok(PeerAnswer { audio_level, fec: entry.fec })
    }

    /// What is told apart from the SDP, once for each `ufrag` of ours.
    fn trickle(&mut self, index: u32, ufrag: String) -> Vec<String> {
        if !self.config.full_trickle {
            return Vec::new();
        }
        let told = self.entry_mut(index).and_then(|entry| entry.trickled.replace(ufrag.clone()));
        if told == Some(ufrag) { Vec::new() } else { self.config.candidates_of_ours().collect() }
    }

    /// Makes or changes the transport by an offer, or by the answer to the one that made the promise.
    fn negotiate_audio(
        &mut self,
        index: u32,
        offer: &AudioOffer,
        promise: Option<Promise>,
        now: Instant,
    ) -> Result<Negotiated, OfferError> {
        let ours = promise.is_some();
        let Promise { credentials, ssrc } =
            promise.unwrap_or_else(|| Promise { credentials: self.credentials(), ssrc: self.rng.random() });
        let same = self.entry_mut(index).and_then(|entry| entry.peer.as_ref()).is_some_and(|peer| peer.is_of(offer));
        if same {
            self.with_peer(index, |peer| peer.negotiate(offer, credentials, now)).ok_or(OfferError::Internal)??;
        } else {
            let made = isolated(|| Peer::new(&self.peer_config, offer, credentials, ssrc, ours, now));
            let peer =
                made.inspect_err(|Panicked| self.counters.panics += 1).map_err(|Panicked| OfferError::Internal)??;
            self.end_transport(index, now);
            self.begin_transport(index, peer);
        }
        let Some(entry) = self.entry_mut(index) else { return Err(OfferError::Internal) };
        let early = std::mem::take(&mut entry.early_candidates);
        let (offered, unusable) = parse_candidates(&offer.candidates);
        let ignored = self.with_peer(index, |peer| {
            let candidates = early.into_iter().chain(offered);
            candidates.filter(|candidate| !peer.add_candidate(candidate.clone(), now)).count()
        });
        self.counters.candidates_ignored += (unusable + ignored.unwrap_or(0)) as u64;
        let negotiated = self.with_peer(index, |peer| peer.negotiated()).ok_or(OfferError::Internal)?;
        self.demux.set_user(index, &negotiated.credentials.ufrag);
        Ok(negotiated)
    }

    fn answer(&mut self, index: u32, offer: &Offer, negotiated: Option<Negotiated>, traits: &AnswerTraits) -> Answer {
        let (session_id, version, fec) = match self.entry_mut(index) {
            Some(entry) => {
                entry.version += 1;
                entry.fec |= offer.fec;
                (entry.session_id, entry.version, entry.fec)
            }
            None => (0, 1, offer.fec),
        };
        let ufrag = negotiated.as_ref().map(|negotiated| negotiated.credentials.ufrag.clone());
        let candidates = ufrag.map(|ufrag| self.trickle(index, ufrag)).unwrap_or_default();
        let accepted = offer.audio.as_ref().zip(negotiated.as_ref()).map(|(audio, negotiated)| Accepted {
            payload_type: negotiated.payload_type,
            direction: match (traits, negotiated.direction) {
                // Who does not speak has no echo.
                (AnswerTraits::Echo, Direction::SendOnly) => Direction::Inactive,
                (AnswerTraits::Echo | AnswerTraits::Mix(_), direction) => direction,
            },
            extensions: negotiated.extensions.clone(),
            ufrag: &negotiated.credentials.ufrag,
            password: &negotiated.credentials.pass,
            fingerprint: self.fingerprint.clone(),
            setup: negotiated.setup,
            ssrc: negotiated.ssrc,
            ice_lite: self.config.ice_lite,
            candidates: (!self.config.full_trickle).then(|| self.config.candidates_of_ours().collect()),
            fec,
            offered: audio.flags,
        });
        let origin = Origin { session_id, version, address: self.config.sdp_address };
        Answer {
            sdp: write_answer(offer, accepted.as_ref(), origin, traits),
            audio: accepted.is_some(),
            audio_level: accepted.as_ref().is_some_and(Accepted::has_audio_level),
            fec,
            sends: accepted.as_ref().is_some_and(|accepted| accepted.direction.sends()),
            receives: accepted.as_ref().is_some_and(|accepted| accepted.direction.receives()),
            candidates,
        }
    }

    pub(super) fn add_candidate(&mut self, index: u32, text: &str, now: Instant) {
        let Some(candidate) = candidate::parse(text) else {
            self.counters.candidates_ignored += 1;
            return;
        };
        let Some(entry) = self.entry_mut(index) else { return };
        if entry.peer.is_none() {
            if entry.early_candidates.len() < MAX_EARLY_CANDIDATES {
                entry.early_candidates.push(candidate);
            } else {
                self.counters.candidates_ignored += 1;
            }
            return;
        }
        if self.drive(index, |peer| peer.add_candidate(candidate, now)) == Some(false) {
            self.counters.candidates_ignored += 1;
        }
    }

    fn credentials(&mut self) -> IceCreds {
        loop {
            let ufrag = ufrag::draw(self.config.number, &mut self.rng);
            if self.demux.by_user(&ufrag).is_none() {
                return IceCreds { ufrag, pass: ufrag::random(&mut self.rng).take(PASSWORD_LENGTH).collect() };
            }
        }
    }
}

/// The usable ones, and how many are not.
fn parse_candidates(texts: &[String]) -> (Vec<Candidate>, usize) {
    let usable: Vec<_> = texts.iter().filter_map(|text| candidate::parse(&format!("candidate:{text}"))).collect();
    let unusable = texts.len() - usable.len();
    (usable, unusable)
}
