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
    /// Packets whose time went by undecoded, because nobody was to hear them.
    pub decodes_skipped: u64,
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
    /// Room ticks in which, under overload, what nobody hears was left out.
    pub relieved_unheard: u64,
    /// Speakers that, under overload, were not decoded because others were louder, summed over room ticks.
    pub relieved_speakers: u64,
    /// Ticks of a phase in which, under overload, no new members were wanted.
    pub relieved_joins: u64,
    /// How much gives way now because ticks came late: 0 nothing, 1 what nobody hears, 2 to 4 more and more speakers,
    /// from 3 on joins.
    pub overload: u64,
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
    /// Rooms now.
    pub rooms: u64,
    /// Members now.
    pub members: u64,
    /// Of them, those in the mix at the last tick of their room.
    pub speaking: u64,
    /// Of them, those that could not be, because they are muted, say, at the last tick of their room.
    pub muted: u64,
}

impl Counters {
    /// Both together. Names every field, so that none is forgotten.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            decodes_normal: self.decodes_normal + other.decodes_normal,
            decodes_fec: self.decodes_fec + other.decodes_fec,
            decodes_plc: self.decodes_plc + other.decodes_plc,
            decodes_warm_up: self.decodes_warm_up + other.decodes_warm_up,
            decodes_skipped: self.decodes_skipped + other.decodes_skipped,
            decode_errors: self.decode_errors + other.decode_errors,
            encodes_shared: self.encodes_shared + other.encodes_shared,
            encodes_private: self.encodes_private + other.encodes_private,
            encodes_priming: self.encodes_priming + other.encodes_priming,
            encodes_rested: self.encodes_rested + other.encodes_rested,
            encode_errors: self.encode_errors + other.encode_errors,
            primings_deferred: self.primings_deferred + other.primings_deferred,
            ticks: self.ticks + other.ticks,
            late_ticks: self.late_ticks + other.late_ticks,
            skipped_ticks: self.skipped_ticks + other.skipped_ticks,
            relieved_unheard: self.relieved_unheard + other.relieved_unheard,
            relieved_speakers: self.relieved_speakers + other.relieved_speakers,
            relieved_joins: self.relieved_joins + other.relieved_joins,
            overload: self.overload + other.overload,
            panics: self.panics + other.panics,
            packets: self.packets + other.packets,
            dropped_unknown: self.dropped_unknown + other.dropped_unknown,
            dropped_malformed: self.dropped_malformed + other.dropped_malformed,
            dropped_late: self.dropped_late + other.dropped_late,
            dropped_duplicate: self.dropped_duplicate + other.dropped_duplicate,
            dropped_overflow: self.dropped_overflow + other.dropped_overflow,
            dropped_skipped: self.dropped_skipped + other.dropped_skipped,
            dropped_queue: self.dropped_queue + other.dropped_queue,
            resyncs: self.resyncs + other.resyncs,
            shortened: self.shortened + other.shortened,
            lengthened: self.lengthened + other.lengthened,
            audible: self.audible + other.audible,
            limited: self.limited + other.limited,
            rooms: self.rooms + other.rooms,
            members: self.members + other.members,
            speaking: self.speaking + other.speaking,
            muted: self.muted + other.muted,
        }
    }
}
