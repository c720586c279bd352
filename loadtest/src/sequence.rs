//! Counts what arrived and what is missing from RTP sequence numbers alone (RFC 3550 section 6.4.1). Knows no payload.

/// What one packet's sequence number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The successor of the highest so far, or the very first.
    Next,
    /// That many packets before it have not arrived (yet).
    Gap(u16),
    /// Older than the highest so far: reordered or sent twice.
    Late,
}

/// The counters of one received stream.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    highest: Option<u64>,
    first: u64,
    received: u64,
    gaps: u64,
    late: u64,
}

impl Sequence {
    /// Takes note of a packet.
    pub fn observe(&mut self, number: u16) -> Arrival {
        self.received += 1;
        let Some(highest) = self.highest else {
            // One cycle up, so that a packet older than the first does not fall below zero.
            let extended = u64::from(number) + (1 << 16);
            self.highest = Some(extended);
            self.first = extended;
            return Arrival::Next;
        };
        let step = number.wrapping_sub(highest as u16);
        if step == 0 || step >= 0x8000 {
            self.late += 1;
            return Arrival::Late;
        }
        self.highest = Some(highest + u64::from(step));
        if step == 1 {
            return Arrival::Next;
        }
        self.gaps += 1;
        Arrival::Gap(step - 1)
    }

    /// Packets that arrived, late ones included.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Packets that should have arrived and did not. A late packet fills its gap.
    pub fn lost(&self) -> u64 {
        self.highest.map_or(0, |highest| (highest - self.first + 1).saturating_sub(self.received))
    }

    /// Times that a number was left out.
    pub fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Packets that came after a higher one.
    pub fn late(&self) -> u64 {
        self.late
    }
}

/// The sequence number of a datagram that is RTP; `None` for RTCP, STUN and DTLS (RFC 7983, RFC 5761).
pub fn rtp_sequence(datagram: &[u8]) -> Option<u16> {
    let header = datagram.first_chunk::<12>()?;
    let rtp = (128..192).contains(&header[0]) && !(64..96).contains(&(header[1] & 0x7f));
    rtp.then(|| u16::from_be_bytes([header[2], header[3]]))
}
