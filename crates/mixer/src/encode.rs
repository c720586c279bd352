//! Encoders of a room: one shared by all who hear the same mix, private ones for those who speak. Must not decide who
//! gets which; that is the room's.
//!
//! *Invariant:* an encoder starts on a stream that is under way only after [`prime`]: reset, then the last frames of
//! the shared mix, whose packets are thrown away. Primed so, the first packet is 16 to 43 dB nearer to the stream than
//! concealing a lost packet would be (libopus 1.6.1, speech). State is never copied between encoders, and encoders and
//! packets are never compared. In lasting silence an encoder rests, and then goes on as it is: what it would have been
//! fed is what it was fed last.

use std::sync::Arc;

use crate::codec::opus::{Encoder, EncoderClass, Format, MAX_PACKET, Mode};
use crate::counters::Counters;
use crate::kernel::Path;
use crate::limiter::Limiter;

/// Frames of the shared mix that a room remembers: what the hungriest mode needs.
const RECENT: usize = 5;
/// After so many frames of digital silence, an encoder's packets say the same: 1 s. CELT, which fades longest, is at its
/// least packet after 28; SILK and hybrid differ only in the seed of a noise below half a bit of 16. Repeated 500 times,
/// no packet decoded to more than 1/32768. When sound came back, an encoder that had rested was as near to one that had
/// not (18 to 23 dB, SILK and hybrid) as one that was fed a frame less; reset and primed, it was at 6 dB
/// (libopus 1.6.1, 8 to 48 kHz, complexity 4, 6 and 10).
const SETTLED: u32 = 50;
/// Encoders kept for the next who speaks, per worker.
const MAX_IDLE: usize = 64;

/// Frames that an encoder needs to hear: SILK and hybrid gain nothing from more than three; CELT, whose windows
/// overlap, still gains from five.
fn frames_to_prime(mode: Mode) -> usize {
    match mode {
        Mode::Silk | Mode::Hybrid => 3,
        Mode::Celt => RECENT,
    }
}

/// The last frames of a room's shared mix, exactly as its shared encoders were fed.
#[derive(Debug)]
pub(crate) struct RecentFrames {
    frame: usize,
    samples: Vec<f32>,
    count: usize,
    next: usize,
}

impl RecentFrames {
    pub(crate) fn new(format: Format) -> Self {
        let frame = format.frame();
        Self { frame, samples: vec![0.0; frame * RECENT], count: 0, next: 0 }
    }

    pub(crate) fn push(&mut self, frame: &[f32]) {
        self.samples[self.next * self.frame..][..self.frame].copy_from_slice(frame);
        self.next = (self.next + 1) % RECENT;
        self.count = (self.count + 1).min(RECENT);
    }

    fn is_silent(&self) -> bool {
        Path::best().peak(&self.samples) == 0.0
    }

    /// The last `count` frames, oldest first; fewer if there were fewer.
    fn last(&self, count: usize) -> impl Iterator<Item = &[f32]> {
        let count = count.min(self.count);
        (0..count).map(move |index| {
            let place = (self.next + RECENT - count + index) % RECENT;
            &self.samples[place * self.frame..][..self.frame]
        })
    }
}

/// The encoder for all listeners of one class in a room.
#[derive(Debug)]
pub(crate) struct SharedEncoder {
    pub(crate) class: EncoderClass,
    stream: Stream,
    /// It has heard the frame before this one.
    current: bool,
    /// Members that hear it in this tick; without any it is given back, and misses frames.
    pub(crate) listeners: u32,
}

impl SharedEncoder {
    /// Encodes a frame for its listeners.
    pub(crate) fn encode(
        &mut self,
        frame: &[f32],
        recent: &RecentFrames,
        packet: &mut [u8; MAX_PACKET],
        counters: &mut Counters,
    ) {
        if !self.current {
            prime(&mut self.stream.encoder, self.class.mode(), recent, packet, counters);
            // One that has heard nothing but silence has nothing to settle from.
            self.stream.silent = if recent.is_silent() { SETTLED } else { 0 };
        }
        self.current = true;
        if self.stream.encode(frame, packet, counters) {
            counters.encodes_shared += 1;
        }
    }

    pub(crate) fn payload(&self) -> Option<&Arc<[u8]>> {
        self.stream.payload.as_ref()
    }

    pub(crate) fn into_encoder(self) -> Encoder {
        self.stream.encoder
    }
}

/// The encoder of one member, with the limiter of its mix.
#[derive(Debug)]
pub(crate) struct PrivateEncoder {
    class: EncoderClass,
    stream: Stream,
    limiter: Limiter,
}

