//! How a full participant listens: it decodes, and tells whom it hears, when tones set in, and what was missing.
//! Knows Opus and the tones of its room; no network and no clock.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use opus::{Channels, Decoder};

use crate::onset::{OnsetDetector, ToneEvent, is_heard, is_leaked};
use crate::playout::Playout;
use crate::sequence::{Arrival, Sequence};
use crate::tone::{FRAME_SAMPLES, HOP, SAMPLING_RATE, Tone, ToneMeter};

/// More frames than this are not concealed: after 100 ms of nothing Opus has faded out.
const LONGEST_CONCEALMENT: u16 = 5;

/// A tone that set in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Onset {
    /// Whose.
    pub tone: Tone,
    /// When its first sample would have been heard, had each packet been played on arrival.
    pub heard_at: Instant,
}

/// What was heard in a stretch of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hearing {
    /// The tones that were heard, in order.
    pub heard: Vec<Tone>,
    /// Those of other speakers that were not.
    pub missed: Vec<Tone>,
    /// Whether the participant heard itself.
    pub own_leaked: bool,
    /// Level of the weakest tone of another, in dB against what was sent without a pause.
    pub weakest_db: Option<f32>,
    /// Level of its own tone, the same way.
    pub own_db: Option<f32>,
    /// Interruptions shorter than 100 ms in tones.
    pub dropouts: u64,
    /// The longest of them.
    pub longest_dropout_ms: f32,
    /// Frames of 20 ms that were late by 60 ms or lost: what a browser would have had to conceal.
    pub concealed: u64,
    /// Packets that no Opus decoder takes.
    pub undecodable: u64,
    /// Root mean square of everything that was decoded, in dBFS.
    pub loudness_db: f32,
}

/// Listens to one stream.
pub struct Listening {
    decoder: Decoder,
    meters: BTreeMap<Tone, (ToneMeter, OnsetDetector)>,
    own: Option<Tone>,
    order: Sequence,
    playout: Playout,
    counted: Hearing,
    concealed_before: u64,
    energy: f64,
    samples: u64,
    /// As long as the longest packet of RFC 6716: 120 ms.
    pcm: Vec<f32>,
}

impl Listening {
    /// For a room in which `tones` are sent at `amplitude`, one of them perhaps by this participant itself.
    pub fn new(tones: &[Tone], amplitude: f32, own: Option<Tone>) -> Result<Self, opus::Error> {
        let meter = |tone: &Tone| (*tone, (ToneMeter::new(*tone), OnsetDetector::new(amplitude)));
        Ok(Self {
            decoder: Decoder::new(SAMPLING_RATE, Channels::Mono)?,
            meters: tones.iter().map(meter).collect(),
            own,
            order: Sequence::default(),
            playout: Playout::default(),
            counted: Hearing::default(),
            concealed_before: 0,
            energy: 0.0,
            samples: 0,
            pcm: vec![0.0; 6 * FRAME_SAMPLES],
        })
    }

    /// Takes a packet and returns the onsets found in it.
    pub fn handle_packet(&mut self, sequence: u16, timestamp: u32, payload: &[u8], arrival: Instant) -> Vec<Onset> {
        match self.order.observe(sequence) {
            Arrival::Next => {}
            Arrival::Gap(missing) => {
                self.playout.observe_lost(missing);
                for _ in 0..missing.min(LONGEST_CONCEALMENT) {
                    self.decode(&[], arrival);
                }
            }
            // It was concealed when its successor came.
            Arrival::Late => return Vec::new(),
        }
        self.playout.observe(timestamp, arrival);
        self.decode(payload, arrival)
    }

    /// What was heard since the last call.
    pub fn take_hearing(&mut self) -> Hearing {
        let mut hearing = std::mem::take(&mut self.counted);
        for (tone, (_, detector)) in &mut self.meters {
            let Some(level) = detector.take_level() else {
                continue;
            };
            if Some(*tone) == self.own {
                hearing.own_db = Some(level);
                hearing.own_leaked = is_leaked(level);
                continue;
            }
            hearing.weakest_db = Some(hearing.weakest_db.map_or(level, |weakest| weakest.min(level)));
            if is_heard(level) { hearing.heard.push(*tone) } else { hearing.missed.push(*tone) }
        }
        let concealed = self.playout.concealed();
        hearing.concealed = concealed - std::mem::replace(&mut self.concealed_before, concealed);
        let mean = self.energy / self.samples.max(1) as f64;
        hearing.loudness_db = (10.0 * mean.max(1e-13).log10()) as f32;
        (self.energy, self.samples) = (0.0, 0);
        hearing
    }

    /// Decodes one packet, or conceals one if it is empty.
    fn decode(&mut self, payload: &[u8], arrival: Instant) -> Vec<Onset> {
        // Concealment is as long as the buffer it is given.
        let pcm = &mut self.pcm;
        let buffer = if payload.is_empty() { &mut pcm[..FRAME_SAMPLES] } else { &mut pcm[..] };
        let Ok(length) = self.decoder.decode_float(payload, buffer, false) else {
            self.counted.undecodable += 1;
            return Vec::new();
        };
        let samples = &pcm[..length];
        self.energy += samples.iter().map(|sample| f64::from(sample * sample)).sum::<f64>();
        self.samples += length as u64;
        let mut onsets = Vec::new();
        for (tone, (meter, detector)) in &mut self.meters {
            let (hops, _) = samples.as_chunks::<HOP>();
            for (index, hop) in hops.iter().enumerate() {
                match detector.push(meter.push(hop)) {
                    None => {}
                    Some(ToneEvent::Dropout { length_ms }) => {
                        self.counted.dropouts += 1;
                        self.counted.longest_dropout_ms = self.counted.longest_dropout_ms.max(length_ms);
                    }
                    Some(ToneEvent::Onset { age_ms }) => {
                        let end_ms = ((index + 1) * HOP) as f32 * 1000.0 / SAMPLING_RATE as f32;
                        onsets.push(Onset { tone: *tone, heard_at: shift(arrival, end_ms - age_ms) });
                    }
                }
            }
        }
        onsets
    }
}

fn shift(instant: Instant, milliseconds: f32) -> Instant {
    let distance = Duration::from_secs_f32(milliseconds.abs() / 1000.0);
    if milliseconds < 0.0 { instant.checked_sub(distance).unwrap_or(instant) } else { instant + distance }
}
