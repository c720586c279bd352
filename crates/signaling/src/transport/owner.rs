//! The one task that owns the core: requests, media events and time go in, and what comes out goes to whom it is for.
//! It never waits for a client, and must not know what a message says.

use std::collections::HashMap;
use std::future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde_json::Value;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep_until;

use super::durations::Durations;
use super::mailbox::Mailboxes;
use super::style::Styles;
use super::{CoreCounts, STOP_TIME, Tallies, stun};
use crate::{
    Config, ConnectionId, Core, Credentials, Errand, Finding, HandleStatistics, Happening, JsonStyle, LogLevel,
    MediaCommand, MediaEvent, Notice, Operated, Operation, Outcome, Output, Owner, Poll, Refused, RequestId,
    RequestKind, RoomChange, SessionId, Source, Standing, Storing, Task, Visit,
};

/// What handlers and connections ask of the task.
#[derive(Debug)]
pub(super) enum Inbound {
    /// A request over HTTP.
    Request {
        client: Option<IpAddr>,
        request: Value,
        reply: oneshot::Sender<Value>,
    },
    /// An admin request over HTTP.
    AdminRequest {
        request: Value,
        reply: oneshot::Sender<Value>,
    },
    /// What a back-end asks with the operator's authority.
    Operation {
        operation: Operation,
        reply: oneshot::Sender<Result<Outcome, Refused>>,
    },
    /// A look at a room with the operator's authority.
    Observe {
        room: String,
        reply: oneshot::Sender<Result<Value, Refused>>,
    },
    /// A look at how the audio of all fares.
    Measure {
        reply: oneshot::Sender<Vec<HandleStatistics>>,
    },
    /// A long poll.
    Poll {
        session: u64,
        client: Option<IpAddr>,
        credentials: Credentials,
        reply: oneshot::Sender<Poll>,
    },
    /// A page that is told apart from the API.
    Visit {
        client: Option<IpAddr>,
        credentials: Credentials,
        reply: oneshot::Sender<Visit>,
    },
    /// A connection, with the queue of what shall be sent on it.
    Opened {
        connection: ConnectionId,
        admin: bool,
        client: Option<IpAddr>,
        outgoing: mpsc::Sender<Outgoing>,
    },
    /// A request on a connection.
    Received {
        connection: ConnectionId,
        client: Option<IpAddr>,
        address: Option<Box<ReturnAddress>>,
        request: Value,
    },
    /// An admin request on a connection.
    AdminReceived {
        connection: ConnectionId,
        address: Option<Box<ReturnAddress>>,
        request: Value,
    },
    /// The transport's own answer to a message: it comes this way to stay in order with the core's.
    Refused {
        connection: ConnectionId,
        address: Option<Box<ReturnAddress>>,
        message: Value,
    },
    Closed {
        connection: ConnectionId,
    },
    Inspect {
        reply: oneshot::Sender<CoreCounts>,
    },
    /// New settings for the core.
    Reconfigure {
        config: Box<Config>,
        reply: oneshot::Sender<()>,
    },
    /// Begin no room, or begin some again.
    Drain {
        draining: bool,
        reply: oneshot::Sender<()>,
    },
    Standing {
        reply: oneshot::Sender<Standing>,
    },
    /// Whether a request about this room, named as in a URL, makes sense here.
    Welcome {
        room: String,
        session: u64,
        reply: oneshot::Sender<bool>,
    },
    /// The last one.
    ShutDown(Stop),
}

/// What is sent on a connection. A reply becomes text on its way out, in the connection's own task.
#[derive(Debug)]
pub(super) enum Outgoing {
    Reply {
        message: Value,
        #[cfg_attr(not(any(feature = "rabbitmq", feature = "mqtt")), expect(dead_code, reason = "for brokers"))]
        address: Option<Box<ReturnAddress>>,
    },
    Event(String),
}

