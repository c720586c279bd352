//! Plays dialogues on a server over real transports, and tells where it went differently. Knows no server: who has one
//! says how to reach it, and sees to what is not said over a transport.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, Shared};
use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::message::{ack_pattern, answer_pattern, asking, event_pattern};
use crate::pattern::Bindings;
use crate::script::{Line, Script, Step, is_http};

/// A server answers in well under this, also a loaded one.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a poll that has something is answered in; one that has nothing takes 30 s.
const AT_ONCE: Duration = Duration::from_millis(50);

/// What actors speak, those excepted whose name says HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    WebSocket,
    Http,
}

impl Transport {
    /// Whether it can carry a dialogue.
    pub(crate) fn plays(self, script: &Script) -> bool {
        match self {
            Self::WebSocket => true,
            Self::Http => !script.over_websocket,
        }
    }

    /// By what name Janus knows it.
    fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "janus.transport.websockets",
            Self::Http => "janus.transport.http",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Port {
    Http,
    WebSocket,
    Admin,
}

/// The status and the body of an answer.
type Answer = Result<(u16, String), String>;

pub(crate) type Stream = Box<dyn Both>;

pub(crate) trait Both: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Both for S {}

/// A server and what is around it.
pub(crate) trait Server {
    async fn connect(&self, port: Port) -> Result<Stream, String>;

    /// Sees to a step that is not said over a transport.
    async fn meddle(&mut self, step: &Step, bindings: &mut Bindings) -> Result<(), String>;
}

/// Whether a dialogue goes as written, to its end.
pub(crate) async fn play(script: &Script, server: impl Server, transport: Transport, fresh: u64) -> Result<(), String> {
    let mut stage = Stage::new(server, transport, fresh, None);
    for line in &script.steps {
        stage.step(line).await.map_err(|problem| {
            format!("{}.dialogue:{} over {transport:?}: {}\n  {problem}", script.name, line.number, line.text)
        })?;
    }
    stage
        .finish()
        .await
        .map_err(|problem| format!("{}.dialogue over {transport:?}, at its end: {problem}", script.name))
}

/// A dialogue under way.
pub(crate) struct Stage<S> {
    server: S,
    transport: Transport,
    /// What has not come by then does not come.
    patience: Duration,
    lenient: bool,
    /// What came since the last request and was not expected yet.
    passed_over: BTreeMap<String, VecDeque<Value>>,
    actors: BTreeMap<String, Actor>,
    bindings: Bindings,
    /// Numbers that name nothing yet begin here.
    fresh: u64,
    /// The last request of an admin, and where it was answered at once, as it mostly is, the answer.
    admin: Option<Shared<BoxFuture<'static, Answer>>>,
}

impl<S: Server> Stage<S> {
    /// Strict, or lenient with this much patience: then what comes before what is expected may come after it, or be left
    /// over.
    pub(crate) fn new(server: S, transport: Transport, fresh: u64, lenient: Option<Duration>) -> Self {
        let (actors, passed_over, bindings) = (BTreeMap::new(), BTreeMap::new(), Bindings::default());
        let (patience, lenient) = (lenient.unwrap_or(PATIENCE), lenient.is_some());
        Self { server, transport, patience, lenient, passed_over, actors, bindings, fresh, admin: None }
    }

