//! Shell: the thread that waits for datagrams, so that their arrival is noted when they arrive and not when the driver
//! has time. It serves full participants, and everybody during the handshake; light ones are read by the driver itself
//! when it sends for them, which spares both sides a wake-up per packet. Knows bytes only.

#![expect(clippy::disallowed_methods, reason = "shell: a thread of its own that notes when datagrams arrive")]

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use crate::driver::{DriverInput, Seat};

const WAKE: Token = Token(usize::MAX);
/// Largest datagram that is not fragmented on the way.
pub const LARGEST_DATAGRAM: usize = 1500;

enum Command {
    Watch { seat: Seat, socket: Arc<UdpSocket>, inbox: Sender<DriverInput> },
    Forget(Seat),
}

/// Gives sockets to the waiting thread. It ends when the last of these is dropped.
#[derive(Clone)]
pub struct Sockets {
    /// `None` only while being dropped.
    commands: Option<Sender<Command>>,
    waker: Arc<Waker>,
}

impl Sockets {
    /// Starts the thread.
    pub fn spawn() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        let (commands, received) = channel();
        thread::Builder::new().name("arrivals".to_owned()).spawn(move || wait(poll, &received))?;
        Ok(Self { commands: Some(commands), waker })
    }

    /// Datagrams of a socket go to this inbox from now on.
    pub fn watch(&self, seat: Seat, socket: Arc<UdpSocket>, inbox: Sender<DriverInput>) {
        self.command(Command::Watch { seat, socket, inbox });
    }

    /// No longer.
    pub fn forget(&self, seat: Seat) {
        self.command(Command::Forget(seat));
    }

    fn command(&self, command: Command) {
        // The thread only ends when no sender is left, or when the kernel refuses to wait: nothing arrives then.
        if let Some(commands) = &self.commands {
            let _ = commands.send(command);
        }
        let _ = self.waker.wake();
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.commands = None;
        let _ = self.waker.wake();
    }
}

/// A socket that talks to one address only, from the local address that leads there.
pub fn bind(remote: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = if remote.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.connect(remote)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn wait(mut poll: Poll, commands: &Receiver<Command>) {
    let mut events = Events::with_capacity(1024);
    let mut watched: HashMap<usize, (Arc<UdpSocket>, Sender<DriverInput>)> = HashMap::new();
    let mut buffer = [0u8; LARGEST_DATAGRAM];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return,
            Ok(()) | Err(_) => {}
        }
        for event in &events {
            let Token(token) = event.token();
            let Some((socket, inbox)) = watched.get(&token) else {
                continue;
            };
            // Edge triggered: until it would block.
            while let Ok(length) = socket.recv(&mut buffer) {
                let arrival = Instant::now();
                let datagram = buffer[..length].into();
                let _ = inbox.send(DriverInput::Datagram { seat: Seat(token as u32), datagram, arrival });
            }
        }
        loop {
            match commands.try_recv() {
                Ok(Command::Watch { seat, socket, inbox }) => {
                    let token = seat.0 as usize;
                    let source = socket.as_raw_fd();
                    if poll.registry().register(&mut SourceFd(&source), Token(token), Interest::READABLE).is_ok() {
                        watched.insert(token, (socket, inbox));
                    }
                }
                Ok(Command::Forget(seat)) => {
                    if let Some((socket, _)) = watched.remove(&(seat.0 as usize)) {
                        let _ = poll.registry().deregister(&mut SourceFd(&socket.as_raw_fd()));
                    }
                }
                Err(std::sync::mpsc::TryRecvError::Empty) => break,
                Err(std::sync::mpsc::TryRecvError::Disconnected) => return,
            }
        }
    }
}
