//! Which index a packet has, and whether it came before (RFC 3711 sections 3.3.1 and 3.3.2).

/// So far back what is late is taken: more than two seconds of audio.
const REACH: u64 = 128;
/// Numbers until a sequence number comes again.
const CYCLE: u64 = 1 << 16;

/// The indices that have come.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Window {
    newest: Option<u64>,
    /// A bit for each up to [`REACH`] before the newest, the lowest for itself.
    seen: u128,
}

impl Window {
    /// The index that a packet with this sequence number most likely has: the nearest to the newest.
    pub(crate) fn guess(&self, sequence: u16) -> u64 {
        let Some(newest) = self.newest else { return u64::from(sequence) };
        let same_cycle = newest & !(CYCLE - 1) | u64::from(sequence);
        if same_cycle + CYCLE / 2 < newest {
            same_cycle + CYCLE
        } else if same_cycle > newest + CYCLE / 2 && same_cycle >= CYCLE {
            same_cycle - CYCLE
        } else {
            same_cycle
        }
    }

    /// Neither seen nor too far back to tell.
    pub(crate) fn is_new(&self, index: u64) -> bool {
        let Some(newest) = self.newest else { return true };
        match newest.checked_sub(index) {
            None => true,
            Some(back) => back < REACH && self.seen >> back & 1 == 0,
        }
    }

    /// A packet with this index has come and was right.
    pub(crate) fn take(&mut self, index: u64) {
        let Some(newest) = self.newest else {
            (self.newest, self.seen) = (Some(index), 1);
            return;
        };
        if let Some(ahead) = index.checked_sub(newest) {
            self.seen = if ahead < REACH { self.seen << ahead | 1 } else { 1 };
            self.newest = Some(index);
        } else {
            self.seen |= 1 << (newest - index).min(REACH - 1);
        }
    }

    pub(crate) fn newest(&self) -> Option<u64> {
        self.newest
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn taken(indices: &[u64]) -> Window {
        let mut window = Window::default();
        indices.iter().for_each(|index| window.take(*index));
        window
    }

    #[test]
    fn the_nearest_index_is_guessed() {
        assert_eq!(Window::default().guess(40_000), 40_000);
        for (newest, sequence, index) in [
            (10, 9, 9),
            (10, 65_535, 65_535),
            (65_535, 0, 65_536),
            (65_536, 65_535, 65_535),
            (3 * CYCLE + 5, 65_530, 2 * CYCLE + 65_530),
            (3 * CYCLE + 40_000, 10_000, 3 * CYCLE + 10_000),
            (3 * CYCLE + 40_000, 1, 4 * CYCLE + 1),
        ] {
            assert_eq!(taken(&[newest]).guess(sequence), index, "{sequence} after {newest}");
        }
    }

    proptest! {
        /// Against a set of all that came: nothing is new twice, and what is new and near is taken.
        #[test]
        fn nothing_is_new_twice(steps in prop::collection::vec(-200_i64..300, 1..200)) {
            let (mut window, mut seen, mut newest) = (Window::default(), HashSet::new(), 100_000_u64);
            window.take(newest);
            seen.insert(newest);
            for step in steps {
                let index = newest.saturating_add_signed(step);
                let near = index > newest || newest - index < REACH;
                prop_assert_eq!(window.is_new(index), near && !seen.contains(&index));
                if window.is_new(index) {
                    prop_assert_eq!(window.guess(index as u16), index);
                    window.take(index);
                    seen.insert(index);
                    newest = newest.max(index);
                }
            }
        }
    }
}