    pub(crate) async fn step(&mut self, line: &Line) -> Result<(), String> {
        if line.step.asks() {
            self.passed_over.clear();
        }
        match &line.step {
            Step::Opens(actor, plugin) => self.open(actor, plugin).await,
            Step::Sends(actor, message) => {
                let message = self.bindings.fill(message)?;
                self.send(actor, message).await
            }
            Step::Gets(actor, pattern) => self.expect(actor, pattern).await,
            Step::Asks(actor, body, sdp) => {
                // What comes late of a request that was given up is not taken for that of the next.
                let transaction =
                    if self.lenient { format!("{actor} asks, line {}", line.number) } else { format!("{actor} asks") };
                let message = asking(&mut self.bindings, actor, transaction, body, sdp.as_ref())?;
                self.send(actor, message).await
            }
            Step::Has(actor, data) => self.expect(actor, &answer_pattern(actor, data)).await,
            Step::Acked(actor, hint) => self.expect(actor, &ack_pattern(actor, hint.as_deref())).await,
            Step::Told(actor, data, jsep) => self.expect(actor, &event_pattern(actor, data, true, *jsep)).await,
            Step::Hears(actor, data) => self.expect(actor, &event_pattern(actor, data, false, None)).await,
            Step::Let(name) => {
                self.fresh += 1;
                self.bindings.bind(name, self.fresh.into());
                Ok(())
            }
            Step::Closes(actor) => {
                self.actors.remove(actor).ok_or_else(|| format!("{actor} has no connection"))?;
                self.server.meddle(&line.step, &mut self.bindings).await
            }
            Step::Polls { session, secret, outcome } => {
                let session = match session.parse() {
                    Ok(number) => number,
                    Err(_) => self.bindings.number(session)?,
                };
                let query = match secret.as_deref().map(|secret| (secret, secret.strip_prefix("token="))) {
                    None => String::new(),
                    Some((_, Some(token))) => format!("&token={token}"),
                    Some((secret, None)) => format!("&apisecret={secret}"),
                };
                self.poll(session, &query, outcome).await
            }
            Step::Admin(request) => {
                let request = self.bindings.fill(request)?;
                let stream = self.server.connect(Port::Admin).await?;
                let exchange: BoxFuture<'static, Answer> =
                    Box::pin(async move { exchange(stream, "POST /admin", Some(&request)).await });
                let answer = exchange.shared();
                // Some wait for what the next steps say.
                let _ = timeout(AT_ONCE, answer.clone()).await;
                self.admin = Some(answer);
                Ok(())
            }
            Step::AdminHas(pattern) => {
                let answer = self.admin.take().ok_or("an admin has asked nothing")?;
                let answer = timeout(self.patience, answer).await.map_err(|_| "no reply to an admin")?;
                let (_, body) = answer?;
                let reply = serde_json::from_str(&body).map_err(|_| format!("{body} for an answer"))?;
                self.bindings.fits(pattern, &reply).map_err(|problem| format!("{problem}\n  in {reply}"))
            }
            Step::Event(..) | Step::Media(_) | Step::Wait(_) => {
                self.server.meddle(&line.step, &mut self.bindings).await
            }
        }
    }

    /// Whether nobody has got more than was expected.
    async fn finish(&mut self) -> Result<(), String> {
        for name in self.actors.keys().cloned().collect::<Vec<_>>() {
            self.send(&name, json!({"janus": "ping", "transaction": "end"})).await?;
            self.expect(&name, &json!({"janus": "pong", "transaction": "end"})).await?;
            if let Some(Actor::Http(poller)) = self.actors.get_mut(&name)
                && let Ok(Ok(event)) = timeout(AT_ONCE, poller.next(&self.server, true)).await
            {
                return Err(format!("{name} has not expected {event}"));
            }
        }
        Ok(())
    }

    async fn open(&mut self, actor: &str, plugin: &str) -> Result<(), String> {
        self.bindings.bind(&format!("${actor}.plugin"), plugin.into());
        self.bindings.bind(&format!("${actor}.transport"), self.transport.name().into());
        self.send(actor, json!({"janus": "create", "transaction": "open"})).await?;
        let session = format!("${actor}.session");
        self.bindings.forget(&session);
        let created = json!({"janus": "success", "transaction": "open", "data": {"id": session}});
        self.expect(actor, &created).await?;
        let attach = json!({
            "janus": "attach", "transaction": "open", "session_id": session, "plugin": plugin,
        });
        let attach = self.bindings.fill(&attach)?;
        self.send(actor, attach).await?;
        let handle = format!("${actor}.handle");
        self.bindings.forget(&handle);
        let attached =
            json!({"janus": "success", "session_id": session, "transaction": "open", "data": {"id": handle}});
        self.expect(actor, &attached).await
    }

