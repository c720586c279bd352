//! A server that drains begins no room, and goes on with those that have begun; at its end it tells everybody.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]
#![expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]

use std::time::Instant;

use serde_json::{Map, Value, json};
use signaling::{
    Answer, Carrier, Config, ConnectionId, Core, Id, MediaCommand, MediaEvent, Operation, Output, Refused, RoomConfig,
    RoomId, Source, Standing,
};

const SOURCE: Source = Source::Connection(ConnectionId { carrier: Carrier::WebSocket, number: 1 });
/// The error code, which other temporary refusals have as well.
const NOT_NOW: u64 = 499;
const OFFER: &str = include_str!("dialogues/sdp/chrome.sdp");

/// A server with rooms 1 and 2 from the start, and one client.
struct Server {
    core: Core,
    now: Instant,
    session: u64,
    told: Vec<Value>,
    media: Vec<MediaCommand>,
}

impl Server {
    fn new() -> Self {
        let room = |number| RoomConfig { id: Some(RoomId(Id::Number(number))), ..RoomConfig::default() };
        let config = Config { rooms: vec![room(1), room(2)], ..Config::default() };
        let now = Instant::now();
        let core = Core::new(config, [1; 32], now);
        let mut server = Self { core, now, session: 0, told: vec![], media: vec![] };
        server.session = server.ask(json!({"janus": "create", "transaction": "t"}))["data"]["id"].as_u64().unwrap();
        server
    }

    /// The reply, or the event that answers what is acknowledged; other events are kept.
    fn ask(&mut self, request: Value) -> Value {
        self.core.handle_request(SOURCE, None, request, self.now);
        let mut answer = Value::Null;
        while let Some(output) = self.core.poll_output() {
            if let Output::Reply { message, .. } = output {
                answer = message;
            } else if let Output::Event { message, .. } = output {
                let event: Value = serde_json::from_str(&message).unwrap();
                if event["transaction"].is_null() { self.told.push(event) } else { answer = event }
            } else if let Output::Media(command) = output {
                self.media.push(command);
            }
        }
        answer
    }

    fn handle(&mut self) -> u64 {
        let attach = json!({"janus": "attach", "plugin": "janus.plugin.audiobridge", "transaction": "t",
            "session_id": self.session});
        self.ask(attach)["data"]["id"].as_u64().unwrap()
    }

    fn message(&mut self, handle: u64, body: Value) -> Value {
        let request = json!({"janus": "message", "transaction": "t", "session_id": self.session, "handle_id": handle,
            "body": body});
        self.ask(request)["plugindata"]["data"].clone()
    }

    fn join(&mut self, handle: u64, room: u64) -> Value {
        self.message(handle, json!({"request": "join", "room": room}))
    }
}

fn is_refused(answer: &Value) -> bool {
    answer["error_code"] == NOT_NOW && answer["error"].as_str().unwrap().contains("draining")
}

#[test]
fn no_room_is_made() {
    let mut server = Server::new();
    let handle = server.handle();
    server.core.set_draining(true);

    let by_client = server.message(handle, json!({"request": "create", "room": 7}));
    let by_back_end = server.core.handle_operation(Operation::CreateRoom { properties: Map::new() }, server.now);

    assert!(is_refused(&by_client), "{by_client}");
    assert!(matches!(by_back_end, Err(Refused { code: 499, is_temporary: true, .. })), "{by_back_end:?}");
    assert_eq!(server.core.gauges().rooms, 2);
}

#[test]
fn a_room_with_somebody_in_it_goes_on_and_one_without_does_not_begin() {
    let mut server = Server::new();
    let (first, second) = (server.handle(), server.handle());
    server.join(first, 1);
    server.core.set_draining(true);

    assert_eq!(server.join(second, 1)["audiobridge"], "joined");
    server.message(second, json!({"request": "leave"}));
    let empty = server.join(second, 2);
    assert!(is_refused(&empty), "{empty}");
    let change = server.message(first, json!({"request": "changeroom", "room": 2}));
    assert!(is_refused(&change), "{change}");
    assert_eq!(server.join(second, 1)["audiobridge"], "joined");
}

