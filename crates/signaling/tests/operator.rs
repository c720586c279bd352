//! What a back-end does with the operator's authority: the checks of the clients' requests but for the secrets, and the
//! events that clients know.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]
#![expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]

use std::time::Instant;

use serde_json::{Map, Value, json};
use signaling::{
    Answer, Carrier, Config, ConnectionId, Core, HandleId, MediaCommand, MediaEvent, Operated, Operation, Outcome,
    Output, Refused, RoomChange, Source,
};

const SOURCE: Source = Source::Connection(ConnectionId { carrier: Carrier::WebSocket, number: 1 });

/// A server with one client on it, and all that came out of it since somebody looked.
struct Server {
    core: Core,
    now: Instant,
    session: u64,
    replies: Vec<Value>,
    /// The handle and what it was told.
    events: Vec<(u64, Value)>,
    media: Vec<MediaCommand>,
    changes: Vec<RoomChange>,
}

impl Server {
    fn new(config: Config) -> Self {
        let now = Instant::now();
        let core = Core::new(config, [1; 32], now);
        let mut server =
            Self { core, now, session: 0, replies: vec![], events: vec![], media: vec![], changes: vec![] };
        server.session = server.ask(json!({"janus": "create", "transaction": "t"}))["data"]["id"].as_u64().unwrap();
        server
    }

    fn operate(&mut self, operation: Operation) -> Result<Outcome, Refused> {
        let operated = self.core.handle_operation(operation, self.now);
        self.collect();
        operated.map(|operated| match operated {
            Operated::Done(outcome) => outcome,
            Operated::Storing(storing) => {
                self.changes.push(storing.change);
                storing.saved
            }
        })
    }

    /// What there is after an operation that succeeds.
    fn done(&mut self, operation: Operation) -> Value {
        match self.operate(operation).unwrap() {
            Outcome::Created(value) | Outcome::Is(value) => value,
            Outcome::Gone | Outcome::Unsaved => Value::Null,
        }
    }

    fn ask(&mut self, request: Value) -> Value {
        self.core.handle_request(SOURCE, None, request, self.now);
        self.collect();
        self.replies.pop().unwrap()
    }

    fn collect(&mut self) {
        while let Some(output) = self.core.poll_output() {
            if let Output::Reply { message, .. } = output {
                self.replies.push(message);
            } else if let Output::Event { message, .. } = output {
                let event: Value = serde_json::from_str(&message).unwrap();
                let data = event["plugindata"]["data"].clone();
                self.events.push((event["sender"].as_u64().unwrap(), data));
            } else if let Output::Media(command) = output {
                self.media.push(command);
            }
        }
    }

    /// A handle in a room; the body says in which and as whom.
    fn join(&mut self, body: Value) -> u64 {
        let session = self.session;
        let attached = self.ask(json!({
            "janus": "attach", "transaction": "t", "session_id": session, "plugin": "janus.plugin.audiobridge",
        }));
        let handle = attached["data"]["id"].as_u64().unwrap();
        let mut request = json!({"request": "join"});
        request.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        self.message(handle, request);
        assert_eq!(self.events.last().unwrap().1["audiobridge"], "joined");
        self.events.clear();
        handle
    }

    fn message(&mut self, handle: u64, body: Value) -> Value {
        let session = self.session;
        self.ask(json!({
            "janus": "message", "transaction": "t", "session_id": session, "handle_id": handle, "body": body,
        }))
    }
}