    async fn send(&mut self, name: &str, message: Value) -> Result<(), String> {
        if !self.actors.contains_key(name) {
            let actor = match self.transport {
                Transport::WebSocket if !is_http(name) => {
                    Actor::WebSocket(handshake(self.server.connect(Port::WebSocket).await?).await?)
                }
                Transport::WebSocket | Transport::Http => Actor::Http(Poller::default()),
            };
            self.actors.insert(name.to_owned(), actor);
        }
        match self.actors.get_mut(name).ok_or("no actor")? {
            Actor::WebSocket(socket) => {
                socket.send(Message::text(message.to_string())).await.map_err(|error| error.to_string())
            }
            Actor::Http(poller) => poller.send(&self.server, message).await,
        }
    }

    async fn expect(&mut self, name: &str, pattern: &Value) -> Result<(), String> {
        if !self.lenient {
            let message = self.next(name, pattern).await?;
            return self.bindings.fits(pattern, &message).map_err(|problem| format!("{problem}\n  in {message}"));
        }
        let mut passed_over = self.passed_over.remove(name).unwrap_or_default();
        let mut place = 0;
        let outcome = loop {
            if place == passed_over.len() {
                match self.next(name, pattern).await {
                    Ok(message) => passed_over.push_back(message),
                    Err(nothing) => break Err(passed_over.pop_front().map_or(nothing, |message| message.to_string())),
                }
            }
            let mut bindings = self.bindings.clone();
            if bindings.fits(pattern, &passed_over[place]).is_ok() {
                self.bindings = bindings;
                passed_over.remove(place);
                break Ok(());
            }
            if self.settles(&passed_over[place], pattern) {
                break Err(passed_over[place].to_string());
            }
            place += 1;
        };
        self.passed_over.insert(name.to_owned(), passed_over);
        outcome
    }

    /// Whether this message is the one that was to be as the pattern says: nothing else will come in its place.
    fn settles(&self, message: &Value, pattern: &Value) -> bool {
        let transaction = pattern.get("transaction").and_then(|transaction| self.bindings.fill(transaction).ok());
        transaction.is_some_and(|transaction| message["transaction"] == transaction)
            && (is_event(message) == is_event(pattern) || !is_event(message) && message["janus"] != "ack")
    }

    /// The next message to an actor of the kind that is expected.
    async fn next(&mut self, name: &str, pattern: &Value) -> Result<Value, String> {
        let actor = self.actors.get_mut(name).ok_or_else(|| format!("{name} has said nothing yet"))?;
        if let Actor::Http(poller) = actor
            && pattern["janus"] == "timeout"
        {
            // Who does not poll when its session ends learns of it by its next poll.
            let message = self.bindings.fill(pattern)?;
            let session = message["session_id"].as_u64().ok_or("no session")?;
            let query = poller.sessions.remove(&session).unwrap_or_default();
            return self.poll(session, &query, "notfound").await.map(|()| message);
        }
        let next = async {
            match actor {
                Actor::WebSocket(socket) => next_text(socket).await,
                Actor::Http(poller) => poller.next(&self.server, is_event(pattern)).await,
            }
        };
        timeout(self.patience, next).await.map_err(|_| format!("{name} gets nothing"))?
    }

