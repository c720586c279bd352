//! The audio of one peer, both ways: its streams, their encryption, and what RTCP says of them. Knows neither ICE nor DTLS: it is
//! given keys and a path.
//!
//! All that a packet needs is here, in few cache lines: with a thousand peers a net thread waits for memory more than it computes.

use std::time::{Duration, Instant};

use super::statistics::Statistics;
use super::stream::Stream;
use crate::packet::Received;
use crate::rtcp::{self, NtpTime, Report, Sent};
use crate::rtp::{Header, samples, write_header};
use crate::sdp::{AudioOffer, Direction, ExtensionKind, HeaderExtension};
use crate::srtp::{Srtp, Window};

/// SSRCs a peer may use besides the current one. A browser has one per track it ever sent.
const MAX_STREAMS: usize = 15;
/// So many packets name the section they belong to: RFC 9143 section 15 asks for it until the receiver must know.
const MID_PACKETS: u64 = 250;
/// RFC 3550 section 6.2.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// The tag of the strongest cipher, in bytes.
const TAG: usize = 16;
/// A header with the longest extension that we write, in bytes.
const HEADER: usize = 12 + 4 + 20;

/// One peer's audio.
#[derive(Debug)]
pub(super) struct Audio {
    srtp: Option<Srtp>,
    pub(super) direction: Direction,
    pub(super) payload_type: u8,
    /// Of the audio level in header extensions (RFC 6464), if negotiated.
    level_id: Option<u8>,
    mid_id: Option<u8>,
    /// Of what we send.
    pub(super) ssrc: u32,
    /// Whose packet was authentic last.
    stream: Option<Stream>,
    /// Those before it, the oldest first.
    former: Vec<Stream>,
    sent: Option<Newest>,
    /// The sequence number from which the indices of what we send are counted: the receiver takes its first for one below 65,536.
    sent_from: Option<u64>,
    /// With the same keys no index may come twice (RFC 3711 section 9.1).
    sent_indices: Window,
    sent_packets: u64,
    sent_bytes: u64,
    received_packets: u64,
    received_bytes: u64,
    /// When it began.
    start: Instant,
    /// That moment, since the Unix epoch.
    wall_clock: Duration,
    report_at: Option<Instant>,
    pub(super) mid: String,
    pub(super) extensions: Vec<HeaderExtension>,
    pub(super) statistics: Statistics,
}

/// The packet of ours that left last.
#[derive(Debug, Clone, Copy)]
struct Newest {
    timestamp: u32,
    at: Instant,
}

/// Why a datagram yields no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unheard {
    /// It is not the peer's, or not what was negotiated.
    Wrong,
    /// It came before.
    Again,
    /// The peer is not to be heard.
    Unwanted,
}

impl Audio {
    pub(super) fn new(
        ssrc: u32,
        payload_type: u8,
        statistics: Statistics,
        start: Instant,
        wall_clock: Duration,
    ) -> Self {
        Self {
            srtp: None,
            direction: Direction::Inactive,
            payload_type,
            level_id: None,
            mid_id: None,
            ssrc,
            stream: None,
            former: Vec::new(),
            sent: None,
            sent_from: None,
            sent_indices: Window::default(),
            sent_packets: 0,
            sent_bytes: 0,
            received_packets: 0,
            received_bytes: 0,
            start,
            wall_clock,
            report_at: None,
            mid: String::new(),
            extensions: Vec::new(),
            statistics,
        }
    }

    /// What the offer says of the section.
    pub(super) fn apply(&mut self, offer: &AudioOffer) {
        let id = |kind| offer.extensions.iter().find(|it| it.kind == kind).map(|it| it.id);
        (self.mid_id, self.level_id) = (id(ExtensionKind::Mid), id(ExtensionKind::AudioLevel));
        self.mid.clone_from(&offer.mid);
        self.extensions.clone_from(&offer.extensions);
        self.direction = offer.direction.mirrored();
    }

    /// The handshake has ended.
    pub(super) fn set_keys(&mut self, srtp: Srtp, now: Instant) {
        self.srtp = Some(srtp);
        // The first comes early (RFC 3550 section 6.2).
        self.report_at = Some(now + REPORT_INTERVAL / 2);
    }

