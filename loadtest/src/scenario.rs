//! What a run is: rooms, participants, what they say, when they come and what is expected. Read from TOML; opens no file.

use serde::Deserialize;
use thiserror::Error;

use crate::tone::Tone;

mod builtin;

pub use builtin::{builtin, builtin_names};

/// A scenario file. Every key has a default but `participants`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line for people.
    #[serde(default)]
    pub title: String,
    /// Rooms that are made for the run.
    #[serde(default = "one")]
    pub rooms: u32,
    /// Participants in each.
    pub participants: u32,
    /// How many of them speak.
    #[serde(default)]
    pub speakers: u32,
    /// How many of them are full participants, who decode and check; speakers first. The others only count packets.
    #[serde(default = "ten")]
    pub full: u32,
    /// The rooms.
    #[serde(default)]
    pub room: Room,
    /// Those who speak.
    #[serde(default)]
    pub speaker: Voice,
    /// Those who do not.
    #[serde(default)]
    pub listener: Voice,
    /// How they come in.
    #[serde(default)]
    pub arrival: Arrival,
    /// How long it is measured.
    #[serde(default)]
    pub hold: Hold,
    /// Others who come and go while the call is measured a second time.
    pub guests: Option<Guests>,
    /// Requests about other rooms while the call is measured once more.
    pub requests: Option<Requests>,
    /// Broken input meanwhile.
    pub garbage: Option<Garbage>,
    /// What must hold.
    pub expect: Option<Expect>,
}

/// Properties of the rooms.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Room {
    /// In hertz.
    pub sampling_rate: u32,
    /// Complexity of the server's encoders, 1 to 10.
    pub quality: u8,
    /// Id of the first; the others follow.
    pub first: u64,
    /// Whether the server announces who talks.
    pub talking_events: bool,
}

impl Default for Room {
    fn default() -> Self {
        Self { sampling_rate: 48_000, quality: 4, first: 710_000, talking_events: false }
    }
}

/// What somebody says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Voice {
    /// The kind of audio; a tone for speakers, silence for everybody else.
    pub content: Option<Content>,
    /// Muted by the API.
    pub muted: bool,
    /// Bits per second; 0 is 32,000.
    pub bitrate: u32,
    /// With in-band FEC.
    pub fec: bool,
    /// For `content = "file"`: a WAV file.
    pub file: String,
}

impl Voice {
    /// The kind of audio.
    pub fn kind(&self) -> Content {
        self.content.unwrap_or_default()
    }
}

/// A kind of audio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A tone of one's own with short gaps: who is heard and how late can be measured.
    Tone,
    /// Synthesised speech.
    Speech,
    /// A WAV file.
    File,
    /// Noise at -40 dBFS.
    Noise,
    /// Digital silence at 50 packets a second.
    #[default]
    Silence,
    /// Silence with discontinuous transmission.
    Dtx,
    /// No packet at all.
    Nothing,
}

/// How participants come in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Arrival {
    /// Evenly, or all at once.
    pub pattern: Pattern,
    /// For `ramp`: how many in a second.
    pub per_second: f64,
    /// Whoever is not let in for overload asks again each second, as clients should; else the join has failed.
    pub patient: bool,
}

impl Default for Arrival {
    fn default() -> Self {
        Self { pattern: Pattern::Ramp, per_second: 20.0, patient: false }
    }
}

/// A pattern of arrivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// Evenly, `per_second`.
    Ramp,
    /// All at once.
    Storm,
}

/// How long it is measured.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hold {
    /// Seconds between the last arrival and the measurement.
    pub warm_up: u32,
    /// Seconds of measurement.
    pub seconds: u32,
}

impl Default for Hold {
    fn default() -> Self {
        Self { warm_up: 5, seconds: 30 }
    }
}

/// Participants who come and go after the first measurement, while a second one of the call is made.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guests {
    /// Joins in a second.
    pub per_second: f64,
    /// Seconds of it.
    pub seconds: u32,
    /// Seconds each of them stays.
    pub stay: f64,
    /// Rooms of their own; 0 sends them into the rooms of the call.
    #[serde(default)]
    pub rooms: u32,
    /// What they say.
    #[serde(default)]
    pub voice: Voice,
}

/// Requests that make rooms, ask whether they exist and destroy them, while the call is measured a second time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    /// Requests in a second.
    pub per_second: u32,
    /// Seconds of it.
    pub seconds: u32,
    /// Connections they come on.
    #[serde(default = "four")]
    pub connections: u32,
}