    async fn poll(&self, session: u64, credentials: &str, outcome: &str) -> Result<(), String> {
        let stream = self.server.connect(Port::Http).await?;
        let line = format!("GET /janus/{session}?maxev=1{credentials}");
        let poll = match timeout(AT_ONCE, exchange(stream, &line, None)).await {
            Err(_) | Ok(Ok((200, _))) => "ready",
            Ok(Ok((403, _))) => "forbidden",
            Ok(Ok((404, _))) => "notfound",
            Ok(other) => return Err(format!("{other:?}")),
        };
        if poll == outcome { Ok(()) } else { Err(format!("{poll} instead of {outcome}")) }
    }
}

enum Actor {
    WebSocket(WebSocketStream<Stream>),
    Http(Poller),
}

/// A client over HTTP: replies come at once, events when they are polled for.
#[derive(Default)]
struct Poller {
    replies: VecDeque<Value>,
    events: VecDeque<Value>,
    /// Its sessions, with the query that a poll of each needs.
    sessions: BTreeMap<u64, String>,
    /// Those that are polled now, and the polls.
    polled: BTreeSet<u64>,
    polls: FuturesUnordered<BoxFuture<'static, (u64, Answer)>>,
}

impl Poller {
    async fn send(&mut self, server: &impl Server, message: Value) -> Result<(), String> {
        let (status, body) = exchange(server.connect(Port::Http).await?, "POST /janus", Some(&message)).await?;
        let reply: Value = serde_json::from_str(&body).map_err(|_| format!("{status} with {body:?}"))?;
        if reply["janus"] == "success" {
            let session = match message["janus"].as_str().map(str::to_lowercase).as_deref() {
                Some("create") => reply["data"]["id"].as_u64(),
                Some("claim") => message["session_id"].as_u64(),
                _ => None,
            };
            self.sessions.extend(session.map(|session| (session, credentials(&message))));
        }
        self.replies.push_back(reply);
        Ok(())
    }

    async fn next(&mut self, server: &impl Server, event: bool) -> Result<Value, String> {
        if !event {
            return self.replies.pop_front().ok_or("no reply".to_owned());
        }
        while self.events.is_empty() {
            for (&session, query) in self.sessions.iter().filter(|(session, _)| !self.polled.contains(session)) {
                let stream = server.connect(Port::Http).await?;
                let line = format!("GET /janus/{session}?maxev=100{query}");
                self.polls.push(Box::pin(async move { (session, exchange(stream, &line, None).await) }));
            }
            self.polled.extend(self.sessions.keys());
            let Some((session, outcome)) = self.polls.next().await else {
                return Err("no session to poll".to_owned());
            };
            self.polled.remove(&session);
            match outcome? {
                (200, body) => {
                    let events: Vec<Value> = serde_json::from_str(&body).map_err(|_| format!("{body} of a poll"))?;
                    self.events.extend(events.into_iter().filter(|event| event["janus"] != "keepalive"));
                }
                _ => drop(self.sessions.remove(&session)),
            }
        }
        self.events.pop_front().ok_or("no event".to_owned())
    }
}

/// Whether such a message is not the reply to a request, and so has to be polled for.
fn is_event(pattern: &Value) -> bool {
    let kinds = ["event", "webrtcup", "media", "slowlink", "hangup", "detached", "trickle", "timeout"];
    pattern["janus"].as_str().is_some_and(|kind| kinds.contains(&kind))
}

/// The part of a poll's query that lets it pass where this request did.
fn credentials(request: &Value) -> String {
    let mut query = String::new();
    for key in ["apisecret", "token"] {
        if let Some(value) = request[key].as_str() {
            let _ = write!(query, "&{key}={value}");
        }
    }
    query
}

async fn handshake(stream: Stream) -> Result<WebSocketStream<Stream>, String> {
    let mut request = "ws://localhost/".into_client_request().map_err(|error| error.to_string())?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", "janus-protocol".parse().unwrap());
    let (socket, _) = tokio_tungstenite::client_async(request, stream).await.map_err(|error| error.to_string())?;
    Ok(socket)
}

async fn next_text(socket: &mut WebSocketStream<Stream>) -> Result<Value, String> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => break serde_json::from_str(&text).map_err(|error| error.to_string()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => break Err(format!("{other:?}")),
        }
    }
}

/// A request that is the last one of its connection (and so of the old version, which has no chunks): the status and the
/// body of its answer.
async fn exchange(mut stream: Stream, line: &str, body: Option<&Value>) -> Answer {
    let body = body.map(Value::to_string).unwrap_or_default();
    let length = body.len();
    let request = format!("{line} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}");
    let mut answer = Vec::new();
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    stream.read_to_end(&mut answer).await.map_err(|error| error.to_string())?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("{answer:?} is no answer"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("no status")?;
    Ok((status, body.to_owned()))
}
