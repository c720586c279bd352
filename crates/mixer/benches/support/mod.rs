//! Rooms in virtual time whose members say what was encoded beforehand, so that only the mixer's own work is measured.
#![allow(dead_code, unreachable_pub, reason = "each benchmark uses a part of it")]
#![allow(clippy::unwrap_used, reason = "only benchmarks are built with it")]

#[path = "../../tests/harness/mod.rs"]
mod harness;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mixer::mix::Sums;
use mixer::{AudioPacket, Crew, MemberSettings, RoomKey, RoomSettings};
use opus::{Application, Bandwidth, Bitrate, Channels, Decoder, Encoder, Signal};

use self::harness::{Client, Conference, silence, slot, voice};

/// With the allocator of the product.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What the speakers say repeats after so many frames: a second.
const FRAMES: usize = 50;
/// Until all speak, however many (4 encoders are primed in a tick), and what was before is forgotten.
const WARM_UP: usize = 150;
const COMPLEXITY: u8 = 4;
/// Of a mix that nobody asks a bit rate of.
const BITRATE: i32 = 80_000;

/// Rooms × members × speakers.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub rooms: usize,
    pub members: usize,
    pub speakers: usize,
}

impl Shape {
    pub const fn new(rooms: usize, members: usize, speakers: usize) -> Self {
        Self { rooms, members, speakers }
    }

    pub fn total(&self) -> usize {
        self.rooms * self.members
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.rooms, self.members, self.speakers)
    }
}

/// What one voice says, again and again.
struct Speech {
    payloads: Vec<(Arc<[u8]>, Option<i8>)>,
}

impl Speech {
    fn new(sound: impl Fn(usize) -> f32) -> Self {
        let mut client = Client::new(0);
        let mut say = || {
            let packet = client.say(&sound);
            (packet.payload, packet.audio_level)
        };
        // What comes after the encoder's beginning.
        Self { payloads: (0..2 * FRAMES).map(|_| say()).collect::<Vec<_>>().split_off(FRAMES) }
    }
}

/// Rooms and all their members, of whom each sends a packet in every tick.
pub struct Crowd {
    conference: Conference,
    shape: Shape,
    voices: Vec<Speech>,
    silence: Speech,
    tick: usize,
}

impl Crowd {
    pub fn new(shape: Shape) -> Self {
        Self::with_threads(shape, 1)
    }

    /// Mixed by that many threads.
    pub fn with_threads(shape: Shape, threads: usize) -> Self {
        let mut conference = Conference::new();
        conference.worker = conference.worker.with_crew(Crew::new(threads).unwrap());
        for index in 0..shape.total() {
            let settings = MemberSettings { complexity: COMPLEXITY, ..MemberSettings::default() };
            let room = RoomKey((index / shape.members) as u64);
            conference.join_room(room, index as u32, &RoomSettings::default(), settings);
        }
        let voices = (0..shape.speakers).map(|index| Speech::new(voice(index as u32))).collect();
        let mut crowd = Self { conference, shape, voices, silence: Speech::new(silence), tick: 0 };
        for _ in 0..WARM_UP {
            let packets = crowd.packets();
            crowd.run(packets);
        }
        crowd
    }

    pub fn members(&self) -> usize {
        self.shape.total()
    }

    /// What all say in the next tick, each packet in memory of its own.
    pub fn packets(&mut self) -> Vec<AudioPacket> {
        self.conference.now += Duration::from_millis(20);
        let (now, tick) = (self.conference.now, self.tick);
        self.tick += 1;
        let packet = |index| {
            let speech = self.voices.get(index % self.shape.members).unwrap_or(&self.silence);
            let (payload, audio_level) = &speech.payloads[tick % FRAMES];
            let sequence = tick as u64 + 1_000;
            let payload = Arc::from(payload.as_ref());
            AudioPacket { sequence, timestamp: 960 * sequence, audio_level: *audio_level, payload, arrival: now }
        };
        (0..self.shape.total()).map(packet).collect()
    }

