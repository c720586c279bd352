//! Deadlines are absolute, everybody is served once in 20 ms, and stalls are neither hidden nor made up for by a burst.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use loadtest::pacing::{FRAME, PHASES, Pacer, Phase, SLOT};

#[test]
fn slots_are_due_every_millisecond_from_the_epoch() {
    let epoch = Instant::now();
    let mut pacer = Pacer::new(epoch, epoch);
    for number in 0..50u32 {
        let due = epoch + SLOT * number;
        assert_eq!(pacer.due(), due);
        assert_eq!(pacer.poll_slot(due - Duration::from_micros(1)), None);
        let slot = pacer.poll_slot(due + Duration::from_micros(300)).unwrap();
        assert_eq!((slot.phase as u32, slot.frame as u32), (number % 20, number / 20));
    }
}

#[test]
fn being_late_does_not_move_what_follows() {
    let epoch = Instant::now();
    let mut pacer = Pacer::new(epoch, epoch);
    let late = epoch + Duration::from_millis(7);
    let served = std::iter::from_fn(|| pacer.poll_slot(late)).count();
    assert_eq!(served, 8);
    assert_eq!(pacer.due(), epoch + Duration::from_millis(8));
    assert_eq!(pacer.skipped(), 0);
}

#[test]
fn a_long_stall_is_skipped_and_counted() {
    let epoch = Instant::now();
    let mut pacer = Pacer::new(epoch, epoch);
    let late = epoch + Duration::from_secs(3);
    let served = std::iter::from_fn(|| pacer.poll_slot(late)).count();
    assert_eq!(served, 1);
    assert_eq!(pacer.skipped(), 3000);
}

#[test]
fn a_pacer_that_starts_later_keeps_to_the_grid_of_the_epoch() {
    let epoch = Instant::now();
    let mut pacer = Pacer::new(epoch, epoch + Duration::from_micros(41_500));
    let slot = pacer.poll_slot(epoch + Duration::from_millis(42)).unwrap();
    assert_eq!((slot.phase, slot.frame, slot.due), (2, 2, epoch + Duration::from_millis(42)));
}

#[test]
fn participants_are_spread_evenly_and_speakers_are_not_neighbours() {
    let slots: Vec<usize> = (0..40).map(|index| Phase::of(index).slot()).collect();
    let used: BTreeSet<usize> = slots[..20].iter().copied().collect();
    assert_eq!(used.len() as u64, PHASES);
    assert_eq!(slots[..20], slots[20..]);
    assert!(slots.windows(2).all(|pair| pair[0].abs_diff(pair[1]) > 1));
    assert_eq!(FRAME, SLOT * PHASES as u32);
}
