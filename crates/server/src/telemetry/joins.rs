//! How a PeerConnection came to be, phase by phase, pieced together from notices. Knows no exporter.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use signaling::{HandleId, Happening, Occurrence, Place, SessionId};

/// A PeerConnection that is up and has been heard, or has failed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Join {
    pub(super) session: SessionId,
    pub(super) handle: HandleId,
    /// In which room, if it was in one.
    pub(super) place: Option<Place>,
    pub(super) start: Instant,
    pub(super) end: Instant,
    /// In the order of time.
    pub(super) phases: Vec<Phase>,
    /// Why it never was up.
    pub(super) failure: Option<Arc<str>>,
}

/// A part of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) start: Instant,
    pub(super) end: Instant,
}

/// The joins under way: one for each handle that is attached and not yet heard.
#[derive(Debug, Default)]
pub(super) struct Joins(HashMap<HandleId, Milestones>);

#[derive(Debug)]
struct Milestones {
    session: SessionId,
    place: Option<Place>,
    attached: Instant,
    joined: Option<Instant>,
    /// The first SDP, whosesoever.
    offered: Option<Instant>,
    /// The second.
    answered: Option<Instant>,
    path_found: Option<Instant>,
    connected: Option<Instant>,
}

impl Joins {
    /// Follows what happens; what comes back is a join that is over.
    pub(super) fn handle(&mut self, occurrence: &Occurrence) -> Option<Join> {
        let Occurrence { at, notice } = occurrence;
        let origin = notice.origin.as_ref()?;
        let (session, handle, at) = (origin.session, origin.handle?, *at);
        if let Happening::HandleAttached { .. } = notice.what {
            self.0.insert(handle, Milestones::new(session, at));
            return None;
        }
        let milestones = self.0.get_mut(&handle)?;
        if let Happening::ParticipantJoined { place, .. } = &notice.what {
            milestones.place = Some(place.clone());
            milestones.joined.get_or_insert(at);
        } else if let Happening::SdpExchanged { .. } = notice.what {
            match milestones.offered {
                None => milestones.offered = Some(at),
                Some(_) => {
                    milestones.answered.get_or_insert(at);
                }
            }
        } else if let Happening::PathFound = notice.what {
            milestones.path_found.get_or_insert(at);
        } else if let Happening::Connected = notice.what {
            milestones.connected.get_or_insert(at);
        } else if let Happening::Receiving { receiving: true } = notice.what {
            return Some(self.0.remove(&handle)?.heard(handle, at));
        } else if let Happening::Disconnected { reason } = &notice.what {
            return self.0.remove(&handle)?.ended(handle, reason, at);
        } else if let Happening::HandleDetached { .. } = notice.what {
            self.0.remove(&handle);
        }
        None
    }

    /// Some of what happened was missed: whose end was among it would stay for ever.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

impl Milestones {
    fn new(session: SessionId, attached: Instant) -> Self {
        Self {
            session,
            place: None,
            attached,
            joined: None,
            offered: None,
            answered: None,
            path_found: None,
            connected: None,
        }
    }

    fn heard(self, handle: HandleId, at: Instant) -> Join {
        let first_packet = self.connected.map(|connected| Phase { name: "first packet", start: connected, end: at });
        self.join(handle, first_packet, at, None)
    }

    /// Whoever only listens is up without ever being heard.
    fn ended(self, handle: HandleId, reason: &Arc<str>, at: Instant) -> Option<Join> {
        self.offered?;
        Some(match self.connected {
            Some(connected) => self.join(handle, None, connected, None),
            None => self.join(handle, None, at, Some(Arc::clone(reason))),
        })
    }

