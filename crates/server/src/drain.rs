//! The end in good order: from the order to drain on no room begins, calls go on, and the process ends when all have left or
//! at a deadline. A function of orders, of who is left, and of time; who is told of it is in `drain/owner.rs`.

pub(crate) mod owner;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How often it is looked who is left: nobody waits long for the end of a server that is empty.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How often it is told.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Who is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Rooms with somebody in them: others hold nothing up.
    pub rooms: usize,
    /// Participants in all rooms.
    pub participants: usize,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All had left.
    Empty,
    /// The deadline came first; these were left.
    Cut(Occupancy),
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) left: Occupancy,
    /// `None` = the server does not drain.
    pub(crate) times: Option<Times>,
}

impl Progress {
    /// As operators see it, in seconds.
    pub(crate) fn as_json(&self) -> Value {
        let Occupancy { rooms, participants } = self.left;
        let mut drain = json!({"draining": self.times.is_some(), "rooms": rooms, "participants": participants});
        if let Some(times) = self.times {
            drain["elapsed"] = times.elapsed.as_secs().into();
            drain["remaining"] = times.remaining.as_secs().into();
        }
        drain
    }
}

/// When a drain began and when it ends at the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) elapsed: Duration,
    pub(crate) remaining: Duration,
}

/// What shall be done, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Begin no room, or begin some again.
    SetDraining(bool),
    /// Tell how far it is.
    Report(Progress),
    /// End the process. Nothing comes after it.
    End(Ending),
}

/// Whether and until when the server drains.
///
/// Give it orders by `handle_begin` and `handle_undo`, and call `handle_look` when `poll_look` is due, with who is left; then
/// take everything out with `poll_output`.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    state: State,
    left: Occupancy,
    outputs: VecDeque<Output>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Serving,
    Draining {
        since: Instant,
        deadline: Instant,
        next_look: Instant,
        next_report: Instant,
    },
    Over,
}

impl Drain {
    /// From now on, for so long at most. One that has begun goes on, until this deadline; `None` = until that which it has,
    /// and for a new one `default`.
    pub(crate) fn handle_begin(&mut self, wish: Option<Duration>, default: Duration, now: Instant) {
        match &mut self.state {
            State::Serving => {
                let deadline = now + wish.unwrap_or(default);
                self.state = State::Draining { since: now, deadline, next_look: now, next_report: now };
                self.outputs.push_back(Output::SetDraining(true));
            }
            State::Draining { deadline, next_look, next_report, .. } => {
                if let Some(wish) = wish {
                    *deadline = now + wish;
                    (*next_look, *next_report) = (now, now);
                }
            }
            State::Over => {}
        }
    }

    /// As if nothing had been said. False if it is too late.
    pub(crate) fn handle_undo(&mut self) -> bool {
        match self.state {
            State::Serving => true,
            State::Draining { .. } => {
                self.state = State::Serving;
                self.outputs.push_back(Output::SetDraining(false));
                true
            }
            State::Over => false,
        }
    }

    /// Takes who is left now, as far as that is known.
    pub(crate) fn handle_look(&mut self, left: Option<Occupancy>, now: Instant) {
        self.left = left.unwrap_or(self.left);
        let State::Draining { deadline, next_look, next_report, .. } = &mut self.state else { return };
        *next_look = now + LOOK_INTERVAL.min(deadline.saturating_duration_since(now));
        let ending = if left.is_some_and(|left| left.participants == 0) {
            Some(Ending::Empty)
        } else {
            (now >= *deadline).then_some(Ending::Cut(self.left))
        };
        if ending.is_none() && now >= *next_report {
            *next_report = now + REPORT_INTERVAL;
            let progress = self.progress(now);
            self.outputs.push_back(Output::Report(progress));
        }
        if let Some(ending) = ending {
            self.state = State::Over;
            self.outputs.push_back(Output::End(ending));
        }
    }

