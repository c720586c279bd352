//! The configuration says what it means: defaults, overlays, and refusals that help.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use server::config::{
    BrokerTls, Change, Config, Mqtt, MqttStatus, MqttTopics, RabbitMq, RabbitMqQueues, Room, RoomId, Telemetry, Turn,
    Webhook,
};

#[test]
fn the_documented_file_is_the_default() {
    let documented = Config::load(Some(&documented_file()), &[]).unwrap();
    assert_eq!(documented, Config { rooms: Some(vec![Room::demo()]), ..Config::default() });
}

#[test]
fn every_key_is_documented() {
    let text = std::fs::read_to_string(documented_file()).unwrap();
    let uncommented: String = text.lines().map(|line| uncomment_key(line) + "\n").collect();
    let documented: toml::Table = toml::from_str(&uncommented).unwrap();
    let mut all = Config::default();
    all.unix.path = Some("/run/plenum/api".into());
    all.unix.admin_path = Some("/run/plenum/admin".into());
    all.admin.secret = Some(String::new().into());
    all.tls.certificate = Some("fullchain.pem".into());
    all.tls.key = Some("privkey.pem".into());
    all.admin.token = Some(String::new().into());
    all.signaling.api_secret = Some(String::new().into());
    all.signaling.token_auth_secret = Some(String::new().into());
    all.storage.directory = Some("/".into());
    all.signaling.admin_key = Some(String::new().into());
    all.media.address = Some([127, 0, 0, 1].into());
    all.media.public_ip = Some([127, 0, 0, 1].into());
    all.media.tcp_port = Some(0);
    let room = Room {
        secret: Some(String::new().into()),
        pin: Some(String::new().into()),
        allowed: Some(vec![]),
        record_file: Some(String::new()),
        record_dir: Some(String::new()),
        mjrs_dir: Some(String::new()),
        ..Room::demo()
    };
    all.rooms = Some(vec![room]);
    all.turn = Some(Turn::default());
    all.telemetry = Some(Telemetry::default());
    all.webhooks = vec![every_key_of_a_webhook()];
    all.rabbitmq = Some(every_key_of_rabbitmq());
    all.mqtt = Some(every_key_of_mqtt());
    assert_eq!(keys(&documented), keys(&toml::Table::try_from(all).unwrap()));
}

/// What a reload takes over is what the documentation calls live.
#[test]
fn live_keys_are_marked() {
    let text = std::fs::read_to_string(documented_file()).unwrap();
    let mut section = String::new();
    for line in text.lines() {
        let line = uncomment_key(line);
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').trim_start_matches('[').to_owned();
        }
        let Some((name, _)) = line.split_once(" = ").filter(|(name, _)| !name.starts_with('#')) else { continue };
        if ["rooms", "webhooks"].contains(&section.as_str()) {
            continue;
        }
        let key = format!("{section}.{name}");
        let (before, after) = (Config::default(), with_another_value(&key));

        let is_live = before.reloaded(&after) == after;

        assert_eq!(is_live, line.ends_with("  # live"), "{key}");
        let changes = before.changes(&after);
        assert!(changes.iter().any(|change| change.key.starts_with(&section)), "{key}: {changes:?}");
    }
}

#[test]
fn new_rooms_are_live_and_others_are_not() {
    let room = |room, pin: &str| Room { room, pin: Some(pin.to_owned().into()), ..Room::default() };
    let with = |rooms| Config { rooms: Some(rooms), ..Config::default() };
    let before = with(vec![room(RoomId::Number(1), "a"), room(RoomId::Number(2), "b")]);
    let after = with(vec![room(RoomId::Number(1), "c"), room(RoomId::Number(3), "d")]);

    let next = before.reloaded(&after);

    let ids: Vec<RoomId> = next.rooms().into_iter().map(|room| room.room).collect();
    assert_eq!(ids, [1, 2, 3].map(RoomId::Number));
    let shown = |changes: Vec<Change>| changes.into_iter().map(|it| (it.key, it.old, it.new)).collect::<Vec<_>>();
    let change = |key: &str, old: Option<&str>, new: Option<&str>| {
        (key.to_owned(), old.map(str::to_owned), new.map(str::to_owned))
    };
    assert_eq!(shown(before.changes(&next)), [change("rooms.3", None, Some("\"\""))]);
    let hidden = Some("(a secret)");
    assert_eq!(
        shown(next.changes(&after)),
        [change("rooms.1.pin", hidden, hidden), change("rooms.2", Some("\"\""), None)]
    );
}

