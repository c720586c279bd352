//! What the parts of a tick cost without the codec: `cargo bench -p plenum-mixer --bench parts`.

use std::sync::Arc;

use divan::{Bencher, black_box};
use mixer::jitter::{JitterBuffer, WaitingPacket};
use mixer::limiter::Limiter;
use mixer::mix::{Gain, Sums, place};

const FRAME: usize = 960;

fn main() {
    divan::main();
}

fn sound() -> Vec<f32> {
    (0..FRAME).map(|index| (index as f32 * 0.1).sin()).collect()
}

/// The sum of all, and all sums but one.
#[divan::bench(args = [3, 20, 200])]
fn mix(bencher: Bencher<'_, '_>, speakers: usize) {
    let (voices, mut out, mut sums) = (vec![sound(); speakers], sound(), Sums::default());
    bencher.bench_local(|| {
        sums.build(FRAME, speakers, |index| &voices[index]);
        for index in 0..speakers {
            sums.minus_one(index, black_box(&mut out));
        }
    });
}

#[divan::bench(args = [1, 2])]
fn contribution(bencher: Bencher<'_, '_>, channels: usize) {
    let (pcm, mut out) = (sound(), vec![0.0; FRAME * channels]);
    let gain = Gain::at(1.0, 30);
    bencher.bench_local(|| place(black_box(&mut out), black_box(&pcm), gain, gain));
}

#[divan::bench(args = [0.5, 2.0])]
fn limit(bencher: Bencher<'_, '_>, amplitude: f32) {
    let mut limiter = Limiter::default();
    let loud: Vec<_> = sound().iter().map(|sample| sample * amplitude).collect();
    let mut frame = loud.clone();
    bencher.bench_local(|| {
        frame.copy_from_slice(&loud);
        limiter.limit(black_box(&mut frame))
    });
}

/// One packet into a jitter buffer and out again.
#[divan::bench]
fn jitter(bencher: Bencher<'_, '_>) {
    let mut buffer = JitterBuffer::new();
    let payload: Arc<[u8]> = Arc::from([0xf8, 0xff, 0xfe]);
    let mut time = 0;
    bencher.bench_local(|| {
        time += 960;
        let packet = WaitingPacket {
            sequence: time / 960,
            timestamp: time,
            duration: 960,
            audio_level: Some(-127),
            has_fec: false,
            payload: Arc::clone(&payload),
        };
        buffer.insert(black_box(packet), time + 500, time + 960);
        buffer.pull(time + 960, 0)
    });
}
