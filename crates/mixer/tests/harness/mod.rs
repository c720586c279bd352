//! A worker in virtual time with members that encode and decode real Opus.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "test code; each test file uses its part")]

use std::f32::consts::TAU;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mixer::{
    AudioPacket, Command, Counters, MemberEvent, MemberSettings, MemberSlot, MixedPacket, Output, RoomKey,
    RoomSettings, Worker, WorkerConfig,
};

pub const ROOM: RoomKey = RoomKey(1234);
pub const TICK: Duration = Duration::from_millis(20);

pub fn slot(index: u32) -> MemberSlot {
    MemberSlot { index, generation: 0 }
}

/// A worker and its virtual time. The outlet of a member is its slot's index.
pub struct Conference {
    pub worker: Worker<u32>,
    pub epoch: Instant,
    pub now: Instant,
    /// What came out in the last tick.
    pub packets: Vec<(u32, MixedPacket)>,
    pub events: Vec<(MemberSlot, MemberEvent)>,
}

impl Conference {
    pub fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do for a beginning of virtual time")]
        let epoch = Instant::now();
        let worker = Worker::new(WorkerConfig::default(), epoch);
        // Not at 0: arrivals must be able to lie before.
        let now = epoch + Duration::from_secs(10);
        Self { worker, epoch, now, packets: Vec::new(), events: Vec::new() }
    }

    pub fn join(&mut self, index: u32, room_settings: &RoomSettings, settings: MemberSettings) {
        self.join_room(ROOM, index, room_settings, settings);
    }

    pub fn join_room(&mut self, room: RoomKey, index: u32, room_settings: &RoomSettings, settings: MemberSettings) {
        let room_settings = room_settings.clone();
        let join = Command::Join { room, room_settings, member: slot(index), outlet: index, settings };
        self.worker.handle_command(join, self.now);
    }

    pub fn command(&mut self, command: Command<u32>) {
        self.worker.handle_command(command, self.now);
    }

    /// Hands in a packet that arrives now.
    pub fn send(&mut self, index: u32, mut packet: AudioPacket) {
        packet.arrival = self.now;
        self.worker.handle_packet(slot(index), packet);
    }

    /// Hands in a packet that arrived some time ago.
    pub fn hand_over(&mut self, index: u32, packet: AudioPacket) {
        self.worker.handle_packet(slot(index), packet);
    }

    /// Lets the next tick happen, exactly in time.
    pub fn tick(&mut self) {
        self.now = self.worker.poll_timeout().unwrap();
        self.timeout();
    }

    /// Lets the worker notice the time.
    pub fn timeout(&mut self) {
        self.worker.handle_timeout(self.now);
        self.packets.clear();
        self.events.clear();
        while let Some(output) = self.worker.poll_output() {
            match output {
                Output::Packet { outlet, packet } => self.packets.push((outlet, packet)),
                Output::Event { member, event } => self.events.push((member, event)),
                Output::Measured { .. } => {}
            }
        }
    }

    /// The packet for a member in the last tick.
    pub fn packet(&self, index: u32) -> &MixedPacket {
        let found: Vec<_> = self.packets.iter().filter(|(outlet, _)| *outlet == index).collect();
        assert_eq!(found.len(), 1, "packets for {index} in a tick");
        &found[0].1
    }

    pub fn counters(&self) -> Counters {
        *self.worker.counters()
    }
}

/// A client: encodes what it says as a browser does, decodes what it hears.
pub struct Client {
    pub index: u32,
    encoder: opus::Encoder,
    decoder: opus::Decoder,
    pub channels: usize,
    pub sequence: u64,
    pub timestamp: u64,
    /// Samples said so far.
    said: usize,
    /// 48 kHz, interleaved.
    pub heard: Vec<f32>,
    /// Send levels (RFC 6464).
    pub levels: bool,
}

impl Client {
    pub fn new(index: u32) -> Self {
        Self::with_channels(index, 1)
    }

