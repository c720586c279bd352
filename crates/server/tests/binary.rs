//! The `plenum` binary as its operator meets it: what it says, what it refuses, how it ends.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

/// All ports free ones, so that tests run side by side.
const FREE_PORTS: [&str; 4] = ["http.port=0", "websocket.port=0", "admin.port=0", "media.port=0"];

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
    assert!(message.contains("line 2") && message.contains("`prot`") && message.contains("`port`"), "{message}");
}

#[test]
fn a_wrong_environment_variable_is_refused_by_its_name() {
    let output = plenum().env("PLENUM_HTTP__PORT", "many").output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(message.contains("http.port") || message.contains("HTTP.PORT"), "{message}");
}

#[test]
fn metrics_are_in_the_prometheus_format_and_count_requests() {
    let mut plenum = Plenum::start(&FREE_PORTS);
    plenum.page();
    plenum.list_rooms();
    let metrics = get(&plenum.admin(), "/metrics");
    for line in [
        "# TYPE plenum_mixer_encodes_total counter",
        r#"plenum_mixer_encodes_total{kind="shared",thread="0"} 0"#,
        r#"plenum_signaling_requests_total{result="accepted",code="0"} 1"#,
        "plenum_signaling_rooms 1",
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

/// A running server. Ended when dropped.
struct Plenum {
    process: Child,
    stdout: BufReader<std::process::ChildStdout>,
    stderr: BufReader<std::process::ChildStderr>,
    page: String,
    log: String,
}

impl Plenum {
    fn start(assignments: &[&str]) -> Self {
        Self::spawn(plenum().args(assignments.iter().flat_map(|set| ["--set", set])))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let stderr = BufReader::new(process.stderr.take().unwrap());
        Self { process, stdout, stderr, page: String::new(), log: String::new() }
    }

    /// `host:port` of the page, from the one line on standard output.
    fn page(&mut self) -> &str {
        if self.page.is_empty() {
            let mut line = String::new();
            self.stdout.read_line(&mut line).unwrap();
            let url = line.split("http://").nth(1).unwrap_or_else(|| panic!("no address in {line:?}"));
            self.page = url.split('/').next().unwrap().to_owned();
            self.stderr.read_line(&mut self.log).unwrap();
        }
        &self.page
    }

    /// `host:port` of the admin API, from the log.
    fn admin(&self) -> String {
        let plain: String =
            self.log.split('\u{1b}').map(|part| part.split_once('m').map_or(part, |(_, text)| text)).collect();
        plain.split("admin=").nth(1).unwrap().split(' ').next().unwrap().to_owned()
    }

    fn list_rooms(&self) -> String {
        let request = r#"{"janus":"message_plugin","transaction":"t","plugin":"janus.plugin.audiobridge","request":{"request":"list"}}"#;
        post(&self.admin(), "/admin", request)
    }

    fn terminate(&mut self) -> ExitStatus {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.process.wait().unwrap()
    }
}

impl Drop for Plenum {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn plenum() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plenum"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PLENUM_")) {
        command.env_remove(name);
    }
    command
}

fn run_to_the_end(arguments: &[&str]) -> Output {
    plenum().args(arguments).output().unwrap()
}

fn config_file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("binary-{name}.toml"));
    std::fs::write(&path, text).unwrap();
    path
}

fn get(host: &str, path: &str) -> String {
    let mut response = String::new();
    request(host, &format!("GET {path} HTTP/1.1"), "").read_to_string(&mut response).unwrap();
    response
}

fn post(host: &str, path: &str, body: &str) -> String {
    let mut response = String::new();
    request(host, &format!("POST {path} HTTP/1.1"), body).read_to_string(&mut response).unwrap();
    response
}

fn request(host: &str, line: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let length = body.len();
    write!(stream, "{line}\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    stream
}

/// A WebSocket connection on which the server has agreed.
fn websocket(host: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    write!(
        stream,
        "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: janus-protocol\r\n\r\n"
    )
    .unwrap();
    let mut response = Vec::new();
    while !response.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        response.extend(byte);
    }
    assert!(response.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&response));
    stream
}

/// A short text as a client sends it (RFC 6455 section 5.2), masked with zeros.
fn text_frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    assert!(length < 126);
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
}
