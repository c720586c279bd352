//! The ciphers of SRTP with their keys, and how those are derived. Knows SSRC and index as numbers only.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};
use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::{constant_time, hmac};
use dimpl::SrtpProfile;

/// RFC 7714 section 12.1.
const GCM_SALT: usize = 12;
const GCM_TAG: usize = 16;
/// RFC 3711 section 5.
const COUNTER_MODE_SALT: usize = 14;
const COUNTER_MODE_TAG: usize = 10;
const AUTHENTICATION_KEY: usize = 20;

/// What a key is for: the first of its three labels (RFC 3711 section 4.3.2), which stand for key, authentication and salt.
#[derive(Debug, Clone, Copy)]
pub(super) enum Label {
    Rtp = 0,
    Rtcp = 3,
}

/// One direction of RTP or of RTCP.
pub(super) enum Cipher {
    Gcm(Gcm),
    /// Larger, and browsers take the other.
    CounterMode(Box<CounterMode>),
}

/// RFC 7714.
pub(super) struct Gcm {
    key: LessSafeKey,
    salt: [u8; GCM_SALT],
}

/// AES_CM_128_HMAC_SHA1_80.
pub(super) struct CounterMode {
    key: EncryptingKey,
    authentication: hmac::Key,
    salt: [u8; COUNTER_MODE_SALT],
}

/// Bytes of master key and salt; `None` for a profile that is not known here.
pub(super) fn lengths(profile: SrtpProfile) -> Option<(usize, usize)> {
    match profile {
        SrtpProfile::AEAD_AES_256_GCM => Some((32, GCM_SALT)),
        SrtpProfile::AEAD_AES_128_GCM => Some((16, GCM_SALT)),
        SrtpProfile::AES128_CM_SHA1_80 => Some((16, COUNTER_MODE_SALT)),
        _ => None,
    }
}

impl Cipher {
    /// The keys of a session from a master key and its salt, of the profile's lengths.
    pub(super) fn derive(profile: SrtpProfile, master: &[u8], salt: &[u8], label: Label) -> Option<Self> {
        let label = label as u8;
        match profile {
            SrtpProfile::AEAD_AES_256_GCM => {
                let key = UnboundKey::new(&AES_256_GCM, &derive::<32>(master, salt, label)?).ok()?;
                Some(Self::Gcm(Gcm { key: LessSafeKey::new(key), salt: derive(master, salt, label + 2)? }))
            }
            SrtpProfile::AEAD_AES_128_GCM => {
                let key = UnboundKey::new(&AES_128_GCM, &derive::<16>(master, salt, label)?).ok()?;
                Some(Self::Gcm(Gcm { key: LessSafeKey::new(key), salt: derive(master, salt, label + 2)? }))
            }
            SrtpProfile::AES128_CM_SHA1_80 => {
                let authentication: [u8; AUTHENTICATION_KEY] = derive(master, salt, label + 1)?;
                Some(Self::CounterMode(Box::new(CounterMode {
                    key: counter_mode(&derive::<16>(master, salt, label)?)?,
                    authentication: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &authentication),
                    salt: derive(master, salt, label + 2)?,
                })))
            }
            _ => None,
        }
    }

    /// In bytes.
    pub(super) fn tag_length(&self) -> usize {
        match self {
            Self::Gcm(_) => GCM_TAG,
            Self::CounterMode(_) => COUNTER_MODE_TAG,
        }
    }
}

impl Gcm {
    /// Encrypts `body`, and authenticates it with `header`.
    pub(super) fn seal(&self, ssrc: u32, index: u64, header: &[u8], body: &mut [u8]) -> Tag {
        let sealed = self.key.seal_in_place_separate_tag(self.nonce(ssrc, index), Aad::from(header), body);
        #[expect(clippy::expect_used, reason = "a packet has not the 64 GB from which it fails")]
        sealed.expect("short enough")
    }

    /// Decrypts `body` into `plain`, of the same length. Whether `tag` is theirs.
    #[must_use]
    pub(super) fn open(&self, ssrc: u32, index: u64, header: &[u8], body: &[u8], tag: &[u8], plain: &mut [u8]) -> bool {
        self.key.open_separate_gather(self.nonce(ssrc, index), Aad::from(header), body, tag, plain).is_ok()
    }

    /// RFC 7714 sections 8.1 and 9.1, which are the same for an index of 48 bits.
    fn nonce(&self, ssrc: u32, index: u64) -> Nonce {
        let mut nonce = self.salt;
        mask(&mut nonce[2..6], ssrc.to_be_bytes());
        mask(&mut nonce[6..], index_bytes(index));
        Nonce::assume_unique_for_key(nonce)
    }
}

