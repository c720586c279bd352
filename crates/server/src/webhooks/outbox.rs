//! The events that wait for one receiver: in order, bounded, a batch at a time, tried again until it is taken or too old. Knows
//! neither HTTP nor a clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The wait after the first failure; it doubles with each further one …
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// … up to this, so that a receiver that is back hears of it within a minute.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What an [`Outbox`] may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Events that wait.
    pub(super) queue: usize,
    /// Events in one batch; 1 = not within an array.
    pub(super) batch: usize,
    /// For how long a batch is tried again.
    pub(super) retry_for: Duration,
}

/// What has become of the events of one receiver.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Events taken.
    pub(crate) delivered: u64,
    /// Events that were left out because too many waited.
    pub(crate) overflowed: u64,
    /// Events that the receiver said it would never take.
    pub(crate) refused: u64,
    /// Events given up after `retry_for`.
    pub(crate) expired: u64,
    /// Events that wait now, those of the post under way included.
    pub(crate) waiting: u64,
    /// Posts that failed, each of which is tried again but for the last.
    pub(crate) failed_posts: u64,
}

/// What has become of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Taken,
    /// It may be taken another time.
    Failed,
    /// It never will.
    Refused,
}

/// The events of one receiver.
#[derive(Debug)]
pub(super) struct Outbox {
    limits: Limits,
    /// As JSON texts.
    queue: VecDeque<String>,
    batch: Option<Batch>,
    batches: u64,
    counters: Counters,
}

/// What is posted until it is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Batch {
    /// Unique within the outbox.
    pub(super) number: u64,
    /// JSON.
    pub(super) body: String,
    events: u64,
    failures: u32,
    first: Instant,
    due: Instant,
}

impl Outbox {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, queue: VecDeque::new(), batch: None, batches: 0, counters: Counters::default() }
    }

    /// Takes an event, and lets go of the oldest that waits where there are too many.
    pub(super) fn push(&mut self, event: String) {
        if self.queue.len() >= self.limits.queue {
            self.queue.pop_front();
            self.miss(1);
        }
        self.queue.push_back(event);
    }

    /// So many events never came here.
    pub(super) fn miss(&mut self, events: u64) {
        self.counters.overflowed += events;
    }

    /// The batch to post now, the same until it is settled.
    pub(super) fn poll_batch(&mut self, now: Instant) -> Option<&Batch> {
        if self.batch.is_none() && !self.queue.is_empty() {
            self.batch = Some(self.next_batch(now));
        }
        self.batch.as_ref().filter(|batch| batch.due <= now)
    }

    /// When [`Self::poll_batch`] has something again without another event; `None` if never.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.batch.as_ref().map(|batch| batch.due)
    }

    /// The batch was posted. `jitter`, 0 to 1, spreads the next try over the second half of the wait.
    pub(super) fn settle(&mut self, outcome: Outcome, jitter: f64, now: Instant) {
        let Some(mut batch) = self.batch.take() else { return };
        match outcome {
            Outcome::Taken => self.counters.delivered += batch.events,
            Outcome::Refused => {
                self.counters.failed_posts += 1;
                self.counters.refused += batch.events;
            }
            Outcome::Failed => {
                self.counters.failed_posts += 1;
                if now.saturating_duration_since(batch.first) >= self.limits.retry_for {
                    self.counters.expired += batch.events;
                    return;
                }
                let longest = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(batch.failures)).min(LONGEST_WAIT);
                batch.failures += 1;
                batch.due = now + longest.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
                self.batch = Some(batch);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batch.is_none() && self.queue.is_empty()
    }

    /// Posts are not waited for any more: the batch is due at once.
    pub(super) fn hurry(&mut self, now: Instant) {
        if let Some(batch) = &mut self.batch {
            batch.due = now;
        }
    }

    pub(super) fn counters(&self) -> Counters {
        let in_batch = self.batch.as_ref().map_or(0, |batch| batch.events);
        Counters { waiting: self.queue.len() as u64 + in_batch, ..self.counters }
    }

    fn next_batch(&mut self, now: Instant) -> Batch {
        let count = self.queue.len().min(self.limits.batch);
        let events: Vec<String> = self.queue.drain(..count).collect();
        let body = events.join(",");
        let body = if self.limits.batch == 1 { body } else { format!("[{body}]") };
        self.batches += 1;
        Batch { number: self.batches, body, events: count as u64, failures: 0, first: now, due: now }
    }
}