    /// A packet that the peer may have sent.
    pub(super) fn receive(&mut self, datagram: &[u8], now: Instant) -> Result<Received, Unheard> {
        let srtp = self.srtp.as_ref().ok_or(Unheard::Wrong)?;
        let header = Header::parse(datagram).ok_or(Unheard::Wrong)?;
        if header.payload_type != self.payload_type {
            return Err(Unheard::Wrong);
        }
        let window = self.known(header.ssrc).map_or_else(Window::default, |stream| stream.window);
        let index = window.guess(header.sequence);
        if !window.is_new(index) {
            return Err(Unheard::Again);
        }
        let mut payload = srtp.unprotect(datagram, header.length, header.ssrc, index).ok_or(Unheard::Wrong)?;
        if header.is_padded {
            let padding = payload.last().map_or(0, |padding| usize::from(*padding));
            payload = payload.get(..payload.len().saturating_sub(padding)).ok_or(Unheard::Wrong)?.into();
        }
        // Only now is it certain that the peer has sent it, and that it may have a place in the list.
        let arrived = now.saturating_duration_since(self.start);
        let timestamp = self.current(header.ssrc).take(index, header.timestamp, arrived);
        if !self.direction.receives() {
            return Err(Unheard::Unwanted);
        }
        self.received_packets += 1;
        self.received_bytes += payload.len() as u64;
        Ok(Received {
            ssrc: header.ssrc,
            sequence: index,
            timestamp,
            audio_level: self.level_id.and_then(|id| header.audio_level(id)),
            payload,
            arrival: now,
        })
    }

    /// A packet of ours, ready to leave; `None` without keys, and for a sequence number that was sent or is far behind.
    pub(super) fn send(&mut self, sequence: u64, timestamp: u32, payload: &[u8], now: Instant) -> Option<Vec<u8>> {
        let srtp = self.srtp.as_ref()?;
        let from = *self.sent_from.get_or_insert(sequence & !0xffff);
        let index = sequence.checked_sub(from).filter(|index| self.sent_indices.is_new(*index))?;
        self.sent_indices.take(index);
        let mid = self.mid_id.filter(|_| self.sent_packets < MID_PACKETS).map(|id| (id, self.mid.as_str()));
        let mut packet = Vec::with_capacity(HEADER + payload.len() + TAG);
        write_header(&mut packet, self.payload_type, index as u16, timestamp, self.ssrc, mid);
        let header = packet.len();
        packet.extend_from_slice(payload);
        srtp.protect(&mut packet, header, self.ssrc, index);
        self.sent_packets += 1;
        self.sent_bytes += payload.len() as u64;
        self.sent = Some(Newest { timestamp, at: now });
        Some(packet)
    }

    /// RTCP that the peer may have sent. Whether it has.
    pub(super) fn receive_report(&mut self, datagram: &[u8], now: Instant) -> bool {
        let Some(bytes) = self.srtp.as_mut().and_then(|srtp| srtp.unprotect_report(datagram)) else { return false };
        let time = self.time(now);
        for report in rtcp::read(&bytes) {
            match report {
                Report::Sender { ssrc, now: theirs } => {
                    if let Some(stream) = self.streams_mut().find(|stream| stream.ssrc == ssrc) {
                        stream.take_report(theirs, now);
                    }
                }
                Report::Reception(reception) if reception.ssrc == self.ssrc => {
                    self.statistics.take_report(&reception, time);
                }
                Report::Reception(_) => {}
            }
        }
        true
    }

    /// When [`Audio::report`] is next due.
    pub(super) fn report_at(&self) -> Option<Instant> {
        self.report_at
    }

    /// RTCP that is due now.
    pub(super) fn report(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.report_at.is_none_or(|at| now < at) {
            return None;
        }
        self.report_at = Some(now + REPORT_INTERVAL);
        self.write_report(false, now)
    }

    /// The last RTCP of this stream.
    pub(super) fn end(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.report_at = None;
        self.write_report(true, now)
    }

    /// Counts for the statistics what there is; packets of the peer that were lost since the last call.
    pub(super) fn look(&mut self) -> u32 {
        let lost = self.streams_mut().map(Stream::lost_since).sum();
        let jitter = self.stream.as_ref().map_or(0, Stream::jitter);
        self.statistics.look(
            lost,
            jitter,
            (self.received_packets, self.received_bytes),
            (self.sent_packets, self.sent_bytes),
        )
    }

