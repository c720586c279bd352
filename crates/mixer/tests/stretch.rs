//! Shortening and lengthening: the sound stays whole, only its length changes.

mod harness;

use harness::{goertzel, tone};
use mixer::stretch::{lengthen, max_lag, min_lag, shorten};
use proptest::prelude::*;

fn roughness(pcm: &[f32]) -> f32 {
    pcm.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_tone_of_any_pitch_is_joined_without_a_step(hz in 100.0..1_000.0_f32, longer: bool) {
        let whole: Vec<f32> = (0..2_400).map(tone(hz, 0.5)).collect();
        let mut pcm = whole.clone();
        let change = if longer { lengthen(&mut pcm, 48_000, 480) } else { shorten(&mut pcm, 48_000, 480) };

        prop_assert!((min_lag(48_000)..=max_lag(48_000)).contains(&change));
        let expected = if longer { 2_400 + change } else { 2_400 - change };
        prop_assert_eq!(pcm.len(), expected);
        prop_assert!(roughness(&pcm) < 1.3 * roughness(&whole), "{} {}", roughness(&pcm), roughness(&whole));
        prop_assert!(goertzel(&pcm[..1_800], hz) > 0.4);
        // What follows the join is untouched.
        prop_assert_eq!(&pcm[pcm.len() - 1_000..], &whole[1_400..]);
    }

    #[test]
    fn the_change_is_within_its_limit_at_every_rate(
        hz in prop::sample::select(vec![8_000_usize, 12_000, 16_000, 24_000, 48_000]),
        limit in 0..1_000_usize,
        length in 0..3_000_usize,
        longer: bool,
    ) {
        let mut pcm = vec![0.25; length];
        let change = if longer { lengthen(&mut pcm, hz, limit) } else { shorten(&mut pcm, hz, limit) };

        prop_assert!(change <= limit && change <= max_lag(hz));
        prop_assert!(change == 0 || change >= min_lag(hz));
        prop_assert_eq!(pcm.len(), if longer { length + change } else { length - change });
        prop_assert!(pcm.iter().all(|sample| (sample - 0.25).abs() < 1e-6));
    }
}