/// Whatever can be in a file is a secret, and no secret is ever shown.
#[test]
fn secrets_are_known_as_such() {
    let text = std::fs::read_to_string(documented_file()).unwrap();
    let uncommented: String = text.lines().map(|line| uncomment_key(line) + "\n").collect();
    let secret = Path::new(env!("CARGO_TARGET_TMPDIR")).join("config-secret");
    std::fs::write(&secret, "swordfish\r\n").unwrap();
    let in_file = format!("{{ file = {secret:?} }}");
    let mut table: toml::Table = toml::from_str(&uncommented).unwrap();
    let mut found = Vec::new();
    put_where_it_fits(
        &mut table,
        &toml::from_str::<toml::Table>(&format!("it = {in_file}")).unwrap()["it"],
        &mut found,
    );

    let config: Config = table.try_into().unwrap();

    let known: Vec<String> = config
        .secrets()
        .into_iter()
        .map(|(key, secret)| {
            assert_eq!(secret.reveal(), "swordfish", "{key}");
            key.replace("rooms.1234", "rooms.0").replace(".allowed.0", ".allowed")
        })
        .collect();
    assert_eq!(BTreeSet::from_iter(known), BTreeSet::from_iter(found.iter().cloned()));
    let names = ["secret", "password", "token", "pin", "key", "api_secret", "token_auth_secret", "admin_key"];
    for key in keys(&toml::from_str(&uncommented).unwrap()) {
        let is_called_one = names.iter().any(|name| key.ends_with(&format!(".{name}"))) && !key.ends_with("tls.key");
        assert!(!is_called_one || found.contains(&of_the_first(&key)), "{key} is called a secret");
    }
    assert!(!format!("{config:?}").contains("swordfish"));
    let shown = format!("{:?}", Config::default().changes(&config));
    assert!(!shown.contains("swordfish") && shown.contains("(a secret)"), "{shown}");
}

#[test]
fn the_documented_webhook_is_the_default() {
    let text = std::fs::read_to_string(documented_file()).unwrap();
    let uncommented: String = text.lines().map(|line| uncomment_key(line) + "\n").collect();
    let mut documented: toml::Table = toml::from_str(&uncommented).unwrap();
    let webhooks: Vec<Webhook> = documented.remove("webhooks").unwrap().try_into().unwrap();
    assert_eq!(webhooks, [every_key_of_a_webhook()]);
}

#[test]
fn the_documented_telemetry_is_the_default() {
    let text = std::fs::read_to_string(documented_file()).unwrap();
    let uncommented: String = text.lines().map(|line| uncomment_key(line) + "\n").collect();
    let mut documented: toml::Table = toml::from_str(&uncommented).unwrap();
    let telemetry: Telemetry = documented.remove("telemetry").unwrap().try_into().unwrap();
    assert_eq!(telemetry, Telemetry::default());
}

#[cfg(not(feature = "otlp"))]
#[test]
fn telemetry_that_was_not_built_in_is_refused() {
    let message = refusal("[log]\n[telemetry]\nsample_ratio = 0.1\n");
    assert!(message.contains("line 2: telemetry: must be left out: this plenum was built without it"), "{message}");
    assert!(message.contains("--features otlp"), "{message}");
}

