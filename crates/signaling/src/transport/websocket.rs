//! The Janus and admin APIs over WebSocket: one ordered conversation per connection. It must not know what is said in it.

use std::collections::VecDeque;
use std::future;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use axum::extract::{FromRequestParts, Request, State, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::SinkExt as _;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::connection::{Api, Connection};
use super::listener::ClientAddress;
use super::owner::Outgoing;
use super::{MESSAGE_LIMIT, Pings, Transport};
use crate::{Carrier, JsonStyle};

/// Bytes that are read at once; longer messages grow it. The default of 128 KiB would be the largest part of what a participant
/// takes of memory, and clearing it came first in the profile of a join.
const READ_BUFFER: usize = 4096;
/// Bytes that wait at most to be written with others. The buffer keeps the size of the most that ever waited: without a limit a
/// participant who was there while a room filled took 20 KB for it.
const WRITE_BUFFER: usize = 4096;
/// How long a client may take to accept one message. Who is slower has gone, or will never catch up.
const SEND_TIME: Duration = Duration::from_secs(10);
/// How long the closing handshake may take (RFC 6455, section 7.1.1, asks to wait for it, within reason).
const CLOSE_TIME: Duration = Duration::from_secs(2);

/// Takes every WebSocket handshake, on whatever path, and leaves all other requests to `next`.
pub(super) async fn upgrade(
    State((transport, api)): State<(Transport, Api)>,
    request: Request,
    next: Next,
) -> Response {
    let asks =
        request.headers().get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    if !asks {
        return next.run(request).await;
    }
    let (mut parts, _) = request.into_parts();
    let cors = transport.cors().headers(&parts.headers);
    let client = ClientAddress::of(&parts.extensions);
    let is_permitted = transport.cors().permits(&parts.headers);
    let turned_away = match api {
        Api::Janus if is_permitted => transport.turn_away(parts.uri.path(), 0).await,
        Api::Janus | Api::Admin => None,
    };
    let mut response = if let Some(refusal) = turned_away {
        refusal
    } else if is_permitted {
        match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(handshake) => accept(transport, api, client, handshake),
            Err(rejection) => rejection.status().into_response(),
        }
    } else {
        StatusCode::FORBIDDEN.into_response()
    };
    response.headers_mut().extend(cors);
    response
}

/// The WebSocket port serves nothing but WebSocket.
pub(super) fn refuse_plain_http(transport: &Transport, headers: &HeaderMap) -> Response {
    let mut response =
        (StatusCode::FORBIDDEN, [(header::CONNECTION, HeaderValue::from_static("close"))]).into_response();
    response.headers_mut().extend(transport.cors().headers(headers));
    response
}

fn accept(transport: Transport, api: Api, client: ClientAddress, handshake: WebSocketUpgrade) -> Response {
    let handshake = handshake
        .protocols([subprotocol(api)])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(MESSAGE_LIMIT)
        .max_frame_size(MESSAGE_LIMIT);
    if handshake.selected_protocol().is_none() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    handshake.on_upgrade(move |socket| async move {
        let connections = &transport.shared.tallies.connections;
        connections.fetch_add(1, Ordering::Relaxed);
        serve(&transport, api, client, socket).await;
        connections.fetch_sub(1, Ordering::Relaxed);
    })
}

/// The client has to ask for the API by this name.
fn subprotocol(api: Api) -> &'static str {
    match api {
        Api::Janus => "janus-protocol",
        Api::Admin => "janus-admin-protocol",
    }
}

async fn serve(transport: &Transport, api: Api, client: ClientAddress, mut socket: WebSocket) {
    // Held to the end, so that a stop waits for the closing handshake.
    let stopping = transport.stopping();
    let (connection, outgoing) = Connection::open(transport, api, Carrier::WebSocket, client).await;
    let code = converse(transport, &connection, outgoing, &mut socket).await;
    // Its sessions end now, not when the closing handshake is over.
    connection.close().await;
    // During a stop there is nobody to be told of either, and the reason is the stop.
    let code = if *stopping.borrow() { close_code::AWAY } else { code };
    close(&mut socket, code).await;
}

