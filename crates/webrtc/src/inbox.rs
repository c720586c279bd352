//! The queues into a driver's thread, all bounded, and the handle that fills them. Knows how to wake the thread, not
//! what it does.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::acceptor::Arrival;
use crate::command::Command;
use crate::driver::clock;
use crate::load::Load;
use crate::packet::MixedAudio;

/// TCP connections that wait to be taken in: those of a storm of joins.
const CONNECTIONS: usize = 1024;

/// A way to a running driver. When the last one is dropped, the driver ends.
#[derive(Debug)]
pub struct DriverHandle<R> {
    door: Arc<Door<R>>,
}

/// The inner end of the queues.
#[derive(Debug)]
pub(crate) struct Inbox<R> {
    pub(crate) commands: Receiver<Command<R>>,
    pub(crate) audio: Receiver<Mixes>,
    pub(crate) connections: Receiver<Arrival>,
    pub(crate) load: Arc<Load>,
    bell: Arc<Bell>,
}

/// A batch of mixes.
#[derive(Debug)]
pub(crate) struct Mixes {
    pub(crate) given_at: Instant,
    pub(crate) audio: Vec<MixedAudio>,
}

#[derive(Debug)]
struct Door<R> {
    commands: Sender<Command<R>>,
    audio: Sender<Mixes>,
    connections: Sender<Arrival>,
    load: Arc<Load>,
    bell: Arc<Bell>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Wakes the thread, by one system call for all that comes while it is awake.
#[derive(Debug)]
struct Bell {
    waker: mio::Waker,
    rung: AtomicBool,
    stopping: AtomicBool,
    batches_dropped: AtomicU64,
    /// How often the thread has begun a turn.
    turns: AtomicU64,
}

/// The two ends of new queues for so many commands and batches.
pub(crate) fn inbox<R>(waker: mio::Waker, commands: usize, batches: usize) -> (DriverHandle<R>, Inbox<R>) {
    let (command_sender, commands) = bounded(commands);
    let (audio_sender, audio) = bounded(batches);
    let (connection_sender, connections) = bounded(CONNECTIONS);
    let bell = Arc::new(Bell {
        waker,
        rung: AtomicBool::new(false),
        stopping: AtomicBool::new(false),
        batches_dropped: AtomicU64::new(0),
        turns: AtomicU64::new(0),
    });
    let load = Arc::new(Load::default());
    let thread = Mutex::new(None);
    let door = Door {
        commands: command_sender,
        audio: audio_sender,
        connections: connection_sender,
        load: load.clone(),
        bell: bell.clone(),
        thread,
    };
    (DriverHandle { door: Arc::new(door) }, Inbox { commands, audio, connections, load, bell })
}

impl<R> DriverHandle<R> {
    /// Gives a command, and waits while the queue is full. After the driver's end it goes nowhere.
    pub fn command(&self, command: Command<R>) {
        if self.door.commands.send(command).is_ok() {
            self.door.bell.ring();
        }
    }

    /// Gives a batch of mixes and never waits. `false`: the queue was full or the driver has ended, the batch is dropped
    /// (and counted).
    pub fn audio(&self, batch: Vec<MixedAudio>) -> bool {
        match self.door.audio.try_send(Mixes { given_at: clock(), audio: batch }) {
            Ok(()) => {
                self.door.bell.ring();
                true
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.door.bell.batches_dropped.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }

    /// Commands that wait.
    pub fn waiting_commands(&self) -> usize {
        self.door.commands.len()
    }

    /// Batches of mixes that wait.
    pub fn waiting_batches(&self) -> usize {
        self.door.audio.len()
    }

    /// Gives a TCP connection and never waits. `false`: the queue was full or the driver has ended, and the connection is closed.
    pub(crate) fn connect(&self, arrival: Arrival) -> bool {
        let taken = self.door.connections.try_send(arrival).is_ok();
        if taken {
            self.door.bell.ring();
        }
        taken
    }

    /// Which part of the last second the driver was busy, in thousandths.
    pub fn load(&self) -> u32 {
        self.door.load.permille()
    }

    /// Mixes have waited too long for their turn, and nobody new should be let in. Comes and goes by itself.
    pub fn is_overloaded(&self) -> bool {
        self.door.load.is_overloaded()
    }

    /// Has the thread begin a turn, unless it is stuck or gone: see [`turns`](Self::turns).
    pub fn nudge(&self) {
        self.door.bell.ring();
    }

    /// How many turns the thread has begun.
    pub fn turns(&self) -> u64 {
        self.door.bell.turns.load(Ordering::Relaxed)
    }

    /// Ends the driver: its peers are told, its thread is waited for.
    pub fn stop(self) {
        self.door.bell.stop();
        let thread = self.door.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("a driver's thread had panicked");
        }
    }

    pub(crate) fn set_thread(&self, thread: JoinHandle<()>) {
        *self.door.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
    }
}

impl<R> Clone for DriverHandle<R> {
    fn clone(&self) -> Self {
        Self { door: self.door.clone() }
    }
}

impl<R> Inbox<R> {
    /// A turn begins, before the queues are read: whatever is put there from now on rings again.
    pub(crate) fn mute(&self) {
        self.bell.turns.fetch_add(1, Ordering::Relaxed);
        self.bell.rung.store(false, Ordering::SeqCst);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.audio.is_empty() && self.connections.is_empty()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.bell.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn batches_dropped(&self) -> u64 {
        self.bell.batches_dropped.load(Ordering::Relaxed)
    }
}

impl<R> Drop for Door<R> {
    fn drop(&mut self) {
        self.bell.stop();
    }
}

impl Bell {
    fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst)
            && let Err(error) = self.waker.wake()
        {
            tracing::error!(%error, "a driver could not be woken");
        }
    }

    fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.ring();
    }
}
