//! A broker with TLS as its operator meets it: certificates from files, whom we believe, and files that are refused.
#![cfg(feature = "mqtt")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use support::{Plenum, Voice};

#[test]
fn both_sides_show_a_certificate() {
    let mut broker = Broker::start("tls");

    let _plenum = broker.client(&[]);

    broker.voice.wait_for("as guest");
}

#[test]
fn a_broker_that_nobody_vouches_for_is_not_believed_unless_asked_to() {
    let mut broker = Broker::start("stranger");
    let other = authority("another authority").as_ref().pem();
    fs::write(broker.path("authority.pem"), other).unwrap();
    // The broker believes the same file, so that it needs no certificate of ours here.
    let plenum = broker.client(&[]);
    broker.voice.wait_for("OpenSSL Error");
    drop(plenum);
    let said = broker.voice.said();
    assert!(!said.contains("as guest"), "{said}");

    let _plenum = broker.client(&["mqtt.tls.verify_peer=false"]);

    broker.voice.wait_for("as guest");
}

#[test]
fn a_file_that_is_no_certificate_refuses_the_start() {
    let directory = directory("refused");
    fs::write(directory.join("rubbish.pem"), "rubbish").unwrap();
    let rubbish = directory.join("rubbish.pem").display().to_string();
    let output = support::plenum()
        .args(["--set", "mqtt.url=ssl://localhost", "--set", "mqtt.api.publish_qos=1"])
        .args(["--set", &format!("mqtt.tls.authorities={rubbish}")])
        .args(support::FREE_PORTS.iter().flat_map(|set| ["--set", set]))
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(message.contains("mqtt.tls.authorities: must be a PEM file with certificates"), "{message}");
}

/// A mosquitto that speaks TLS only, and asks for a certificate.
struct Broker {
    directory: PathBuf,
    port: u16,
    process: Child,
    voice: Voice,
}

impl Broker {
    fn start(name: &str) -> Self {
        let directory = directory(name);
        let authority = authority("authority of a test");
        fs::write(directory.join("authority.pem"), authority.as_ref().pem()).unwrap();
        fs::write(directory.join("clients.pem"), authority.as_ref().pem()).unwrap();
        for name in ["broker", "client"] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            fs::write(directory.join(format!("{name}.pem")), params.signed_by(&key, &authority).unwrap().pem())
                .unwrap();
            fs::write(directory.join(format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let path = |name: &str| directory.join(name).display().to_string();
        let config = format!(
            "user root\nallow_anonymous true\nlistener {port} localhost\nrequire_certificate true\ncafile {}\n\
             certfile {}\nkeyfile {}\n",
            path("clients.pem"),
            path("broker.pem"),
            path("broker.key"),
        );
        fs::write(directory.join("mosquitto.conf"), config).unwrap();
        let mut command = Command::new("/usr/sbin/mosquitto");
        command.args(["-c", &path("mosquitto.conf")]);
        let voice = Voice::of(&mut command);
        let process = command.spawn().unwrap();
        Self { directory, port, process, voice }
    }

    /// A server that connects to this broker.
    fn client(&self, assignments: &[&str]) -> Plenum {
        let file = |key: &str, name: &str| format!("mqtt.tls.{key}={}", self.path(name).display());
        let url = format!("mqtt.url=ssl://localhost:{}", self.port);
        let sets = [
            url,
            "mqtt.api.publish_qos=1".to_owned(),
            file("authorities", "authority.pem"),
            file("certificate", "client.pem"),
            file("key", "client.key"),
        ];
        let sets = sets.iter().map(String::as_str).chain(support::FREE_PORTS).chain(assignments.iter().copied());
        Plenum::start(&sets.collect::<Vec<_>>())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("brokers").join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}
