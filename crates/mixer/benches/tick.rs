//! What 20 ms of rooms cost, beside the bare cost of their decodes and encodes in the same run:
//! `cargo bench -p plenum-mixer --bench tick`. An item is one member. The machine's mood changes from run to run: what
//! to look at is the ratio of two rows of one run.

mod support;

use std::cell::RefCell;

use divan::Bencher;
use divan::counter::ItemsCount;

use self::support::{BareCodec, Crowd, Shape};

const SPEAKING: [Shape; 4] =
    [Shape::new(1, 50, 3), Shape::new(1, 1_000, 3), Shape::new(3, 20, 20), Shape::new(1, 200, 200)];
/// All that is left here is the cost of a listener.
const SILENT: [Shape; 3] = [Shape::new(1, 1_000, 0), Shape::new(1, 3_000, 0), Shape::new(1_000, 3, 0)];

fn main() {
    divan::main();
}

#[divan::bench(args = SPEAKING, sample_count = 100, sample_size = 1)]
fn tick(bencher: Bencher<'_, '_>, shape: Shape) {
    run(bencher, Crowd::new(shape));
}

#[divan::bench(args = SPEAKING, sample_count = 100, sample_size = 1)]
fn bare_codec(bencher: Bencher<'_, '_>, shape: Shape) {
    let mut codec = BareCodec::new(shape);
    bencher.counter(ItemsCount::new(shape.total())).bench_local(|| codec.run());
}

#[divan::bench(args = SILENT, sample_count = 200, sample_size = 1)]
fn silent(bencher: Bencher<'_, '_>, shape: Shape) {
    run(bencher, Crowd::new(shape));
}

/// One room in which all speak, by so many threads.
#[divan::bench(args = [1, 2, 4], sample_count = 50, sample_size = 1)]
fn crew(bencher: Bencher<'_, '_>, threads: usize) {
    run(bencher, Crowd::with_threads(Shape::new(1, 200, 200), threads));
}

fn run(bencher: Bencher<'_, '_>, crowd: Crowd) {
    let members = crowd.members();
    let crowd = RefCell::new(crowd);
    bencher
        .counter(ItemsCount::new(members))
        .with_inputs(|| crowd.borrow_mut().packets())
        .bench_local_values(|packets| crowd.borrow_mut().run(packets));
}
