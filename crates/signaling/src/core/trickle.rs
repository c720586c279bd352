//! Candidates from the client: the forms a trickle can have, and the wait of those that come before their offer.

use std::collections::VecDeque;
use std::iter;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::error::Error;
use super::field::{Fields, Required};
use super::ids::{HandleId, SessionId};
use super::media::MediaCommand;
use super::message::{self, Envelope};
use super::notice::Side;
use super::{Core, Output, Source};

/// A candidate and the section it says it is of.
#[derive(Debug)]
pub(super) struct Candidate {
    mid: Option<String>,
    index: Option<u64>,
    text: String,
}

/// Longer texts are no candidates: the longest that RFC 8839 section 5.1 can make, with an IPv6 address and every
/// extension known, is a few hundred bytes.
const CANDIDATE_BYTES: usize = 1024;

/// Candidates that wait for an offer, in the order they came.
#[derive(Debug, Default)]
pub(super) struct WaitingCandidates(VecDeque<(Instant, Candidate)>);

impl WaitingCandidates {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn expire(&mut self, timeout: Duration, now: Instant) {
        let is_old = |since: &Instant| now.saturating_duration_since(*since) > timeout;
        while self.0.front().is_some_and(|(since, _)| is_old(since)) {
            self.0.pop_front();
        }
    }
}

impl Core {
    pub(super) fn trickle(
        &mut self,
        source: Source,
        envelope: &Envelope,
        session: SessionId,
        id: HandleId,
        now: Instant,
    ) -> Result<(), Error> {
        let one = envelope.fields.get("candidate");
        let many = envelope.fields.get("candidates");
        let answered = self.handles.get(&id).is_some_and(|handle| handle.is_answered());
        // What comes before the answer is taken unseen, since Janus only looks at it then: errors are for later ones.
        let candidates = match (one, many) {
            (None, None) => return Err(Error::missing("candidate|candidates")),
            (Some(_), Some(_)) => return Err(Error::both_candidate_forms()),
            (Some(one), None) => match parse(one) {
                Ok(candidate) => Vec::from_iter(candidate),
                Err(error) if answered => return Err(error),
                Err(_) => Vec::new(),
            },
            (None, Some(Value::Array(many))) => many.iter().filter_map(|one| parse(one).ok().flatten()).collect(),
            (None, Some(_)) if answered => return Err(Error::candidates_not_an_array()),
            (None, Some(_)) => Vec::new(),
        };
        self.take_candidates(id, candidates, now)?;
        self.reply(source, message::acknowledged(session, &envelope.transaction));
        // The commands go out with the reply; nothing about them is told to the client.
        Ok(())
    }

    /// Passes on what waited for the offer that has just been made.
    pub(super) fn release_candidates(&mut self, id: HandleId, now: Instant) {
        let timeout = self.config.candidates_timeout;
        let Some(handle) = self.handles.get_mut(&id) else { return };
        handle.waiting_candidates.expire(timeout, now);
        let waiting = std::mem::take(&mut handle.waiting_candidates);
        for (_, candidate) in waiting.0 {
            self.pass_on(id, candidate);
        }
    }

    fn take_candidates(&mut self, id: HandleId, candidates: Vec<Candidate>, now: Instant) -> Result<(), Error> {
        let (limit, timeout) = (self.config.limits.waiting_candidates, self.config.candidates_timeout);
        let Some(handle) = self.handles.get_mut(&id) else { return Ok(()) };
        if handle.peer.is_some() {
            for candidate in candidates {
                self.pass_on(id, candidate);
            }
            return Ok(());
        }
        let waiting = &mut handle.waiting_candidates;
        waiting.expire(timeout, now);
        if waiting.0.len() + candidates.len() > limit {
            return Err(Error::too_many_candidates(limit));
        }
        waiting.0.extend(candidates.into_iter().map(|candidate| (now, candidate)));
        Ok(())
    }

    fn pass_on(&mut self, handle: HandleId, candidate: Candidate) {
        let peer = self.handles.get(&handle).and_then(|handle| handle.peer.as_ref());
        if peer.is_some_and(|peer| peer.takes_candidate_at(candidate.mid.as_deref(), candidate.index)) {
            let candidate = candidate.text;
            self.tell_candidates(handle, Side::Remote, iter::once(candidate.as_str()));
            self.outputs.push_back(Output::Media(MediaCommand::AddCandidate { handle, candidate }));
        }
    }
}

/// One candidate; `None` where it says that there are no more, or cannot be one.
fn parse(value: &Value) -> Result<Option<Candidate>, Error> {
    let Some(fields) = value.as_object().filter(|fields| !fields.contains_key("completed")) else {
        return Ok(None);
    };
    let fields = Fields(fields);
    let read = || -> Result<_, Error> {
        let mid = fields.string("sdpMid")?;
        let index = fields.natural("sdpMLineIndex")?;
        if mid.is_none() && index.is_none() {
            return Err(Error::missing("sdpMid or sdpMLineIndex"));
        }
        Ok((mid, index, fields.string("candidate").required("candidate")?))
    };
    let (mid, index, text) = read().map_err(|error| error.within("Trickle"))?;
    if text.len() > CANDIDATE_BYTES || mid.is_some_and(|mid| mid.len() > CANDIDATE_BYTES) {
        return Ok(None);
    }
    Ok(Some(Candidate { mid: mid.map(str::to_owned), index, text: text.to_owned() }))
}
