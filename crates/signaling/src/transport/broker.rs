//! What message brokers have in common: one connection carries all clients of both APIs, and what is to be published outlives
//! it. It must not know AMQP or MQTT, nor what a message says.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;

use super::connection::{Api, Connection};
use super::listener::ClientAddress;
use super::owner::{Outgoing, ReturnAddress};
use super::style::Styles;
use super::{Tallies, Transport};
use crate::Carrier;

/// How long to wait before a second attempt to connect; it grows with each (spec of the RabbitMQ transport).
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);
/// How often a letter is published. One that was there whenever the connection broke may be what breaks it.
const ATTEMPTS: u8 = 3;

/// The core's side of a broker: where its messages go.
pub(super) struct Desk {
    transport: Transport,
    janus: Option<Connection>,
    admin: Option<Connection>,
}

/// What is to be published: what the core says, and what was published and may not have arrived.
pub(super) struct Outbox {
    janus: Option<mpsc::Receiver<Outgoing>>,
    admin: Option<mpsc::Receiver<Outgoing>>,
    letters: VecDeque<Letter>,
    /// How many letters wait for a connection; the oldest go first, because the newest describe what is.
    held: usize,
    carrier: Carrier,
    styles: Arc<Styles>,
    tallies: Arc<Tallies>,
}

/// A reply or an event on its way out.
pub(super) struct Letter {
    pub api: Api,
    pub text: String,
    pub address: Option<Box<ReturnAddress>>,
    attempts: u8,
}

/// The time between attempts to connect.
pub(super) struct Retry {
    delay: Duration,
}

/// Makes a broker known to the core, for the APIs that it serves.
pub(super) async fn open(
    transport: &Transport,
    carrier: Carrier,
    serves: impl Fn(Api) -> bool,
    held: usize,
) -> (Desk, Outbox) {
    let mut ends = Vec::new();
    for api in [Api::Janus, Api::Admin] {
        let end = if serves(api) {
            Some(Connection::open(transport, api, carrier, ClientAddress::default()).await)
        } else {
            None
        };
        ends.push(end.unzip());
    }
    let (admin, from_admin) = ends.pop().unwrap_or_default();
    let (janus, from_janus) = ends.pop().unwrap_or_default();
    let (tallies, styles) = (Arc::clone(&transport.shared.tallies), Arc::clone(&transport.shared.styles));
    let desk = Desk { transport: transport.clone(), janus, admin };
    (desk, Outbox { janus: from_janus, admin: from_admin, letters: VecDeque::new(), held, carrier, styles, tallies })
}

impl Desk {
    /// Hands a message to the core, and waits while it has too much to do: so nothing more is read from the broker.
    pub(super) async fn receive(&self, api: Api, message: &[u8], address: Option<ReturnAddress>) {
        let connection = match api {
            Api::Janus => &self.janus,
            Api::Admin => &self.admin,
        };
        let Some(connection) = connection else { return };
        for inbound in connection.read_for(message, address.map(Box::new)) {
            // Fails at the stop, when nobody is there to answer.
            let _ = self.transport.inbox.send(inbound).await;
        }
    }
}

impl Outbox {
    /// What to publish next, at most `maximum` letters: first what a lost connection has left. They stay until
    /// [`Outbox::arrived`]. None at all at the stop.
    pub(super) async fn batch(&mut self, maximum: usize) -> &[Letter] {
        let before = self.letters.len();
        self.letters.retain(|letter| letter.attempts < ATTEMPTS);
        self.drop_letters(before - self.letters.len());
        while self.letters.is_empty() {
            match self.receive().await {
                Some(letter) => self.letters.push_back(letter),
                None => return &[],
            }
        }
        while self.letters.len() < maximum
            && let Some(letter) = self.receive_now()
        {
            self.letters.push_back(letter);
        }
        let count = self.letters.len().min(maximum);
        let batch = &mut self.letters.make_contiguous()[..count];
        for letter in &mut *batch {
            letter.attempts += 1;
        }
        batch
    }

    /// The first `count` letters of the last batch are with the broker.
    pub(super) fn arrived(&mut self, count: usize) {
        self.letters.drain(..count);
    }

    /// Waits for `event` without a connection; `None` if the stop comes first.
    pub(super) async fn hold_until<T>(&mut self, event: impl Future<Output = T>) -> Option<T> {
        let mut event = pin!(event);
        loop {
            tokio::select! {
                biased;
                value = &mut event => return Some(value),
                letter = self.receive() => {
                    self.letters.push_back(letter?);
                    if self.letters.len() > self.held {
                        self.letters.pop_front();
                        self.drop_letters(1);
                    }
                }
            }
        }
    }

    /// Counts letters that nobody will get.
    pub(super) fn drop_letters(&self, count: usize) {
        self.tallies.dropped_events.fetch_add(count as u64, Ordering::Relaxed);
    }

    async fn receive(&mut self) -> Option<Letter> {
        tokio::select! {
            Some(message) = next(&mut self.janus) => Some(self.letter(Api::Janus, message)),
            Some(message) = next(&mut self.admin) => Some(self.letter(Api::Admin, message)),
            else => None,
        }
    }

    fn receive_now(&mut self) -> Option<Letter> {
        let janus = self.janus.as_mut().and_then(|queue| queue.try_recv().ok());
        match janus {
            Some(message) => Some(self.letter(Api::Janus, message)),
            None => {
                let message = self.admin.as_mut()?.try_recv().ok()?;
                Some(self.letter(Api::Admin, message))
            }
        }
    }

    fn letter(&self, api: Api, message: Outgoing) -> Letter {
        let style = self.styles.of(Some(self.carrier));
        let (text, address) = match message {
            Outgoing::Reply { message, address } => (style.write(&message), address),
            Outgoing::Event(text) => (style.rewrite(text), None),
        };
        Letter { api, text, address, attempts: 0 }
    }
}

async fn next(queue: &mut Option<mpsc::Receiver<Outgoing>>) -> Option<Outgoing> {
    queue.as_mut()?.recv().await
}

impl Retry {
    pub(super) fn new() -> Self {
        Self { delay: FIRST_DELAY }
    }

    /// How long to wait now.
    pub(super) fn next_delay(&mut self) -> Duration {
        let delay = self.delay;
        self.delay = (delay * 3 / 2).min(LONGEST_DELAY);
        delay
    }
}
