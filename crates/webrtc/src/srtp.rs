//! Encrypts and decrypts RTP and RTCP with the keys of one DTLS handshake (RFC 3711, RFC 5764, RFC 7714). Knows no streams: the
//! caller says which index a packet has.
//!
//! str0m has this too, but only inside of its whole session, which for each packet fetches tens of kilobytes into the caches.

mod cipher;
mod window;

use std::fmt;
use std::sync::Arc;

use dimpl::SrtpProfile;

use cipher::{Cipher, Label};
pub(crate) use window::Window;

/// SSRC and what stands before it: the part of RTCP that is not encrypted.
const REPORT_HEADER: usize = 8;
/// The index of RTCP and its flag.
const INDEX_LENGTH: usize = 4;
/// In the index of RTCP: what comes before it is encrypted (RFC 3711 section 3.4).
const ENCRYPTED: u32 = 1 << 31;

/// The keys of one peer connection, both ways.
pub(crate) struct Srtp {
    ours: Cipher,
    theirs: Cipher,
    /// Apart from what each packet of audio needs.
    reports: Box<Reports>,
}

struct Reports {
    ours: Cipher,
    theirs: Cipher,
    /// Of the next that we send.
    index: u32,
    received: Window,
}

impl Srtp {
    /// `material` is what the handshake has exported (RFC 5764 section 4.2); `active`: we were its client. `None` for what no such
    /// handshake can yield.
    pub(crate) fn new(profile: SrtpProfile, material: &[u8], active: bool) -> Option<Self> {
        let (key, salt) = cipher::lengths(profile)?;
        let (keys, salts) = material.split_at_checked(2 * key)?;
        let (client_key, server_key) = keys.split_at(key);
        let (client_salt, server_salt) = salts.get(..2 * salt)?.split_at(salt);
        let (client, server) = ((client_key, client_salt), (server_key, server_salt));
        let (ours, theirs) = if active { (client, server) } else { (server, client) };
        let cipher = |(key, salt), label| Cipher::derive(profile, key, salt, label);
        Some(Self {
            ours: cipher(ours, Label::Rtp)?,
            theirs: cipher(theirs, Label::Rtp)?,
            reports: Box::new(Reports {
                ours: cipher(ours, Label::Rtcp)?,
                theirs: cipher(theirs, Label::Rtcp)?,
                index: 0,
                received: Window::default(),
            }),
        })
    }

    /// Encrypts all of `packet` but its header. `index` is the extended sequence number, which must not come twice.
    pub(crate) fn protect(&self, packet: &mut Vec<u8>, header: usize, ssrc: u32, index: u64) {
        match &self.ours {
            Cipher::Gcm(cipher) => {
                let (header, body) = packet.split_at_mut(header);
                let tag = cipher.seal(ssrc, index, header, body);
                packet.extend(tag.as_ref());
            }
            Cipher::CounterMode(cipher) => {
                cipher.apply(ssrc, index, &mut packet[header..]);
                let tag = cipher.tag(packet, &rollover(index).to_be_bytes());
                packet.extend(tag);
            }
        }
    }

    /// The payload of a packet; `None` if it is not the peer's, or not with this index.
    pub(crate) fn unprotect(&self, packet: &[u8], header: usize, ssrc: u32, index: u64) -> Option<Arc<[u8]>> {
        let (header, rest) = packet.split_at_checked(header)?;
        let (body, tag) = rest.split_at_checked(rest.len().checked_sub(self.theirs.tag_length())?)?;
        match &self.theirs {
            Cipher::Gcm(cipher) => {
                let mut payload: Arc<[u8]> = std::iter::repeat_n(0, body.len()).collect();
                cipher.open(ssrc, index, header, body, tag, Arc::get_mut(&mut payload)?).then_some(payload)
            }
            Cipher::CounterMode(cipher) => {
                let authenticated = &packet[..packet.len() - tag.len()];
                if !cipher.is_tag(authenticated, &rollover(index).to_be_bytes(), tag) {
                    return None;
                }
                let mut payload: Arc<[u8]> = body.into();
                cipher.apply(ssrc, index, Arc::get_mut(&mut payload)?);
                Some(payload)
            }
        }
    }

    /// Encrypts a compound packet of RTCP, which has `ssrc` in its first header.
    pub(crate) fn protect_report(&mut self, packet: &mut Vec<u8>, ssrc: u32) {
        let Reports { ours, index, .. } = &mut *self.reports;
        let marked = (ENCRYPTED | *index).to_be_bytes();
        match ours {
            Cipher::Gcm(cipher) => {
                let (header, body) = packet.split_at_mut(REPORT_HEADER);
                let tag = cipher.seal(ssrc, u64::from(*index), &[&*header, &marked].concat(), body);
                packet.extend(tag.as_ref());
                packet.extend(marked);
            }
            Cipher::CounterMode(cipher) => {
                cipher.apply(ssrc, u64::from(*index), &mut packet[REPORT_HEADER..]);
                packet.extend(marked);
                let tag = cipher.tag(packet, &[]);
                packet.extend(tag);
            }
        }
        *index = (*index + 1) & !ENCRYPTED;
    }

