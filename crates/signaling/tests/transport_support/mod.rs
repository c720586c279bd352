//! A running transport in memory: requests go to its routers without a socket, WebSocket connections through pipes, so
//! that a test can pause the clock and every wait costs nothing.
#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "what is not as expected fails the test")]

pub(crate) mod authority;

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::serve::Listener;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use signaling::{Config, Core, ListenerConfig, MediaCommand, MediaEvent, StoreRequest, Transport, TransportConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tower::ServiceExt;

/// The bound of every wait that should not take long.
pub(crate) const SOON: Duration = Duration::from_secs(5);

/// The three ports of a transport.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Port {
    Http,
    WebSocket,
    Admin,
}

/// A transport, with the test in place of the media planes and of the store.
pub(crate) struct World {
    pub(crate) transport: Transport,
    pub(crate) media: mpsc::UnboundedReceiver<MediaCommand>,
    pub(crate) events: mpsc::Sender<MediaEvent>,
    /// Takes one change, until the test has seen to it.
    pub(crate) store: mpsc::Receiver<StoreRequest>,
    http: Router,
    pipes: [mpsc::UnboundedSender<DuplexStream>; 3],
    websocket: Router,
    admin: Router,
}

impl World {
    /// Defaults everywhere.
    pub(crate) fn new() -> Self {
        Self::with(Config::default(), TransportConfig::default())
    }

    pub(crate) fn with(config: Config, transport: TransportConfig) -> Self {
        let (commands, media) = mpsc::unbounded_channel();
        let (events, told) = mpsc::channel(64);
        let (changes, store) = mpsc::channel(1);
        let transport = Transport::spawn(core(config), commands, told, changes, transport);
        let http = transport.http_router(Router::new());
        let websocket = transport.websocket_router();
        let admin = transport.admin_router(Router::new());
        let pipes = [&http, &websocket, &admin].map(|router| serve(router.clone()));
        Self { transport, media, events, store, http, pipes, websocket, admin }
    }

    /// Sends an HTTP request to a port.
    pub(crate) async fn send(&self, port: Port, request: Request<Body>) -> Answer {
        Answer::read(self.start(port, request).await).await
    }

    /// A GET on the HTTP port.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Port::Http, request("GET", path, "")).await
    }

    /// A POST on the HTTP port; the JSON of its answer.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.send(Port::Http, request("POST", path, &body.to_string())).await.json()
    }

    /// A session over HTTP.
    pub(crate) async fn create_session(&self) -> u64 {
        id(&self.post("/janus", json!({"janus": "create", "transaction": "create"})).await)
    }

    /// Queues as many events on an HTTP session, by attaching and detaching; the handles that they name, in order.
    pub(crate) async fn queue_events(&self, session: u64, count: usize) -> Vec<u64> {
        let mut handles = Vec::new();
        for _ in 0..count {
            let attach = json!({"janus": "attach", "plugin": "janus.plugin.audiobridge", "transaction": "a"});
            let handle = id(&self.post(&format!("/janus/{session}"), attach).await);
            let detach = json!({"janus": "detach", "transaction": "d"});
            let reply = self.post(&format!("/janus/{session}/{handle}"), detach).await;
            assert_eq!(reply["janus"], "success");
            handles.push(handle);
        }
        handles
    }

    /// A connection to the WebSocket port that speaks the Janus protocol.
    pub(crate) async fn connect(&self) -> Client {
        self.handshake(Port::WebSocket, "/", Some("janus-protocol")).await.unwrap().0
    }

    /// A WebSocket handshake, and the headers of its answer.
    pub(crate) async fn handshake(
        &self,
        port: Port,
        path: &str,
        protocol: Option<&str>,
    ) -> Result<(Client, HeaderMap), tungstenite::Error> {
        handshake(self.pipe(port), path, protocol).await
    }

    /// A bare connection to a port.
    pub(crate) fn pipe(&self, port: Port) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        self.pipes[port as usize].send(theirs).unwrap();
        ours
    }

    async fn start(&self, port: Port, request: Request<Body>) -> axum::response::Response {
        let router = match port {
            Port::Http => &self.http,
            Port::WebSocket => &self.websocket,
            Port::Admin => &self.admin,
        };
        router.clone().oneshot(request).await.unwrap()
    }
}

/// A transport without media planes, for tests with real sockets.
pub(crate) fn transport() -> Transport {
    let (commands, _media) = mpsc::unbounded_channel();
    let (_events, told) = mpsc::channel(1);
    Transport::spawn(core(Config::default()), commands, told, mpsc::channel(1).0, TransportConfig::default())
}