impl Outgoing {
    pub(super) fn into_text(self, style: JsonStyle) -> String {
        match self {
            Self::Reply { message, .. } => style.write(&message),
            Self::Event(text) => style.rewrite(text),
        }
    }
}

/// What brings a reply back to its request where many clients share a connection. Nobody reads it but the transport that
/// made it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReturnAddress {
    /// Where to send the reply, if not where all else goes.
    pub topic: Option<String>,
    /// What the reply carries so that its client knows it.
    pub correlation: Option<Vec<u8>>,
    /// What else the reply carries.
    pub properties: Vec<(String, String)>,
}

/// A change to store.
#[derive(Debug)]
pub struct StoreRequest {
    /// The change.
    pub change: RoomChange,
    /// Whether it is stored for good; dropped when it could not be.
    pub done: oneshot::Sender<bool>,
}

/// A [`Notice`] and its moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// When it happened, or was told by the media planes.
    pub at: Instant,
    /// What has happened.
    pub notice: Notice,
}

/// Whom to tell of a stop, when all that is queued has been handed out: first the connections and polls, then the caller.
#[derive(Debug)]
pub(super) struct Stop {
    pub stopping: watch::Sender<bool>,
    pub reply: oneshot::Sender<()>,
}

/// Who is told what the core says of itself: how much to log, how to write, what happens.
#[derive(Debug)]
pub(super) struct Told {
    pub log_level: watch::Sender<LogLevel>,
    pub styles: Arc<Styles>,
    pub notices: broadcast::Sender<Occurrence>,
}

#[derive(Debug)]
pub(super) struct CoreOwner {
    core: Core,
    media: mpsc::UnboundedSender<MediaCommand>,
    store: mpsc::Sender<StoreRequest>,
    /// Replies that wait for a change to be stored: at most as many as the store takes.
    storing: JoinSet<Option<(Source, Value)>>,
    /// Replies that wait for what operators want to be found out: as many as they ask for, each for some seconds.
    errands: JoinSet<Option<(Source, Value)>>,
    /// Who waits for what the media planes measure.
    observing: HashMap<u64, oneshot::Sender<Result<Value, Refused>>>,
    measuring: HashMap<u64, oneshot::Sender<Vec<HandleStatistics>>>,
    /// Whom to answer over HTTP.
    requests: HashMap<RequestId, oneshot::Sender<Value>>,
    /// Where replies go that have to be told from others.
    addresses: HashMap<RequestId, Box<ReturnAddress>>,
    last_request: u64,
    connections: HashMap<ConnectionId, mpsc::Sender<Outgoing>>,
    mailboxes: Mailboxes,
    tallies: Arc<Tallies>,
    styles: Arc<Styles>,
    log_level: watch::Sender<LogLevel>,
    /// The request in hand.
    asked: Option<RequestKind>,
    durations: Durations,
    /// Whoever is slower than its notices misses the oldest.
    notices: broadcast::Sender<Occurrence>,
}

impl CoreOwner {
    pub(super) fn new(
        core: Core,
        media: mpsc::UnboundedSender<MediaCommand>,
        store: mpsc::Sender<StoreRequest>,
        mailboxes: Mailboxes,
        tallies: Arc<Tallies>,
        Told { log_level, styles, notices }: Told,
    ) -> Self {
        Self {
            core,
            media,
            store,
            storing: JoinSet::new(),
            errands: JoinSet::new(),
            observing: HashMap::new(),
            measuring: HashMap::new(),
            requests: HashMap::new(),
            addresses: HashMap::new(),
            last_request: 0,
            connections: HashMap::new(),
            mailboxes,
            tallies,
            styles,
            log_level,
            asked: None,
            durations: Durations::default(),
            notices,
        }
    }