#[cfg(feature = "otlp")]
#[test]
fn telemetry_that_cannot_be_sent_is_refused() {
    let refusal = |text: &str| refusal(&format!("[telemetry]\n{text}"));
    assert!(refusal("endpoint = \"collector\"").contains("line 2: telemetry.endpoint: must be a URL"));
    assert!(refusal("sample_ratio = 2.0").contains("line 2: telemetry.sample_ratio: must be from 0.0 to 1.0"));
}

fn every_key_of_a_webhook() -> Webhook {
    Webhook {
        url: "https://backend.example.org/plenum".to_owned(),
        key: Some("whsec_...".to_owned().into()),
        ..Webhook::default()
    }
}

#[test]
fn a_webhook_that_cannot_be_told_is_refused() {
    let refusal = |text: &str| refusal(&format!("[[webhooks]]\n{text}"));
    let url = "url = \"https://backend.example.org\"\n";
    assert!(refusal("url = \"backend\"").contains("line 2: webhooks.0.url: must be where to post to"));
    assert!(refusal(url).contains("webhooks.0.key: must be there"));
    let signed = format!("{url}key = \"a\"\n");
    assert!(refusal(&format!("{signed}events = []")).contains("line 4: webhooks.0.events: must be at least one"));
    assert!(refusal(&format!("{signed}events = [\"rooms\"]")).contains("not \"rooms\""));
    assert!(refusal(&format!("{signed}queue = 1")).contains("line 4: webhooks.0.queue: must be at least batch"));
}

/// They are commented out, as a section turns on what it is about.
#[test]
fn the_documented_sections_are_the_defaults() {
    let text = std::fs::read_to_string(documented_file()).unwrap();
    let uncommented: String = text.lines().map(|line| uncomment_key(line) + "\n").collect();
    let mut documented: toml::Table = toml::from_str(&uncommented).unwrap();
    let rabbitmq: RabbitMq = documented.remove("rabbitmq").unwrap().try_into().unwrap();
    assert_eq!(rabbitmq, every_key_of_rabbitmq());
    let turn: Turn = documented.remove("turn").unwrap().try_into().unwrap();
    assert_eq!(turn, Turn::default());
    let mqtt: Mqtt = documented.remove("mqtt").unwrap().try_into().unwrap();
    assert_eq!(mqtt, every_key_of_mqtt());
}

#[cfg(not(any(feature = "rabbitmq", feature = "mqtt")))]
#[test]
fn a_broker_that_was_not_built_in_is_refused() {
    let message = refusal("[log]\n[rabbitmq]\nhost = \"localhost\"\n");
    assert!(message.contains("line 2: rabbitmq: must be left out: this plenum was built without it"), "{message}");
    assert!(message.contains("--features rabbitmq"), "{message}");
    assert!(refusal("[mqtt.api]\n").contains("mqtt: must be left out"));
}

#[cfg(feature = "rabbitmq")]
#[test]
fn queues_that_cannot_be_used_are_refused() {
    let refusal = |text: &str| refusal(&format!("[rabbitmq]\n{text}"));
    assert!(refusal("").contains("rabbitmq.api: must be there, or rabbitmq.admin"));
    assert!(refusal("[rabbitmq.api]\nfrom_janus = \"a\"").contains("rabbitmq.api.to_janus: must be a name"));
    assert!(refusal("[rabbitmq.api]\nto_janus = \"a\"").contains("rabbitmq.api.from_janus: must be a name"));
    let message = refusal("[rabbitmq.api]\nto_janus = \"a\"\nfrom_janus = \"a\"");
    assert!(message.contains("line 4: rabbitmq.api.from_janus: must be no queue of requests"), "{message}");
    let message = refusal("exchange_type = \"loud\"");
    assert!(message.contains("line 2") && message.contains("must be \"fanout\" or \"direct\""), "{message}");
}

