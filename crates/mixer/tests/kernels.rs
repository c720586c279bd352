//! Every instruction set gives what the plain text gives, bit for bit, whatever the length and the alignment.
#![allow(clippy::unwrap_used, reason = "test code")]

use mixer::kernel::Path;
use proptest::prelude::*;

const LONGEST: usize = 2_000;
/// In samples: a cache line, the widest register.
const ALIGNMENTS: usize = 16;

/// What all kernels make of two sounds: every result is in it, bit for bit.
fn results(path: Path, a: &[f32], b: &[f32], gains: [f32; 2]) -> Vec<u32> {
    let [left, right] = gains;
    let mut results = Vec::with_capacity(5 * a.len() + 2);
    let mut keep = |samples: &[f32]| results.extend(samples.iter().map(|sample| sample.to_bits()));
    let mut out = vec![7.0; 2 * a.len()];
    path.add(&mut out[..a.len()], a, b);
    keep(&out[..a.len()]);
    path.scale(&mut out[..a.len()], a, left);
    keep(&out[..a.len()]);
    path.amplify(&mut out[..a.len()], right);
    keep(&out[..a.len()]);
    path.pan(&mut out, b, left, right);
    keep(&out);
    keep(&[path.energy(a), path.peak(a)]);
    results
}

fn sounds() -> (Vec<f32>, Vec<f32>) {
    // A linear congruential generator gives mantissas that round; magnitudes from 1e-3 to 1e3.
    let mut state = 1_u32;
    let mut sample = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state as i32 as f32 / i32::MAX as f32) * 10_f32.powi((state >> 4) as i32 % 4)
    };
    let sound = |sample: &mut dyn FnMut() -> f32| (0..LONGEST + ALIGNMENTS).map(|_| sample()).collect();
    (sound(&mut sample), sound(&mut sample))
}

#[test]
fn all_paths_agree_for_every_length_and_alignment() {
    let (a, b) = sounds();
    let paths = Path::available();
    for length in 0..=LONGEST {
        // Every alignment of both for the short ones, which are nothing but head and tail.
        let offsets = if length <= 70 { ALIGNMENTS } else { 1 };
        for offset in 0..ALIGNMENTS {
            for other in (0..offsets).map(|step| (offset + step) % ALIGNMENTS) {
                let (a, b) = (&a[offset..][..length], &b[other..][..length]);
                let expected = results(paths[0], a, b, [0.7, 1.3]);
                for &path in &paths[1..] {
                    assert!(results(path, a, b, [0.7, 1.3]) == expected, "{path}, {length} at {offset} and {other}");
                }
            }
        }
    }
}

/// Other tests compare paths on one machine; the number is the same on x86-64 and aarch64.
#[test]
fn all_architectures_agree() {
    let (a, b) = sounds();
    for path in Path::available() {
        // FNV-1a over all results.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for length in (0..70).chain([960, 1_920]) {
            for bits in results(path, &a[..length], &b[..length], [0.7, 1.3]) {
                hash = (hash ^ u64::from(bits)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        assert_eq!(hash, 0xe547_65a4_7563_f627, "{path}");
    }
}

#[test]
fn the_best_path_is_one_of_the_available_and_the_baseline_always_is() {
    let paths = Path::available();

    assert_eq!(paths[0].to_string(), "baseline");
    assert_eq!(paths.last(), Some(&Path::best()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_paths_agree_for_any_samples(
        // Not NaN, whose payload bits are nobody's promise.
        pairs in prop::collection::vec((any_number(), any_number()), 0..300),
        left in any_number(),
        right in any_number(),
    ) {
        let (a, b): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let paths = Path::available();
        let numbers = |path| -> Vec<u32> {
            let is_nan = |bits: &u32| f32::from_bits(*bits).is_nan();
            results(path, &a, &b, [left, right]).iter().map(|bits| if is_nan(bits) { 0 } else { *bits }).collect()
        };
        let expected = numbers(paths[0]);
        for &path in &paths[1..] {
            prop_assert_eq!(&numbers(path), &expected, "{}", path);
        }
    }

    #[test]
    fn a_kernel_is_its_definition(pcm in prop::collection::vec(-1.0..1.0_f32, 0..200), gain in -4.0..4.0_f32) {
        let path = Path::best();
        let mut out = vec![7.0; pcm.len()];
        path.scale(&mut out, &pcm, gain);
        prop_assert!(out.iter().zip(&pcm).all(|(out, sample)| *out == sample * gain));
        let scaled = out.clone();
        path.add(&mut out, &pcm, &scaled);
        prop_assert!(out.iter().zip(&pcm).all(|(out, sample)| *out == sample + sample * gain));
        let mut pairs = vec![7.0; 2 * pcm.len()];
        path.pan(&mut pairs, &pcm, gain, 0.5);
        prop_assert!(pairs.chunks(2).zip(&pcm).all(|(pair, sample)| *pair == [sample * gain, sample * 0.5]));
    }
}

fn any_number() -> impl Strategy<Value = f32> {
    any::<f32>().prop_map(|number| if number.is_nan() { 0.0 } else { number })
}
