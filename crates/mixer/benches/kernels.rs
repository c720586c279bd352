//! What each instruction set gains for a frame of 960 samples: `cargo bench -p plenum-mixer --bench kernels`.
#![allow(clippy::unwrap_used, reason = "a benchmark")]

use divan::{Bencher, black_box};
use mixer::kernel::Path;

const FRAME: usize = 960;

fn main() {
    divan::main();
}

fn sound() -> Vec<f32> {
    (0..FRAME).map(|index| (index as f32 * 0.1).sin()).collect()
}

#[divan::bench(args = Path::available())]
fn add(bencher: Bencher<'_, '_>, path: Path) {
    let (a, b, mut out) = (sound(), sound(), sound());
    bencher.bench_local(|| path.add(black_box(&mut out), black_box(&a), black_box(&b)));
}

#[divan::bench(args = Path::available())]
fn scale(bencher: Bencher<'_, '_>, path: Path) {
    let (pcm, mut out) = (sound(), sound());
    bencher.bench_local(|| path.scale(black_box(&mut out), black_box(&pcm), black_box(0.7)));
}

#[divan::bench(args = Path::available())]
fn amplify(bencher: Bencher<'_, '_>, path: Path) {
    let mut pcm = sound();
    bencher.bench_local(|| path.amplify(black_box(&mut pcm), black_box(1.0)));
}

#[divan::bench(args = Path::available())]
fn pan(bencher: Bencher<'_, '_>, path: Path) {
    let (pcm, mut out) = (sound(), vec![0.0; 2 * FRAME]);
    bencher.bench_local(|| path.pan(black_box(&mut out), black_box(&pcm), black_box(0.7), black_box(0.3)));
}

#[divan::bench(args = Path::available())]
fn energy(bencher: Bencher<'_, '_>, path: Path) {
    let pcm = sound();
    bencher.bench_local(|| path.energy(black_box(&pcm)));
}

#[divan::bench(args = Path::available())]
fn peak(bencher: Bencher<'_, '_>, path: Path) {
    let pcm = sound();
    bencher.bench_local(|| path.peak(black_box(&pcm)));
}
