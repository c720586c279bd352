//! The streams of what happens, of a started server: what those who watch are told, how many may, and that they keep nobody.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "what takes too long is a fault here")]

mod support;

use std::io::Read as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{EventStream, FREE_PORTS, Plenum, get, post, request};

const TOKEN: &str = "correct-horse-battery-staple";

fn start() -> Plenum {
    let token = format!("admin.token={TOKEN}");
    let settings: Vec<&str> = FREE_PORTS.into_iter().chain([token.as_str()]).collect();
    let mut server = Plenum::start(&settings);
    server.page();
    server
}

/// The status and the body of what the REST API answers.
fn ask(server: &Plenum, method: &str, path: &str) -> (u16, Value) {
    let line = format!("{method} {path} HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json");
    let mut response = String::new();
    request(&server.admin(), &line, "").read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
}

fn janus(host: &str, path: &str, message: &Value) -> Value {
    let response = post(host, path, &message.to_string());
    serde_json::from_str(response.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// Somebody in a room, without audio.
fn join(server: &mut Plenum, room: u64, id: u64, display: &str) {
    let host = server.page().to_owned();
    let session = &janus(&host, "/janus", &json!({"janus": "create", "transaction": "t"}))["data"]["id"];
    let attach = json!({"janus": "attach", "transaction": "t", "plugin": "janus.plugin.audiobridge"});
    let handle = &janus(&host, &format!("/janus/{session}"), &attach)["data"]["id"];
    let body = json!({"request": "join", "room": room, "id": id, "display": display});
    let joined = json!({"janus": "message", "transaction": "t", "body": body});
    assert_eq!(janus(&host, &format!("/janus/{session}/{handle}"), &joined)["janus"], "ack");
}

fn next(stream: &mut EventStream) -> (String, Value) {
    let (event, data) = stream.next();
    (event, serde_json::from_str(&data).unwrap())
}

#[test]
fn those_who_watch_are_told_what_changes_and_what_is_gone() {
    let mut server = start();
    ask(&server, "PUT", "/v1/rooms/1");
    let mut of_server = EventStream::open(&server.admin(), "/v1/events", TOKEN);
    let mut of_room = EventStream::open(&server.admin(), "/v1/rooms/1/events", TOKEN);
    assert_eq!(next(&mut of_room).1["participants"], json!([]));
    assert_eq!(next(&mut of_server).1["rooms"][0]["num_participants"], 0);

    join(&mut server, 1, 11, "Ann");

    let (event, change) = next(&mut of_room);
    assert_eq!((event.as_str(), &change["participants"][0]["display"]), ("change", &json!("Ann")));
    let rooms = loop {
        let (event, change) = next(&mut of_server);
        assert_eq!(event, "change");
        assert!(change["server"]["threads"].as_array().unwrap().iter().any(|it| it["name"] == "mix-0"), "{change}");
        if let Some(rooms) = change.get("rooms") {
            break rooms.clone();
        }
    };
    assert_eq!((rooms.as_array().unwrap().len(), &rooms[0]["num_participants"]), (1, &json!(1)));

    assert_eq!(ask(&server, "DELETE", "/v1/rooms/1/participants/11").0, 204);
    assert_eq!(next(&mut of_room).1["gone"], json!([11]));
    assert_eq!(ask(&server, "DELETE", "/v1/rooms/1").0, 204);
    assert_eq!(next(&mut of_room).0, "gone");
    let (status, problem) = ask(&server, "GET", "/v1/rooms/1/events");
    assert_eq!((status, &problem["type"]), (404, &json!("urn:plenum:problem:no-such-room")));
}

#[test]
fn so_many_may_watch_and_no_more_until_one_goes() {
    let server = start();
    let mut watchers: Vec<_> = (0..64).map(|_| EventStream::open(&server.admin(), "/v1/events", TOKEN)).collect();

    let (status, problem) = ask(&server, "GET", "/v1/rooms/1234/events");

    assert_eq!((status, &problem["type"]), (503, &json!("urn:plenum:problem:too-many-watchers")));
    // None of them reads, and nobody else waits for that.
    assert_eq!(ask(&server, "GET", "/v1/rooms").0, 200);
    watchers.pop();
    let begun = Instant::now();
    while !EventStream::ask(&server.admin(), "/v1/events", TOKEN).0.contains("200 OK") {
        assert!(begun.elapsed() < Duration::from_secs(10), "the place stays taken");
    }
}

#[test]
fn a_server_that_ends_lets_those_who_watch_go() {
    let mut server = start();
    let mut watcher = EventStream::open(&server.admin(), "/v1/events", TOKEN);
    assert_eq!(next(&mut watcher).0, "snapshot");
    let begun = Instant::now();

    assert!(server.terminate().success());

    assert!(begun.elapsed() < Duration::from_secs(4), "it has waited for the watcher");
    while next(&mut watcher).0 != "gone" {}
}

#[test]
fn the_console_is_served_with_a_policy_and_without_a_token() {
    let server = start();
    for (path, content) in [
        ("/console/", "text/html"),
        ("/console/console.js", "text/javascript"),
        ("/console/style.css", "text/css"),
        ("/theme.css", "text/css"),
        ("/hemicycle.js", "text/javascript"),
    ] {
        let mut response = String::new();
        request(&server.admin(), &format!("GET {path} HTTP/1.1"), "").read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("200 OK") && head.contains(&format!("content-type: {content}")), "{path}: {head}");
        assert!(
            head.contains("content-security-policy: default-src 'none'; script-src 'self'; style-src 'self';"),
            "{head}"
        );
        assert!(!body.contains("<style") && !body.contains(" style=\"") && !body.contains("onclick="), "{path}");
    }
}

#[test]
fn the_documentation_is_served_as_pages_with_anchors_for_alerts() {
    let server = start();
    let runbook = get(&server.admin(), "/docs/runbook.md");
    assert!(runbook.contains("content-type: text/html"), "{runbook}");
    assert!(runbook.contains("content-security-policy: default-src 'none'; style-src 'self';"), "{runbook}");
    assert!(runbook.contains(r#"<h2 id="plenumdrainslong">PlenumDrainsLong</h2>"#), "{runbook}");
    assert!(runbook.contains(r#"<a href="troubleshoot.md#it-does-not-start">"#), "{runbook}");
    assert!(get(&server.admin(), "/docs/troubleshoot.md").contains(r#"<h2 id="it-does-not-start">"#));
    assert!(get(&server.admin(), "/console/document.css").contains("200 OK"));
    assert!(get(&server.admin(), "/docs/nothing.md").contains("404 Not Found"));
    // What is not in the binary is not linked to.
    assert!(!get(&server.admin(), "/docs/README.md").contains(r#"href="../config"#));
}
