//! One participant's conversation with the server: create, attach, join, configure, trickle, keepalive, leave, destroy.
//! Knows the Janus protocol, no media; text in and text out.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::notice::{Bridge, Notice};

/// How often janus.js says that it is alive; the server's limit is 60 s.
const KEEPALIVE: Duration = Duration::from_secs(25);
/// After this time somebody patient asks again who was not let in.
const PAUSE: Duration = Duration::from_secs(1);
/// The server has too much to do at the moment.
const NOT_NOW: i64 = 499;

/// What a participant asks for.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Room to join.
    pub room: u64,
    /// Its PIN.
    pub pin: Option<String>,
    /// Name shown to others.
    pub display: String,
    /// Muted by the API.
    pub muted: bool,
    /// Complexity of the server's encoder for this participant.
    pub quality: u8,
    /// Asks again when the server has too much to do to let anybody in.
    pub patient: bool,
    /// `apisecret` of every request.
    pub api_secret: Option<String>,
}

/// A request on its way: its text, and where an HTTP client would post it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Session it concerns.
    pub session: Option<u64>,
    /// Handle it concerns.
    pub handle: Option<u64>,
    /// JSON.
    pub text: String,
}

/// What follows from a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// In the room; now an offer is wanted.
    Joined,
    /// The server's SDP.
    Answered(String),
    /// Says goodbye no more: the session is destroyed.
    Closed,
    /// It is over, for this reason.
    Failed(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Creating,
    Attaching,
    Joining,
    /// Was not let in, and asks again.
    Waiting,
    Joined,
    Configuring,
    Established,
    Destroying,
    Over,
}

/// The state of the conversation.
#[derive(Debug)]
pub struct Dialogue {
    invitation: Invitation,
    step: Step,
    session: Option<u64>,
    handle: Option<u64>,
    transactions: u64,
    awaited: String,
    keepalive: Instant,
    /// When it asks again.
    again: Option<Instant>,
    requests: Vec<Request>,
}

impl Dialogue {
    /// Begins it: `create` is the first request.
    pub fn new(invitation: Invitation, now: Instant) -> Self {
        let mut dialogue = Self {
            invitation,
            step: Step::Creating,
            session: None,
            handle: None,
            transactions: 0,
            awaited: String::new(),
            keepalive: now + KEEPALIVE,
            again: None,
            requests: Vec::new(),
        };
        dialogue.ask(json!({"janus": "create"}));
        dialogue
    }

    /// Takes a message from the server.
    pub fn handle_notice(&mut self, notice: Notice) -> Option<Progress> {
        match notice {
            Notice::Success { transaction, id, .. } if transaction == self.awaited => self.handle_success(id),
            Notice::Event { transaction, bridge, sdp } if transaction == self.awaited => {
                self.handle_event(&bridge, sdp)
            }
            Notice::Error { transaction, code, reason } if transaction.as_deref().is_none_or(|t| t == self.awaited) => {
                self.fail(format!("error {code}: {reason}"))
            }
            Notice::Hangup { reason } if self.step != Step::Destroying => self.fail(format!("hung up: {reason}")),
            Notice::Timeout => self.fail("the session timed out".to_owned()),
            Notice::Success { .. }
            | Notice::Event { .. }
            | Notice::Error { .. }
            | Notice::Hangup { .. }
            | Notice::Ack { .. }
            | Notice::Info { .. }
            | Notice::WebRtcUp
            | Notice::Other => None,
        }
    }

    /// Sends the offer that [`Progress::Joined`] asked for.
    pub fn offer(&mut self, sdp: &str) {
        if self.step == Step::Joined {
            self.step = Step::Configuring;
            let body = json!({"request": "configure", "muted": self.invitation.muted});
            self.ask(json!({"janus": "message", "body": body, "jsep": {"type": "offer", "sdp": sdp}}));
        }
    }

    /// Tells the server an address of ours, and that there are no more.
    pub fn trickle(&mut self, candidate: &str) {
        let candidate = json!({"sdpMLineIndex": 0, "candidate": candidate});
        self.tell(json!({"janus": "trickle", "candidates": [candidate, {"completed": true}]}));
    }

    /// Leaves: the session is destroyed, and with it everything.
    pub fn leave(&mut self) {
        if self.session.is_none() || matches!(self.step, Step::Destroying | Step::Over) {
            return;
        }
        self.step = Step::Destroying;
        self.handle = None;
        self.ask(json!({"janus": "destroy"}));
    }

