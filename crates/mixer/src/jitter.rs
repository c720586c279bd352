//! The jitter buffer of one member: which packet plays next, how long to wait, when to conceal. It works on RTP
//! timestamps, so that any packet length, DTX gaps and loss look alike. Must not decode and must not read a clock.
//!
//! Two numbers say all. The *delay* of a stream at a tick is the tick's media time minus the RTP time that plays then;
//! both count 48 kHz, so it changes only when sound is held, skipped, shortened or lengthened. The *target* is the
//! delay that recent packets would have needed: a packet can play at the first tick at or after its arrival, so it
//! needed that tick minus its timestamp. On a network without jitter delay and target are equal, and a packet plays
//! in the first tick after its arrival.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::clock::TICK;

/// So many packets are kept at most; 320 ms of the shortest packets in use (5 ms).
pub const CAPACITY: usize = 64;
/// The target is at most this above the fastest recent packet: 240 ms. Later packets are lost.
pub const MAX_TARGET: i64 = 11_520;
/// A delay this far above the target is not shortened but skipped: 120 ms.
pub const MAX_EXCESS: i64 = 5_760;
/// Sound is held back by concealing for so long; then the stream is taken to have paused: 100 ms.
/// (libopus fades its concealment to nothing in about that time.)
pub const MAX_HOLD: u32 = 4_800;

/// Length of one of the two windows in which lateness is remembered: 1.5 s, so that the delay is back at its base
/// 1.5 to 3 s after the weather is.
const WINDOW: u64 = 72_000;
/// A gap longer than this is a pause or a jump and is not concealed: 120 ms, the longest packet.
const MAX_GAP: u64 = 5_760;
/// A packet whose transit differs by more than this from the others' belongs to a new stream: 360 ms, beyond what any
/// delay could make up for.
const MAX_JUMP: i64 = MAX_TARGET + MAX_EXCESS;
/// So many stragglers in a row are no stragglers, although their sequence numbers say so.
const MAX_STRAGGLERS: u32 = 5;
/// On a restart, packets overdue by more than this are left out: 60 ms.
const MAX_OVERDUE: i64 = 2_880;
/// So many losses in the windows make it worth a packet's delay to have the successor, and its FEC, in time: 2 %.
const LOSSES_FOR_FEC: u32 = 3;
/// Opus conceals in steps of 2.5 ms (RFC 6716 section 2.1.4).
const CONCEAL_STEP: u32 = 120;

