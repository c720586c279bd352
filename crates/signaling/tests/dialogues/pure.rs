//! Plays a dialogue on the pure core: virtual time, a fixed seed, nothing else in the world.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signaling::{
    Answer, AnswerTraits, AudioInfo, Carrier, Config, ConnectionId, Core, Credentials, DtlsInfo, Flow, HandleId,
    IceInfo, MediaCommand, MediaEvent, MemberSettings, Output, Owner, Poll, RequestId, Settled, Source, TransportInfo,
};

use crate::pattern::{Bindings, sdp};
use crate::script::{Line, MediaStep, Script, Step, is_http};

/// Actors count their requests from one.
const ADMIN: Source = Source::Http(RequestId(0));
/// Where everybody is.
const CLIENT: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
const SEED: [u8; 32] = [7; 32];

/// Plays it; what went differently is told with its line.
pub(crate) fn play(script: &Script) -> Result<(), String> {
    let mut stage = Stage::new(script);
    for line in &script.steps {
        stage
            .step(line)
            .map_err(|problem| format!("{}.dialogue:{}: {}\n  {problem}", script.name, line.number, line.text))?;
    }
    stage.everything_was_expected().map_err(|problem| format!("{}.dialogue, at its end: {problem}", script.name))
}

/// Everything that came out of the core while it was played, as bytes.
pub(crate) fn record(script: &Script) -> Vec<u8> {
    let mut stage = Stage::new(script);
    for line in &script.steps {
        if stage.step(line).is_err() {
            break;
        }
    }
    stage.record
}

struct Stage {
    core: Core,
    now: Instant,
    watches_media: bool,
    /// Whether what the core wants stored can be.
    store_works: bool,
    bindings: Bindings,
    /// Actors in the order of their appearance; their place is their connection.
    actors: Vec<String>,
    requests: u64,
    messages: BTreeMap<String, VecDeque<Value>>,
    media: VecDeque<Value>,
    /// The last offer under way of each handle.
    negotiations: BTreeMap<u64, u64>,
    /// The last one.
    inquiry: u64,
    admin: VecDeque<Value>,
    fresh: u64,
    record: Vec<u8>,
}

impl Stage {
    fn new(script: &Script) -> Self {
        let mut config = Config::default();
        for (key, value) in &script.config {
            match key.as_str() {
                "store" => config.stores_rooms = true,
                "api_secret" => config.api_secret = Some(value.clone()),
                "token_auth" => config.token_auth = value == "true",
                "token_auth_secret" => config.token_auth_secret = Some(value.clone()),
                "wall_clock" => config.wall_clock = Duration::from_secs(value.parse().unwrap()),
                "admin_secret" => config.admin_secret = Some(value.clone()),
                "admin_key" => config.admin_key = Some(value.clone()),
                "lock_rtp_forward" => config.lock_rtp_forward = value == "true",
                "lock_play_file" => config.lock_play_file = value == "true",
                "string_ids" => config.string_ids = value == "true",
                "opaqueid_in_api" => config.opaqueid_in_api = value == "true",
                "reclaim_session_timeout" => {
                    config.reclaim_session_timeout = Duration::from_secs(value.parse().unwrap());
                }
                "no_media_timeout" => config.no_media_timeout = Duration::from_secs(value.parse().unwrap()),
                "hide_dependencies" => config.hide_dependencies = value == "true",
                "sessions" => config.limits.sessions = value.parse().unwrap(),
                "handles" => config.limits.handles_per_session = value.parse().unwrap(),
                "rooms" => config.limits.rooms = value.parse().unwrap(),
                "server_participants" => config.limits.participants = value.parse().unwrap(),
                "request_rate" => config.limits.request_rate = value.parse().unwrap(),
                "join_rate" => config.limits.join_rate = value.parse().unwrap(),
                "room_rate" => config.limits.room_rate = value.parse().unwrap(),
                "participants" => config.limits.participants_per_room = value.parse().unwrap(),
                "candidates" => config.limits.waiting_candidates = value.parse().unwrap(),
                "text" => config.limits.text_bytes = value.parse().unwrap(),
                other => panic!("{}: no setting {other}", script.name),
            }
        }
        let now = Instant::now();
        Self {
            core: Core::new(config, SEED, now),
            now,
            watches_media: script.watches_media(),
            store_works: script.config.iter().any(|(key, value)| key == "store" && value == "works"),
            bindings: Bindings::default(),
            actors: Vec::new(),
            requests: 0,
            messages: BTreeMap::new(),
            media: VecDeque::new(),
            negotiations: BTreeMap::new(),
            inquiry: 0,
            admin: VecDeque::new(),
            fresh: 4_000_000,
            record: Vec::new(),
        }
    }

