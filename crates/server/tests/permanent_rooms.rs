//! Rooms that are permanent are there again, whatever ended the process; and what cannot be kept is not called permanent.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use support::{FREE_PORTS, Plenum, run_to_the_end, try_request};

#[test]
fn every_property_is_there_again() {
    let directory = directory("properties");
    let everything = json!({"request": "create", "room": 7, "permanent": true, "description": "Ünï \"7\"\n", "secret": "adm",
        "pin": "", "is_private": false, "allowed": ["b", "a"], "sampling_rate": 48000, "spatial_audio": true,
        "audiolevel_event": true, "audio_active_packets": 10, "audio_level_average": 40, "default_expectedloss": 5,
        "default_bitrate": 32000, "allow_rtp_participants": true, "groups": ["x", "y"], "max_speakers": 3,
        "silence_threshold": -50, "usedtx": false, "shared_encoding": false});
    let mut first = start(&directory, &[]);
    assert_eq!(ask(&mut first, &everything)["permanent"], true);
    let stored = std::fs::read_to_string(directory.join("rooms.toml")).unwrap();
    first.terminate();

    let mut second = start(&directory, &[]);
    let edit = json!({"request": "edit", "room": 7, "secret": "adm", "permanent": true});
    assert_eq!(ask(&mut second, &edit)["permanent"], true);

    assert_eq!(std::fs::read_to_string(directory.join("rooms.toml")).unwrap(), stored, "the room is the same");
    for line in
        ["description = ", "pin = \"\"", "allowed = [\"a\", \"b\"]", "default_bitrate = 32000", "usedtx = false"]
    {
        assert!(stored.contains(line), "{line} is not in\n{stored}");
    }
}

#[test]
fn a_room_of_the_configuration_can_be_changed_and_destroyed_for_good() {
    let directory = directory("configured");
    let rooms = ["rooms=[{room=1,description=\"one\"},{room=2,description=\"two\"},{room=3,description=\"three\"}]"];
    let mut first = start(&directory, &rooms);
    ask(&mut first, &json!({"request": "edit", "room": 1, "new_description": "changed", "permanent": true}));
    ask(&mut first, &json!({"request": "destroy", "room": 2, "permanent": true}));
    ask(&mut first, &json!({"request": "destroy", "room": 3}));
    first.terminate();

    let mut second = start(&directory, &rooms);
    let expected = BTreeMap::from([(1, "changed".to_owned()), (3, "three".to_owned())]);
    assert_eq!(rooms_of(&mut second), expected);

    ask(&mut second, &json!({"request": "create", "room": 2, "description": "again", "permanent": true}));
    second.terminate();
    assert_eq!(rooms_of(&mut start(&directory, &rooms))[&2], "again");
}

#[test]
fn string_ids_are_kept() {
    let directory = directory("strings");
    let strings = ["signaling.string_ids=true", "rooms=[]"];
    let mut first = start(&directory, &strings);
    ask(&mut first, &json!({"request": "create", "room": "town/hall", "permanent": true}));
    ask(&mut first, &json!({"request": "create", "room": "5", "permanent": true}));
    first.terminate();

    let list = ask(&mut start(&directory, &strings), &json!({"request": "list"}))["list"].clone();

    let ids: Vec<_> = list.as_array().unwrap().iter().map(|room| room["room"].clone()).collect();
    assert_eq!(ids, ["5", "town/hall"]);
}

