//! Brokers of a test's own: on free ports, with directories of their own, ended with the test.
#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "what is not as expected fails the test")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use signaling::{Config, TransportConfig};
use tokio::sync::oneshot;

use crate::transport_support::{World, id};

/// The bound of every wait: a broker's start takes 6 s on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The room that everybody joins.
pub(crate) const ROOM: u64 = 1234;

/// A world whose sessions outlive the start of a broker, on a busy machine too.
pub(crate) fn patient_world() -> World {
    let long = Config { session_timeout: Duration::from_secs(600), ..Config::default() };
    World::with(long, TransportConfig::default())
}

/// Somebody joins the room over HTTP.
pub(crate) async fn somebody_joins(world: &World) {
    let session = world.create_session().await;
    let handle = id(&world.post("/janus", attach(session)).await);
    let join = message(session, handle, json!({"request": "join", "room": ROOM}));
    assert_eq!(world.post("/janus", join).await["janus"], "ack");
}

pub(crate) fn attach(session: u64) -> Value {
    json!({"janus": "attach", "plugin": "janus.plugin.audiobridge", "session_id": session, "transaction": "a"})
}

pub(crate) fn message(session: u64, handle: u64, body: Value) -> Value {
    json!({"janus": "message", "session_id": session, "handle_id": handle, "transaction": "m", "body": body})
}

/// A broker that runs.
pub(crate) struct Broker {
    pub(crate) port: u16,
    directory: PathBuf,
    command: fn(&Path, u16) -> Command,
    /// What it says once it serves.
    serves: &'static str,
    /// The broker, and what it needs.
    processes: Vec<Child>,
}

impl Broker {
    /// `name` has to be no other test's. `listeners` are lines of the configuration for further ones.
    pub(crate) async fn rabbitmq(name: &str, listeners: &str) -> Self {
        let mut broker = Self::new(name, rabbitmq_command, "Server startup complete");
        fs::write(broker.directory.join("rabbitmq.conf"), listeners).unwrap();
        // The name service of Erlang: in the foreground, or it would outlive us.
        let epmd = Command::new("epmd").args(["-address", "127.0.0.1", "-port", &side_port(&broker.directory)]).spawn();
        broker.processes.push(epmd.unwrap());
        broker.start().await;
        broker
    }

    /// `name` has to be no other test's. `listeners` are lines of the configuration for further ones.
    pub(crate) async fn mosquitto(name: &str, listeners: &str) -> Self {
        let mut broker = Self::new(name, mosquitto_command, " running");
        let first = format!("listener {} 127.0.0.1\nallow_anonymous true\nuser root\n{listeners}", broker.port);
        fs::write(broker.directory.join("mosquitto.conf"), first).unwrap();
        broker.start().await;
        broker
    }

    fn new(name: &str, command: fn(&Path, u16) -> Command, serves: &'static str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("side-port"), free_port().to_string()).unwrap();
        Self { port: free_port(), directory, command, serves, processes: Vec::new() }
    }

    /// Kills the broker without a warning.
    pub(crate) fn kill(&mut self) {
        end(&mut self.processes.pop().unwrap());
    }

    /// Starts the broker (again), and waits until it says that it serves.
    pub(crate) async fn start(&mut self) {
        let mut log = fs::File::create(self.directory.join("log")).unwrap();
        let (said, saying) = std::io::pipe().unwrap();
        let mut command = (self.command)(&self.directory, self.port);
        // A group of its own, so that what it starts ends with it.
        command.process_group(0).stdin(Stdio::null()).stderr(saying.try_clone().unwrap()).stdout(saying);
        self.processes.push(command.spawn().unwrap());
        drop(command);
        let (serving, served) = oneshot::channel();
        let (mut serving, serves) = (Some(serving), self.serves);
        // Ends with the broker.
        tokio::task::spawn_blocking(move || {
            for line in BufReader::new(said).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                writeln!(log, "{line}").unwrap();
                if line.contains(serves) {
                    serving.take().map(|serving| serving.send(()));
                }
            }
        });
        tokio::time::timeout(PATIENCE, served).await.unwrap().unwrap();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.processes.iter_mut().rev().for_each(end);
    }
}

fn end(child: &mut Child) {
    let group = format!("-{}", child.id());
    let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    let _ = child.kill();
    let _ = child.wait();
}

fn rabbitmq_command(directory: &Path, port: u16) -> Command {
    let mut command = Command::new("/usr/lib/rabbitmq/bin/rabbitmq-server");
    command
        .env("HOME", directory)
        .env("ERL_EPMD_PORT", side_port(directory))
        .env("RABBITMQ_NODENAME", format!("plenum{port}@localhost"))
        .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODE_PORT", port.to_string())
        .env("RABBITMQ_DIST_PORT", free_port().to_string())
        .env("RABBITMQ_MNESIA_BASE", directory)
        .env("RABBITMQ_LOG_BASE", directory)
        .env("RABBITMQ_LOGS", "-")
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", directory.join("plugins"))
        .env("RABBITMQ_PID_FILE", directory.join("pid"))
        .env("RABBITMQ_CONF_ENV_FILE", directory.join("none"))
        .env("RABBITMQ_CONFIG_FILE", directory.join("rabbitmq"));
    command
}

fn mosquitto_command(directory: &Path, _port: u16) -> Command {
    let mut command = Command::new("/usr/sbin/mosquitto");
    command.arg("-c").arg(directory.join("mosquitto.conf"));
    command
}

fn side_port(directory: &Path) -> String {
    fs::read_to_string(directory.join("side-port")).unwrap()
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