/// Carries messages until either side ends it. What is to be sent goes first, and nothing is read while earlier documents
/// wait for the core: so a client that sends more than it reads slows down nobody but itself. Returns the close code.
async fn converse(
    transport: &Transport,
    connection: &Connection,
    mut outgoing: mpsc::Receiver<Outgoing>,
    socket: &mut WebSocket,
) -> u16 {
    let mut incoming = VecDeque::new();
    let mut patience = Patience::new(transport.config().pings);
    loop {
        tokio::select! {
            biased;
            message = outgoing.recv() => {
                // The core's side has let go of a client that is too slow.
                let Some(message) = message else { return close_code::AGAIN };
                let style = transport.style(Some(Carrier::WebSocket));
                let sending = send(socket, style, message, &mut outgoing);
                if !matches!(tokio::time::timeout(SEND_TIME, sending).await, Ok(Ok(()))) {
                    return close_code::AGAIN;
                }
            }
            place = transport.inbox.reserve(), if !incoming.is_empty() => {
                let (Ok(place), Some(inbound)) = (place, incoming.pop_front()) else { return close_code::AWAY };
                place.send(inbound);
            }
            message = socket.recv(), if incoming.is_empty() => {
                patience.heard();
                match message {
                Some(Ok(Message::Text(text))) => incoming = connection.read(text.as_bytes()),
                Some(Ok(Message::Binary(bytes))) => incoming = connection.read(&bytes),
                // tungstenite answers pings by itself.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_))) | None => return close_code::NORMAL,
                // Too long, no UTF-8, no WebSocket, or just cut off.
                Some(Err(_)) => return close_code::POLICY,
                }
            }
            // Who is not read is not silent.
            () = patience.is_over(), if incoming.is_empty() => {
                let ping = Message::Ping(Bytes::new());
                if !patience.ask() || !matches!(tokio::time::timeout(SEND_TIME, socket.send(ping)).await, Ok(Ok(()))) {
                    transport.shared.tallies.silent_connections.fetch_add(1, Ordering::Relaxed);
                    return close_code::PROTOCOL;
                }
            }
        }
    }
}

/// Sends a message and those that wait behind it: together they cost one system call.
async fn send(
    socket: &mut WebSocket,
    style: JsonStyle,
    first: Outgoing,
    outgoing: &mut mpsc::Receiver<Outgoing>,
) -> Result<(), axum::Error> {
    let mut next = Some(first);
    while let Some(message) = next {
        socket.feed(Message::text(message.into_text(style))).await?;
        next = outgoing.try_recv().ok();
    }
    socket.flush().await
}

/// When a client that says nothing is asked whether it is there, and when it has had its chance.
struct Patience {
    pings: Option<Pings>,
    /// `None` = never.
    end: Option<Instant>,
    asked: bool,
}

impl Patience {
    fn new(pings: Option<Pings>) -> Self {
        let mut patience = Self { pings, end: None, asked: false };
        patience.heard();
        patience
    }

    /// Whatever comes from a client shows that it is there.
    fn heard(&mut self) {
        if let Some(Pings { interval, .. }) = self.pings {
            self.end = Some(now() + interval);
            self.asked = false;
        }
    }

    async fn is_over(&self) {
        match self.end {
            Some(end) => tokio::time::sleep_until(end).await,
            None => future::pending().await,
        }
    }

    /// Waits for the answer to a ping from now on. False if it was waited for already.
    fn ask(&mut self) -> bool {
        self.end = self.pings.map(|Pings { timeout, .. }| now() + timeout);
        !std::mem::replace(&mut self.asked, true)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "only a connection knows when it was last heard; tests can turn this clock"
)]
fn now() -> Instant {
    Instant::now()
}

/// Sends a close frame, or, if the client sent one, the answer to it, and waits for the client's part of the handshake.
async fn close(socket: &mut WebSocket, code: u16) {
    let _ = tokio::time::timeout(CLOSE_TIME, async {
        let frame = CloseFrame { code, reason: "".into() };
        // Fails when the client has closed already; reading on sends what is left to send then.
        let _ = socket.send(Message::Close(Some(frame))).await;
        while let Some(Ok(_)) = socket.recv().await {}
    })
    .await;
}