/// The server is killed at moments that it does not choose, again and again; whatever it has acknowledged must be there.
#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let directory = directory("killed");
    let rooms = ["rooms=[{room=1,description=\"configured\"}]"];
    let mut random = StdRng::seed_from_u64(4);
    let mut known = BTreeMap::from([(1, "configured".to_owned())]);
    let mut acknowledged = 0;
    for round in 0..20 {
        let mut server = start(&directory, &rooms);
        assert_eq!(rooms_of(&mut server), known, "round {round}");
        let delay = random.random_range(0..120);
        let kill = format!("sleep 0.{delay:03}; kill -9 {}", server.id());
        let mut killer = Command::new("sh").args(["-c", &kill]).spawn().unwrap();
        // The last request may have been carried out or not: its room is looked at after the next start.
        let unsure = loop {
            let room = random.random_range(1..12_u64);
            let description = format!("{round} {}", random.random::<u32>());
            let change = match (known.contains_key(&room), random.random_bool(0.3)) {
                (false, _) => json!({"request": "create", "room": room, "description": description, "permanent": true}),
                (true, false) => {
                    json!({"request": "edit", "room": room, "new_description": description, "permanent": true})
                }
                (true, true) => json!({"request": "destroy", "room": room, "permanent": true}),
            };
            let after = (change["request"] != "destroy").then_some(description);
            match try_ask(&server.admin(), &change) {
                Some(reply) => {
                    assert_eq!(reply["permanent"], true, "{reply}");
                    set(&mut known, room, after);
                    acknowledged += 1;
                }
                None => break (room, after),
            }
        };
        killer.wait().unwrap();
        drop(server);
        let found = rooms_of(&mut start(&directory, &rooms)).remove(&unsure.0);
        assert!(found == known.get(&unsure.0).cloned() || found == unsure.1, "round {round}: {found:?} {unsure:?}");
        set(&mut known, unsure.0, found);
    }
    assert!(acknowledged > 20, "only {acknowledged} changes were made");
}

#[test]
fn what_the_disk_refuses_is_not_permanent() {
    let directory = directory("refused");
    let mut server = start(&directory, &["rooms=[]"]);
    server.page();
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(ask(&mut server, &json!({"request": "create", "room": 1, "permanent": true}))["permanent"], false);

    std::fs::create_dir_all(&directory).unwrap();
    assert_eq!(ask(&mut server, &json!({"request": "create", "room": 2, "permanent": true}))["permanent"], true);
    server.terminate();

    let ids: Vec<_> = rooms_of(&mut start(&directory, &["rooms=[]"])).into_keys().collect();
    assert_eq!(ids, [2], "what was refused is not stored later either");
}

