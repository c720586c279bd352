//! The conversation as a function of requests, media events, time and a seed. Knows no socket, clock or task, and of
//! media only what `media.rs` says.

mod admin;
pub(crate) mod asked;
pub(crate) mod config;
pub(crate) mod counters;
pub(crate) mod drain;
pub(crate) mod effect;
pub(crate) mod errand;
pub(crate) mod error;
pub(crate) mod field;
mod handle;
pub(crate) mod ids;
mod info;
mod inquiry;
pub(crate) mod jsep;
pub(crate) mod log;
pub(crate) mod media;
mod message;
pub(crate) mod notice;
mod observation;
pub(crate) mod operator;
mod peer;
pub(crate) mod plugin;
pub(crate) mod rate;
mod reconfigure;
mod session;
pub(crate) mod statistics;
pub(crate) mod store;
pub(crate) mod style;
pub(crate) mod token;
pub(crate) mod transport_info;
mod trickle;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Instant;

use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use admin::Idle;
pub use asked::{RequestApi, RequestKind};
use config::Config;
use counters::{ACCEPTED, Counters, Gauges, Limit};
use errand::Errand;
use error::Error;
use handle::Handle;
use ids::{Carrier, ConnectionId, HandleId, IdSource, RequestId, SessionId};
use inquiry::Inquiries;
pub use log::LogLevel;
use media::{MediaCommand, MediaEvent};
use message::{Envelope, HandleField};
use notice::{Happening, Notice};
use operator::Refused;
use rate::Rate;
use session::{CHECK_INTERVAL, Session};
use statistics::HandleStatistics;
use store::Storing;
use style::JsonStyle;
use token::Tokens;

use crate::audiobridge::AudioBridge;
use crate::echotest::EchoTest;

/// Who sent a request; its reply goes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A connection.
    Connection(ConnectionId),
    /// A message on a connection whose reply has to be told from others.
    Message(ConnectionId, RequestId),
    /// An HTTP request.
    Http(RequestId),
}

impl Source {
    /// Where the events of a session go that this source creates or claims.
    #[must_use]
    pub fn owner(self) -> Owner {
        match self {
            Self::Connection(connection) | Self::Message(connection, _) => Owner::Connection(connection),
            Self::Http(_) => Owner::Http,
        }
    }
}

/// Where the events of a session go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// Down this connection.
    Connection(ConnectionId),
    /// To whoever polls for them.
    Http,
}

impl Owner {
    /// What the API calls what carries it.
    #[must_use]
    pub fn package(self) -> &'static str {
        match self {
            Self::Connection(connection) => connection.carrier.package(),
            Self::Http => "janus.transport.http",
        }
    }
}

/// What leaves the core, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// The one reply to a request.
    Reply {
        /// Who asked.
        to: Source,
        /// The reply.
        message: Value,
    },
    /// An event of a session.
    Event {
        /// The session.
        session: SessionId,
        /// Where its events go now.
        owner: Owner,
        /// The event as JSON text: a room of thousands hears of each newcomer, and only the envelope differs.
        message: String,
    },
    /// A session begins. Comes before the reply that names it.
    SessionOpened {
        /// The session.
        session: SessionId,
        /// Where its events go.
        owner: Owner,
    },
    /// A session was claimed: its events go elsewhere, and what nobody fetched before is void.
    SessionMoved {
        /// The session.
        session: SessionId,
        /// Where its events go from now on.
        owner: Owner,
    },
    /// A session is over. Comes after its last event.
    SessionClosed {
        /// The session.
        session: SessionId,
        /// Where its events went.
        owner: Owner,
    },
    /// A change to store. Once that is known to have worked or failed, one of the two replies goes to who asked.
    Store {
        /// Who asked.
        to: Source,
        /// The change and the replies.
        storing: Storing<Value>,
    },
    /// What came of [`Core::observe_room`].
    Observed {
        /// As told there.
        inquiry: u64,
        /// The room and who is in it, or that it is no more.
        seen: Result<Value, Refused>,
    },
    /// What came of [`Core::measure_all`].
    Measured {
        /// As told there.
        inquiry: u64,
        /// Of all whose PeerConnection is up.
        statistics: Vec<HandleStatistics>,
    },
    /// Something to find out for an admin request, which is answered with what is found.
    Errand(Errand),
    /// An operator wants so much to be logged from now on.
    LogLevel(LogLevel),
    /// An operator wants what is carried so, or by HTTP, to be written so from now on. Comes before the reply.
    JsonStyle {
        /// None of these is HTTP.
        carrier: Option<Carrier>,
        /// How.
        style: JsonStyle,
    },
    /// A line that an operator wants in the log.
    LogLine {
        /// How important it is.
        level: LogLevel,
        /// What it says.
        line: String,
    },
    /// Something for the media planes to do.
    Media(MediaCommand),
    /// Something that people and back-ends are told of.
    Notice(Notice),
}

