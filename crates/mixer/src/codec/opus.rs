//! Opus: what packets say about themselves, decoders, and encoders with a pinned mode. Must not know whose they are.
//!
//! *Invariant:* all encoders of one [`EncoderClass`] and [`Format`] are set alike, by the same setters in the same
//! order, and stay in one of Opus's modes, whatever they are fed. A listener that is moved between two encoders in
//! different modes hears as much as if a packet were lost (libopus 1.6.1: SNR of the first frame 3 dB, against
//! 19–21 dB in the same mode).

use opus::{Application, Bandwidth, Bitrate, Channels, Signal};

use crate::settings::{MemberSettings, RoomSettings, SamplingRate};

/// The longest packet, 120 ms (RFC 6716 section 3.2.5), in samples of 48 kHz.
pub(crate) const MAX_DURATION: u32 = 5_760;
/// The largest packet we make: 20 ms in one frame is at most 1275 bytes and a TOC (RFC 6716 section 3.2.1).
pub(crate) const MAX_PACKET: usize = 1_276;
/// The longest frame that we make: 20 ms of stereo at 48 kHz.
pub(crate) const MAX_FRAME: usize = 1_920;

/// Above this bit rate (mono) libopus leaves SILK for CELT at times, so we pin CELT. (64 kb/s with `Signal::Voice`
/// stayed hybrid at complexity 5, 6 and 10.)
const MAX_VOICE_BITRATE: u32 = 64_000;
/// What a full-band listener gets who asks for no bit rate and no FEC, in CELT. libopus would choose 51 kb/s of hybrid, which
/// costs 3.2 times as much to encode. Six espeak voices and a mix of two, libopus 1.6.1, complexity 4, means of PESQ (wide band) and
/// Zimtohrli's distance: hybrid at 51 kb/s 4.12 and 11.0e-4; CELT at 64 kb/s 3.60 and 6.3e-4, at 80 kb/s 4.03 and 3.1e-4.
const FULLBAND_BITRATE: u32 = 80_000;
/// Below this bit rate the upper band starves the lower: wide band only, which is SILK alone.
const MIN_HYBRID_BITRATE: u32 = 16_000;

/// What a packet says about itself without being decoded.
pub(crate) struct PacketInfo {
    /// Samples of 48 kHz.
    pub(crate) duration: u32,
    /// Holds a copy of its predecessor (LBRR).
    pub(crate) has_fec: bool,
}

/// Reads a packet's length and flags; `None` if it is not Opus (RFC 6716 section 3.4).
pub(crate) fn inspect(payload: &[u8]) -> Option<PacketInfo> {
    if payload.is_empty() {
        return None;
    }
    let duration = opus::packet::get_nb_samples(payload, 48_000).ok()? as u32;
    (1..=MAX_DURATION).contains(&duration).then(|| PacketInfo { duration, has_fec: has_fec(payload) })
}

/// Whether the first SILK frame carries LBRR (RFC 6716 section 4.2.3): the bits after its voice-activity flags.
/// Only for packets of one Opus frame, which is what browsers send; others count as without.
fn has_fec(payload: &[u8]) -> bool {
    let (Some(&toc), Some(&first)) = (payload.first(), payload.get(1)) else {
        return false;
    };
    let (configuration, stereo, code) = (toc >> 3, toc & 0x04 != 0, toc & 0x03);
    if configuration >= 16 || code != 0 {
        return false;
    }
    // SILK frames of 20 ms in the packet; only SILK alone (below 12) knows 40 and 60 ms.
    let frames = match (configuration < 12, configuration & 0x03) {
        (true, 2) => 2,
        (true, 3) => 3,
        _ => 1,
    };
    let mid = (first >> (7 - frames)) & 1 != 0;
    let side = stereo && frames < 3 && (first >> (6 - 2 * frames)) & 1 != 0;
    mid || side
}

/// Rate and channels of a room's mixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) rate: SamplingRate,
    pub(crate) stereo: bool,
}

impl Format {
    pub(crate) fn of(room: &RoomSettings) -> Self {
        Self { rate: room.sampling_rate, stereo: room.stereo }
    }

    pub(crate) fn channels(self) -> usize {
        if self.stereo { 2 } else { 1 }
    }

    /// Samples in one frame of 20 ms, all channels.
    pub(crate) fn frame(self) -> usize {
        self.rate.frame() * self.channels()
    }
}

/// All that tells one encoder of a room from another; equal classes can share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EncoderClass {
    mode: Mode,
    bitrate: Option<u32>,
    complexity: u8,
    /// Percent, 0 = no forward error correction.
    fec_for_loss: u8,
}

/// The part of Opus that an encoder is pinned to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Speech alone: rooms up to 16 kHz, and low bit rates.
    Silk,
    /// Speech with an upper band: rooms at 24 and 48 kHz.
    Hybrid,
    /// Everything at high bit rates. Without SILK its delay is 4 ms shorter (RFC 6716 section 2.1.1).
    Celt,
}

impl EncoderClass {
    /// The class that serves a member in a room.
    pub(crate) fn of(settings: &MemberSettings, format: Format) -> Self {
        // 500 to 512,000 bit/s is what Opus takes.
        let asked = settings.bitrate.map(|bitrate| bitrate.clamp(500, 512_000));
        let wants_fec = settings.fec && settings.expected_loss > 0;
        let bitrate = match asked {
            // FEC is SILK's.
            None if wants_fec => Some(fec_floor(format.rate).max(automatic_bitrate(format))),
            None if format.rate == SamplingRate::Hz48000 && !format.stereo => Some(FULLBAND_BITRATE),
            asked => asked,
        };
        let mode = mode(bitrate, format);
        let fec = wants_fec && mode != Mode::Celt && bitrate.is_none_or(|bitrate| bitrate >= fec_floor(format.rate));
        Self {
            mode,
            bitrate,
            complexity: settings.complexity.min(10),
            // libopus uses the expected loss for more than FEC, but a class for each number would cost an encode each.
            fec_for_loss: if fec { settings.expected_loss.min(100) } else { 0 },
        }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }
}

