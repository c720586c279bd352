//! A server of a test's own as a process, and what it says over HTTP.
#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// All ports free ones, so that tests run side by side.
pub(crate) const FREE_PORTS: [&str; 4] = ["http.port=0", "websocket.port=0", "admin.port=0", "media.port=0"];

/// The bound of every wait: others may be busy beside us.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server. Ended when dropped.
pub(crate) struct Plenum {
    process: Child,
    stdout: BufReader<std::process::ChildStdout>,
    stderr: BufReader<std::process::ChildStderr>,
    page: String,
    log: String,
}

impl Plenum {
    pub(crate) fn start(assignments: &[&str]) -> Self {
        Self::spawn(plenum().args(assignments.iter().flat_map(|set| ["--set", set])))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let stderr = BufReader::new(process.stderr.take().unwrap());
        Self { process, stdout, stderr, page: String::new(), log: String::new() }
    }

    /// `host:port` of the page, from the one line on standard output.
    pub(crate) fn page(&mut self) -> &str {
        if self.page.is_empty() {
            let mut line = String::new();
            self.stdout.read_line(&mut line).unwrap();
            let url = line.split("http://").nth(1).unwrap_or_else(|| panic!("no address in {line:?}"));
            self.page = url.split('/').next().unwrap().to_owned();
            while !self.log.contains("admin=") {
                assert!(self.stderr.read_line(&mut self.log).unwrap() > 0, "no address in {}", self.log);
            }
        }
        &self.page
    }

    /// `host:port` of the admin API, from the log.
    pub(crate) fn admin(&self) -> String {
        self.log.split("admin=").nth(1).unwrap().split(' ').next().unwrap().to_owned()
    }

    /// The log up to a line with this text.
    pub(crate) fn log_until(&mut self, text: &str) -> &str {
        while !self.log.contains(text) {
            assert!(self.stderr.read_line(&mut self.log).unwrap() > 0, "{text} is not in {}", self.log);
        }
        &self.log
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn list_rooms(&self) -> String {
        let request = r#"{"janus":"message_plugin","transaction":"t","plugin":"janus.plugin.audiobridge","request":{"request":"list"}}"#;
        post(&self.admin(), "/admin", request)
    }

    pub(crate) fn terminate(&mut self) -> ExitStatus {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.wait()
    }

    /// Until it ends by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for Plenum {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a process says, on either output.
pub(crate) struct Voice {
    lines: mpsc::Receiver<String>,
    /// So far.
    said: String,
}

impl Voice {
    /// Of a command that is about to be started, and has to be dropped then.
    #[expect(clippy::disallowed_methods, reason = "somebody has to listen while the test does other things")]
    pub(crate) fn of(command: &mut Command) -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        command.stdin(Stdio::null()).stdout(writer.try_clone().unwrap()).stderr(writer);
        let (line, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let said = BufReader::new(reader).split(b'\n').map_while(Result::ok);
            for bytes in said {
                let _ = line.send(String::from_utf8_lossy(&bytes).into_owned());
            }
        });
        Self { lines, said: String::new() }
    }

    /// Waits until it has said this.
    pub(crate) fn wait_for(&mut self, text: &str) {
        while !self.said.contains(text) {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.said.extend([&line, "\n"]),
                Err(_) => panic!("no {text:?} in {}", self.said),
            }
        }
    }

    /// What it has said before what was waited for last.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }
}

pub(crate) fn plenum() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plenum"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PLENUM_")) {
        command.env_remove(name);
    }
    command
}

pub(crate) fn run_to_the_end(arguments: &[&str]) -> Output {
    plenum().args(arguments).output().unwrap()
}

pub(crate) fn config_file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("binary-{name}.toml"));
    std::fs::write(&path, text).unwrap();
    path
}

/// A WebSocket of the Janus API.
pub(crate) fn websocket(host: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
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

/// A text as a client sends it (RFC 6455 section 5.2), masked with zeros.
pub(crate) fn text_frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let header = match u8::try_from(length) {
        Ok(short) if short < 126 => vec![0x81, 0x80 | short],
        Ok(_) | Err(_) => [vec![0x81, 0x80 | 126], length.to_be_bytes().to_vec()].concat(),
    };
    [&header, &[0; 4][..], text.as_bytes()].concat()
}

pub(crate) fn get(host: &str, path: &str) -> String {
    let mut response = String::new();
    request(host, &format!("GET {path} HTTP/1.1"), "").read_to_string(&mut response).unwrap();
    response
}

pub(crate) fn post(host: &str, path: &str, body: &str) -> String {
    let mut response = String::new();
    request(host, &format!("POST {path} HTTP/1.1"), body).read_to_string(&mut response).unwrap();
    response
}

pub(crate) fn request(host: &str, line: &str, body: &str) -> TcpStream {
    try_request(host, line, body).unwrap()
}

/// Fails when nobody is there any more.
pub(crate) fn try_request(host: &str, line: &str, body: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let length = body.len();
    write!(stream, "{line}\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")?;
    Ok(stream)
}

/// Server-sent events as they come.
pub(crate) struct EventStream {
    connection: TcpStream,
    received: String,
}

impl EventStream {
    /// Of one that is let in.
    pub(crate) fn open(host: &str, path: &str, token: &str) -> Self {
        let (head, stream) = Self::ask(host, path, token);
        assert!(head.contains("200 OK") && head.contains("content-type: text/event-stream"), "{head}");
        stream
    }

    /// With the head of the response, whatever it says.
    pub(crate) fn ask(host: &str, path: &str, token: &str) -> (String, Self) {
        let line = format!("GET {path} HTTP/1.1\r\nAuthorization: Bearer {token}");
        let mut stream = Self { connection: request(host, &line, ""), received: String::new() };
        (stream.until("\r\n\r\n"), stream)
    }

    /// The name and the data of the next event.
    pub(crate) fn next(&mut self) -> (String, String) {
        self.until("event: ");
        let event = self.until("\n");
        self.until("data: ");
        (event, self.until("\n\n"))
    }

    fn until(&mut self, end: &str) -> String {
        loop {
            if let Some((text, rest)) = self.received.split_once(end) {
                let (text, rest) = (text.to_owned(), rest.to_owned());
                self.received = rest;
                return text;
            }
            let mut bytes = [0; 65_536];
            let length = self.connection.read(&mut bytes).unwrap();
            assert!(length > 0, "the stream ended before {end:?}");
            self.received.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
        }
    }
}
