//! One WebSocket.

use std::sync::mpsc::Sender;

use anyhow::{Context, anyhow};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::dialogue::Request;
use crate::driver::{DriverInput, Seat};
use crate::notice::Notice;
use crate::server_url::ServerUrl;

/// The default of 128 KiB is a third of a gigabyte for 3,000 participants.
const READ_BUFFER: usize = 8 * 1024;

/// Until the requests end (fine) or the server goes away (an error).
pub(super) async fn talk(
    url: &ServerUrl,
    mut requests: UnboundedReceiver<Request>,
    seat: Seat,
    inbox: &Sender<DriverInput>,
) -> anyhow::Result<()> {
    let tcp = TcpStream::connect((url.host.as_str(), url.port))
        .await
        .with_context(|| format!("cannot connect to {}", url.authority()))?;
    tcp.set_nodelay(true)?;
    let mut handshake = url.to_string().into_client_request()?;
    handshake.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("janus-protocol"));
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER).write_buffer_size(0);
    let (mut socket, _) =
        client_async_with_config(handshake, tcp, Some(config)).await.context("WebSocket handshake")?;
    loop {
        tokio::select! {
            request = requests.recv() => {
                let Some(request) = request else {
                    // Whether the server hears of it does not matter any more.
                    let _ = socket.close(None).await;
                    return Ok(());
                };
                socket.send(Message::text(request.text)).await.context("WebSocket")?;
            }
            message = socket.next() => {
                match message.ok_or_else(|| anyhow!("the server closed the WebSocket"))?.context("WebSocket")? {
                    Message::Text(text) => {
                        let notice = Notice::parse(&text).context("a message that is not of the Janus protocol")?;
                        if notice != Notice::Other && inbox.send(DriverInput::Notice { seat, notice }).is_err() {
                            return Ok(());
                        }
                    }
                    Message::Close(_) => return Err(anyhow!("the server closed the WebSocket")),
                    Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                }
            }
        }
    }
}
