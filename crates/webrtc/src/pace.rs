//! When a socket is read: at once when something comes, or by the clock while much comes. Pure; knows no socket.
//!
//! A thread that is woken for each datagram pays more for waking than for the datagram, and finds its caches cold each
//! time. A datagram of audio has time until the next mix, so the clock looks just before each of those whose mixes come
//! here: that costs no delay. A few at once, as they come while one peer connects, are read at once.

use std::time::{Duration, Instant};

/// Every room is mixed once in this time, and a client that sends audio sends once in it.
const FRAME: Duration = Duration::from_millis(20);
/// Rooms are mixed at one of so many moments of a frame.
const PHASES: usize = 4;
/// Between two of them.
const STEP: Duration = Duration::from_millis(5);
/// Before a mix the clock looks: it wakes a thread up to 1 ms late, and the thread has work to do.
const BEFORE_MIX: Duration = Duration::from_millis(2);
/// Samples of media time in a [`STEP`].
const STEP_SAMPLES: u64 = 240;
/// Datagrams in a frame from which the clock wakes the thread less often than they would; it goes back at half of it.
const MANY: u32 = 8;
/// Datagrams in a frame for which a socket's buffer may be too small, as large as kernels let it be by default, if they
/// wait for all of it.
const TOO_MANY_TO_WAIT: u32 = 128;
/// So long after its last mixes a phase counts as one with mixes.
const LATELY: Duration = Duration::from_secs(1);
/// So long after a command there may be a handshake, which is not to wait for mixes.
const HANDSHAKE: Duration = Duration::from_secs(2);

/// Counts datagrams and decides.
#[derive(Debug)]
pub(crate) struct Pace {
    /// A mix begins at this moment and each [`STEP`] after it, the first with media time 0.
    epoch: Instant,
    since: Instant,
    datagrams: u32,
    by_clock: bool,
    /// Every phase counts.
    crowded: bool,
    /// When mixes of each phase came last.
    mixed_at: [Option<Instant>; PHASES],
    commanded_at: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(epoch: Instant, now: Instant) -> Self {
        let (mixed_at, commanded_at) = ([None; PHASES], None);
        Self { epoch, since: now, datagrams: 0, by_clock: false, crowded: false, mixed_at, commanded_at }
    }

    /// So many have come until now.
    pub(crate) fn count(&mut self, datagrams: usize, now: Instant) {
        self.datagrams += datagrams as u32;
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed >= FRAME {
            let reach = |per_frame: u32| FRAME * self.datagrams >= elapsed * per_frame;
            self.by_clock = reach(if self.by_clock { MANY / 2 } else { MANY });
            self.crowded = reach(TOO_MANY_TO_WAIT);
            (self.since, self.datagrams) = (now, 0);
        }
    }

    /// A mix with this media time has come.
    pub(crate) fn mixed(&mut self, media_time: u64, now: Instant) {
        self.mixed_at[(media_time / STEP_SAMPLES % PHASES as u64) as usize] = Some(now);
    }

    /// A command has come.
    pub(crate) fn commanded(&mut self, now: Instant) {
        self.commanded_at = Some(now);
    }

