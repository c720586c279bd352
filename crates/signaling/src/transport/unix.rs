//! The Janus and admin APIs over Unix sockets: one packet is one message, both ways. It must not know what is said in it.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use tokio::net::unix::SocketAddr;
use tokio::net::{UnixDatagram, UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::connection::{Api, Connection};

use super::listener::{ClientAddress, EXHAUSTED_TIME};
use super::owner::Outgoing;
use super::{MESSAGE_LIMIT, Transport};
use crate::Carrier;

/// Clients that wait to be accepted.
const BACKLOG: i32 = 128;
/// Clients of one socket at the same time. They are processes of this machine.
const CLIENT_LIMIT: usize = 1024;
/// Bytes asked for as the send buffer, which bounds a packet; the kernel gives at most `net.core.wmem_max`.
const SEND_BUFFER: usize = 4 * 1024 * 1024;
/// How long a client may take to accept one packet.
const SEND_TIME: Duration = Duration::from_secs(10);
/// How long to wait before a datagram is sent again to a client whose queue was full: nothing tells when it has room.
const RETRY_TIME: Duration = Duration::from_millis(5);

/// How packets are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketSocket {
    /// `SOCK_SEQPACKET`: clients connect, and their sessions end with the connection.
    SeqPacket,
    /// `SOCK_DGRAM`: a client is the address it sends from, and its sessions end by their timeout.
    Datagram,
}

/// A Unix socket that is bound and not yet served. Its file goes with it.
#[derive(Debug)]
pub struct UnixSocket {
    socket: Bound,
    _file: SocketFile,
}

/// Neither std nor tokio knows packets in sequence. Their sockets are file descriptors, though, to which the kernel knows the
/// kind: what is accepted like a stream is read and written like datagrams.
#[derive(Debug)]
enum Bound {
    SeqPacket(UnixListener),
    Datagram(Arc<UnixDatagram>),
}

/// Removed when dropped.
#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl UnixSocket {
    /// Binds a socket to `path`. One that a dead process has left there is replaced.
    ///
    /// # Errors
    /// `AddrInUse` when another process listens there or something else is there; else what the system says.
    pub fn bind(path: &Path, kind: PacketSocket) -> io::Result<Self> {
        let kind_of_socket = match kind {
            PacketSocket::SeqPacket => Type::SEQPACKET,
            PacketSocket::Datagram => Type::DGRAM,
        };
        let address = SockAddr::unix(path)?;
        let open = || Socket::new(Domain::UNIX, kind_of_socket, None);
        let socket = open()?;
        if let Err(error) = socket.bind(&address) {
            let is_left_over = error.kind() == io::ErrorKind::AddrInUse
                && std::fs::symlink_metadata(path)?.file_type().is_socket()
                && open()?.connect(&address).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
            if !is_left_over {
                return Err(error);
            }
            std::fs::remove_file(path)?;
            socket.bind(&address)?;
        }
        let file = SocketFile(path.to_owned());
        socket.set_nonblocking(true)?;
        let socket = match kind {
            PacketSocket::SeqPacket => {
                socket.listen(BACKLOG)?;
                Bound::SeqPacket(UnixListener::from_std(OwnedFd::from(socket).into())?)
            }
            PacketSocket::Datagram => {
                socket.set_send_buffer_size(SEND_BUFFER)?;
                Bound::Datagram(Arc::new(UnixDatagram::from_std(OwnedFd::from(socket).into())?))
            }
        };
        Ok(Self { socket, _file: file })
    }
}

impl Transport {
    /// Serves an API on a Unix socket until `stopped` ends.
    pub async fn serve_unix(&self, socket: UnixSocket, api: Api, stopped: impl Future<Output = ()>) {
        match &socket.socket {
            Bound::SeqPacket(socket) => accept(self, socket, api, stopped).await,
            Bound::Datagram(socket) => Datagrams::new(self, socket, api).serve(stopped).await,
        }
    }
}

