//! The binary as balancers and service managers meet it: how well it is, how it drains, how it ends.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use support::{FREE_PORTS, Plenum, get, plenum, post};

const TOKEN: &str = "admin.token=t";

/// A server with one participant in the Demo Room.
struct Call {
    plenum: Plenum,
    page: String,
    /// Where its client's session is.
    session: String,
    handle: String,
}

impl Call {
    fn start(settings: &[&str]) -> Self {
        let settings: Vec<&str> = FREE_PORTS.into_iter().chain([TOKEN]).chain(settings.iter().copied()).collect();
        let mut plenum = Plenum::start(&settings);
        let page = plenum.page().to_owned();
        let session = format!("/janus/{}", made(&page, "/janus", json!({"janus": "create", "transaction": "t"})));
        let attach = json!({"janus": "attach", "plugin": "janus.plugin.audiobridge", "transaction": "t"});
        let handle = format!("{session}/{}", made(&page, &session, attach));
        let call = Self { plenum, page, session, handle };
        call.say(json!({"request": "join", "room": 1234}));
        while call.ready().0 == 200 && call.drain_status()["participants"] != 1 {}
        call
    }

    fn say(&self, body: Value) {
        let message = json!({"janus": "message", "transaction": "t", "body": body});
        post(&self.page, &self.handle, &message.to_string());
    }

    fn ready(&self) -> (u16, Value) {
        answer(&get(&self.plenum.admin(), "/readyz"))
    }

    fn drain_status(&self) -> Value {
        serde_json::from_str(&self.command(&["drain", "status", "--json"]).0).unwrap()
    }

    /// What `plenum` says to such arguments, and whether it is content.
    fn command(&self, arguments: &[&str]) -> (String, bool) {
        let port = format!("admin.port={}", self.plenum.admin().rsplit(':').next().unwrap());
        let output = plenum().args(arguments).args(["--set", TOKEN, "--set", &port]).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.success())
    }
}

/// The id of what a request makes.
fn made(page: &str, path: &str, request: Value) -> u64 {
    answer(&post(page, path, &request.to_string())).1["data"]["id"].as_u64().unwrap()
}

/// Status and JSON of a response.
fn answer(response: &str) -> (u16, Value) {
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

fn signal(plenum: &Plenum, name: &str) {
    assert!(Command::new("kill").args([name, &plenum.id().to_string()]).status().unwrap().success());
}

#[test]
fn who_is_well_says_so_to_everybody() {
    let mut plenum = Plenum::start(&FREE_PORTS);
    plenum.page();
    let admin = plenum.admin();
    assert_eq!(answer(&get(&admin, "/livez")), (200, json!({"live": true, "stuck": []})));
    assert_eq!(answer(&get(&admin, "/startupz")).0, 200);
    assert_eq!(answer(&get(&admin, "/readyz")), (200, json!({"ready": true, "reasons": []})));
    let refuse = r#"{"janus":"accept_new_sessions","transaction":"t","accept":false}"#;
    post(&admin, "/admin", refuse);
    assert_eq!(answer(&get(&admin, "/readyz")), (503, json!({"ready": false, "reasons": ["no new sessions"]})));
    assert_eq!(plenum.terminate().code(), Some(0));
}

#[test]
fn after_sigterm_the_call_goes_on_and_the_process_ends_with_it() {
    let mut call = Call::start(&[]);
    signal(&call.plenum, "-TERM");
    while call.ready().0 == 200 {}
    assert_eq!(call.ready(), (503, json!({"ready": false, "reasons": ["draining"]})));
    let status = call.drain_status();
    assert_eq!((&status["rooms"], &status["participants"]), (&json!(1), &json!(1)));
    assert_eq!(answer(&get(&call.plenum.admin(), "/livez")).0, 200);
    assert!(get(&call.page, &format!("{}?maxev=9", call.session)).contains(r#""audiobridge":"joined""#));

    call.say(json!({"request": "leave"}));

    assert_eq!(call.plenum.wait().code(), Some(0));
}

#[test]
fn the_deadline_cuts_the_call_and_the_status_says_so() {
    let mut call = Call::start(&["drain.deadline=1"]);
    get(&call.page, &call.session);
    let (page, session) = (call.page.clone(), call.session.clone());
    let poll = std::thread::Builder::new().spawn(move || get(&page, &format!("{session}?maxev=9"))).unwrap();
    assert_eq!(call.plenum.terminate().code(), Some(3));
    assert!(poll.join().unwrap().contains(r#""janus":"detached""#));
}

#[test]
fn a_second_sigterm_ends_at_once() {
    let mut call = Call::start(&[]);
    signal(&call.plenum, "-TERM");
    while call.ready().0 == 200 {}
    assert_eq!(call.plenum.terminate().code(), Some(3));
}

#[test]
fn sigint_ends_at_once_with_status_0() {
    let mut call = Call::start(&[]);
    signal(&call.plenum, "-INT");
    assert_eq!(call.plenum.wait().code(), Some(0));
}

#[test]
fn the_command_drains_shows_and_undoes() {
    let mut call = Call::start(&[]);
    let (said, well) = call.command(&["drain", "--deadline", "600"]);
    assert!(well && said.starts_with("Draining: 1 participant in 1 room left; ends in "), "{said}");
    assert_eq!(call.ready().0, 503);
    assert_eq!(call.command(&["drain", "undo"]), ("Not draining: 1 participant in 1 room.\n".to_owned(), true));
    assert_eq!(call.ready().0, 200);
    // What was undone does not count: this is a first SIGTERM.
    signal(&call.plenum, "-TERM");
    while call.ready().0 == 200 {}
    assert!(call.command(&["drain", "--deadline", "0", "--wait"]).0.ends_with("The server has ended.\n"));
    assert_eq!(call.plenum.wait().code(), Some(3));
}

#[test]
fn without_a_token_the_command_says_what_to_do() {
    let mut plenum_ = Plenum::start(&FREE_PORTS);
    plenum_.page();
    let port = format!("admin.port={}", plenum_.admin().rsplit(':').next().unwrap());
    let output = plenum().args(["drain", "--set", &port]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("Set admin.token in the configuration"));
}

#[test]
fn the_service_manager_hears_how_it_goes() {
    let path = socket_path("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let arguments = FREE_PORTS.iter().flat_map(|set| ["--set", set]);
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "200000")];
    let mut plenum = Plenum::spawn(plenum().args(arguments).envs(environment));
    let hear = |what: &str| {
        let mut packet = [0; 512];
        (0..100).any(|_| {
            let length = manager.recv(&mut packet).unwrap();
            String::from_utf8_lossy(&packet[..length]).contains(what)
        })
    };
    assert!(hear("READY=1\nSTATUS=Serving"));
    assert!(hear("WATCHDOG=1"));
    plenum.page();
    assert_eq!(plenum.terminate().code(), Some(0));
    assert!(hear("STOPPING=1"));
}

fn socket_path(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("drain-{name}.sock"));
    let _ = std::fs::remove_file(&path);
    path
}
