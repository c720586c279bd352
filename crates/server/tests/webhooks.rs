//! Webhooks as a receiver meets them: signed, in order, again after a failure, never more than may wait, and in Janus' shape too.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod receiver;
mod support;

use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use receiver::{Post, Receiver, Tls};
use serde_json::{Value, json};
use support::{FREE_PORTS, Plenum, config_file, get, plenum, post};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

#[test]
fn events_come_signed_and_in_order() {
    let receiver = Receiver::listen(vec![]);
    let mut server =
        serve("signed", &hook(&receiver.url(), r#"events = ["server", "session", "room", "participant"]"#));
    let page = server.page().to_owned();

    let handle = Handle::attach(&page);
    handle.ask(&json!({"request": "create", "room": 7, "description": "Seven"}));
    handle.ask(&json!({"request": "join", "room": 7, "id": 5, "display": "Eve"}));
    handle.ask(&json!({"request": "leave"}));
    handle.ask(&json!({"request": "destroy", "room": 7}));
    let posts = receiver.posts_until("room.destroyed");

    for post in &posts {
        assert!(is_signed(post), "{post:?}");
        assert_eq!(post.header("content-type"), "application/json");
    }
    let events = events(&posts);
    let types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        types,
        [
            "server.started",
            "session.created",
            "room.created",
            "participant.joined",
            "participant.left",
            "room.destroyed"
        ]
    );
    let sequences: Vec<_> = events.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, [1, 2, 3, 4, 5, 6]);
    assert_eq!(
        events[3]["data"],
        json!({"session": handle.session, "handle": handle.handle, "room": 7, "participant": 5, "display": "Eve", "muted": false})
    );
    assert_eq!(events[4]["data"]["reason"], "left");
    server.terminate();
}

#[test]
fn what_fails_comes_again_as_it_was_before_what_is_newer() {
    let receiver = Receiver::listen(vec![500, 503]);
    let mut server = serve("again", &hook(&receiver.url(), "batch = 1"));
    let handle = Handle::attach(server.page());

    for room in [1, 2, 3] {
        handle.ask(&json!({"request": "create", "room": room}));
    }
    let posts = receiver.posts_until(r#""room":3"#);

    let rooms: Vec<_> = posts.iter().map(|post| post.json()["data"]["room"].as_u64().unwrap()).collect();
    assert_eq!(rooms, [1, 1, 1, 2, 3]);
    assert!(posts.iter().all(is_signed));
    let ids: Vec<_> = posts.iter().map(|post| post.header("webhook-id")).collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3], "{ids:?}");
    server.terminate();
}

#[test]
fn a_receiver_that_comes_late_gets_the_newest_and_the_rest_is_counted() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut server = serve("late", &hook(&format!("http://{address}/"), "queue = 3\nbatch = 1"));
    let handle = Handle::attach(server.page());
    for room in 1..=10 {
        handle.ask(&json!({"request": "create", "room": room}));
    }

    let receiver = Receiver::listen_on(TcpListener::bind(address).unwrap(), vec![]);
    let posts = receiver.posts_until(r#""room":10"#);

    let rooms: Vec<_> = posts.iter().map(|post| post.json()["data"]["room"].as_u64().unwrap()).collect();
    assert_eq!(rooms, [1, 8, 9, 10], "the first was on its way");
    let metrics = get(&server.admin(), "/metrics");
    let overflowed = r#"plenum_webhook_events_total{result="overflowed",hook="0"} 6"#;
    assert!(metrics.contains(overflowed), "{metrics}");
    server.terminate();
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::listen(vec![]);
    let receiver = Receiver::redirecting(&elsewhere.url());
    let mut server = serve("redirect", &hook(&receiver.url(), "batch = 1"));
    Handle::attach(server.page()).ask(&json!({"request": "create", "room": 1}));

    // Twice, so that what came of the first is known.
    receiver.posts(2);

    assert_eq!(elsewhere.count(), 0);
    server.terminate();
}