    /// Keeps the session alive, and asks again.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.step == Step::Waiting && now >= *self.again.get_or_insert(now + PAUSE) {
            self.again = None;
            self.join();
        }
        if now >= self.keepalive && self.session.is_some() {
            self.keepalive = now + KEEPALIVE;
            let handle = self.handle.take();
            self.tell(json!({"janus": "keepalive"}));
            self.handle = handle;
        }
    }

    /// The next request to send.
    pub fn poll_request(&mut self) -> Option<Request> {
        (!self.requests.is_empty()).then(|| self.requests.remove(0))
    }

    /// The session, once there is one: what an HTTP client polls.
    pub fn session(&self) -> Option<u64> {
        self.session
    }

    fn handle_success(&mut self, id: Option<u64>) -> Option<Progress> {
        match (self.step, id) {
            (Step::Creating, Some(session)) => {
                self.session = Some(session);
                self.step = Step::Attaching;
                self.ask(json!({"janus": "attach", "plugin": "janus.plugin.audiobridge"}));
                None
            }
            (Step::Attaching, Some(handle)) => {
                self.handle = Some(handle);
                self.join();
                None
            }
            (Step::Destroying, _) => {
                self.step = Step::Over;
                Some(Progress::Closed)
            }
            (
                Step::Creating
                | Step::Attaching
                | Step::Joining
                | Step::Waiting
                | Step::Joined
                | Step::Configuring
                | Step::Established
                | Step::Over,
                _,
            ) => self.fail("an answer that fits no question".to_owned()),
        }
    }

    fn handle_event(&mut self, bridge: &Bridge, sdp: Option<String>) -> Option<Progress> {
        if let Some(code) = bridge.error_code {
            if code == NOT_NOW && self.invitation.patient && self.step == Step::Joining {
                self.step = Step::Waiting;
                return None;
            }
            return self.fail(format!("error {code}: {}", bridge.error.as_deref().unwrap_or_default()));
        }
        match (self.step, sdp) {
            (Step::Joining, _) if bridge.audiobridge == "joined" => {
                self.step = Step::Joined;
                Some(Progress::Joined)
            }
            (Step::Configuring, Some(sdp)) => {
                self.step = Step::Established;
                Some(Progress::Answered(sdp))
            }
            (Step::Configuring, None) => self.fail("no SDP came with the answer to configure".to_owned()),
            (
                Step::Creating
                | Step::Attaching
                | Step::Joining
                | Step::Waiting
                | Step::Joined
                | Step::Established
                | Step::Destroying
                | Step::Over,
                _,
            ) => None,
        }
    }

    fn join(&mut self) {
        self.step = Step::Joining;
        let invitation = &self.invitation;
        let mut body = json!({
            "request": "join",
            "room": invitation.room,
            "display": invitation.display,
            "muted": invitation.muted,
            "quality": invitation.quality,
        });
        if let Some(pin) = &invitation.pin {
            body["pin"] = json!(pin);
        }
        self.ask(json!({"janus": "message", "body": body}));
    }

    fn fail(&mut self, reason: String) -> Option<Progress> {
        let reported = self.step == Step::Over;
        self.step = Step::Over;
        (!reported).then_some(Progress::Failed(reason))
    }

    /// Sends a request whose answer is waited for.
    fn ask(&mut self, request: Value) {
        self.tell(request);
        self.awaited = self.transactions.to_string();
    }

    /// Sends a request whose answer does not matter.
    fn tell(&mut self, request: Value) {
        self.transactions += 1;
        let Value::Object(mut message) = request else {
            return;
        };
        message.insert("transaction".to_owned(), json!(self.transactions.to_string()));
        address(&mut message, self.session, self.handle, self.invitation.api_secret.as_deref());
        self.requests.push(Request {
            session: self.session,
            handle: self.handle,
            text: Value::Object(message).to_string(),
        });
    }
}

/// Adds to a request whom it concerns and by which right.
pub(crate) fn address(
    message: &mut Map<String, Value>,
    session: Option<u64>,
    handle: Option<u64>,
    api_secret: Option<&str>,
) {
    if let Some(session) = session {
        message.insert("session_id".to_owned(), json!(session));
    }
    if let Some(handle) = handle {
        message.insert("handle_id".to_owned(), json!(handle));
    }
    if let Some(secret) = api_secret {
        message.insert("apisecret".to_owned(), json!(secret));
    }
}
