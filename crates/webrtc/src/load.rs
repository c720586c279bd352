//! How busy a driver is, and whether it is too much: measured by its thread, read by whoever places peers. Must not know
//! what it is busy with.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A load is that of the last second: steady enough to place peers by, and soon enough.
const WINDOW: Duration = Duration::from_secs(1);
/// A mix that has waited longer than this for its turn is late: half a frame, which most receivers' buffers still hide.
const LATE: Duration = Duration::from_millis(10);
/// It is judged over so long. One stall is no overload.
const JUDGED_OVER: Duration = Duration::from_millis(500);
/// Overload begins when more than a quarter of the batches were late,
const BAD: u32 = 4;
/// … and is calm when at most a twentieth were.
const CALM: u32 = 20;
/// It ends after so many calm windows in a row: 2 s, so that it does not come back at once.
const CALM_WINDOWS: u32 = 4;

/// What a driver's thread last told of itself.
#[derive(Debug, Default)]
pub(crate) struct Load {
    permille: AtomicU32,
    overloaded: AtomicBool,
}

impl Load {
    /// Which part of the last second the thread was busy, in thousandths.
    pub(crate) fn permille(&self) -> u32 {
        self.permille.load(Ordering::Relaxed)
    }

    pub(crate) fn is_overloaded(&self) -> bool {
        self.overloaded.load(Ordering::Relaxed)
    }
}

/// Adds up the time in turns and the waiting of mixes.
#[derive(Debug)]
pub(crate) struct LoadMeter {
    began: Instant,
    busy: Duration,
    judged: Instant,
    batches: u32,
    late: u32,
    calm_windows: u32,
}

impl LoadMeter {
    pub(crate) fn new(now: Instant) -> Self {
        Self { began: now, busy: Duration::ZERO, judged: now, batches: 0, late: 0, calm_windows: 0 }
    }

    /// A batch of mixes has waited so long.
    pub(crate) fn mixes_waited(&mut self, waited: Duration) {
        self.batches += 1;
        self.late += u32::from(waited > LATE);
    }

    /// A turn took from `start` to `end`.
    pub(crate) fn turn(&mut self, start: Instant, end: Instant, load: &Load) {
        self.busy += end.saturating_duration_since(start);
        let elapsed = end.saturating_duration_since(self.began);
        if elapsed >= WINDOW {
            let permille = self.busy.as_nanos() * 1_000 / elapsed.as_nanos();
            load.permille.store(permille as u32, Ordering::Relaxed);
            (self.began, self.busy) = (end, Duration::ZERO);
        }
        if end.saturating_duration_since(self.judged) >= JUDGED_OVER {
            self.judge(load);
            (self.judged, self.batches, self.late) = (end, 0, 0);
        }
    }

    /// There is nobody to be busy for.
    pub(crate) fn rest(&mut self, now: Instant, load: &Load) {
        *self = Self::new(now);
        load.permille.store(0, Ordering::Relaxed);
        load.overloaded.store(false, Ordering::Relaxed);
    }

    fn judge(&mut self, load: &Load) {
        if self.late * BAD > self.batches {
            self.calm_windows = 0;
            load.overloaded.store(true, Ordering::Relaxed);
        } else if self.late * CALM <= self.batches {
            self.calm_windows += 1;
            if self.calm_windows >= CALM_WINDOWS {
                load.overloaded.store(false, Ordering::Relaxed);
            }
        } else {
            self.calm_windows = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: Duration = Duration::from_millis(5);

    fn start() -> (Load, LoadMeter, Instant) {
        #[expect(clippy::disallowed_methods, reason = "where virtual time starts does not matter")]
        let now = Instant::now();
        (Load::default(), LoadMeter::new(now), now)
    }

    /// Turns for so long, of which each takes `busy` and finds a batch that has waited for `waited`.
    fn run(meter: &mut LoadMeter, load: &Load, now: &mut Instant, seconds: f32, busy: Duration, waited: Duration) {
        let end = *now + Duration::from_secs_f32(seconds);
        while *now < end {
            meter.mixes_waited(waited);
            meter.turn(*now, *now + busy, load);
            *now += TURN;
        }
    }

    #[test]
    fn a_load_is_the_part_of_a_second_spent_in_turns() {
        let (load, mut meter, mut now) = start();

        run(&mut meter, &load, &mut now, 1.1, Duration::from_millis(1), Duration::ZERO);

        assert!((195..=205).contains(&load.permille()), "{}", load.permille());
    }

    #[test]
    fn mixes_that_wait_long_are_an_overload_until_two_calm_seconds_have_passed() {
        let (load, mut meter, mut now) = start();
        let (busy, long) = (Duration::from_millis(1), Duration::from_millis(11));

        run(&mut meter, &load, &mut now, 0.6, busy, long);
        assert!(load.is_overloaded(), "late");
        run(&mut meter, &load, &mut now, 1.5, busy, Duration::ZERO);
        assert!(load.is_overloaded(), "calm for a moment");
        run(&mut meter, &load, &mut now, 1.0, busy, Duration::ZERO);
        assert!(!load.is_overloaded(), "calm");
    }

    #[test]
    fn where_nobody_is_there_is_no_load() {
        let (load, mut meter, mut now) = start();
        let (busy, long) = (Duration::from_millis(2), Duration::from_millis(20));
        run(&mut meter, &load, &mut now, 1.1, busy, long);

        meter.rest(now, &load);

        assert_eq!((load.permille(), load.is_overloaded()), (0, false));
    }

    #[test]
    fn one_stall_is_no_overload() {
        let (load, mut meter, mut now) = start();

        meter.mixes_waited(Duration::from_millis(200));
        run(&mut meter, &load, &mut now, 1.0, Duration::from_millis(1), Duration::ZERO);

        assert!(!load.is_overloaded());
    }
}
