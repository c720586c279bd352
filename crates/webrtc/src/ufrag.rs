//! User fragments of ours: each says which shard has made it, so that who accepts TCP connections knows whose they are
//! without asking anybody. Knows no peer.

use rand::{Rng, RngExt};

/// Characters that say which shard: 64 · 64 are enough for the 256 net threads there may be.
const SHARD: usize = 2;
/// Characters at random. RFC 8445 section 5.3 asks for 24 bits; a character has 6.
const RANDOM: usize = 6;
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A new one of this shard.
pub(crate) fn draw(shard: u8, rng: &mut impl Rng) -> String {
    let shard = usize::from(shard);
    let number = [shard / ICE_CHARS.len(), shard % ICE_CHARS.len()].map(|digit| char::from(ICE_CHARS[digit]));
    number.into_iter().chain(random(rng).take(RANDOM)).collect()
}

/// The shard that has made it. Anything may be asked about.
pub(crate) fn shard(user: &str) -> Option<usize> {
    let number = user.as_bytes().get(..SHARD)?;
    number.iter().try_fold(0, |number, char| {
        let digit = ICE_CHARS.iter().position(|it| it == char)?;
        Some(number * ICE_CHARS.len() + digit)
    })
}

/// Characters that ICE allows, without end.
pub(crate) fn random(rng: &mut impl Rng) -> impl Iterator<Item = char> {
    std::iter::repeat_with(|| char::from(ICE_CHARS[rng.random_range(0..ICE_CHARS.len())]))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_fragment_names_its_shard() {
        let mut rng = StdRng::seed_from_u64(1);
        for number in 0..=u8::MAX {
            let ufrag = draw(number, &mut rng);
            assert_eq!((ufrag.len(), shard(&ufrag)), (8, Some(usize::from(number))));
        }
    }

    #[test]
    fn what_is_no_fragment_of_ours_names_none_that_exists() {
        for text in ["", "A", "é", "-A", "A\u{0}"] {
            assert_eq!(shard(text), None, "{text:?}");
        }
        assert_eq!(shard("//"), Some(4095));
    }
}
