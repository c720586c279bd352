//! Instructions of a shard, counted by callgrind: the same on a busy machine as on a quiet one, so that a regression is
//! one. `cargo bench -p plenum-webrtc --bench instructions`, with valgrind and gungraun-runner (same version as the
//! library) installed.
#![allow(missing_docs, unused_qualifications, reason = "what the macros make")]

mod support;

use std::hint::black_box;

use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};

use self::support::{Crowd, Tick};

/// More would only take longer: instructions do not depend on caches.
const PEERS: usize = 50;

/// What is done now and then is spread over so many.
const TICKS: usize = 4;

fn crowd_and_ticks() -> (Crowd, Vec<Tick>) {
    let mut crowd = Crowd::connected(PEERS);
    let ticks = (0..TICKS).map(|_| crowd.next_tick()).collect();
    (crowd, ticks)
}

// 80 ms of 50 peers: each sends four packets and is sent four.
#[library_benchmark(setup = crowd_and_ticks)]
fn ticks((mut crowd, ticks): (Crowd, Vec<Tick>)) -> (Crowd, usize) {
    let outputs = ticks.iter().map(|tick| crowd.run(black_box(tick))).sum();
    (crowd, outputs)
}

library_benchmark_group!(
    name = shard,
    // A tenth more than the 4,010 for a packet in and one out.
    config = LibraryBenchmarkConfig::default().tool(Callgrind::default().hard_limits([(EventKind::Ir, 883_000)])),
    benchmarks = [ticks]
);
main!(library_benchmark_groups = shard);