    fn step(&mut self, line: &Line) -> Result<(), String> {
        let is_expectation = match &line.step {
            Step::Gets(..)
            | Step::Has(..)
            | Step::Acked(..)
            | Step::Told(..)
            | Step::Hears(..)
            | Step::Media(_)
            | Step::AdminHas(_) => true,
            Step::Opens(..)
            | Step::Sends(..)
            | Step::Asks(..)
            | Step::Let(_)
            | Step::Event(..)
            | Step::Wait(_)
            | Step::Closes(_)
            | Step::Polls { .. }
            | Step::Admin(_) => false,
        };
        if !is_expectation {
            self.everything_was_expected()?;
        }
        match &line.step {
            Step::Opens(actor, plugin) => self.open(actor, plugin),
            Step::Sends(actor, message) => {
                let message = self.bindings.fill(message)?;
                self.send(actor, message);
                Ok(())
            }
            Step::Gets(actor, pattern) => self.expect(actor, pattern),
            Step::Asks(actor, body, sdp) => {
                let message = asking(&self.bindings, actor, body, sdp.as_ref())?;
                self.send(actor, message);
                Ok(())
            }
            Step::Has(actor, data) => self.expect(actor, &answer_pattern(actor, data)),
            Step::Acked(actor, hint) => self.expect(actor, &ack_pattern(actor, hint.as_deref())),
            Step::Told(actor, data, jsep) => self.expect(actor, &event_pattern(actor, data, true, *jsep)),
            Step::Hears(actor, data) => self.expect(actor, &event_pattern(actor, data, false, None)),
            Step::Let(name) => {
                self.fresh += 1;
                self.bindings.bind(name, self.fresh.into());
                Ok(())
            }
            Step::Event(actor, event) => {
                let event = self.media_event(actor, event)?;
                self.core.handle_media(event, self.now);
                self.drain();
                Ok(())
            }
            Step::Media(pattern) => {
                let command = self.media.pop_front().ok_or("nothing is asked of the media planes")?;
                self.bindings.fits(pattern, &command).map_err(|problem| format!("{problem}\n  in {command}"))
            }
            Step::Wait(time) => {
                self.wait(*time);
                Ok(())
            }
            Step::Closes(actor) => {
                let connection = self.connection(actor);
                self.core.handle_connection_closed(connection, self.now);
                self.drain();
                Ok(())
            }
            Step::Polls { session, secret, outcome } => self.poll(session, secret.clone(), outcome),
            Step::Admin(request) => {
                let request = self.bindings.fill(request)?;
                self.core.handle_admin(ADMIN, request, self.now);
                self.drain();
                Ok(())
            }
            Step::AdminHas(pattern) => {
                let reply = self.admin.pop_front().ok_or("no reply to an admin")?;
                self.bindings.fits(pattern, &reply).map_err(|problem| format!("{problem}\n  in {reply}"))
            }
        }
    }

    fn everything_was_expected(&self) -> Result<(), String> {
        for (actor, messages) in &self.messages {
            if let Some(message) = messages.front() {
                return Err(format!("{actor} got something unexpected before: {message}"));
            }
        }
        match self.media.front() {
            Some(command) if self.watches_media => Err(format!("unexpected media command before: {command}")),
            _ => Ok(()),
        }
    }

