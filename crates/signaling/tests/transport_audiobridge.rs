//! A conversation of two in a room, as a client goes through it: over WebSocket, over long poll, and mixed. The test plays
//! the media planes.
#![allow(clippy::unwrap_used, reason = "what is not as expected fails the test")]

mod transport_support;

use std::collections::VecDeque;

use serde_json::{Value, json};
use signaling::{Answer, AnswerTraits, HandleId, MediaCommand, MediaEvent};
use transport_support::{Client, SOON, World, id};

const PLUGIN: &str = "janus.plugin.audiobridge";
const ROOM: u64 = 1234;
const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 AB:CD\r\na=setup:actpass\r\na=rtpmap:111 opus/48000/2\r\n";
const CANDIDATE: &str = "candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host";

#[derive(Clone, Copy, Debug)]
enum Way {
    WebSocket,
    LongPoll,
}

/// One client with one handle.
struct Party {
    session: u64,
    handle: u64,
    link: Link,
}

enum Link {
    WebSocket(Box<Client>),
    /// With events of the last poll that nobody has looked at.
    LongPoll(VecDeque<Value>),
}

impl Party {
    async fn attach(world: &World, way: Way) -> Self {
        let mut party = match way {
            Way::WebSocket => {
                let mut client = world.connect().await;
                Self { session: client.create_session().await, handle: 0, link: Link::WebSocket(Box::new(client)) }
            }
            Way::LongPoll => {
                Self { session: world.create_session().await, handle: 0, link: Link::LongPoll(VecDeque::new()) }
            }
        };
        party.handle = id(&party.ask(world, json!({"janus": "attach", "plugin": PLUGIN})).await);
        party
    }

    /// Sends a request and takes its reply, which has to repeat the transaction.
    async fn ask(&mut self, world: &World, mut request: Value) -> Value {
        request["transaction"] = "t1".into();
        let reply = match &mut self.link {
            Link::WebSocket(client) => {
                request["session_id"] = self.session.into();
                if self.handle != 0 {
                    request["handle_id"] = self.handle.into();
                }
                client.ask(request).await
            }
            Link::LongPoll(_) if self.handle == 0 => world.post(&format!("/janus/{}", self.session), request).await,
            Link::LongPoll(_) => world.post(&format!("/janus/{}/{}", self.session, self.handle), request).await,
        };
        assert_eq!((&reply["transaction"], &reply["session_id"]), (&json!("t1"), &json!(self.session)), "{reply}");
        reply
    }

    /// A synchronous request to the plugin; what it says.
    async fn query(&mut self, world: &World, body: Value) -> Value {
        let mut reply = self.ask(world, json!({"janus": "message", "body": body})).await;
        assert_eq!((&reply["janus"], &reply["sender"]), (&json!("success"), &json!(self.handle)), "{reply}");
        reply["plugindata"]["data"].take()
    }

    /// An asynchronous request to the plugin, acknowledged.
    async fn command(&mut self, world: &World, message: Value) {
        let reply = self.ask(world, message).await;
        assert_eq!(reply, json!({"janus": "ack", "session_id": self.session, "transaction": "t1"}));
    }

    /// The next event, which is there or comes soon, and is about the handle.
    async fn event(&mut self, world: &World) -> Value {
        let event = match &mut self.link {
            Link::WebSocket(client) => client.receive().await,
            Link::LongPoll(events) => {
                if events.is_empty() {
                    let poll = world.get(&format!("/janus/{}?maxev=10", self.session)).await.json();
                    events.extend(poll.as_array().unwrap().clone());
                }
                events.pop_front().unwrap()
            }
        };
        assert_eq!((&event["session_id"], &event["sender"]), (&json!(self.session), &json!(self.handle)), "{event}");
        event
    }

    /// The next event, from the plugin; what it says.
    async fn notice(&mut self, world: &World) -> Value {
        let mut event = self.event(world).await;
        assert_eq!((&event["janus"], event.get("transaction")), (&json!("event"), None), "{event}");
        event["plugindata"]["data"].take()
    }

    /// The next event, which answers a request; what the plugin says, and the jsep.
    async fn result(&mut self, world: &World) -> (Value, Value) {
        let mut event = self.event(world).await;
        assert_eq!((&event["janus"], &event["transaction"]), (&json!("event"), &json!("t1")), "{event}");
        (event["plugindata"]["data"].take(), event["jsep"].take())
    }

    /// What a core event says beyond session and sender.
    async fn told(&mut self, world: &World) -> Value {
        let mut event = self.event(world).await;
        let event = event.as_object_mut().unwrap();
        event.remove("session_id");
        event.remove("sender");
        Value::Object(event.clone())
    }
}

async fn next_command(world: &mut World) -> MediaCommand {
    tokio::time::timeout(SOON, world.media.recv()).await.unwrap().unwrap()
}

