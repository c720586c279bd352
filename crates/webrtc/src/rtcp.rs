//! Compound packets of RTCP (RFC 3550 section 6): what we report of a stream, and what a peer does. Knows no state.

use std::time::Duration;

use rtcp_types::{
    Bye, Compound, Packet, ReceiverReport, ReportBlock, ReportBlockBuilder, RtcpPacketWriterExt, Sdes, SdesChunk,
    SdesItem, SenderReport,
};

/// As in our `a=ssrc` lines.
const CNAME: &str = "janus";
/// All that we ever say is shorter, with reports of the sixteen streams a peer may have at a time.
const MAX_LENGTH: usize = 512;

/// The 64 bits of NTP: seconds and their fractions since 1900.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NtpTime(u64);

/// What we have sent (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) now: NtpTime,
    /// What the stream's time is now.
    pub(crate) timestamp: u32,
    pub(crate) packets: u32,
    /// Of payload, in bytes.
    pub(crate) octets: u32,
}

/// How a stream is received (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reception {
    /// Who sends it.
    pub(crate) ssrc: u32,
    /// In 256ths, since the last report.
    pub(crate) fraction_lost: u8,
    /// 24 bits with a sign.
    pub(crate) lost: u32,
    pub(crate) highest: u32,
    /// In samples.
    pub(crate) jitter: u32,
    /// The middle of the time in the sender's last report; 0 before there was one.
    pub(crate) last_report: u32,
    /// Since that came, in 65,536ths of a second.
    pub(crate) delay: u32,
}

/// What a peer reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    Sender { ssrc: u32, now: NtpTime },
    Reception(Reception),
}

impl NtpTime {
    /// Seconds from 1900 to 1970.
    const UNIX_EPOCH: u64 = 2_208_988_800;

    pub(crate) fn since_unix_epoch(time: Duration) -> Self {
        let seconds = (time.as_secs() + Self::UNIX_EPOCH) & u64::from(u32::MAX);
        let fraction = (u64::from(time.subsec_nanos()) << 32) / 1_000_000_000;
        Self(seconds << 32 | fraction)
    }

    /// The middle 32 bits, which reports refer to.
    pub(crate) fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

impl Reception {
    /// How long a report of ours and the one about it were under way, if it came `now`.
    pub(crate) fn round_trip(&self, now: NtpTime) -> Option<Duration> {
        if self.last_report == 0 {
            return None;
        }
        let units = now.middle().wrapping_sub(self.last_report).wrapping_sub(self.delay);
        // Clocks differ: what is less than nothing is none.
        (units < 1 << 31).then(|| Duration::from_nanos((u64::from(units) * 1_000_000_000) >> 16))
    }
}

/// A compound packet of the stream `ssrc`, of which nothing is said if none of it was `sent`; the last one if `is_end`. `None`: it
/// is too much for one.
pub(crate) fn write(ssrc: u32, sent: Option<Sent>, received: &[Reception], is_end: bool) -> Option<Vec<u8>> {
    let blocks = received.iter().map(block);
    let compound = match sent {
        Some(Sent { now: NtpTime(now), timestamp, packets, octets }) => {
            let report = SenderReport::builder(ssrc).ntp_timestamp(now).rtp_timestamp(timestamp);
            let report = report.packet_count(packets).octet_count(octets);
            Compound::builder().add_packet(blocks.fold(report, |report, block| report.add_report_block(block)))
        }
        None => {
            let report = ReceiverReport::builder(ssrc);
            Compound::builder().add_packet(blocks.fold(report, |report, block| report.add_report_block(block)))
        }
    };
    let name = SdesChunk::builder(ssrc).add_item(SdesItem::builder(SdesItem::CNAME, CNAME));
    let mut compound = compound.add_packet(Sdes::builder().add_chunk(name));
    if is_end {
        compound = compound.add_packet(Bye::builder().add_source(ssrc));
    }
    let mut bytes = vec![0; MAX_LENGTH];
    let length = compound.write_into(&mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

/// What is in a compound packet; what is not understood is left out.
pub(crate) fn read(bytes: &[u8]) -> Vec<Report> {
    let mut reports = Vec::new();
    let Ok(compound) = Compound::parse(bytes) else { return reports };
    for packet in compound.flatten() {
        if let Packet::Sr(report) = packet {
            reports.push(Report::Sender { ssrc: report.ssrc(), now: NtpTime(report.ntp_timestamp()) });
            reports.extend(report.report_blocks().map(reception));
        } else if let Packet::Rr(report) = packet {
            reports.extend(report.report_blocks().map(reception));
        }
    }
    reports
}

fn block(reception: &Reception) -> ReportBlockBuilder {
    let Reception { ssrc, fraction_lost, lost, highest, jitter, last_report, delay } = *reception;
    ReportBlock::builder(ssrc)
        .fraction_lost(fraction_lost)
        .cumulative_lost(lost)
        .extended_sequence_number(highest)
        .interarrival_jitter(jitter)
        .last_sender_report_timestamp(last_report)
        .delay_since_last_sender_report_timestamp(delay)
}

fn reception(block: ReportBlock<'_>) -> Report {
    Report::Reception(Reception {
        ssrc: block.ssrc(),
        fraction_lost: block.fraction_lost(),
        lost: block.cumulative_lost(),
        highest: block.extended_sequence_number(),
        jitter: block.interarrival_jitter(),
        last_report: block.last_sender_report_timestamp(),
        delay: block.delay_since_last_sender_report_timestamp(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEPTION: Reception =
        Reception { ssrc: 9, fraction_lost: 3, lost: 70_000, highest: 1 << 20, jitter: 48, last_report: 5, delay: 6 };

    #[test]
    fn what_is_written_is_read() {
        let now = NtpTime::since_unix_epoch(Duration::from_millis(1_700_000_000_250));
        let sent = Sent { now, timestamp: 7, packets: 8, octets: 900 };

        let both = write(1, Some(sent), &[RECEPTION], false).unwrap();
        let end = write(1, None, &[], true).unwrap();

        assert_eq!(read(&both), [Report::Sender { ssrc: 1, now }, Report::Reception(RECEPTION)]);
        assert_eq!(read(&write(1, None, &[RECEPTION; 16], true).unwrap()), [Report::Reception(RECEPTION); 16]);
        assert_eq!(read(&end), []);
        // RFC 3550 section 6.1: a report comes first, whatever follows. Types 201, 202 and 203.
        assert_eq!((end[1], end[9], end[8 + 16 + 1]), (201, 202, 203));
        for length in 0..both.len() {
            read(&both[..length]);
        }
    }

    #[test]
    fn a_round_trip_is_what_the_peer_has_not_waited() {
        let at = |millis: u64| NtpTime::since_unix_epoch(Duration::from_millis(1_700_000_000_000 + millis));
        let reception = Reception { last_report: at(0).middle(), delay: 65_536 / 2, ..RECEPTION };

        let measured = reception.round_trip(at(520)).unwrap().as_micros();
        assert!((19_900..=20_100).contains(&measured), "{measured}");
        assert_eq!(reception.round_trip(at(400)), None, "sooner than it can be");
        assert_eq!(Reception { last_report: 0, ..reception }.round_trip(at(520)), None);
    }
}
