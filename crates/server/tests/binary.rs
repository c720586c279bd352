//! The `plenum` binary as its operator meets it: what it says, what it refuses, how it ends.

mod support;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use support::{FREE_PORTS, Plenum, config_file, get, plenum, run_to_the_end, text_frame, websocket};

#[test]
fn without_configuration_one_line_says_where_the_page_is_and_the_demo_room_exists() {
    let mut plenum = Plenum::start(&FREE_PORTS);
    let page = plenum.page();
    assert!(get(page, "/").contains("<html"));
    assert!(get(page, "/janus/info").contains(r#""janus":"server_info""#));
    let list = plenum.list_rooms();
    assert!(list.contains(r#""room":1234,"description":"Demo Room","sampling_rate":48000"#), "{list}");
    plenum.terminate();
}

#[test]
fn sigterm_tells_the_sessions_and_ends_with_status_0() {
    let mut plenum = Plenum::start(&FREE_PORTS);
    let mut socket = websocket(plenum.page());
    socket.write_all(&text_frame(r#"{"janus":"create","transaction":"t"}"#)).unwrap();
    let mut created = [0; 4];
    socket.read_exact(&mut created).unwrap();
    let status = plenum.terminate();
    assert_eq!(status.code(), Some(0));
    let mut told = Vec::new();
    socket.read_to_end(&mut told).unwrap();
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains(r#"{"janus":"timeout","session_id":"#), "{told}");
}

#[test]
fn a_taken_port_is_refused_by_its_key_and_line() {
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let file = config_file("taken-tcp", &format!("[websocket]\nport = 0\n\n[http]\nport = {port}\n"));
    let output = run_to_the_end(&["--config", file.to_str().unwrap()]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(message.contains(&format!("line 5: http.port: must be a port that is free: 0.0.0.0:{port}")), "{message}");
}

#[test]
fn a_taken_media_port_is_refused_by_its_key() {
    let taken = UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut arguments = vec!["--set".to_owned(), format!("media.port={port}")];
    for set in &FREE_PORTS[..3] {
        arguments.extend(["--set".to_owned(), (*set).to_owned()]);
    }
    let output = run_to_the_end(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(message.contains("media.port: must be a port that is free"), "{message}");
}

#[test]
fn an_unknown_key_is_refused() {
    let file = config_file("unknown", "[http]\nprot = 1\n");
    let output = run_to_the_end(&["--config", file.to_str().unwrap()]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(
        message.contains("line 2: http.prot: must be left out") && message.contains("did you mean http.port?"),
        "{message}"
    );
}

#[test]
fn a_wrong_environment_variable_is_refused_by_its_name() {
    let output = plenum().env("PLENUM_HTTP__PORT", "many").output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(message.starts_with("plenum: PLENUM_HTTP__PORT: http.port: must be a whole number"), "{message}");
}

#[test]
fn metrics_are_in_the_prometheus_format_and_count_requests() {
    let mut plenum = Plenum::start(&FREE_PORTS);
    plenum.page();
    plenum.list_rooms();
    let metrics = get(&plenum.admin(), "/metrics");
    for line in [
        "# TYPE plenum_encodes_total counter",
        r#"plenum_encodes_total{kind="shared",thread="mix-0"} 0"#,
        r#"plenum_requests_total{api="admin",verb="message_plugin",code="0"} 1"#,
        r#"plenum_requests_total{api="audiobridge",verb="list",code="0"} 1"#,
        r#"plenum_rooms{state="idle"} 1"#,
        "# TYPE plenum_request_duration_seconds histogram",
        r#"plenum_request_duration_seconds_bucket{api="admin",verb="message_plugin",le="+Inf"} 1"#,
        r#"plenum_request_duration_seconds_count{api="admin",verb="message_plugin"} 1"#,
        r#"plenum_mix_tick_duration_seconds_bucket{thread="mix-0",le="0.0025"} 0"#,
        r#"plenum_thread_cpu_seconds_total{thread="net-0"} "#,
        "process_start_time_seconds ",
        r#"plenum_build_info{version=""#,
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    plenum.terminate();
}

#[test]
fn static_rooms_replace_the_demo_room() {
    let file = config_file("rooms", "[[rooms]]\nroom = 5\ndescription = \"Five\"\npin = \"1\"\n");
    let mut arguments = vec!["--config".to_owned(), file.to_str().unwrap().to_owned()];
    arguments.extend(FREE_PORTS.iter().flat_map(|set| ["--set".to_owned(), (*set).to_owned()]));
    let mut plenum = Plenum::spawn(plenum().args(arguments));
    plenum.page();
    let list = plenum.list_rooms();
    assert!(list.contains(r#""room":5,"description":"Five","sampling_rate":16000"#), "{list}");
    assert!(list.contains(r#""pin_required":true"#), "{list}");
    assert!(!list.contains("1234"), "{list}");
    plenum.terminate();
}

/// A WebSocket connection on which the server has agreed.
#[test]
fn a_unix_socket_carries_the_api_and_its_path_is_nobody_elses() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (path, own) = (folder.join("binary-api.sock"), folder.join("binary-own.sock"));
    let _ = (std::fs::remove_file(&path), std::fs::remove_file(&own));
    let sets = [format!("unix.path={}", path.display()), "unix.type=SOCK_DGRAM".to_owned()];
    let sets: Vec<&str> = FREE_PORTS.into_iter().chain(sets.iter().map(String::as_str)).collect();
    let mut plenum = Plenum::start(&sets);
    plenum.page();
    let client = UnixDatagram::bind(&own).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    client.send_to(br#"{"janus":"info","transaction":"t"}"#, &path).unwrap();
    let mut packet = vec![0; 65536];
    let length = client.recv(&mut packet).unwrap();
    assert!(packet[..length].starts_with(br#"{"janus":"server_info","transaction":"t""#));

    let refused = run_to_the_end(&sets.iter().flat_map(|set| ["--set", set]).collect::<Vec<_>>());
    let message = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(78));
    assert!(message.contains("unix.path: must be a path where nothing is"), "{message}");

    assert_eq!(plenum.terminate().code(), Some(0));
    assert!(!path.exists());
}