async fn accept(transport: &Transport, listener: &UnixListener, api: Api, stopped: impl Future<Output = ()>) {
    let mut clients = JoinSet::new();
    let mut stopped = pin!(stopped);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted.and_then(prepared) {
                // More are closed as they come.
                Ok(_) if clients.len() >= CLIENT_LIMIT => {
                    transport.shared.tallies.surplus_connections.fetch_add(1, Ordering::Relaxed);
                }
                Ok(client) => {
                    let transport = transport.clone();
                    clients.spawn(async move { serve(&transport, api, client).await });
                }
                Err(error) => {
                    tracing::error!(%error, "no client of a Unix socket can be accepted");
                    tokio::time::sleep(EXHAUSTED_TIME).await;
                }
            },
            Some(_) = clients.join_next() => {}
            () = &mut stopped => break,
        }
    }
    // The stop of the core has ended their queues.
    while clients.join_next().await.is_some() {}
}

fn prepared((stream, _): (UnixStream, SocketAddr)) -> io::Result<UnixDatagram> {
    SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER)?;
    UnixDatagram::from_std(OwnedFd::from(stream.into_std()?).into())
}

async fn serve(transport: &Transport, api: Api, socket: UnixDatagram) {
    // Held to the end, so that a stop waits for the last packet.
    let _stopping = transport.stopping();
    let (connection, outgoing) = Connection::open(transport, api, Carrier::Unix, ClientAddress::default()).await;
    let clients = &transport.shared.tallies.unix_clients;
    clients.fetch_add(1, Ordering::Relaxed);
    if let Err(error) = converse(transport, &connection, outgoing, &socket).await {
        tracing::debug!(%error, "a client of a Unix socket is let go");
    }
    clients.fetch_sub(1, Ordering::Relaxed);
    connection.close().await;
}

/// Carries packets until either side ends it; as for a WebSocket, what is to be sent goes first, and nothing is read while
/// earlier documents wait for the core.
async fn converse(
    transport: &Transport,
    connection: &Connection,
    mut outgoing: mpsc::Receiver<Outgoing>,
    socket: &UnixDatagram,
) -> io::Result<()> {
    let mut incoming = VecDeque::new();
    let mut packet = vec![0; MESSAGE_LIMIT + 1];
    loop {
        tokio::select! {
            biased;
            message = outgoing.recv() => {
                let Some(message) = message else { return Ok(()) };
                let text = message.into_text(transport.style(Some(Carrier::Unix)));
                // A packet is sent as a whole or not at all, and one too long for the socket ends the connection: to leave it
                // out would leave the client with a wrong picture.
                let sending = socket.send(text.as_bytes());
                tokio::time::timeout(SEND_TIME, sending).await??;
            }
            place = transport.inbox.reserve(), if !incoming.is_empty() => {
                let (Ok(place), Some(inbound)) = (place, incoming.pop_front()) else { return Ok(()) };
                place.send(inbound);
            }
            length = socket.recv(&mut packet), if incoming.is_empty() => {
                match length? {
                    0 => return Ok(()),
                    length => incoming = connection.read(whole(&packet[..length])),
                }
            }
        }
    }
}

/// What the kernel has cut off is no message, whatever is left of it.
fn whole(packet: &[u8]) -> &[u8] {
    if packet.len() > MESSAGE_LIMIT { &[] } else { packet }
}

/// The clients of a datagram socket.
struct Datagrams<'a> {
    transport: &'a Transport,
    socket: &'a Arc<UnixDatagram>,
    api: Api,
    /// By their address.
    clients: HashMap<Vec<u8>, Client>,
    /// Send what is for each of them; end with the client's number.
    senders: JoinSet<u64>,
    /// Clients and packets so far.
    count: u64,
}

struct Client {
    connection: Connection,
    number: u64,
    /// The last packet of it.
    heard: u64,
}

impl<'a> Datagrams<'a> {
    fn new(transport: &'a Transport, socket: &'a Arc<UnixDatagram>, api: Api) -> Self {
        Self { transport, socket, api, clients: HashMap::new(), senders: JoinSet::new(), count: 0 }
    }