#[test]
fn what_a_back_end_makes_permanent_is_there_again() {
    let directory = directory("back-end");
    let assignments = ["rooms=[{room=3}]", TOKEN];
    let mut first = start(&directory, &assignments);
    for (request, status) in [
        (r#"POST /v1/rooms {"room":1,"description":"one","permanent":true}"#, 201),
        (r#"PUT /v1/rooms/2 {"permanent":true}"#, 201),
        (r#"PATCH /v1/rooms/2 {"description":"two","permanent":true}"#, 200),
        (r#"POST /v1/rooms {"room":4}"#, 201),
        ("DELETE /v1/rooms/3?permanent=true", 204),
    ] {
        assert_eq!(rest(&mut first, request).0, status, "{request}");
    }
    first.terminate();

    let mut second = start(&directory, &assignments);

    let expected = BTreeMap::from([(1, "one".to_owned()), (2, "two".to_owned())]);
    assert_eq!(rooms_of(&mut second), expected);
}

#[test]
fn a_back_end_is_told_of_what_could_not_be_stored() {
    let directory = directory("back-end-refused");
    let mut server = start(&directory, &["rooms=[{room=3}]", TOKEN]);
    server.page();
    std::fs::remove_dir_all(&directory).unwrap();

    for request in [
        r#"POST /v1/rooms {"room":1,"permanent":true}"#,
        r#"PUT /v1/rooms/2 {"permanent":true}"#,
        r#"PATCH /v1/rooms/3 {"description":"three","permanent":true}"#,
        "DELETE /v1/rooms/2?permanent=true",
    ] {
        let (status, problem) = rest(&mut server, request);
        assert_eq!((status, &problem["type"]), (500, &json!("urn:plenum:problem:not-stored")), "{request}");
    }

    let now = BTreeMap::from([(1, "Room 1".to_owned()), (3, "three".to_owned())]);
    assert_eq!(rooms_of(&mut server), now, "it is done all the same");
}

#[test]
fn a_directory_belongs_to_one_server() {
    let directory = directory("shared");
    let mut first = start(&directory, &[]);
    first.page();
    let message = refusal(&directory);
    assert!(message.contains("storage.directory: must be a directory of this server's own"), "{message}");
}

#[test]
fn a_wrong_file_is_refused_by_its_line() {
    let directory = directory("wrong");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("rooms.toml"), "[[rooms]]\nroom = 1\nsampling_rate = 44100\n").unwrap();
    let message = refusal(&directory);
    assert!(message.contains("rooms.toml line 3: rooms.0.sampling_rate: must be 8000"), "{message}");
    std::fs::write(directory.join("rooms.toml"), "[[rooms]]\nroom = \n").unwrap();
    let message = refusal(&directory);
    assert!(message.contains("rooms.toml") && message.contains("line 2"), "{message}");
}

#[test]
fn without_a_directory_nothing_is_permanent() {
    let mut server = Plenum::start(&FREE_PORTS);
    let reply = ask(&mut server, &json!({"request": "create", "permanent": true}));
    assert_eq!(reply["error_code"], 499);
    assert_eq!(reply["error"], "No configuration file, can't create permanent room");
}

/// An empty directory of a test's own.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rooms-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    path
}

fn start(directory: &Path, assignments: &[&str]) -> Plenum {
    let storage = format!("storage.directory={}", directory.display());
    Plenum::start(&[&FREE_PORTS[..], &[&storage], assignments].concat())
}

fn refusal(directory: &Path) -> String {
    let storage = format!("storage.directory={}", directory.display());
    let assignments = [&FREE_PORTS[..], &[&storage]].concat();
    let output = run_to_the_end(&assignments.iter().flat_map(|set| ["--set", set]).collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(78));
    String::from_utf8(output.stderr).unwrap()
}

const TOKEN: &str = "admin.token=a-back-end-s-token";

/// A request of a back-end, `METHOD path body`: the status and the body of its answer.
fn rest(server: &mut Plenum, request: &str) -> (u16, Value) {
    server.page();
    let (line, body) = request.split_once(" {").map_or((request, String::new()), |it| (it.0, format!("{{{}", it.1)));
    let token = TOKEN.trim_start_matches("admin.token=");
    let headers = format!("\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json");
    let mut stream = try_request(&server.admin(), &format!("{line} HTTP/1.1{headers}"), &body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() })
}

/// An AudioBridge request of an operator.
fn ask(server: &mut Plenum, body: &Value) -> Value {
    server.page();
    try_ask(&server.admin(), body).unwrap()
}

/// `None` when no answer came.
fn try_ask(admin: &str, body: &Value) -> Option<Value> {
    let message = json!({"janus": "message_plugin", "transaction": "t", "plugin": "janus.plugin.audiobridge",
        "request": body});
    let mut response = String::new();
    let mut stream = try_request(admin, "POST /admin HTTP/1.1", &message.to_string()).ok()?;
    stream.read_to_string(&mut response).ok()?;
    let json = serde_json::from_str::<Value>(response.split_once("\r\n\r\n")?.1).ok()?;
    Some(json["response"].clone())
}

fn rooms_of(server: &mut Plenum) -> BTreeMap<u64, String> {
    let list = ask(server, &json!({"request": "list"}));
    let rooms = list["list"].as_array().unwrap().iter();
    rooms.map(|room| (room["room"].as_u64().unwrap(), room["description"].as_str().unwrap().to_owned())).collect()
}

fn set(rooms: &mut BTreeMap<u64, String>, room: u64, description: Option<String>) {
    match description {
        Some(description) => drop(rooms.insert(room, description)),
        None => drop(rooms.remove(&room)),
    }
}