fn properties(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn create(properties: Value) -> Operation {
    Operation::CreateRoom { properties: self::properties(properties) }
}

fn ensure(room: &str, properties: Value) -> Operation {
    Operation::EnsureRoom { room: room.to_owned(), properties: self::properties(properties) }
}

fn relocate(room: &str, participant: &str, destination: Value) -> Operation {
    Operation::Move { room: room.to_owned(), participant: participant.to_owned(), destination: properties(destination) }
}

#[test]
fn a_room_is_made_read_changed_and_ended() {
    let mut server = Server::new(Config { admin_key: Some("key".to_owned()), ..Config::default() });

    let made = server.done(create(json!({"room": 7, "secret": "adm", "pin": "1", "sampling_rate": 48000})));
    assert_eq!(made["room"], 7);
    assert_eq!(made["description"], "Room 7");
    assert_eq!((&made["secret_required"], &made["pin_required"]), (&json!(true), &json!(true)));
    assert_eq!(made.get("secret"), None);

    let changes = properties(json!({"description": "Seven", "pin": "", "muted": true}));
    let changed = server.done(Operation::EditRoom { room: "7".to_owned(), changes });
    assert_eq!(changed["description"], "Seven");
    assert_eq!((&changed["pin_required"], &changed["muted"]), (&json!(false), &json!(true)));
    assert_eq!(changed, server.done(Operation::ReadRoom { room: "7".to_owned() }));

    let ended = server.operate(Operation::DestroyRoom { room: "7".to_owned(), permanent: false });
    assert_eq!(ended, Ok(Outcome::Gone));
    let refused = server.operate(Operation::ReadRoom { room: "7".to_owned() }).unwrap_err();
    assert_eq!(refused, Refused { code: 485, reason: "No such room (7)".to_owned(), is_temporary: false });
}

/// Conformance case 185.
#[test]
fn a_group_named_twice_is_one() {
    let mut server = Server::new(Config::default());
    let room = server.done(create(json!({"room": 1, "groups": ["a", "a"]})));
    assert_eq!(room["groups"], json!(["a"]));
}

#[test]
fn a_room_is_made_once_however_often_it_is_ensured() {
    let mut server = Server::new(Config::default());
    let wanted = json!({"secret": "adm", "groups": ["a", "b"], "sampling_rate": 24000, "audiolevel_event": true});

    let first = server.operate(ensure("7", wanted.clone())).unwrap();
    let again = server.operate(ensure("7", wanted.clone())).unwrap();
    let Outcome::Created(room) = first else { panic!("{first:?}") };
    assert_eq!(again, Outcome::Is(room));

    for (name, other) in
        [("secret", json!("other")), ("groups", json!([])), ("sampling_rate", json!(48000)), ("pin", json!("1"))]
    {
        let mut others = properties(wanted.clone());
        others.insert(name.to_owned(), other);
        let refused = server.operate(Operation::EnsureRoom { room: "7".to_owned(), properties: others });
        assert_eq!(refused.unwrap_err().code, 486, "{name}");
    }
    assert_eq!(server.operate(ensure("7", json!({"room": 8}))).unwrap_err().code, 484);
    assert_eq!(server.operate(ensure("0", json!({}))).unwrap_err().code, 484);
    assert_eq!(server.core.gauges().rooms, 1);
}

#[test]
fn what_is_permanent_is_stored_each_time_it_is_asked_for() {
    let mut server = Server::new(Config { stores_rooms: true, ..Config::default() });

    server.done(ensure("7", json!({"pin": "1", "permanent": true})));
    server.done(ensure("7", json!({"pin": "1", "permanent": true})));
    let changes = properties(json!({"pin": "2", "permanent": true}));
    server.done(Operation::EditRoom { room: "7".to_owned(), changes });
    server.done(Operation::DestroyRoom { room: "7".to_owned(), permanent: true });

    let pins = server.changes.iter().map(|change| match change {
        RoomChange::Keep(config) => config.pin.as_deref(),
        RoomChange::Forget(_) => None,
    });
    assert_eq!(pins.collect::<Vec<_>>(), [Some("1"), Some("1"), Some("2"), None]);
}

#[test]
fn nothing_is_permanent_where_nothing_is_stored() {
    let mut server = Server::new(Config::default());
    server.done(create(json!({"room": 7})));

    for operation in [
        create(json!({"room": 8, "permanent": true})),
        ensure("7", json!({"permanent": true})),
        Operation::EditRoom { room: "7".to_owned(), changes: properties(json!({"permanent": true})) },
        Operation::DestroyRoom { room: "7".to_owned(), permanent: true },
    ] {
        assert_eq!(server.operate(operation).unwrap_err().code, 499);
    }
    assert_eq!(server.core.gauges().rooms, 1);
}

#[test]
fn bad_values_are_refused_as_clients_are_refused() {
    let mut server = Server::new(Config::default());
    for body in [
        json!({"room": "seven"}),
        json!({"room": null}),
        json!({"sampling_rate": 44100}),
        json!({"sampling_rate": -1}),
        json!({"groups": ["a", "b", "c", "d", "e", "f"]}),
        json!({"description": "x".repeat(2000)}),
        json!({"silence_threshold": 1}),
        json!({"allowed": [1]}),
    ] {
        let refused = server.operate(create(body.clone())).unwrap_err();

        let mut request = properties(body.clone());
        request.insert("request".to_owned(), "create".into());
        let reply = server.ask(json!({
            "janus": "attach", "transaction": "t", "session_id": server.session, "plugin": "janus.plugin.audiobridge",
        }));
        let data = server.message(reply["data"]["id"].as_u64().unwrap(), request.into())["plugindata"]["data"].take();
        assert_eq!((&data["error_code"], &data["error"]), (&json!(refused.code), &json!(refused.reason)), "{body}");
    }
    assert_eq!(server.core.gauges().rooms, 0);
}

#[test]
fn a_long_list_comes_in_pages() {
    let mut server = Server::new(Config::default());
    for room in 1..=25 {
        server.done(create(json!({"room": room, "is_private": true})));
    }

    let (mut after, mut seen) = (None, vec![]);
    loop {
        let page = server.done(Operation::ListRooms { after, limit: 10 });
        seen.extend(page["rooms"].as_array().unwrap().iter().map(|room| room["room"].as_u64().unwrap()));
        let Some(next) = page.get("next") else { break };
        after = Some(next.to_string());
    }

    assert_eq!(seen, (1..=25).collect::<Vec<_>>());
}

#[test]
fn muting_and_kicking_tell_the_room_what_clients_requests_would() {
    let mut server = Server::new(Config::default());
    server.done(create(json!({"room": 1, "secret": "adm"})));
    let ann = server.join(json!({"room": 1, "id": 11, "display": "Ann"}));
    let bob = server.join(json!({"room": 1, "id": 12, "display": "Bob"}));

    let changes = properties(json!({"muted": true}));
    let participant =
        server.done(Operation::EditParticipant { room: "1".to_owned(), participant: "11".to_owned(), changes });
    assert_eq!((&participant["display"], &participant["muted"]), (&json!("Ann"), &json!(true)));
    let heard: Vec<_> =
        server.events.drain(..).map(|(handle, data)| (handle, data["participants"][0]["muted"].clone())).collect();
    assert_eq!(heard, [(ann, json!(true)), (bob, json!(true))]);

    server.done(Operation::Kick { room: "1".to_owned(), participant: "11".to_owned() });
    assert!(server.events.contains(&(bob, json!({"audiobridge": "event", "room": 1, "kicked": 11}))));
    assert_eq!(server.core.gauges().participants, 1);
    let gone = server.operate(Operation::Kick { room: "1".to_owned(), participant: "11".to_owned() }).unwrap_err();
    assert_eq!(gone.code, 492);
}

#[test]
fn a_move_is_a_changeroom_that_somebody_else_asked_for() {
    let mut server = Server::new(Config::default());
    server.done(create(json!({"room": 1})));
    server.done(create(json!({"room": 2, "pin": "needed", "secret": "adm"})));
    let ann = server.join(json!({"room": 1, "id": 11, "display": "Ann", "muted": true, "volume": 50}));
    let bob = server.join(json!({"room": 1, "id": 12}));
    let eve = server.join(json!({"room": 2, "id": 21, "pin": "needed"}));
    connect(&mut server, ann);
    server.events.clear();
    server.media.clear();

    let moved = server.done(relocate("1", "11", json!({"room": 2})));

    assert_eq!((&moved["room"], &moved["id"], &moved["display"]), (&json!(2), &json!(11), &json!("Ann")));
    let newcomer = json!({"id": 11, "display": "Ann", "setup": true, "muted": true});
    let other = json!({"id": 21, "setup": false, "muted": false});
    assert_eq!(
        server.events,
        [
            (bob, json!({"audiobridge": "event", "room": 1, "leaving": 11})),
            (eve, json!({"audiobridge": "joined", "room": 2, "participants": [newcomer]})),
            (ann, json!({"audiobridge": "roomchanged", "room": 2, "id": 11, "participants": [other]})),
        ]
    );
    let [MediaCommand::Leave { handle: left }, MediaCommand::Join { handle: joined, settings, .. }] = &server.media[..]
    else {
        panic!("{:?}", server.media)
    };
    assert_eq!((left.0, joined.0), (ann, ann));
    assert_eq!((settings.muted, settings.volume), (true, 50));
}

#[test]
fn who_is_moved_gets_another_id_only_where_its_own_is_taken() {
    let mut server = Server::new(Config::default());
    server.done(create(json!({"room": 1})));
    server.done(create(json!({"room": 2, "groups": ["a"]})));
    server.join(json!({"room": 1, "id": 11}));
    server.join(json!({"room": 2, "id": 11, "group": "a"}));

    for (destination, code) in [
        (json!({}), 483),
        (json!({"room": 3, "group": "a"}), 485),
        (json!({"room": 2}), 483),
        (json!({"room": 2, "group": "b"}), 494),
        (json!({"room": 2, "group": "a", "id": 11}), 490),
        (json!({"room": 1}), 491),
    ] {
        let refused = server.operate(relocate("1", "11", destination.clone())).unwrap_err();
        assert_eq!(refused.code, code, "{destination}: {}", refused.reason);
    }
    assert_eq!(server.events, [], "nobody hears of what is refused");
    let moved = server.done(relocate("1", "11", json!({"room": 2, "group": "a"})));
    assert_ne!(moved["id"], 11);
    assert_eq!(moved["group"], "a");
}

#[test]
fn rooms_are_named_by_texts_where_clients_do_so() {
    let mut server = Server::new(Config { string_ids: true, ..Config::default() });

    let made = server.operate(ensure("7", json!({}))).unwrap();
    let Outcome::Created(room) = made else { panic!("{made:?}") };
    assert_eq!(room["room"], "7");
    let drawn = server.done(create(json!({})));
    let id = drawn["room"].as_str().unwrap().to_owned();
    assert_eq!(server.done(Operation::ReadRoom { room: id }), drawn);
}

#[test]
fn no_text_for_an_id_does_harm() {
    let mut server = Server::new(Config::default());
    server.done(create(json!({"room": 7})));
    for name in ["", "seven", "-7", "7.0", "07x", "99999999999999999999999", "\u{0}", "../7"] {
        let refused = server.operate(Operation::ReadRoom { room: name.to_owned() }).unwrap_err();
        assert!([484, 485].contains(&refused.code), "{name}: {refused:?}");
    }
}

/// Brings up the PeerConnection of a handle.
fn connect(server: &mut Server, handle: u64) {
    let offer = json!({"type": "offer", "sdp": include_str!("dialogues/sdp/chrome.sdp")});
    let session = server.session;
    server.ask(json!({
        "janus": "message", "transaction": "t", "session_id": session, "handle_id": handle,
        "body": {"request": "configure"}, "jsep": offer,
    }));
    let negotiation = server.media.iter().find_map(|command| {
        if let MediaCommand::Negotiate { negotiation, .. } = command { Some(*negotiation) } else { None }
    });
    let negotiation = negotiation.unwrap();
    let handle = HandleId(handle);
    let answer =
        Answer { sdp: "v=0\r\n".to_owned(), audio: true, audio_level: false, fec: false, candidates: Vec::new() };
    server.core.handle_media(MediaEvent::Answered { handle, negotiation, answer }, server.now);
    server.core.handle_media(MediaEvent::Connected { handle }, server.now);
    server.collect();
}
