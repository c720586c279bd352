//! What clients are told of TURN servers, and who is told.

mod support;

use support::{FREE_PORTS, Plenum, get};

const TURN: [&str; 3] = [
    r#"turn.uris=["turn:turn.example.org", "turns:turn.example.org:443?transport=tcp"]"#,
    "turn.secret=north",
    "turn.ttl=600",
];

fn start(assignments: &[&str]) -> Plenum {
    Plenum::start(&[&FREE_PORTS, assignments].concat())
}

#[test]
fn who_may_use_the_api_gets_credentials_and_a_page_of_any_origin_may_ask() {
    let mut plenum = start(&[&TURN[..], &["signaling.api_secret=open"]].concat());
    let page = plenum.page().to_owned();

    let answer = get(&page, "/turn?service=turn&username=ada&apisecret=open");

    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.contains("access-control-allow-origin: *") && head.contains("cache-control: no-store"), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let username = body["username"].as_str().expect("a text");
    assert!(username.ends_with(":ada") && username.len() == "1700000000:ada".len(), "{username}");
    assert_eq!(body["ttl"], 600);
    assert_eq!(body["uris"].as_array().map(Vec::len), Some(2));
    assert_eq!(body["password"].as_str().map(str::len), Some(28), "20 bytes in Base64");
}

#[test]
fn nobody_else_gets_any() {
    let mut plenum = start(&[&TURN[..], &["signaling.api_secret=open"]].concat());
    let page = plenum.page().to_owned();
    for path in ["/turn", "/turn?apisecret=shut", "/turn?apisecret=", "/turn?token=open"] {
        assert!(get(&page, path).starts_with("HTTP/1.1 403 "), "{path}");
    }
}

#[test]
fn names_that_are_none_are_refused() {
    let mut plenum = start(&TURN);
    let page = plenum.page().to_owned();
    let long = format!("/turn?username={}", "a".repeat(129));
    for path in ["/turn?username=", "/turn?username=a:b", "/turn?username=a%20b", "/turn?service=stun", &long] {
        assert!(get(&page, path).starts_with("HTTP/1.1 400 "), "{path}");
    }
    assert_ne!(get(&page, "/turn"), get(&page, "/turn"), "a name of its own for each");
}

#[test]
fn without_servers_there_is_nothing_to_tell() {
    let mut plenum = start(&[]);
    let page = plenum.page().to_owned();
    assert!(get(&page, "/turn").starts_with("HTTP/1.1 204 "));
}
