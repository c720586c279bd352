//! The Janus API over HTTP, but for long polls. Numbers are those of the conformance cases.

mod transport_support;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use serde_json::json;
use signaling::{Config, JsonStyle, JsonStyles, Transport, TransportConfig};
use tokio::sync::mpsc;
use tower::ServiceExt;
use transport_support::{Answer, Port, World, core, error, id, pass, request};

#[tokio::test(start_paused = true)]
async fn preflight_is_allowed_whatever_it_asks_for() {
    let world = World::new();
    for path in ["/janus", "/janus/123", "/janus/1/2/3", "/other"] {
        let preflight = Request::options(path)
            .header("Origin", "http://a")
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "content-type")
            .body(Body::empty())
            .unwrap();

        let answer = world.send(Port::Http, preflight).await;

        // Cases 1 and 2.
        assert!(answer.is_empty_with_cors(200), "{path}: {answer:?}");
        assert_eq!(answer.header("access-control-max-age"), Some("86400"));
        assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
        assert_eq!(answer.header("access-control-allow-headers"), Some("content-type"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn info_and_ping_answer_to_get() {
    let world = World::new();

    let info = world.get("/janus/info").await.json();
    let ping = world.get("/janus/ping").await.json();

    // Cases 3 and 4.
    assert_eq!(info["janus"], "server_info");
    assert_eq!(ping["janus"], "pong");
    let transaction = info["transaction"].as_str().unwrap();
    assert_eq!(transaction.len(), 11);
    assert!(transaction.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_ne!(info["transaction"], ping["transaction"]);
}

#[tokio::test(start_paused = true)]
async fn paths_that_lead_nowhere_are_refused_without_a_body() {
    let world = World::new();
    let create = r#"{"janus":"create","transaction":"t1"}"#;
    for (method, path, status) in [
        ("POST", "/janus/info", 400),  // 5
        ("POST", "/janus/ping", 400),  // 6
        ("GET", "/janus", 404),        // 7
        ("GET", "/janus/", 404),       // 8
        ("GET", "/other", 404),        // 9
        ("POST", "/other", 404),       // 9
        ("GET", "/janusian", 404),     // 9
        ("GET", "/janusping", 404),    // 9
        ("POST", "/janus/1/2/x", 404), // 20
        ("GET", "/janus/1/2/x", 404),  // 20
        ("PUT", "/janus/1/2/x", 404),  // 20
        ("GET", "/janus/999", 404),    // 23
        ("GET", "/janus/abc", 404),    // 24
        ("GET", "/janus/abc/1", 404),  // 24
        ("GET", "/janus/99999999999999999999", 404),
    ] {
        let answer = world.send(Port::Http, request(method, path, create)).await;
        assert!(answer.is_empty_with_cors(status), "{method} {path}: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn other_verbs_get_an_error_of_the_protocol() {
    let world = World::new();
    for (method, path) in [("PUT", "/janus"), ("DELETE", "/janus/5"), ("PATCH", "/other")] {
        for body in ["", "{}"] {
            let answer = world.send(Port::Http, request(method, path, body)).await;

            // Cases 10 and 11.
            assert_eq!(error(&answer.json(), 450), format!("Unsupported method {method}"));
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_post_is_a_bad_request() {
    let world = World::new();
    for path in ["/janus", "/janus/1", "/janus/1/2"] {
        let answer = world.send(Port::Http, request("POST", path, "")).await;

        // Case 12, where Janus cuts the connection.
        assert!(answer.is_empty_with_cors(400), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn malformed_bodies_are_parse_errors_without_a_transaction() {
    let world = World::new();
    let cases: [(&[u8], u64, &str); 14] = [
        (b"{", 454, "JSON error: on line 1: "),                          // 13
        (b"{\"janus\":\n\n\"ping\",,}", 454, "JSON error: on line 3: "), // 13
        (b"[1]", 455, "JSON error: not an object"),                      // 14
        (b"\"x\"", 454, "JSON error: on line 1: "),                      // 15
        (b"5", 454, "JSON error: on line 1: "),                          // 15
        (b"null", 454, "JSON error: on line 1: "),                       // 15
        (b"  ", 454, "JSON error: on line 1: "),
        (b"{} junk", 454, "JSON error: on line 1: "),
        (b"{}{}", 454, "JSON error: on line 1: "),
        (b"{\"janus\":\"p\xffng\"}", 454, "JSON error: on line 1: "),
        (b"{\"janus\":\n\"ping\\u0000\"}", 454, "JSON error: on line 2: "),
        (b"{\"janus\":\"ping\0\"}", 454, "JSON error: on line 1: "),
        (b"{\"id\":9223372036854775808}", 454, "JSON error: on line 1: "),
        (b"{\"a\":[{\"id\":-123456789012345678901234567890}]}", 454, "JSON error: on line 1: "),
    ];
    for (body, code, reason) in cases {
        let post = Request::post("/janus").body(Body::from(body)).unwrap();

        let reply = world.send(Port::Http, post).await.json();

        assert!(error(&reply, code).starts_with(reason), "{reply}");
        assert_eq!(reply.as_object().unwrap().len(), 2, "{reply}");
    }
    assert_eq!(world.transport.counters().refused, 14);
}

#[tokio::test(start_paused = true)]
async fn what_only_looks_malformed_is_accepted() {
    let world = World::new();
    for body in [
        r#"{"janus":"foo","janus":"ping","transaction":"t1"}"#, // of duplicate keys the last counts
        r#"{"janus":"ping","transaction":"t1","x":9223372036854775807,"y":-9223372036854775808}"#,
        r#"{"janus":"ping","transaction":"t1","x":99999999999999999999.0,"y":1e30,"z":-0.5E-3}"#,
        r#"{"janus":"ping","transaction":"t1","99999999999999999999":"\"99999999999999999999\\"}"#,
        r#"{"janus":"ping","transaction":"t1","x":"\\u0000"}"#, // a backslash, not a NUL
        "\r\n\t {\"janus\":\"ping\",\"transaction\":\"t1\"} \n",
    ] {
        let reply = world.send(Port::Http, request("POST", "/janus", body)).await.json();
        assert_eq!(reply, json!({"janus": "pong", "transaction": "t1"}), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_content_type_is_not_checked() {
    let world = World::new();
    let beacon = Request::post("/janus")
        .header("Content-Type", "text/plain;charset=UTF-8")
        .body(Body::from(r#"{"janus":"create","transaction":"t1"}"#))
        .unwrap();

    let reply = world.send(Port::Http, beacon).await.json();

    // Case 16, and client expectation 5: no session_id.
    assert!(id(&reply) > 0);
    assert_eq!(reply.get("session_id"), None);
}

#[tokio::test(start_paused = true)]
async fn ids_of_path_and_body_must_agree() {
    let world = World::new();
    let session = world.create_session().await;
    let attach = json!({"janus": "attach", "plugin": "janus.plugin.audiobridge", "transaction": "t1"});
    // The ids are taken from the path where the body has none (case 19), null, or zero.
    let handle = id(&world.post(&format!("/janus/{session}"), attach).await);
    for ids in [json!({}), json!({"session_id": 0}), json!({"session_id": null, "handle_id": handle})] {
        let mut keepalive = ids.clone();
        keepalive["janus"] = "keepalive".into();
        keepalive["transaction"] = "t1".into();
        let reply = world.post(&format!("/janus/{session}/{handle}"), keepalive).await;
        assert_eq!(reply, json!({"janus": "ack", "session_id": session, "transaction": "t1"}), "{ids}");
    }

    // Case 21: or from the body alone.
    let keepalive = json!({"janus": "keepalive", "transaction": "t1", "session_id": session});
    assert_eq!(world.post("/janus", keepalive).await["janus"], "ack");

    // Cases 17 and 18.
    let other = json!({"janus": "keepalive", "transaction": "t1", "session_id": 1});
    let reply = world.post(&format!("/janus/{session}"), other).await;
    assert_eq!(error(&reply, 457), "Conflicting session ID (payload and path)");
    assert_eq!(reply.get("transaction"), None);
    let other = json!({"janus": "keepalive", "transaction": "t1", "handle_id": handle + 1});
    let reply = world.post(&format!("/janus/{session}/{handle}"), other).await;
    assert_eq!(error(&reply, 457), "Conflicting handle ID (payload and path)");
    assert_eq!(reply.get("transaction"), None);
}

#[tokio::test(start_paused = true)]
async fn get_below_a_session_redirects_to_it_and_keeps_it_alive() {
    let world = World::new();
    let session = world.create_session().await;

    for _ in 0..3 {
        pass(Duration::from_secs(50)).await;
        let answer = world.get(&format!("/janus/{session}/55?maxev=3")).await;

        // Case 22.
        assert!(answer.is_empty_with_cors(302), "{answer:?}");
        assert_eq!(answer.header("location"), Some(format!("/janus/{session}").as_str()));
    }
    let keepalive = json!({"janus": "keepalive", "transaction": "t1"});
    assert_eq!(world.post(&format!("/janus/{session}"), keepalive).await["janus"], "ack");
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_limit_is_refused() {
    let world = World::new();
    let padding = "x".repeat(300 * 1024);
    let body = json!({"janus": "ping", "transaction": "t1", "padding": padding}).to_string();

    let answer = world.send(Port::Http, request("POST", "/janus", &body)).await;

    assert!(answer.is_empty_with_cors(413), "{}", answer.status);
}

#[tokio::test(start_paused = true)]
async fn a_configured_origin_is_named_in_every_answer() {
    let config = TransportConfig { allow_origins: vec!["http://a".into()], ..Default::default() };
    let world = World::with(Config::default(), config);
    for (path, status) in [("/janus/ping", 200), ("/janus/5", 404)] {
        let answer = world.get(path).await;

        // Case 40.
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), Some("http://a"));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(answer.header("vary"), Some("Origin"));
    }
}

#[tokio::test(start_paused = true)]
async fn each_of_several_origins_is_told_its_own_name() {
    let allow_origins = vec!["http://a".into(), "https://b:8443".into()];
    let world = World::with(Config::default(), TransportConfig { allow_origins, ..Default::default() });
    for (origin, told) in [("http://a", "http://a"), ("https://b:8443", "https://b:8443"), ("http://evil", "http://a")]
    {
        let get = Request::get("/janus/ping").header("Origin", origin).body(Body::empty()).unwrap();
        let answer = world.send(Port::Http, get).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(told), "{origin}");
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_are_written_as_configured() {
    let json = JsonStyles { http: JsonStyle::Plain, ..Default::default() };
    let world = World::with(Config::default(), TransportConfig { json, ..Default::default() });
    let ping = request("POST", "/janus", r#"{"janus":"ping","transaction":"t1"}"#);
    assert_eq!(world.send(Port::Http, ping).await.body, br#"{"janus": "pong", "transaction": "t1"}"#);
    let malformed = world.send(Port::Http, request("POST", "/janus", "[]")).await;
    assert!(malformed.body.starts_with(br#"{"janus": "error", "error": {"code": 455, "#), "{malformed:?}");
    let session = world.create_session().await;
    let handle = world.queue_events(session, 1).await[0];
    let events = world.get(&format!("/janus/{session}?maxev=5")).await;
    let expected = format!(r#"[{{"janus": "detached", "session_id": {session}, "sender": {handle}}}]"#);
    assert_eq!(String::from_utf8(events.body).unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn an_enforced_origin_keeps_others_out() {
    let config = TransportConfig { allow_origins: vec!["http://a".into()], enforce_cors: true, ..Default::default() };
    let world = World::with(Config::default(), config);
    // Case 41; a referer stands in for a missing origin, and what only begins like the origin is another.
    for (header, value, status) in [
        ("Origin", "http://evil", 403),
        ("X-None", "http://a", 403),
        ("Referer", "http://evil/a", 403),
        ("Referer", "http://a/page", 200),
        ("Origin", "http://a", 200),
        ("Origin", "http://a:8080", 403),
        ("Origin", "http://a.evil", 403),
        ("Referer", "http://a.evil/page", 403),
        ("Referer", "http://a", 200),
    ] {
        let get = Request::get("/janus/ping").header(header, value).body(Body::empty()).unwrap();
        let answer = world.send(Port::Http, get).await;
        assert_eq!(answer.status, status, "{header}: {value}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("http://a"));
        assert_eq!(answer.body.is_empty(), status == 403);
    }
}

#[tokio::test(start_paused = true)]
async fn the_base_path_can_be_chosen() {
    let config = TransportConfig { base_path: "/audio/api/".into(), ..Default::default() };
    let world = World::with(Config::default(), config);
    assert_eq!(world.get("/audio/api/ping").await.json()["janus"], "pong");
    assert!(world.get("/janus/ping").await.is_empty_with_cors(404));
    let create = json!({"janus": "create", "transaction": "t1"});
    let session = id(&world.post("/audio/api", create).await);
    let answer = world.get(&format!("/audio/api/{session}/1")).await;
    assert_eq!(answer.header("location"), Some(format!("/audio/api/{session}").as_str()));
}

#[tokio::test(start_paused = true)]
async fn pages_are_served_beside_the_api() {
    let (commands, _media) = mpsc::unbounded_channel();
    let (_events, told) = mpsc::channel(1);
    let transport =
        Transport::spawn(core(Config::default()), commands, told, mpsc::channel(1).0, TransportConfig::default());
    let pages = Router::new().route("/", get(|| async { "a page" }));
    let router = transport.http_router(pages);

    let page = Answer::read(router.clone().oneshot(request("GET", "/", "")).await.unwrap()).await;
    let pong = Answer::read(router.oneshot(request("GET", "/janus/ping", "")).await.unwrap()).await;

    assert_eq!(page.body, b"a page");
    assert_eq!(pong.json()["janus"], "pong");
}

#[tokio::test(start_paused = true)]
async fn a_core_that_takes_too_long_is_given_up() {
    // The core's task lives on a runtime that nobody drives, so that it never gets to answer.
    let stalled = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (commands, _media) = mpsc::unbounded_channel();
    let (_events, told) = mpsc::channel(1);
    let guard = stalled.enter();
    let transport =
        Transport::spawn(core(Config::default()), commands, told, mpsc::channel(1).0, TransportConfig::default());
    drop(guard);
    let start = transport_support::now();

    let answer = transport.http_router(Router::new()).oneshot(request("GET", "/janus/ping", "")).await.unwrap();
    let answer = Answer::read(answer).await;

    // Case 42, with a status where Janus cuts the connection.
    assert!(answer.is_empty_with_cors(StatusCode::GATEWAY_TIMEOUT.as_u16()), "{answer:?}");
    assert_eq!((transport_support::now() - start).as_secs(), 10);
    stalled.shutdown_background();
}
