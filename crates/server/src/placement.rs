//! Where a room is mixed and where a peer is served: on the thread that has the least to do; and when a room should
//! move. Must not know what rooms and peers are.

/// Loads that differ by less count as equal: a second is short, and the figure jumps. In thousandths.
const LOAD_STEP: u32 = 100;
/// A mix thread this busy gives a room away. In thousandths: beyond it, a burst of speech makes ticks late.
const BUSY: u32 = 700;
/// … but only to one that has so much less to do, or rooms would go back and forth.
const WORTH_MOVING: u32 = 300;

/// What a thread has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ThreadLoad {
    /// Measured, in thousandths of a core.
    pub(crate) permille: u32,
    /// Members or peers now: what has come since that measurement is in here.
    pub(crate) occupants: usize,
}

/// The index of the thread for a new room or peer; the first among equals.
pub(crate) fn least_busy(loads: impl IntoIterator<Item = ThreadLoad>) -> usize {
    let keys = loads.into_iter().map(|load| (load.permille / LOAD_STEP, load.occupants)).enumerate();
    keys.min_by(|(_, a), (_, b)| a.cmp(b)).map(|(index, _)| index).expect("there is at least one thread of each kind")
}

/// A move that lightens the busiest worker.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Relief {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The largest room that helps, in members: a larger one would only change places with the problem.
    pub(crate) members_at_most: usize,
}

/// Whether a room should move, and where to.
pub(crate) fn relief(loads: &[ThreadLoad]) -> Option<Relief> {
    let from = (0..loads.len()).max_by_key(|&index| loads[index].permille)?;
    let to = (0..loads.len()).min_by_key(|&index| loads[index].permille)?;
    let difference = loads[from].permille - loads[to].permille;
    if loads[from].permille < BUSY || difference < WORTH_MOVING {
        return None;
    }
    // Half of the difference, counted in members, each of which has its share of the load.
    let members_at_most = loads[from].occupants * difference as usize / (2 * loads[from].permille as usize);
    Some(Relief { from, to, members_at_most })
}

#[cfg(test)]
mod tests {
    use super::{Relief, ThreadLoad, least_busy, relief};

    fn load(permille: u32, occupants: usize) -> ThreadLoad {
        ThreadLoad { permille, occupants }
    }

    #[test]
    fn what_is_measured_decides_and_where_that_is_equal_the_occupants() {
        assert_eq!(least_busy([load(500, 2), load(100, 90)]), 1);
        assert_eq!(least_busy([load(120, 9), load(180, 3)]), 1);
    }

    #[test]
    fn the_first_among_equals_is_taken() {
        assert_eq!(least_busy([load(0, 3), load(0, 1), load(0, 2), load(0, 1)]), 1);
    }

    #[test]
    fn a_busy_thread_gives_half_of_the_difference_away() {
        let moved = relief(&[load(100, 10), load(900, 90)]);
        assert_eq!(moved, Some(Relief { from: 1, to: 0, members_at_most: 40 }));
    }

    #[test]
    fn nothing_moves_where_nobody_is_busy_or_all_are() {
        assert_eq!(relief(&[load(0, 0), load(600, 60)]), None);
        assert_eq!(relief(&[load(800, 80), load(900, 90)]), None);
    }
}
