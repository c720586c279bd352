//! TLS as its operator meets it: a certificate that curl trusts, replaced while a call goes on, and files that are refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// How long what should happen soon may take on a loaded machine.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn curl_trusts_the_certificate_and_sees_the_next_one_after_a_hangup() {
    let files = Files::new("curl");
    let first = files.issue();
    let plenum = Plenum::start(&files);
    let https = plenum.address("https");
    let url = format!("https://localhost:{}/janus/ping", port(&https));
    let pong = curl(&files, &[&url]);
    assert!(pong.contains(r#""janus":"pong""#), "{pong}");
    let metrics = curl(&files, &[&format!("https://localhost:{}/metrics", port(&plenum.address("admin_tls")))]);
    assert!(metrics.contains("plenum_rooms{state=\"idle\"} 1"), "{metrics}");
    assert_eq!(shown(&https), first);

    let second = files.issue();
    plenum.hang_up();
    plenum.wait_for("a new certificate is shown from now on");

    assert_ne!(first, second);
    assert_eq!(shown(&https), second);

    files.write("key.pem", "rubbish");
    plenum.hang_up();
    let refusal = plenum.wait_for("the configuration stays as it is");
    assert!(refusal.contains("line 7: tls.key: must be a PEM file with a private key"), "{refusal}");
    assert_eq!(shown(&https), second);
    assert!(curl(&files, &[&url]).contains(r#""janus":"pong""#));
}

#[test]
fn changed_files_are_seen_without_a_signal() {
    let files = Files::new("seen");
    files.issue();
    let plenum = Plenum::start(&files);
    let second = files.issue();

    plenum.wait_for("a new certificate is shown from now on");

    assert_eq!(shown(&plenum.address("websocket_tls")), second);
}

#[test]
fn commands_find_a_server_that_has_its_admin_port_over_tls_alone() {
    let files = Files::new("commands");
    files.issue();
    let plenum = Plenum::start(&files);
    let port = format!("admin.tls_port={}", port(&plenum.address("admin_tls")));
    let certificate = format!("tls.certificate={:?}", files.path("authority.pem").display().to_string());
    let ask = |arguments: &[&str]| {
        let mut command = files.command();
        command.args(["--set", "admin.enabled=false", "--set", &port]).args(arguments).output().unwrap()
    };

    let known = ask(&["rooms", "list"]);
    let stranger = ask(&["--set", &certificate, "rooms", "list"]);

    assert!(String::from_utf8_lossy(&known.stdout).contains("Demo Room"), "{known:?}");
    assert_eq!(stranger.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&stranger.stderr);
    assert!(complaint.contains("it shows another certificate than the one it is known by"), "{complaint}");
}

#[test]
fn files_that_are_no_certificate_refuse_the_start() {
    let files = Files::new("refused");
    files.issue();
    let key = std::fs::read_to_string(files.path("key.pem")).unwrap();
    let chain = std::fs::read_to_string(files.path("chain.pem")).unwrap();
    files.issue();
    for (name, text, message) in [
        ("chain.pem", "rubbish", "line 6: tls.certificate: must be a PEM file with a certificate: there is none"),
        ("chain.pem", chain.as_str(), "line 7: tls.key: must be the key of tls.certificate: it is another's"),
        ("key.pem", "rubbish", "line 7: tls.key: must be a PEM file with a private key: there is none"),
    ] {
        let kept = std::fs::read_to_string(files.path(name)).unwrap();
        files.write(name, text);
        let refusal = files.refusal();
        assert!(refusal.contains(message), "{refusal}");
        files.write(name, &kept);
    }
    files.write("chain.pem", &chain);
    files.write("key.pem", &key);
    std::fs::remove_file(files.path("key.pem")).unwrap();
    assert!(files.refusal().contains("line 7: tls.key: must be a file that this user can read: "));
}

#[test]
fn tls_without_a_certificate_refuses_the_start() {
    let files = Files::new("without");
    files.write("plenum.toml", "[http]\nport = 0\n[websocket]\ntls = true\n");
    let refusal = files.refusal();
    assert!(refusal.contains("line 4: websocket.tls: must be false, or tls.certificate and tls.key"), "{refusal}");
}

/// A folder with an authority, a certificate and a configuration that names them.
struct Files {
    folder: PathBuf,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Files {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tls-{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        let mut params = CertificateParams::default();
        // Without a name of its own it would pass for the certificates that it issues.
        params.distinguished_name.push(DnType::CommonName, "authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let files = Self { folder, authority };
        files.write("authority.pem", &files.authority.as_ref().pem());
        let of = |name: &str| files.path(name).display().to_string();
        let text = format!(
            "http.tls = true\nwebsocket.tls = true\nadmin.tls = true\nadmin.websocket_tls = true\n\
             [tls]\ncertificate = {:?}\nkey = {:?}\n",
            of("chain.pem"),
            of("key.pem")
        );
        files.write("plenum.toml", &text);
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Puts a new certificate into the place of the one before, and tells its bytes as text.
    fn issue(&self) -> String {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &self.authority).unwrap();
        self.write("key.pem", &key.serialize_pem());
        self.write("chain.pem", &certificate.pem());
        body(&certificate.pem())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plenum"));
        command.arg("--config").arg(self.path("plenum.toml"));
        let ports = [
            "http.",
            "http.tls_",
            "websocket.",
            "websocket.tls_",
            "admin.",
            "admin.tls_",
            "admin.websocket_tls_",
            "media.",
        ];
        command.args(ports.iter().flat_map(|port| ["--set".to_owned(), format!("{port}port=0")]));
        command
    }

    /// What the server says when it does not start.
    fn refusal(&self) -> String {
        let output = self.command().output().unwrap();
        assert_eq!(output.status.code(), Some(78));
        String::from_utf8(output.stderr).unwrap()
    }
}

/// A running server. Ended when dropped.
struct Plenum {
    process: Child,
    listening: String,
    log: Receiver<String>,
}

impl Plenum {
    fn start(files: &Files) -> Self {
        let mut command = files.command();
        command.args(["--set", "log.format=json"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let log = lines(process.stderr.take().unwrap());
        let mut plenum = Self { process, listening: String::new(), log };
        plenum.listening = plenum.wait_for("listening");
        plenum
    }

    /// Where a port of the log's first line is.
    fn address(&self, port: &str) -> String {
        let line: serde_json::Value = serde_json::from_str(&self.listening).unwrap();
        line["fields"][port].as_str().unwrap().to_owned()
    }

    /// The next line of the log with this text.
    fn wait_for(&self, text: &str) -> String {
        loop {
            let line = self.log.recv_timeout(SOON).unwrap_or_else(|_| panic!("{text} was not logged"));
            if line.contains(text) {
                return line;
            }
        }
    }

    fn hang_up(&self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }
}

impl Drop for Plenum {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn lines(stderr: ChildStderr) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::Builder::new()
        .spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        })
        .unwrap();
    receiver
}

fn port(address: &str) -> &str {
    address.rsplit(':').next().unwrap()
}

fn curl(files: &Files, arguments: &[&str]) -> String {
    let authority = files.path("authority.pem");
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--cacert"])
        .arg(authority)
        .args(arguments)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    String::from_utf8(output.stdout).unwrap()
}

/// The certificate that `openssl s_client` is shown.
fn shown(address: &str) -> String {
    let connect = format!("localhost:{}", port(address));
    let mut client = Command::new("openssl")
        .args(["s_client", "-connect", &connect])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut text = String::new();
    client.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    client.wait().unwrap();
    body(&text)
}

/// What is between the first two dashed lines of a PEM text.
fn body(pem: &str) -> String {
    let after = pem.split("-----BEGIN CERTIFICATE-----").nth(1).unwrap();
    after.split("-----END").next().unwrap().split_whitespace().collect()
}
