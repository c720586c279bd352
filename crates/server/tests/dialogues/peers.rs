//! Plenum and Debian's Janus, each started by the test on the same configuration: a folder of Janus' own files.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use tokio::net::TcpStream;

use crate::live::{Port, Server, Stream};
use crate::pattern::Bindings;
use crate::script::{Line, Script, Step, scripts};
use crate::support::{Voice, plenum};

/// The keys of dialogues that Janus has too, with the file and the section where they are.
const KEYS: [(&str, &str, &str); 13] = [
    ("api_secret", JANUS, "general"),
    ("token_auth", JANUS, "general"),
    ("token_auth_secret", JANUS, "general"),
    ("admin_secret", JANUS, "general"),
    ("opaqueid_in_api", JANUS, "general"),
    ("reclaim_session_timeout", JANUS, "general"),
    ("hide_dependencies", JANUS, "general"),
    ("no_media_timeout", JANUS, "media"),
    ("admin_key", AUDIOBRIDGE, "general"),
    ("lock_rtp_forward", AUDIOBRIDGE, "general"),
    ("lock_play_file", AUDIOBRIDGE, "general"),
    ("string_ids", AUDIOBRIDGE, "general"),
    // That its file is there is all that Janus needs to keep rooms.
    ("store", AUDIOBRIDGE, ""),
];
const JANUS: &str = "janus.jcfg";
const AUDIOBRIDGE: &str = "janus.plugin.audiobridge.jcfg";
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/janus";
/// What Debian's Janus would load besides.
const OTHER_PLUGINS: &str = "libjanus_duktape.so,libjanus_lua.so,libjanus_nosip.so,libjanus_recordplay.so,libjanus_sip.so,\
     libjanus_streaming.so,libjanus_textroom.so,libjanus_videocall.so,libjanus_videoroom.so,libjanus_voicemail.so";
const OTHER_TRANSPORTS: &str = "libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,libjanus_rabbitmq.so";

/// The dialogues that a server nobody meddles with can play.
pub(crate) fn playable() -> Vec<Script> {
    let known = |(key, value): &(String, String)| {
        KEYS.iter().any(|(name, ..)| name == key) && (key.as_str(), value.as_str()) != ("store", "fails")
    };
    // Real media planes say what they like, and real time is too slow.
    let meddles = |line: &Line| matches!(line.step, Step::Event(..) | Step::Media(_) | Step::Wait(_));
    let plays = |script: &Script| script.config.iter().all(known) && !script.steps.iter().any(meddles);
    scripts().into_iter().filter(plays).collect()
}

/// A server as a process.
pub(crate) struct Peer {
    process: Child,
    ports: [u16; 3],
}

impl Peer {
    /// `part` is what this test's servers are told from others' by.
    pub(crate) fn plenum(script: &Script, part: &str) -> Self {
        let ports = free_ports();
        let folder = write(&format!("{part}-plenum"), script, ports);
        let mut command = plenum();
        command.arg("--janus-config").arg(&folder).args(["--set", "media.port=0"]);
        if script.stores() {
            command.args(["--set", &format!("storage.directory={}", folder.join("storage").display())]);
        }
        Self::start(command, &folder, &["Plenum is ready"], ports)
    }

    pub(crate) fn janus(script: &Script) -> Self {
        let ports = free_ports();
        let folder = write("beside-janus", script, ports);
        let mut command = Command::new("/usr/bin/janus");
        command.arg("-F").arg(&folder);
        let ready = ["HTTP webserver started", "Admin/monitor HTTP webserver started", "Websockets server started"];
        Self::start(command, &folder, &ready, ports)
    }

    fn start(mut command: Command, folder: &Path, ready: &[&str], ports: [u16; 3]) -> Self {
        // Janus records where it is.
        command.current_dir(folder);
        let mut voice = Voice::of(&mut command);
        let process = command.spawn().unwrap();
        drop(command);
        ready.iter().for_each(|words| voice.wait_for(words));
        Self { process, ports }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server for &Peer {
    async fn connect(&self, port: Port) -> Result<Stream, String> {
        let [http, websocket, admin] = self.ports;
        let port = match port {
            Port::Http => http,
            Port::WebSocket => websocket,
            Port::Admin => admin,
        };
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| error.to_string())?;
        Ok(Box::new(stream))
    }

    async fn meddle(&mut self, step: &Step, _: &mut Bindings) -> Result<(), String> {
        // That a connection is closed takes nobody else.
        if matches!(step, Step::Closes(_)) { Ok(()) } else { Err("nobody meddles here".to_owned()) }
    }
}

/// A configuration in a folder of its own.
fn write(who: &str, script: &Script, [http, websocket, admin]: [u16; 3]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{who}-{}", script.name));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let section = |file: &str, name: &str| {
        let lines = script.config.iter().filter_map(|(key, value)| {
            KEYS.iter().find(|known| known.0 == key && known.1 == file && known.2 == name)?;
            let key = if key == "no_media_timeout" { "no_media_timer" } else { key };
            let bare = value == "true" || value.parse::<u64>().is_ok();
            Some(if bare { format!("{key} = {value}\n") } else { format!("{key} = \"{value}\"\n") })
        });
        lines.collect::<String>()
    };
    let own = folder.display();
    let janus = format!(
        "general: {{\nconfigs_folder = \"{own}\"\nplugins_folder = \"{LIBRARY}/plugins\"\n\
         transports_folder = \"{LIBRARY}/transports\"\nevents_folder = \"{own}\"\nloggers_folder = \"{own}\"\n\
         debug_level = 4\n{}}}\nmedia: {{\n{}}}\nplugins: {{ disable = \"{OTHER_PLUGINS}\" }}\n\
         transports: {{ disable = \"{OTHER_TRANSPORTS}\" }}\n",
        section(JANUS, "general"),
        section(JANUS, "media"),
    );
    let http = format!(
        "general: {{\nhttp = true\nport = {http}\nip = \"127.0.0.1\"\njson = \"compact\"\n}}\n\
         admin: {{\nadmin_http = true\nadmin_port = {admin}\nadmin_ip = \"127.0.0.1\"\n}}\n"
    );
    let websocket =
        format!("general: {{\nws = true\nws_port = {websocket}\nws_ip = \"127.0.0.1\"\njson = \"compact\"\n}}\n");
    fs::write(folder.join(JANUS), janus).unwrap();
    fs::write(folder.join("janus.transport.http.jcfg"), http).unwrap();
    fs::write(folder.join("janus.transport.websockets.jcfg"), websocket).unwrap();
    if script.config.iter().any(|(key, _)| KEYS.iter().any(|known| known.0 == key && known.1 == AUDIOBRIDGE)) {
        fs::write(folder.join(AUDIOBRIDGE), format!("general: {{\n{}}}\n", section(AUDIOBRIDGE, "general"))).unwrap();
    }
    folder
}

/// Ports that nobody has now: a Janus can't be told to take any.
fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
