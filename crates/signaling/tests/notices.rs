//! What people and back-ends are told of: once for each change, in order, with the ids of whom it concerns.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]
#![expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signaling::{
    Answer, Carrier, Config, ConnectionId, Core, Departure, HandleId, Happening, Id, JsepKind, MediaCommand,
    MediaEvent, Notice, Origin, Output, Owner, Place, RequestId, RoomId, SessionEnd, SessionId, Side, Source, UserId,
};

const CONNECTION: ConnectionId = ConnectionId { carrier: Carrier::WebSocket, number: 1 };
const SOURCE: Source = Source::Connection(CONNECTION);
const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
    c=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 00\r\n";

#[test]
fn a_call_is_told_from_its_session_to_its_end() {
    let mut server = Server::new();

    let session = server.ask(json!({"janus": "create"}))["data"]["id"].as_u64().unwrap();
    let handle = server.attach(session, Some("call-7"));
    server.ask_plugin(session, handle, json!({"request": "join", "room": 1234, "id": 5, "display": "Eve"}), true);
    server.answer(handle);
    server.media(MediaEvent::PathFound { handle });
    server.media(MediaEvent::Connected { handle });
    server.media(MediaEvent::Receiving { handle, receiving: true });
    server.media(MediaEvent::Talking { handle, talking: true });
    server.ask(json!({"janus": "destroy", "session_id": session}));

    let of_session = Some(Origin { session: SessionId(session), handle: None, opaque_id: None });
    let of_handle =
        Some(Origin { session: SessionId(session), handle: Some(handle), opaque_id: Some("call-7".into()) });
    let plugin = "janus.plugin.audiobridge";
    let expected = [
        (&of_session, Happening::SessionCreated { owner: Owner::Connection(CONNECTION) }),
        (&of_handle, Happening::HandleAttached { plugin }),
        (&of_handle, Happening::ParticipantJoined { place: place(1234, 5), display: Some("Eve".into()), muted: false }),
        (&of_handle, Happening::SdpExchanged { side: Side::Remote, kind: JsepKind::Offer, sdp: OFFER.into() }),
        (&of_handle, Happening::SdpExchanged { side: Side::Local, kind: JsepKind::Answer, sdp: "the answer".into() }),
        (&of_handle, Happening::PathFound),
        (&of_handle, Happening::Connected),
        (&of_handle, Happening::Receiving { receiving: true }),
        (&of_handle, Happening::Talking { place: place(1234, 5), talking: true }),
        (&of_handle, Happening::ParticipantLeft { place: place(1234, 5), reason: Departure::Detached }),
        (&of_handle, Happening::Disconnected { reason: "Detached".into() }),
        (&of_handle, Happening::HandleDetached { plugin }),
        (&of_session, Happening::SessionEnded { reason: SessionEnd::Destroyed }),
    ];
    let expected = expected.map(|(origin, what)| Notice { origin: origin.clone(), what });
    assert_eq!(server.notices(), expected);
}

#[test]
fn candidates_of_both_sides_are_told_once_and_without_what_stands_before_them() {
    let mut server = Server::new();
    let session = server.session();
    let handle = server.attach(session, None);
    let sdp = format!("{OFFER}a=candidate:1 1 udp 9 192.0.2.9 5000 typ host\r\n");
    let of_handle = |mut request: Value| {
        (request["session_id"], request["handle_id"]) = (session.into(), handle.0.into());
        request
    };
    let join =
        json!({"janus": "message", "body": {"request": "join", "room": 1234}, "jsep": {"type": "offer", "sdp": sdp}});
    server.ask(of_handle(join));
    let candidates = vec!["candidate:2 1 udp 8 192.0.2.1 10000 typ host".to_owned()];
    let answer = Answer { sdp: "the answer".to_owned(), candidates, audio: true, audio_level: true, fec: false };
    server.media(MediaEvent::Answered { handle, negotiation: server.negotiation, answer: answer.clone() });
    for candidate in ["candidate:3 1 udp 7 192.0.2.9 5001 typ host", ""] {
        let candidate = json!({"sdpMid": "0", "candidate": candidate});
        server.ask(of_handle(json!({"janus": "trickle", "candidate": candidate})));
    }
    server.ask_plugin(session, handle, json!({"request": "configure"}), true);
    server.media(MediaEvent::Answered { handle, negotiation: server.negotiation, answer });

    let told = server.happenings(|what| matches!(what, Happening::CandidateTold { .. }));

    let candidate = |side, candidate: &str| Happening::CandidateTold { side, candidate: candidate.into() };
    assert_eq!(
        told,
        [
            candidate(Side::Remote, "1 1 udp 9 192.0.2.9 5000 typ host"),
            candidate(Side::Local, "2 1 udp 8 192.0.2.1 10000 typ host"),
            candidate(Side::Remote, "3 1 udp 7 192.0.2.9 5001 typ host"),
        ]
    );
}