    fn join(self, handle: HandleId, last: Option<Phase>, end: Instant, failure: Option<Arc<str>>) -> Join {
        let phase = |name, start: Option<Instant>, end: Option<Instant>| {
            start.zip(end).filter(|(start, end)| start <= end).map(|(start, end)| Phase { name, start, end })
        };
        let phases = [
            phase("attach to join", Some(self.attached), self.joined),
            phase("offer and answer", self.offered, self.answered),
            phase("ICE", self.answered, self.path_found),
            phase("DTLS", self.path_found, self.connected),
            last,
        ];
        let Self { session, place, attached, .. } = self;
        Join { session, handle, place, start: attached, end, phases: phases.into_iter().flatten().collect(), failure }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use signaling::{
        HandleId, Happening, Id, JsepKind, Notice, Occurrence, Origin, Place, RoomId, SessionId, Side, UserId,
    };

    use super::{Join, Joins};

    #[expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
    fn now() -> Instant {
        Instant::now()
    }

    /// What comes of these, each 10 ms after the one before.
    fn follow(happenings: Vec<Happening>) -> Vec<Join> {
        let origin = Origin { session: SessionId(1), handle: Some(HandleId(2)), opaque_id: None };
        let mut at = now();
        let mut joins = Joins::default();
        let mut over = vec![];
        for what in happenings {
            over.extend(joins.handle(&Occurrence { at, notice: Notice { origin: Some(origin.clone()), what } }));
            at += Duration::from_millis(10);
        }
        over
    }

    fn up_to_the_answer() -> Vec<Happening> {
        let place = Place { room: RoomId(Id::Number(1234)), participant: UserId(Id::Number(5)) };
        vec![
            Happening::HandleAttached { plugin: "janus.plugin.audiobridge" },
            Happening::ParticipantJoined { place, display: None, muted: false },
            Happening::SdpExchanged { side: Side::Remote, kind: JsepKind::Offer, sdp: "".into() },
            Happening::SdpExchanged { side: Side::Local, kind: JsepKind::Answer, sdp: "".into() },
        ]
    }

    fn phases(join: &Join) -> Vec<(&'static str, u128)> {
        join.phases.iter().map(|phase| (phase.name, (phase.end - phase.start).as_millis())).collect()
    }

    #[test]
    fn a_join_is_over_with_the_first_packet() {
        let rest = [
            Happening::PathFound,
            Happening::Connected,
            Happening::Receiving { receiving: true },
            Happening::PathFound,
        ];
        let joins = follow(up_to_the_answer().into_iter().chain(rest).collect());
        assert_eq!(joins.len(), 1);
        let all = [("attach to join", 10), ("offer and answer", 10), ("ICE", 10), ("DTLS", 10), ("first packet", 10)];
        assert_eq!(phases(&joins[0]), all);
        assert_eq!((joins[0].end - joins[0].start).as_millis(), 60);
        assert_eq!(joins[0].failure, None);
        assert_eq!(joins[0].place.as_ref().map(|place| place.room.to_string()).as_deref(), Some("1234"));
    }

    #[test]
    fn a_join_that_fails_says_why_and_how_far_it_came() {
        let end = Happening::Disconnected { reason: "ICE failed".into() };
        let joins = follow(up_to_the_answer().into_iter().chain([end]).collect());
        assert_eq!(joins[0].failure.as_deref(), Some("ICE failed"));
        assert_eq!(phases(&joins[0]), [("attach to join", 10), ("offer and answer", 10)]);
    }

    #[test]
    fn who_only_listens_has_joined_when_connected() {
        let end = Happening::Disconnected { reason: "Janus API".into() };
        let rest = [Happening::PathFound, Happening::Connected, end];
        let joins = follow(up_to_the_answer().into_iter().chain(rest).collect());
        assert_eq!(joins[0].failure, None);
        assert_eq!((joins[0].end - joins[0].start).as_millis(), 50);
    }

    #[test]
    fn joins_of_which_a_part_may_be_missed_are_forgotten() {
        let mut joins = Joins::default();
        let origin = Origin { session: SessionId(1), handle: Some(HandleId(2)), opaque_id: None };
        let attached = Happening::HandleAttached { plugin: "janus.plugin.audiobridge" };
        joins.handle(&Occurrence { at: now(), notice: Notice { origin: Some(origin), what: attached } });

        joins.forget();

        assert!(joins.0.is_empty());
    }

    #[test]
    fn a_handle_without_a_peer_connection_is_no_join() {
        let plugin = "janus.plugin.audiobridge";
        assert_eq!(follow(vec![Happening::HandleAttached { plugin }, Happening::HandleDetached { plugin }]), []);
    }
}
