//! Every kind of wrong configuration is refused by `check-config`, as at the start, with the key, the place and the remedy.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, KeyPair};
use support::{plenum, run_to_the_end};

/// A configuration and what is said of it. `@` stands for the folder of the files below.
struct Wrong {
    kind: &'static str,
    file: &'static str,
    /// Set by variables, and by flags.
    variables: &'static [(&'static str, &'static str)],
    flags: &'static [&'static str],
    /// The message begins so.
    refusal: &'static str,
}

const fn in_file(kind: &'static str, file: &'static str, refusal: &'static str) -> Wrong {
    Wrong { kind, file, variables: &[], flags: &[], refusal }
}

const WRONG: &[Wrong] = &[
    in_file(
        "an unknown key that is nearly right",
        "[http]\nport = 80\nprot = 8088\n",
        "@/plenum.toml line 3: http.prot: must be left out: there is no such key in [http]; did you mean http.port?",
    ),
    in_file(
        "an unknown key that is like none",
        "[proxies]\nforwarded = true\n",
        "@/plenum.toml line 2: proxies.forwarded: must be left out: there is no such key in [proxies]; there are trusted",
    ),
    in_file(
        "an unknown section",
        "[http]\n[signalling]\nsession_timeout = 30\n",
        "@/plenum.toml line 2: signalling: must be left out: there is no such section; did you mean [signaling]?",
    ),
    in_file(
        "an unknown property of a room",
        "[[rooms]]\nroom = 1\n[[rooms]]\nroom = 2\npni = \"1\"\n",
        "@/plenum.toml line 5: rooms.1.pni: must be left out: there is no such key in [rooms.1]; did you mean rooms.1.pin?",
    ),
    in_file(
        "a text for a number",
        "[media]\n\nport = \"many\"\n",
        "@/plenum.toml line 3: media.port: must be a whole number from 0 to 65535, not string \"many\"",
    ),
    in_file(
        "a number for a switch",
        "[http]\ntls = 1\n",
        "@/plenum.toml line 2: http.tls: must be true or false, not integer 1",
    ),
    in_file(
        "a time that never comes",
        "[websocket]\nping_interval = 9000000000000000000\n",
        "@/plenum.toml line 2: websocket.ping_interval: must be at most 31622400, a year",
    ),
    in_file(
        "a text for a list",
        "[admin]\nacl = \"10.0.0.0/8\"\n",
        "@/plenum.toml line 2: admin.acl: must be a list in brackets, not string \"10.0.0.0/8\"",
    ),
    in_file(
        "a number that is too large for its type",
        "[http]\nport = 70000\n",
        "@/plenum.toml line 2: http.port: must be a whole number from 0 to 65535, not integer 70000",
    ),
    in_file(
        "a negative number",
        "[signaling]\nsession_timeout = -1\n",
        "@/plenum.toml line 2: signaling.session_timeout: must be a whole number that is not negative, not integer -1",
    ),
    in_file(
        "a number out of its range",
        "[mixer]\ncomplexity = 11\n",
        "@/plenum.toml line 2: mixer.complexity: must be a number from 1 to 10",
    ),
    in_file("a limit of nothing", "[limits]\nrooms = 0\n", "@/plenum.toml line 2: limits.rooms: must be at least 1"),
    in_file(
        "a choice that there is not",
        "[log]\nformat = \"xml\"\n",
        "@/plenum.toml line 2: log.format: must be \"text\" or \"json\", not \"xml\"",
    ),
    in_file(
        "a filter of nothing",
        "[log]\nfilter = \"webrtc=loud\"\n",
        "@/plenum.toml line 2: log.filter: must be a filter such as \"info\" or \"webrtc=debug,info\"",
    ),
    in_file(
        "an address that is none",
        "[http]\naddress = \"localhost\"\n",
        "@/plenum.toml line 2: http.address: must be an IP address, such as \"192.0.2.10\"",
    ),
    in_file(
        "a network that is none",
        "[http]\nacl = [\"10.0.0.0/8\", \"192.168.0.\"]\n",
        "@/plenum.toml line 2: http.acl: must be an address or a network in CIDR notation, such as \"192.0.2.7\"",
    ),
    in_file(
        "an origin with a path",
        "[http]\nallow_origin = [\"https://rooms.example.org/\"]\n",
        "@/plenum.toml line 2: http.allow_origin: must be scheme and host, such as \"https://rooms.example.org\", without a path",
    ),
    in_file(
        "a base path that names nothing",
        "[admin]\nbase_path = \"/\"\n",
        "@/plenum.toml line 2: admin.base_path: must be a path that starts with / and names something",
    ),
    in_file(
        "origins to enforce, and none",
        "[http]\nenforce_cors = true\n",
        "@/plenum.toml line 2: http.enforce_cors: must be false, or an http.allow_origin to enforce",
    ),
    in_file(
        "forwarded addresses, and nobody to believe",
        "[websocket]\nacl_forwarded = true\n",
        "@/plenum.toml line 2: websocket.acl_forwarded: must be false, or proxies.trusted",
    ),
    in_file(
        "pings without time for an answer",
        "[websocket]\nping_interval = 20\nping_timeout = 0\n",
        "@/plenum.toml line 3: websocket.ping_timeout: must be at least 1 where there is a ping_interval",
    ),
    in_file(
        "a token secret that nobody would ask for",
        "[signaling]\ntoken_auth_secret = \"swordfish\"\n",
        "@/plenum.toml line 2: signaling.token_auth_secret: must be left out, or signaling.token_auth true",
    ),
    in_file(
        "a lock without a key",
        "[signaling]\nlock_play_file = true\n",
        "@/plenum.toml line 2: signaling.lock_play_file: must be false, or a signaling.admin_key to lock with",
    ),
    in_file(
        "signed tokens without a secret",
        "[[rooms]]\nsigned_tokens = true\n",
        "@/plenum.toml line 2: rooms.0.signed_tokens: must be false, or a signaling.token_auth_secret to sign with",
    ),
    in_file(
        "an empty token",
        "[admin]\ntoken = \"\"\n",
        "@/plenum.toml line 2: admin.token: must be visible characters of ASCII, or left out",
    ),
    in_file(
        "a token that no header can carry",
        "[admin]\ntoken = \"two words\"\n",
        "@/plenum.toml line 2: admin.token: must be visible characters of ASCII, or left out",
    ),
    in_file(
        "two rooms of one id",
        "[[rooms]]\nroom = 1\n[[rooms]]\nroom = 1\n",
        "@/plenum.toml line 4: rooms.1.room: must be one that no other room has",
    ),
    in_file(
        "a text for the id of a room",
        "[[rooms]]\nroom = \"hall\"\n",
        "@/plenum.toml line 2: rooms.0.room: must be a number, as signaling.string_ids is false",
    ),
    in_file(
        "an id that JavaScript cannot hold",
        "[[rooms]]\nroom = 9007199254740992\n",
        "@/plenum.toml line 2: rooms.0.room: must be below 2^53",
    ),
    in_file(
        "a sampling rate that Opus has not",
        "[[rooms]]\nsampling_rate = 44100\n",
        "@/plenum.toml line 2: rooms.0.sampling_rate: must be 8000, 12000, 16000, 24000 or 48000",
    ),
    in_file(
        "what this version does not have",
        "[[rooms]]\nrecord = true\n",
        "@/plenum.toml line 2: rooms.0.record: must be false: this version does not have it",
    ),
    in_file(
        "one port twice",
        "[http]\nport = 9000\n[websocket]\nport = 9000\n",
        "@/plenum.toml line 4: websocket.port: must be another port than http.port: both are 9000",
    ),
    in_file(
        "TLS without a certificate",
        "[http]\ntls = true\n",
        "@/plenum.toml line 2: http.tls: must be false, or tls.certificate and tls.key the files of a certificate",
    ),
    in_file(
        "a certificate that is not there",
        "[http]\ntls = true\n[tls]\ncertificate = \"@/none.pem\"\nkey = \"@/key.pem\"\n",
        "@/plenum.toml line 4: tls.certificate: must be a file that this user can read: @/none.pem: No such file",
    ),
    in_file(
        "a certificate that is none",
        "[http]\ntls = true\n[tls]\ncertificate = \"@/secret\"\nkey = \"@/key.pem\"\n",
        "@/plenum.toml line 4: tls.certificate: must be a PEM file with a certificate",
    ),
    in_file(
        "the key of another certificate",
        "[http]\ntls = true\n[tls]\ncertificate = \"@/certificate.pem\"\nkey = \"@/other_key.pem\"\n",
        "@/plenum.toml line 5: tls.key: must be the key of tls.certificate: it is another's",
    ),
    in_file(
        "a file for a directory",
        "[storage]\ndirectory = \"@/secret\"\n",
        "@/plenum.toml line 2: storage.directory: must be a directory that can be written: @/secret",
    ),
    in_file(
        "a secret's file that is not there",
        "[admin]\ntoken = { file = \"@/none\" }\n",
        "@/plenum.toml line 2: admin.token: must be a secret, or a file with one that this user can read: @/none: No such file",
    ),
    in_file(
        "a secret's file with nothing in it",
        "[signaling]\napi_secret.file = \"@/empty\"\n",
        "@/plenum.toml line 2: signaling.api_secret: must be a secret, or a file with one that this user can read: @/empty: is empty",
    ),
    in_file(
        "a secret's file that is a directory",
        "[[rooms]]\npin = { file = \"@\" }\n",
        "@/plenum.toml line 2: rooms.0.pin: must be a secret, or a file with one that this user can read: @: Is a directory",
    ),
    in_file(
        "a secret's file with more than a secret",
        "[admin]\nsecret = { file = \"/dev/zero\" }\n",
        "@/plenum.toml line 2: admin.secret: must be a secret, or a file with one that this user can read: /dev/zero: is longer",
    ),
    in_file(
        "a secret that is neither a text nor in a file",
        "[admin]\nsecret = 42\n",
        "@/plenum.toml line 2: admin.secret: must be a text in quotes or { file = \"…\" }, not a number",
    ),
    in_file("no TOML", "[http]\nport = 1\naddress = \"::1\n", "@/plenum.toml line 3: must be TOML: "),
    in_file(
        "a key that is there twice",
        "[http]\nport = 1\nport = 2\n",
        "@/plenum.toml line 3: must be TOML: duplicate key",
    ),
    Wrong {
        kind: "a variable that is no value",
        file: "",
        variables: &[("PLENUM_HTTP__PORT", "many")],
        flags: &[],
        refusal: "PLENUM_HTTP__PORT: http.port: must be a whole number from 0 to 65535, not string \"many\"",
    },
    Wrong {
        kind: "a variable of an unknown key",
        file: "",
        variables: &[("PLENUM_HTTP__PROT", "1")],
        flags: &[],
        refusal: "PLENUM_HTTP__PROT: http.prot: must be left out: there is no such key in [http]; did you mean http.port?",
    },
    Wrong {
        kind: "a variable that was meant",
        file: "",
        variables: &[("PLENUM_HTTP_PORT", "9000")],
        flags: &[],
        refusal: "PLENUM_HTTP_PORT: http.port: must be PLENUM_HTTP__PORT: two underscores",
    },
    Wrong {
        kind: "a variable with a value out of range",
        file: "[mixer]\ncomplexity = 5\n",
        variables: &[("PLENUM_MIXER__COMPLEXITY", "11")],
        flags: &[],
        refusal: "PLENUM_MIXER__COMPLEXITY: mixer.complexity: must be a number from 1 to 10",
    },
    Wrong {
        kind: "a variable with an item of a list that has a gap",
        file: "",
        variables: &[("PLENUM_ROOMS__1__PIN", "1")],
        flags: &[],
        refusal: "PLENUM_ROOMS__1__PIN: rooms.1.pin: must name an item from 0 to 0: there are no more",
    },
    Wrong {
        kind: "a flag that is no value",
        file: "",
        variables: &[],
        flags: &["http.tls=maybe"],
        refusal: "--set: http.tls: must be true or false, not string \"maybe\"",
    },
    Wrong {
        kind: "a flag without a value",
        file: "",
        variables: &[],
        flags: &["http.port"],
        refusal: "--set http.port: must be KEY=VALUE, such as --set http.port=9000",
    },
];

