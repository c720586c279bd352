//! The model of a browser's buffer conceals what is late or lost and nothing else.

use std::time::{Duration, Instant};

use loadtest::playout::Playout;

/// Plays 200 packets; `delay` says by how many milliseconds each is late.
fn concealed(delay: impl Fn(u32) -> u64) -> u64 {
    let start = Instant::now();
    let mut playout = Playout::default();
    for number in 0..200u32 {
        let arrival = start + Duration::from_millis(u64::from(number) * 20 + delay(number));
        playout.observe((u32::MAX - 4000).wrapping_add(number * 960), arrival);
    }
    playout.concealed()
}

#[test]
fn a_steady_stream_needs_nothing() {
    assert_eq!(concealed(|_| 0), 0);
}

#[test]
fn jitter_below_the_delay_needs_nothing() {
    assert_eq!(concealed(|number| if number % 3 == 0 { 50 } else { 0 }), 0);
}

#[test]
fn packets_later_than_the_delay_are_concealed() {
    assert_eq!(concealed(|number| if number % 50 == 0 { 70 } else { 0 }), 3);
}

#[test]
fn the_first_packets_delay_is_not_taken_for_the_networks() {
    // Only the first is late by 70 ms: everything after it is early, not the rest late.
    assert_eq!(concealed(|number| if number == 0 { 70 } else { 0 }), 0);
}

#[test]
fn lost_packets_are_concealed() {
    let mut playout = Playout::default();
    playout.observe_lost(3);
    assert_eq!(playout.concealed(), 3);
}
