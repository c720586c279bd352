//! The REST API of a started server: what a back-end gets for right and for wrong requests, beside Janus clients.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{EventStream, FREE_PORTS, Plenum};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const TOKEN: &str = "correct-horse-battery-staple";

#[tokio::test]
async fn every_operation_of_the_document_does_what_it_says() {
    let server = Server::start(Some(TOKEN));
    let client = Client::of(&server).await;
    let document = server.get("/v1/openapi.json").await.body;
    let mut tour = Tour { server: &server, document: &document, visited: BTreeSet::new() };

    let made = tour.go("POST", "/v1/rooms", "", Some(json!({"room": 1, "secret": "adm", "pin": "1"})), 201).await;
    assert_eq!((&made["room"], &made["secret_required"]), (&json!(1), &json!(true)));
    let wanted = Some(json!({"sampling_rate": 48000, "audiolevel_event": true, "spatial_audio": true}));
    let ensured = tour.go("PUT", "/v1/rooms/{room}", "/v1/rooms/2", wanted.clone(), 201).await;
    assert_eq!(tour.go("PUT", "/v1/rooms/{room}", "/v1/rooms/2", wanted, 200).await, ensured);
    let changes = Some(json!({"description": "Two", "muted": true, "pin": ""}));
    let edited = tour.go("PATCH", "/v1/rooms/{room}", "/v1/rooms/2", changes, 200).await;
    assert_eq!((&edited["description"], &edited["muted"]), (&json!("Two"), &json!(true)));
    assert_eq!(tour.go("GET", "/v1/rooms/{room}", "/v1/rooms/2", None, 200).await, edited);
    let page = tour.go("GET", "/v1/rooms", "/v1/rooms?limit=2", None, 200).await;
    assert_eq!((page["rooms"].as_array().unwrap().len(), &page["next"]), (2, &json!(2)));
    let rest = tour.go("GET", "/v1/rooms", "/v1/rooms?limit=2&after=2", None, 200).await;
    assert_eq!((&rest["rooms"][0]["room"], rest.get("next")), (&json!(1234), None));

    let ann = client.join(1, 11, "Ann").await;
    let bob = client.join(1, 12, "Bob").await;
    let server_seen = tour.watch("/v1/events", "/v1/events");
    assert_eq!(server_seen["rooms"][0]["num_participants"], 2);
    let room_seen = tour.watch("/v1/rooms/{room}/events", "/v1/rooms/1/events");
    assert_eq!((&room_seen["room"]["room"], &room_seen["participants"][1]["handle_id"]), (&json!(1), &json!(bob)));
    let participants = "/v1/rooms/{room}/participants";
    let listed = tour.go("GET", participants, "/v1/rooms/1/participants", None, 200).await;
    assert_eq!(listed["participants"][1]["display"], "Bob");
    let participant = "/v1/rooms/{room}/participants/{participant}";
    let muted = Some(json!({"muted": true}));
    tour.go("PATCH", participant, "/v1/rooms/1/participants/11", muted, 200).await;
    let read = tour.go("GET", participant, "/v1/rooms/1/participants/11", None, 200).await;
    assert_eq!(read["muted"], true);
    let move_ = "/v1/rooms/{room}/participants/{participant}/move";
    let moved = tour.go("POST", move_, "/v1/rooms/1/participants/11/move", Some(json!({"room": 2})), 200).await;
    assert_eq!((&moved["room"], &moved["id"], &moved["display"]), (&json!(2), &json!(11), &json!("Ann")));
    tour.go("DELETE", participant, "/v1/rooms/1/participants/12", None, 204).await;
    tour.go("DELETE", participants, "/v1/rooms/2/participants", None, 204).await;
    tour.go("DELETE", "/v1/rooms/{room}", "/v1/rooms/2", None, 204).await;
    client.join(1, 13, "Cid").await;
    let ordered = tour.go("PUT", "/v1/drain", "", Some(json!({"deadline": 60})), 200).await;
    let refused = server.ask("POST", "/v1/rooms", Some(json!({"room": 3}))).await;
    assert_eq!((refused.status, &refused.body["type"]), (503, &json!("urn:plenum:problem:not-now")));
    let progress = tour.go("GET", "/v1/drain", "", None, 200).await;
    assert_eq!((&ordered["draining"], &progress["draining"]), (&json!(true), &json!(true)));
    assert_eq!((&progress["participants"], &progress["rooms"]), (&json!(1), &json!(1)));
    let undone = tour.go("DELETE", "/v1/drain", "", None, 200).await;
    assert_eq!((&undone["draining"], undone.get("remaining")), (&json!(false), None));

    let reloaded = tour.go("POST", "/v1/config/reload", "", None, 200).await;
    assert_eq!(reloaded, json!({"changed": [], "restart": []}));

    let heard = client.events().await;
    for (handle, data) in [
        (ann, json!({"audiobridge": "roomchanged", "room": 2, "id": 11, "participants": []})),
        (bob, json!({"audiobridge": "event", "room": 1, "leaving": 11})),
        (bob, json!({"audiobridge": "event", "room": 1, "kicked": 12})),
        (ann, json!({"audiobridge": "event", "room": 2, "kicked_all": 11})),
    ] {
        assert!(heard.contains(&(handle, data.clone())), "{handle} {data} is not in {heard:?}");
    }
    assert_eq!(tour.visited, operations(&document), "what the document has and this test has not done");
}

