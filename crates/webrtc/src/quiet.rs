//! Packets that nobody would hear, kept until a few are there and something is sent to their peer. Knows RTP headers, not
//! what is done with the packets.
//!
//! The state of a thousand peers is far larger than the caches, and to fetch it costs more than to use it: to receive a few
//! packets at once, and where the peer is sent something anyway, costs a fraction. What may be heard does not wait for that.

use std::time::{Duration, Instant};

use crate::packet::Path;

/// dBov. What is lost or late at this level is 30 dB below what the mixer takes for silence.
const INAUDIBLE: i8 = -90;
/// So long after the last audible packet nothing waits: the mixer may still play what ends the speech.
const HANGOVER: Duration = Duration::from_secs(1);
/// So many are taken in together with what is sent.
const FEW: usize = 4;
/// A peer that is sent audio is sent some every 20 ms, so that [`FEW`] are there before; who is not must not wait longer.
/// The mixer takes a stream for paused when it has missed 100 ms of it.
const MAX_WAIT: Duration = Duration::from_millis(85);
/// Bytes. Silence needs a tenth of it.
const MAX_LENGTH: usize = 256;

/// What a peer sends while it is quiet.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    /// The header extension with the audio level (RFC 6464), if negotiated.
    extension: Option<u8>,
    /// The last packet that may be heard.
    heard_at: Option<Instant>,
    waiting: Vec<Waiting>,
    /// What was [`Waiting`] before: a packet costs no allocation.
    spare: Vec<Waiting>,
}

/// A packet that waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) path: Path,
    pub(crate) datagram: Vec<u8>,
    pub(crate) arrival: Instant,
}

impl Quiet {
    /// The identifier of the audio level in the header extensions of RTP.
    pub(crate) fn set_extension(&mut self, extension: Option<u8>) {
        self.extension = extension;
    }

    /// Whether the RTP packet was taken to wait. If not, its time is now, after that of those that wait.
    pub(crate) fn keep(&mut self, path: Path, datagram: &[u8], now: Instant) -> bool {
        let level = self.extension.and_then(|extension| audio_level(datagram, extension));
        if level.is_none_or(|level| level > INAUDIBLE) {
            self.heard_at = Some(now);
            return false;
        }
        let heard_at = *self.heard_at.get_or_insert(now);
        if now < heard_at + HANGOVER || self.waiting.len() > FEW || datagram.len() > MAX_LENGTH {
            return false;
        }
        let mut bytes = self.spare.pop().map_or_else(Vec::new, |spare| spare.datagram);
        bytes.clear();
        bytes.extend_from_slice(datagram);
        self.waiting.push(Waiting { path, datagram: bytes, arrival: now });
        true
    }

    /// Enough wait to be taken in when something is sent.
    pub(crate) fn are_few(&self) -> bool {
        self.waiting.len() >= FEW
    }

    /// All that wait, in order.
    pub(crate) fn take(&mut self) -> Vec<Waiting> {
        std::mem::take(&mut self.waiting)
    }

    /// Gives back what [`Quiet::take`] has taken.
    pub(crate) fn recycle(&mut self, mut waiting: Vec<Waiting>) {
        self.spare.append(&mut waiting);
        self.waiting = waiting;
    }

    /// When what waits has to be taken.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.waiting.first().map(|first| first.arrival + MAX_WAIT)
    }
}

/// In dBov. From a one-byte header extension (RFC 8285 section 4.2), which is not encrypted: browsers use no other.
fn audio_level(datagram: &[u8], extension: u8) -> Option<i8> {
    const FIXED_HEADER: usize = 12;
    const HAS_EXTENSIONS: u8 = 0x10;
    let first = *datagram.first()?;
    if first & HAS_EXTENSIONS == 0 {
        return None;
    }
    let sources = usize::from(first & 0x0f);
    let [0xbe, 0xde, high, low, rest @ ..] = datagram.get(FIXED_HEADER + 4 * sources..)? else { return None };
    let words = usize::from(u16::from_be_bytes([*high, *low]));
    let mut elements = rest.get(..4 * words)?;
    while let [header, rest @ ..] = elements {
        if *header == 0 {
            // Padding.
            elements = rest;
            continue;
        }
        let (id, length) = (header >> 4, usize::from(header & 0x0f) + 1);
        if id == extension {
            return rest.first().map(|level| -((level & 0x7f) as i8));
        }
        elements = rest.get(length..)?;
    }
    None
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

    #[test]
    fn the_level_is_found_among_other_extensions() {
        assert_eq!(audio_level(&packet(0x80 | 30), LEVEL), Some(-30));
        assert_eq!(audio_level(&packet(127), LEVEL), Some(-127));
        assert_eq!(audio_level(&packet(127), 4), None);
    }

    #[test]
    fn no_cut_packet_has_a_level_beyond_its_end() {
        let packet = packet(127);
        for length in 0..packet.len() - 20 {
            assert_eq!(audio_level(&packet[..length], LEVEL), None, "{length}");
        }
    }
}