async fn converse(first: Way, second: Way) {
    let mut world = World::new();
    let mut alice = Party::attach(&world, first).await;
    let mut bob = Party::attach(&world, second).await;
    let handle = HandleId(alice.handle);

    // A room, and who comes first finds nobody.
    let create = json!({"request": "create", "room": ROOM, "audiolevel_event": true});
    let created = alice.query(&world, create).await;
    assert_eq!(created, json!({"audiobridge": "created", "room": ROOM, "permanent": false}));
    let join = json!({"request": "join", "room": ROOM, "id": 11, "display": "Alice"});
    alice.command(&world, json!({"janus": "message", "body": join})).await;
    let joined = json!({"audiobridge": "joined", "room": ROOM, "id": 11, "participants": []});
    assert_eq!(alice.result(&world).await, (joined, Value::Null));

    // The second one finds the first, and the first is told.
    let join = json!({"request": "join", "room": ROOM, "id": 22, "display": "Bob", "muted": true});
    bob.command(&world, json!({"janus": "message", "body": join})).await;
    let (joined, _) = bob.result(&world).await;
    assert_eq!((&joined["id"], &joined["participants"][0]["display"]), (&json!(22), &json!("Alice")), "{joined}");
    let newcomer = json!({"id": 22, "display": "Bob", "setup": false, "muted": true});
    let notice = json!({"audiobridge": "joined", "room": ROOM, "participants": [newcomer]});
    assert_eq!(alice.notice(&world).await, notice);

    // An offer: acknowledged at once, answered when the media plane has.
    let offer = json!({"type": "offer", "sdp": OFFER});
    let configure = json!({"request": "configure", "muted": false});
    alice.command(&world, json!({"janus": "message", "body": configure, "jsep": offer})).await;
    let MediaCommand::Negotiate { handle: of, negotiation, offer, traits: AnswerTraits::Mix(traits) } =
        next_command(&mut world).await
    else {
        panic!("no offer for the media plane");
    };
    assert_eq!((of, offer.as_str(), traits.session_name.as_str()), (handle, OFFER, "AudioBridge 1234"));
    let notice = bob.notice(&world).await;
    assert_eq!((&notice["participants"][0]["id"], &notice["participants"][0]["muted"]), (&json!(11), &json!(false)));
    let sdp = "v=0 the answer".into();
    let answer = Answer { sdp, candidates: Vec::new(), audio: true, audio_level: true, fec: true };
    world.events.send(MediaEvent::Answered { handle, negotiation, answer }).await.unwrap();
    let jsep = json!({"type": "answer", "sdp": "v=0 the answer"});
    assert_eq!(alice.result(&world).await, (json!({"audiobridge": "event", "result": "ok"}), jsep));

    // Candidates go through.
    let candidate = json!({"candidate": CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0});
    alice.command(&world, json!({"janus": "trickle", "candidate": candidate})).await;
    alice.command(&world, json!({"janus": "trickle", "candidate": {"completed": true}})).await;
    let command = next_command(&mut world).await;
    assert_eq!(command, MediaCommand::AddCandidate { handle, candidate: CANDIDATE.into() });

    // The media is up: its owner and the others are told, and the mixer.
    world.events.send(MediaEvent::Connected { handle }).await.unwrap();
    world.events.send(MediaEvent::Receiving { handle, receiving: true }).await.unwrap();
    world.events.send(MediaEvent::Talking { handle, talking: true }).await.unwrap();
    assert_eq!(alice.told(&world).await, json!({"janus": "webrtcup"}));
    let receiving = json!({"janus": "media", "mid": "0", "type": "audio", "receiving": true});
    assert_eq!(alice.told(&world).await, receiving);
    assert_eq!(bob.notice(&world).await["participants"][0]["setup"], true);
    for party in [&mut alice, &mut bob] {
        assert_eq!(party.notice(&world).await, json!({"audiobridge": "talking", "room": ROOM, "id": 11}));
    }
    let MediaCommand::Join { handle: of, settings, .. } = next_command(&mut world).await else { panic!("no join") };
    assert_eq!((of, settings.muted), (handle, false));

    // Moderation reaches the mixer too.
    let success = bob.query(&world, json!({"request": "mute", "room": ROOM, "id": 11})).await;
    assert_eq!(success, json!({"audiobridge": "success", "room": ROOM}));
    for party in [&mut alice, &mut bob] {
        assert_eq!(party.notice(&world).await["participants"][0]["muted"], true);
    }
    let MediaCommand::Configure { settings, .. } = next_command(&mut world).await else { panic!("no mute") };
    assert!(settings.muted);

    // One leaves, the other loses its connection.
    bob.command(&world, json!({"janus": "message", "body": {"request": "leave"}})).await;
    assert_eq!(bob.result(&world).await.0, json!({"audiobridge": "left", "room": ROOM, "id": 22}));
    assert_eq!(alice.notice(&world).await, json!({"audiobridge": "event", "room": ROOM, "leaving": 22}));
    world.events.send(MediaEvent::Closed { handle, reason: "DTLS alert".into() }).await.unwrap();
    assert_eq!(alice.told(&world).await, json!({"janus": "hangup", "reason": "DTLS alert"}));
    let list = bob.query(&world, json!({"request": "listparticipants", "room": ROOM})).await;
    assert_eq!(list["participants"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn two_converse_over_websocket() {
    converse(Way::WebSocket, Way::WebSocket).await;
}

#[tokio::test(start_paused = true)]
async fn two_converse_over_long_poll() {
    converse(Way::LongPoll, Way::LongPoll).await;
}

#[tokio::test(start_paused = true)]
async fn the_ways_can_be_mixed() {
    converse(Way::WebSocket, Way::LongPoll).await;
    converse(Way::LongPoll, Way::WebSocket).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_closes_leaves_the_room() {
    let world = World::new();
    let mut alice = Party::attach(&world, Way::WebSocket).await;
    let mut bob = Party::attach(&world, Way::LongPoll).await;
    alice.query(&world, json!({"request": "create", "room": ROOM})).await;
    for (party, id) in [(&mut alice, 11), (&mut bob, 22)] {
        let join = json!({"request": "join", "room": ROOM, "id": id});
        party.command(&world, json!({"janus": "message", "body": join})).await;
        party.result(&world).await;
    }

    // Conformance case 56.
    drop(alice);

    assert_eq!(bob.notice(&world).await, json!({"audiobridge": "event", "room": ROOM, "leaving": 11}));
}
