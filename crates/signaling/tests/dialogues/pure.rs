//! Plays a dialogue on the pure core: virtual time, a fixed seed, nothing else in the world.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signaling::{Carrier, Config, ConnectionId, Core, Credentials, Output, Owner, Poll, RequestId, Source};

use crate::message::{ack_pattern, answer_pattern, asking, event_pattern};
use crate::pattern::Bindings;
use crate::planes::Planes;
use crate::script::{Line, Script, Step, is_http};

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

/// The settings of a dialogue.
pub(crate) fn settings(script: &Script) -> Config {
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
    config
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
    planes: Planes,
    admin: VecDeque<Value>,
    fresh: u64,
    record: Vec<u8>,
}

impl Stage {
    fn new(script: &Script) -> Self {
        let now = Instant::now();
        Self {
            core: Core::new(settings(script), SEED, now),
            now,
            watches_media: script.watches_media(),
            store_works: script.stores(),
            bindings: Bindings::default(),
            actors: Vec::new(),
            requests: 0,
            messages: BTreeMap::new(),
            planes: Planes::default(),
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
                let message = asking(&mut self.bindings, actor, format!("{actor} asks"), body, sdp.as_ref())?;
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
                let event = self.planes.event(&self.bindings, actor, event, self.now)?;
                self.core.handle_media(event, self.now);
                self.drain();
                Ok(())
            }
            Step::Media(pattern) => self.planes.expect(pattern, &mut self.bindings),
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
        match self.planes.unexpected() {
            Some(command) if self.watches_media => Err(format!("unexpected media command before: {command}")),
            _ => Ok(()),
        }
    }

    fn open(&mut self, actor: &str, plugin: &str) -> Result<(), String> {
        self.bindings.bind(&format!("${actor}.plugin"), plugin.into());
        self.bindings.bind(&format!("${actor}.transport"), "janus.transport.websockets".into());
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
                | Output::Measured { .. }
                | Output::Errand(_)
                | Output::JsonStyle { .. }
                | Output::LogLevel(_)
                | Output::LogLine { .. }
                | Output::Notice(_) => {}
                Output::Media(command) => self.planes.take(&command),
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