/// Serves a router on a port of its own, for as long as the test runs.
pub(crate) async fn open(transport: &Transport, router: Router, config: ListenerConfig) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let transport = transport.clone();
    tokio::spawn(async move { transport.serve(listener, router, config, std::future::pending()).await });
    address
}

/// Sends a request that is the last one, and reads what comes until the server ends the connection.
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, bytes: &[u8]) -> String {
    let mut answer = Vec::new();
    let exchange = async {
        // The server may cut off whom it does not want before it has read all of it.
        let _ = stream.write_all(bytes).await;
        let _ = stream.read_to_end(&mut answer).await;
    };
    tokio::time::timeout(SOON, exchange).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// A WebSocket handshake on a stream, and the headers of its answer.
pub(crate) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    path: &str,
    protocol: Option<&str>,
) -> Result<(Client<S>, HeaderMap), tungstenite::Error> {
    let mut request = format!("ws://localhost{path}").into_client_request().unwrap();
    if let Some(protocol) = protocol {
        request.headers_mut().insert("Sec-WebSocket-Protocol", protocol.parse().unwrap());
    }
    let handshake = tokio_tungstenite::client_async(request, stream);
    let (stream, response) = tokio::time::timeout(SOON, handshake).await.unwrap()?;
    Ok((Client(stream), response.headers().clone()))
}

/// Lets virtual time pass, with everything that is due in it.
pub(crate) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// The core of a test: its ids are the same every time.
pub(crate) fn core(config: Config) -> Core {
    Core::new(config, [7; 32], now())
}

/// The clock that the transport sees.
#[expect(clippy::disallowed_methods, reason = "a test is the shell around the transport, and has its clock")]
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

pub(crate) fn request(method: &str, path: &str, body: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::from(body.to_owned())).unwrap()
}

/// The id in a success reply.
pub(crate) fn id(reply: &Value) -> u64 {
    assert_eq!(reply["janus"], "success", "{reply}");
    reply["data"]["id"].as_u64().unwrap()
}

/// Whether a reply is the error with this code; its reason.
pub(crate) fn error(reply: &Value, code: u64) -> &str {
    assert_eq!(reply["janus"], "error", "{reply}");
    assert_eq!(reply["error"]["code"], code, "{reply}");
    reply["error"]["reason"].as_str().unwrap()
}

/// A complete answer over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) async fn read(response: axum::response::Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Self { status: parts.status, headers: parts.headers, body }
    }

    /// The JSON of an answer, which has to be labelled as such.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK);
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Nothing but a status, and the headers that let a browser see it.
    pub(crate) fn is_empty_with_cors(&self, status: u16) -> bool {
        self.status == status && self.body.is_empty() && self.header("access-control-allow-origin") == Some("*")
    }
}

/// The client's end of a WebSocket.
pub(crate) struct Client<S = DuplexStream>(pub(crate) WebSocketStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) async fn send(&mut self, message: Value) {
        self.send_frame(Message::text(message.to_string())).await;
    }

    pub(crate) async fn send_frame(&mut self, message: Message) {
        tokio::time::timeout(SOON, self.0.send(message)).await.unwrap().unwrap();
    }

    /// The next message, which has to come soon.
    pub(crate) async fn receive(&mut self) -> Value {
        self.receive_within(SOON).await
    }

    pub(crate) async fn receive_within(&mut self, patience: Duration) -> Value {
        let frame = tokio::time::timeout(patience, self.receive_frame()).await.unwrap();
        let Message::Text(text) = &frame else { panic!("no message but {frame:?}") };
        serde_json::from_str(text).unwrap()
    }

    pub(crate) async fn receive_frame(&mut self) -> Message {
        self.0.next().await.unwrap().unwrap()
    }

    /// Whether the server says nothing more, and soon.
    pub(crate) async fn is_over(&mut self) -> bool {
        matches!(tokio::time::timeout(SOON, self.0.next()).await, Ok(None))
    }

    /// A request and what comes next.
    pub(crate) async fn ask(&mut self, message: Value) -> Value {
        self.send(message).await;
        self.receive().await
    }

    pub(crate) async fn create_session(&mut self) -> u64 {
        id(&self.ask(json!({"janus": "create", "transaction": "create"})).await)
    }

    /// Whether nothing comes for as long.
    pub(crate) async fn is_quiet_for(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.0.next()).await.is_err()
    }
}

/// Serves a router on pipes.
fn serve(router: Router) -> mpsc::UnboundedSender<DuplexStream> {
    let (pipes, accepted) = mpsc::unbounded_channel();
    tokio::spawn(axum::serve(Pipes(accepted), router).into_future());
    pipes
}

struct Pipes(mpsc::UnboundedReceiver<DuplexStream>);

impl Listener for Pipes {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        match self.0.recv().await {
            Some(pipe) => (pipe, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}
