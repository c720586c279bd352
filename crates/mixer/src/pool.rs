//! The shell of the mixer: one OS thread per worker, absolute deadlines, bounded queues. All that is decided is
//! decided in `worker.rs`.

mod load;
mod shell;
mod transit;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, unbounded};

use crate::command::{AudioPacket, Command, MemberSlot, Output, RoomKey};
use crate::counters::Counters;
use crate::crew::Crew;
use crate::times::Times;
use crate::worker::{MovedRoom, Worker, WorkerConfig};

use self::load::Load;
use self::shell::Shell;

/// How many workers, and how they are set.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// Threads.
    pub workers: usize,
    /// Packets that wait for the next tick at most, per worker; more are dropped, the newest first. A tick of 3,000
    /// members brings 3,000; the default leaves room for a stall of five ticks.
    pub packet_queue: usize,
    /// Of each worker.
    pub worker: WorkerConfig,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self { workers: 1, packet_queue: 16_384, worker: WorkerConfig::default() }
    }
}

/// Starts workers; see [`Pool::spawn`].
#[derive(Debug)]
pub struct Pool;

impl Pool {
    /// Starts the threads, and as many again that sleep until a big room needs more than one. `sink_for` makes for
    /// each worker, by its number, what takes its outputs: it is called once per tick, and when the last room has gone, on
    /// the worker's thread, and must not wait.
    pub fn spawn<O, S>(
        config: &PoolConfig,
        epoch: Instant,
        sink_for: impl Fn(usize) -> S,
    ) -> io::Result<Vec<WorkerHandle<O>>>
    where
        O: Copy + Send + 'static,
        S: FnMut(&mut dyn Iterator<Item = Output<O>>, &Counters, &Times) + Send + 'static,
    {
        let crew = Crew::new(config.workers)?;
        let worker = || Worker::new(config.worker.clone(), epoch).with_crew(crew.clone());
        (0..config.workers).map(|number| spawn(number, config, worker(), sink_for(number))).collect()
    }
}

fn spawn<O, S>(number: usize, config: &PoolConfig, worker: Worker<O>, sink: S) -> io::Result<WorkerHandle<O>>
where
    O: Copy + Send + 'static,
    S: FnMut(&mut dyn Iterator<Item = Output<O>>, &Counters, &Times) + Send + 'static,
{
    let (messages, inbox) = unbounded();
    let (packets, packet_inbox) = PacketQueue::new(config.packet_queue);
    let load = Arc::new(Load::default());
    let mut shell = Shell::new(worker, inbox, packet_inbox, packets.clone(), Arc::clone(&load), sink);
    let thread = std::thread::Builder::new().name(format!("mix-{number}")).spawn(move || shell.run())?;
    Ok(WorkerHandle { messages, packets, load, thread: Arc::new(Mutex::new(Some(thread))) })
}

/// The way to one worker.
#[derive(Debug)]
pub struct WorkerHandle<O> {
    messages: Sender<Message<O>>,
    packets: PacketQueue,
    load: Arc<Load>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl<O> Clone for WorkerHandle<O> {
    fn clone(&self) -> Self {
        Self {
            messages: self.messages.clone(),
            packets: self.packets.clone(),
            load: Arc::clone(&self.load),
            thread: Arc::clone(&self.thread),
        }
    }
}

impl<O> WorkerHandle<O> {
    /// Tells the worker something. Never waits, never drops: commands come from API requests, whose rate is bounded
    /// where they come in, and a lost one would leave a member in a room for good.
    pub fn command(&self, command: Command<O>) {
        // Fails only after `stop`, when nobody is left to be told.
        let _ = self.messages.send(Message::Command(command));
    }

    /// Hands over a packet; `false` if the queue is full and it was dropped (and counted). Never waits and does not
    /// wake the worker: it looks at its next tick.
    pub fn packet(&self, member: MemberSlot, packet: AudioPacket) -> bool {
        self.packets.push(member, packet)
    }

    /// Moves a room to another worker, where its members (old slot, new slot) have new slots; who is not among them
    /// leaves. From now on, commands for the room and its members go to the other worker, and so may packets: what
    /// comes there before the room waits for it, and for a second the old worker passes on what still comes to it.
    /// To the same worker there is nothing to move.
    pub fn move_room(&self, room: RoomKey, to: &Self, slots: Vec<(MemberSlot, MemberSlot)>) {
        if self.messages.same_channel(&to.messages) {
            return;
        }
        // First there, so that nothing for the room can come before this.
        let expect = Message::Expect { room, members: slots.iter().map(|&(_, new)| new).collect() };
        let _ = to.messages.send(expect);
        let release = Message::Release(Departure { room, to: to.clone(), slots });
        if self.messages.send(release).is_err() {
            let _ = to.messages.send(Message::Arrive { room, moved: None, slots: Vec::new() });
        }
    }

    /// Which part of the last second the worker spent in ticks, in thousandths.
    pub fn load(&self) -> u32 {
        self.load.permille()
    }

    /// Packets that wait for the worker's next tick.
    pub fn waiting_packets(&self) -> usize {
        self.packets.packets.len()
    }

    /// Commands that wait for the worker.
    pub fn waiting_commands(&self) -> usize {
        self.messages.len()
    }

    /// The worker's ticks have come late for seconds, and it asks that nobody new be let into its rooms. Comes and goes
    /// by itself.
    pub fn is_overloaded(&self) -> bool {
        self.load.is_overloaded()
    }

    /// Has the thread begin a turn, unless it is stuck or gone: see [`turns`](Self::turns).
    pub fn nudge(&self) {
        let _ = self.messages.send(Message::Nudge);
    }

    /// How many turns the thread has begun.
    pub fn turns(&self) -> u64 {
        self.load.turns()
    }

    /// Ends the thread and waits until it is gone. Later calls do nothing.
    pub fn stop(&self) {
        let _ = self.messages.send(Message::Stop);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("a mix thread ended by a panic");
        }
    }
}

/// What a worker's thread is told.
#[derive(Debug)]
enum Message<O> {
    Command(Command<O>),
    /// A room is on its way here with these members.
    Expect {
        room: RoomKey,
        members: Vec<MemberSlot>,
    },
    /// Give a room away.
    Release(Departure<O>),
    /// A room that was expected; `None` if there was none any more.
    Arrive {
        room: RoomKey,
        moved: Option<Box<MovedRoom<O>>>,
        slots: Vec<(MemberSlot, MemberSlot)>,
    },
    /// Nothing: who sends it looks whether the thread turns.
    Nudge,
    Stop,
}

#[derive(Debug)]
struct Departure<O> {
    room: RoomKey,
    to: WorkerHandle<O>,
    /// Old, new.
    slots: Vec<(MemberSlot, MemberSlot)>,
}

/// The way of packets to one worker.
#[derive(Clone, Debug)]
struct PacketQueue {
    packets: Sender<(MemberSlot, AudioPacket)>,
    dropped: Arc<AtomicU64>,
}

impl PacketQueue {
    fn new(capacity: usize) -> (Self, Receiver<(MemberSlot, AudioPacket)>) {
        let (packets, inbox) = bounded(capacity);
        (Self { packets, dropped: Arc::default() }, inbox)
    }

    fn push(&self, member: MemberSlot, packet: AudioPacket) -> bool {
        match self.packets.try_send((member, packet)) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }
}