fn mode(bitrate: Option<u32>, format: Format) -> Mode {
    let wide = matches!(format.rate, SamplingRate::Hz24000 | SamplingRate::Hz48000);
    let bitrate = bitrate.unwrap_or(automatic_bitrate(format));
    if format.stereo && wide || bitrate > MAX_VOICE_BITRATE {
        // Stereo: the width of the sound, not only the bit rate, moves libopus between the modes.
        Mode::Celt
    } else if wide && bitrate >= MIN_HYBRID_BITRATE {
        Mode::Hybrid
    } else {
        Mode::Silk
    }
}

/// What libopus makes of `Bitrate::Auto` at 20 ms (`user_bitrate_to_bitrate`): 60 bits a frame and one bit a sample.
fn automatic_bitrate(format: Format) -> u32 {
    3_000 + format.rate.hz() * format.channels() as u32
}

/// Below this bit rate libopus pays for FEC with bandwidth (`decide_fec`), at the latest in the first packets of an
/// encoder. Measured with libopus 1.6.1, complexity 4 and 6, 1 to 20 % loss: the least that never did, and had FEC, was
/// 20, 22, 26, 32 and 34 kb/s.
fn fec_floor(rate: SamplingRate) -> u32 {
    match rate {
        SamplingRate::Hz8000 => 24_000,
        SamplingRate::Hz12000 => 26_000,
        SamplingRate::Hz16000 => 30_000,
        SamplingRate::Hz24000 => 36_000,
        SamplingRate::Hz48000 => 40_000,
    }
}

/// An Opus encoder for 20 ms frames of a room's format.
#[derive(Debug)]
pub(crate) struct Encoder {
    encoder: opus::Encoder,
    format: Format,
    mode: Mode,
}

impl Encoder {
    pub(crate) fn new(format: Format, class: &EncoderClass) -> opus::Result<Self> {
        let channels = if format.stereo { Channels::Stereo } else { Channels::Mono };
        let application = match class.mode {
            Mode::Silk | Mode::Hybrid => Application::Voip,
            Mode::Celt => Application::LowDelay,
        };
        let encoder = opus::Encoder::new(format.rate.hz(), channels, application)?;
        let mut made = Self { encoder, format, mode: class.mode };
        made.set(class)?;
        Ok(made)
    }

    /// Sets everything that a class says. The mode is given at its making.
    pub(crate) fn set(&mut self, class: &EncoderClass) -> opus::Result<()> {
        let encoder = &mut self.encoder;
        encoder.set_signal(match self.mode {
            Mode::Silk | Mode::Hybrid => Signal::Voice,
            Mode::Celt => Signal::Music,
        })?;
        encoder.set_bandwidth(match (self.mode, self.format.rate) {
            (_, SamplingRate::Hz8000) => Bandwidth::Narrowband,
            (Mode::Silk, SamplingRate::Hz12000) => Bandwidth::Mediumband,
            (Mode::Silk, _) => Bandwidth::Wideband,
            // CELT has no medium band (RFC 6716 section 2).
            (Mode::Celt | Mode::Hybrid, SamplingRate::Hz12000 | SamplingRate::Hz16000) => Bandwidth::Wideband,
            (Mode::Celt | Mode::Hybrid, SamplingRate::Hz24000) => Bandwidth::Superwideband,
            (Mode::Celt | Mode::Hybrid, SamplingRate::Hz48000) => Bandwidth::Fullband,
        })?;
        encoder.set_bitrate(class.bitrate.map_or(Bitrate::Auto, |bitrate| Bitrate::Bits(bitrate as i32)))?;
        encoder.set_complexity(i32::from(class.complexity))?;
        encoder.set_inband_fec(class.fec_for_loss > 0)?;
        encoder.set_packet_loss_perc(i32::from(class.fec_for_loss))
    }

    pub(crate) fn is_for(&self, format: Format, mode: Mode) -> bool {
        self.format == format && self.mode == mode
    }

    pub(crate) fn reset(&mut self) -> opus::Result<()> {
        self.encoder.reset_state()
    }

    pub(crate) fn encode(&mut self, frame: &[f32], packet: &mut [u8]) -> opus::Result<usize> {
        self.encoder.encode_float(frame, packet)
    }
}

/// An Opus decoder to mono at a room's rate.
#[derive(Debug)]
pub(crate) struct Decoder(opus::Decoder);

impl Decoder {
    pub(crate) fn new(rate: SamplingRate) -> opus::Result<Self> {
        opus::Decoder::new(rate.hz(), Channels::Mono).map(Self)
    }

    pub(crate) fn reset(&mut self) -> opus::Result<()> {
        self.0.reset_state()
    }

    /// Decodes a packet; the number of samples.
    pub(crate) fn decode(&mut self, payload: &[u8], pcm: &mut [f32]) -> opus::Result<usize> {
        self.0.decode_float(payload, pcm, false)
    }

    /// Fills `pcm` with what the successor of a lost packet tells of it.
    pub(crate) fn restore(&mut self, successor: &[u8], pcm: &mut [f32]) -> opus::Result<usize> {
        self.0.decode_float(successor, pcm, true)
    }

    /// Fills `pcm` with a guess.
    pub(crate) fn conceal(&mut self, pcm: &mut [f32]) -> opus::Result<usize> {
        self.0.decode_float(&[], pcm, false)
    }
}
