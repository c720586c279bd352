//! The conversation with a server: order of requests, what they carry, and when it is over.

use std::time::{Duration, Instant};

use loadtest::dialogue::{Dialogue, Invitation, Progress, Request};
use loadtest::notice::Notice;
use serde_json::{Value, json};

fn invitation() -> Invitation {
    Invitation {
        room: 1234,
        pin: Some("7".to_owned()),
        display: "listener 1".to_owned(),
        muted: true,
        quality: 4,
        patient: false,
        api_secret: Some("s".to_owned()),
    }
}

fn body(request: &Request) -> Value {
    serde_json::from_str(&request.text).unwrap()
}

fn answer(dialogue: &mut Dialogue, message: Value) -> Option<Progress> {
    dialogue.handle_notice(Notice::parse(&message.to_string()).unwrap())
}

/// A dialogue that has joined, and the requests so far.
fn joined(now: Instant) -> (Dialogue, Vec<Request>) {
    let mut dialogue = Dialogue::new(invitation(), now);
    let mut requests = vec![dialogue.poll_request().unwrap()];
    answer(&mut dialogue, json!({"janus": "success", "transaction": "1", "data": {"id": 11}}));
    requests.push(dialogue.poll_request().unwrap());
    answer(&mut dialogue, json!({"janus": "success", "session_id": 11, "transaction": "2", "data": {"id": 22}}));
    requests.push(dialogue.poll_request().unwrap());
    assert_eq!(answer(&mut dialogue, json!({"janus": "ack", "session_id": 11, "transaction": "3"})), None);
    let progress = answer(
        &mut dialogue,
        json!({"janus": "event", "session_id": 11, "sender": 22, "transaction": "3", "plugindata":
            {"plugin": "janus.plugin.audiobridge", "data": {"audiobridge": "joined", "room": 1234, "id": 5, "participants": []}}}),
    );
    assert_eq!(progress, Some(Progress::Joined));
    (dialogue, requests)
}

#[test]
fn it_creates_attaches_and_joins() {
    let (_, requests) = joined(Instant::now());
    let [create, attach, join] = &requests[..] else {
        panic!("{requests:?}");
    };
    assert_eq!(body(create), json!({"janus": "create", "transaction": "1", "apisecret": "s"}));
    assert_eq!((create.session, create.handle), (None, None));
    assert_eq!(body(attach)["plugin"], "janus.plugin.audiobridge");
    assert_eq!((attach.session, attach.handle), (Some(11), None));
    assert_eq!(
        body(join)["body"],
        json!({"request": "join", "room": 1234, "display": "listener 1", "muted": true, "quality": 4, "pin": "7"})
    );
    assert_eq!((body(join)["session_id"].as_u64(), join.handle), (Some(11), Some(22)));
}

#[test]
fn the_offer_goes_with_configure_and_the_answer_comes_back() {
    let (mut dialogue, _) = joined(Instant::now());
    dialogue.offer("v=0 offer");
    let configure = body(&dialogue.poll_request().unwrap());
    assert_eq!(configure["body"], json!({"request": "configure", "muted": true}));
    assert_eq!(configure["jsep"], json!({"type": "offer", "sdp": "v=0 offer"}));
    let progress = answer(
        &mut dialogue,
        json!({"janus": "event", "transaction": "4", "jsep": {"type": "answer", "sdp": "v=0 answer"},
            "plugindata": {"plugin": "p", "data": {"audiobridge": "event", "result": "ok"}}}),
    );
    assert_eq!(progress, Some(Progress::Answered("v=0 answer".to_owned())));
    dialogue.trickle("candidate:1 1 udp 1 192.0.2.1 5 typ host");
    let trickle = body(&dialogue.poll_request().unwrap());
    assert_eq!(trickle["candidates"][1], json!({"completed": true}));
}

#[test]
fn a_refusal_of_the_bridge_ends_it_once() {
    let mut dialogue = Dialogue::new(invitation(), Instant::now());
    answer(&mut dialogue, json!({"janus": "success", "transaction": "1", "data": {"id": 11}}));
    answer(&mut dialogue, json!({"janus": "success", "transaction": "2", "data": {"id": 22}}));
    let refusal = json!({"janus": "event", "transaction": "3", "plugindata":
        {"plugin": "p", "data": {"audiobridge": "event", "error_code": 485, "error": "No such room (1234)"}}});
    let progress = answer(&mut dialogue, refusal.clone());
    assert_eq!(progress, Some(Progress::Failed("error 485: No such room (1234)".to_owned())));
    assert_eq!(answer(&mut dialogue, refusal), None);
}