/// What a long poll carries in its query to show that it may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The API secret.
    pub apisecret: Option<String>,
    /// A token.
    pub token: Option<String>,
}

/// Whether a long poll may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Wrong credentials.
    Forbidden,
    /// Too many requests from this address.
    TooMany,
    /// No such session, or not one whose events are fetched by HTTP.
    NotFound,
    /// The session is alive and has been kept so.
    Ready,
}

/// Whether a page beside the API may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// Wrong credentials.
    Forbidden,
    /// Too many requests from this address.
    TooMany,
    /// It may.
    Welcome,
}

/// The conversation.
///
/// Feed it with the `handle_*` methods and after each of them take everything out with [`poll_output`](Self::poll_output);
/// call [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) is due.
#[derive(Debug)]
pub struct Core {
    config: Config,
    ids: IdSource,
    /// Times in `handle_info` count from here.
    started: Instant,
    next_check: Instant,
    accepting: bool,
    tokens: Tokens,
    idle: Idle,
    sessions: BTreeMap<SessionId, Session>,
    handles: BTreeMap<HandleId, Handle>,
    connections: BTreeMap<ConnectionId, BTreeSet<SessionId>>,
    audiobridge: AudioBridge,
    echotest: EchoTest,
    /// How many offers there were so far.
    negotiations: u64,
    inquiries: Inquiries,
    requests: Rate,
    outputs: VecDeque<Output>,
    counters: Counters,
}

