//! How many instructions ticks take, whatever else the machine does, and a limit that fails the run if they take more.
//! With valgrind and `cargo install gungraun-runner --version 0.20.0`:
//! `cargo bench -p plenum-mixer --bench instructions`.
#![allow(missing_docs, unreachable_pub, unused_qualifications, reason = "what gungraun makes of it")]

mod support;

use std::hint::black_box;

use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use mixer::AudioPacket;

use self::support::{BareCodec, Crowd, Shape};

/// Frames differ in cost; so many are counted together.
const TICKS: usize = 20;

const FEW: Shape = Shape::new(1, 50, 3);
const ALL: Shape = Shape::new(1, 12, 12);
const SILENT: Shape = Shape::new(1, 1_000, 0);

fn crowd(shape: Shape) -> (Crowd, Vec<Vec<AudioPacket>>) {
    let mut crowd = Crowd::new(shape);
    let ticks = (0..TICKS).map(|_| crowd.packets()).collect();
    (crowd, ticks)
}

// To be compared with `tick`.
#[library_benchmark]
#[bench::few(args = (FEW), setup = BareCodec::new)]
#[bench::all(args = (ALL), setup = BareCodec::new)]
fn bare_codec(mut codec: BareCodec) -> BareCodec {
    (0..TICKS).for_each(|_| codec.run());
    codec
}

#[library_benchmark]
#[bench::few(args = (FEW), setup = crowd)]
#[bench::all(args = (ALL), setup = crowd)]
fn tick((mut crowd, ticks): (Crowd, Vec<Vec<AudioPacket>>)) -> Crowd {
    for packets in ticks {
        black_box(crowd.run(packets));
    }
    crowd
}

#[library_benchmark]
#[bench::listeners(args = (SILENT), setup = crowd)]
fn silent((mut crowd, ticks): (Crowd, Vec<Vec<AudioPacket>>)) -> Crowd {
    for packets in ticks {
        black_box(crowd.run(packets));
    }
    crowd
}

library_benchmark_group!(name = codec, benchmarks = [bare_codec, tick]);
library_benchmark_group!(
    name = listeners,
    // A tenth more than the 1,300 for a listener and tick.
    config = LibraryBenchmarkConfig::default().tool(Callgrind::default().hard_limits([(EventKind::Ir, 28_600_000)])),
    benchmarks = [silent]
);
main!(library_benchmark_groups = [codec, listeners]);
