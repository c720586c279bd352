//! Shell: how requests reach the server and its messages come back. One connection per participant, as with real clients.
//! Knows no participant; messages go to the inbox of whoever opened it.

use std::sync::mpsc::Sender;

use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::dialogue::Request;
use crate::driver::{DriverInput, Seat};
use crate::server_url::{Scheme, ServerUrl};

mod http;
mod longpoll;
mod websocket;

pub use http::HttpConnection;

/// Opens connections.
#[derive(Clone, Debug)]
pub struct Connector {
    runtime: Handle,
    url: ServerUrl,
    api_secret: Option<String>,
}

impl Connector {
    /// Connections to `url`, driven by a runtime.
    pub fn new(runtime: Handle, url: ServerUrl, api_secret: Option<String>) -> Self {
        Self { runtime, url, api_secret }
    }

    /// Opens one. Requests can be given to it at once; it closes when the sender is dropped.
    pub fn open(&self, seat: Seat, inbox: Sender<DriverInput>) -> UnboundedSender<Request> {
        let (sender, requests) = unbounded_channel();
        let url = self.url.clone();
        match self.url.scheme {
            Scheme::WebSocket => {
                self.runtime.spawn(async move {
                    let result = websocket::talk(&url, requests, seat, &inbox).await;
                    report(seat, &inbox, result);
                });
            }
            Scheme::Http => {
                let secret = self.api_secret.clone();
                self.runtime.spawn(async move {
                    let result = longpoll::talk(&url, secret, requests, seat, &inbox).await;
                    report(seat, &inbox, result);
                });
            }
        }
        sender
    }
}

fn report(seat: Seat, inbox: &Sender<DriverInput>, result: anyhow::Result<()>) {
    if let Err(error) = result {
        // The driver may be gone at the end of the run.
        let _ = inbox.send(DriverInput::Disconnected { seat, reason: format!("{error:#}") });
    }
}