#[test]
fn the_ways_out_of_a_room_are_told_apart() {
    let mut server = Server::new();
    let session = server.session();
    server.ask_plugin_alone(json!({"request": "create", "room": 2}));
    let [leaving, _, moved, hung_up] = [1, 2, 3, 4].map(|id| server.join(session, 1234, id));
    server.notices();

    server.ask_plugin(session, leaving, json!({"request": "leave"}), false);
    server.ask_plugin_alone(json!({"request": "kick", "room": 1234, "id": 2}));
    server.ask_plugin(session, moved, json!({"request": "changeroom", "room": 2, "id": 30}), false);
    server.ask(json!({"janus": "hangup", "session_id": session, "handle_id": hung_up.0}));
    server.ask_plugin_alone(json!({"request": "destroy", "room": 2}));

    let left = |place, reason| Happening::ParticipantLeft { place, reason };
    let told = server.happenings(|what| {
        matches!(
            what,
            Happening::ParticipantLeft { .. } | Happening::ParticipantMoved { .. } | Happening::RoomDestroyed { .. }
        )
    });
    assert_eq!(
        told,
        [
            left(place(1234, 1), Departure::Left),
            left(place(1234, 2), Departure::Kicked),
            Happening::ParticipantMoved { from: place(1234, 3), to: place(2, 30), display: None },
            left(place(1234, 4), Departure::Disconnected),
            left(place(2, 30), Departure::RoomDestroyed),
            Happening::RoomDestroyed { room: room(2) },
        ]
    );
}

#[test]
fn a_change_is_told_once_and_no_change_never() {
    let mut server = Server::new();
    let session = server.session();
    let handle = server.join(session, 1234, 1);
    server.notices();

    for _ in 0..2 {
        server.ask_plugin_alone(json!({"request": "mute", "room": 1234, "id": 1}));
        server.ask_plugin(session, handle, json!({"request": "configure", "muted": true}), false);
        server.ask_plugin_alone(json!({"request": "mute_room", "room": 1234}));
    }
    server.ask_plugin(session, handle, json!({"request": "configure", "muted": false}), false);
    server.ask_plugin_alone(json!({"request": "edit", "room": 1234, "new_description": "Tea"}));

    let muted = |muted| Happening::ParticipantMuted { place: place(1234, 1), muted };
    let told = server.happenings(|_| true);
    assert_eq!(
        told,
        [
            muted(true),
            Happening::RoomMuted { room: room(1234), muted: true },
            muted(false),
            Happening::RoomEdited { room: room(1234) },
        ]
    );
}

#[test]
fn the_ends_of_sessions_are_told_apart() {
    let mut server = Server::new();
    let [by_operator, closed] = [server.session(), server.session()];
    server.notices();

    server.core.handle_admin(
        Source::Http(RequestId(1)),
        json!({"janus": "destroy_session", "transaction": "t", "session_id": by_operator}),
        server.now,
    );
    server.core.handle_connection_closed(CONNECTION, server.now);
    server.now += Duration::from_secs(20);
    server.core.handle_timeout(server.now);
    let silent = server.session();
    server.now += Duration::from_secs(100);
    server.core.handle_timeout(server.now);
    let stopped = server.session();
    server.core.shut_down(server.now);

    let ends = server.notices().into_iter().filter_map(|notice| {
        let Happening::SessionEnded { reason } = notice.what else { return None };
        Some((notice.origin.unwrap().session.0, reason))
    });
    assert_eq!(
        ends.collect::<Vec<_>>(),
        [
            (by_operator, SessionEnd::ByOperator),
            (closed, SessionEnd::Unclaimed),
            (silent, SessionEnd::Timeout),
            (stopped, SessionEnd::Stopped),
        ]
    );
}