/// Broken input while the call is measured a second time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Garbage {
    /// Random and half-right datagrams to the media ports in a second.
    pub datagrams_per_second: u32,
    /// Broken requests in a second.
    pub requests_per_second: u32,
    /// Seconds of it.
    pub seconds: u32,
}

/// What must hold, or the run has failed.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// Packets a second that the worst served participant receives.
    pub min_packets_per_second: Option<f64>,
    /// Median latency.
    pub latency_p50_ms: Option<f64>,
    /// 99th percentile of latency.
    pub latency_p99_ms: Option<f64>,
    /// 99th percentile of the time between a receiver's packets.
    pub interval_p99_ms: Option<f64>,
    /// 99th percentile of the time until a request is answered.
    pub request_p99_ms: Option<f64>,
    /// The server's CPU per participant and second.
    pub cpu_ms_per_participant: Option<f64>,
    /// The server's CPU in percent of a core.
    pub cpu_percent: Option<f64>,
    /// The server's CPU per join; with guests per guest: join, stay and leave.
    pub cpu_ms_per_join: Option<f64>,
    /// Resident memory per participant, against before the run.
    pub memory_kb_per_participant: Option<f64>,
    /// Resident memory per room, against before the run.
    pub memory_kb_per_room: Option<f64>,
}

/// Why a scenario cannot be run.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// Syntax, an unknown key or a wrong type, with line and column.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// Values that do not go together.
    #[error("{key}: {problem}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
}

impl Scenario {
    /// Reads a scenario file.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let mut scenario: Self = toml::from_str(text)?;
        scenario.speaker.content.get_or_insert(Content::Tone);
        scenario.checked()
    }

    /// `1x50x3`: rooms, participants in each, of them speaking; everything else by default.
    pub fn from_shape(shape: &str) -> Option<Result<Self, ScenarioError>> {
        let numbers: Vec<u32> = shape.split('x').map(str::parse).collect::<Result<_, _>>().ok()?;
        let [rooms, participants, speakers] = numbers[..] else {
            return None;
        };
        let text = format!("title = {shape:?}\nrooms = {rooms}\nparticipants = {participants}\nspeakers = {speakers}");
        Some(Self::parse(&text))
    }

    /// Everybody who is there from beginning to end.
    pub fn population(&self) -> u32 {
        self.rooms * self.participants
    }

    fn checked(self) -> Result<Self, ScenarioError> {
        let wrong = |key, problem: String| Err(ScenarioError::Value { key, problem });
        if self.speakers > self.participants {
            return wrong("speakers", format!("{} of {} participants cannot speak", self.speakers, self.participants));
        }
        if self.speaker.kind() == Content::Tone && self.speakers > u32::from(Tone::COUNT) {
            return wrong("speakers", format!("there are {} tones in a room; use content = \"speech\"", Tone::COUNT));
        }
        if self.listener.kind() == Content::Tone {
            return wrong("listener.content", "tones are for speakers".to_owned());
        }
        for (key, voice) in [("speaker.file", &self.speaker), ("listener.file", &self.listener)] {
            if (voice.kind() == Content::File) == voice.file.is_empty() {
                return wrong(key, "goes with content = \"file\", and only with it".to_owned());
            }
        }
        if ![8_000, 12_000, 16_000, 24_000, 48_000].contains(&self.room.sampling_rate) {
            return wrong("room.sampling_rate", "8000, 12000, 16000, 24000 or 48000".to_owned());
        }
        if !(1..=10).contains(&self.room.quality) {
            return wrong("room.quality", "1 to 10".to_owned());
        }
        if self.arrival.per_second.is_nan() || self.arrival.per_second <= 0.0 {
            return wrong("arrival.per_second", "more than 0".to_owned());
        }
        if self.hold.seconds == 0 {
            return wrong("hold.seconds", "at least 1".to_owned());
        }
        if let Some(guests) = &self.guests {
            if guests.per_second.is_nan() || guests.per_second <= 0.0 || guests.seconds == 0 || guests.stay < 0.0 {
                return wrong("guests", "per_second and seconds are more than 0, stay is not negative".to_owned());
            }
            if guests.voice.kind() == Content::Tone {
                return wrong("guests.voice.content", "tones are for speakers".to_owned());
            }
        }
        if let Some(requests) = &self.requests
            && [requests.per_second, requests.seconds, requests.connections].contains(&0)
        {
            return wrong("requests", "per_second, seconds and connections are at least 1".to_owned());
        }
        Ok(self)
    }
}

fn one() -> u32 {
    1
}

fn four() -> u32 {
    4
}

fn ten() -> u32 {
    10
}