    /// Runs until the stop, or until nobody can ask any more.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Inbound>, mut events: mpsc::Receiver<MediaEvent>) {
        loop {
            let deadline = self.core.poll_timeout();
            let timeout = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline.into()).await,
                    None => future::pending().await,
                }
            };
            let input = tokio::select! {
                inbound = inbox.recv() => match inbound {
                    Some(inbound) => Input::Inbound(inbound),
                    None => return,
                },
                Some(event) = events.recv() => Input::Media(event),
                Some(stored) = self.storing.join_next() => Input::Answered(stored),
                Some(found) = self.errands.join_next() => Input::Answered(found),
                () = timeout => Input::Timeout,
            };
            let now = clock();
            let mut stop = None;
            match input {
                Input::Inbound(inbound) => stop = self.handle(inbound, now),
                Input::Media(event) => self.core.handle_media(event, now),
                Input::Answered(answer) => self.reply_late(answer, now),
                Input::Timeout => self.core.handle_timeout(now),
            }
            self.hand_out(now);
            if let Some(kind) = self.asked.take() {
                self.durations.record(kind, clock().saturating_duration_since(now));
            }
            if let Some(Stop { stopping, reply }) = stop {
                // A change that was asked for before the stop is stored, and its sender told.
                let _ = tokio::time::timeout(STOP_TIME, async {
                    while let Some(stored) = self.storing.join_next().await {
                        self.reply_late(stored, now);
                    }
                })
                .await;
                stopping.send_replace(true);
                let _ = reply.send(());
                return;
            }
        }
    }

    /// A reply that nobody waits for any more is dropped: its client has closed the connection or given up.
    fn handle(&mut self, inbound: Inbound, now: Instant) -> Option<Stop> {
        match inbound {
            Inbound::Request { client, request, reply } => {
                let source = self.expect_reply(reply);
                self.asked = Some(self.core.handle_request(source, client, request, now));
            }
            Inbound::AdminRequest { request, reply } => {
                let source = self.expect_reply(reply);
                self.asked = Some(self.core.handle_admin(source, request, now));
            }
            Inbound::Operation { operation, reply } => {
                self.asked = Some(RequestKind::operation(&operation));
                match self.core.handle_operation(operation, now) {
                    Ok(Operated::Done(outcome)) => drop(reply.send(Ok(outcome))),
                    Ok(Operated::Storing(Storing { change, saved, unsaved })) => {
                        let stored = self.store(change);
                        self.storing.spawn(async move {
                            let _ = reply.send(Ok(if stored.await { saved } else { unsaved }));
                            None
                        });
                    }
                    Err(refused) => drop(reply.send(Err(refused))),
                }
            }
            Inbound::Observe { room, reply } => match self.core.observe_room(&room, now) {
                Ok(inquiry) => {
                    self.observing.insert(inquiry, reply);
                }
                Err(refused) => drop(reply.send(Err(refused))),
            },
            Inbound::Measure { reply } => {
                let inquiry = self.core.measure_all(now);
                self.measuring.insert(inquiry, reply);
            }
            Inbound::Poll { session, client, credentials, reply } => {
                let _ = reply.send(self.core.handle_poll(session, client, credentials, now));
            }
            Inbound::Visit { client, credentials, reply } => {
                let _ = reply.send(self.core.handle_visit(client, &credentials, now));
            }
            Inbound::Opened { connection, admin, client, outgoing } => {
                self.connections.insert(connection, outgoing);
                self.tell_of_server(Happening::ConnectionOpened { connection, admin, client }, now);
            }
            // A connection that was closed for its slowness may still have sent something.
            Inbound::Received { connection, client, address, request }
                if self.connections.contains_key(&connection) =>
            {
                let source = self.source(connection, address);
                self.asked = Some(self.core.handle_request(source, client, request, now));
            }
            Inbound::Received { .. } => {}
            Inbound::AdminReceived { connection, address, request } => {
                let source = self.source(connection, address);
                self.asked = Some(self.core.handle_admin(source, request, now));
            }
            Inbound::Refused { connection, address, message } => {
                self.send(connection, Outgoing::Reply { message, address }, now);
            }
            Inbound::Closed { connection } => {
                self.connections.remove(&connection);
                self.core.handle_connection_closed(connection, now);
                self.tell_of_server(Happening::ConnectionClosed { connection }, now);
            }
            Inbound::Inspect { reply } => {
                let (counters, gauges) = (self.core.counters().clone(), self.core.gauges());
                let _ = reply.send(CoreCounts { counters, gauges, durations: self.durations.by_kind() });
            }
            Inbound::Reconfigure { config, reply } => {
                self.core.reconfigure(*config, now);
                let _ = reply.send(());
            }
            Inbound::Drain { draining, reply } => {
                self.core.set_draining(draining);
                let _ = reply.send(());
            }
            Inbound::Standing { reply } => {
                let _ = reply.send(self.core.standing());
            }
            Inbound::Welcome { room, session, reply } => {
                let _ = reply.send(self.core.welcomes(&room, session));
            }
            Inbound::ShutDown(stop) => {
                self.tell_of_server(Happening::ServerStopping, now);
                self.core.shut_down(now);
                return Some(stop);
            }
        }
        None
    }

    fn expect_reply(&mut self, reply: oneshot::Sender<Value>) -> Source {
        let id = self.next_request();
        self.requests.insert(id, reply);
        Source::Http(id)
    }

    fn source(&mut self, connection: ConnectionId, address: Option<Box<ReturnAddress>>) -> Source {
        let Some(address) = address else { return Source::Connection(connection) };
        let id = self.next_request();
        self.addresses.insert(id, address);
        Source::Message(connection, id)
    }

    fn next_request(&mut self) -> RequestId {
        self.last_request += 1;
        RequestId(self.last_request)
    }

    /// Hands all that the core has to say to whom it is for.
    fn hand_out(&mut self, now: Instant) {
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::Reply { to, message } => self.reply(to, message, now),
                Output::Store { to, storing: Storing { change, saved, unsaved } } => {
                    let stored = self.store(change);
                    self.storing.spawn(async move { Some((to, if stored.await { saved } else { unsaved })) });
                }
                Output::Event { owner: Owner::Connection(connection), message, .. } => {
                    self.send(connection, Outgoing::Event(message), now);
                }
                Output::Event { session, owner: Owner::Http, message } => self.post(session, message),
                // A claim over HTTP starts with an empty mailbox; polls held on the old one end by themselves.
                Output::SessionOpened { session, owner: Owner::Http }
                | Output::SessionMoved { session, owner: Owner::Http } => {
                    self.mailboxes.open(session);
                }
                Output::SessionOpened { owner: Owner::Connection(_), .. } => {}
                Output::SessionMoved { session, owner: Owner::Connection(_) }
                | Output::SessionClosed { session, .. } => {
                    self.mailboxes.close(session);
                }
                Output::Observed { inquiry, seen } => {
                    if let Some(reply) = self.observing.remove(&inquiry) {
                        let _ = reply.send(seen);
                    }
                }
                Output::Measured { inquiry, statistics } => {
                    if let Some(reply) = self.measuring.remove(&inquiry) {
                        let _ = reply.send(statistics);
                    }
                }
                Output::Errand(errand) => self.find_out(errand, now),
                Output::LogLevel(level) => {
                    self.log_level.send_replace(level);
                }
                Output::JsonStyle { carrier, style } => self.styles.set(carrier, style),
                Output::LogLine { level, line } => log(level, &line),
                // Fails only when the media planes are gone, which ends the process.
                Output::Media(command) => {
                    let _ = self.media.send(command);
                }
                Output::Notice(notice) => self.tell(notice, now),
            }
        }
    }

    fn tell_of_server(&self, what: Happening, at: Instant) {
        self.tell(Notice { origin: None, what }, at);
    }

    /// Fails only when nobody listens.
    fn tell(&self, notice: Notice, at: Instant) {
        let _ = self.notices.send(Occurrence { at, notice });
    }

    fn reply(&mut self, to: Source, message: Value, now: Instant) {
        match to {
            Source::Http(request) => {
                if let Some(reply) = self.requests.remove(&request) {
                    let _ = reply.send(message);
                }
            }
            Source::Connection(connection) => {
                self.send(connection, Outgoing::Reply { message, address: None }, now);
            }
            Source::Message(connection, request) => {
                let address = self.addresses.remove(&request);
                self.send(connection, Outgoing::Reply { message, address }, now);
            }
        }
    }

    fn find_out(&mut self, errand: Errand, now: Instant) {
        match &errand.task {
            Task::CountConnections(carrier) => {
                let open = match carrier {
                    Some(carrier) => self.connections.keys().filter(|it| it.carrier == *carrier).count(),
                    None => self.requests.len(),
                };
                let reply = errand.reply(Finding::Connections { open, waiting: self.requests.len() });
                self.reply(errand.to, reply, now);
            }
            Task::Resolve(host) => {
                let addresses = tokio::net::lookup_host((host.clone(), 0));
                self.errands.spawn(async move {
                    let ip = addresses.await.ok().and_then(|mut addresses| addresses.next()).map(|it| it.ip());
                    let elapsed = now.elapsed();
                    Some((errand.to, errand.reply(Finding::Address { ip, elapsed })))
                });
            }
            Task::TestStun { host, port, local_port } => {
                let (host, port, local_port) = (host.clone(), *port, *local_port);
                self.errands.spawn(async move {
                    let address = stun::public_address(&host, port, local_port).await;
                    let elapsed = now.elapsed();
                    Some((errand.to, errand.reply(Finding::PublicAddress { address, elapsed })))
                });
            }
        }
    }

    /// Has a change stored, and tells in time whether it was.
    fn store(&self, change: RoomChange) -> impl Future<Output = bool> + use<> {
        let (done, stored) = oneshot::channel();
        // A full queue drops `done`: the reply is then that nothing was stored, which is true.
        let _ = self.store.try_send(StoreRequest { change, done });
        async move { stored.await.unwrap_or(false) }
    }

    fn reply_late(&mut self, answer: Result<Option<(Source, Value)>, JoinError>, now: Instant) {
        if let Ok(Some((to, message))) = answer {
            self.reply(to, message, now);
        }
    }

    fn post(&self, session: SessionId, event: String) {
        if let Some(mailbox) = self.mailboxes.of(session)
            && !mailbox.push(event)
        {
            self.tallies.dropped_events.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Queues a message on a connection, or, if its queue is full, lets go of the connection: to leave out a message would
    /// leave its client with a wrong picture for good. A broker's queue is full only while the broker is away for long; its
    /// connection stays, because the sessions of all clients would go with it.
    fn send(&mut self, connection: ConnectionId, message: Outgoing, now: Instant) {
        let Some(outgoing) = self.connections.get(&connection) else { return };
        match outgoing.try_send(message) {
            // Closed: the connection has ended and says so in a moment.
            Ok(()) | Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(_)) if connection.carrier.is_broker() => {
                self.tallies.dropped_events.fetch_add(1, Ordering::Relaxed);
            }
            Err(TrySendError::Full(_)) => {
                self.tallies.overflowed_connections.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(connection = connection.number, "closing a connection whose client is too slow");
                self.connections.remove(&connection);
                self.core.handle_connection_closed(connection, now);
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the shell's one clock; tokio's, so that tests can turn it")]
fn clock() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A line of an operator's, at the level of ours that is nearest.
fn log(level: LogLevel, line: &str) {
    match level.number() {
        0..=2 => tracing::error!(target: "operator", "{line}"),
        3 => tracing::warn!(target: "operator", "{line}"),
        4 => tracing::info!(target: "operator", "{line}"),
        5 => tracing::debug!(target: "operator", "{line}"),
        6.. => tracing::trace!(target: "operator", "{line}"),
    }
}

enum Input {
    Inbound(Inbound),
    Media(MediaEvent),
    /// A reply that waited for a change to be stored, or for something to be found out.
    Answered(Result<Option<(Source, Value)>, JoinError>),
    Timeout,
}
