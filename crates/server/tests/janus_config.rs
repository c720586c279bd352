//! The configuration folder of a Janus server: what becomes of it, and that a server starts with it as it is.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::{Path, PathBuf};

use server::config::{Config, Room, RoomId, Secret, Source};
use server::janus::JanusConfig;
use support::{FREE_PORTS, Plenum, plenum, post};

#[test]
fn what_has_a_meaning_is_taken_over() {
    let config = load(&our_folder());

    assert_eq!((config.http.port, config.websocket.port, config.admin.port), (9088, 9188, 9089));
    assert_eq!(config.http.base_path, "/conference");
    assert_eq!(config.http.allow_origin, ["https://conference.example.org"]);
    assert!(config.http.enforce_cors && config.signaling.opaqueid_in_api);
    assert_eq!(config.admin.secret.as_ref().map(Secret::reveal), Some("overlord"));
    assert_eq!(config.signaling.api_secret.as_ref().map(Secret::reveal), Some("open sesame"));
    assert_eq!(config.signaling.admin_key.as_ref().map(Secret::reveal), Some("supersecret"));
    assert_eq!((config.signaling.server_name.as_str(), config.signaling.session_timeout), ("Conference", 90));
    assert_eq!((config.media.port, config.media.public_ip), (20000, Some([203, 0, 113, 5].into())));
    assert_eq!(config.media.tcp_port, Some(20000));
    let hall = Room {
        room: RoomId::Number(1000),
        description: "Town hall".to_owned(),
        is_private: true,
        secret: Some("adm".to_owned().into()),
        pin: Some("1234".to_owned().into()),
        sampling_rate: 48000,
        spatial_audio: true,
        audiolevel_event: true,
        audio_active_packets: 10,
        audio_level_average: 40,
        default_bitrate: 32000,
        groups: vec!["a".to_owned(), "b".to_owned()],
        ..Room::default()
    };
    assert_eq!(config.rooms(), [hall, Room { room: RoomId::Number(7), ..Room::default() }]);
}

#[test]
fn of_everything_else_it_is_said_why_not() {
    let janus = JanusConfig::read(&our_folder()).unwrap();
    let notes: Vec<String> = janus.notes().iter().map(ToString::to_string).collect();
    for start in [
        "janus.jcfg line 3: general.configs_folder: ",
        "janus.jcfg line 10: general.protected_folders: ",
        "janus.jcfg line 12: media.rtp_port_range: of the range only the first port matters",
        "janus.jcfg line 16: nat.stun_server: ",
        "janus.jcfg line 17: nat.ice_tcp: TCP connections are taken on one port",
        "janus.plugin.audiobridge.jcfg line 17: room-1000.rtp_forward_host: ",
        "janus.plugin.audiobridge.jcfg line 19: room-hall: the id of a room is a number",
        "janus.transport.http.jcfg line 10: certificates.cert_pem: no port of this file has TLS on",
        "janus.transport.websockets.jcfg line 1: general.made_up: neither Janus nor Plenum has such a key",
        "janus.transport.mqtt.jcfg: this transport is off",
    ] {
        assert!(notes.iter().any(|note| note.starts_with(start)), "{start} is not in\n{}", notes.join("\n"));
    }
}

#[test]
fn the_printed_file_says_the_same() {
    let printed = plenum().args(["import", our_folder().to_str().unwrap()]).output().unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("imported.toml");
    std::fs::write(&path, &printed.stdout).unwrap();

    let ours = Config::load(Some(&path), &[]).unwrap();

    assert_eq!(ours, load(&our_folder()));
    assert!(String::from_utf8(printed.stdout).unwrap().contains("\n# janus.jcfg line 3: general.configs_folder: "));
}

#[test]
fn local_sockets_and_brokers_are_taken_over() {
    let folder = folder(
        "sockets",
        &[
            ("janus.jcfg", ""),
            (
                "janus.transport.pfunix.jcfg",
                "general: { enabled = true, path = \"/run/janus\", type = \"SOCK_DGRAM\" }\nadmin: { admin_path = \"/run/admin\" }",
            ),
            (
                "janus.transport.rabbitmq.jcfg",
                "general: { enabled = true, to_janus = \"to\", from_janus = \"from\", ssl_enabled = true, ssl_verify_hostname = false,\n\
                 ssl_cacert = \"/ca.pem\" }\nadmin: { to_janus_admin = \"unused\" }",
            ),
            (
                "janus.transport.mqtt.jcfg",
                "general: { enabled = false, url = \"ssl://broker:8883\", mqtt_version = \"5\", keep_alive_interval = 7, cleansession = 1,\n\
                 subscribe_topic = \"unused\", ssl_enabled = true, verify_peer = false,\n\
                 proxy_transaction_user_properties = [ \"a\" ], add_transaction_user_properties = ( [ \"b\", \"c\" ] ) }\n\
                 admin: { admin_enabled = true, subscribe_qos = 2 }\nstatus: { enabled = true, retain = true }",
            ),
        ],
    );

    let janus = JanusConfig::read(&folder).unwrap();

    let taken: toml::Table = toml::from_str(&janus.to_toml()).unwrap();
    let expected: toml::Table = toml::from_str(
        "rooms = []\n[unix]\npath = \"/run/janus\"\ntype = \"SOCK_DGRAM\"\n\
         [rabbitmq.api]\nto_janus = \"to\"\nfrom_janus = \"from\"\n\
         [rabbitmq.tls]\nverify_hostname = false\nauthorities = \"/ca.pem\"\n\
         [mqtt]\nurl = \"ssl://broker:8883\"\nversion = \"5\"\nkeep_alive = 7\nclean_session = true\n\
         proxy_user_properties = [\"a\"]\nadd_user_properties = [[\"b\", \"c\"]]\n\
         [mqtt.admin]\nsubscribe_qos = 2\n[mqtt.tls]\nverify_peer = false\n[mqtt.status]\nretain = true\n",
    )
    .unwrap();
    assert_eq!(taken, expected);
    let notes: Vec<String> = janus.notes().iter().map(ToString::to_string).collect();
    for note in [
        "janus.transport.pfunix.jcfg line 2: admin.admin_path: admin.admin_enabled is not on",
        "janus.transport.rabbitmq.jcfg line 3: admin.to_janus_admin: admin.admin_enabled is not on",
        "janus.transport.mqtt.jcfg line 2: general.subscribe_topic: general.enabled is not on",
    ] {
        assert!(notes.iter().any(|it| it == note), "{note} is not in\n{}", notes.join("\n"));
    }
}

