//! The test in place of the media planes: what they are asked in the words of a dialogue, and what they tell.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signaling::{
    Answer, AnswerTraits, AudioInfo, AudioStatistics, DtlsInfo, Flow, HandleId, IceInfo, MediaCommand, MediaEvent,
    MemberSettings, MixStatistics, NetworkStatistics, Settled, TransportInfo,
};

use crate::pattern::Bindings;
use crate::script::MediaStep;

/// What they were asked.
#[derive(Default)]
pub(crate) struct Planes {
    /// As dialogues write it, and not expected yet.
    commands: VecDeque<Value>,
    /// The last offer under way of each handle.
    negotiations: BTreeMap<u64, u64>,
    /// The last one.
    inquiry: u64,
}

impl Planes {
    pub(crate) fn take(&mut self, command: &MediaCommand) {
        if let MediaCommand::Negotiate { handle, negotiation, .. }
        | MediaCommand::Offer { handle, negotiation, .. }
        | MediaCommand::Accept { handle, negotiation, .. } = command
        {
            self.negotiations.insert(handle.0, *negotiation);
        } else if let MediaCommand::Describe { inquiry, .. } | MediaCommand::Measure { inquiry, .. } = command {
            self.inquiry = *inquiry;
        }
        self.commands.push_back(shown(command));
    }

    /// What was not expected.
    pub(crate) fn unexpected(&self) -> Option<&Value> {
        self.commands.front()
    }

    pub(crate) fn expect(&mut self, pattern: &Value, bindings: &mut Bindings) -> Result<(), String> {
        let command = self.commands.pop_front().ok_or("nothing is asked of the media planes")?;
        bindings.fits(pattern, &command).map_err(|problem| format!("{problem}\n  in {command}"))
    }