    fn open(&mut self, actor: &str, plugin: &str) -> Result<(), String> {
        self.bindings.bind(&format!("${actor}.plugin"), plugin.into());
        self.send(actor, json!({"janus": "create", "transaction": "open"}));
        let session = format!("${actor}.session");
        self.bindings.forget(&session);
        self.expect(actor, &json!({"janus": "success", "transaction": "open", "data": {"id": session}}))?;
        let attach = json!({"janus": "attach", "transaction": "open", "session_id": session, "plugin": plugin});
        let attach = self.bindings.fill(&attach)?;
        self.send(actor, attach);
        let handle = format!("${actor}.handle");
        self.bindings.forget(&handle);
        self.expect(
            actor,
            &json!({"janus": "success", "session_id": session, "transaction": "open", "data": {"id": handle}}),
        )
    }

    fn send(&mut self, actor: &str, message: Value) {
        let connection = self.connection(actor);
        let source = if is_http(actor) {
            self.requests += 1;
            Source::Http(RequestId(self.requests))
        } else {
            Source::Connection(connection)
        };
        self.core.handle_request(source, CLIENT, message, self.now);
        self.drain();
    }

    fn expect(&mut self, actor: &str, pattern: &Value) -> Result<(), String> {
        let message = self.messages.entry(actor.to_owned()).or_default().pop_front();
        let message = message.ok_or_else(|| format!("{actor} gets nothing"))?;
        self.bindings.fits(pattern, &message).map_err(|problem| format!("{problem}\n  in {message}"))
    }

    fn connection(&mut self, actor: &str) -> ConnectionId {
        let place = self.actors.iter().position(|known| known == actor).unwrap_or_else(|| {
            self.actors.push(actor.to_owned());
            self.actors.len() - 1
        });
        ConnectionId { carrier: Carrier::WebSocket, number: place as u64 }
    }

    /// Who a message is for. All that speak HTTP are one: a session does not tell which of them polls.
    fn listener(&self, owner: Owner) -> String {
        match owner {
            Owner::Connection(connection) => self.actors[usize::try_from(connection.number).unwrap()].clone(),
            Owner::Http => self.actors.iter().find(|actor| is_http(actor)).cloned().unwrap(),
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.core.poll_output() {
            self.record.extend(format!("{output:?}").bytes());
            match output {
                Output::Reply { to, message } => self.take_reply(to, message),
                Output::Store { to, storing } => {
                    self.take_reply(to, if self.store_works { storing.saved } else { storing.unsaved });
                }
                Output::Event { owner, message, .. } => {
                    let message = serde_json::from_str(&message).expect("an event is JSON");
                    self.messages.entry(self.listener(owner)).or_default().push_back(message);
                }
                Output::SessionOpened { .. }
                | Output::SessionMoved { .. }
                | Output::SessionClosed { .. }
                | Output::Observed { .. }
                | Output::Errand(_)
                | Output::LogLevel(_)
                | Output::LogLine { .. }
                | Output::Notice(_) => {}
                Output::Media(command) => {
                    if let MediaCommand::Negotiate { handle, negotiation, .. }
                    | MediaCommand::Offer { handle, negotiation, .. }
                    | MediaCommand::Accept { handle, negotiation, .. } = &command
                    {
                        self.negotiations.insert(handle.0, *negotiation);
                    } else if let MediaCommand::Describe { inquiry, .. } = &command {
                        self.inquiry = *inquiry;
                    }
                    self.media.push_back(shown(&command));
                }
            }
        }
    }

    fn take_reply(&mut self, to: Source, message: Value) {
        if to == ADMIN {
            self.admin.push_back(message);
        } else {
            self.messages.entry(self.listener(to.owner())).or_default().push_back(message);
        }
    }

    fn media_event(&self, actor: &str, step: &MediaStep) -> Result<MediaEvent, String> {
        let handle = HandleId(self.bindings.number(&format!("${actor}.handle"))?);
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
                let info = is_there.then(|| Box::new(transport_info(self.now)));
                MediaEvent::Described { inquiry: self.inquiry, info }
            }
            MediaStep::Refused(reason) => MediaEvent::Refused { handle, negotiation, reason: reason.clone() },
            MediaStep::Connected => MediaEvent::Connected { handle },
            MediaStep::Receiving(receiving) => MediaEvent::Receiving { handle, receiving: *receiving },
            MediaStep::Talking(talking) => MediaEvent::Talking { handle, talking: *talking },
            MediaStep::Overloaded(overloaded) => MediaEvent::Overloaded { overloaded: *overloaded },
            MediaStep::Closed(reason) => MediaEvent::Closed { handle, reason: reason.clone() },
        })
    }

    /// Lets time pass as a shell would: never past a time that the core waits for.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.core.poll_timeout().filter(|due| *due <= end) {
            self.now = due;
            self.core.handle_timeout(due);
            self.drain();
        }
        self.now = end;
    }

    fn poll(&mut self, session: &str, secret: Option<String>, outcome: &str) -> Result<(), String> {
        let session = match session.parse() {
            Ok(number) => number,
            Err(_) => self.bindings.number(session)?,
        };
        let credentials = match secret.as_deref().and_then(|secret| secret.strip_prefix("token=")) {
            Some(token) => Credentials { apisecret: None, token: Some(token.to_owned()) },
            None => Credentials { apisecret: secret, token: None },
        };
        let poll = match self.core.handle_poll(session, CLIENT, credentials, self.now) {
            Poll::Forbidden => "forbidden",
            Poll::TooMany => "toomany",
            Poll::NotFound => "notfound",
            Poll::Ready => "ready",
        };
        if poll == outcome { Ok(()) } else { Err(format!("{poll} instead of {outcome}")) }
    }
}

