//! Audio levels in dBov as in RFC 6464: 0 is overload, -127 silence. Must not know what follows from them.

use crate::kernel::Path;

/// The least level there is.
pub(crate) const SILENCE: i8 = -127;

/// The level of decoded sound: its mean square against that of full scale (RFC 6464 appendix A).
pub(crate) fn measure(pcm: &[f32]) -> i8 {
    let mean_square = Path::best().energy(pcm) / pcm.len().max(1) as f32;
    let level = 10.0 * mean_square.max(f32::MIN_POSITIVE).log10();
    level.clamp(f32::from(SILENCE), 0.0) as i8
}
