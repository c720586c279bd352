//! What an operator who watches sees: all rooms in few words, and one room with how the audio of everybody in it fares.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]
#![expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use signaling::{
    Answer, AudioStatistics, Carrier, Config, ConnectionId, Core, Flow, HandleId, HandleStatistics, MediaCommand,
    MediaEvent, MixStatistics, NetworkStatistics, Operated, Operation, Origin, Outcome, Output, Refused, SessionId,
    Source,
};

const SOURCE: Source = Source::Connection(ConnectionId { carrier: Carrier::WebSocket, number: 1 });

/// A server with rooms 7, where Ada (1) and Ben (2) are, and 8, where nobody is.
struct Server {
    core: Core,
    now: Instant,
    session: u64,
    handles: Vec<HandleId>,
}

impl Server {
    fn new() -> Self {
        let now = Instant::now();
        let mut core = Core::new(Config::default(), [1; 32], now);
        for room in [7, 8] {
            let properties = properties(json!({"room": room, "description": format!("Room {room}")}));
            core.handle_operation(Operation::CreateRoom { properties }, now).unwrap();
        }
        let mut server = Self { core, now, session: 0, handles: Vec::new() };
        server.session = server.ask(json!({"janus": "create", "transaction": "t"}))["data"]["id"].as_u64().unwrap();
        for (id, display) in [(1, "Ada"), (2, "Ben")] {
            let attach = json!({
                "janus": "attach", "transaction": "t", "session_id": server.session,
                "plugin": "janus.plugin.audiobridge",
            });
            let handle = server.ask(attach)["data"]["id"].as_u64().unwrap();
            server.ask(json!({
                "janus": "message", "transaction": "t", "session_id": server.session, "handle_id": handle,
                "body": {"request": "join", "room": 7, "id": id, "display": display},
            }));
            server.handles.push(HandleId(handle));
        }
        server
    }

    fn ask(&mut self, request: Value) -> Value {
        self.core.handle_request(SOURCE, None, request, self.now);
        let mut replies = std::iter::from_fn(|| self.core.poll_output());
        let reply =
            replies.find_map(|output| if let Output::Reply { message, .. } = output { Some(message) } else { None });
        while self.core.poll_output().is_some() {}
        reply.unwrap()
    }

    /// Begins to look at a room: the inquiry, and whom the media planes are asked about.
    fn look(&mut self, room: &str) -> (u64, Vec<HandleId>) {
        let inquiry = self.core.observe_room(room, self.now).unwrap();
        let Some(Output::Media(MediaCommand::Measure { handles, inquiry: asked })) = self.core.poll_output() else {
            panic!("nobody is asked")
        };
        assert_eq!(asked, inquiry);
        (inquiry, handles)
    }

    fn seen(&mut self, of: u64) -> Result<Value, Refused> {
        match self.core.poll_output() {
            Some(Output::Observed { inquiry, seen }) if inquiry == of => seen,
            other => panic!("not what was looked at: {other:?}"),
        }
    }
}