/// An AudioBridge request as a message.
pub(crate) fn asking(
    bindings: &Bindings,
    actor: &str,
    body: &Value,
    jsep: Option<&(&str, String)>,
) -> Result<Value, String> {
    let mut message = json!({
        "janus": "message",
        "transaction": format!("{actor} asks"),
        "session_id": bindings.number(&format!("${actor}.session"))?,
        "handle_id": bindings.number(&format!("${actor}.handle"))?,
        "body": bindings.fill(body)?,
    });
    if let Some((kind, name)) = jsep {
        message["jsep"] = json!({"type": kind, "sdp": sdp(name)?});
    }
    Ok(message)
}

/// The reply to a synchronous request.
pub(crate) fn answer_pattern(actor: &str, data: &Value) -> Value {
    json!({
        "janus": "success", "session_id": format!("${actor}.session"), "transaction": format!("{actor} asks"),
        "sender": format!("${actor}.handle"), "plugindata": {"plugin": format!("${actor}.plugin"), "data": data},
    })
}

/// The reply to an asynchronous request.
pub(crate) fn ack_pattern(actor: &str, hint: Option<&str>) -> Value {
    let mut pattern =
        json!({"janus": "ack", "session_id": format!("${actor}.session"), "transaction": format!("{actor} asks")});
    if let Some(hint) = hint {
        pattern["hint"] = hint.into();
    }
    pattern
}

/// An event of the plugin.
pub(crate) fn event_pattern(actor: &str, data: &Value, answers: bool, jsep: Option<&str>) -> Value {
    let mut pattern = json!({
        "janus": "event", "session_id": format!("${actor}.session"), "sender": format!("${actor}.handle"),
        "plugindata": {"plugin": format!("${actor}.plugin"), "data": data},
    });
    if answers {
        pattern["transaction"] = format!("{actor} asks").into();
    }
    if let Some(kind) = jsep {
        pattern["jsep"] = json!({"type": kind, "sdp": format!("the {kind}")});
    }
    pattern
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
            received: flow,
            sent: flow,
            rtt: Some(Duration::from_millis(20)),
            lost: 10,
            lost_by_remote: 0,
            jitter_ms: 3,
            jitter_of_remote_ms: 4,
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