#[test]
fn a_wrong_value_is_named_with_its_line() {
    for (name, text, message) in [
        (
            "janus.jcfg",
            "general: {\n\n session_timeout = \"soon\" }",
            "janus.jcfg line 3: general.session_timeout: must be a number",
        ),
        ("janus.jcfg", "general: {\n token_auth = 5 }", "janus.jcfg line 2: general.token_auth: must be true or false"),
        ("janus.jcfg", "general: {\n api_secret = [1] }", "janus.jcfg line 2: general.api_secret: must be a text"),
        ("janus.jcfg", "general: {\n api_secret = }", "janus.jcfg: line 2, column 15: expected a value"),
        (
            "janus.transport.http.jcfg",
            "general: { port = 70000 }",
            "janus.transport.http.jcfg line 1: general.port: must be a whole number from 0 to 65535",
        ),
        (
            "janus.plugin.audiobridge.jcfg",
            "room-1: { sampling_rate = 44100 }",
            "janus.plugin.audiobridge.jcfg line 1: room-1: sampling_rate: must be 8000",
        ),
    ] {
        let folder = folder("wrong", &[("janus.jcfg", ""), (name, text)]);
        let refused = JanusConfig::read(&folder).unwrap_err().to_string();
        assert!(refused.contains(message), "{refused} is not {message}");
    }
}

#[test]
fn without_its_main_file_a_folder_is_none_of_janus() {
    let refused = JanusConfig::read(&folder("empty", &[])).unwrap_err().to_string();
    assert!(refused.contains("janus.jcfg: cannot be read"), "{refused}");
}

#[test]
fn rooms_may_be_named_by_texts() {
    let rooms = "general: { string_ids = true }\nroom-hall: { description = \"Hall\" }\nroom-5: {}";
    let folder = folder("texts", &[("janus.jcfg", ""), ("janus.plugin.audiobridge.jcfg", rooms)]);

    let config = load(&folder);

    let ids: Vec<_> = config.rooms().into_iter().map(|room| room.room).collect();
    assert_eq!(ids, [RoomId::Text("hall".to_owned()), RoomId::Text("5".to_owned())]);
}

/// The sample files of Debian's package, where it is installed, as they are.
#[test]
fn the_samples_of_an_installed_janus_start_a_server_with_the_same_rooms_ports_and_secrets() {
    let folder = Path::new("/etc/janus");
    if !folder.join("janus.jcfg").exists() {
        return;
    }
    let config = load(folder);
    assert_eq!((config.http.port, config.websocket.port, config.admin.port), (8088, 8188, 7088));
    assert_eq!(config.admin.secret.as_ref().map(Secret::reveal), Some("janusoverlord"));

    // The ports themselves may be taken here.
    let mut server = Plenum::spawn(
        plenum().args(["serve", "--janus-config", "/etc/janus"]).args(FREE_PORTS.iter().flat_map(|set| ["--set", set])),
    );
    server.page();
    let ask = |secret: &str, body: &str| {
        let message = format!(
            r#"{{"janus":"message_plugin","transaction":"t","admin_secret":"{secret}","plugin":"janus.plugin.audiobridge","request":{body}}}"#
        );
        post(&server.admin(), "/admin", &message)
    };

    assert!(ask("wrong", r#"{"request":"list"}"#).contains(r#""code":403"#));
    let list = ask("janusoverlord", r#"{"request":"list"}"#);
    assert!(list.contains(r#""list":[{"room":1234,"description":"Demo Room","sampling_rate":16000"#), "{list}");
    let wrong = ask("janusoverlord", r#"{"request":"edit","room":1234,"secret":"wrong"}"#);
    assert!(wrong.contains(r#""error_code":489"#), "{wrong}");
    let right = ask("janusoverlord", r#"{"request":"edit","room":1234,"secret":"adminpwd"}"#);
    assert!(right.contains(r#""audiobridge":"edited""#), "{right}");
}

fn load(folder: &Path) -> Config {
    Source { janus: Some(folder.to_owned()), ..Source::default() }.load().unwrap()
}

fn our_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/janus")
}

/// A folder of this test's own.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("janus-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    for (name, text) in files {
        std::fs::write(path.join(name), text).unwrap();
    }
    path
}
