//! A configuration that is read again while the server runs: all of it or nothing, and nobody is disturbed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::{FREE_PORTS, Plenum, plenum, post, request};

/// What the server starts with; the files lie in the same folder.
const FIRST: &str = "\
[log]
filter = \"info\"
[http]
allow_origin = [\"https://a.example\"]
[admin]
token.file = \"@/token\"
secret = \"overlord\"
[signaling]
session_timeout = 60
[media]
port = 0
[[rooms]]
room = 1
pin = \"4711\"
";

#[test]
fn what_can_change_changes_and_the_rest_waits() {
    let mut server = Server::start("changes");
    let session = server.janus(json!({"janus": "create", "transaction": "t"}))["data"]["id"].clone();
    server.write("token", "second\n");
    server.write(
        "plenum.toml",
        &FIRST
            .replace("a.example", "b.example")
            .replace("\"overlord\"", "\"overlady\"")
            .replace("session_timeout = 60", "session_timeout = 90\nserver_name = \"Hall\"\nstring_ids = true")
            .replace("pin = \"4711\"", "pin = \"0815\"\n[[rooms]]\nroom = 2\ndescription = \"Two\"\npin = \"1\"\n")
            .replace("[log]", "[limits]\nrooms = 2\n[log]"),
    );

    let reload = server.reload("first");

    let change = |key: &str, old: Value, new: Value| json!({"key": key, "old": old, "new": new});
    let (hidden, nothing) = (json!("(a secret)"), Value::Null);
    assert_eq!(
        reload,
        json!({
            "changed": [
                change("admin.secret", hidden.clone(), hidden.clone()),
                change("admin.token", hidden.clone(), hidden.clone()),
                change("http.allow_origin", json!("[\"https://a.example\"]"), json!("[\"https://b.example\"]")),
                change("limits.rooms", json!("1000000"), json!("2")),
                change("rooms.2", nothing, json!("\"Two\"")),
                change("signaling.server_name", json!("\"Plenum\""), json!("\"Hall\"")),
                change("signaling.session_timeout", json!("60"), json!("90")),
            ],
            "restart": [
                change("rooms.1.pin", hidden.clone(), hidden),
                change("signaling.string_ids", json!("false"), json!("true")),
            ],
        })
    );
    // The token that was good a moment ago is not any more, and what waits for a restart is told again.
    assert_eq!(server.status("POST /v1/config/reload", "first"), 401);
    let again = server.reload("second");
    assert_eq!((&again["changed"], again["restart"].as_array().unwrap().len()), (&json!([]), 2));
    // Who was here before is not disturbed.
    let kept = server.janus(json!({"janus": "keepalive", "session_id": session, "transaction": "t"}));
    assert_eq!(kept["janus"], "ack");
    let info = server.get("/janus/info");
    assert!(info.contains("access-control-allow-origin: https://b.example\r\n"), "{info}");
    assert!(info.contains(r#""server-name":"Hall""#) && info.contains(r#""session-timeout":90"#), "{info}");
    assert_eq!(server.admin("overlord", json!({"janus": "get_status"}))["error"]["code"], 403);
    let rooms = server.admin("overlady", bridge(json!({"request": "list"})));
    assert_eq!(rooms["response"]["list"][1]["description"], "Two");
    let third = server.admin("overlady", bridge(json!({"request": "create", "room": 3})));
    assert_eq!(third["response"]["error"], "Too many rooms (max 2)");
}

#[test]
fn a_wrong_file_changes_nothing() {
    let mut server = Server::start("wrong");
    server.write("plenum.toml", &FIRST.replace("session_timeout = 60", "session_timeout = 5\nsession_timeuot = 6"));

    let refused = server.ask("POST /v1/config/reload", "first");

    assert!(refused.starts_with("HTTP/1.1 422 "), "{refused}");
    let message =
        format!("{} line 10: signaling.session_timeuot: must be left out", server.path("plenum.toml").display());
    assert!(refused.contains("urn:plenum:problem:configuration-refused") && refused.contains(&message), "{refused}");
    assert!(server.get("/janus/info").contains(r#""session-timeout":60"#));

    server.write("plenum.toml", FIRST);
    std::fs::remove_file(server.path("token")).unwrap();
    let refused = server.ask("POST /v1/config/reload", "first");
    assert!(refused.contains("line 6: admin.token: must be a secret, or a file"), "{refused}");
    assert_eq!(server.status("GET /v1/rooms", "first"), 200);
}

#[test]
fn a_hangup_reloads_and_the_log_tells_it_without_secrets() {
    let mut server = Server::start("hangup");
    server.write("token", "confidential");
    server.write("plenum.toml", &FIRST.replace("port = 0", "port = 9"));

    let pid = server.plenum.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());

    let log = server.plenum.log_until("needs a restart");
    assert!(log.contains("configuration changed key=\"admin.token\" old=\"(a secret)\" new=\"(a secret)\""), "{log}");
    assert!(log.contains("needs a restart key=\"media.port\""), "{log}");
    assert!(!log.contains("confidential") && !log.contains("overlord"), "{log}");
    assert_eq!(server.status("GET /v1/rooms", "confidential"), 200);
}

#[test]
fn the_command_reloads_and_says_what_came_of_it() {
    let server = Server::start("command");
    let port = format!("admin.port={}", server.plenum.admin().rsplit(':').next().unwrap());
    let file = server.path("plenum.toml");
    let reload = || {
        let output = plenum().arg("reload").arg("--config").arg(&file).args(["--set", &port]).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };

    assert_eq!(reload(), (Some(0), "The configuration has not changed.\n".to_owned(), String::new()));
    server.write(
        "plenum.toml",
        &FIRST.replace("session_timeout = 60", "session_timeout = 90").replace("port = 0", "port = 9"),
    );
    let (_, said, _) = reload();
    assert_eq!(said, "signaling.session_timeout: 60 -> 90\nmedia.port: 0 -> 9 (needs a restart)\n");
    server.write("token", "another");
    let (code, _, complaint) = reload();
    assert_eq!(code, Some(1));
    assert!(complaint.contains("SIGHUP"), "{complaint}");
}

/// A running server with a folder of its own.
struct Server {
    folder: PathBuf,
    plenum: Plenum,
}

impl Server {
    fn start(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reload-{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("token"), "first\n").unwrap();
        std::fs::write(folder.join("plenum.toml"), FIRST.replace('@', folder.to_str().unwrap())).unwrap();
        let sets = FREE_PORTS.iter().filter(|set| **set != "media.port=0").flat_map(|set| ["--set", set]);
        let mut command = plenum();
        // The media port is not set here: a flag would hide what the file says of it.
        command.arg("--config").arg(folder.join("plenum.toml")).args(sets);
        let mut plenum = Plenum::spawn(&mut command);
        plenum.page();
        Self { folder, plenum }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text.replace('@', self.folder.to_str().unwrap())).unwrap();
    }

    /// The answer of the REST API.
    fn ask(&self, line: &str, token: &str) -> String {
        use std::io::Read as _;
        let line = format!("{line} HTTP/1.1\r\nAuthorization: Bearer {token}");
        let mut answer = String::new();
        request(&self.plenum.admin(), &line, "").read_to_string(&mut answer).unwrap();
        answer
    }

    fn status(&self, line: &str, token: &str) -> u16 {
        self.ask(line, token).split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn reload(&self, token: &str) -> Value {
        let answer = self.ask("POST /v1/config/reload", token);
        body(&answer)
    }

    fn get(&mut self, path: &str) -> String {
        support::get(self.plenum.page(), path)
    }

    fn janus(&mut self, message: Value) -> Value {
        body(&post(self.plenum.page(), "/janus", &message.to_string()))
    }

    fn admin(&self, secret: &str, mut message: Value) -> Value {
        message["transaction"] = "t".into();
        message["admin_secret"] = secret.into();
        body(&post(&self.plenum.admin(), "/admin", &message.to_string()))
    }
}

fn bridge(request: Value) -> Value {
    json!({"janus": "message_plugin", "plugin": "janus.plugin.audiobridge", "request": request})
}

fn body(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
}