    /// When to read next; `None`: as soon as something comes.
    pub(crate) fn next_read(&self, now: Instant) -> Option<Instant> {
        if !self.by_clock {
            return None;
        }
        let is_recent = |at: Option<Instant>, within| at.is_some_and(|at| now.saturating_duration_since(at) < within);
        let mixes = self.mixed_at.map(|at| is_recent(at, LATELY));
        let all = self.crowded || is_recent(self.commanded_at, HANDSHAKE) || !mixes.contains(&true);
        let since_epoch = (now + BEFORE_MIX).saturating_duration_since(self.epoch);
        let steps = (since_epoch.as_nanos() / STEP.as_nanos()) as u64;
        let since_step = Duration::from_nanos((since_epoch.as_nanos() % STEP.as_nanos()) as u64);
        let ahead =
            (1..PHASES as u32).find(|&ahead| all || mixes[((steps + u64::from(ahead)) % PHASES as u64) as usize]);
        Some(now + STEP * ahead.unwrap_or(PHASES as u32) - since_step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[expect(clippy::disallowed_methods, reason = "where virtual time starts does not matter")]
    fn start() -> Instant {
        Instant::now()
    }

    /// So many datagrams, one after the other, over so long a time.
    fn run(pace: &mut Pace, now: &mut Instant, datagrams: u32, over: Duration) {
        for _ in 0..datagrams {
            *now += over / datagrams;
            pace.count(1, *now);
        }
    }

    /// The next reads, in milliseconds since `epoch`.
    fn reads(pace: &Pace, epoch: Instant, mut now: Instant, count: usize) -> Vec<u64> {
        let mut reads = Vec::new();
        for _ in 0..count {
            now = pace.next_read(now).unwrap();
            reads.push((now - epoch).as_millis() as u64);
        }
        reads
    }

    #[test]
    fn many_are_read_by_the_clock_and_few_at_once() {
        let mut now = start();
        let mut pace = Pace::new(now, now);

        run(&mut pace, &mut now, 300, SECOND);
        assert_eq!(pace.next_read(now), None, "a few peers");
        run(&mut pace, &mut now, 500, SECOND);
        assert!(pace.next_read(now).is_some(), "many");
        run(&mut pace, &mut now, 250, SECOND);
        assert!(pace.next_read(now).is_some(), "still more than half as many");
        run(&mut pace, &mut now, 150, SECOND);
        assert_eq!(pace.next_read(now), None, "few again");
    }

    #[test]
    fn without_mixes_the_clock_looks_before_every_phase() {
        let epoch = start();
        let mut now = epoch;
        let mut pace = Pace::new(epoch, now);
        run(&mut pace, &mut now, 1000, SECOND);

        assert_eq!(reads(&pace, epoch, now, 5), [1003, 1008, 1013, 1018, 1023]);
        assert_eq!(pace.next_read(epoch + Duration::from_micros(1_002_999)), Some(epoch + Duration::from_millis(1003)));
    }

    #[test]
    fn the_clock_looks_before_the_phases_whose_mixes_come_here() {
        let epoch = start();
        let mut now = epoch;
        let mut pace = Pace::new(epoch, now);
        run(&mut pace, &mut now, 1000, SECOND);

        pace.mixed(48_000 + 240, now);
        assert_eq!(reads(&pace, epoch, now, 3), [1003, 1023, 1043], "mixed at 1005, 1025");
        pace.mixed(960 + 720, now);
        assert_eq!(reads(&pace, epoch, now, 4), [1003, 1013, 1023, 1033], "and at 1015");

        run(&mut pace, &mut now, 900, SECOND);
        pace.mixed(96_000 + 720, now);
        run(&mut pace, &mut now, 100, SECOND / 10);
        assert_eq!(reads(&pace, epoch, now, 2), [2113, 2133], "the first had no mixes for a second");
    }

    #[test]
    fn neither_a_handshake_nor_a_full_socket_waits_for_mixes() {
        let epoch = start();
        let mut now = epoch;
        let mut pace = Pace::new(epoch, now);
        run(&mut pace, &mut now, 1000, SECOND);
        pace.mixed(48_000, now);

        pace.commanded(now);
        assert_eq!(reads(&pace, epoch, now, 2), [1003, 1008]);

        run(&mut pace, &mut now, 3000, 3 * SECOND);
        pace.mixed(4 * 48_000, now);
        assert_eq!(reads(&pace, epoch, now, 2), [4018, 4038]);

        run(&mut pace, &mut now, 10_000, SECOND);
        pace.mixed(5 * 48_000, now);
        assert_eq!(reads(&pace, epoch, now, 2), [5003, 5008]);
    }

    #[test]
    fn a_burst_after_a_silence_is_no_stream() {
        let mut now = start();
        let mut pace = Pace::new(now, now);

        now += SECOND;
        pace.count(100, now);

        assert_eq!(pace.next_read(now), None);
    }
}