    async fn serve(mut self, stopped: impl Future<Output = ()>) {
        let mut packet = vec![0; MESSAGE_LIMIT + 1];
        let mut stopped = pin!(stopped);
        let socket = self.socket;
        loop {
            tokio::select! {
                received = socket.recv_from(&mut packet) => match received {
                    Ok((length, from)) => self.take(whole(&packet[..length]), &from).await,
                    Err(error) => tracing::debug!(%error, "a datagram is lost"),
                },
                Some(ended) = self.senders.join_next() => {
                    if let Ok(number) = ended {
                        self.let_go(number).await;
                    }
                }
                () = &mut stopped => break,
            }
        }
        while self.senders.join_next().await.is_some() {}
    }

    async fn take(&mut self, packet: &[u8], from: &SocketAddr) {
        // Nobody could be answered.
        let Some(address) = bytes(from) else { return self.transport.count_refusal() };
        self.count += 1;
        if !self.clients.contains_key(&address) {
            self.meet(address.clone()).await;
        }
        let Some(client) = self.clients.get_mut(&address) else { return };
        client.heard = self.count;
        for inbound in client.connection.read(packet) {
            let _ = self.transport.inbox.send(inbound).await;
        }
    }

    /// A client's first packet. When there are too many, the one that has been silent longest goes for it.
    async fn meet(&mut self, address: Vec<u8>) {
        if self.clients.len() >= CLIENT_LIMIT {
            let silent = self.clients.values().min_by_key(|client| client.heard).map(|client| client.number);
            if let Some(number) = silent {
                self.transport.shared.tallies.surplus_connections.fetch_add(1, Ordering::Relaxed);
                self.let_go(number).await;
            }
        }
        let (connection, outgoing) =
            Connection::open(self.transport, self.api, Carrier::Unix, ClientAddress::default()).await;
        let number = self.count;
        self.transport.shared.tallies.unix_clients.fetch_add(1, Ordering::Relaxed);
        let to = address.clone();
        self.clients.insert(address, Client { connection, number, heard: number });
        let (transport, socket) = (self.transport.clone(), Arc::clone(self.socket));
        self.senders.spawn(async move {
            send_all(&transport, outgoing, &socket, &to).await;
            number
        });
    }

    async fn let_go(&mut self, number: u64) {
        let address =
            self.clients.iter().find(|(_, client)| client.number == number).map(|(address, _)| address.clone());
        if let Some(client) = address.and_then(|address| self.clients.remove(&address)) {
            self.transport.shared.tallies.unix_clients.fetch_sub(1, Ordering::Relaxed);
            client.connection.close().await;
        }
    }
}

/// Sends what is for one client, until its queue ends or it takes too long. A client that is away just now misses what is sent:
/// it may come back to the same address.
async fn send_all(transport: &Transport, mut outgoing: mpsc::Receiver<Outgoing>, socket: &UnixDatagram, to: &[u8]) {
    // Held to the end, so that a stop waits for the last packet.
    let _stopping = transport.stopping();
    let Ok(to) = SockAddr::unix(OsStr::from_bytes(to)) else { return };
    while let Some(message) = outgoing.recv().await {
        let text = message.into_text(transport.style(Some(Carrier::Unix)));
        let sending = async {
            while let Err(error) = SockRef::from(socket).send_to(text.as_bytes(), &to) {
                if error.kind() != io::ErrorKind::WouldBlock {
                    return tracing::debug!(%error, "a datagram could not be sent");
                }
                tokio::time::sleep(RETRY_TIME).await;
            }
        };
        if tokio::time::timeout(SEND_TIME, sending).await.is_err() {
            return;
        }
    }
}

/// An address as `sockaddr_un` has it, where an abstract one begins with a zero; `None` for a client that has none.
fn bytes(address: &SocketAddr) -> Option<Vec<u8>> {
    let path = address.as_pathname().map(|path| path.as_os_str().as_bytes().to_vec());
    path.or_else(|| address.as_abstract_name().map(|name| [b"\0", name].concat()))
}
