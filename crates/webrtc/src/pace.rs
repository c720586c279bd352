//! When a socket is read: at once when something comes, or by the clock while much comes. Pure; knows no socket.
//!
//! A thread that is woken for each datagram pays more for waking than for the datagram, and finds its caches cold each
//! time. A datagram of audio has time until the next mix, so the clock looks just before each: that costs no delay. A few
//! at once, as they come while one peer connects, are read at once.

use std::time::{Duration, Instant};

/// The distance between two looks: that of the moments at which rooms may be mixed.
const READ_INTERVAL: Duration = Duration::from_millis(5);
/// The time in which a client that sends audio sends once.
const WINDOW: Duration = Duration::from_millis(20);
/// Datagrams in a window from which the clock wakes the thread less often than they would; it goes back at half of it.
const MANY: u32 = 8;

/// Counts datagrams and decides.
#[derive(Debug)]
pub(crate) struct Pace {
    /// The clock looks at this moment and each [`READ_INTERVAL`] after it.
    origin: Instant,
    since: Instant,
    datagrams: u32,
    by_clock: bool,
}

impl Pace {
    pub(crate) fn new(origin: Instant, now: Instant) -> Self {
        Self { origin, since: now, datagrams: 0, by_clock: false }
    }

    /// So many have come until now.
    pub(crate) fn count(&mut self, datagrams: usize, now: Instant) {
        self.datagrams += datagrams as u32;
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed >= WINDOW {
            let enough = if self.by_clock { MANY / 2 } else { MANY };
            self.by_clock = WINDOW * self.datagrams >= elapsed * enough;
            (self.since, self.datagrams) = (now, 0);
        }
    }

    /// When to read next; `None`: as soon as something comes.
    pub(crate) fn next_read(&self, now: Instant) -> Option<Instant> {
        let since_last = now.saturating_duration_since(self.origin).as_nanos() % READ_INTERVAL.as_nanos();
        self.by_clock.then(|| now + READ_INTERVAL - Duration::from_nanos(since_last as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many datagrams, one after the other, over so long a time.
    fn run(pace: &mut Pace, now: &mut Instant, datagrams: u32, over: Duration) {
        for _ in 0..datagrams {
            *now += over / datagrams;
            pace.count(1, *now);
        }
    }

    #[test]
    fn many_are_read_by_the_clock_and_few_at_once() {
        #[expect(clippy::disallowed_methods, reason = "where virtual time starts does not matter")]
        let mut now = Instant::now();
        let mut pace = Pace::new(now, now);
        let second = Duration::from_secs(1);

        run(&mut pace, &mut now, 300, second);
        assert_eq!(pace.next_read(now), None, "a few peers");
        run(&mut pace, &mut now, 500, second);
        assert!(pace.next_read(now).is_some(), "many");
        run(&mut pace, &mut now, 250, second);
        assert!(pace.next_read(now).is_some(), "still more than half as many");
        run(&mut pace, &mut now, 150, second);
        assert_eq!(pace.next_read(now), None, "few again");
    }

    #[test]
    fn the_clock_keeps_to_its_origin() {
        #[expect(clippy::disallowed_methods, reason = "where virtual time starts does not matter")]
        let origin = Instant::now();
        let mut now = origin;
        let mut pace = Pace::new(origin, now);
        run(&mut pace, &mut now, 1000, Duration::from_secs(1));

        for (at, read_at) in [(1000, 1005), (1001, 1005), (1004, 1005), (1005, 1010), (1013, 1015)] {
            let millis = |millis| origin + Duration::from_millis(millis);
            assert_eq!(pace.next_read(millis(at)), Some(millis(read_at)), "{at}");
        }
    }

    #[test]
    fn a_burst_after_a_silence_is_no_stream() {
        #[expect(clippy::disallowed_methods, reason = "where virtual time starts does not matter")]
        let mut now = Instant::now();
        let mut pace = Pace::new(now, now);

        now += Duration::from_secs(1);
        pace.count(100, now);

        assert_eq!(pace.next_read(now), None);
    }
}
