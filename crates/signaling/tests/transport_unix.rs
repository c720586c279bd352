//! Both APIs over Unix sockets: one packet, one message.
#![allow(clippy::unwrap_used, reason = "what is not as expected fails the test")]

mod transport_support;

use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use signaling::{Api, PacketSocket, Transport, UnixSocket};
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use transport_support::{SOON, error, id, transport};

/// A path of this test's own, where nothing is.
fn path(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.sock"));
    let _ = std::fs::remove_file(&path);
    path
}

/// An API on a socket, until it is dropped.
struct Serving {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Serving {
    async fn end(self) {
        drop(self.stop);
        tokio::time::timeout(SOON, self.task).await.unwrap().unwrap();
    }
}

fn serve(transport: &Transport, api: Api, path: &Path, kind: PacketSocket) -> Serving {
    let listener = UnixSocket::bind(path, kind).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let transport = transport.clone();
    let task = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        transport.serve_unix(listener, api, stopped).await;
    });
    Serving { stop, task }
}

/// A client whose calls block, each in a thread of its own.
#[derive(Clone)]
struct Client(std::sync::Arc<Socket>);

impl Client {
    fn connect(path: &Path) -> Self {
        let socket = Socket::new(Domain::UNIX, Type::SEQPACKET, None).unwrap();
        socket.connect(&SockAddr::unix(path).unwrap()).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        Self(socket.into())
    }

    /// A datagram client with an address of its own, which sends to `path`.
    fn bound(own: &Path, path: &Path) -> Self {
        let socket = UnixDatagram::bind(own).unwrap();
        socket.connect(path).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        Self(Socket::from(OwnedFd::from(socket)).into())
    }

    fn send(&self, text: &str) {
        assert_eq!((&*self.0).write(text.as_bytes()).unwrap(), text.len());
    }

    /// The next packet; empty at the end of the connection.
    async fn packet(&self) -> String {
        let socket = self.0.clone();
        let read = move || {
            let mut packet = vec![0; 1 << 20];
            let length = (&*socket).read(&mut packet).unwrap();
            String::from_utf8(packet[..length].to_vec()).unwrap()
        };
        tokio::task::spawn_blocking(read).await.unwrap()
    }

    async fn ask(&self, message: Value) -> Value {
        self.send(&message.to_string());
        serde_json::from_str(&self.packet().await).unwrap()
    }
}

fn keepalive(session: u64) -> Value {
    json!({"janus": "keepalive", "session_id": session, "transaction": "t1"})
}

