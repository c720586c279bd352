//! Whether mix threads cost one another anything: workers on threads of their own, all at once, beside one worker alone.
//! `cargo bench -p plenum-mixer --bench threads`. Processor time, so that what else runs on the machine counts little.
#![allow(clippy::unwrap_used, reason = "only benchmarks are built with it")]
#![allow(clippy::print_stdout, reason = "this is what it is for")]

mod support;

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use mixer::AudioPacket;
use rustix::time::{ClockId, clock_gettime};

use self::support::{Crowd, Shape};

/// Workers, and the rooms of each. As many rooms on one thread as on two, and twice as many on two.
const ROWS: [(usize, Shape); 3] = [(1, Shape::new(60, 4, 2)), (2, Shape::new(30, 4, 2)), (2, Shape::new(60, 4, 2))];
/// All rows in turn, so that each sees the machine in every mood.
const ROUNDS: usize = 5;
/// What members say is made beforehand, for so many ticks, so that the workers really work at once.
const TICKS: usize = 10;
const BATCHES: usize = 15;

fn main() {
    let rounds = [(); ROUNDS].map(|()| ROWS.map(|(workers, shape)| cost(workers, shape)));
    let row_median = |row: usize| median(rounds.map(|costs| costs[row]));
    for (row, (workers, shape)) in ROWS.into_iter().enumerate() {
        let cost = row_median(row);
        let ratio = cost.as_secs_f64() / row_median(0).as_secs_f64();
        println!("{workers} × {shape}: {cost:?} of processor time a member and tick, {ratio:.2} of one thread's");
    }
}

/// Of a member and tick: median of the batches, mean of the threads.
fn cost(workers: usize, shape: Shape) -> Duration {
    let barrier = Barrier::new(workers);
    let worker = || {
        let mut crowd = Crowd::new(shape);
        let mut batch = || {
            let ticks: Vec<Vec<AudioPacket>> = (0..TICKS).map(|_| crowd.packets()).collect();
            barrier.wait();
            let begun = processor_time();
            for packets in ticks {
                crowd.run(packets);
            }
            (processor_time() - begun) / (TICKS * shape.total()) as u32
        };
        median([(); BATCHES].map(|()| batch()))
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<Duration>() / workers as u32
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