    /// What they tell of an actor's handle.
    pub(crate) fn event(
        &self,
        bindings: &Bindings,
        actor: &str,
        step: &MediaStep,
        now: Instant,
    ) -> Result<MediaEvent, String> {
        let handle = HandleId(bindings.number(&format!("${actor}.handle"))?);
        let negotiation = self.negotiations.get(&handle.0).copied().unwrap_or_default();
        let is = |details: &Value, name: &str, default| details.get(name).and_then(Value::as_bool).unwrap_or(default);
        let settled =
            |details: &Value| Settled { audio_level: is(details, "audio_level", true), fec: is(details, "fec", false) };
        let candidates = |details: &Value| {
            let list = details.get("candidates").and_then(Value::as_array).into_iter().flatten();
            list.filter_map(|it| it.as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        Ok(match step {
            MediaStep::Answered(details) => {
                let Settled { audio_level, fec } = settled(details);
                let answer = Answer {
                    sdp: "the answer".to_owned(),
                    candidates: candidates(details),
                    audio: is(details, "audio", true),
                    audio_level,
                    fec,
                };
                MediaEvent::Answered { handle, negotiation, answer }
            }
            MediaStep::Offered(details) => {
                let sdp = "the offer".to_owned();
                MediaEvent::Offered { handle, negotiation, sdp, candidates: candidates(details) }
            }
            MediaStep::Accepted(details) => MediaEvent::Accepted { handle, negotiation, settled: settled(details) },
            MediaStep::SlowLink { uplink, lost } => MediaEvent::SlowLink { handle, uplink: *uplink, lost: *lost },
            MediaStep::Described(is_there) => {
                let info = is_there.then(|| Box::new(transport_info(now)));
                MediaEvent::Described { inquiry: self.inquiry, info }
            }
            MediaStep::Measured(details) => {
                let number = |name| details.get(name).and_then(Value::as_i64).unwrap_or_default();
                let (queued, level) = (number("queued").unsigned_abs() as usize, number("level") as i8);
                let mix = Some(MixStatistics { queued, level, ..MixStatistics::default() });
                let statistics = vec![(handle, AudioStatistics { network: None, mix })];
                MediaEvent::Measured { inquiry: self.inquiry, statistics }
            }
            MediaStep::Refused(reason) => MediaEvent::Refused { handle, negotiation, reason: reason.clone() },
            MediaStep::Connected => MediaEvent::Connected { handle },
            MediaStep::Receiving(receiving) => MediaEvent::Receiving { handle, receiving: *receiving },
            MediaStep::Talking(talking) => MediaEvent::Talking { handle, talking: *talking },
            MediaStep::Overloaded(overloaded) => MediaEvent::Overloaded { overloaded: *overloaded },
            MediaStep::Closed(reason) => MediaEvent::Closed { handle, reason: reason.clone() },
        })
    }
}

/// What the media planes tell of a transport.
fn transport_info(now: Instant) -> TransportInfo {
    let flow = Flow { packets: 90, bytes: 7200, bytes_last_second: 4000 };
    TransportInfo {
        ice: IceInfo {
            lite: true,
            controlling: false,
            state: "connected",
            connected_at: Some(now),
            local_candidates: vec!["candidate:1 1 udp 1 192.0.2.1 10000 typ host".to_owned()],
            remote_candidates: Vec::new(),
            selected_pair: Some(([192, 0, 2, 1], 10_000).into()).zip(Some(([198, 51, 100, 7], 40_000).into())),
            over_tcp: false,
        },
        dtls: DtlsInfo {
            fingerprint: "sha-256 AA:BB".to_owned(),
            remote_fingerprint: "sha-256 CC:DD".to_owned(),
            active: false,
            connected_at: Some(now),
        },
        audio: AudioInfo {
            mid: "0".to_owned(),
            payload_type: 111,
            ssrc: 1,
            remote_ssrc: Some(2),
            sends: true,
            receives: true,
            extensions: vec![("urn:ietf:params:rtp-hdrext:sdes:mid", 1)],
            network: NetworkStatistics {
                received: flow,
                sent: flow,
                rtt: Some(Duration::from_millis(20)),
                lost: 10,
                lost_by_remote: 0,
                jitter_ms: 3,
                jitter_of_remote_ms: 4,
            },
        },
    }
}

/// A media command as dialogues write it.
fn shown(command: &MediaCommand) -> Value {
    match command {
        MediaCommand::Negotiate { handle, traits: AnswerTraits::Echo, .. } => {
            json!({"command": "negotiate", "handle": handle.0, "echo": true})
        }
        MediaCommand::Echo { handle, echo } => json!({"command": "echo", "handle": handle.0, "echo": echo}),
        MediaCommand::Negotiate { handle, traits: AnswerTraits::Mix(traits), .. } => json!({
            "command": "negotiate", "handle": handle.0, "session_name": traits.session_name,
            "max_playback_rate": traits.max_playback_rate, "stereo": traits.stereo, "dtx": traits.dtx,
        }),
        MediaCommand::Offer { handle, traits, .. } => json!({
            "command": "offer", "handle": handle.0, "session_name": traits.session_name,
            "max_playback_rate": traits.max_playback_rate, "stereo": traits.stereo, "dtx": traits.dtx,
        }),
        MediaCommand::Accept { handle, .. } => json!({"command": "accept", "handle": handle.0}),
        MediaCommand::Describe { handle, .. } => json!({"command": "describe", "handle": handle.0}),
        MediaCommand::Measure { handles, .. } => {
            json!({"command": "measure", "handles": handles.iter().map(|handle| handle.0).collect::<Vec<_>>()})
        }
        MediaCommand::SetThresholds { no_media_timeout, slowlink_threshold } => json!({
            "command": "thresholds", "no_media": no_media_timeout.as_secs(), "slowlink": slowlink_threshold,
        }),
        MediaCommand::AddCandidate { handle, candidate } => {
            json!({"command": "candidate", "handle": handle.0, "candidate": candidate})
        }
        MediaCommand::ClosePeer { handle } => json!({"command": "close", "handle": handle.0}),
        MediaCommand::Join { handle, room, room_settings, settings } => {
            let mut shown = json!({
                "command": "join", "handle": handle.0, "room": room.0,
                "rate": room_settings.sampling_rate, "stereo": room_settings.stereo,
                "detects_talk": room_settings.talk_detection.is_some(),
            });
            show_settings(&mut shown, settings);
            shown
        }
        MediaCommand::Configure { handle, settings } => {
            let mut shown = json!({"command": "configure", "handle": handle.0});
            show_settings(&mut shown, settings);
            shown
        }
        MediaCommand::UpdateRoom { room, settings } => {
            json!({"command": "update", "room": room.0, "muted": settings.muted})
        }
        MediaCommand::Leave { handle } => json!({"command": "leave", "handle": handle.0}),
        MediaCommand::ResetDecoder { handle } => json!({"command": "reset", "handle": handle.0}),
    }
}

fn show_settings(shown: &mut Value, settings: &MemberSettings) {
    let MemberSettings { muted, admin, volume, position, bitrate, complexity, expected_loss, fec, suspended, .. } =
        settings;
    shown["muted"] = (*muted).into();
    shown["admin"] = (*admin).into();
    shown["volume"] = (*volume).into();
    shown["position"] = (*position).into();
    shown["bitrate"] = (*bitrate).into();
    shown["quality"] = (*complexity).into();
    shown["loss"] = (*expected_loss).into();
    shown["fec"] = (*fec).into();
    shown["suspended"] = (*suspended).into();
    if let Some(own) = &settings.talk_detection {
        shown["talk_packets"] = own.active_packets.into();
        shown["talk_level"] = own.average_level.into();
    }
}