    /// When `handle_look` is wanted next.
    pub(crate) fn poll_look(&self) -> Option<Instant> {
        match self.state {
            State::Draining { next_look, .. } => Some(next_look),
            State::Serving | State::Over => None,
        }
    }

    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How far it is.
    pub(crate) fn progress(&self, now: Instant) -> Progress {
        let times = match self.state {
            State::Serving => None,
            State::Draining { since, deadline, .. } => Some(Times {
                elapsed: now.saturating_duration_since(since),
                remaining: deadline.saturating_duration_since(now),
            }),
            State::Over => Some(Times { elapsed: Duration::ZERO, remaining: Duration::ZERO }),
        };
        Progress { left: self.left, times }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: Duration = Duration::from_secs(100);

    /// A drain, and the time that the test lets pass.
    struct Server {
        drain: Drain,
        now: Instant,
        left: Occupancy,
    }

    impl Server {
        #[expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
        fn with(participants: usize) -> Self {
            let left = Occupancy { rooms: participants.min(1), participants };
            Self { drain: Drain::default(), now: Instant::now(), left }
        }

        fn begin(&mut self, wish: Option<u64>) {
            self.drain.handle_begin(wish.map(Duration::from_secs), DEFAULT, self.now);
        }

        /// What comes in so many seconds, each with the second.
        fn pass(&mut self, seconds: u64) -> Vec<(u64, Output)> {
            let start = self.now;
            let mut outputs = Vec::new();
            loop {
                let passed = (self.now - start).as_secs();
                outputs.extend(std::iter::from_fn(|| self.drain.poll_output()).map(|output| (passed, output)));
                let Some(look) = self.drain.poll_look().filter(|look| *look <= start + Duration::from_secs(seconds))
                else {
                    break;
                };
                self.now = look;
                self.drain.handle_look(Some(self.left), look);
            }
            self.now = start + Duration::from_secs(seconds);
            outputs
        }
    }

    fn ends(outputs: &[(u64, Output)]) -> Vec<(u64, Ending)> {
        let end = |&(second, output): &(u64, Output)| match output {
            Output::End(ending) => Some((second, ending)),
            Output::SetDraining(_) | Output::Report(_) => None,
        };
        outputs.iter().filter_map(end).collect()
    }

    #[test]
    fn a_server_that_is_empty_ends_at_once_and_first_lets_no_room_begin() {
        let mut server = Server::with(0);
        assert_eq!(server.pass(1000), []);

        server.begin(None);

        assert_eq!(server.pass(0), [(0, Output::SetDraining(true)), (0, Output::End(Ending::Empty))]);
        assert_eq!(server.pass(1000), []);
    }

    #[test]
    fn it_ends_within_a_second_after_the_last_has_left() {
        let mut server = Server::with(3);
        server.begin(None);
        assert_eq!(ends(&server.pass(42)), []);

        server.left = Occupancy::default();

        assert_eq!(ends(&server.pass(10)), [(1, Ending::Empty)]);
    }

    #[test]
    fn the_deadline_cuts_who_is_left() {
        let mut server = Server::with(3);
        server.begin(None);
        let outputs = server.pass(1000);
        assert_eq!(ends(&outputs), [(100, Ending::Cut(server.left))]);
        assert!(!server.drain.handle_undo());
    }

    #[test]
    fn a_deadline_of_zero_cuts_at_once() {
        let mut server = Server::with(3);
        server.begin(Some(0));
        assert_eq!(ends(&server.pass(0)), [(0, Ending::Cut(server.left))]);
    }

    #[test]
    fn progress_is_told_at_once_and_every_ten_seconds() {
        let mut server = Server::with(3);
        server.begin(Some(25));
        let reports: Vec<_> = server
            .pass(24)
            .into_iter()
            .filter_map(|(second, output)| match output {
                Output::Report(Progress { left, times: Some(times) }) => Some((second, left.participants, times)),
                Output::Report(_) | Output::SetDraining(_) | Output::End(_) => None,
            })
            .collect();
        let times =
            |elapsed| Times { elapsed: Duration::from_secs(elapsed), remaining: Duration::from_secs(25 - elapsed) };
        assert_eq!(reports, [(0, 3, times(0)), (10, 3, times(10)), (20, 3, times(20))]);
    }

    #[test]
    fn a_second_order_moves_the_deadline_only_if_it_has_one() {
        let mut server = Server::with(3);
        server.begin(Some(50));
        server.pass(10);
        server.begin(None);
        assert_eq!(server.drain.progress(server.now).times.map(|it| it.remaining), Some(Duration::from_secs(40)));
        server.begin(Some(5));
        assert_eq!(ends(&server.pass(100)), [(5, Ending::Cut(server.left))]);
    }

    #[test]
    fn undone_it_goes_on_as_before_and_can_begin_again() {
        let mut server = Server::with(3);
        server.begin(Some(50));
        server.pass(10);

        assert!(server.drain.handle_undo());

        assert_eq!(server.pass(1000), [(0, Output::SetDraining(false))]);
        assert_eq!(server.drain.progress(server.now).times, None);
        server.begin(Some(50));
        assert_eq!(ends(&server.pass(100)), [(50, Ending::Cut(server.left))]);
    }

    #[test]
    fn who_does_not_say_who_is_left_is_not_taken_for_empty() {
        let mut server = Server::with(3);
        server.begin(Some(50));
        server.pass(0);
        server.drain.handle_look(None, server.now);
        assert_eq!(server.drain.poll_output(), None);
        assert_eq!(server.drain.progress(server.now).left, server.left);
    }
}
