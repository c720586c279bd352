//! No secret is in the log, at any level: not ours, not a library's, not on a way that is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod receiver;
mod support;

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use receiver::Receiver;
use serde_json::{Value, json};
use support::{FREE_PORTS, config_file, get, plenum, post, request, text_frame, websocket};

/// Chromium's offer, cut down to what an answer needs.
const OFFER: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:EsAw\r\na=ice-pwd:SECRETicePasswordOfTheClient\r\n\
    a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F\r\n\
    a=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=ssrc:2998362345 cname:x\r\n";

/// In every secret that a test makes up. What a client gets wrong may be a secret elsewhere.
const MARK: &str = "SECRET";

const CONFIG: &str = r#"
[log]
filter = "trace"
[signaling]
api_secret = "SECRETapi"
admin_key = "SECRETadminKey"
token_auth = true
[admin]
secret = "SECRETadmin"
token = "SECRETbearer"
[turn]
uris = ["turn:turn.example.org"]
secret = "SECRETturn"
[[rooms]]
room = 1234
secret = "SECRETroom"
pin = "SECRETpin"
allowed = ["SECRETallowed"]
"#;

/// The Base64 of 32 times "SECRET" or so would not have the mark in it: this is looked for besides.
const WEBHOOK_KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

#[test]
fn no_secret_of_any_kind_is_logged() {
    let receiver = Receiver::listen(vec![500]);
    let hook = format!(
        "[[webhooks]]\nurl = \"{}?key=SECRETurl\"\nkey = \"{WEBHOOK_KEY}\"\nevents = [\"room\", \"participant\", \"sdp\"]\n",
        receiver.url()
    );
    let sockets = Sockets::new();
    let mut server = Server::start("all", &format!("{CONFIG}{}{hook}", sockets.config()));

    over_the_admin_api(&server);
    let mut made = over_http(&server);
    made.extend(over_websocket(&server));
    made.push(converse(|request| sockets.ask(request), |request| sockets.admin(request)));
    over_rest(&server);
    receiver.posts_until("sdp.exchanged");
    let log = server.end();

    made.push(WEBHOOK_KEY["whsec_".len()..].to_owned());
    assert_silent(&log, &made);
}

#[test]
fn signed_tokens_are_not_logged_either() {
    let config = "[log]\nfilter = \"trace\"\n[signaling]\ntoken_auth = true\ntoken_auth_secret = \"SECRETsigning\"\n";
    let mut server = Server::start("signed", config);

    for token in ["2000000000,janus,janus.plugin.audiobridge:SECRETsignature", "SECRETnonsense"] {
        ask(&server.page, "/janus", &json!({"janus": "create", "transaction": "t", "token": token}));
        get(&server.page, &format!("/janus/1?token={token}"));
    }
    let log = server.end();

    assert!(log.contains("request refused"), "{log}");
    assert!(!log.contains(MARK), "{:#?}", log.lines().filter(|line| line.contains(MARK)).collect::<Vec<_>>());
}

/// The log says everything but these, and what is marked.
fn assert_silent(log: &str, secrets: &[String]) {
    assert!(log.contains("participant joined") && log.contains("request refused"), "the log is there: {log}");
    assert!(log.contains("TRACE"), "and says everything");
    for secret in secrets.iter().map(String::as_str).chain([MARK]) {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(secret)).take(5).collect();
        assert!(lines.is_empty(), "{secret} is in {lines:#?}");
    }
}