fn properties(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn all_rooms_are_told_in_few_words() {
    let mut server = Server::new();

    let surveyed = server.core.handle_operation(Operation::SurveyRooms, server.now).unwrap();

    let Operated::Done(Outcome::Is(rooms)) = surveyed else { panic!("{surveyed:?}") };
    let room = |id: u64, participants: u64| {
        json!({
            "room": id, "description": format!("Room {id}"), "num_participants": participants, "num_talking": 0,
            "muted": false, "is_private": false, "pin_required": false,
        })
    };
    assert_eq!(rooms, json!([room(7, 2), room(8, 0)]));
}

#[test]
fn a_room_is_shown_with_what_the_media_planes_measure() {
    let mut server = Server::new();
    let (inquiry, asked) = server.look("7");
    assert_eq!(asked, server.handles);
    let network = NetworkStatistics {
        received: Flow { packets: 500, bytes: 40_000, bytes_last_second: 4_000 },
        rtt: Some(Duration::from_micros(12_340)),
        lost: 3,
        ..NetworkStatistics::default()
    };
    let mix =
        MixStatistics { level: -23, audible: true, delay: Some(Duration::from_millis(41)), ..MixStatistics::default() };
    let statistics = vec![(server.handles[0], AudioStatistics { network: Some(network), mix: Some(mix) })];

    server.core.handle_media(MediaEvent::Measured { inquiry, statistics }, server.now);

    let seen = server.seen(inquiry).unwrap();
    assert_eq!((&seen["room"]["room"], &seen["room"]["num_participants"]), (&json!(7), &json!(2)));
    let [ada, ben] = seen["participants"].as_array().unwrap().as_slice() else { panic!("{seen}") };
    assert_eq!((&ada["display"], &ada["handle_id"]), (&json!("Ada"), &json!(server.handles[0].0)));
    assert_eq!(ada["session_id"], server.session);
    assert_eq!(ada["network"]["rtt_ms"], 12.3);
    assert_eq!(ada["network"]["received"], json!({"packets": 500, "bytes": 40_000, "bits_per_second": 32_000}));
    assert_eq!((&ada["network"]["lost"], &ada["mix"]["level_dbov"]), (&json!(3), &json!(-23)));
    assert_eq!(ada["mix"]["delay_ms"], 41.0);
    assert_eq!((ben.get("network"), ben.get("mix")), (None, None), "of Ben nothing is known");
}

#[test]
fn a_room_is_shown_without_measurements_when_they_take_too_long() {
    let mut server = Server::new();
    let (inquiry, _) = server.look("7");

    let due = server.core.poll_timeout().unwrap();
    assert!(due <= server.now + Duration::from_secs(1));
    server.core.handle_timeout(due);

    let seen = server.seen(inquiry).unwrap();
    assert_eq!(seen["participants"][1]["display"], "Ben");
    // What comes now is for nobody.
    server.core.handle_media(MediaEvent::Measured { inquiry, statistics: Vec::new() }, due);
    assert_eq!(server.core.poll_output(), None);
}

#[test]
fn who_looks_at_a_room_that_is_not_there_or_goes_is_told_so() {
    let mut server = Server::new();
    assert_eq!(server.core.observe_room("9", server.now).unwrap_err().code, 485);

    let (inquiry, _) = server.look("8");
    let end = Operation::DestroyRoom { room: "8".to_owned(), permanent: false };
    server.core.handle_operation(end, server.now).unwrap();
    while server.core.poll_output().is_some() {}
    server.core.handle_media(MediaEvent::Measured { inquiry, statistics: Vec::new() }, server.now);

    assert_eq!(server.seen(inquiry).unwrap_err().code, 485);
}

#[test]
fn of_all_whose_connection_is_up_it_is_found_out_how_their_audio_travels() {
    const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
        c=IN IP4 0.0.0.0\r\na=mid:sound\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 00\r\n";
    let mut server = Server::new();
    let handle = server.handles[1];
    server.ask(json!({
        "janus": "message", "transaction": "t", "session_id": server.session, "handle_id": handle.0,
        "body": {"request": "configure"}, "jsep": {"type": "offer", "sdp": OFFER},
    }));
    let answer = Answer { sdp: OFFER.to_owned(), candidates: vec![], audio: true, audio_level: true, fec: false };
    server.core.handle_media(MediaEvent::Answered { handle, negotiation: 1, answer }, server.now);
    server.core.handle_media(MediaEvent::Connected { handle }, server.now);
    while server.core.poll_output().is_some() {}

    let inquiry = server.core.measure_all(server.now);

    let asked = server.core.poll_output();
    assert_eq!(asked, Some(Output::Media(MediaCommand::Measure { handles: vec![handle], inquiry })));
    let network = NetworkStatistics { lost: 3, ..NetworkStatistics::default() };
    let statistics = vec![(handle, AudioStatistics { network: Some(network), mix: None })];
    server.core.handle_media(MediaEvent::Measured { inquiry, statistics }, server.now);
    let origin = Origin { session: SessionId(server.session), handle: Some(handle), opaque_id: None };
    let statistics = vec![HandleStatistics { origin, mid: "sound".to_owned(), network }];
    assert_eq!(server.core.poll_output(), Some(Output::Measured { inquiry, statistics }));
}
