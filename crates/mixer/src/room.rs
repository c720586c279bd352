//! One room: who is in it, and one tick of it. Must not know other rooms, time, or where packets go.
//!
//! A tick is a row of steps over the members, each a method. In the costly ones (decode, encode) every member is by
//! itself, so that a crew can share them.

use std::collections::VecDeque;

use crate::codec::opus::{EncoderClass, Format, MAX_FRAME, MAX_PACKET};
use crate::command::{MemberEvent, MixedPacket, Output, RoomKey};
use crate::counters::Counters;
use crate::crew::Crew;
use crate::encode::{EncoderPool, RecentFrames, SharedEncoder};
use crate::limiter::Limiter;
use crate::member::{Claim, Member};
use crate::mix::{Gain, Sums};
use crate::overload::Relief;
use crate::settings::{MemberSettings, RoomSettings};
use crate::speakers::keep_loudest;
use crate::times::Times;
use crate::voice::VoicePool;

/// A member hears its own mix until it has been out of it for more than this: 100 ms, so that the tail of its own
/// voice has left the shared encoder. (40 ms is the floor; SILK and hybrid gain nothing from more than 100.)
const TAIL: u32 = 5;
/// Members without a level that are decoded in one tick only to see whether they sound; the cost of a room full of
/// clients that send no levels, 64 × 23 µs, stays below a tenth of a tick.
const MAX_PROBES: usize = 64;
/// The same under overload: each member still has its turn.
const MIN_PROBES: usize = 8;

/// What a worker lends to each of its rooms for a tick: scratch space, pools, counters.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) crew: Crew,
    pub(crate) voices: VoicePool,
    pub(crate) encoders: EncoderPool,
    pub(crate) counters: Counters,
    pub(crate) times: Times,
    /// What is left out because ticks come late.
    pub(crate) relief: Relief,
    /// Private encoders that may still be primed in this tick.
    pub(crate) primings: u32,
    sums: Sums,
    shared_mix: Vec<f32>,
    packet: [u8; MAX_PACKET],
    /// Ranks and indexes of members.
    candidates: Vec<(i32, usize)>,
}

impl Default for Bench {
    fn default() -> Self {
        Self {
            crew: Crew::default(),
            voices: VoicePool::default(),
            encoders: EncoderPool::default(),
            counters: Counters::default(),
            times: Times::default(),
            relief: Relief::NONE,
            primings: 0,
            sums: Sums::default(),
            shared_mix: Vec::new(),
            packet: [0; MAX_PACKET],
            candidates: Vec::new(),
        }
    }
}