#[cfg(feature = "mqtt")]
#[test]
fn topics_that_cannot_be_used_are_refused() {
    let refusal = |text: &str| refusal(&format!("[mqtt]\n{text}"));
    assert!(refusal("").contains("mqtt.api: must be there, or mqtt.admin"));
    assert!(refusal("url = \"localhost\"").contains("line 2: mqtt.url: must be tcp://HOST:PORT"));
    assert!(refusal("url = \"tcp://localhost:no\"").contains("mqtt.url: must be"));
    assert!(refusal("version = \"3.1\"").contains("must be \"3.1.1\" or \"5\""));
    assert!(refusal("[mqtt.api]\npublish_topic = \"a/#\"").contains("line 3: mqtt.api.publish_topic: must be a topic"));
    assert!(refusal("[mqtt.api]\nsubscribe_qos = 3").contains("mqtt.api.subscribe_qos: must be 0, 1 or 2"));
    assert!(refusal("[mqtt.api]\npublish_topic = \"to-janus\"").contains("must be no topic of requests"));
    assert!(
        refusal("proxy_user_properties = [\"a\"]\n[mqtt.api]").contains("mqtt.proxy_user_properties: must be empty")
    );
    assert!(refusal("[mqtt.tls]\n[mqtt.api]").contains("mqtt.url: must be ssl://HOST:PORT"));
    let message = refusal("url = \"ssl://localhost\"\n[mqtt.tls]\nkey = \"k\"\n[mqtt.api]");
    assert!(message.contains("mqtt.tls.certificate: must be the certificate of tls.key"), "{message}");
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_what_would_be_right() {
    let message = refusal("[http]\nport = 80\nprot = 8088\n");
    assert!(message.contains("line 3"), "{message}");
    assert!(
        message.contains("http.prot: must be left out: there is no such key in [http]; did you mean http.port?"),
        "{message}"
    );
}

#[test]
fn a_wrong_type_is_named_with_its_line() {
    let message = refusal("[media]\n\nport = \"many\"\n");
    assert!(message.contains("line 3"), "{message}");
    assert!(message.contains("media.port: must be a whole number from 0 to 65535, not string \"many\""), "{message}");
}

#[test]
fn a_value_out_of_range_is_named_with_its_line() {
    let message = refusal("[[rooms]]\nroom = 1\n\n[[rooms]]\nroom = 2\nsampling_rate = 44100\n");
    assert!(message.contains("line 6: rooms.1.sampling_rate: must be 8000"), "{message}");
}

#[test]
fn a_network_that_is_none_is_named_with_its_line() {
    let message = refusal("[http]\nport = 0\nacl = [\"10.0.0.0/8\", \"192.168.0.\"]\n");
    assert!(message.contains("line 3"), "{message}");
    assert!(message.contains("CIDR notation, such as \"192.0.2.7\""), "{message}");
}

#[test]
fn origins_are_one_or_many() {
    for (text, origins) in [
        ("\"https://a.example\"", vec!["https://a.example"]),
        ("[\"https://a.example\", \"http://b.example:8080\"]", vec!["https://a.example", "http://b.example:8080"]),
        ("[]", vec![]),
    ] {
        let config = Config::load(Some(&file(&format!("[http]\nallow_origin = {text}\n"))), &[]).unwrap();
        assert_eq!(config.http.allow_origin, origins);
    }
    for text in ["\"https://a.example/\"", "\"*\"", "[\"https://a.example\", \"b.example\"]"] {
        let message = refusal(&format!("[http]\nallow_origin = {text}\n"));
        assert!(message.contains("line 2: http.allow_origin: must be scheme and host"), "{message}");
    }
    assert!(refusal("[http]\nallow_origin = 5\n").contains("an origin or a list of them"));
}

#[test]
fn a_ping_needs_time_to_be_answered() {
    let message = refusal("[websocket]\nping_interval = 20\nping_timeout = 0\n");
    assert!(message.contains("line 3: websocket.ping_timeout: must be at least 1"), "{message}");
}

#[test]
fn forwarded_addresses_need_somebody_to_trust() {
    let message = refusal("[websocket]\nacl_forwarded = true\n");
    assert!(message.contains("line 2: websocket.acl_forwarded: must be false, or proxies.trusted"), "{message}");
    let trusting = "[websocket]\nacl_forwarded = true\n[proxies]\ntrusted = [\"::ffff:10.0.0.0/104\"]\n";
    let config = Config::load(Some(&file(trusting)), &[]).unwrap();
    assert_eq!(String::from(config.proxies.trusted[0]), "10.0.0.0/8");
}

#[test]
fn a_base_path_names_something() {
    for section in ["http", "admin"] {
        let message = refusal(&format!("[{section}]\nbase_path = \"/\"\n"));
        assert!(message.contains(&format!("line 2: {section}.base_path: must be a path")), "{message}");
    }
}

#[test]
fn a_room_that_is_there_twice_is_refused() {
    let message = refusal("[[rooms]]\nroom = 1\n[[rooms]]\nroom = 1\n");
    assert!(message.contains("line 4: rooms.1.room"), "{message}");
}

#[test]
fn a_text_names_a_room_only_where_ids_are_texts() {
    let message = refusal("[[rooms]]\nroom = \"hall\"\n");
    assert!(message.contains("line 2: rooms.0.room: must be a number"), "{message}");
    let message = refusal("[[rooms]]\nroom = true\n");
    assert!(message.contains("line 2") && message.contains("must be a number, or a text"), "{message}");

    let texts = "[signaling]\nstring_ids = true\n[[rooms]]\nroom = \"hall\"\n[[rooms]]\nroom = 1234\n";

    assert!(Config::load(Some(&file(texts)), &[]).is_ok());
    assert!(refusal(&format!("{texts}[[rooms]]\nroom = \"1234\"\n")).contains("line 8: rooms.2.room"));
}

#[test]
fn a_token_secret_that_nobody_would_ask_for_is_refused() {
    let message = refusal("[signaling]\ntoken_auth_secret = \"swordfish\"\n");
    assert!(message.contains("line 2: signaling.token_auth_secret"), "{message}");
}

#[test]
fn a_lock_without_a_key_is_refused() {
    for lock in ["lock_rtp_forward", "lock_play_file"] {
        let message = refusal(&format!("[signaling]\n{lock} = true\n"));
        assert!(message.contains(&format!("line 2: signaling.{lock}: must be false, or")), "{message}");
    }
    let message = refusal("[[rooms]]\nsigned_tokens = true\n");
    assert!(message.contains("line 2: rooms.0.signed_tokens: must be false, or"), "{message}");
}

#[test]
fn recording_is_refused_rather_than_ignored() {
    assert!(refusal("[[rooms]]\nrecord = true\n").contains("line 2: rooms.0.record: must be false"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::load(Some(Path::new("/no/such/plenum.toml")), &[]).unwrap_err();
    assert!(error.to_string().starts_with("/no/such/plenum.toml: cannot be read"));
}

#[test]
fn assignments_go_over_the_file() {
    let file = file("[http]\nport = 1\n");
    let assignments = ["http.port=2".to_owned(), "media.address=192.0.2.1".to_owned()];
    let config = Config::load(Some(&file), &assignments).unwrap();
    assert_eq!(config.http.port, 2);
    assert_eq!(config.media.address, Some([192, 0, 2, 1].into()));
}

#[test]
fn a_wrong_assignment_names_its_key() {
    let unknown = Config::load(None, &["http.prot=2".to_owned()]).unwrap_err().to_string();
    assert!(unknown.contains("prot"), "{unknown}");
    let wrong = Config::load(None, &["http.port=many".to_owned()]).unwrap_err().to_string();
    assert!(wrong.contains("http.port"), "{wrong}");
    let shapeless = Config::load(None, &["http.port".to_owned()]).unwrap_err().to_string();
    assert!(shapeless.contains("KEY=VALUE"), "{shapeless}");
}

/// What has no default is "..." there.
fn every_key_of_rabbitmq() -> RabbitMq {
    let queues = RabbitMqQueues { queue_name: Some("...".to_owned()), ..RabbitMqQueues::default() };
    RabbitMq {
        exchange: Some("...".to_owned()),
        tls: Some(every_key_of_broker_tls()),
        api: Some(queues.clone()),
        admin: Some(queues),
        ..RabbitMq::default()
    }
}

fn every_key_of_mqtt() -> Mqtt {
    let text = || Some("...".to_owned());
    let topics = MqttTopics { subscribe_topic: text(), publish_topic: text(), ..MqttTopics::default() };
    Mqtt {
        username: text(),
        password: Some("...".to_owned().into()),
        tls: Some(every_key_of_broker_tls()),
        api: Some(topics.clone()),
        admin: Some(topics),
        status: Some(MqttStatus { connect_message: text(), disconnect_message: text(), ..MqttStatus::default() }),
        ..Mqtt::default()
    }
}

fn every_key_of_broker_tls() -> BrokerTls {
    let file = || Some("...".into());
    BrokerTls { authorities: file(), certificate: file(), key: file(), ..BrokerTls::default() }
}

/// The defaults with another value of one key.
fn with_another_value(key: &str) -> Config {
    let values = [
        "true",
        "false",
        "1",
        "7",
        "77",
        "\"192.0.2.1\"",
        "[\"192.0.2.1\"]",
        "[\"https://a.example\"]",
        "\"json\"",
        "\"plain\"",
        "\"SOCK_DGRAM\"",
        "\"direct\"",
        "\"5\"",
        "\"another\"",
        "[[\"a\", \"b\"]]",
    ];
    let configs = values.iter().filter_map(|value| {
        let inner = key.split('.').rev().fold((*value).to_owned(), |inner, name| format!("{{ {name} = {inner} }}"));
        let text = inner.strip_prefix("{ ")?.strip_suffix(" }")?.to_owned();
        toml::from_str::<Config>(&text).ok()
    });
    let default = Config::default();
    let mut others = configs.filter(|config| *config != default);
    others.next().unwrap_or_else(|| panic!("no other value of {key} is known"))
}

/// Puts a value in the place of every one that may be it; tells the keys.
/// A key of a section that may be there several times.
fn of_the_first(key: &str) -> String {
    key.replacen("rooms.", "rooms.0.", 1).replacen("webhooks.", "webhooks.0.", 1)
}

fn put_where_it_fits(table: &mut toml::Table, value: &toml::Value, keys: &mut Vec<String>) {
    let names = self::keys(table);
    for key in names {
        let path: Vec<&str> = key.split('.').collect();
        for candidate in [value.clone(), toml::Value::Array(vec![value.clone()])] {
            let mut changed = toml::Value::Table(table.clone());
            let place = path
                .iter()
                .fold(&mut changed, |node, name| if node.is_array() { &mut node[0][*name] } else { &mut node[*name] });
            *place = candidate;
            if changed.clone().try_into::<Config>().is_ok() {
                *table = changed.try_into().unwrap();
                keys.push(of_the_first(&key));
                break;
            }
        }
    }
}

fn documented_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/plenum.toml")
}

fn refusal(text: &str) -> String {
    Config::load(Some(&file(text)), &[]).unwrap_err().to_string()
}

/// A configuration file of this test's own.
fn file(text: &str) -> PathBuf {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("config-{:x}.toml", hasher.finish()));
    std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    path
}

/// `# key = value` documents a key that has no default.
fn uncomment_key(line: &str) -> String {
    match line.strip_prefix("# ") {
        Some(section) if section.starts_with('[') && section.ends_with(']') => section.to_owned(),
        Some(rest)
            if rest
                .split_once(" = ")
                .is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_')) =>
        {
            rest.to_owned()
        }
        Some(_) | None => line.to_owned(),
    }
}

fn keys(table: &toml::Table) -> Vec<String> {
    let mut keys = Vec::new();
    for (name, value) in table {
        let first = || value.as_array()?.first()?.as_table();
        match value.as_table().or_else(first) {
            Some(inner) => keys.extend(self::keys(inner).into_iter().map(|key| format!("{name}.{key}"))),
            None => keys.push(name.clone()),
        }
    }
    keys.sort();
    keys
}
