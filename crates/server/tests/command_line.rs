//! What can be asked of the binary besides to run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::{FREE_PORTS, Plenum, config_file, run_to_the_end};

#[test]
fn the_help_teaches_by_examples() {
    let help = said(&["--help"]);
    for example in
        ["plenum --janus-config /etc/janus", "plenum import", "plenum check-config", "plenum rooms create 42"]
    {
        assert!(help.contains(example), "{help}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    assert_eq!(said(&["version"]), format!("plenum {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_right_configuration_is_called_right() {
    let file = config_file("right", "[[rooms]]\nroom = 1\n[[rooms]]\nroom = 2\n");
    assert_eq!(
        said(&["check-config", "--config", file.to_str().unwrap()]),
        "The configuration is right: it has 2 rooms.\n"
    );
}

#[test]
fn a_wrong_configuration_is_refused_with_file_line_key_and_remedy() {
    let file = config_file("wrong", "[mixer]\n\ncomplexity = 11\n");
    let output = run_to_the_end(&["check-config", "--config", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(78));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("binary-wrong.toml line 3: mixer.complexity: must be a number from 1 to 10"), "{message}");
}

#[test]
fn a_wrong_flag_is_named_as_one() {
    let output = run_to_the_end(&["check-config", "--set", "http.port=many"]);
    assert_eq!(output.status.code(), Some(78));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.starts_with("plenum: --set: http.port: must be a whole number from 0 to 65535, not string \"many\""),
        "{message}"
    );
}

#[test]
fn rooms_of_a_running_server_are_listed_made_and_destroyed() {
    let mut server = Plenum::start(&[&FREE_PORTS[..], &["admin.secret=overlord", "signaling.admin_key=key"]].concat());
    server.page();
    let port = format!("admin.port={}", server.admin().rsplit(':').next().unwrap());
    let rooms = |arguments: &[&str]| {
        let access = ["--set", &port, "--set", "admin.secret=overlord", "--set", "signaling.admin_key=key", "rooms"];
        run_to_the_end(&[&access[..], arguments].concat())
    };
    let said = |arguments: &[&str]| String::from_utf8(rooms(arguments).stdout).unwrap();

    assert_eq!(said(&["create", "42", "--description", "Hall", "--pin", "1"]), "Room 42 is created.\n");
    let list = said(&["list"]);
    assert!(list.contains("42               0  16000 Hz pin  Hall\n"), "{list}");
    assert_eq!(said(&["edit", "42", "--property", "new_description=Town hall"]), "Room 42 is edited.\n");
    assert!(said(&["list", "--json"]).contains(r#""description":"Town hall""#));
    assert_eq!(said(&["edit", "42", "--property", "new_pin=4321"]), "Room 42 is edited.\n");
    assert_eq!(said(&["participants", "42"]), "\n");
    assert_eq!(said(&["destroy", "42"]), "Room 42 is destroyed.\n");

    let again = rooms(&["destroy", "42"]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(String::from_utf8(again.stderr).unwrap(), "plenum: No such room (42)\n");
    let permanent = rooms(&["create", "--permanent"]);
    assert!(
        String::from_utf8(permanent.stderr).unwrap().contains("No configuration file, can't create permanent room")
    );
}

#[test]
fn health_is_that_of_the_running_server() {
    let mut server = Plenum::start(&FREE_PORTS);
    server.page();
    let port = format!("admin.port={}", server.admin().rsplit(':').next().unwrap());
    let health = |arguments: &[&str]| run_to_the_end(&[&["health", "--set", &port], arguments].concat());

    let (alive, ready) = (health(&[]), health(&["--ready"]));
    assert_eq!((alive.status.code(), ready.status.code()), (Some(0), Some(0)));
    assert!(String::from_utf8(alive.stdout).unwrap().contains(r#""live":true"#));
    assert!(String::from_utf8(ready.stdout).unwrap().contains(r#""ready":true"#));

    server.terminate();
    assert_eq!(health(&[]).status.code(), Some(1));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let output = run_to_the_end(&["--set", "admin.port=1", "rooms", "list"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("plenum: no server answers at 127.0.0.1:1 (admin.address, admin.port)"), "{message}");
}

fn said(arguments: &[&str]) -> String {
    let output = run_to_the_end(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
