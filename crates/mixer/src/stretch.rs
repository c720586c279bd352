//! Shortens and lengthens sound a little without a click, to change the delay of a stream that sounds. Must not
//! decide when.
//!
//! One step takes out, or repeats, one period: the sound is joined with itself where it resembles itself most
//! (waveform similarity overlap-add).

/// Where the two copies blend: 5 ms, more than a period of most voices.
const OVERLAP_MS: usize = 5;
/// The shortest lag: 2.5 ms, a voice of 400 Hz.
const MIN_LAG_US: usize = 2_500;
/// The search looks at every sixth sample of 48 kHz: pitch lies far below 4 kHz.
const SEARCH_HZ: usize = 8_000;

/// Samples that one step can take out or put in at most: 10 ms, a voice of 100 Hz.
pub const fn max_lag(hz: usize) -> usize {
    hz / 100
}

/// Samples that one step can take out or put in at least.
pub const fn min_lag(hz: usize) -> usize {
    hz * MIN_LAG_US / 1_000_000
}

/// Takes out up to `limit` samples of the first 15 ms; how many.
pub fn shorten(pcm: &mut Vec<f32>, hz: usize, limit: usize) -> usize {
    let overlap = hz * OVERLAP_MS / 1_000;
    let Some(lag) = best_lag(pcm, hz, limit, overlap) else {
        return 0;
    };
    for index in 0..overlap {
        pcm[index] = blend(pcm[index], pcm[index + lag], index, overlap);
    }
    pcm.drain(overlap..overlap + lag);
    lag
}

/// Puts up to `limit` samples into the first 15 ms; how many.
pub fn lengthen(pcm: &mut Vec<f32>, hz: usize, limit: usize) -> usize {
    let overlap = hz * OVERLAP_MS / 1_000;
    let Some(lag) = best_lag(pcm, hz, limit, overlap) else {
        return 0;
    };
    // The first `lag` samples play twice; the second time begins where the sound would have gone on.
    let length = pcm.len();
    pcm.resize(length + lag, 0.0);
    pcm.copy_within(0..length, lag);
    for index in 0..overlap {
        // After the move, `pcm[2 * lag + index]` is what stood at `lag + index`; `pcm[lag + index]` what stood at `index`.
        pcm[lag + index] = blend(pcm[2 * lag + index], pcm[lag + index], index, overlap);
    }
    lag
}

fn blend(old: f32, new: f32, index: usize, length: usize) -> f32 {
    let part = (index as f32 + 0.5) / length as f32;
    old + (new - old) * part
}

/// The lag at which the beginning of `pcm` resembles itself most.
fn best_lag(pcm: &[f32], hz: usize, limit: usize, overlap: usize) -> Option<usize> {
    let limit = limit.min(max_lag(hz)).min(pcm.len().checked_sub(overlap)?);
    if limit < min_lag(hz) {
        return None;
    }
    let step = hz / SEARCH_HZ;
    let likeness = |lag: usize| {
        let (mut product, mut energy) = (0.0, f32::MIN_POSITIVE);
        for index in (0..overlap).step_by(step) {
            product += pcm[index] * pcm[index + lag];
            energy += pcm[index + lag] * pcm[index + lag];
        }
        product / energy.sqrt()
    };
    let mut best = (f32::MIN, limit);
    // Longest first: between equals (silence) more is better.
    for lag in (min_lag(hz)..=limit).rev().step_by(step) {
        let found = likeness(lag);
        if found > best.0 {
            best = (found, lag);
        }
    }
    Some(best.1)
}