#[tokio::test]
async fn a_packet_is_a_message() {
    let (transport, path) = (transport(), path("packet"));
    let _serving = serve(&transport, Api::Janus, &path, PacketSocket::SeqPacket);
    let client = Client::connect(&path);

    let session = id(&client.ask(json!({"janus": "create", "transaction": "t1"})).await);
    let attach =
        json!({"janus": "attach", "plugin": "janus.plugin.audiobridge", "session_id": session, "transaction": "a"});
    let handle = id(&client.ask(attach).await);
    // A reply and an event are two packets.
    let detach = json!({"janus": "detach", "session_id": session, "handle_id": handle, "transaction": "d"});
    assert_eq!(client.ask(detach).await["janus"], "success");
    let detached = format!(r#"{{"janus":"detached","session_id":{session},"sender":{handle}}}"#);
    assert_eq!(client.packet().await, detached);

    client.send("{");
    error(&serde_json::from_str(&client.packet().await).unwrap(), 454);
    client.send("[]");
    error(&serde_json::from_str(&client.packet().await).unwrap(), 456);
    assert_eq!(client.ask(keepalive(session)).await["janus"], "ack");
    assert_eq!(transport.counters().unix_clients, 1);
}

#[tokio::test]
async fn a_packet_over_the_limit_is_refused() {
    let (transport, path) = (transport(), path("long"));
    let _serving = serve(&transport, Api::Janus, &path, PacketSocket::SeqPacket);
    let client = Client::connect(&path);
    client.0.set_send_buffer_size(1 << 20).unwrap();
    let ping = json!({"janus": "ping", "transaction": "x".repeat(100_000)});
    assert_eq!(client.ask(ping.clone()).await["transaction"], ping["transaction"]);
    // Spaces behind a document are none of it, so that what is cut off could pass for a message.
    let padded = format!(r#"{{"janus":"ping","transaction":"t1"}}{}"#, " ".repeat(300 * 1024));

    client.send(&padded);

    error(&serde_json::from_str(&client.packet().await).unwrap(), 454);
}

#[tokio::test]
async fn sessions_end_with_their_connection() {
    let (transport, path) = (transport(), path("ends"));
    let _serving = serve(&transport, Api::Janus, &path, PacketSocket::SeqPacket);
    let (client, other) = (Client::connect(&path), Client::connect(&path));
    let session = id(&client.ask(json!({"janus": "create", "transaction": "t1"})).await);
    assert_eq!(other.ask(keepalive(session)).await["janus"], "ack");

    drop(client);

    let ended = async {
        while other.ask(keepalive(session)).await["janus"] == "ack" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, ended).await.unwrap();
    assert_eq!(transport.counters().unix_clients, 1);
}

#[tokio::test]
async fn a_datagram_is_answered_where_it_came_from() {
    let (transport, path_of_api) = (transport(), path("datagrams"));
    let _serving = serve(&transport, Api::Janus, &path_of_api, PacketSocket::Datagram);
    let own = path("datagrams-own");
    let (client, other) = (Client::bound(&own, &path_of_api), Client::bound(&path("datagrams-other"), &path_of_api));
    let session = id(&client.ask(json!({"janus": "create", "transaction": "t1"})).await);
    assert_eq!(other.ask(keepalive(session)).await["janus"], "ack");

    // A client that comes back to its address has its session still.
    drop(client);
    std::fs::remove_file(&own).unwrap();
    let back = Client::bound(&own, &path_of_api);
    let attach =
        json!({"janus": "attach", "plugin": "janus.plugin.audiobridge", "session_id": session, "transaction": "a"});
    let handle = id(&back.ask(attach).await);
    let detach = json!({"janus": "detach", "session_id": session, "handle_id": handle, "transaction": "d"});
    assert_eq!(other.ask(detach).await["janus"], "success");
    assert_eq!(back.packet().await, format!(r#"{{"janus":"detached","session_id":{session},"sender":{handle}}}"#));

    // Who has no address cannot be answered, and disturbs nobody.
    let nameless = UnixDatagram::unbound().unwrap();
    nameless.send_to(br#"{"janus":"create","transaction":"t1"}"#, &path_of_api).unwrap();
    assert_eq!(back.ask(keepalive(session)).await["janus"], "ack");
    assert_eq!(transport.counters().unix_clients, 2);
}

#[tokio::test]
async fn a_socket_speaks_the_admin_api() {
    let transport = transport();
    for (kind, name) in [(PacketSocket::SeqPacket, "admin-stream"), (PacketSocket::Datagram, "admin-datagram")] {
        let path_of_api = path(name);
        let _serving = serve(&transport, Api::Admin, &path_of_api, kind);
        let client = match kind {
            PacketSocket::SeqPacket => Client::connect(&path_of_api),
            PacketSocket::Datagram => Client::bound(&path(&format!("{name}-own")), &path_of_api),
        };
        let list = json!({"janus": "list_sessions", "transaction": "t1"});
        assert_eq!(client.ask(list).await, json!({"janus": "success", "transaction": "t1", "sessions": []}));
    }
}

#[tokio::test]
async fn what_a_dead_process_left_is_replaced_and_nothing_else() {
    let transport = transport();
    for kind in [PacketSocket::SeqPacket, PacketSocket::Datagram] {
        let path = path("left");
        drop(UnixDatagram::bind(&path).unwrap());
        if kind == PacketSocket::SeqPacket {
            let _ = std::fs::remove_file(&path);
            let socket = Socket::new(Domain::UNIX, Type::SEQPACKET, None).unwrap();
            socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        }
        let serving = serve(&transport, Api::Janus, &path, kind);

        assert_eq!(UnixSocket::bind(&path, kind).unwrap_err().kind(), ErrorKind::AddrInUse);

        serving.end().await;
        assert!(!path.exists());
        std::fs::write(&path, "a file").unwrap();
        assert_eq!(UnixSocket::bind(&path, kind).unwrap_err().kind(), ErrorKind::AddrInUse);
    }
}

#[tokio::test]
async fn a_stop_tells_the_sessions_and_waits_for_nobody() {
    let transport = transport();
    let (streams, datagrams) = (path("stop-stream"), path("stop-datagram"));
    let _serving = [
        serve(&transport, Api::Janus, &streams, PacketSocket::SeqPacket),
        serve(&transport, Api::Janus, &datagrams, PacketSocket::Datagram),
    ];
    let clients = [Client::connect(&streams), Client::bound(&path("stop-own"), &datagrams)];
    let mut sessions = Vec::new();
    for client in &clients {
        sessions.push(id(&client.ask(json!({"janus": "create", "transaction": "t1"})).await));
    }

    tokio::time::timeout(Duration::from_secs(3), transport.shut_down()).await.unwrap();

    for (client, session) in clients.iter().zip(sessions) {
        assert_eq!(client.packet().await, format!(r#"{{"janus":"timeout","session_id":{session}}}"#));
    }
    assert_eq!(clients[0].packet().await, "");
}