#[test]
fn each_kind_is_refused_with_the_key_the_place_and_the_remedy() {
    let folder = folder("kinds");
    let of_folder = |text: &str| text.replace('@', folder.to_str().unwrap());
    let file = folder.join("plenum.toml");
    for Wrong { kind, file: text, variables, flags, refusal } in WRONG {
        std::fs::write(&file, of_folder(text)).unwrap();
        let mut command = plenum();
        command.args(["check-config", "--config"]).arg(&file).envs(variables.iter().copied());
        command.args(flags.iter().flat_map(|flag| ["--set", flag]));

        let output = command.output().unwrap();

        let message = String::from_utf8(output.stderr).unwrap();
        let expected = format!("plenum: {}", of_folder(refusal));
        assert!(message.starts_with(&expected), "{kind}:\n{message}is not\n{expected}");
        assert_eq!(output.status.code(), Some(78), "{kind}");
        assert_eq!(message.lines().count(), 1, "{kind}: {message}");
    }
}

#[test]
fn what_may_be_a_secret_is_not_shown_whatever_is_wrong_with_it() {
    let file = folder("unquoted").join("plenum.toml");
    for text in [
        "[admin]\nsecret = 5417\n",
        "[[rooms]]\npin = 5417.5417\n",
        "[[rooms]]\nallowed = [5417]\n",
        "[admin]\nsecret = \"5417\n",
        "[admin]\nsecret = 5417!\n",
        "[admin]\nsecret = it is 5417\n",
        "[[rooms]]\nallowed = [\n  \"5417=\n]\n",
    ] {
        std::fs::write(&file, text).unwrap();
        let message = refusal(&["check-config", "--config", file.to_str().unwrap()]);
        assert!(message.contains(" line ") && !message.contains("5417"), "{message}");
    }
}