#[cfg(test)]
mod tests {
    use super::{Counters, Duration, Instant, Limits, Outbox, Outcome};

    const LIMITS: Limits = Limits { queue: 3, batch: 2, retry_for: Duration::from_secs(100) };

    #[expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
    fn outbox(limits: Limits, events: &[&str]) -> (Outbox, Instant) {
        let mut outbox = Outbox::new(limits);
        events.iter().for_each(|event| outbox.push((*event).to_owned()));
        (outbox, Instant::now())
    }

    fn body(outbox: &mut Outbox, now: Instant) -> Option<String> {
        outbox.poll_batch(now).map(|batch| batch.body.clone())
    }

    #[test]
    fn events_leave_in_order_and_in_batches() {
        let (mut outbox, now) = outbox(LIMITS, &["1", "2", "3"]);
        assert_eq!(body(&mut outbox, now).as_deref(), Some("[1,2]"));
        outbox.push("4".to_owned());
        outbox.settle(Outcome::Taken, 0.0, now);
        assert_eq!(body(&mut outbox, now).as_deref(), Some("[3,4]"));
        outbox.settle(Outcome::Taken, 0.0, now);
        assert_eq!(body(&mut outbox, now), None);
        assert_eq!(outbox.counters(), Counters { delivered: 4, ..Counters::default() });
    }

    #[test]
    fn in_batches_of_one_an_event_stands_alone() {
        let (mut outbox, now) = outbox(Limits { batch: 1, ..LIMITS }, &["1", "2"]);
        assert_eq!(body(&mut outbox, now).as_deref(), Some("1"));
    }

    #[test]
    fn a_failed_batch_is_tried_again_as_it_is_and_later_each_time() {
        let (mut outbox, mut now) = outbox(LIMITS, &["1"]);
        let mut waits = vec![];
        for _ in 0..7 {
            assert_eq!(body(&mut outbox, now).as_deref(), Some("[1]"));
            outbox.settle(Outcome::Failed, 1.0, now);
            outbox.push("later".to_owned());
            assert_eq!(body(&mut outbox, now), None, "it is too early");
            let due = outbox.poll_timeout().expect("a batch waits");
            waits.push((due - now).as_secs());
            now = due;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60]);
    }

    #[test]
    fn jitter_takes_at_most_half_of_the_wait() {
        let (mut outbox, now) = outbox(LIMITS, &["1"]);
        outbox.poll_batch(now);
        outbox.settle(Outcome::Failed, 0.0, now);
        assert_eq!(outbox.poll_timeout(), Some(now + Duration::from_millis(500)));
    }

    #[test]
    fn what_is_too_old_is_given_up_and_what_is_refused_at_once() {
        let (mut outbox, now) = outbox(LIMITS, &["1", "2", "3"]);
        outbox.poll_batch(now);
        outbox.settle(Outcome::Failed, 0.0, now + LIMITS.retry_for);
        assert_eq!(body(&mut outbox, now).as_deref(), Some("[3]"));
        outbox.settle(Outcome::Refused, 0.0, now);
        assert!(outbox.is_empty());
        assert_eq!(outbox.counters(), Counters { expired: 2, refused: 1, failed_posts: 2, ..Counters::default() });
    }

    #[test]
    fn a_full_queue_lets_go_of_its_oldest_but_not_of_what_is_on_its_way() {
        let (mut outbox, now) = outbox(LIMITS, &["1", "2"]);
        assert_eq!(body(&mut outbox, now).as_deref(), Some("[1,2]"));
        ["3", "4", "5", "6"].iter().for_each(|event| outbox.push((*event).to_owned()));
        assert_eq!(outbox.counters(), Counters { overflowed: 1, waiting: 5, ..Counters::default() });
        outbox.settle(Outcome::Taken, 0.0, now);
        assert_eq!(body(&mut outbox, now).as_deref(), Some("[4,5]"));
    }
}
