//! Requests and polls from one client address are bounded, those from others go on, and what was refused is counted.
#![expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]

use std::net::IpAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signaling::{Config, Core, Credentials, Limit, Limits, Output, Poll, RequestId, Source, Visit};

/// Ten seconds of this come at once.
const RATE: u32 = 2;
const BURST: usize = 20;

#[test]
fn one_address_is_refused_and_the_others_are_not() {
    let (mut core, now) = core();

    let answers: Vec<Value> = (0..=BURST).map(|_| ping(&mut core, Some([192, 0, 2, 1]), now)).collect();
    let other = ping(&mut core, Some([192, 0, 2, 2]), now);
    let local = ping(&mut core, None, now);
    let later = ping(&mut core, Some([192, 0, 2, 1]), now + Duration::from_secs(1));

    assert!(answers[..BURST].iter().all(|answer| answer["janus"] == "pong"));
    assert_eq!(
        answers[BURST],
        json!({"janus": "error", "transaction": "t",
            "error": {"code": 429, "reason": "Too many requests from your address (max 2 a second)"}})
    );
    assert!([other, local, later].iter().all(|answer| answer["janus"] == "pong"));
    assert_eq!(core.counters().limited[&Limit::Requests], 1);
}

#[test]
fn polls_count_as_requests() {
    let (mut core, now) = core();
    let client = Some(IpAddr::from([192, 0, 2, 1]));
    let mut poll = || core.handle_poll(7, client, Credentials::default(), now);

    let polls: Vec<Poll> = (0..=BURST).map(|_| poll()).collect();

    assert!(polls[..BURST].iter().all(|poll| *poll == Poll::NotFound));
    assert_eq!(polls[BURST], Poll::TooMany);
    assert_eq!(core.counters().limited[&Limit::Requests], 1);
}

#[test]
fn visits_to_pages_beside_the_api_count_as_requests() {
    let (mut core, now) = core();
    let client = Some(IpAddr::from([192, 0, 2, 1]));
    let mut visit = || core.handle_visit(client, &Credentials::default(), now);

    let visits: Vec<Visit> = (0..=BURST).map(|_| visit()).collect();

    assert!(visits[..BURST].iter().all(|visit| *visit == Visit::Welcome));
    assert_eq!(visits[BURST], Visit::TooMany);
    assert_eq!(core.counters().limited[&Limit::Requests], 1);
}

fn core() -> (Core, Instant) {
    let now = Instant::now();
    let limits = Limits { request_rate: RATE, ..Limits::default() };
    (Core::new(Config { limits, ..Config::default() }, [7; 32], now), now)
}

fn ping(core: &mut Core, client: Option<[u8; 4]>, now: Instant) -> Value {
    let request = json!({"janus": "ping", "transaction": "t"});
    core.handle_request(Source::Http(RequestId(1)), client.map(IpAddr::from), request, now);
    while let Some(output) = core.poll_output() {
        // A refusal is also told to who listens for notices.
        if let Output::Reply { message, .. } = output {
            return message;
        }
    }
    panic!("no reply");
}
