//! What a room and a member are set to. Must not know how any of it is done.

/// The sampling rate of a room: Opus decodes to it and encodes from it, so that nothing is ever resampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SamplingRate {
    /// 8 kHz, narrow band.
    Hz8000,
    /// 12 kHz, medium band.
    Hz12000,
    /// 16 kHz, wide band.
    Hz16000,
    /// 24 kHz, super-wide band.
    Hz24000,
    /// 48 kHz, full band.
    Hz48000,
}

impl SamplingRate {
    /// The rate of that many hertz, if rooms can have it.
    pub fn from_hz(hz: u32) -> Option<Self> {
        match hz {
            8_000 => Some(Self::Hz8000),
            12_000 => Some(Self::Hz12000),
            16_000 => Some(Self::Hz16000),
            24_000 => Some(Self::Hz24000),
            48_000 => Some(Self::Hz48000),
            _ => None,
        }
    }

    /// In hertz.
    pub const fn hz(self) -> u32 {
        match self {
            Self::Hz8000 => 8_000,
            Self::Hz12000 => 12_000,
            Self::Hz16000 => 16_000,
            Self::Hz24000 => 24_000,
            Self::Hz48000 => 48_000,
        }
    }

    /// Samples per channel in one tick of 20 ms.
    pub const fn frame(self) -> usize {
        (self.hz() / 50) as usize
    }

    /// How many units of media time (1/48000 s) one sample lasts.
    pub(crate) const fn media_per_sample(self) -> u32 {
        48_000 / self.hz()
    }
}

/// When a member counts as talking: the mean level of a window of packets is below a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TalkDetection {
    /// Length of the window in ticks of 20 ms.
    pub active_packets: u32,
    /// The limit in -dBov (0 loudest, 127 silence): talking means a mean level below it.
    pub average_level: u8,
}

/// The settings of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSettings {
    /// Sampling rate of mixing and encoding.
    pub sampling_rate: SamplingRate,
    /// Spatial audio: two channels, each member at its position.
    pub stereo: bool,
    /// Only admins sound.
    pub muted: bool,
    /// Believe the audio levels that packets carry (RFC 6464) instead of decoding everybody.
    pub trust_levels: bool,
    /// Whether and how talking is told.
    pub talk_detection: Option<TalkDetection>,
    /// How many members may sound at a time, the loudest first; 0 = all.
    pub max_speakers: usize,
    /// A member sounds when its level is above this, in dBov.
    pub silence_threshold: i8,
    /// One encode for all who hear the same mix; otherwise one for each member.
    pub shared_encoding: bool,
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self {
            sampling_rate: SamplingRate::Hz48000,
            stereo: false,
            muted: false,
            trust_levels: true,
            talk_detection: None,
            max_speakers: 0,
            silence_threshold: -60,
            shared_encoding: true,
        }
    }
}

impl RoomSettings {
    /// How many may sound at a time.
    pub(crate) fn max_speakers(&self) -> usize {
        if self.max_speakers == 0 { usize::MAX } else { self.max_speakers }
    }
}

/// The settings of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberSettings {
    /// Does not sound.
    pub muted: bool,
    /// Sounds in a muted room.
    pub admin: bool,
    /// Amplitude in percent.
    pub volume: u32,
    /// 0 left to 100 right; rooms in stereo only.
    pub position: u8,
    /// Of what it is sent, in bit/s; `None` lets the codec decide.
    pub bitrate: Option<u32>,
    /// Of the Opus encoder, 0 to 10.
    pub complexity: u8,
    /// Packet loss on the way to it, in percent.
    pub expected_loss: u8,
    /// It can use in-band forward error correction.
    pub fec: bool,
    /// Neither contributes nor is sent anything.
    pub suspended: bool,
    /// When it counts as talking, in place of what the room has.
    pub talk_detection: Option<TalkDetection>,
}

impl Default for MemberSettings {
    fn default() -> Self {
        Self {
            muted: false,
            admin: false,
            volume: 100,
            position: 50,
            bitrate: None,
            // The knee: 6 costs 1 % more than 5 and scores 0.2 PESQ more (libopus 1.6.1, VOIP, 32 kb/s, speech).
            complexity: 6,
            expected_loss: 0,
            fec: false,
            suspended: false,
            talk_detection: None,
        }
    }
}