    /// Of what came last.
    pub(super) fn remote_ssrc(&self) -> Option<u32> {
        self.stream.as_ref().map(|stream| stream.ssrc)
    }

    fn known(&self, ssrc: u32) -> Option<&Stream> {
        self.stream.iter().chain(&self.former).find(|stream| stream.ssrc == ssrc)
    }

    fn streams_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.stream.iter_mut().chain(&mut self.former)
    }

    /// Makes the stream with this SSRC the current one.
    fn current(&mut self, ssrc: u32) -> &mut Stream {
        if let Some(replaced) = self.stream.take_if(|stream| stream.ssrc != ssrc) {
            let known = self.former.iter().position(|stream| stream.ssrc == ssrc);
            self.stream = known.map(|known| self.former.remove(known));
            if self.former.len() == MAX_STREAMS {
                self.former.remove(0);
            }
            self.former.push(replaced);
        }
        self.stream.get_or_insert_with(|| Stream::new(ssrc))
    }

    fn write_report(&mut self, is_end: bool, now: Instant) -> Option<Vec<u8>> {
        let time = self.time(now);
        let sent = self.sent.map(|Newest { timestamp, at }| {
            let since = samples(now.saturating_duration_since(at));
            Sent {
                now: time,
                timestamp: timestamp.wrapping_add(since as u32),
                packets: self.sent_packets as u32,
                octets: self.sent_bytes as u32,
            }
        });
        let received: Vec<_> = self.streams_mut().filter_map(|stream| stream.reception(now)).collect();
        let mut packet = rtcp::write(self.ssrc, sent, &received, is_end)?;
        self.srtp.as_mut()?.protect_report(&mut packet, self.ssrc);
        Some(packet)
    }

    fn time(&self, now: Instant) -> NtpTime {
        NtpTime::since_unix_epoch(self.wall_clock + now.saturating_duration_since(self.start))
    }
}

#[cfg(test)]
mod tests {
    use dimpl::SrtpProfile;

    use super::*;

    const LEVEL: u8 = 2;
    const TICK: Duration = Duration::from_millis(20);

    #[expect(clippy::disallowed_methods, reason = "where virtual time starts does not matter")]
    fn start() -> Instant {
        Instant::now()
    }

    fn keys(active: bool) -> Srtp {
        let profile = SrtpProfile::AEAD_AES_128_GCM;
        Srtp::new(profile, &Vec::from_iter(0..profile.keying_material_len() as u8), active).unwrap()
    }

    /// The audio of a peer, and a sender with its keys.
    fn pair(now: Instant) -> (Audio, Srtp) {
        let mut audio = Audio::new(1, 111, Statistics::new(0), now, Duration::ZERO);
        (audio.direction, audio.level_id) = (Direction::SendRecv, Some(LEVEL));
        audio.set_keys(keys(false), now);
        (audio, keys(true))
    }

    fn packet(srtp: &Srtp, payload_type: u8, ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
        let mut packet = Vec::new();
        write_header(&mut packet, payload_type, sequence, u32::from(sequence) * 960, ssrc, Some((LEVEL, "\u{1e}")));
        let header = packet.len();
        packet.extend(payload);
        srtp.protect(&mut packet, header, ssrc, u64::from(sequence));
        packet
    }

    #[test]
    fn a_packet_is_heard_once_and_if_it_is_what_was_negotiated() {
        let now = start();
        let (mut audio, theirs) = pair(now);
        let first = packet(&theirs, 111, 9, 5, b"speech");

        let heard = audio.receive(&first, now).unwrap();

        assert_eq!((heard.ssrc, heard.sequence, heard.audio_level), (9, 5, Some(-30)));
        assert_eq!(&heard.payload[..], b"speech");
        assert_eq!(audio.receive(&first, now).unwrap_err(), Unheard::Again);
        assert_eq!(audio.receive(&packet(&theirs, 0, 9, 6, b"PCMU"), now).unwrap_err(), Unheard::Wrong);
        assert_eq!(audio.receive(&packet(&keys(false), 111, 9, 6, b"ours"), now).unwrap_err(), Unheard::Wrong);
        audio.direction = Direction::SendOnly;
        assert_eq!(audio.receive(&packet(&theirs, 111, 9, 6, b"more"), now).unwrap_err(), Unheard::Unwanted);
    }

