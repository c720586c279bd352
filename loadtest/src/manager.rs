//! Shell: makes and destroys the rooms of a run, over a connection of its own, and waits for the answers.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use crate::connection::Connector;
use crate::dialogue::{Request, address};
use crate::driver::{DriverInput, Seat};
use crate::notice::{Bridge, Notice};
use crate::scenario::Room;

/// A server that takes longer for an answer has failed.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// An event follows its `ack` within this, or there is none.
const EVENT_LIMIT: Duration = Duration::from_millis(200);
/// Requests under way at once.
const AHEAD: usize = 32;

/// A session with a handle on the AudioBridge.
pub struct Manager {
    requests: UnboundedSender<Request>,
    inbox: Receiver<DriverInput>,
    session: Option<u64>,
    handle: Option<u64>,
    api_secret: Option<String>,
    admin_key: Option<String>,
    transactions: u64,
}

impl Manager {
    /// Connects and attaches.
    pub fn open(connector: &Connector, api_secret: Option<String>, admin_key: Option<String>) -> anyhow::Result<Self> {
        let (sender, inbox) = channel();
        let requests = connector.open(Seat(u32::MAX - 1), sender);
        let mut manager = Self { requests, inbox, session: None, handle: None, api_secret, admin_key, transactions: 0 };
        manager.session = manager.ask(json!({"janus": "create"}))?;
        manager.handle = manager.ask(json!({"janus": "attach", "plugin": "janus.plugin.audiobridge"}))?;
        Ok(manager)
    }

    /// Name and version of the server.
    pub fn server(&mut self) -> anyhow::Result<String> {
        self.send(json!({"janus": "info"}), None, None)?;
        let Notice::Info { server } = self.next()? else {
            bail!("something else was answered to info");
        };
        Ok(server)
    }

    /// Makes `count` rooms; the ids follow each other.
    pub fn create_rooms(&mut self, room: &Room, count: u32) -> anyhow::Result<()> {
        self.for_each(count, |number| {
            json!({
                "request": "create",
                "room": room.first + u64::from(number),
                "description": "load test",
                "is_private": true,
                "sampling_rate": room.sampling_rate,
                "audiolevel_ext": true,
                "audiolevel_event": room.talking_events,
            })
        })
        .context("making rooms")
    }

    /// Destroys them.
    pub fn destroy_rooms(&mut self, room: &Room, count: u32) -> anyhow::Result<()> {
        self.for_each(count, |number| json!({"request": "destroy", "room": room.first + u64::from(number)}))
            .context("destroying rooms")
    }

    /// To be called every now and then: a session that says nothing for 60 s is ended by the server.
    pub fn keep_alive(&mut self) -> anyhow::Result<()> {
        let session = self.session;
        self.send(json!({"janus": "keepalive"}), session, None)?;
        self.next().map(drop)
    }

    /// Session and handle.
    pub fn ids(&self) -> Option<(u64, u64)> {
        self.session.zip(self.handle)
    }

    /// Where requests go and where answers come, for whoever does not wait for one before sending the next.
    pub fn into_ends(self) -> (UnboundedSender<Request>, Receiver<DriverInput>) {
        (self.requests, self.inbox)
    }

    /// Sends a text as it is and waits for the answer: for an `ack`, if `has_event`, the event that follows it.
    pub fn exchange(&mut self, text: String, has_event: bool) -> anyhow::Result<Notice> {
        let request = Request { session: self.session, handle: self.handle, text };
        self.requests.send(request).map_err(|_| anyhow!("the connection is gone"))?;
        let notice = self.next()?;
        if has_event && matches!(notice, Notice::Ack { .. }) {
            return Ok(self.next_within(EVENT_LIMIT).unwrap_or(notice));
        }
        Ok(notice)
    }

    fn for_each(&mut self, count: u32, body: impl Fn(u32) -> Value) -> anyhow::Result<()> {
        let mut waiting = 0;
        for number in 0..count {
            let mut body = body(number);
            if let Some(key) = &self.admin_key {
                body["admin_key"] = json!(key);
            }
            let (session, handle) = (self.session, self.handle);
            self.send(json!({"janus": "message", "body": body}), session, handle)?;
            waiting += 1;
            if waiting == AHEAD {
                self.expect_done()?;
                waiting -= 1;
            }
        }
        (0..waiting).try_for_each(|_| self.expect_done())
    }

    fn expect_done(&mut self) -> anyhow::Result<()> {
        let (_, bridge) = self.expect_success()?;
        match bridge.unwrap_or_default() {
            Bridge { error: Some(error), error_code, .. } => {
                Err(anyhow!("error {}: {error}", error_code.unwrap_or_default()))
            }
            Bridge { error: None, .. } => Ok(()),
        }
    }

    fn ask(&mut self, request: Value) -> anyhow::Result<Option<u64>> {
        let (session, handle) = (self.session, self.handle);
        self.send(request, session, handle)?;
        Ok(self.expect_success()?.0)
    }

    fn expect_success(&mut self) -> anyhow::Result<(Option<u64>, Option<Bridge>)> {
        let notice = self.next()?;
        if let Notice::Success { id, bridge, .. } = notice {
            return Ok((id, bridge));
        }
        if let Notice::Error { code, reason, .. } = notice {
            bail!("error {code}: {reason}");
        }
        bail!("an answer that does not fit: {notice:?}")
    }

    fn send(&mut self, request: Value, session: Option<u64>, handle: Option<u64>) -> anyhow::Result<()> {
        self.transactions += 1;
        let Value::Object(mut message) = request else {
            bail!("not an object");
        };
        message.insert("transaction".to_owned(), json!(format!("m{}", self.transactions)));
        address(&mut message, session, handle, self.api_secret.as_deref());
        let text = Value::Object(message).to_string();
        self.requests.send(Request { session, handle, text }).map_err(|_| anyhow!("the connection is gone"))
    }

    /// The next answer; what answers nothing is passed over.
    fn next(&mut self) -> anyhow::Result<Notice> {
        self.next_within(ANSWER_LIMIT)
    }

    fn next_within(&mut self, limit: Duration) -> anyhow::Result<Notice> {
        loop {
            match self.inbox.recv_timeout(limit) {
                Ok(DriverInput::Notice { notice: Notice::Other | Notice::WebRtcUp, .. }) => {}
                Ok(DriverInput::Notice { notice, .. }) => return Ok(notice),
                Ok(DriverInput::Disconnected { reason, .. }) => bail!(reason),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => bail!("no answer within {limit:?}"),
                Err(RecvTimeoutError::Disconnected) => bail!("the connection is gone"),
            }
        }
    }
}
