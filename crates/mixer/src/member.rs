//! One contributor and listener of a room: its packets, its voice, its private encoder. Must not know the others.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{TICK, duration};
use crate::codec::opus::{EncoderClass, Format};
use crate::command::MemberSlot;
use crate::counters::Counters;
use crate::encode::PrivateEncoder;
use crate::history::History;
use crate::jitter::{Insertion, JitterBuffer, Piece, WaitingPacket};
use crate::level::SILENCE;
use crate::mix::Gain;
use crate::settings::{MemberSettings, RoomSettings};
use crate::speakers::Audibility;
use crate::statistics::MemberStatistics;
use crate::talking::{Slot, TalkMeter};
use crate::voice::{Voice, VoicePool};

/// Below this level a change of the delay cannot be heard.
const QUIET: i8 = -50;
/// While it sounds, the delay changes once in so many ticks: 10 ms in 60, a sixth faster at most.
const STRETCH_PAUSE: u8 = 3;
/// Less than this is not worth a change: 2.5 ms, the shortest that can be taken out.
const MIN_STRETCH: i64 = 120;
/// The most that one change takes out or puts in: 10 ms.
const MAX_STRETCH: u32 = 480;
/// After so many panics while it was decoded, a member is not decoded any more until its decoder is reset.
const MAX_STRIKES: u8 = 3;

/// What the packet that plays now says of its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It has this level.
    Level(i8),
    /// It carries no level.
    Unknown,
    /// Nothing plays.
    Paused,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Member<O> {
    pub(crate) slot: MemberSlot,
    pub(crate) outlet: O,
    pub(crate) settings: MemberSettings,
    pub(crate) class: EncoderClass,
    pub(crate) private: Option<PrivateEncoder>,
    pub(crate) audibility: Audibility,
    /// It is decoded in this tick, because it may be audible.
    pub(crate) chosen: bool,
    /// Ticks since it last contributed.
    pub(crate) absent: u32,
    /// What it is sent in this tick.
    pub(crate) payload: Option<Arc<[u8]>>,
    jitter: JitterBuffer,
    /// What plays in this tick and has not been decoded.
    pieces: Vec<Piece>,
    /// Samples of 48 kHz that were taken from the jitter buffer and have not played, the pieces included.
    queued: u32,
    claim: Claim,
    /// Bytes of the packet that plays.
    size: usize,
    /// Ticks since it was last decoded.
    undecoded: u32,
    /// Something was missing in this tick.
    missing: bool,
    history: History,
    voice: Option<Voice>,
    /// The voice has heard nothing of this member yet.
    cold: bool,
    level: i8,
    gain: Gain,
    stretch_pause: u8,
    delay: Option<u32>,
    packets: u64,
    late: u64,
    dropped: u64,
    meter: TalkMeter,
    strikes: u8,
    /// Its packets are being decoded: if there is a panic now, this is who did it.
    suspect: bool,
    /// Panics while it is decoded.
    #[cfg(test)]
    pub(crate) sabotaged: bool,
}

impl<O> Member<O> {
    pub(crate) fn new(slot: MemberSlot, outlet: O, settings: MemberSettings, format: Format) -> Self {
        let class = EncoderClass::of(&settings, format);
        Self {
            slot,
            outlet,
            settings,
            class,
            private: None,
            audibility: Audibility::default(),
            chosen: false,
            absent: u32::MAX,
            payload: None,
            jitter: JitterBuffer::new(),
            pieces: Vec::new(),
            queued: 0,
            claim: Claim::Paused,
            size: 0,
            undecoded: 0,
            missing: true,
            history: History::default(),
            voice: None,
            cold: false,
            level: SILENCE,
            gain: Gain::SILENT,
            stretch_pause: 0,
            delay: None,
            packets: 0,
            late: 0,
            dropped: 0,
            meter: TalkMeter::default(),
            strikes: 0,
            suspect: false,
            #[cfg(test)]
            sabotaged: false,
        }
    }

    pub(crate) fn insert(&mut self, packet: WaitingPacket, arrival: u64, ready: u64, counters: &mut Counters) {
        self.packets += 1;
        match self.jitter.insert(packet, arrival, ready) {
            Insertion::Queued => {}
            Insertion::Resynced => counters.resyncs += 1,
            Insertion::Late => {
                counters.dropped_late += 1;
                self.late += 1;
            }
            Insertion::Duplicate => {
                counters.dropped_duplicate += 1;
                self.dropped += 1;
            }
            Insertion::Overflow => {
                counters.dropped_overflow += 1;
                self.dropped += 1;
            }
        }
    }