#[test]
fn a_room_that_was_made_here_may_be_joined_because_it_is_nowhere_else() {
    let mut server = Server::new();
    let handle = server.handle();
    server.message(handle, json!({"request": "create", "room": 7}));
    server.core.set_draining(true);

    assert_eq!(server.join(handle, 7)["audiobridge"], "joined");
}

#[test]
fn a_session_for_a_room_is_welcome_where_the_room_may_be_joined() {
    let mut server = Server::new();
    let handle = server.handle();
    server.join(handle, 1);
    let welcome = |server: &Server| ["1", "2", "3", "no number"].map(|room| server.core.welcomes(room, 0));
    assert_eq!(welcome(&server), [true; 4]);

    server.core.set_draining(true);

    assert_eq!(welcome(&server), [true, false, false, false]);
    server.message(handle, json!({"request": "leave"}));
    assert_eq!(welcome(&server), [false; 4]);
    assert!(server.core.welcomes("1", server.session));
    assert!(!server.core.welcomes("1", server.session + 1));
}

#[test]
fn what_is_undone_is_as_before() {
    let mut server = Server::new();
    let handle = server.handle();
    server.core.set_draining(true);
    assert_eq!(server.core.standing(), Standing { accepting: true, draining: true, overloaded: false });

    server.core.set_draining(false);

    assert_eq!(server.core.standing(), Standing { accepting: true, draining: false, overloaded: false });
    assert_eq!(server.message(handle, json!({"request": "create", "room": 7}))["audiobridge"], "created");
    assert_eq!(server.join(handle, 2)["audiobridge"], "joined");
}

#[test]
fn rooms_with_somebody_in_them_are_counted() {
    let mut server = Server::new();
    let (first, second) = (server.handle(), server.handle());
    let active = |server: &Server| server.core.gauges().active_rooms;
    server.join(first, 1);
    server.join(second, 1);
    assert_eq!(active(&server), 1);
    server.message(second, json!({"request": "changeroom", "room": 2}));
    assert_eq!(active(&server), 2);
    server.message(first, json!({"request": "leave"}));
    assert_eq!(active(&server), 1);
    server.message(second, json!({"request": "destroy", "room": 2}));
    assert_eq!(active(&server), 0);
}

#[test]
fn at_the_end_clients_hear_of_all_that_ends() {
    let mut server = Server::new();
    let (talks, waits) = (server.handle(), server.handle());
    let offer = json!({"janus": "message", "transaction": "t", "session_id": server.session, "handle_id": talks,
        "body": {"request": "join", "room": 1}, "jsep": {"type": "offer", "sdp": OFFER}});
    server.ask(offer);
    let Some(MediaCommand::Negotiate { handle, negotiation, .. }) = server.media.pop() else { panic!("no offer") };
    let answer = Answer { sdp: OFFER.to_owned(), candidates: vec![], audio: true, audio_level: true, fec: false };
    server.core.handle_media(MediaEvent::Answered { handle, negotiation, answer }, server.now);
    server.core.handle_media(MediaEvent::Connected { handle }, server.now);
    server.ask(json!({"janus": "keepalive", "transaction": "t", "session_id": server.session}));
    server.told.clear();

    server.core.shut_down(server.now);
    let refused = server.ask(json!({"janus": "create", "transaction": "t"}));

    let heard: Vec<_> = server.told.iter().map(|event| (event["janus"].as_str().unwrap(), &event["sender"])).collect();
    let none = Value::Null;
    let mut expected = vec![("hangup", json!(talks)), ("detached", json!(talks)), ("detached", json!(waits))];
    if waits < talks {
        expected.rotate_right(1);
    }
    expected.push(("timeout", none));
    assert_eq!(heard, expected.iter().map(|(what, sender)| (*what, sender)).collect::<Vec<_>>());
    assert!(server.told.iter().any(|event| event["reason"] == "The server is going down"));
    assert!(server.media.iter().any(|command| matches!(command, MediaCommand::ClosePeer { .. })));
    assert_eq!(refused["error"]["code"], 472);
}