/// An Opus packet waiting for its time.
#[derive(Clone, Debug)]
pub struct WaitingPacket {
    /// Extended RTP sequence number.
    pub sequence: u64,
    /// Extended RTP timestamp, 48 kHz.
    pub timestamp: u64,
    /// Length in samples of 48 kHz.
    pub duration: u32,
    /// RFC 6464 level in dBov.
    pub audio_level: Option<i8>,
    /// It can restore its predecessor.
    pub has_fec: bool,
    /// The Opus packet.
    pub payload: Arc<[u8]>,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insertion {
    /// It waits.
    Queued,
    /// It waits, and all before it was dropped: its timestamps do not continue the stream.
    Resynced,
    /// Dropped: its time was over.
    Late,
    /// Dropped: it is there already.
    Duplicate,
    /// Dropped: the buffer is full.
    Overflow,
}

/// What plays next. Durations are in samples of 48 kHz.
#[derive(Clone, Debug)]
pub enum Piece {
    /// This packet.
    Packet(WaitingPacket),
    /// Sound is missing here.
    Conceal {
        /// For so long.
        duration: u32,
        /// The successor's payload, if it restores what is missing.
        fec: Option<Arc<[u8]>>,
    },
    /// Nothing, so that what follows comes neither too early nor too late.
    Silence {
        /// For so long.
        duration: u32,
    },
    /// Nothing is there, and nothing is expected: the stream pauses.
    Pause,
}

impl Piece {
    /// Length in samples of 48 kHz.
    pub fn duration(&self) -> u32 {
        match self {
            Self::Packet(packet) => packet.duration,
            Self::Conceal { duration, .. } | Self::Silence { duration } => *duration,
            Self::Pause => 0,
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct JitterBuffer {
    /// In order of timestamps, none twice.
    packets: VecDeque<WaitingPacket>,
    /// RTP time after the last piece; what is older has played or never will.
    next: u64,
    playing: bool,
    /// How much was concealed since the last packet in the hope that `next` would still come.
    held: u32,
    last_sequence: u64,
    last_duration: u32,
    lateness: Lateness,
    skipped: u64,
    /// Gaps of up to 20 ms left by lost packets: concealed, and restored.
    concealed: u64,
    restored: u64,
    /// Packets in a row that came far too late.
    stragglers: u32,
}

impl JitterBuffer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a packet that arrived at media time `arrival` and can play at the tick `ready` (the first at or after).
    pub fn insert(&mut self, packet: WaitingPacket, arrival: u64, ready: u64) -> Insertion {
        let transit = difference(arrival, packet.timestamp);
        let shift = self.lateness.earliest().map_or(0, |earliest| transit.saturating_sub(earliest));
        // Far too late: a straggler, unless the old stream has run dry and this one goes on.
        if shift > MAX_JUMP {
            self.stragglers += 1;
            let older = packet.sequence <= self.last_sequence && self.stragglers <= MAX_STRAGGLERS;
            if self.playing || older {
                return Insertion::Late;
            }
        }
        self.stragglers = 0;
        let jumped = shift.unsigned_abs() > MAX_JUMP as u64;
        if jumped {
            self.packets.clear();
            self.lateness = Lateness::default();
            self.playing = false;
            self.next = 0;
        }
        self.lateness.record(difference(ready, packet.timestamp), transit, arrival, packet.has_fec);
        if packet.timestamp < self.next {
            return Insertion::Late;
        }
        let place = self.packets.partition_point(|waiting| waiting.timestamp < packet.timestamp);
        if self.packets.get(place).is_some_and(|waiting| waiting.timestamp == packet.timestamp) {
            return Insertion::Duplicate;
        }
        if self.packets.len() >= CAPACITY {
            return Insertion::Overflow;
        }
        self.packets.insert(place, packet);
        if jumped { Insertion::Resynced } else { Insertion::Queued }
    }

    /// The next piece at a tick, when `queued` samples of earlier pieces have not been played yet.
    pub fn pull(&mut self, tick: u64, queued: u32) -> Piece {
        if self.excess(tick, queued) > MAX_EXCESS {
            self.playing = false;
        }
        if !self.playing
            && let Some(piece) = self.start(tick, queued)
        {
            return piece;
        }
        self.drop_overtaken();
        let Some(first) = self.packets.front() else {
            return self.hold(queued);
        };
        let gap = first.timestamp - self.next;
        let covered = gap.min(u64::from(self.held));
        if covered > 0 {
            let lost = first.sequence != self.last_sequence.wrapping_add(1);
            self.lateness.current.lost += u32::from(lost);
            self.concealed += u64::from(lost);
        }
        self.next += covered;
        self.held = 0;
        match gap - covered {
            0 => self.take(),
            gap if gap > MAX_GAP => {
                self.playing = false;
                self.start(tick, queued).unwrap_or_else(|| self.take())
            }
            gap => self.bridge(gap as u32),
        }
    }

    /// The next packet before its time, if it is there and nothing is missing before it.
    pub fn pull_early(&mut self) -> Option<WaitingPacket> {
        let ready = self.playing && self.packets.front().is_some_and(|first| first.timestamp == self.next);
        match ready.then(|| self.take()) {
            Some(Piece::Packet(packet)) => Some(packet),
            Some(Piece::Conceal { .. } | Piece::Silence { .. } | Piece::Pause) | None => None,
        }
    }

    /// A packet whose whole time is over at a tick, if one waits before another: that plays in time when this is left out. For a
    /// stream that nobody hears.
    pub fn pull_overdue(&mut self, tick: u64, queued: u32) -> Option<WaitingPacket> {
        let target = self.target()?;
        let first = self.packets.front().filter(|_| self.packets.len() > 1)?;
        let overdue = difference(tick, first.timestamp) + i64::from(queued) - target;
        if overdue < i64::from(first.duration) {
            return None;
        }
        let packet = self.packets.pop_front()?;
        self.next = self.next.max(packet.timestamp + u64::from(packet.duration));
        self.held = 0;
        (self.last_sequence, self.last_duration) = (packet.sequence, packet.duration);
        Some(packet)
    }

    /// By how much the delay at a tick is above (or, negative, below) the target; 0 while that cannot be said.
    pub fn excess(&self, tick: u64, queued: u32) -> i64 {
        match self.target() {
            Some(target) if self.playing && self.held == 0 => self.raw_delay(tick, queued) - target,
            Some(_) | None => 0,
        }
    }

    /// How long after the arrival of the fastest recent packets sound plays at a tick, in samples of 48 kHz.
    pub fn delay(&self, tick: u64, queued: u32) -> Option<u32> {
        let earliest = self.lateness.earliest().filter(|_| self.playing)?;
        Some((self.raw_delay(tick, queued) - earliest).clamp(0, i64::from(u32::MAX)) as u32)
    }

    /// Packets left out to bring the delay under its bound since the last call.
    pub fn drain_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }

    /// Gaps of up to 20 ms that lost packets have left: concealed, and restored by what came after.
    pub fn gaps(&self) -> (u64, u64) {
        (self.concealed, self.restored)
    }

    /// Waiting packets.
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Nothing waits.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    fn raw_delay(&self, tick: u64, queued: u32) -> i64 {
        difference(tick, self.next) + i64::from(queued)
    }

    fn target(&self) -> Option<i64> {
        let late = self.lateness.typical_worst()?;
        let for_fec = if self.lateness.worth_fec() { i64::from(self.last_duration) } else { 0 };
        let bound = self.lateness.earliest()? + MAX_TARGET;
        Some((late + for_fec).min(bound))
    }

    /// Starts with the first packet when its time has come. `None`: it plays now.
    fn start(&mut self, tick: u64, queued: u32) -> Option<Piece> {
        let target = self.target().unwrap_or(0);
        let (first, wait) = loop {
            let Some(first) = self.packets.front() else {
                return Some(Piece::Pause);
            };
            let wait = target - difference(tick, first.timestamp) - i64::from(queued);
            if wait >= -MAX_OVERDUE || self.packets.len() == 1 {
                break (first.timestamp, wait);
            }
            self.packets.pop_front();
            self.skipped += 1;
        };
        if wait >= TICK as i64 {
            return Some(Piece::Pause);
        }
        self.next = first;
        self.playing = true;
        self.held = 0;
        (wait > 0).then_some(Piece::Silence { duration: wait as u32 })
    }

    fn take(&mut self) -> Piece {
        let Some(packet) = self.packets.pop_front() else {
            return Piece::Pause;
        };
        self.next = packet.timestamp + u64::from(packet.duration);
        self.held = 0;
        self.last_sequence = packet.sequence;
        self.last_duration = packet.duration;
        Piece::Packet(packet)
    }

    /// Nothing is there: conceals without moving on, so that a packet that is only late is not lost.
    fn hold(&mut self, queued: u32) -> Piece {
        let duration = (TICK as u32).saturating_sub(queued).next_multiple_of(CONCEAL_STEP);
        if self.held + duration > MAX_HOLD {
            self.playing = false;
            return Piece::Pause;
        }
        self.held += duration;
        Piece::Conceal { duration, fec: None }
    }

    /// A later packet is there but not the next: what is between is lost, or was never sent (DTX).
    fn bridge(&mut self, gap: u32) -> Piece {
        let Some(first) = self.packets.front() else {
            return Piece::Pause;
        };
        let lost = first.sequence != self.last_sequence.wrapping_add(1);
        let restorable = if lost && first.has_fec { first.duration } else { 0 };
        // FEC restores exactly the one packet before; what is missing before that is concealed first.
        let fec = (gap == restorable).then(|| Arc::clone(&first.payload));
        let missing = if gap > restorable { gap - restorable } else { gap };
        let length = missing.min(TICK as u32);
        self.lateness.current.lost += u32::from(lost);
        self.concealed += u64::from(lost && fec.is_none());
        self.restored += u64::from(fec.is_some());
        self.next += u64::from(length);
        Piece::Conceal { duration: length.next_multiple_of(CONCEAL_STEP), fec }
    }

    fn drop_overtaken(&mut self) {
        while self.packets.front().is_some_and(|first| first.timestamp < self.next) {
            self.packets.pop_front();
            self.skipped += 1;
        }
    }
}

/// How late packets were, over the present window and the one before.
#[derive(Debug, Default)]
struct Lateness {
    current: Window,
    previous: Window,
    /// When the present window began.
    began: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Window {
    count: u32,
    largest: i64,
    second: i64,
    /// The least transit: arrival minus timestamp.
    earliest: i64,
    lost: u32,
    has_fec: bool,
}

impl Lateness {
    fn record(&mut self, needed: i64, transit: i64, arrival: u64, has_fec: bool) {
        let age = arrival.saturating_sub(self.began);
        if age >= 2 * WINDOW {
            *self = Self { began: arrival, ..Self::default() };
        } else if age >= WINDOW {
            self.previous = std::mem::take(&mut self.current);
            self.began = arrival;
        }
        self.current.record(needed, transit);
        self.current.has_fec |= has_fec;
    }