    /// Takes from the jitter buffer what plays in this tick.
    pub(crate) fn listen(&mut self, tick: u64, counters: &mut Counters) {
        self.audibility.fade();
        if self.undecoded > 0 {
            // Silence that came late, after a stall of the network, is not to make the speech after it late as well.
            while let Some(packet) = self.jitter.pull_overdue(tick, self.queued) {
                self.history.push(packet.payload);
                counters.decodes_skipped += 1;
            }
        }
        self.missing = self.queued == 0;
        while self.queued < TICK as u32 {
            match self.jitter.pull(tick, self.queued) {
                Piece::Pause => {
                    self.claim = Claim::Paused;
                    break;
                }
                piece @ (Piece::Packet(_) | Piece::Conceal { .. } | Piece::Silence { .. }) => self.enqueue(piece),
            }
        }
        self.delay = self.jitter.delay(tick, self.queued);
        let skipped = self.jitter.drain_skipped();
        counters.dropped_skipped += skipped;
        self.dropped += skipped;
    }

    pub(crate) fn may_sound(&self, room: &RoomSettings) -> bool {
        let MemberSettings { muted, admin, volume, suspended, .. } = self.settings;
        !muted && !suspended && volume > 0 && (admin || !room.muted) && self.strikes < MAX_STRIKES
    }

    pub(crate) fn claim(&self, room: &RoomSettings) -> Claim {
        match self.claim {
            Claim::Level(level) if room.trust_levels => Claim::Level(level),
            Claim::Level(_) | Claim::Unknown => Claim::Unknown,
            Claim::Paused => Claim::Paused,
        }
    }

    /// How much it is worth to decode it only to see whether it sounds, where it does not say so: encoders make
    /// larger packets of louder sound, and who has waited long has its turn (a byte for each 200 ms).
    pub(crate) fn rank_as_probe(&self) -> i32 {
        (self.size as u32 + self.undecoded / 10) as i32
    }

    /// It contributed to the last tick, so that it has to fade out in this one.
    pub(crate) fn is_sounding(&self) -> bool {
        self.gain != Gain::SILENT
    }

    /// It will be decoded in this tick.
    pub(crate) fn prepare(&mut self, room: &RoomSettings, voices: &mut VoicePool, counters: &mut Counters) {
        if self.voice.is_none() {
            self.voice = voices.take(room.sampling_rate, counters);
            self.cold = true;
        }
    }

    /// It has a voice, so that it is decoded in this tick.
    pub(crate) fn is_prepared(&self) -> bool {
        self.voice.is_some()
    }

    /// Decodes what plays in this tick.
    pub(crate) fn play(&mut self, tick: u64, room: &RoomSettings, counters: &mut Counters) {
        let Some(mut voice) = self.voice.take() else {
            return self.pass(tick, counters);
        };
        self.suspect = true;
        #[cfg(test)]
        assert!(!self.sabotaged, "sabotaged");
        if std::mem::take(&mut self.cold) {
            let queued = self.queued - self.pieces.iter().map(Piece::duration).sum::<u32>().min(self.queued);
            voice.warm_up(&self.history, queued, counters);
        }
        for piece in self.pieces.drain(..) {
            voice.push(&piece, counters);
            remember(&mut self.history, piece);
        }
        self.undecoded = 0;
        self.settle(tick, &mut voice, counters);
        self.level = voice.play(counters);
        self.voice = Some(voice);
        self.queued = self.queued.saturating_sub(TICK as u32);
        self.audibility.measure(self.level, room.silence_threshold);
        self.suspect = false;
    }

    /// Lets pass what plays in this tick without decoding it. Nobody hears it, so that the delay is put right at once.
    pub(crate) fn pass(&mut self, tick: u64, counters: &mut Counters) {
        let excess = self.jitter.excess(tick, self.queued);
        let play = (TICK as i64 + excess).max(0) as u32;
        while self.queued < play
            && let Some(packet) = self.jitter.pull_early()
        {
            self.enqueue(Piece::Packet(packet));
        }
        for piece in self.pieces.drain(..) {
            counters.decodes_skipped += u64::from(matches!(piece, Piece::Packet(_)));
            remember(&mut self.history, piece);
        }
        self.queued = self.queued.saturating_sub(play);
        self.undecoded = self.undecoded.saturating_add(1);
        self.level = SILENCE;
    }

    /// Gives its voice back: until it is needed again, nothing is decoded.
    pub(crate) fn park(&mut self, voices: &mut VoicePool) {
        if let Some(voice) = self.voice.take() {
            voices.give(voice);
        }
    }