impl PrivateEncoder {
    /// Limits and encodes the member's own mix.
    pub(crate) fn encode(
        &mut self,
        frame: &mut [f32],
        packet: &mut [u8; MAX_PACKET],
        counters: &mut Counters,
    ) -> Option<Arc<[u8]>> {
        counters.limited += u64::from(self.limiter.limit(frame));
        if self.stream.encode(frame, packet, counters) {
            counters.encodes_private += 1;
        }
        self.stream.payload.clone()
    }

    /// Follows a change of settings. Within the mode the encoder goes on as it is; into another mode there is no way
    /// without a break, so that a new one begins.
    pub(crate) fn follow(
        &mut self,
        format: Format,
        class: EncoderClass,
        pool: &mut EncoderPool,
        counters: &mut Counters,
    ) {
        if self.class == class {
            return;
        }
        if self.class.mode() == class.mode() {
            counters.encode_errors += u64::from(self.stream.encoder.set(&class).is_err());
            self.stream.silent = 0;
        } else if let Some(encoder) = pool.take(format, &class, counters) {
            pool.give(std::mem::replace(&mut self.stream, Stream::new(encoder)).encoder);
        } else {
            return;
        }
        self.class = class;
    }

    pub(crate) fn into_encoder(self) -> Encoder {
        self.stream.encoder
    }
}

/// An encoder with what it made last.
#[derive(Debug)]
struct Stream {
    encoder: Encoder,
    /// Frames of digital silence in a row.
    silent: u32,
    payload: Option<Arc<[u8]>>,
}

impl Stream {
    fn new(encoder: Encoder) -> Self {
        Self { encoder, silent: 0, payload: None }
    }

    /// Makes the payload for a frame; `false` if the last one serves, because silence goes on.
    fn encode(&mut self, frame: &[f32], packet: &mut [u8; MAX_PACKET], counters: &mut Counters) -> bool {
        self.silent = if Path::best().peak(frame) == 0.0 { self.silent.saturating_add(1) } else { 0 };
        if self.silent > SETTLED && self.payload.is_some() {
            counters.encodes_rested += 1;
            return false;
        }
        self.payload = match self.encoder.encode(frame, packet) {
            Ok(length) => Some(Arc::from(&packet[..length])),
            Err(_) => {
                counters.encode_errors += 1;
                None
            }
        };
        true
    }
}

/// Encoders that nobody uses now.
#[derive(Debug, Default)]
pub(crate) struct EncoderPool {
    idle: Vec<Encoder>,
}

impl EncoderPool {
    /// A shared encoder; it is primed before its first frame.
    pub(crate) fn shared(
        &mut self,
        format: Format,
        class: EncoderClass,
        counters: &mut Counters,
    ) -> Option<SharedEncoder> {
        let encoder = self.take(format, &class, counters)?;
        Some(SharedEncoder { class, stream: Stream::new(encoder), current: false, listeners: 0 })
    }

    /// A private encoder that goes on where a shared one was.
    pub(crate) fn primed(
        &mut self,
        format: Format,
        class: EncoderClass,
        limiter: Limiter,
        recent: &RecentFrames,
        packet: &mut [u8; MAX_PACKET],
        counters: &mut Counters,
    ) -> Option<PrivateEncoder> {
        let mut encoder = self.take(format, &class, counters)?;
        prime(&mut encoder, class.mode(), recent, packet, counters);
        Some(PrivateEncoder { class, stream: Stream::new(encoder), limiter })
    }

    pub(crate) fn give(&mut self, encoder: Encoder) {
        if self.idle.len() < MAX_IDLE {
            self.idle.push(encoder);
        }
    }

    fn take(&mut self, format: Format, class: &EncoderClass, counters: &mut Counters) -> Option<Encoder> {
        let idle = self.idle.iter().rposition(|encoder| encoder.is_for(format, class.mode()));
        let encoder = match idle {
            Some(index) => {
                let mut encoder = self.idle.swap_remove(index);
                encoder.reset().and_then(|()| encoder.set(class)).map(|()| encoder)
            }
            None => Encoder::new(format, class),
        };
        counters.encode_errors += u64::from(encoder.is_err());
        encoder.ok()
    }
}

fn prime(
    encoder: &mut Encoder,
    mode: Mode,
    recent: &RecentFrames,
    packet: &mut [u8; MAX_PACKET],
    counters: &mut Counters,
) {
    counters.encode_errors += u64::from(encoder.reset().is_err());
    for frame in recent.last(frames_to_prime(mode)) {
        counters.encodes_priming += 1;
        counters.encode_errors += u64::from(encoder.encode(frame, packet).is_err());
    }
}