    #[test]
    fn padding_is_no_speech() {
        let now = start();
        let (mut audio, theirs) = pair(now);
        for (sequence, body, left) in
            [(1, &b"ab\0\x02"[..], Some(&b"ab"[..])), (2, b"\x01", Some(b"")), (3, b"ab\x09", Some(b""))]
        {
            let mut padded = Vec::new();
            write_header(&mut padded, 111, sequence, 0, 9, None);
            padded[0] |= 0x20;
            padded.extend(body);
            theirs.protect(&mut padded, 12, 9, u64::from(sequence));
            let heard = audio.receive(&padded, now).ok();
            assert_eq!(heard.as_ref().map(|packet| &packet.payload[..]), left, "{sequence}");
        }
    }

    #[test]
    fn streams_are_kept_apart_and_only_so_many() {
        let now = start();
        let (mut audio, theirs) = pair(now);
        for ssrc in 0..40 {
            for sequence in [100, 101] {
                assert!(audio.receive(&packet(&theirs, 111, ssrc, sequence, b"speech"), now).is_ok());
            }
        }
        // The first comes back, one that is known goes on.
        assert!(audio.receive(&packet(&theirs, 111, 0, 102, b"speech"), now).is_ok());
        assert_eq!(audio.receive(&packet(&theirs, 111, 38, 101, b"speech"), now).unwrap_err(), Unheard::Again);
        assert!(audio.receive(&packet(&theirs, 111, 38, 102, b"speech"), now).is_ok());

        assert_eq!(audio.remote_ssrc(), Some(38));
        assert_eq!(audio.former.len(), MAX_STREAMS);
        assert!(audio.report(now + REPORT_INTERVAL).is_some(), "all of them fit into a report");
    }

    #[test]
    fn no_index_is_sent_twice_and_the_first_is_in_the_first_cycle() {
        let now = start();
        let (mut audio, theirs) = pair(now);
        let mut send = |sequence| audio.send(sequence, 0, b"mix", now);

        let first = send(5 * 65_536 + 9).unwrap();
        assert_eq!(theirs.unprotect(&first, 12, 1, 9).as_deref(), Some(&b"mix"[..]));
        assert!(send(5 * 65_536 + 11).is_some());
        assert!(send(5 * 65_536 + 10).is_some(), "late");
        for sequence in [5 * 65_536 + 9, 5 * 65_536 + 10, 5 * 65_536 + 11, 5 * 65_536 - 1] {
            assert_eq!(send(sequence), None, "{sequence}");
        }
        let next_cycle = send(6 * 65_536).unwrap();
        assert!(theirs.unprotect(&next_cycle, 12, 1, 65_536).is_some());
    }

    #[test]
    fn the_section_is_named_at_first_and_reports_tell_the_time() {
        let now = start();
        let (mut audio, mut theirs) = pair(now);
        (audio.mid_id, audio.mid) = (Some(1), "0".to_owned());
        let wall_clock = Duration::from_secs(1_700_000_000);
        audio.wall_clock = wall_clock;
        let mid = |packet: &[u8]| Header::parse(packet).unwrap().extension(1).map(<[u8]>::to_vec);

        let sent: Vec<_> = (0..300)
            .map(|index| audio.send(index, index as u32 * 960, b"mix", now + TICK * index as u32).unwrap())
            .collect();

        assert_eq!(mid(&sent[0]), Some(b"0".to_vec()));
        assert_eq!(sent.iter().filter(|packet| mid(packet).is_some()).count() as u64, MID_PACKETS);
        assert_eq!(audio.report(now), None, "not yet");
        let report = audio.report(now + 300 * TICK).unwrap();
        let time = NtpTime::since_unix_epoch(wall_clock + 300 * TICK);
        assert_eq!(rtcp::read(&theirs.unprotect_report(&report).unwrap()), [Report::Sender { ssrc: 1, now: time }]);
    }
}