#[test]
fn somebody_patient_asks_again_a_second_after_an_overload() {
    let start = Instant::now();
    let mut dialogue = Dialogue::new(Invitation { patient: true, ..invitation() }, start);
    answer(&mut dialogue, json!({"janus": "success", "transaction": "1", "data": {"id": 11}}));
    answer(&mut dialogue, json!({"janus": "success", "transaction": "2", "data": {"id": 22}}));
    while dialogue.poll_request().is_some() {}
    let refusal = |code| {
        json!({"janus": "event", "transaction": "3", "plugindata":
            {"plugin": "p", "data": {"audiobridge": "event", "error_code": code, "error": "Overloaded"}}})
    };

    assert_eq!(answer(&mut dialogue, refusal(499)), None);

    dialogue.handle_timeout(start);
    dialogue.handle_timeout(start + Duration::from_millis(999));
    assert_eq!(dialogue.poll_request(), None);
    dialogue.handle_timeout(start + Duration::from_secs(1));
    assert_eq!(body(&dialogue.poll_request().unwrap())["body"]["request"], "join");
    assert_eq!(dialogue.poll_request(), None);
}

#[test]
fn an_error_of_the_core_ends_it() {
    let mut dialogue = Dialogue::new(invitation(), Instant::now());
    let progress =
        answer(&mut dialogue, json!({"janus": "error", "transaction": "1", "error": {"code": 403, "reason": "No"}}));
    assert_eq!(progress, Some(Progress::Failed("error 403: No".to_owned())));
}

#[test]
fn events_about_others_and_foreign_transactions_change_nothing() {
    let (mut dialogue, _) = joined(Instant::now());
    let others = [
        json!({"janus": "event", "sender": 22, "plugindata": {"plugin": "p", "data": {"audiobridge": "joined", "participants": [{"id": 9}]}}}),
        json!({"janus": "error", "transaction": "2", "error": {"code": 1, "reason": "late"}}),
        json!({"janus": "webrtcup", "sender": 22}),
        json!({"janus": "media", "sender": 22, "receiving": true}),
    ];
    for message in others {
        assert_eq!(answer(&mut dialogue, message.clone()), None, "{message}");
    }
    assert_eq!(dialogue.poll_request(), None);
}

#[test]
fn a_hangup_and_a_timeout_end_it() {
    let (mut dialogue, _) = joined(Instant::now());
    let progress = answer(&mut dialogue, json!({"janus": "hangup", "sender": 22, "reason": "DTLS alert"}));
    assert_eq!(progress, Some(Progress::Failed("hung up: DTLS alert".to_owned())));
    let (mut dialogue, _) = joined(Instant::now());
    assert!(matches!(answer(&mut dialogue, json!({"janus": "timeout", "session_id": 11})), Some(Progress::Failed(_))));
}

#[test]
fn leaving_destroys_the_session_and_a_hangup_on_the_way_is_no_failure() {
    let (mut dialogue, _) = joined(Instant::now());
    dialogue.leave();
    let destroy = dialogue.poll_request().unwrap();
    assert_eq!((body(&destroy)["janus"].as_str(), destroy.handle), (Some("destroy"), None));
    assert_eq!(answer(&mut dialogue, json!({"janus": "hangup", "sender": 22, "reason": "DTLS alert"})), None);
    let progress = answer(&mut dialogue, json!({"janus": "success", "session_id": 11, "transaction": "4"}));
    assert_eq!(progress, Some(Progress::Closed));
}

#[test]
fn it_says_every_25_seconds_that_it_is_alive() {
    let start = Instant::now();
    let (mut dialogue, _) = joined(start);
    dialogue.handle_timeout(start + Duration::from_secs(24));
    assert_eq!(dialogue.poll_request(), None);
    dialogue.handle_timeout(start + Duration::from_secs(25));
    let keepalive = dialogue.poll_request().unwrap();
    assert_eq!((body(&keepalive)["janus"].as_str(), keepalive.handle), (Some("keepalive"), None));
    dialogue.handle_timeout(start + Duration::from_secs(30));
    assert_eq!(dialogue.poll_request(), None);
}
