//! What the mixer counts: plain numbers that only rise, read by the shell once a tick. Must not know who reads them.

/// Counts since the worker began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets decoded as they came.
    pub decodes_normal: u64,
    /// Lost packets decoded from the forward error correction in their successor.
    pub decodes_fec: u64,
    /// Lost or late packets concealed.
    pub decodes_plc: u64,
    /// Packets decoded and thrown away so that a decoder starts with a fitting state.
    pub decodes_warm_up: u64,
    /// Packets that the decoder refused; they were concealed.
    pub decode_errors: u64,
    /// Encodes of the mix that all listeners share.
    pub encodes_shared: u64,
    /// Encodes for one member.
    pub encodes_private: u64,
    /// Encodes thrown away so that an encoder starts with a fitting state.
    pub encodes_priming: u64,
    /// Encodes spared in lasting silence, whose last packet says it all.
    pub encodes_rested: u64,
    /// Encodes that failed; those who should have heard them got nothing for this tick.
    pub encode_errors: u64,
    /// Members that joined the mix a tick late because too many did at once.
    pub primings_deferred: u64,
    /// Ticks of rooms.
    pub ticks: u64,
    /// Ticks of a phase that began more than 5 ms late.
    pub late_ticks: u64,
    /// Ticks of a phase that were left out because the worker was more than a frame behind.
    pub skipped_ticks: u64,
    /// Room ticks that panicked.
    pub panics: u64,
    /// Packets handed in.
    pub packets: u64,
    /// Dropped packets: member unknown, or gone.
    pub dropped_unknown: u64,
    /// Dropped packets: not Opus (RFC 6716 section 3.4), or empty.
    pub dropped_malformed: u64,
    /// Dropped packets: their time was over.
    pub dropped_late: u64,
    /// Dropped packets: the same had come before.
    pub dropped_duplicate: u64,
    /// Dropped packets: the member's buffer was full.
    pub dropped_overflow: u64,
    /// Dropped packets: skipped to bring the delay back under its bound.
    pub dropped_skipped: u64,
    /// Dropped packets: the queue into the worker was full.
    pub dropped_queue: u64,
    /// Times that a stream was taken for a new one because its timestamps jumped.
    pub resyncs: u64,
    /// Times that sound was shortened to lower the delay.
    pub shortened: u64,
    /// Times that sound was lengthened to raise the delay.
    pub lengthened: u64,
    /// Members that were audible, summed over room ticks.
    pub audible: u64,
    /// Mixes that the limiter had to turn down.
    pub limited: u64,
    /// Members whose delay was added to [`Self::delay`], summed over room ticks.
    pub delay_members: u64,
    /// Delay from arrival to mix in samples of 48 kHz, summed over members and room ticks.
    pub delay: u64,
    /// Rooms now.
    pub rooms: u64,
    /// Members now.
    pub members: u64,
}
