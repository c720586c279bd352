//! The header of RTP (RFC 3550 section 5.1) with its extensions (RFC 8285), and its time. Knows neither keys nor streams.

use std::time::Duration;

/// RTP clock of Opus (RFC 7587 section 4.1), in Hz.
pub(crate) const CLOCK_RATE: u32 = 48_000;
const VERSION: u8 = 2;
const FIXED_LENGTH: usize = 12;
/// RFC 8285 section 4.2.
const ONE_BYTE_PROFILE: u16 = 0xbede;
/// RFC 8285 section 4.3; the last four bits are the application's.
const TWO_BYTE_PROFILE: u16 = 0x1000;

/// The header of a packet that has come.
#[derive(Debug)]
pub(crate) struct Header<'a> {
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    /// The last byte of the payload says how many are not to be read.
    pub(crate) is_padded: bool,
    /// In bytes, with all that follows the fixed part.
    pub(crate) length: usize,
    profile: u16,
    elements: &'a [u8],
}

impl<'a> Header<'a> {
    /// `None` for what is cut short or of another version.
    pub(crate) fn parse(datagram: &'a [u8]) -> Option<Self> {
        let [first, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3] = *datagram.first_chunk::<FIXED_LENGTH>()?;
        if first >> 6 != VERSION {
            return None;
        }
        let sources = usize::from(first & 0x0f);
        let mut length = FIXED_LENGTH + 4 * sources;
        let (mut profile, mut elements): (u16, &[u8]) = (0, &[]);
        if first & 0x10 != 0 {
            let [p0, p1, w0, w1] = *datagram.get(length..)?.first_chunk()?;
            profile = u16::from_be_bytes([p0, p1]);
            let start = length + 4;
            length = start + 4 * usize::from(u16::from_be_bytes([w0, w1]));
            elements = datagram.get(start..length)?;
        }
        (length <= datagram.len()).then_some(Self {
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
            is_padded: first & 0x20 != 0,
            length,
            profile,
            elements,
        })
    }

    /// What the extension with this identifier says.
    pub(crate) fn extension(&self, id: u8) -> Option<&'a [u8]> {
        let has_one_byte = self.profile == ONE_BYTE_PROFILE;
        if !has_one_byte && self.profile & 0xfff0 != TWO_BYTE_PROFILE {
            return None;
        }
        let mut elements = self.elements;
        loop {
            let (&first, rest) = elements.split_first()?;
            if first == 0 {
                // Padding, of one byte in either form.
                elements = rest;
                continue;
            }
            let (found, length, rest) = if has_one_byte {
                (first >> 4, usize::from(first & 0x0f) + 1, rest)
            } else {
                let (&length, rest) = rest.split_first()?;
                (first, usize::from(length), rest)
            };
            if has_one_byte && found == 15 {
                // RFC 8285 section 4.2: nothing after it is to be read.
                return None;
            }
            let (value, rest) = rest.split_at_checked(length)?;
            if found == id {
                return Some(value);
            }
            elements = rest;
        }
    }

    /// The level of the audio in dBov, −127 to 0 (RFC 6464 section 3), if the extension `id` says it.
    pub(crate) fn audio_level(&self, id: u8) -> Option<i8> {
        self.extension(id)?.first().map(|level| -((level & 0x7f) as i8))
    }
}

/// How far the clock goes on in that time.
pub(crate) fn samples(time: Duration) -> u64 {
    (time.as_nanos() * u128::from(CLOCK_RATE) / 1_000_000_000) as u64
}

/// Writes the header of a packet without marker and sources. `mid`: the identifier of the extension and what it says
/// (RFC 9143 section 15), of 1 to 16 bytes.
pub(crate) fn write_header(
    into: &mut Vec<u8>,
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    mid: Option<(u8, &str)>,
) {
    into.extend([VERSION << 6 | u8::from(mid.is_some()) << 4, payload_type]);
    into.extend(sequence.to_be_bytes());
    into.extend(timestamp.to_be_bytes());
    into.extend(ssrc.to_be_bytes());
    if let Some((id, mid)) = mid {
        let words = (1 + mid.len()).div_ceil(4);
        into.extend(ONE_BYTE_PROFILE.to_be_bytes());
        into.extend((words as u16).to_be_bytes());
        let end = into.len() + 4 * words;
        into.push(id << 4 | (mid.len() - 1) as u8);
        into.extend(mid.as_bytes());
        into.resize(end, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVEL: u8 = 3;

    /// One contributing source, padding, another extension of two bytes, the level.
    fn packet(level: u8) -> Vec<u8> {
        let mut packet = vec![0x91, 111, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4];
        packet.extend([0xbe, 0xde, 0, 2, 0, 0x11, 7, 7, LEVEL << 4, level, 0, 0]);
        packet.extend([0x5a; 20]);
        packet
    }

    fn level(packet: &[u8], id: u8) -> Option<i8> {
        Header::parse(packet)?.audio_level(id)
    }

    #[test]
    fn the_level_is_found_among_other_extensions() {
        assert_eq!(level(&packet(0x80 | 30), LEVEL), Some(-30));
        assert_eq!(level(&packet(127), LEVEL), Some(-127));
        assert_eq!(level(&packet(127), 4), None);

        let mut long = packet(0);
        long[16..28].copy_from_slice(&[0x10, 0, 0, 2, 1, 0, 0, LEVEL, 1, 20, 0, 0]);
        assert_eq!(level(&long, LEVEL), Some(-20), "two-byte headers, the first extension empty");
    }

    #[test]
    fn nothing_is_read_beyond_the_end() {
        let whole = packet(127);
        for length in 0..whole.len() - 20 {
            assert_eq!(level(&whole[..length], LEVEL), None, "{length}");
        }
        assert_eq!(Header::parse(&whole).unwrap().length, whole.len() - 20);
        // An element that claims more than there is, and one after which nothing counts.
        for first in [0x1f, 0xf0] {
            let mut wrong = whole.clone();
            wrong[21] = first;
            assert_eq!(level(&wrong, LEVEL), None);
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for mid in [None, Some((5, "0")), Some((5, "audio")), Some((14, "sixteen-bytes-id"))] {
            let mut bytes = Vec::new();
            write_header(&mut bytes, 111, 65_535, 7, 9, mid);
            let header = Header::parse(&bytes).unwrap();
            assert_eq!((header.payload_type, header.sequence, header.timestamp, header.ssrc), (111, 65_535, 7, 9));
            assert_eq!((header.length, header.is_padded), (bytes.len(), false));
            if let Some((id, mid)) = mid {
                assert_eq!(header.extension(id), Some(mid.as_bytes()));
            }
        }
    }
}