    /// The delay that all recent packets but one per window would have needed: a lone straggler is cheaper to conceal
    /// than to wait for.
    fn typical_worst(&self) -> Option<i64> {
        let windows = [&self.current, &self.previous];
        let seconds = windows.iter().filter(|window| window.count >= 2).map(|window| window.second);
        let largest = windows.iter().filter(|window| window.count >= 1).map(|window| window.largest);
        seconds.max().or(largest.max())
    }

    fn earliest(&self) -> Option<i64> {
        let windows = [&self.current, &self.previous];
        windows.iter().filter(|window| window.count >= 1).map(|window| window.earliest).min()
    }

    fn worth_fec(&self) -> bool {
        self.current.lost + self.previous.lost >= LOSSES_FOR_FEC && (self.current.has_fec || self.previous.has_fec)
    }
}

impl Window {
    fn record(&mut self, needed: i64, transit: i64) {
        if self.count == 0 {
            (self.largest, self.second, self.earliest) = (needed, i64::MIN, transit);
        } else if needed > self.largest {
            (self.largest, self.second) = (needed, self.largest);
        } else {
            self.second = self.second.max(needed);
        }
        self.earliest = self.earliest.min(transit);
        self.count += 1;
    }
}

/// `a - b` of two times that may lie anywhere.
fn difference(a: u64, b: u64) -> i64 {
    a.wrapping_sub(b) as i64
}
