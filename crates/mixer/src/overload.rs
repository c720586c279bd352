//! What gives way when ticks come late for long: first what nobody hears, then the quietest speakers, then new joins.
//! Must not know rooms, and judges only how late ticks begin: whether the mixer or the machine is too busy is all one
//! to those who listen.

use crate::clock::TICK;

/// A tick that begins later than this after its time counts here: half a frame, which most receivers' buffers still
/// hide.
const LATE: u64 = TICK / 2;
/// It is judged over so long, in media time: 500 ms. One stall is no overload.
const WINDOW: u64 = 24_000;
/// One rung up after a window of whose ticks more than a quarter were late.
const BAD: u32 = 4;
/// A window of whose ticks at most a twentieth were late is calm. Between the two nothing changes.
const CALM: u32 = 20;
/// One rung down after so many calm windows in a row: 2 s, so that what comes back does not go at once.
const CALM_WINDOWS: u32 = 4;

/// What is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Relief {
    /// What nobody hears: talk detection, and most decodes that only look whether somebody sounds.
    pub(crate) unheard: bool,
    /// Speakers of each room beyond so many, the quietest.
    pub(crate) max_speakers: usize,
    /// Members that are not here yet.
    pub(crate) joins: bool,
}

impl Relief {
    pub(crate) const NONE: Self = Self { unheard: false, max_speakers: usize::MAX, joins: false };
}

/// From nothing to all that can go without silencing a conversation.
const LADDER: [Relief; 5] = [
    Relief::NONE,
    Relief { unheard: true, ..Relief::NONE },
    Relief { unheard: true, max_speakers: 16, joins: false },
    Relief { unheard: true, max_speakers: 8, joins: true },
    Relief { unheard: true, max_speakers: 4, joins: true },
];

/// Where on the ladder a worker is.
#[derive(Debug, Default)]
pub(crate) struct Overload {
    rung: usize,
    /// When the present window began.
    began: u64,
    ticks: u32,
    late: u32,
    calm_windows: u32,
}

impl Overload {
    /// A tick has begun at media time `now`, so late.
    pub(crate) fn observe(&mut self, lateness: u64, now: u64) {
        self.ticks += 1;
        self.late += u32::from(lateness > LATE);
        if now.saturating_sub(self.began) < WINDOW {
            return;
        }
        if self.late * BAD > self.ticks {
            self.rung = (self.rung + 1).min(LADDER.len() - 1);
            self.calm_windows = 0;
        } else if self.late * CALM <= self.ticks {
            self.calm_windows += 1;
        } else {
            self.calm_windows = 0;
        }
        if self.calm_windows >= CALM_WINDOWS {
            self.rung = self.rung.saturating_sub(1);
            self.calm_windows = 0;
        }
        (self.began, self.ticks, self.late) = (now, 0, 0);
    }

    pub(crate) fn relief(&self) -> Relief {
        LADDER[self.rung]
    }

    /// 0 is none.
    pub(crate) fn rung(&self) -> usize {
        self.rung
    }
}
