//! Whether net threads cost one another anything: shards on threads of their own, all at once, beside one shard alone.
//! `cargo bench -p plenum-webrtc --bench threads`. Processor time, so that what else runs on the machine counts little.
#![allow(clippy::unwrap_used, reason = "only benchmarks are built with it")]
#![allow(clippy::print_stdout, reason = "this is what it is for")]

mod support;

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use self::support::{Crowd, Tick};

/// Shards, and the peers of each. As many peers on one thread as on two, and twice as many on two.
const ROWS: [(usize, usize); 3] = [(1, 1_000), (2, 500), (2, 1_000)];
/// All rows in turn, so that each sees the machine in every mood.
const ROUNDS: usize = 5;
/// What clients send is made beforehand, for so many ticks, so that the shards really work at once.
const TICKS: usize = 10;
const BATCHES: usize = 15;

fn main() {
    let rounds = [(); ROUNDS].map(|()| ROWS.map(|(shards, peers)| cost(shards, peers)));
    let row_median = |row: usize| median(rounds.map(|costs| costs[row]));
    for (row, (shards, peers)) in ROWS.into_iter().enumerate() {
        let cost = row_median(row);
        let ratio = cost.as_secs_f64() / row_median(0).as_secs_f64();
        println!("{shards} × {peers}: {cost:?} of processor time a peer and tick, {ratio:.2} of one thread's");
    }
}

/// Of a peer and tick: median of the batches, mean of the threads.
fn cost(shards: usize, peers: usize) -> Duration {
    let barrier = Barrier::new(shards);
    let shard = || {
        let mut crowd = Crowd::connected(peers);
        let mut batch = || {
            let ticks: Vec<Tick> = (0..TICKS).map(|_| crowd.next_tick()).collect();
            barrier.wait();
            let begun = processor_time();
            for tick in &ticks {
                crowd.run(tick);
            }
            (processor_time() - begun) / (TICKS * peers) as u32
        };
        median([(); BATCHES].map(|()| batch()))
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..shards).map(|_| scope.spawn(shard)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<Duration>() / shards as u32
    })
}

/// Of this thread until now.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

fn median<const N: usize>(mut times: [Duration; N]) -> Duration {
    times.sort_unstable();
    times[N / 2]
}