    /// Hands all packets in, mixes, and takes all packets out; how many.
    pub fn run(&mut self, packets: Vec<AudioPacket>) -> usize {
        let worker = &mut self.conference.worker;
        let due = packets[0].arrival + Duration::from_millis(19);
        for (index, packet) in packets.into_iter().enumerate() {
            worker.handle_packet(slot(index as u32), packet);
        }
        while let Some(now) = worker.poll_timeout().filter(|now| *now <= due) {
            worker.handle_timeout(now);
        }
        std::iter::from_fn(|| worker.poll_output()).count()
    }
}

/// The decodes and encodes that cannot be avoided, and nothing else: each speaker is decoded, and is sent the sum of
/// the others; those who listen are sent the sum of all, once in each room.
pub struct BareCodec {
    decoders: Vec<(Speech, Decoder)>,
    /// With what is encoded, frame by frame.
    encoders: Vec<(Vec<Vec<f32>>, Encoder)>,
    tick: usize,
}

impl BareCodec {
    pub fn new(shape: Shape) -> Self {
        let mut made = Self { decoders: Vec::new(), encoders: Vec::new(), tick: 0 };
        for _ in 0..shape.rooms {
            let speeches: Vec<_> = (0..shape.speakers).map(|index| Speech::new(voice(index as u32))).collect();
            let pcm: Vec<_> = speeches.iter().map(decode_all).collect();
            let mut mixes = vec![Vec::new(); shape.speakers + usize::from(shape.speakers < shape.members)];
            let mut sums = Sums::default();
            for frame in 0..FRAMES {
                sums.build(960, shape.speakers, |index| &pcm[index][960 * frame..][..960]);
                for (index, mixes) in mixes.iter_mut().enumerate() {
                    let mut mix = sums.total().to_vec();
                    if index < shape.speakers {
                        sums.minus_one(index, &mut mix);
                    }
                    // As the limiter does, roughly.
                    let peak = mix.iter().fold(1.0, |peak: f32, sample| peak.max(sample.abs()));
                    mix.iter_mut().for_each(|sample| *sample /= peak);
                    mixes.push(mix);
                }
            }
            made.decoders.extend(speeches.into_iter().map(|speech| (speech, decoder())));
            made.encoders.extend(mixes.into_iter().map(|mixes| (mixes, encoder())));
        }
        made
    }

    pub fn run(&mut self) {
        let frame = self.tick % FRAMES;
        self.tick += 1;
        let (mut pcm, mut packet) = ([0.0; 960], [0; 1_276]);
        for (speech, decoder) in &mut self.decoders {
            decoder.decode_float(&speech.payloads[frame].0, divan::black_box(&mut pcm), false).unwrap();
        }
        for (mixes, encoder) in &mut self.encoders {
            encoder.encode_float(&mixes[frame], divan::black_box(&mut packet)).unwrap();
        }
    }
}

fn decode_all(speech: &Speech) -> Vec<f32> {
    let mut decoder = decoder();
    let mut pcm = vec![0.0; 960 * FRAMES];
    for ((payload, _), frame) in speech.payloads.iter().zip(pcm.chunks_mut(960)) {
        decoder.decode_float(payload, frame, false).unwrap();
    }
    pcm
}

fn decoder() -> Decoder {
    Decoder::new(48_000, Channels::Mono).unwrap()
}

/// Set as the mixer does at 48 kHz where no bit rate is asked for.
fn encoder() -> Encoder {
    let mut encoder = Encoder::new(48_000, Channels::Mono, Application::LowDelay).unwrap();
    encoder.set_signal(Signal::Music).unwrap();
    encoder.set_bandwidth(Bandwidth::Fullband).unwrap();
    encoder.set_bitrate(Bitrate::Bits(BITRATE)).unwrap();
    encoder.set_complexity(i32::from(COMPLEXITY)).unwrap();
    encoder
}
