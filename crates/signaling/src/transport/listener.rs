//! A TCP port: who may connect, with or without TLS, how many and how long in silence. It must not know what is asked for.

use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Extensions, StatusCode};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt as _;

use super::Transport;
use super::access::{Access, Verdict};
use super::tls::Certificate;

/// How long a client may take for the TLS handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long nothing is accepted after the process had no file descriptor left: some come back in that time.
pub(super) const EXHAUSTED_TIME: Duration = Duration::from_secs(1);
/// A client that vanished without a word would keep its WebSocket open for ever: probes start after so long in silence …
const KEEPALIVE_TIME: Duration = Duration::from_secs(60);
/// … and follow each other in this interval.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// How a TCP port takes connections.
#[derive(Clone, Debug)]
pub struct ListenerConfig {
    /// Shown to clients; `None` = no TLS.
    pub certificate: Option<Certificate>,
    /// Who may connect; a change counts for connections that come later.
    pub access: watch::Receiver<Access>,
    /// Connections at the same time, WebSockets included; more are closed as they come.
    pub connection_limit: usize,
    /// A connection without a request, or with a part of one, is closed after so long.
    pub idle_timeout: Duration,
}

impl Default for ListenerConfig {
    fn default() -> Self {
        Self {
            certificate: None,
            access: watch::channel(Access::default()).1,
            connection_limit: 100_000,
            idle_timeout: Duration::from_secs(120),
        }
    }
}

/// By which address a request is counted; `None` = it is not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ClientAddress(pub(super) Option<IpAddr>);

impl ClientAddress {
    pub(super) fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or_default()
    }
}

/// One port that is open.
struct Port {
    transport: Transport,
    router: Router,
    config: ListenerConfig,
    places: Arc<Semaphore>,
    /// Its end asks connections to end with their next answer. They hold a receiver, so that its closing tells they have.
    stopping: watch::Sender<()>,
}

impl Transport {
    /// Serves one of this transport's routers on a port until `stopped` ends, then lets connections finish what they do.
    pub async fn serve(
        &self,
        listener: TcpListener,
        router: Router,
        config: ListenerConfig,
        stopped: impl Future<Output = ()>,
    ) {
        let places = Arc::new(Semaphore::new(config.connection_limit.min(Semaphore::MAX_PERMITS)));
        let port = Port { transport: self.clone(), router, config, places, stopping: watch::Sender::new(()) };
        let mut stopped = pin!(stopped);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => port.take(stream, peer.ip()),
                    Err(error) if is_of_one_connection(&error) => {}
                    Err(error) => {
                        tracing::error!(%error, "no connection can be accepted");
                        tokio::time::sleep(EXHAUSTED_TIME).await;
                    }
                },
                () = &mut stopped => break,
            }
        }
        drop(listener);
        port.stopping.send_replace(());
        port.stopping.closed().await;
    }
}

impl Port {
    /// Starts to serve a connection, or closes it at once.
    fn take(&self, stream: TcpStream, peer: IpAddr) {
        let tallies = &self.transport.shared.tallies;
        let verdict = self.config.access.borrow().judge(peer);
        if verdict == Verdict::Refused {
            tallies.refused_connections.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            tallies.surplus_connections.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_TIME).with_interval(KEEPALIVE_INTERVAL);
        let socket = SockRef::from(&stream);
        if let Err(error) = socket.set_tcp_nodelay(true).and_then(|()| socket.set_tcp_keepalive(&keepalive)) {
            tracing::debug!(%error, "a connection keeps its socket options");
        }
        let router = match verdict {
            Verdict::PerRequest => behind_proxy(self.router.clone(), self.config.access.clone(), peer),
            Verdict::Admitted | Verdict::Refused => self.router.clone(),
        };
        let caller = Caller { peer, access: self.config.access.clone() };
        let idle_timeout = self.config.idle_timeout;
        let stopping = self.stopping.subscribe();
        let Some(certificate) = &self.config.certificate else {
            tokio::spawn(converse(Connected { stream, _place: place }, caller, router, idle_timeout, stopping));
            return;
        };
        let handshake = certificate.acceptor().accept(stream);
        let tallies = Arc::clone(tallies);
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE_TIME, handshake).await {
                Ok(Ok(stream)) => {
                    let stream = Connected { stream, _place: place };
                    converse(stream, caller, router, idle_timeout, stopping).await;
                }
                Ok(Err(_)) | Err(_) => {
                    tallies.failed_handshakes.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
}

/// Answers requests until either side ends the connection, or it becomes a WebSocket, whose own task goes on with it.
async fn converse<S>(
    stream: Connected<S>,
    caller: Caller,
    router: Router,
    idle_timeout: Duration,
    mut stopping: watch::Receiver<()>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(router.map_request(move |mut request: hyper::Request<_>| {
        let client = ClientAddress(caller.access.borrow().counted(caller.peer, request.headers()));
        request.extensions_mut().insert(client);
        request.map(Body::new)
    }));
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(idle_timeout)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection ended");
    }
}

/// Asks of each request whom the proxy speaks for.
fn behind_proxy(router: Router, access: watch::Receiver<Access>, peer: IpAddr) -> Router {
    router.layer(middleware::from_fn(move |request: Request, next: Next| {
        let permitted = access.borrow().permits(peer, request.headers());
        async move { if permitted { next.run(request).await } else { StatusCode::FORBIDDEN.into_response() } }
    }))
}

/// Whether accepting failed because of the one connection that was to be accepted (accept(2)).
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind())
}

/// Who has opened a connection, and whom it may speak for.
struct Caller {
    peer: IpAddr,
    access: watch::Receiver<Access>,
}

/// A connection with its place, which goes with it when it becomes a WebSocket.
struct Connected<S> {
    stream: S,
    _place: OwnedSemaphorePermit,
}

impl<S: AsyncRead + Unpin> AsyncRead for Connected<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connected<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
