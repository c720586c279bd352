//! Traces as a collector of OpenTelemetry meets them: protobuf over HTTP, one trace for each join.
#![cfg(feature = "otlp")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod receiver;
mod support;

use receiver::{Post, Receiver};
use serde_json::{Value, json};
use support::{FREE_PORTS, Plenum, post};

const OFFER: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
    a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F\r\n\
    a=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=ssrc:2998362345 cname:x\r\n";

#[test]
fn a_join_that_came_to_nothing_is_one_trace_with_its_reason() {
    let collector = Receiver::listen(vec![]);
    let mut server = serve(&[
        &format!("telemetry.endpoint=http://127.0.0.1:{}/v1/traces", collector.port()),
        "telemetry.service_name=plenum-of-a-test",
    ]);

    join_and_hang_up(server.page());
    server.terminate();

    let posts = collector.posts(1);
    assert_eq!(posts[0].path, "/v1/traces");
    assert_eq!(posts[0].header("content-type"), "application/x-protobuf");
    for text in ["plenum-of-a-test", "join", "attach to join", "offer and answer", "Janus API", "plenum.room", "1234"] {
        assert!(has(&posts[0], text), "{text} is not in {}", posts[0].body);
    }
    assert!(!has(&posts[0], "DTLS"), "a phase that was not reached");
}

#[test]
fn of_a_sample_of_none_nothing_is_sent() {
    let collector = Receiver::listen(vec![]);
    let mut server = serve(&[
        &format!("telemetry.endpoint=http://127.0.0.1:{}/v1/traces", collector.port()),
        "telemetry.sample_ratio=0.0",
    ]);

    join_and_hang_up(server.page());
    server.terminate();

    assert_eq!(collector.count(), 0);
}

fn serve(sets: &[&str]) -> Plenum {
    let sets: Vec<&str> = FREE_PORTS.iter().chain(sets).copied().collect();
    Plenum::start(&sets)
}

/// Protobuf has texts as they are.
fn has(post: &Post, text: &str) -> bool {
    post.bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

fn join_and_hang_up(page: &str) {
    let ask = |path: &str, mut request: Value| -> Value {
        request["transaction"] = "t".into();
        let response = post(page, path, &request.to_string());
        serde_json::from_str(response.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    };
    let session = format!("/janus/{}", ask("/janus", json!({"janus": "create"}))["data"]["id"]);
    let attached = ask(&session, json!({"janus": "attach", "plugin": "janus.plugin.audiobridge"}));
    let handle = format!("{session}/{}", attached["data"]["id"]);
    let join = json!({"request": "join", "room": 1234});
    ask(&handle, json!({"janus": "message", "body": join, "jsep": {"type": "offer", "sdp": OFFER}}));
    let mut events = String::new();
    while !events.contains("ice-pwd:") {
        events += &support::get(page, &format!("{session}?maxev=10"));
    }
    ask(&handle, json!({"janus": "hangup"}));
}