    /// Makes its contribution with a gain that ends at `to`; whether there is one.
    pub(crate) fn contribute(&mut self, channels: usize, to: Gain) -> bool {
        let from = std::mem::replace(&mut self.gain, to);
        let sounds = from != Gain::SILENT || to != Gain::SILENT;
        match &mut self.voice {
            Some(voice) if sounds => {
                voice.contribute(channels, from, to);
                self.absent = 0;
                true
            }
            Some(_) | None => {
                self.gain = Gain::SILENT;
                self.absent = self.absent.saturating_add(1);
                false
            }
        }
    }

    pub(crate) fn contribution(&self) -> &[f32] {
        self.voice.as_ref().map_or(&[], |voice| voice.contribution())
    }

    /// Tells of a change between talking and not.
    pub(crate) fn talk(&mut self, room: &RoomSettings) -> Option<bool> {
        let of_room = room.talk_detection.as_ref().filter(|_| room.trust_levels)?;
        let detection = self.settings.talk_detection.unwrap_or(*of_room);
        let slot = match self.claim {
            Claim::Level(_) | Claim::Unknown if self.missing || !self.may_sound(room) => Slot::Missing,
            Claim::Paused => Slot::Missing,
            Claim::Unknown => Slot::Unknown,
            Claim::Level(level) => Slot::Level(level.unsigned_abs().min(127)),
        };
        self.meter.add(slot, &detection)
    }

    /// From arrival to mix.
    pub(crate) fn delay(&self) -> Option<Duration> {
        self.delay.map(|samples| duration(u64::from(samples)))
    }

    /// How its sound fares.
    pub(crate) fn statistics(&self) -> MemberStatistics {
        let (concealed, restored) = self.jitter.gaps();
        MemberStatistics {
            level: match self.claim {
                _ if self.voice.is_some() => self.level,
                Claim::Level(level) => level,
                Claim::Unknown | Claim::Paused => SILENCE,
            },
            audible: self.is_sounding(),
            delay: self.delay(),
            queued: self.jitter.len(),
            packets: self.packets,
            late: self.late,
            dropped: self.dropped,
            concealed,
            restored,
        }
    }

    /// The next sound starts from a decoder that has heard nothing.
    pub(crate) fn reset_decoder(&mut self, voices: &mut VoicePool) {
        self.park(voices);
        self.history.clear();
        self.gain = Gain::SILENT;
        self.strikes = 0;
    }

    /// After a panic in the room: nothing that was half done is used again.
    pub(crate) fn recover(&mut self) {
        self.voice = None;
        self.private = None;
        self.pieces.clear();
        self.queued = 0;
        self.gain = Gain::SILENT;
        self.audibility.silence();
        if std::mem::take(&mut self.suspect) {
            self.history.clear();
            self.jitter = JitterBuffer::new();
            self.strikes += 1;
        }
    }

    /// For another format of the room.
    pub(crate) fn convert(&mut self, format: Format) {
        self.class = EncoderClass::of(&self.settings, format);
        self.voice = None;
        self.private = None;
        self.gain = Gain::SILENT;
    }

    fn enqueue(&mut self, piece: Piece) {
        if let Piece::Packet(packet) = &piece {
            self.claim = packet.audio_level.map_or(Claim::Unknown, Claim::Level);
            self.size = packet.payload.len();
            self.missing = false;
        }
        self.queued += piece.duration();
        self.pieces.push(piece);
    }

    /// Brings the delay nearer to its target.
    fn settle(&mut self, tick: u64, voice: &mut Voice, counters: &mut Counters) {
        if self.level <= QUIET {
            self.stretch_pause = 0;
        }
        self.stretch_pause = self.stretch_pause.saturating_sub(1);
        let excess = self.jitter.excess(tick, self.queued);
        if self.stretch_pause > 0 || excess.abs() < MIN_STRETCH {
            return;
        }
        let limit = MAX_STRETCH.min(excess.unsigned_abs() as u32);
        if excess < 0 {
            let longer = voice.lengthen(limit);
            self.queued += longer;
            counters.lengthened += u64::from(longer > 0);
        } else {
            while self.queued < TICK as u32 + MAX_STRETCH
                && let Some(packet) = self.jitter.pull_early()
            {
                self.queued += packet.duration;
                let piece = Piece::Packet(packet);
                voice.push(&piece, counters);
                remember(&mut self.history, piece);
            }
            let shorter = voice.shorten(limit);
            self.queued -= shorter.min(self.queued);
            counters.shortened += u64::from(shorter > 0);
        }
        self.stretch_pause = STRETCH_PAUSE;
    }
}

fn remember(history: &mut History, piece: Piece) {
    match piece {
        Piece::Packet(packet) => history.push(packet.payload),
        Piece::Conceal { .. } | Piece::Silence { .. } | Piece::Pause => {}
    }
}
