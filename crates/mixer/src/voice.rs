//! The sound of one member while it is decoded: decoder, decoded sound that has not played, and what plays now.
//! Must not know packets' times or who hears it.

use crate::codec::opus::{Decoder, MAX_DURATION};
use crate::counters::Counters;
use crate::history::History;
use crate::jitter::Piece;
use crate::kernel::Path;
use crate::level;
use crate::mix::{self, Gain};
use crate::settings::SamplingRate;
use crate::stretch;

/// Voices kept for the next who speaks, per worker; more than speak at once in its rooms as a rule.
const MAX_IDLE: usize = 64;

/// See the module. Holds nothing across a pause: a voice is taken when a member begins to sound, and given back.
#[derive(Debug)]
pub(crate) struct Voice {
    rate: SamplingRate,
    decoder: Decoder,
    /// Decoded and not yet played, mono.
    queue: Vec<f32>,
    /// What plays in this tick, mono.
    frame: Vec<f32>,
    /// What this tick's mixes get of it, in the room's channels.
    contribution: Vec<f32>,
}

impl Voice {
    fn new(rate: SamplingRate) -> opus::Result<Self> {
        let longest = (MAX_DURATION / rate.media_per_sample()) as usize;
        Ok(Self {
            rate,
            decoder: Decoder::new(rate)?,
            queue: Vec::with_capacity(longest + 3 * rate.frame()),
            frame: vec![0.0; rate.frame()],
            contribution: Vec::with_capacity(2 * rate.frame()),
        })
    }

    /// Brings the decoder from whatever it heard before to where the stream is, and keeps the last `queued` samples
    /// (48 kHz) of it to play.
    pub(crate) fn warm_up(&mut self, history: &History, queued: u32, counters: &mut Counters) {
        counters.decode_errors += u64::from(self.decoder.reset().is_err());
        self.queue.clear();
        for payload in history.iter() {
            self.queue.clear();
            let longest = (MAX_DURATION / self.rate.media_per_sample()) as usize;
            self.queue.resize(longest, 0.0);
            let length = self.decoder.decode(payload, &mut self.queue).unwrap_or(0);
            self.queue.truncate(length);
            counters.decodes_warm_up += 1;
        }
        let keep = self.samples(queued);
        if self.queue.len() > keep {
            self.queue.drain(..self.queue.len() - keep);
        } else {
            self.queue.resize(keep, 0.0);
        }
    }

    /// Decodes a piece to the end of what waits. What cannot be decoded is concealed, what cannot be concealed is
    /// silent.
    pub(crate) fn push(&mut self, piece: &Piece, counters: &mut Counters) {
        let begin = self.queue.len();
        self.queue.resize(begin + self.samples(piece.duration()), 0.0);
        let gap = &mut self.queue[begin..];
        let decoded = match piece {
            Piece::Packet(packet) => {
                counters.decodes_normal += 1;
                self.decoder.decode(&packet.payload, gap)
            }
            Piece::Conceal { fec: Some(successor), .. } => {
                counters.decodes_fec += 1;
                self.decoder.restore(successor, gap)
            }
            Piece::Conceal { fec: None, .. } => {
                counters.decodes_plc += 1;
                self.decoder.conceal(gap)
            }
            Piece::Silence { .. } | Piece::Pause => return,
        };
        if decoded.is_err() {
            counters.decode_errors += 1;
            gap.fill(0.0);
            if self.decoder.conceal(gap).is_err() {
                gap.fill(0.0);
            }
        }
    }

    /// Shortens what waits by up to `limit` samples of 48 kHz, leaving a frame to play; by how many.
    pub(crate) fn shorten(&mut self, limit: u32) -> u32 {
        let spare = self.queue.len().saturating_sub(self.rate.frame());
        let limit = self.samples(limit).min(spare);
        stretch::shorten(&mut self.queue, self.rate.hz() as usize, limit) as u32 * self.rate.media_per_sample()
    }

    /// Lengthens what waits by up to `limit` samples of 48 kHz; by how many.
    pub(crate) fn lengthen(&mut self, limit: u32) -> u32 {
        let limit = self.samples(limit);
        stretch::lengthen(&mut self.queue, self.rate.hz() as usize, limit) as u32 * self.rate.media_per_sample()
    }

    /// Moves one frame from what waits to what plays; its level. Where too little waits, silence plays.
    pub(crate) fn play(&mut self, counters: &mut Counters) -> i8 {
        let length = self.queue.len().min(self.frame.len());
        self.frame[..length].copy_from_slice(&self.queue[..length]);
        self.frame[length..].fill(0.0);
        self.queue.drain(..length);
        if !Path::best().energy(&self.frame).is_finite() {
            // One sample that is no number would silence the whole room for good.
            self.frame.fill(0.0);
            counters.decode_errors += 1;
        }
        level::measure(&self.frame)
    }

    /// Makes the contribution of what plays, `channels` wide.
    pub(crate) fn contribute(&mut self, channels: usize, from: Gain, to: Gain) {
        self.contribution.resize(self.frame.len() * channels, 0.0);
        mix::place(&mut self.contribution, &self.frame, from, to);
    }

    pub(crate) fn contribution(&self) -> &[f32] {
        &self.contribution
    }

    fn samples(&self, media: u32) -> usize {
        (media / self.rate.media_per_sample()) as usize
    }
}

/// Voices that nobody uses now.
#[derive(Debug, Default)]
pub(crate) struct VoicePool {
    idle: Vec<Voice>,
}

impl VoicePool {
    /// A voice that has to be warmed up. `None`, and counted, if libopus gives no decoder.
    pub(crate) fn take(&mut self, rate: SamplingRate, counters: &mut Counters) -> Option<Voice> {
        if let Some(index) = self.idle.iter().rposition(|voice| voice.rate == rate) {
            return Some(self.idle.swap_remove(index));
        }
        let made = Voice::new(rate);
        counters.decode_errors += u64::from(made.is_err());
        made.ok()
    }

    pub(crate) fn give(&mut self, voice: Voice) {
        if self.idle.len() < MAX_IDLE {
            self.idle.push(voice);
        }
    }
}