impl CounterMode {
    /// Encrypts or decrypts: it is the same.
    pub(super) fn apply(&self, ssrc: u32, index: u64, body: &mut [u8]) {
        let mut start = [0; 16];
        start[..COUNTER_MODE_SALT].copy_from_slice(&self.salt);
        // RFC 3711 section 4.1.1.
        mask(&mut start[4..8], ssrc.to_be_bytes());
        mask(&mut start[8..14], index_bytes(index));
        let done = self.key.less_safe_encrypt(body, EncryptionContext::Iv128(start.into()));
        #[expect(clippy::expect_used, reason = "it fails for a wrong mode or an endless packet only")]
        done.expect("counter mode takes any length");
    }

    /// RFC 3711 section 4.2: of the packet and, with RTP, how often its numbers have begun anew.
    pub(super) fn tag(&self, packet: &[u8], rollover: &[u8]) -> [u8; COUNTER_MODE_TAG] {
        let mut context = hmac::Context::with_key(&self.authentication);
        context.update(packet);
        context.update(rollover);
        let mut tag = [0; COUNTER_MODE_TAG];
        tag.copy_from_slice(&context.sign().as_ref()[..COUNTER_MODE_TAG]);
        tag
    }

    pub(super) fn is_tag(&self, packet: &[u8], rollover: &[u8], tag: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.tag(packet, rollover), tag).is_ok()
    }
}

/// The pseudo-random function of RFC 3711 section 4.3.3, with the master key's own length (RFC 6188, RFC 7714 section 11); a salt of
/// 96 bits counts as one of 112 that ends in zeros.
fn derive<const LENGTH: usize>(master: &[u8], salt: &[u8], label: u8) -> Option<[u8; LENGTH]> {
    let mut start = [0; 16];
    start.get_mut(..salt.len())?.copy_from_slice(salt);
    start[7] ^= label;
    let mut key = [0; LENGTH];
    counter_mode(master)?.less_safe_encrypt(&mut key, EncryptionContext::Iv128(start.into())).ok()?;
    Some(key)
}

fn counter_mode(key: &[u8]) -> Option<EncryptingKey> {
    let algorithm = if key.len() == 16 { &AES_128 } else { &AES_256 };
    EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key).ok()?).ok()
}

/// The lower 48 bits.
fn index_bytes(index: u64) -> [u8; 6] {
    let [_, _, bytes @ ..] = index.to_be_bytes();
    bytes
}

fn mask<const LENGTH: usize>(bytes: &mut [u8], with: [u8; LENGTH]) {
    bytes.iter_mut().zip(with).for_each(|(byte, with)| *byte ^= with);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    #[test]
    fn keys_are_derived_as_in_rfc_3711_appendix_b_3() {
        let master = bytes("E1F97A0D3E018BE0D64FA32C06DE4139");
        let salt = bytes("0EC675AD498AFEEBB6960B3AABE6");

        assert_eq!(derive::<16>(&master, &salt, 0).unwrap()[..], bytes("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(derive::<14>(&master, &salt, 2).unwrap()[..], bytes("30CBBC08863D8C85D49DB34A9AE1"));
        let authentication = derive::<20>(&master, &salt, 1).unwrap();
        assert_eq!(authentication[..], bytes("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
    }

    #[test]
    fn a_packet_is_sealed_as_in_rfc_7714_section_16_1_1() {
        let key = UnboundKey::new(&AES_128_GCM, &bytes("000102030405060708090a0b0c0d0e0f")).unwrap();
        let salt = bytes("517569642070726f2071756f").try_into().unwrap();
        let cipher = Gcm { key: LessSafeKey::new(key), salt };
        let header = bytes("8040f17b 8041f8d3 5501a0b2");
        let plain = bytes("47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573");
        let mut body = plain.clone();

        let tag = cipher.seal(0x5501_a0b2, 0xf17b, &header, &mut body);

        let sealed = "f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833";
        assert_eq!(body, bytes(sealed));
        assert_eq!(tag.as_ref(), bytes("899d7f27 beb16a91 52cf765e e4390cce"));
        let mut opened = vec![0; body.len()];
        assert!(cipher.open(0x5501_a0b2, 0xf17b, &header, &body, tag.as_ref(), &mut opened));
        assert_eq!(opened, plain);
    }

    #[test]
    fn a_key_stream_is_as_in_rfc_3711_appendix_b_2() {
        let cipher = CounterMode {
            key: counter_mode(&bytes("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap(),
            authentication: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &[]),
            salt: bytes("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").try_into().unwrap(),
        };
        let mut stream = vec![0; 32];

        cipher.apply(0, 0, &mut stream);

        assert_eq!(stream, bytes("E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB"));
    }
}