/// The passwords for ICE and TURN that came of it.
fn over_http(server: &Server) -> Vec<String> {
    let page = &server.page;
    let ask = |path: &str, mut request: Value| {
        request["apisecret"] = "SECRETapi".into();
        request["token"] = "SECRETtokenOfTheClient".into();
        request["transaction"] = "t".into();
        ask(page, path, &request)
    };
    crate::ask(page, "/janus", &json!({"janus": "create", "transaction": "t", "apisecret": "SECRETwrong"}));
    let session = format!("/janus/{}", ask("/janus", json!({"janus": "create"}))["data"]["id"]);
    let attached = ask(&session, json!({"janus": "attach", "plugin": "janus.plugin.audiobridge"}));
    let handle = format!("{session}/{}", attached["data"]["id"]);
    let message = |body: Value| ask(&handle, json!({"janus": "message", "body": body}));
    message(json!({"request": "create", "room": 7, "admin_key": "SECRETadminKey", "secret": "SECRETnewRoom",
        "pin": "SECRETnewPin", "allowed": ["SECRETnewAllowed"]}));
    message(json!({"request": "create", "room": 8, "admin_key": "SECRETwrong"}));
    message(json!({"request": "edit", "room": 7, "secret": "SECRETnewRoom", "new_secret": "SECRETnewest",
        "new_pin": "SECRETnewestPin"}));
    message(
        json!({"request": "allowed", "room": 1234, "secret": "SECRETroom", "action": "add", "allowed": ["SECRETtwo"]}),
    );
    message(json!({"request": "list", "admin_key": "SECRETadminKey"}));
    message(json!({"request": "join", "room": 1234, "pin": "SECRETwrong", "token": "SECRETallowed"}));
    message(json!({"request": "join", "room": {"SECRETtype": 1}, "pin": "SECRETpin"}));
    let join = json!({"request": "join", "room": 1234, "pin": "SECRETpin", "token": "SECRETallowed",
        "secret": "SECRETroom", "id": 5});
    ask(&handle, json!({"janus": "message", "body": join, "jsep": {"type": "offer", "sdp": OFFER}}));
    for broken in
        [OFFER.replace("D2:FA", "no fingerprint"), OFFER.replace("a=mid:0", "a"), OFFER.replace("rtcp-mux", "rtpmap:x")]
    {
        ask(
            &handle,
            json!({"janus": "message", "body": {"request": "configure"}, "jsep": {"type": "offer", "sdp": broken}}),
        );
    }
    let candidate = "candidate:1 1 udp 2122260223 127.0.0.1 9 typ host";
    ask(&handle, json!({"janus": "trickle", "candidate": {"sdpMid": "0", "candidate": candidate}}));
    get(page, "/janus/1?apisecret=SECRETwrong&token=SECRETwrong");
    get(page, "/turn?api=SECRETwrong&apisecret=SECRETwrong");
    let turn = get(page, "/turn?apisecret=SECRETapi&token=SECRETtokenOfTheClient&api=SECRETapi");
    let password = turn.split(r#""password":""#).nth(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    let mut events = String::new();
    while !events.contains("ice-pwd:") {
        events += &get(page, &format!("{session}?maxev=10&apisecret=SECRETapi&token=SECRETtokenOfTheClient"));
    }
    ask(&session, json!({"janus": "destroy"}));
    vec![ice_password(&events), password.unwrap()]
}

fn over_websocket(server: &Server) -> Vec<String> {
    let mut socket = websocket(&server.page);
    let mut say = |request: Value| {
        socket.write_all(&text_frame(&request.to_string())).unwrap();
        let mut header = [0; 4];
        socket.read_exact(&mut header[..2]).unwrap();
        let length = match header[1] {
            126 => {
                socket.read_exact(&mut header[2..]).unwrap();
                usize::from(u16::from_be_bytes([header[2], header[3]]))
            }
            short => usize::from(short),
        };
        let mut text = vec![0; length];
        socket.read_exact(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    };
    say(json!({"janus": "create", "transaction": "t", "apisecret": "SECRETwrong"}));
    let created: Value =
        serde_json::from_str(&say(json!({"janus": "create", "transaction": "t", "apisecret": "SECRETapi"}))).unwrap();
    let session = &created["data"]["id"];
    let attach = json!({"janus": "attach", "transaction": "t", "session_id": session, "apisecret": "SECRETapi",
        "plugin": "janus.plugin.audiobridge", "token": "SECRETtoken"});
    let attached: Value = serde_json::from_str(&say(attach)).unwrap();
    let join = json!({"janus": "message", "transaction": "t", "session_id": session, "apisecret": "SECRETapi",
        "handle_id": attached["data"]["id"], "jsep": {"type": "offer", "sdp": OFFER},
        "body": {"request": "join", "room": 1234, "pin": "SECRETpin", "token": "SECRETallowed"}});
    let mut answer = say(join);
    while !answer.contains("ice-pwd:") {
        answer =
            say(json!({"janus": "keepalive", "transaction": "t", "session_id": session, "apisecret": "SECRETapi"}));
    }
    vec![ice_password(&answer)]
}

/// A conversation by single messages, each of which gets one: its answer, or an event. The ICE password that came of it.
fn converse(janus: impl Fn(&Value) -> Value, admin: impl Fn(&Value) -> Value) -> String {
    for token in ["SECRETtokenOfTheClient", "SECRETtoken"] {
        admin(&json!({"janus": "add_token", "transaction": "t", "admin_secret": "SECRETadmin", "token": token}));
    }
    admin(&json!({"janus": "list_sessions", "transaction": "t", "admin_secret": "SECRETwrong"}));
    admin(&json!({"janus": "list_tokens", "transaction": "t", "admin_secret": "SECRETadmin"}));
    let ask = |mut request: Value| {
        (request["transaction"], request["apisecret"]) = ("t".into(), "SECRETapi".into());
        request["token"] = "SECRETtokenOfTheClient".into();
        janus(&request)
    };
    janus(&json!({"janus": "create", "transaction": "t", "apisecret": "SECRETwrong", "token": "SECRETwrong"}));
    let session = ask(json!({"janus": "create"}))["data"]["id"].clone();
    let attach = json!({"janus": "attach", "session_id": session, "plugin": "janus.plugin.audiobridge"});
    let handle = ask(attach)["data"]["id"].clone();
    let join = json!({"request": "join", "room": 1234, "pin": "SECRETpin", "token": "SECRETallowed"});
    let mut answer = ask(json!({"janus": "message", "session_id": session, "handle_id": handle, "body": join,
        "jsep": {"type": "offer", "sdp": OFFER}}));
    while answer.get("jsep").is_none() {
        answer = ask(json!({"janus": "keepalive", "session_id": session}));
    }
    ice_password(&answer.to_string())
}

fn over_the_admin_api(server: &Server) {
    let admin = |mut request: Value| {
        request["transaction"] = "t".into();
        if request.get("admin_secret").is_none() {
            request["admin_secret"] = "SECRETadmin".into();
        }
        ask(&server.admin, "/admin", &request)
    };
    admin(json!({"janus": "list_sessions", "admin_secret": "SECRETwrong"}));
    for token in ["SECRETtokenOfTheClient", "SECRETtoken"] {
        admin(json!({"janus": "add_token", "token": token}));
    }
    admin(json!({"janus": "list_tokens"}));
    admin(json!({"janus": "remove_token", "token": "SECRETunknown"}));
    let create = json!({"request": "create", "room": 9, "admin_key": "SECRETadminKey", "secret": "SECRETother"});
    admin(json!({"janus": "message_plugin", "plugin": "janus.plugin.audiobridge", "request": create}));
}

fn over_rest(server: &Server) {
    for token in ["SECRETbearer", "SECRETwrong"] {
        for (method, path, body) in [
            ("GET", "/v1/rooms?token=SECRETquery", String::new()),
            ("POST", "/v1/rooms", json!({"room": 10, "secret": "SECRETrest", "pin": "SECRETrestPin"}).to_string()),
        ] {
            let line =
                format!("{method} {path} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json");
            request(&server.admin, &line, &body).read_to_string(&mut String::new()).unwrap();
        }
    }
}

fn ice_password(text: &str) -> String {
    text.split("ice-pwd:").nth(1).unwrap().split('\\').next().unwrap().to_owned()
}

fn ask(host: &str, path: &str, request: &Value) -> Value {
    let response = post(host, path, &request.to_string());
    serde_json::from_str(response.split("\r\n\r\n").nth(1).unwrap()).unwrap()
}

/// A client of both APIs, with a Unix socket for each.
struct Sockets {
    janus: UnixDatagram,
    admin: UnixDatagram,
}

impl Sockets {
    fn new() -> Self {
        let bind = |name: &str| {
            let path = socket_path(&format!("client-{name}"));
            let socket = UnixDatagram::bind(path).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            socket
        };
        Self { janus: bind("janus"), admin: bind("admin") }
    }

    fn config(&self) -> String {
        format!(
            "[unix]\ntype = \"SOCK_DGRAM\"\nadmin_type = \"SOCK_DGRAM\"\npath = {:?}\nadmin_path = {:?}\n",
            socket_path("janus"),
            socket_path("admin")
        )
    }

    /// Whatever comes next: the reply, or an event.
    fn ask(&self, request: &Value) -> Value {
        Self::exchange(&self.janus, "janus", request)
    }

    fn admin(&self, request: &Value) -> Value {
        Self::exchange(&self.admin, "admin", request)
    }

    fn exchange(socket: &UnixDatagram, server: &str, request: &Value) -> Value {
        socket.send_to(request.to_string().as_bytes(), socket_path(server)).unwrap();
        let mut packet = vec![0; 65_536];
        let length = socket.recv(&mut packet).unwrap();
        serde_json::from_slice(&packet[..length]).unwrap()
    }
}

/// The length of such a path is bounded, so it is not under the target directory.
fn socket_path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("plenum-secrets-{}-{name}", std::process::id()))
}

impl Drop for Sockets {
    fn drop(&mut self) {
        for name in ["client-janus", "client-admin"] {
            let _ = std::fs::remove_file(socket_path(name));
        }
    }
}

/// A server that logs into a file: the log is more than a pipe holds.
struct Server {
    process: Child,
    log: PathBuf,
    page: String,
    admin: String,
}

impl Server {
    fn start(name: &str, config: &str) -> Self {
        let config = config_file(&format!("secrets-{name}"), config);
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("secrets-{name}.log"));
        let mut command = plenum();
        command.arg("--config").arg(config).args(FREE_PORTS.iter().flat_map(|set| ["--set", set]));
        let mut process = command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let page = line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        let text = std::fs::read_to_string(&log).unwrap();
        let admin = text.split("admin=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        Self { process, log, page, admin }
    }

    /// All that it has logged.
    fn end(&mut self) -> String {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.process.wait().unwrap();
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = (self.process.kill(), self.process.wait());
    }
}