impl Core {
    /// A conversation that has just begun, with the rooms of `config`. All randomness comes from `seed`.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let mut ids = IdSource::new(seed);
        let audiobridge = AudioBridge::new(&config, &mut ids, now);
        Self {
            ids,
            audiobridge,
            echotest: EchoTest::default(),
            negotiations: 0,
            started: now,
            next_check: now + CHECK_INTERVAL,
            accepting: true,
            tokens: Tokens::new(&config, now),
            idle: Idle::default(),
            sessions: BTreeMap::new(),
            handles: BTreeMap::new(),
            connections: BTreeMap::new(),
            inquiries: Inquiries::default(),
            requests: Rate::per_second(config.limits.request_rate, now),
            outputs: VecDeque::new(),
            counters: Counters::default(),
            config,
        }
    }

    /// Takes a request, whatever JSON it is, and says what it is. Exactly one reply to `source` comes of it, before any
    /// event it causes (save where the API has the reply last). `client` is where it comes from; what has no address has no
    /// rates either.
    pub fn handle_request(
        &mut self,
        source: Source,
        client: Option<IpAddr>,
        request: Value,
        now: Instant,
    ) -> RequestKind {
        let envelope = match Envelope::parse(request) {
            Ok(envelope) => envelope,
            Err((error, message)) => {
                let kind = RequestKind::janus("");
                self.count(kind, error.code);
                self.reply(source, message);
                self.tell(Happening::Refused { code: error.code });
                return kind;
            }
        };
        let kind = self.kind(&envelope);
        match self.execute(source, client, &envelope, now) {
            Err(error) => {
                self.reply(source, envelope.refused(&error));
                self.tell_refusal(&envelope, &error);
                self.count_error(kind, &error);
            }
            Ok(()) if kind.api == RequestApi::Janus => self.count(kind, ACCEPTED),
            // Counted with what the plugin said.
            Ok(()) => {}
        }
        kind
    }

    /// A connection is gone, and with it its sessions (unless they may be reclaimed).
    pub fn handle_connection_closed(&mut self, connection: ConnectionId, now: Instant) {
        self.orphan_sessions(connection, now);
        self.check_if_due(now);
    }

    /// A long poll asks for the events of a session, which counts as a keepalive.
    pub fn handle_poll(
        &mut self,
        session: u64,
        client: Option<IpAddr>,
        credentials: Credentials,
        now: Instant,
    ) -> Poll {
        if !self.requests.take(client, now) {
            self.count_limited(Some(Limit::Requests));
            return Poll::TooMany;
        }
        if session == 0 {
            return Poll::NotFound;
        }
        if !self.permits(credentials.apisecret.as_deref(), credentials.token.as_deref(), now) {
            return Poll::Forbidden;
        }
        match self.sessions.get_mut(&SessionId(session)) {
            None => Poll::NotFound,
            Some(session) => {
                session.last_activity = now;
                if session.owner == Owner::Http { Poll::Ready } else { Poll::NotFound }
            }
        }
    }

    /// Somebody asks for a page beside the API, which counts as a request.
    pub fn handle_visit(&mut self, client: Option<IpAddr>, credentials: &Credentials, now: Instant) -> Visit {
        if !self.requests.take(client, now) {
            self.count_limited(Some(Limit::Requests));
            return Visit::TooMany;
        }
        let is_permitted = self.permits(credentials.apisecret.as_deref(), credentials.token.as_deref(), now);
        if is_permitted { Visit::Welcome } else { Visit::Forbidden }
    }

    /// Takes an admin request, and says what it is. Exactly one reply to `source` comes of it, which may take as long as the media planes
    /// need to tell of themselves.
    pub fn handle_admin(&mut self, source: Source, request: Value, now: Instant) -> RequestKind {
        let envelope = match Envelope::parse(request) {
            Ok(envelope) => envelope,
            Err((error, message)) => {
                let kind = RequestKind::admin("");
                self.count(kind, error.code);
                self.reply(source, message);
                self.tell(Happening::Refused { code: error.code });
                return kind;
            }
        };
        let kind = RequestKind::admin(&envelope.verb);
        let result = self.execute_admin(source, &envelope, now);
        self.count(kind, result.as_ref().err().map_or(ACCEPTED, |error| error.code));
        match result {
            Ok(Some(message)) => self.reply_to_admin(source, &envelope, message, now),
            Ok(None) => {}
            Err(error) => {
                self.reply(source, envelope.refused(&error));
                self.tell_refusal(&envelope, &error);
            }
        }
        kind
    }

    /// Something happened to a PeerConnection or in a mix.
    pub fn handle_media(&mut self, event: MediaEvent, now: Instant) {
        self.take_media_event(event, now);
        self.check_if_due(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.check_if_due(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is wanted next; `None` while there is nothing to time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let check = (!self.sessions.is_empty()).then_some(self.next_check);
        [check, self.inquiries.due()].into_iter().flatten().min()
    }

    /// The next of what came of the last call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How much there is of everything.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        Gauges {
            sessions: self.sessions.len(),
            handles: self.handles.len(),
            rooms: self.audiobridge.rooms(),
            active_rooms: self.audiobridge.active_rooms(),
            participants: self.audiobridge.participants(),
            connecting: self.audiobridge.connecting(),
            draining: self.audiobridge.is_draining(),
        }
    }

    /// What has happened so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn execute(
        &mut self,
        source: Source,
        client: Option<IpAddr>,
        envelope: &Envelope,
        now: Instant,
    ) -> Result<(), Error> {
        if !self.requests.take(client, now) {
            return Err(Error::too_many_requests(self.config.limits.request_rate));
        }
        if envelope.session == 0 {
            return match envelope.handle {
                HandleField::Given(_) => Err(Error::session_not_found()),
                HandleField::Absent | HandleField::Invalid => self.execute_alone(source, envelope, now),
            };
        }
        if envelope.handle == HandleField::Invalid {
            return Err(Error::handle_not_found());
        }
        self.authorize(envelope, now)?;
        let id = u64::try_from(envelope.session).map(SessionId);
        let Some((id, session)) = id.ok().and_then(|id| Some((id, self.sessions.get_mut(&id)?))) else {
            return Err(Error::no_such_session(envelope.session));
        };
        // Even a request that fails below is a sign of life.
        session.last_activity = now;
        match envelope.handle {
            HandleField::Given(handle) if !session.handles.contains(&handle) => {
                Err(Error::no_such_handle(handle.0, id.0))
            }
            HandleField::Given(handle) => self.execute_on_handle(source, client, envelope, id, handle, now),
            HandleField::Absent | HandleField::Invalid => self.execute_on_session(source, envelope, id, now),
        }
    }

    fn execute_alone(&mut self, source: Source, envelope: &Envelope, now: Instant) -> Result<(), Error> {
        if envelope.is("info") {
            let message = self.server_info(&envelope.transaction);
            self.reply(source, message);
        } else if envelope.is("ping") {
            self.reply(source, json!({"janus": "pong", "transaction": envelope.transaction}));
        } else if envelope.is("create") {
            self.create_session(source, envelope, now)?;
        } else {
            return Err(Error::unhandled(&envelope.verb));
        }
        Ok(())
    }

    fn execute_on_session(
        &mut self,
        source: Source,
        envelope: &Envelope,
        id: SessionId,
        now: Instant,
    ) -> Result<(), Error> {
        if envelope.is("keepalive") {
            self.reply(source, message::acknowledged(id, &envelope.transaction));
        } else if envelope.is("claim") {
            self.claim_session(source, envelope, id);
        } else if envelope.is("destroy") {
            self.destroy_session(source, envelope, id, now);
        } else if envelope.is("attach") {
            self.attach(source, envelope, id, now)?;
        } else if ["detach", "hangup", "message", "trickle"].iter().any(|verb| envelope.is(verb)) {
            return Err(Error::unhandled(&envelope.verb));
        } else {
            return Err(Error::unknown_request(&envelope.verb));
        }
        Ok(())
    }

    fn authorize(&self, envelope: &Envelope, now: Instant) -> Result<(), Error> {
        let text = |name| envelope.fields.get(name).and_then(Value::as_str);
        if self.permits(text("apisecret"), text("token"), now) { Ok(()) } else { Err(Error::unauthorized()) }
    }

    /// Where both a secret and tokens are configured, either is enough.
    fn permits(&self, secret: Option<&str>, token: Option<&str>, now: Instant) -> bool {
        let secret_matches = match (&self.config.api_secret, secret) {
            (Some(expected), Some(given)) => Some(same_secret(expected, given)),
            (Some(_), None) => Some(false),
            (None, _) => None,
        };
        let token_matches = match self.tokens {
            Tokens::Off => None,
            Tokens::Stored(_) | Tokens::Signed(_) => Some(token.is_some_and(|token| self.tokens.permit(token, now))),
        };
        match (secret_matches, token_matches) {
            (None, None) => true,
            (Some(matches), None) | (None, Some(matches)) => matches,
            (Some(secret), Some(token)) => secret || token,
        }
    }

    fn reply(&mut self, to: Source, message: Value) {
        self.outputs.push_back(Output::Reply { to, message });
    }

    fn kind(&self, envelope: &Envelope) -> RequestKind {
        let plugin = match envelope.handle {
            HandleField::Given(handle) if envelope.is("message") => self.plugin(handle),
            HandleField::Given(_) | HandleField::Absent | HandleField::Invalid => None,
        };
        match (plugin, envelope.fields.get("body")) {
            (Some(plugin), Some(Value::Object(body))) => RequestKind::of_plugin(plugin, body),
            (Some(_) | None, _) => RequestKind::janus(&envelope.verb),
        }
    }

    fn check_if_due(&mut self, now: Instant) {
        self.expire_inquiries(now);
        if now < self.next_check {
            return;
        }
        self.check_silence(now);
        self.next_check = now + CHECK_INTERVAL;
    }
}

/// Compares in a time that tells nothing but the length.
pub(crate) fn same_secret(expected: &str, given: &str) -> bool {
    expected.as_bytes().ct_eq(given.as_bytes()).into()
}