    /// The compound packet in it; `None` if it is not the peer's, has come before, or is not encrypted.
    pub(crate) fn unprotect_report(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let Reports { theirs, received, .. } = &mut *self.reports;
        let ssrc = u32::from_be_bytes(*packet.get(4..)?.first_chunk()?);
        let (header, rest) = packet.split_at_checked(REPORT_HEADER)?;
        let (body, marked, tag) = match theirs {
            Cipher::Gcm(_) => {
                let (rest, marked) = rest.split_last_chunk::<INDEX_LENGTH>()?;
                let (body, tag) = rest.split_at_checked(rest.len().checked_sub(theirs.tag_length())?)?;
                (body, marked, tag)
            }
            Cipher::CounterMode(_) => {
                let (rest, tag) = rest.split_at_checked(rest.len().checked_sub(theirs.tag_length())?)?;
                let (body, marked) = rest.split_last_chunk::<INDEX_LENGTH>()?;
                (body, marked, tag)
            }
        };
        let index = u32::from_be_bytes(*marked);
        if index & ENCRYPTED == 0 {
            return None;
        }
        let index = u64::from(index & !ENCRYPTED);
        if !received.is_new(index) {
            return None;
        }
        let mut plain = [header, body].concat();
        let is_theirs = match theirs {
            Cipher::Gcm(cipher) => {
                let authenticated = [header, marked].concat();
                cipher.open(ssrc, index, &authenticated, body, tag, &mut plain[REPORT_HEADER..])
            }
            Cipher::CounterMode(cipher) => {
                cipher.apply(ssrc, index, &mut plain[REPORT_HEADER..]);
                cipher.is_tag(&packet[..packet.len() - tag.len()], &[], tag)
            }
        };
        is_theirs.then(|| {
            received.take(index);
            plain
        })
    }
}

/// Keys are not for logs.
impl fmt::Debug for Srtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Srtp")
    }
}

/// How often the sequence number has begun anew.
fn rollover(index: u64) -> u32 {
    (index >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::{Header, write_header};

    const PROFILES: [SrtpProfile; 3] =
        [SrtpProfile::AEAD_AES_256_GCM, SrtpProfile::AEAD_AES_128_GCM, SrtpProfile::AES128_CM_SHA1_80];

    fn pair(profile: SrtpProfile) -> (Srtp, Srtp) {
        let material: Vec<u8> = (0..profile.keying_material_len() as u8).collect();
        (Srtp::new(profile, &material, true).unwrap(), Srtp::new(profile, &material, false).unwrap())
    }

    fn packet(sequence: u16) -> Vec<u8> {
        let mut packet = Vec::new();
        write_header(&mut packet, 111, sequence, 960, 7, Some((1, "0")));
        packet.extend(b"speech");
        packet
    }

    #[test]
    fn what_one_sends_the_other_reads_and_nobody_else() {
        for profile in PROFILES {
            let (client, server) = pair(profile);
            for index in [5, 65_535, 65_536 * 3 + 2] {
                let mut bytes = packet(index as u16);
                let header = Header::parse(&bytes).unwrap().length;
                client.protect(&mut bytes, header, 7, index);

                assert_eq!(server.unprotect(&bytes, header, 7, index).as_deref(), Some(&b"speech"[..]), "{profile}");
                assert_eq!(server.unprotect(&bytes, header, 7, index + 65_536), None, "another rollover");
                assert_eq!(client.unprotect(&bytes, header, 7, index), None, "its own");
                for at in 0..bytes.len() {
                    let mut wrong = bytes.clone();
                    wrong[at] ^= 1;
                    let same_stream = !(8..12).contains(&at) && !(2..4).contains(&at);
                    assert!(!same_stream || server.unprotect(&wrong, header, 7, index).is_none(), "{profile}: {at}");
                    assert_eq!(server.unprotect(&bytes[..at], header, 7, index), None, "cut at {at}");
                }
            }
        }
    }

    /// Key and packet of libsrtp's self-test for AES_CM_128_HMAC_SHA1_80.
    #[test]
    fn a_packet_is_as_other_implementations_send_it() {
        let key = 0xe1f9_7a0d_3e01_8be0_d64f_a32c_06de_4139_u128.to_be_bytes();
        let salt = &0x0ec6_75ad_498a_feeb_b696_0b3a_abe6_u128.to_be_bytes()[2..];
        let srtp = Srtp::new(SrtpProfile::AES128_CM_SHA1_80, &[&key[..], &key, salt, salt].concat(), true).unwrap();
        let mut packet = vec![0x80, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe, 0xba, 0xbe];
        packet.extend([0xab; 16]);

        srtp.protect(&mut packet, 12, 0xcafe_babe, 0x1234);

        let body = 0x4e55_dc4c_e799_78d8_8ca4_d215_949d_2402_u128.to_be_bytes();
        assert_eq!(packet[12..28], body);
        assert_eq!(packet[28..], [0xb7, 0x8d, 0x6a, 0xcc, 0x99, 0xea, 0x17, 0x9b, 0x8d, 0xbb]);
        assert_eq!(srtp.unprotect(&packet, 12, 0xcafe_babe, 0x1234).as_deref(), Some(&[0xab; 16][..]));
    }

    #[test]
    fn a_report_is_read_once_and_only_as_it_was_sent() {
        for profile in PROFILES {
            let (mut client, mut server) = pair(profile);
            let report = [0x80, 201, 0, 1, 0, 0, 0, 7];
            for _ in 0..3 {
                let mut bytes = report.to_vec();
                client.protect_report(&mut bytes, 7);
                for at in 0..bytes.len() {
                    let mut wrong = bytes.clone();
                    wrong[at] ^= 1;
                    assert_eq!(server.unprotect_report(&wrong), None, "{profile}: {at}");
                    assert_eq!(server.unprotect_report(&bytes[..at]), None, "cut at {at}");
                }
                assert_eq!(server.unprotect_report(&bytes).as_deref(), Some(&report[..]));
                assert_eq!(server.unprotect_report(&bytes), None, "again");
            }
        }
    }
}
