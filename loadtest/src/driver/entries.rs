//! The participants of a driver, by seat.

use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;

use super::{Seat, Stay};
use crate::dialogue::Request;
use crate::participant::Participant;
use crate::port::Line;

/// A participant and what belongs to it outside.
pub(super) struct Entry {
    pub(super) participant: Participant,
    pub(super) room: u32,
    pub(super) stay: Stay,
    pub(super) requests: Option<UnboundedSender<Request>>,
    pub(super) line: Option<Line>,
    pub(super) leave_at: Option<Instant>,
    pub(super) forget_at: Option<Instant>,
    pub(super) marked: Marked,
}

/// Its counters when the measurement began.
#[derive(Clone, Copy, Default)]
pub(super) struct Marked {
    pub(super) received: u64,
    pub(super) lost: u64,
    pub(super) late: u64,
    pub(super) sent: u64,
    pub(super) present: bool,
}

/// By seat: a look-up per packet must be no search. Another driver's seats are empty here.
#[derive(Default)]
pub(super) struct Entries(Vec<Option<Box<Entry>>>);

impl Entries {
    pub(super) fn insert(&mut self, seat: Seat, entry: Entry) {
        let place = seat.0 as usize;
        if self.0.len() <= place {
            self.0.resize_with(place + 1, || None);
        }
        self.0[place] = Some(Box::new(entry));
    }

    pub(super) fn remove(&mut self, seat: Seat) {
        if let Some(place) = self.0.get_mut(seat.0 as usize) {
            *place = None;
        }
    }

    pub(super) fn get_mut(&mut self, seat: Seat) -> Option<&mut Entry> {
        self.0.get_mut(seat.0 as usize)?.as_deref_mut()
    }

    pub(super) fn contains(&self, seat: Seat) -> bool {
        self.0.get(seat.0 as usize).is_some_and(Option::is_some)
    }

    pub(super) fn seats(&self) -> impl Iterator<Item = Seat> + use<> {
        (0..self.0.len() as u32).map(Seat)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter().flatten().map(AsRef::as_ref)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.0.iter_mut().flatten().map(AsMut::as_mut)
    }
}
