//! What is stored of a permanent room makes the same room again, with every property it had.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]
#![expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]

use std::time::Instant;

use serde_json::{Value, json};
use signaling::{Config, Core, Id, Output, Recording, RequestId, RoomChange, RoomConfig, RoomId, Source};

#[test]
fn every_property_of_create_is_kept() {
    let everything = RoomConfig {
        id: Some(RoomId(Id::Number(7))),
        description: "Seven".to_owned(),
        secret: Some("adm".to_owned()),
        pin: Some("123".to_owned()),
        is_private: true,
        allowed: Some(vec!["a".to_owned(), "b".to_owned()]),
        sampling_rate: 48_000,
        spatial_audio: true,
        audiolevel_ext: true,
        audiolevel_event: true,
        audio_active_packets: 10,
        audio_level_average: 40,
        default_expectedloss: 5,
        default_bitrate: 32_000,
        denoise: true,
        recording: Recording {
            record: true,
            record_file: Some("mix.wav".to_owned()),
            record_dir: Some("/mixes".to_owned()),
            mjrs: true,
            mjrs_dir: Some("/mjrs".to_owned()),
        },
        allow_rtp_participants: true,
        groups: vec!["x".to_owned(), "y".to_owned()],
        signed_tokens: true,
        max_speakers: 3,
        silence_threshold: -50,
        usedtx: false,
        shared_encoding: false,
    };
    let mut core = core(vec![]);

    let change = ask(
        &mut core,
        json!({"request": "create", "room": 7, "permanent": true, "description": "Seven", "secret": "adm", "pin": "123",
            "is_private": true, "allowed": ["b", "a"], "sampling_rate": 48000, "spatial_audio": true,
            "audiolevel_ext": true, "audiolevel_event": true, "audio_active_packets": 10, "audio_level_average": 40,
            "default_expectedloss": 5, "default_bitrate": 32000, "denoise": true, "record": true,
            "record_file": "mix.wav", "record_dir": "/mixes", "mjrs": true, "mjrs_dir": "/mjrs", "signed_tokens": true,
            "allow_rtp_participants": true,
            "groups": ["x", "y"], "max_speakers": 3, "silence_threshold": -50, "usedtx": false,
            "shared_encoding": false}),
    );

    assert_eq!(change, Some(RoomChange::Keep(Box::new(everything))));
}

#[test]
fn an_edited_room_is_kept_as_it_is_now() {
    let mut core = core(vec![]);
    ask(&mut core, json!({"request": "create", "room": 7, "allowed": ["a"]}));
    ask(&mut core, json!({"request": "allowed", "room": 7, "action": "add", "allowed": ["b"]}));
    ask(&mut core, json!({"request": "edit", "room": 7, "new_description": "Seven"}));

    let change = ask(&mut core, json!({"request": "edit", "room": 7, "new_pin": "1", "permanent": true}));

    let Some(RoomChange::Keep(kept)) = change else { panic!("{change:?}") };
    assert_eq!((kept.description.as_str(), kept.pin.as_deref()), ("Seven", Some("1")));
    assert_eq!(kept.allowed, Some(vec!["a".to_owned(), "b".to_owned()]));
}

#[test]
fn a_room_that_was_kept_is_kept_the_same_again() {
    let mut first = core(vec![]);
    let change = ask(&mut first, json!({"request": "create", "permanent": true, "groups": ["x"], "secret": ""}));
    let Some(RoomChange::Keep(kept)) = change else { panic!("{change:?}") };

    let mut second = core(vec![(*kept).clone()]);
    let room = json!(kept.id);
    let again = ask(&mut second, json!({"request": "edit", "room": room, "secret": "", "permanent": true}));

    assert_eq!(again, Some(RoomChange::Keep(kept)));
}

#[test]
fn a_destroyed_room_is_forgotten() {
    let mut core = core(vec![]);
    ask(&mut core, json!({"request": "create", "room": 7, "permanent": true}));

    let change = ask(&mut core, json!({"request": "destroy", "room": 7, "permanent": true}));

    assert_eq!(change, Some(RoomChange::Forget(RoomId(Id::Number(7)))));
}

#[test]
fn what_is_not_permanent_is_not_stored() {
    let mut core = core(vec![]);
    assert_eq!(ask(&mut core, json!({"request": "create", "room": 7})), None);
    assert_eq!(ask(&mut core, json!({"request": "edit", "room": 7, "new_pin": "1"})), None);
    assert_eq!(ask(&mut core, json!({"request": "destroy", "room": 7, "permanent": false})), None);
}

fn core(rooms: Vec<RoomConfig>) -> Core {
    Core::new(Config { stores_rooms: true, rooms, ..Config::default() }, [1; 32], Instant::now())
}

/// What is to be stored after a request of an operator.
fn ask(core: &mut Core, request: Value) -> Option<RoomChange> {
    let message = json!({"janus": "message_plugin", "transaction": "t", "plugin": "janus.plugin.audiobridge", "request": request});
    core.handle_admin(Source::Http(RequestId(1)), message, Instant::now());
    let mut outputs = std::iter::from_fn(|| core.poll_output());
    let output = outputs.find(|output| !matches!(output, Output::Notice(_))).unwrap();
    if let Output::Store { storing, .. } = output {
        return Some(storing.change);
    }
    let Output::Reply { message, .. } = output else { panic!("{output:?}") };
    assert!(message["response"].get("error").is_none(), "{message}");
    None
}
