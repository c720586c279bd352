//! Who is who: from a scenario to the participants of its rooms, with what they say. Encodes audio; knows no time and no network.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::dialogue::Invitation;
use crate::onset::CYCLE_FRAMES;
use crate::participant::Character;
use crate::scenario::{Content, Scenario, Voice};
use crate::sound::{Encoding, Recording, Reel};
use crate::tone::{Tone, amplitude};

/// Frames by which speakers of the same reel are apart: a prime, so that they never fall into step.
const APART: u64 = 131;

/// What all participants of a run have in common.
#[derive(Clone, Debug, Default)]
pub struct Common {
    /// `apisecret`.
    pub api_secret: Option<String>,
    /// Host of the API, if it is an address.
    pub api_host: Option<IpAddr>,
    /// Recordings by file name, for `content = "file"`.
    pub recordings: BTreeMap<String, Recording>,
}

/// Makes the participants of a scenario.
pub struct Cast {
    scenario: Scenario,
    common: Common,
    tones: Arc<[Tone]>,
    tone_reels: Vec<Arc<Reel>>,
    speaker: Option<Arc<Reel>>,
    listener: Option<Arc<Reel>>,
    guest: Option<Arc<Reel>>,
}

impl Cast {
    /// Encodes what will be said.
    pub fn new(scenario: &Scenario, common: Common) -> Result<Self, opus::Error> {
        let speaks_tones = scenario.speaker.kind() == Content::Tone;
        let tones: Arc<[Tone]> = (0..scenario.speakers as u16).filter(|_| speaks_tones).map(Tone).collect();
        let tone_reels = tones
            .iter()
            .map(|tone| {
                let stagger = usize::from(tone.0) * CYCLE_FRAMES / tones.len();
                let loudness = amplitude(scenario.speakers);
                Reel::tone(*tone, loudness, stagger, encoding(&scenario.speaker)).map(Arc::new)
            })
            .collect::<Result<_, _>>()?;
        let guest = scenario.guests.as_ref().map(|guests| reel(&guests.voice, &common)).transpose()?.flatten();
        Ok(Self {
            speaker: reel(&scenario.speaker, &common)?,
            listener: reel(&scenario.listener, &common)?,
            guest,
            tones,
            tone_reels,
            scenario: scenario.clone(),
            common,
        })
    }

    /// Participant `number` of room `room`; both count from 0.
    pub fn member(&self, room: u32, number: u32) -> Character {
        let speaks = number < self.scenario.speakers;
        let voice = if speaks { &self.scenario.speaker } else { &self.scenario.listener };
        let tone = self.tones.get(number as usize).copied().filter(|_| speaks);
        let reel = match tone {
            Some(tone) => self.tone_reels.get(usize::from(tone.0)).cloned(),
            None if speaks => self.speaker.clone(),
            None => self.listener.clone(),
        };
        // Tones keep the common position, because it staggers their gaps.
        let offset = if tone.is_some() { 0 } else { u64::from(room * self.scenario.participants + number) * APART };
        let full = number < self.scenario.full;
        Character {
            invitation: self.invitation(
                room,
                format!("{} {number}", if speaks { "speaker" } else { "listener" }),
                voice,
            ),
            reel,
            offset,
            tone,
            ears: full.then(|| (self.tones.clone(), amplitude(self.scenario.speakers))),
            api_host: self.common.api_host,
        }
    }

    /// Guest `number`, who goes to one of the rooms after those of the call, or into these if there are no others.
    pub fn guest(&self, number: u32) -> (u32, Character) {
        let rooms = self.scenario.guests.as_ref().map_or(0, |guests| guests.rooms);
        let room = match rooms {
            0 => number % self.scenario.rooms.max(1),
            _ => self.scenario.rooms + number % rooms,
        };
        let default = Voice::default();
        let voice = self.scenario.guests.as_ref().map_or(&default, |guests| &guests.voice);
        let character = Character {
            invitation: self.invitation(room, format!("guest {number}"), voice),
            reel: self.guest.clone(),
            offset: u64::from(number) * APART,
            tone: None,
            ears: None,
            api_host: self.common.api_host,
        };
        (room, character)
    }

    /// Rooms that are to be made: those of the call and those of the guests.
    pub fn rooms(&self) -> u32 {
        self.scenario.rooms + self.scenario.guests.as_ref().map_or(0, |guests| guests.rooms)
    }

    fn invitation(&self, room: u32, display: String, voice: &Voice) -> Invitation {
        Invitation {
            room: self.scenario.room.first + u64::from(room),
            pin: None,
            display,
            muted: voice.muted,
            patient: self.scenario.arrival.patient,
            quality: self.scenario.room.quality,
            api_secret: self.common.api_secret.clone(),
        }
    }
}

fn encoding(voice: &Voice) -> Encoding {
    let default = Encoding::default();
    Encoding { bitrate: if voice.bitrate == 0 { default.bitrate } else { voice.bitrate }, fec: voice.fec, ..default }
}

fn reel(voice: &Voice, common: &Common) -> Result<Option<Arc<Reel>>, opus::Error> {
    let encoding = encoding(voice);
    let reel = match voice.kind() {
        Content::Speech => Reel::speech(1, encoding)?,
        Content::File => match common.recordings.get(&voice.file) {
            Some(recording) => Reel::record(recording, encoding)?,
            None => return Ok(None),
        },
        Content::Noise => Reel::noise(1, encoding)?,
        Content::Silence => Reel::silence()?,
        Content::Dtx => Reel::discontinuous_silence()?,
        Content::Tone | Content::Nothing => return Ok(None),
    };
    Ok(Some(Arc::new(reel)))
}
