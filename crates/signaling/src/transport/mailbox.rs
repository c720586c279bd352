//! The events of one HTTP session between two long polls. It must not know what an event says.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use tokio::sync::Notify;

use crate::SessionId;

/// The mailboxes of the sessions that HTTP owns: the only state that the core's task shares with its clients.
#[derive(Clone, Debug)]
pub(super) struct Mailboxes {
    by_session: Arc<DashMap<SessionId, Arc<Mailbox>>>,
    capacity: usize,
}

impl Mailboxes {
    /// None yet. Each will hold at most `capacity` events.
    pub(super) fn new(capacity: usize) -> Self {
        Self { by_session: Arc::default(), capacity }
    }

    /// An empty mailbox for a session, in the place of the one it had: who waits there has lost the session.
    pub(super) fn open(&self, session: SessionId) {
        self.by_session.insert(session, Arc::new(Mailbox::new(self.capacity)));
    }

    pub(super) fn close(&self, session: SessionId) {
        self.by_session.remove(&session);
    }

    pub(super) fn of(&self, session: SessionId) -> Option<Arc<Mailbox>> {
        self.by_session.get(&session).map(|mailbox| Arc::clone(&mailbox))
    }
}

/// A bounded queue: when nobody polls, the oldest events go first, because the newest describe what is.
#[derive(Debug)]
pub(super) struct Mailbox {
    events: Mutex<VecDeque<String>>,
    arrived: Notify,
    capacity: usize,
}

impl Mailbox {
    fn new(capacity: usize) -> Self {
        Self { events: Mutex::new(VecDeque::new()), arrived: Notify::new(), capacity }
    }

    /// Adds an event and releases every poll held on this mailbox. False if the oldest event had to go for it.
    pub(super) fn push(&self, event: String) -> bool {
        let mut events = self.lock();
        let full = events.len() >= self.capacity;
        if full {
            events.pop_front();
        }
        events.push_back(event);
        drop(events);
        self.arrived.notify_waiters();
        !full
    }

    /// Up to `maximum` events, oldest first: those that wait, or else those that have come when the first one comes, when
    /// `patience` is over, or when `released` ends. Several polls may wait; all of them are released by the same event,
    /// so that one of them finds it and the others nothing.
    pub(super) async fn collect(
        &self,
        maximum: usize,
        patience: Duration,
        released: impl Future<Output = ()>,
    ) -> Vec<String> {
        // Listening starts before looking, or an event between the two would be slept through.
        let mut arrived = pin!(self.arrived.notified());
        arrived.as_mut().enable();
        let events = self.take(maximum);
        if !events.is_empty() {
            return events;
        }
        tokio::select! {
            () = arrived => {}
            () = tokio::time::sleep(patience) => {}
            () = released => {}
        }
        self.take(maximum)
    }

    fn take(&self, maximum: usize) -> Vec<String> {
        let mut events = self.lock();
        let count = maximum.min(events.len());
        events.drain(..count).collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<String>> {
        // A queue of whole events is consistent at every step, so a panic elsewhere does not spoil it.
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
