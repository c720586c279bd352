//! Whatever JSON comes: nothing panics, every request gets exactly one reply, and generated ids stay within what
//! JavaScript can count.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]
#![expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};
use signaling::{
    Answer, Carrier, Config, ConnectionId, Core, Credentials, HandleId, MediaCommand, MediaEvent, Output, RequestId,
    Settled, Source,
};

const OFFER: &str = include_str!("dialogues/sdp/chrome.sdp");
/// An SDP that is broken somewhere in the middle.
const BROKEN: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nm=audio 9 X é\r\na=mid:\r\n";
const LARGEST_ID: u64 = (1 << 53) - 1;

/// Values that a field might hold, the right one hopefully among them. `S` and `H` become ids that exist.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..120_i64).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-zé=:]{0,6}".prop_map(Value::from),
        prop::sample::select(vec!["S", "H", OFFER, BROKEN, "offer", "answer", "enable", "opus", "adm", ""])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((any_key(), inner), 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "janus",
        "transaction",
        "session_id",
        "handle_id",
        "id",
        "plugin",
        "body",
        "jsep",
        "type",
        "sdp",
        "candidate",
        "candidates",
        "sdpMid",
        "sdpMLineIndex",
        "completed",
        "request",
        "room",
        "secret",
        "pin",
        "allowed",
        "groups",
        "group",
        "action",
        "display",
        "muted",
        "quality",
        "volume",
        "sampling_rate",
        "opaque_id",
        "silence_threshold",
        "pause_events",
        "record",
        "mjrs",
        "host",
        "port",
        "codec",
        "host_family",
        "srtp_suite",
        "stream_id",
        "filename",
        "file_id",
    ])
    .prop_map(str::to_owned)
}

/// A request that is right but for a few fields that are anything.
fn any_request() -> impl Strategy<Value = Value> {
    let verb = prop::sample::select(vec![
        "create",
        "attach",
        "message",
        "message",
        "message",
        "message",
        "trickle",
        "hangup",
        "detach",
        "destroy",
        "claim",
        "keepalive",
        "info",
        "nonsense",
    ]);
    let asked = prop::sample::select(vec![
        "create",
        "edit",
        "destroy",
        "exists",
        "list",
        "listparticipants",
        "allowed",
        "mute",
        "unmute",
        "mute_room",
        "unmute_room",
        "kick",
        "kick_all",
        "resetdecoder",
        "suspend",
        "resume",
        "enable_recording",
        "enable_mjrs",
        "rtp_forward",
        "stop_rtp_forward",
        "listforwarders",
        "play_file",
        "is_playing",
        "stop_file",
        "stop_all_files",
        "listannouncements",
        "join",
        "join",
        "join",
        "configure",
        "configure",
        "changeroom",
        "leave",
        "hangup",
        "nonsense",
    ]);
    let body = (asked, 0..4_u64, 0..4_u64, prop::collection::vec((any_key(), any_value()), 0..3)).prop_map(
        |(asked, room, user, fields)| {
            let mut body = json!({"request": asked, "room": room, "id": user});
            body.as_object_mut().unwrap().extend(fields);
            body
        },
    );
    let jsep = prop_oneof![
        3 => Just(None),
        2 => Just(Some(json!({"type": "offer", "sdp": OFFER}))),
        1 => any_value().prop_map(Some),
    ];
    let fields = prop::collection::vec((any_key(), any_value()), 0..2);
    (verb, body, jsep, any::<bool>(), fields).prop_map(|(verb, body, jsep, on_handle, fields)| {
        let mut request = json!({
            "janus": verb, "transaction": "t", "plugin": "janus.plugin.audiobridge", "body": body,
            "candidate": {"sdpMid": "0", "candidate": "candidate:1"},
        });
        let object = request.as_object_mut().unwrap();
        if verb != "create" && verb != "info" {
            object.insert("session_id".to_owned(), "S".into());
        }
        if on_handle {
            object.insert("handle_id".to_owned(), "H".into());
        }
        if let Some(jsep) = jsep {
            object.insert("jsep".to_owned(), jsep);
        }
        object.extend(fields);
        request
    })
}

/// What happens to the core: a request of somebody, or the world goes on.
#[derive(Clone, Debug)]
enum Happening {
    Request { from: u64, request: Value },
    Admin { request: Value },
    Media { which: usize },
    Wait { seconds: u64 },
    Close { connection: u64 },
    Poll { session: u64 },
}

fn any_happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        12 => (0..3_u64, any_request()).prop_map(|(from, request)| Happening::Request { from, request }),
        2 => (0..3_u64, any_value()).prop_map(|(from, request)| Happening::Request { from, request }),
        2 => any_request().prop_map(|mut request| {
            request["janus"] = "message_plugin".into();
            request["request"] = request["body"].clone();
            request["session_id"] = Value::Null;
            request["handle_id"] = Value::Null;
            Happening::Admin { request }
        }),
        1 => any_value().prop_map(|request| Happening::Admin { request }),
        4 => (0..10_usize).prop_map(|which| Happening::Media { which }),
        1 => (1..70_u64).prop_map(|seconds| Happening::Wait { seconds }),
        1 => (0..3_u64).prop_map(|connection| Happening::Close { connection }),
        1 => any::<u64>().prop_map(|session| Happening::Poll { session }),
    ]
}