#[test]
fn a_refusal_is_told_with_its_code_and_of_whom() {
    let mut server = Server::new();
    let session = server.session();
    let handle = server.attach(session, None);
    server.notices();

    server.ask(json!({"janus": "nonsense", "session_id": session}));
    server.ask_plugin(session, handle, json!({"request": "join", "room": 99}), false);
    server.ask(json!({"janus": "keepalive", "session_id": 4242}));

    let of = |handle| Some(Origin { session: SessionId(session), handle, opaque_id: None });
    let refused = |origin, code| Notice { origin, what: Happening::Refused { code } };
    assert_eq!(server.notices(), [refused(of(None), 453), refused(of(Some(handle)), 485), refused(None, 458)]);
}

fn room(id: u64) -> RoomId {
    RoomId(Id::Number(id))
}

fn place(room_id: u64, participant: u64) -> Place {
    Place { room: room(room_id), participant: UserId(Id::Number(participant)) }
}

/// A server, and what was told since somebody looked.
struct Server {
    core: Core,
    now: Instant,
    negotiation: u64,
    notices: Vec<Notice>,
}

impl Server {
    fn new() -> Self {
        let now = Instant::now();
        let config = Config { reclaim_session_timeout: Duration::from_secs(10), ..with_demo_room() };
        Self { core: Core::new(config, [1; 32], now), now, negotiation: 0, notices: vec![] }
    }

    fn session(&mut self) -> u64 {
        self.ask(json!({"janus": "create"}))["data"]["id"].as_u64().unwrap()
    }

    fn attach(&mut self, session: u64, opaque_id: Option<&str>) -> HandleId {
        let mut request = json!({"janus": "attach", "session_id": session, "plugin": "janus.plugin.audiobridge"});
        if let Some(opaque_id) = opaque_id {
            request["opaque_id"] = opaque_id.into();
        }
        HandleId(self.ask(request)["data"]["id"].as_u64().unwrap())
    }

    /// Somebody in a room whose media flows.
    fn join(&mut self, session: u64, room: u64, id: u64) -> HandleId {
        let handle = self.attach(session, None);
        self.ask_plugin(session, handle, json!({"request": "join", "room": room, "id": id}), true);
        self.answer(handle);
        handle
    }

    fn answer(&mut self, handle: HandleId) {
        let answer =
            Answer { sdp: "the answer".to_owned(), candidates: vec![], audio: true, audio_level: true, fec: false };
        self.media(MediaEvent::Answered { handle, negotiation: self.negotiation, answer });
    }

    fn ask_plugin(&mut self, session: u64, handle: HandleId, body: Value, with_offer: bool) {
        let mut request = json!({"janus": "message", "session_id": session, "handle_id": handle.0, "body": body});
        if with_offer {
            request["jsep"] = json!({"type": "offer", "sdp": OFFER});
        }
        self.ask(request);
    }

    /// A request of an operator, which needs no handle.
    fn ask_plugin_alone(&mut self, body: Value) {
        let request = json!({"janus": "message_plugin", "transaction": "t", "plugin": "janus.plugin.audiobridge",
            "request": body});
        self.core.handle_admin(Source::Http(RequestId(1)), request, self.now);
        self.collect();
    }

    fn ask(&mut self, mut request: Value) -> Value {
        request["transaction"] = "t".into();
        self.core.handle_request(SOURCE, None, request, self.now);
        self.collect().unwrap()
    }

    fn media(&mut self, event: MediaEvent) {
        self.core.handle_media(event, self.now);
        self.collect();
    }

    fn collect(&mut self) -> Option<Value> {
        let mut reply = None;
        while let Some(output) = self.core.poll_output() {
            if let Output::Reply { message, .. } = output {
                reply = Some(message);
            } else if let Output::Notice(notice) = output {
                self.notices.push(notice);
            } else if let Output::Media(MediaCommand::Negotiate { negotiation, .. }) = output {
                self.negotiation = negotiation;
            }
        }
        reply
    }

    fn notices(&mut self) -> Vec<Notice> {
        self.collect();
        std::mem::take(&mut self.notices)
    }

    fn happenings(&mut self, counts: impl Fn(&Happening) -> bool) -> Vec<Happening> {
        self.notices().into_iter().map(|notice| notice.what).filter(counts).collect()
    }
}

fn with_demo_room() -> Config {
    Config { rooms: vec![signaling::RoomConfig { id: Some(room(1234)), ..Default::default() }], ..Config::default() }
}
