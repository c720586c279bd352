//! A connection as the core's task sees it, whatever carries it: where it begins and ends, and what a message of it asks.
//! It must not know sockets.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;

use super::owner::{Inbound, Outgoing};
use super::refusal::Refusal;
use super::{Transport, document};
use crate::{Carrier, ConnectionId};

/// Which API a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    Janus,
    Admin,
}

/// The client's end of the core's task. It stands open until [`Connection::close`].
#[derive(Debug)]
pub(super) struct Connection {
    transport: Transport,
    api: Api,
    id: ConnectionId,
}

impl Connection {
    /// Makes a client known, and gives the queue of what shall be sent to it. The queue ends when the client is too slow for
    /// it, and at the stop.
    pub(super) async fn open(transport: &Transport, api: Api, carrier: Carrier) -> (Self, mpsc::Receiver<Outgoing>) {
        let number = transport.shared.last_connection.fetch_add(1, Ordering::Relaxed) + 1;
        let id = ConnectionId { carrier, number };
        let (sender, outgoing) = mpsc::channel(transport.config().connection_capacity);
        let _ = transport.inbox.send(Inbound::Opened { connection: id, outgoing: sender }).await;
        (Self { transport: transport.clone(), api, id }, outgoing)
    }

    /// What one message asks, in order, or the one error it earns.
    pub(super) fn read(&self, message: &[u8]) -> VecDeque<Inbound> {
        let connection = self.id;
        match document::parse_all(message) {
            Ok(documents) => documents
                .into_iter()
                .map(|request| match self.api {
                    Api::Janus => Inbound::Received { connection, request },
                    Api::Admin => Inbound::AdminReceived { connection, request },
                })
                .collect(),
            Err(malformed) => {
                self.transport.count_refusal();
                let message = Refusal::MalformedMessage(malformed).message();
                VecDeque::from([Inbound::Refused { connection, message }])
            }
        }
    }

    /// Ends the client's sessions, unless they may be reclaimed.
    pub(super) async fn close(self) {
        let _ = self.transport.inbox.send(Inbound::Closed { connection: self.id }).await;
    }
}