/// How many members do what.
#[derive(Clone, Copy, Debug, Default)]
struct Roles {
    speaking: u64,
    muted: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Room<O> {
    pub(crate) key: RoomKey,
    /// Offset of its ticks within the 20 ms, as an index.
    pub(crate) phase: usize,
    /// Media time of its next tick.
    pub(crate) next: u64,
    pub(crate) members: Vec<Member<O>>,
    settings: RoomSettings,
    format: Format,
    /// Members in this tick's mix, by index.
    speakers: Vec<usize>,
    /// How many of them there were, and of muted members, when they were last counted.
    counted: Roles,
    shared: Vec<SharedEncoder>,
    recent: RecentFrames,
    limiter: Limiter,
}

impl<O: Copy + Send> Room<O> {
    pub(crate) fn new(key: RoomKey, phase: usize, next: u64, settings: RoomSettings) -> Self {
        let format = Format::of(&settings);
        Self {
            key,
            phase,
            next,
            members: Vec::new(),
            settings,
            format,
            speakers: Vec::new(),
            counted: Roles::default(),
            shared: Vec::new(),
            recent: RecentFrames::new(format),
            limiter: Limiter::default(),
        }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    pub(crate) fn update(&mut self, settings: RoomSettings) {
        self.settings = settings;
        let format = Format::of(&self.settings);
        if format != self.format {
            self.format = format;
            self.rebuild();
            self.members.iter_mut().for_each(|member| member.convert(format));
        }
    }

    pub(crate) fn configure(&mut self, index: usize, settings: MemberSettings, bench: &mut Bench) {
        let format = self.format;
        let Some(member) = self.members.get_mut(index) else {
            return;
        };
        member.settings = settings;
        member.class = EncoderClass::of(&member.settings, format);
        if let Some(private) = &mut member.private {
            private.follow(format, member.class, &mut bench.encoders, &mut bench.counters);
        }
    }

    /// Mixes the 20 ms that begin at media time `tick`.
    pub(crate) fn tick(&mut self, tick: u64, bench: &mut Bench, outputs: &mut VecDeque<Output<O>>) {
        self.listen(tick, bench);
        let muted = self.choose(bench);
        self.decode(tick, bench);
        self.admit(bench);
        self.mix(bench);
        self.encode(bench);
        if bench.relief.unheard {
            bench.counters.relieved_unheard += 1;
        } else {
            self.tell_talking(outputs);
        }
        self.send(tick, outputs);
        bench.counters.ticks += 1;
        bench.counters.audible += self.speakers.len() as u64;
        self.count(Roles { speaking: self.speakers.len() as u64, muted }, &mut bench.counters);
    }

    /// Counts nobody of this room any more.
    pub(crate) fn uncount(&mut self, counters: &mut Counters) {
        self.count(Roles::default(), counters);
    }

    fn count(&mut self, roles: Roles, counters: &mut Counters) {
        let before = std::mem::replace(&mut self.counted, roles);
        counters.speaking = counters.speaking + roles.speaking - before.speaking;
        counters.muted = counters.muted + roles.muted - before.muted;
    }

    /// After a panic in a tick: all that may be half done is made anew.
    pub(crate) fn recover(&mut self) {
        self.rebuild();
        self.members.iter_mut().for_each(Member::recover);
    }

    fn rebuild(&mut self) {
        self.shared.clear();
        self.speakers.clear();
        self.recent = RecentFrames::new(self.format);
        self.limiter = Limiter::default();
    }

    fn listen(&mut self, tick: u64, bench: &mut Bench) {
        for member in &mut self.members {
            member.listen(tick, &mut bench.counters);
        }
    }

    /// Who may be audible, and so is decoded; how many cannot be.
    fn choose(&mut self, bench: &mut Bench) -> u64 {
        let mut muted = 0;
        let settings = &self.settings;
        let candidates = &mut bench.candidates;
        candidates.clear();
        for (index, member) in self.members.iter_mut().enumerate() {
            member.chosen = false;
            if !member.may_sound(settings) {
                member.audibility.silence();
                muted += 1;
                continue;
            }
            if let Claim::Level(level) = member.claim(settings) {
                member.audibility.claim(level, settings.silence_threshold);
            }
            if member.audibility.is_attended() || member.audibility.is_audible() {
                candidates.push((member.audibility.rank(), index));
            }
        }
        let wanted = candidates.len().min(settings.max_speakers());
        keep_loudest(candidates, wanted.min(bench.relief.max_speakers));
        bench.counters.relieved_speakers += (wanted - candidates.len()) as u64;
        for &(_, index) in candidates.iter() {
            self.members[index].chosen = true;
        }
        // Those without a level: they must be decoded to be known, the most likely first.
        candidates.clear();
        for (index, member) in self.members.iter().enumerate() {
            if !member.chosen && member.may_sound(settings) && member.claim(settings) == Claim::Unknown {
                candidates.push((member.rank_as_probe(), index));
            }
        }
        keep_loudest(candidates, if bench.relief.unheard { MIN_PROBES } else { MAX_PROBES });
        for &(_, index) in candidates.iter() {
            self.members[index].chosen = true;
        }
        muted
    }

    fn decode(&mut self, tick: u64, bench: &mut Bench) {
        let Bench { crew, voices, counters, .. } = bench;
        let settings = &self.settings;
        let mut prepared = 0;
        for member in &mut self.members {
            if member.chosen || member.is_sounding() {
                member.prepare(settings, voices, counters);
                prepared += 1;
            } else {
                member.park(voices);
            }
        }
        crew.share(&mut self.members, prepared, counters, |_, members, counters| {
            for member in members {
                if member.is_prepared() {
                    member.play(tick, settings, counters);
                } else {
                    member.pass(tick, counters);
                }
            }
        });
    }

    /// Who is in the mix. One who enters needs an encoder of its own from that moment; where too many enter at once,
    /// the rest follow a tick later.
    fn admit(&mut self, bench: &mut Bench) {
        let candidates = &mut bench.candidates;
        candidates.clear();
        for (index, member) in self.members.iter().enumerate() {
            if member.chosen && member.audibility.is_audible() {
                candidates.push((member.audibility.rank(), index));
            }
        }
        keep_loudest(candidates, self.settings.max_speakers().min(bench.relief.max_speakers));
        let mut admitted = bench.candidates.iter().map(|&(_, index)| index).peekable();
        self.speakers.clear();
        let format = self.format;
        for (index, member) in self.members.iter_mut().enumerate() {
            let mut to = Gain::SILENT;
            if admitted.next_if_eq(&index).is_some() {
                if member.private.is_none() && bench.primings > 0 {
                    bench.primings -= 1;
                    member.private = bench.encoders.primed(
                        format,
                        member.class,
                        self.limiter.clone(),
                        &self.recent,
                        &mut bench.packet,
                        &mut bench.counters,
                    );
                }
                if member.private.is_some() {
                    to = gain(&member.settings, format);
                } else {
                    bench.counters.primings_deferred += 1;
                }
            }
            if member.contribute(format.channels(), to) {
                self.speakers.push(index);
            }
            if member.is_prepared()
                && let Some(delay) = member.delay()
            {
                bench.times.delay.record(delay);
            }
        }
    }

    fn mix(&mut self, bench: &mut Bench) {
        let (members, speakers) = (&self.members, &self.speakers);
        let frame = self.format.frame();
        bench.sums.build(frame, speakers.len(), |index| members[speakers[index]].contribution());
        bench.shared_mix.clear();
        bench.shared_mix.extend_from_slice(bench.sums.total());
        bench.counters.limited += u64::from(self.limiter.limit(&mut bench.shared_mix));
    }

    fn encode(&mut self, bench: &mut Bench) {
        self.assign(bench);
        let Bench { crew, counters, sums, shared_mix, packet, .. } = bench;
        let (speakers, frame) = (&self.speakers, self.format.frame());
        let private = self.members.iter().filter(|member| member.private.is_some()).count();
        crew.share(&mut self.members, private, counters, |first, members, counters| {
            let (mut mix, mut packet) = ([0.0; MAX_FRAME], [0; MAX_PACKET]);
            for (index, member) in members.iter_mut().enumerate() {
                let Some(private) = &mut member.private else {
                    continue;
                };
                match speakers.binary_search(&(first + index)) {
                    Ok(place) => sums.minus_one(place, &mut mix[..frame]),
                    Err(_) => mix[..frame].copy_from_slice(sums.total()),
                }
                member.payload = private.encode(&mut mix[..frame], &mut packet, counters);
            }
        });
        for shared in &mut self.shared {
            shared.encode(shared_mix, &self.recent, packet, counters);
        }
        self.recent.push(shared_mix);
    }

    /// Which encoder each member hears.
    fn assign(&mut self, bench: &mut Bench) {
        let Bench { encoders, counters, packet, .. } = bench;
        self.shared.iter_mut().for_each(|shared| shared.listeners = 0);
        for member in &mut self.members {
            member.payload = None;
            let done = member.absent > TAIL && self.settings.shared_encoding || member.settings.suspended;
            if done && let Some(private) = member.private.take() {
                encoders.give(private.into_encoder());
            }
            if member.settings.suspended || member.private.is_some() {
                continue;
            }
            if !self.settings.shared_encoding {
                let limiter = self.limiter.clone();
                member.private = encoders.primed(self.format, member.class, limiter, &self.recent, packet, counters);
            } else if member.absent > 0 {
                listen_to_shared(&mut self.shared, self.format, member.class, encoders, counters);
            }
        }
        for shared in self.shared.extract_if(.., |shared| shared.listeners == 0) {
            encoders.give(shared.into_encoder());
        }
    }

    fn tell_talking(&mut self, outputs: &mut VecDeque<Output<O>>) {
        if self.settings.talk_detection.is_none() {
            return;
        }
        for member in &mut self.members {
            if let Some(talking) = member.talk(&self.settings) {
                outputs.push_back(Output::Event { member: member.slot, event: MemberEvent::Talking(talking) });
            }
        }
    }

    fn send(&mut self, tick: u64, outputs: &mut VecDeque<Output<O>>) {
        for (index, member) in self.members.iter_mut().enumerate() {
            // One that is in the mix never gets the shared packet: it would hear itself.
            let payload = if member.private.is_some() || self.speakers.binary_search(&index).is_ok() {
                member.payload.take()
            } else if member.settings.suspended {
                None
            } else {
                let shared = self.shared.iter().find(|shared| shared.class == member.class);
                shared.and_then(SharedEncoder::payload).cloned()
            };
            if let Some(payload) = payload {
                let packet = MixedPacket { media_time: tick, payload };
                outputs.push_back(Output::Packet { outlet: member.outlet, packet });
            }
        }
    }
}

fn listen_to_shared(
    shared: &mut Vec<SharedEncoder>,
    format: Format,
    class: EncoderClass,
    encoders: &mut EncoderPool,
    counters: &mut Counters,
) {
    match shared.iter_mut().find(|shared| shared.class == class) {
        Some(shared) => shared.listeners += 1,
        None => {
            if let Some(mut made) = encoders.shared(format, class, counters) {
                made.listeners = 1;
                shared.push(made);
            }
        }
    }
}

fn gain(settings: &MemberSettings, format: Format) -> Gain {
    let amplitude = settings.volume as f32 / 100.0;
    if format.stereo { Gain::at(amplitude, settings.position) } else { Gain::mono(amplitude) }
}