    pub fn with_channels(index: u32, channels: usize) -> Self {
        let mut encoder = opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Voip).unwrap();
        encoder.set_bitrate(opus::Bitrate::Bits(40_000)).unwrap();
        let layout = if channels == 2 { opus::Channels::Stereo } else { opus::Channels::Mono };
        Self {
            index,
            encoder,
            decoder: opus::Decoder::new(48_000, layout).unwrap(),
            channels,
            sequence: 1_000 + u64::from(index) * 7,
            timestamp: 50_000 + u64::from(index) * 123_457,
            said: 0,
            heard: Vec::new(),
            levels: true,
        }
    }

    pub fn with_fec(mut self) -> Self {
        self.encoder.set_inband_fec(true).unwrap();
        self.encoder.set_packet_loss_perc(10).unwrap();
        self
    }

    /// Makes all packets 200 bytes long.
    pub fn with_constant_bitrate(mut self) -> Self {
        self.encoder.set_bitrate(opus::Bitrate::Bits(80_000)).unwrap();
        self.encoder.set_vbr(false).unwrap();
        self
    }

    /// The next 20 ms of a sound, as a packet.
    pub fn say(&mut self, sound: impl Fn(usize) -> f32) -> AudioPacket {
        self.say_for(960, sound)
    }

    /// The next samples of a sound, as one packet.
    pub fn say_for(&mut self, samples: usize, sound: impl Fn(usize) -> f32) -> AudioPacket {
        let pcm: Vec<f32> = (self.said..self.said + samples).map(sound).collect();
        self.said += samples;
        let energy = pcm.iter().map(|sample| sample * sample).sum::<f32>() / samples as f32;
        let level = (10.0 * energy.max(1e-13).log10()).clamp(-127.0, 0.0) as i8;
        let mut payload = [0; 1_500];
        let length = self.encoder.encode_float(&pcm, &mut payload).unwrap();
        let packet = AudioPacket {
            sequence: self.sequence,
            timestamp: self.timestamp,
            audio_level: self.levels.then_some(level),
            payload: Arc::from(&payload[..length]),
            #[expect(clippy::disallowed_methods, reason = "replaced by the conference's virtual time")]
            arrival: Instant::now(),
        };
        self.sequence += 1;
        self.timestamp += samples as u64;
        packet
    }

    /// Decodes what the last tick brought.
    pub fn hear(&mut self, conference: &Conference) {
        let payload = &conference.packet(self.index).payload;
        let mut pcm = vec![0.0; 960 * self.channels];
        let samples = self.decoder.decode_float(payload, &mut pcm, false).unwrap();
        assert_eq!(samples, 960);
        self.heard.extend_from_slice(&pcm);
    }

    /// The last samples heard on one channel.
    pub fn last(&self, samples: usize, channel: usize) -> Vec<f32> {
        let channel: Vec<f32> = self.heard.iter().skip(channel).step_by(self.channels).copied().collect();
        channel[channel.len() - samples..].to_vec()
    }
}

pub fn tone(hz: f32, amplitude: f32) -> impl Fn(usize) -> f32 {
    move |sample| amplitude * (TAU * hz * sample as f32 / 48_000.0).sin()
}

pub fn silence(_: usize) -> f32 {
    0.0
}

/// Something like a voice: a buzz of 120 Hz whose loudness moves with the syllables; `seed` makes voices differ.
pub fn voice(seed: u32) -> impl Fn(usize) -> f32 {
    let pitch = 100.0 + (seed % 17) as f32 * 9.0;
    move |sample| {
        let time = sample as f32 / 48_000.0;
        let syllables = 0.6 + 0.4 * (TAU * (3.0 + (seed % 5) as f32 * 0.3) * time).sin();
        let buzz: f32 = (1..=12).map(|k| (TAU * pitch * k as f32 * time).sin() / k as f32).sum();
        0.12 * syllables * buzz
    }
}

/// Amplitude of one frequency in a sound at 48 kHz.
pub fn goertzel(pcm: &[f32], hz: f32) -> f32 {
    let step = TAU * hz / 48_000.0;
    let (mut re, mut im) = (0.0_f64, 0.0_f64);
    for (index, &sample) in pcm.iter().enumerate() {
        // Hann window: no leakage from the other tones.
        let window = 1.0 - (TAU * index as f32 / pcm.len() as f32).cos();
        let angle = f64::from(step) * index as f64;
        re += f64::from(sample * window) * angle.cos();
        im += f64::from(sample * window) * angle.sin();
    }
    2.0 * ((re * re + im * im).sqrt() as f32) / pcm.len() as f32
}

pub fn decibel(ratio: f32) -> f32 {
    20.0 * ratio.max(1e-9).log10()
}