#[test]
fn a_file_that_is_no_text_is_refused() {
    let file = folder("latin1").join("plenum.toml");
    std::fs::write(&file, b"[signaling]\nserver_name = \"Caf\xe9\"\n").unwrap();
    assert_eq!(
        refusal(&["check-config", "--config", file.to_str().unwrap()]),
        format!("plenum: {} line 2: must be UTF-8: byte 0xe9 is not\n", file.display())
    );
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    let message = refusal(&["check-config", "--config", "/no/such/plenum.toml"]);
    assert!(message.starts_with("plenum: /no/such/plenum.toml: cannot be read: No such file"), "{message}");
}

#[test]
fn a_folder_of_janus_that_is_none_is_refused() {
    let message = refusal(&["check-config", "--janus-config", "/no/such/folder"]);
    assert!(message.starts_with("plenum: /no/such/folder/janus.jcfg: cannot be read: No such file"), "{message}");
}

#[test]
fn what_only_the_start_can_know_is_refused_there_by_whoever_set_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("admin.port={}", taken.local_addr().unwrap().port());
    let free = ["http.port=0", "websocket.port=0", "media.port=0"];
    let sets = |own: [&str; 2]| {
        let sets: Vec<String> =
            free.iter().chain(&own).flat_map(|set| ["--set".to_owned(), (*set).to_owned()]).collect();
        sets
    };
    let message = |own| refusal(&sets(own).iter().map(String::as_str).collect::<Vec<_>>());

    let taken_port = message([&port, "admin.enabled=true"]);
    assert!(
        taken_port.starts_with("plenum: --set: admin.port: must be a port that is free: 127.0.0.1:"),
        "{taken_port}"
    );
    let elsewhere = message(["admin.port=0", "http.address=192.0.2.1"]);
    assert!(
        elsewhere.starts_with("plenum: --set: http.address: must be an address of this machine: 192.0.2.1 is not"),
        "{elsewhere}"
    );
}

#[test]
fn a_secret_that_everybody_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let secret = folder("open").join("secret");
    std::fs::write(&secret, "open\n").unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let set = format!("admin.token.file={}", secret.display());

    let output = run_to_the_end(&["check-config", "--set", &set]);

    assert!(output.status.success());
    let warning = format!("admin.token: everybody on this machine can read {0}: chmod o= {0}\n", secret.display());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), warning);
}

fn refusal(arguments: &[&str]) -> String {
    let output = run_to_the_end(arguments);
    assert_eq!(output.status.code(), Some(78));
    String::from_utf8(output.stderr).unwrap()
}

/// The files that wrong configurations name, for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("wrong-{name}"));
    std::fs::create_dir_all(&folder).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    for (name, text) in [
        ("certificate.pem", certificate.pem()),
        ("key.pem", key.serialize_pem()),
        ("other_key.pem", KeyPair::generate().unwrap().serialize_pem()),
        ("secret", "swordfish\n".to_owned()),
        ("empty", "\n".to_owned()),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    folder
}
