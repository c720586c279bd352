//! A connection as the core's task sees it, whatever carries it: where it begins and ends, and what a message of it asks.
//! It must not know sockets.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;

use super::document::Malformed;
use super::listener::ClientAddress;
use super::owner::{Inbound, Outgoing, ReturnAddress};
use super::refusal::Refusal;
use super::{MESSAGE_LIMIT, Transport, document};
use crate::{Carrier, ConnectionId};

/// Messages that wait for a broker. All sessions behind it share them, and a join to a room of thousands is thousands of events
/// in one go.
const BROKER_CAPACITY: usize = 65_536;

/// Which API a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// The Janus API.
    Janus,
    /// The admin API.
    Admin,
}

/// The client's end of the core's task. It stands open until [`Connection::close`].
#[derive(Debug)]
pub(super) struct Connection {
    transport: Transport,
    api: Api,
    id: ConnectionId,
    client: ClientAddress,
}

impl Connection {
    /// Makes a client known, and gives the queue of what shall be sent to it. The queue ends when the client is too slow for
    /// it, and at the stop.
    pub(super) async fn open(
        transport: &Transport,
        api: Api,
        carrier: Carrier,
        client: ClientAddress,
    ) -> (Self, mpsc::Receiver<Outgoing>) {
        let number = transport.shared.last_connection.fetch_add(1, Ordering::Relaxed) + 1;
        let id = ConnectionId { carrier, number };
        let capacity = if carrier.is_broker() { BROKER_CAPACITY } else { transport.config().connection_capacity };
        let (sender, outgoing) = mpsc::channel(capacity);
        let opened = Inbound::Opened { connection: id, admin: api == Api::Admin, client: client.0, outgoing: sender };
        let _ = transport.inbox.send(opened).await;
        (Self { transport: transport.clone(), api, id, client }, outgoing)
    }

    /// What one message asks, in order, or the one error it earns.
    pub(super) fn read(&self, message: &[u8]) -> VecDeque<Inbound> {
        self.read_for(message, None)
    }

    /// As [`Connection::read`], for a message whose replies have to be told from others.
    pub(super) fn read_for(&self, message: &[u8], address: Option<Box<ReturnAddress>>) -> VecDeque<Inbound> {
        let (connection, client) = (self.id, self.client.0);
        let documents = if message.len() > MESSAGE_LIMIT {
            Err(Malformed { line: 1, column: 1, text: format!("longer than {MESSAGE_LIMIT} bytes") })
        } else {
            document::parse_all(message)
        };
        match documents {
            Ok(documents) => documents
                .into_iter()
                .map(|request| match self.api {
                    Api::Janus => Inbound::Received { connection, client, address: address.clone(), request },
                    Api::Admin => Inbound::AdminReceived { connection, address: address.clone(), request },
                })
                .collect(),
            Err(malformed) => {
                self.transport.count_refusal();
                let message = Refusal::MalformedMessage(malformed).message();
                VecDeque::from([Inbound::Refused { connection, address, message }])
            }
        }
    }

    /// Ends the client's sessions, unless they may be reclaimed.
    pub(super) async fn close(self) {
        let _ = self.transport.inbox.send(Inbound::Closed { connection: self.id }).await;
    }
}
