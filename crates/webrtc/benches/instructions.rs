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

fn crowd_and_tick() -> (Crowd, Tick) {
    let mut crowd = Crowd::connected(PEERS);
    let tick = crowd.next_tick();
    (crowd, tick)
}

// 20 ms of 50 peers: each sends a packet and is sent one.
#[library_benchmark(setup = crowd_and_tick)]
fn tick((mut crowd, tick): (Crowd, Tick)) -> (Crowd, usize) {
    let outputs = crowd.run(black_box(&tick));
    (crowd, outputs)
}

library_benchmark_group!(
    name = shard,
    // A tenth more than the 14,900 that a peer takes.
    config = LibraryBenchmarkConfig::default().tool(Callgrind::default().hard_limits([(EventKind::Ir, 820_000)])),
    benchmarks = [tick]
);
main!(library_benchmark_groups = shard);