/// A core with somebody in it, and what is known about it.
struct World {
    core: Core,
    now: Instant,
    session: Value,
    handle: Value,
    negotiation: u64,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        let core = Core::new(Config::default(), [3; 32], now);
        let mut world = Self { core, now, session: Value::Null, handle: Value::Null, negotiation: 0 };
        world.settle();
        world
    }

    /// Makes sure that there is a session with a handle.
    fn settle(&mut self) {
        let create = self.request(0, json!({"janus": "create", "transaction": "t"}));
        self.session = create["data"]["id"].clone();
        let attach = self.request(
            0,
            json!({
                "janus": "attach", "transaction": "t", "session_id": self.session, "plugin": "janus.plugin.audiobridge",
            }),
        );
        self.handle = attach["data"]["id"].clone();
    }

    /// Puts ids that exist in the place of their names.
    fn real(&self, value: Value) -> Value {
        match value {
            Value::String(name) if name == "S" => self.session.clone(),
            Value::String(name) if name == "H" => self.handle.clone(),
            Value::Array(items) => items.into_iter().map(|item| self.real(item)).collect(),
            Value::Object(fields) => {
                Value::Object(fields.into_iter().map(|(key, value)| (key, self.real(value))).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
        }
    }

    fn request(&mut self, from: u64, request: Value) -> Value {
        let source = if from == 2 { Source::Http(RequestId(0)) } else { Source::Connection(websocket(from)) };
        self.core.handle_request(source, None, request, self.now);
        self.reply(source)
    }

    fn admin(&mut self, request: Value) -> Value {
        let source = Source::Http(RequestId(1));
        self.core.handle_admin(source, request, self.now);
        self.reply(source)
    }

    fn reply(&mut self, source: Source) -> Value {
        let mut replies = Vec::new();
        for output in self.drain() {
            if let Output::Reply { to, message } = output {
                assert_eq!(to, source);
                replies.push(message);
            }
        }
        assert_eq!(replies.len(), 1, "one reply to one request: {replies:?}");
        replies.remove(0)
    }

    fn drain(&mut self) -> Vec<Output> {
        let outputs: Vec<_> = std::iter::from_fn(|| self.core.poll_output()).collect();
        for output in &outputs {
            if let Output::Media(
                MediaCommand::Negotiate { negotiation, .. }
                | MediaCommand::Offer { negotiation, .. }
                | MediaCommand::Accept { negotiation, .. },
            ) = output
            {
                self.negotiation = *negotiation;
            }
        }
        outputs
    }

    fn media(&mut self, which: usize) {
        let handle = HandleId(self.handle.as_u64().unwrap_or_default());
        let negotiation = self.negotiation;
        let answer = Answer {
            sdp: "answer".to_owned(),
            candidates: vec!["candidate:1".to_owned()],
            audio: true,
            audio_level: true,
            fec: true,
        };
        let reason = "DTLS alert".to_owned();
        let events = [
            MediaEvent::Answered { handle, negotiation, answer },
            MediaEvent::Refused { handle, negotiation, reason: "no".to_owned() },
            MediaEvent::Connected { handle },
            MediaEvent::Connected { handle },
            MediaEvent::Offered { handle, negotiation, sdp: "offer".to_owned(), candidates: Vec::new() },
            MediaEvent::Accepted { handle, negotiation, settled: Settled { audio_level: true, fec: true } },
            MediaEvent::SlowLink { handle, uplink: true, lost: 7 },
            MediaEvent::Receiving { handle, receiving: true },
            MediaEvent::Talking { handle, talking: true },
            MediaEvent::Closed { handle, reason },
        ];
        self.core.handle_media(events[which].clone(), self.now);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_every_request_gets_one_reply(
        happenings in prop::collection::vec(any_happening(), 1..60),
    ) {
        let mut world = World::new();
        for happening in happenings {
            match happening {
                Happening::Request { from, request } => {
                    let request = world.real(request);
                    let wished = request.get("id").and_then(Value::as_u64).unwrap_or_default();
                    let reply = world.request(from, request);
                    prop_assert!(reply["janus"].is_string());
                    if let Some(id) = reply["data"]["id"].as_u64() {
                        prop_assert!(id > 0 && (id <= LARGEST_ID || id == wished));
                    }
                    if reply["janus"] == "error" {
                        prop_assert!(reply["error"]["code"].is_u64() && reply["error"]["reason"].is_string());
                    }
                }
                Happening::Admin { request } => {
                    let request = world.real(request);
                    let reply = world.admin(request);
                    prop_assert!(reply["janus"].is_string());
                }
                Happening::Media { which } => world.media(which),
                Happening::Wait { seconds } => {
                    world.now += Duration::from_secs(seconds);
                    let now = world.now;
                    world.core.handle_timeout(now);
                }
                Happening::Close { connection } => {
                    let now = world.now;
                    world.core.handle_connection_closed(websocket(connection), now);
                }
                Happening::Poll { session } => {
                    let now = world.now;
                    world.core.handle_poll(session, None, Credentials::default(), now);
                }
            }
            world.drain();
            if world.core.gauges().handles == 0 {
                world.settle();
            }
        }
        // Whatever there was, it can all end.
        let now = world.now;
        world.core.shut_down(now);
        let gauges = world.core.gauges();
        prop_assert_eq!((gauges.sessions, gauges.handles, gauges.participants), (0, 0, 0));
        prop_assert_eq!(gauges.active_rooms, 0);
    }
}

fn websocket(number: u64) -> ConnectionId {
    ConnectionId { carrier: Carrier::WebSocket, number }
}