#[test]
fn the_last_events_come_before_the_end() {
    let receiver = Receiver::listen(vec![]);
    let mut server = serve("last", &hook(&receiver.url(), r#"events = ["server", "session"]"#));
    Handle::attach(server.page());

    assert_eq!(server.terminate().code(), Some(0));

    let events = events(&receiver.posts_until("session.ended"));
    let reason = &events.iter().find(|event| event["type"] == "session.ended").unwrap()["data"]["reason"];
    assert_eq!(reason, "stopped");
}

#[test]
fn with_tls_only_a_receiver_that_an_authority_vouches_for_is_told() {
    let tls = Tls::for_localhost();
    let authority = config_file("webhook-authority", &tls.authority);
    let receiver = Receiver::with_tls(&tls);
    let config = hook(&format!("https://localhost:{}/", receiver.port()), "");

    let mut stranger = serve("tls-stranger", &config);
    let mut server = serve_with("tls", &config, &[("SSL_CERT_FILE", authority.to_str().unwrap())]);
    Handle::attach(stranger.page()).ask(&json!({"request": "create", "room": 1}));
    Handle::attach(server.page()).ask(&json!({"request": "create", "room": 2}));
    let posts = receiver.posts_until(r#""room":2"#);

    assert!(!posts.iter().any(|post| post.body.contains(r#""room":1"#)));
    stranger.terminate();
    server.terminate();
}

#[test]
fn in_the_format_of_janus_events_have_its_shape_with_and_without_grouping() {
    let (grouped, single) = (Receiver::listen(vec![]), Receiver::listen(vec![]));
    let all = r#"events = ["server", "session", "handle", "room", "participant", "custom"]"#;
    let hook = |receiver: &Receiver, batch| {
        format!("[[webhooks]]\nurl = \"{}\"\nformat = \"janus\"\nbatch = {batch}\n{all}\n", receiver.url())
    };
    let mut server = serve("janus", &format!("{}{}", hook(&grouped, 100), hook(&single, 1)));
    let handle = Handle::attach(server.page());

    handle.ask(&json!({"request": "join", "room": 1234, "id": 5, "display": "Eve"}));
    let custom = json!({"janus": "custom_event", "transaction": "t", "schema": "s", "data": {"a": 1}});
    post(&server.admin(), "/admin", &custom.to_string());
    let grouped = events(&grouped.posts_until(r#""schema""#));
    let single: Vec<Value> = single.posts_until(r#""schema""#).iter().map(Post::json).collect();

    // The task of each receiver reads the clock by itself.
    let timeless = |events: &[Value]| -> Vec<Value> {
        let mut events = events.to_vec();
        events.iter_mut().for_each(|event| event["timestamp"] = 0.into());
        events
    };
    assert_eq!(timeless(&grouped), timeless(&single));
    let types: Vec<_> = single.iter().map(|event| event["type"].as_u64().unwrap()).collect();
    assert_eq!(types, [256, 1, 2, 64, 4]);
    assert!(single.iter().all(|event| event["emitter"] == "Plenum" && event["timestamp"].as_u64().unwrap() > 1 << 50));
    assert_eq!(single[1]["event"], json!({"name": "created", "transport": {"transport": "janus.transport.http"}}));
    assert_eq!(single[2]["event"], json!({"name": "attached", "plugin": "janus.plugin.audiobridge"}));
    assert_eq!((&single[3]["session_id"], &single[3]["handle_id"]), (&handle.session, &handle.handle));
    assert_eq!(
        single[3]["event"],
        json!({
            "plugin": "janus.plugin.audiobridge",
            "data": {"event": "joined", "room": 1234, "id": 5, "display": "Eve", "muted": false},
        })
    );
    assert_eq!(single[4]["event"], json!({"schema": "s", "data": {"a": 1}}));
    server.terminate();
}

fn hook(url: &str, more: &str) -> String {
    format!("[[webhooks]]\nurl = \"{url}\"\nkey = \"{KEY}\"\n{more}\n")
}

fn serve(name: &str, config: &str) -> Plenum {
    serve_with(name, config, &[])
}

fn serve_with(name: &str, config: &str, environment: &[(&str, &str)]) -> Plenum {
    let file: PathBuf = config_file(&format!("webhooks-{name}"), config);
    let mut command = plenum();
    command.arg("--config").arg(file).args(FREE_PORTS.iter().flat_map(|set| ["--set", set]));
    Plenum::spawn(command.envs(environment.iter().copied()))
}

fn events(posts: &[Post]) -> Vec<Value> {
    posts.iter().flat_map(|post| post.json().as_array().unwrap().clone()).collect()
}

/// Whether a receiver that goes by the rules would take it.
fn is_signed(post: &Post) -> bool {
    let secret = BASE64_STANDARD.decode(&KEY["whsec_".len()..]).unwrap();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret);
    let mut signed = Vec::new();
    write!(signed, "{}.{}.{}", post.header("webhook-id"), post.header("webhook-timestamp"), post.body).unwrap();
    let signature = post.header("webhook-signature").strip_prefix("v1,").unwrap();
    aws_lc_rs::hmac::verify(&key, &signed, &BASE64_STANDARD.decode(signature).unwrap()).is_ok()
}

/// A handle of the AudioBridge, over HTTP.
struct Handle {
    page: String,
    session: Value,
    handle: Value,
}

impl Handle {
    fn attach(page: &str) -> Self {
        let page = page.to_owned();
        let created = ask(&page, "/janus", &json!({"janus": "create", "transaction": "t"}));
        let session = created["data"]["id"].clone();
        let attach = json!({"janus": "attach", "transaction": "t", "plugin": "janus.plugin.audiobridge"});
        let attached = ask(&page, &format!("/janus/{session}"), &attach);
        Self { page, handle: attached["data"]["id"].clone(), session }
    }

    fn ask(&self, body: &Value) {
        let message = json!({"janus": "message", "transaction": "t", "body": body});
        ask(&self.page, &format!("/janus/{}/{}", self.session, self.handle), &message);
    }
}

fn ask(page: &str, path: &str, request: &Value) -> Value {
    let response = post(page, path, &request.to_string());
    let body = response.split("\r\n\r\n").nth(1).unwrap_or_else(|| panic!("no body in {response}"));
    serde_json::from_str(body).unwrap()
}