#[tokio::test]
async fn only_the_right_token_opens_the_door() {
    let server = Server::start(Some(TOKEN));
    for (authorization, challenge) in [
        ("", r#"Bearer realm="plenum""#),
        ("Authorization: Basic Y29ycmVjdA==\r\n", r#"Bearer realm="plenum""#),
        ("Authorization: Bearer\r\n", r#"Bearer realm="plenum""#),
        ("Authorization: Bearer wrong\r\n", r#"Bearer realm="plenum", error="invalid_token""#),
        ("Authorization: Bearer correct-horse-battery-stapl\r\n", r#"Bearer realm="plenum", error="invalid_token""#),
        ("Authorization: Bearer correct-horse-battery-staplex\r\n", r#"Bearer realm="plenum", error="invalid_token""#),
    ] {
        for path in ["/v1/rooms", "/v1/nothing", "/v1/events", "/v1/rooms/1234/events"] {
            let refused = server.request("GET", path, authorization, "").await;
            assert_eq!(refused.status, 401, "{authorization}");
            assert_eq!(refused.header("www-authenticate"), Some(challenge));
            refused.is_problem("unauthorized");
        }
    }
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let authorization = format!("Authorization: {scheme} {TOKEN}\r\n");
        assert_eq!(server.request("GET", "/v1/rooms", &authorization, "").await.status, 200);
    }
}

#[tokio::test]
async fn without_a_configured_token_there_is_only_the_document() {
    let server = Server::start(None);
    for authorization in ["", "Authorization: Bearer\r\n", "Authorization: Bearer \r\n"] {
        let refused = server.request("GET", "/v1/rooms", authorization, "").await;
        assert_eq!(refused.status, 403);
        refused.is_problem("no-token-configured");
    }
    assert_eq!(server.get("/v1/openapi.json").await.status, 200);
}

#[tokio::test]
async fn the_page_comes_from_the_binary_and_asks_nobody_else() {
    let server = Server::start(Some(TOKEN));

    let page = server.request("GET", "/v1/docs/", "", "").await;

    assert_eq!(page.status, 200);
    let text = page.text.clone();
    assert!(!text.contains("http://") && !text.contains("https://"), "{text}");
    assert!(page.header("content-security-policy").unwrap().contains("script-src 'self';"));
    for file in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        assert_eq!(server.request("GET", &format!("/v1/docs/{file}"), "", "").await.status, 200, "{file}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_and_changes_nothing() {
    let server = Server::start(Some(TOKEN));
    let client = Client::of(&server).await;
    for room in [1, 2] {
        server.ask("PUT", &format!("/v1/rooms/{room}"), Some(json!({}))).await;
    }
    client.join(1, 11, "Ann").await;
    client.join(2, 11, "Eve").await;
    let before = server.ask("GET", "/v1/rooms", None).await.body;

    for (method, path, body, status, problem) in [
        ("POST", "/v1/rooms", json!({"room": "one"}), 400, "invalid-field"),
        ("POST", "/v1/rooms", json!({"room": 1}), 409, "room-exists"),
        ("POST", "/v1/rooms", json!({"rooom": 3}), 400, "unknown-field"),
        ("POST", "/v1/rooms", json!({"admin_key": "x"}), 400, "unknown-field"),
        ("POST", "/v1/rooms", json!({"pin": null}), 400, "invalid-field"),
        ("POST", "/v1/rooms", json!({"description": "x".repeat(5000)}), 400, "invalid-field"),
        ("POST", "/v1/rooms", json!({"sampling_rate": 44100}), 422, "refused"),
        ("POST", "/v1/rooms", json!([]), 400, "malformed-body"),
        ("POST", "/v1/rooms", json!({"description": "x".repeat(300_000)}), 413, "too-large"),
        ("PUT", "/v1/rooms/1", json!({"pin": "1"}), 409, "room-exists"),
        ("PUT", "/v1/rooms/1", json!({"room": 2}), 400, "invalid-field"),
        ("PUT", "/v1/rooms/one", json!({}), 400, "invalid-field"),
        ("PUT", "/v1/rooms/0", json!({}), 400, "invalid-field"),
        ("PATCH", "/v1/rooms/1", json!({"sampling_rate": 8000}), 400, "unknown-field"),
        ("PATCH", "/v1/rooms/1", json!({"muted": 1}), 400, "invalid-field"),
        ("PATCH", "/v1/rooms/1", json!({"muted": true, "pin": 1}), 400, "invalid-field"),
        ("PATCH", "/v1/rooms/1", json!({"secret": ""}), 400, "invalid-field"),
        ("PATCH", "/v1/rooms/9", json!({"muted": true}), 404, "no-such-room"),
        ("GET", "/v1/rooms/9", Value::Null, 404, "no-such-room"),
        ("GET", "/v1/rooms/%ff", Value::Null, 404, "not-found"),
        ("GET", "/v1/rooms?limit=0", Value::Null, 400, "invalid-query"),
        ("GET", "/v1/rooms?limit=1001", Value::Null, 400, "invalid-query"),
        ("GET", "/v1/rooms?limit=ten", Value::Null, 400, "invalid-query"),
        ("GET", "/v1/rooms?page=2", Value::Null, 400, "invalid-query"),
        ("GET", "/v1/rooms?after=one", Value::Null, 400, "invalid-field"),
        ("DELETE", "/v1/rooms/9", Value::Null, 404, "no-such-room"),
        ("DELETE", "/v1/rooms/1?permanent=yes", Value::Null, 400, "invalid-query"),
        ("DELETE", "/v1/rooms", Value::Null, 405, "method-not-allowed"),
        ("GET", "/v1/rooms/9/participants", Value::Null, 404, "no-such-room"),
        ("GET", "/v1/rooms/1/participants/9", Value::Null, 404, "no-such-participant"),
        ("GET", "/v1/rooms/1/participants/me", Value::Null, 400, "invalid-field"),
        ("PATCH", "/v1/rooms/1/participants/11", json!({}), 400, "missing-field"),
        ("PATCH", "/v1/rooms/1/participants/11", json!({"muted": "yes"}), 400, "invalid-field"),
        ("PATCH", "/v1/rooms/1/participants/9", json!({"muted": true}), 404, "no-such-participant"),
        ("DELETE", "/v1/rooms/1/participants/9", Value::Null, 404, "no-such-participant"),
        ("DELETE", "/v1/rooms/9/participants", Value::Null, 404, "no-such-room"),
        ("POST", "/v1/rooms/1/participants/11/move", json!({}), 400, "missing-field"),
        ("POST", "/v1/rooms/1/participants/11/move", json!({"room": 9}), 404, "no-such-room"),
        ("POST", "/v1/rooms/1/participants/11/move", json!({"room": 1}), 409, "already-there"),
        ("POST", "/v1/rooms/1/participants/11/move", json!({"room": 2, "id": 11}), 409, "participant-exists"),
        ("GET", "/v1/rooms/1/participants/11/move", Value::Null, 405, "method-not-allowed"),
        ("GET", "/v1/nothing", Value::Null, 404, "not-found"),
    ] {
        let body = (!body.is_null()).then_some(body);
        let refused = server.ask(method, path, body).await;
        assert_eq!(refused.status, status, "{method} {path}: {}", refused.text);
        refused.is_problem(problem);
    }
    assert_eq!(server.ask("GET", "/v1/rooms", None).await.body, before);
    assert_eq!(server.ask("GET", "/v1/rooms/1/participants/11", None).await.body["muted"], false);
}

#[tokio::test]
async fn a_body_is_json_and_says_so() {
    let server = Server::start(Some(TOKEN));
    let json = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: application/json; charset=utf-8\r\n");
    let plain = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: text/plain\r\n");
    let untyped = format!("Authorization: Bearer {TOKEN}\r\n");

    for headers in [&plain, &untyped] {
        let refused = server.request("PUT", "/v1/rooms/1", headers, "{}").await;
        assert_eq!(refused.status, 415);
        refused.is_problem("media-type");
    }
    for body in ["{", "{\"pin\":}", "null", "7", "\u{0}", "{\"pin\":\"1\"} {}"] {
        let refused = server.request("PUT", "/v1/rooms/1", &json, body).await;
        assert_eq!(refused.status, 400, "{body}");
        refused.is_problem("malformed-body");
    }
    assert_eq!(server.request("PUT", "/v1/rooms/1", &json, "{}").await.status, 201);
    assert_eq!(server.request("PUT", "/v1/rooms/1", &untyped, "").await.status, 200, "nothing is an empty object");
}

#[tokio::test]
async fn the_audiobridge_s_own_words_are_in_the_problem() {
    let server = Server::start(Some(TOKEN));

    let refused = server.ask("GET", "/v1/rooms/9", None).await;

    let expected = json!({
        "type": "urn:plenum:problem:no-such-room", "title": "There is no such room", "status": 404,
        "detail": "No such room (9)", "error_code": 485,
    });
    assert_eq!(refused.body, expected);
}

#[tokio::test]
async fn a_room_is_made_by_one_of_many_who_ask_at_once() {
    let server = Server::start(Some(TOKEN));
    let by_rest = (0..20).map(|_| {
        let admin = server.admin.clone();
        tokio::spawn(async move { authorized(&admin, "PUT", "/v1/rooms/7", Some(json!({}))).await })
    });
    let by_janus = (0..20).map(|_| {
        let http = server.http.clone();
        tokio::spawn(async move {
            let client = Client::at(&http).await;
            let handle = client.attach().await;
            client.message(handle, json!({"request": "create", "room": 7})).await["plugindata"]["data"].take()
        })
    });
    let (by_rest, by_janus): (Vec<_>, Vec<_>) = (by_rest.collect(), by_janus.collect());

    let mut made = 0;
    for response in by_rest {
        let status = response.await.unwrap().status;
        assert!([200, 201].contains(&status), "{status}");
        made += usize::from(status == 201);
    }
    for data in by_janus {
        let data = data.await.unwrap();
        assert!(data["audiobridge"] == "created" || data["error_code"] == 486, "{data}");
        made += usize::from(data["audiobridge"] == "created");
    }
    assert_eq!(made, 1);
}

#[tokio::test]
async fn back_ends_and_clients_work_on_the_same_rooms_at_the_same_time() {
    let server = Server::start(Some(TOKEN));
    let workers: Vec<_> = (0..8_u64)
        .map(|worker| {
            let (admin, http) = (server.admin.clone(), server.http.clone());
            tokio::spawn(async move {
                let client = Client::at(&http).await;
                for round in 0..10 {
                    let room = 100 * worker + round + 1;
                    let path = format!("/v1/rooms/{room}");
                    assert_eq!(authorized(&admin, "PUT", &path, Some(json!({}))).await.status, 201);
                    client.join(room, 5, "Ann").await;
                    let away = json!({"room": 1234, "id": room});
                    let moved = authorized(&admin, "POST", &format!("{path}/participants/5/move"), Some(away)).await;
                    assert_eq!(moved.status, 200, "{}", moved.text);
                    assert_eq!(authorized(&admin, "DELETE", &path, None).await.status, 204);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }

    assert_eq!(server.ask("GET", "/v1/rooms/1234", None).await.body["num_participants"], 80);
    assert_eq!(server.ask("GET", "/v1/rooms", None).await.body["rooms"].as_array().unwrap().len(), 1);
}

/// A walk through the operations of the document, which checks each answer against it.
struct Tour<'a> {
    server: &'a Server,
    document: &'a Value,
    visited: BTreeSet<String>,
}

impl Tour<'_> {
    /// `path` is that of the document, `target` what it is here (empty = the same).
    async fn go(&mut self, method: &str, path: &str, target: &str, body: Option<Value>, status: u16) -> Value {
        let target = if target.is_empty() { path } else { target };
        let response = self.server.ask(method, target, body.clone()).await;
        assert_eq!(response.status, status, "{method} {target}: {}", response.text);
        let operation = &self.document["paths"][path][method.to_lowercase()];
        self.visited.insert(operation["operationId"].as_str().unwrap().to_owned());
        if let Some(body) = body {
            self.conforms(&body, &operation["requestBody"]["content"]["application/json"]["schema"]);
        }
        let described = &operation["responses"][status.to_string()];
        assert!(described.is_object(), "{method} {path} does not document {status}");
        match described.get("content") {
            Some(content) => self.conforms(&response.body, &content["application/json"]["schema"]),
            None => assert_eq!(response.text, ""),
        }
        response.body
    }

    /// The first event of a stream.
    fn watch(&mut self, path: &str, target: &str) -> Value {
        let (event, data) = EventStream::open(&self.server.admin, target, TOKEN).next();
        assert_eq!(event, "snapshot");
        let operation = &self.document["paths"][path]["get"];
        self.visited.insert(operation["operationId"].as_str().unwrap().to_owned());
        let data = serde_json::from_str(&data).unwrap();
        self.conforms(&data, &operation["responses"]["200"]["content"]["text/event-stream"]["schema"]);
        data
    }

    /// The part of JSON Schema that the document uses.
    fn conforms(&self, value: &Value, schema: &Value) {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.conforms(value, self.document.pointer(&reference[1..]).unwrap());
        }
        if schema["allOf"].is_array() {
            return self.conforms(value, &self.joined(schema));
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let is_null = |choice: &Value| choice["type"] == "null";
            if choices.iter().any(is_null) {
                return choices.iter().filter(|it| !is_null(it)).for_each(|choice| self.conforms(value, choice));
            }
            assert!(!choices.is_empty());
            return assert!(value.is_string() || value.is_u64(), "{value} is no id");
        }
        let kinds = &schema["type"];
        let kinds: Vec<&str> = match kinds.as_str() {
            Some(kind) => vec![kind],
            None => kinds.as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect(),
        };
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) if kinds.contains(&"number") => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        assert!(kinds.contains(&kind), "{value} is none of {kinds:?}");
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.conforms(item, &schema["items"])),
            Value::Object(fields) => {
                for name in schema["required"].as_array().into_iter().flatten() {
                    assert!(fields.contains_key(name.as_str().unwrap()), "{name} is not in {value}");
                }
                for (name, value) in fields {
                    let property = &schema["properties"][name];
                    assert!(property.is_object(), "{name} is not documented");
                    self.conforms(value, property);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The schema of what has the properties of all these.
    fn joined(&self, schema: &Value) -> Value {
        let mut joined = json!({"type": "object", "required": [], "properties": {}});
        for part in schema["allOf"].as_array().unwrap() {
            let part = part["$ref"].as_str().map_or(part, |path| self.document.pointer(&path[1..]).unwrap());
            joined["required"].as_array_mut().unwrap().extend(part["required"].as_array().unwrap().clone());
            joined["properties"].as_object_mut().unwrap().extend(part["properties"].as_object().unwrap().clone());
        }
        joined
    }
}

fn operations(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    operations.map(|operation| operation["operationId"].as_str().unwrap().to_owned()).collect()
}

/// A running server with its Demo Room.
struct Server {
    _process: Plenum,
    /// `host:port` of the Janus API.
    http: String,
    /// `host:port` of the REST API.
    admin: String,
}

impl Server {
    fn start(token: Option<&str>) -> Self {
        let token = token.map(|token| format!("admin.token={token}"));
        let settings: Vec<&str> = FREE_PORTS.into_iter().chain(token.as_deref()).collect();
        let mut process = Plenum::start(&settings);
        let http = process.page().to_owned();
        Self { admin: process.admin(), http, _process: process }
    }

    async fn get(&self, path: &str) -> Response {
        self.request("GET", path, "", "").await
    }

    /// With the right token.
    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Response {
        authorized(&self.admin, method, path, body).await
    }

    async fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> Response {
        request(&self.admin, method, path, headers, body).await
    }
}

async fn authorized(admin: &str, method: &str, path: &str, body: Option<Value>) -> Response {
    let headers = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n");
    request(admin, method, path, &headers, &body.map(|body| body.to_string()).unwrap_or_default()).await
}

async fn request(host: &str, method: &str, path: &str, headers: &str, body: &str) -> Response {
    let mut stream = TcpStream::connect(host).await.unwrap();
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}");
    stream.write_all(format!("{head}Content-Length: {length}\r\n\r\n{body}").as_bytes()).await.unwrap();
    let mut response = Vec::new();
    // A server that has refused a body need not read it, and may reset the connection.
    let _ = stream.read_to_end(&mut response).await;
    let response = String::from_utf8_lossy(&response).into_owned();
    let (head, text) = response.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = serde_json::from_str(text).unwrap_or_default();
    Response { status, head: head.to_owned(), text: text.to_owned(), body }
}

struct Response {
    status: u16,
    head: String,
    text: String,
    /// Null where it is not JSON.
    body: Value,
}

impl Response {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn is_problem(&self, kind: &str) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text);
        assert_eq!(self.body["type"], format!("urn:plenum:problem:{kind}"), "{}", self.text);
        assert_eq!(self.body["status"], self.status);
        assert!(self.body["title"].is_string());
    }
}

/// A client of the Janus API.
struct Client {
    http: String,
    session: u64,
}

impl Client {
    async fn of(server: &Server) -> Self {
        Self::at(&server.http).await
    }

    async fn at(http: &str) -> Self {
        let client = Self { http: http.to_owned(), session: 0 };
        let created = client.post("/janus", json!({"janus": "create", "transaction": "t"})).await;
        Self { session: created["data"]["id"].as_u64().unwrap(), ..client }
    }

    async fn attach(&self) -> u64 {
        let attach = json!({"janus": "attach", "transaction": "t", "plugin": "janus.plugin.audiobridge"});
        self.post(&format!("/janus/{}", self.session), attach).await["data"]["id"].as_u64().unwrap()
    }

    /// A new handle, in a room.
    async fn join(&self, room: u64, id: u64, display: &str) -> u64 {
        let handle = self.attach().await;
        let join = json!({"request": "join", "room": room, "id": id, "display": display, "pin": "1"});
        assert_eq!(self.message(handle, join).await["janus"], "ack");
        handle
    }

    async fn message(&self, handle: u64, body: Value) -> Value {
        let message = json!({"janus": "message", "transaction": "t", "body": body});
        self.post(&format!("/janus/{}/{handle}", self.session), message).await
    }

    /// What the AudioBridge told which handle.
    async fn events(&self) -> Vec<(u64, Value)> {
        let path = format!("/janus/{}?maxev=100", self.session);
        let response = request(&self.http, "GET", &path, "", "").await;
        let events = response.body.as_array().unwrap().iter();
        events
            .map(|event| (event["sender"].as_u64().unwrap_or_default(), event["plugindata"]["data"].clone()))
            .collect()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        request(&self.http, "POST", path, "", &body.to_string()).await.body
    }
}
