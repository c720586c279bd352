//! The shell of the mixer: one OS thread per worker, absolute deadlines, bounded queues. All that is decided is
//! decided in `worker.rs`.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use crate::command::{AudioPacket, Command, MemberSlot, Output};
use crate::counters::Counters;
use crate::crew::Crew;
use crate::worker::{Worker, WorkerConfig};

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
    /// Starts the threads, and as many again that sleep until a big room needs more than one. `sink_for` makes for each worker, by its number, what takes its outputs: it is called once
    /// per tick, on the worker's thread, and must not wait.
    pub fn spawn<O, S>(
        config: &PoolConfig,
        epoch: Instant,
        sink_for: impl Fn(usize) -> S,
    ) -> io::Result<Vec<WorkerHandle<O>>>
    where
        O: Copy + Send + 'static,
        S: FnMut(&mut dyn Iterator<Item = Output<O>>, &Counters) + Send + 'static,
    {
        let crew = Crew::new(config.workers)?;
        let worker = || Worker::new(config.worker.clone(), epoch).with_crew(crew.clone());
        (0..config.workers).map(|number| spawn(number, config, worker(), sink_for(number))).collect()
    }
}

/// The way to one worker.
#[derive(Debug)]
pub struct WorkerHandle<O> {
    messages: Sender<Message<O>>,
    packets: Sender<(MemberSlot, AudioPacket)>,
    dropped: Arc<AtomicU64>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl<O> Clone for WorkerHandle<O> {
    fn clone(&self) -> Self {
        Self {
            messages: self.messages.clone(),
            packets: self.packets.clone(),
            dropped: Arc::clone(&self.dropped),
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
        let taken = self.packets.try_send((member, packet)).is_ok();
        if !taken {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        taken
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

enum Message<O> {
    Command(Command<O>),
    Stop,
}

fn spawn<O, S>(number: usize, config: &PoolConfig, worker: Worker<O>, sink: S) -> io::Result<WorkerHandle<O>>
where
    O: Copy + Send + 'static,
    S: FnMut(&mut dyn Iterator<Item = Output<O>>, &Counters) + Send + 'static,
{
    let (messages, inbox) = unbounded();
    let (packets, packet_inbox) = bounded(config.packet_queue);
    let dropped = Arc::new(AtomicU64::new(0));
    let mut shell = Shell { worker, messages: inbox, packets: packet_inbox, dropped: Arc::clone(&dropped), sink };
    let thread = std::thread::Builder::new().name(format!("mix-{number}")).spawn(move || shell.run())?;
    Ok(WorkerHandle { messages, packets, dropped, thread: Arc::new(Mutex::new(Some(thread))) })
}

struct Shell<O, S> {
    worker: Worker<O>,
    messages: Receiver<Message<O>>,
    packets: Receiver<(MemberSlot, AudioPacket)>,
    dropped: Arc<AtomicU64>,
    sink: S,
}

impl<O, S> Shell<O, S>
where
    O: Copy + Send,
    S: FnMut(&mut dyn Iterator<Item = Output<O>>, &Counters),
{
    /// Until it is told to stop, or nobody holds a handle any more.
    fn run(&mut self) {
        loop {
            let message = match self.worker.poll_timeout() {
                // Without rooms there is nothing to wake up for.
                None => self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(deadline) => self.messages.recv_deadline(deadline),
            };
            match message {
                Ok(Message::Command(command)) => {
                    let now = now();
                    self.worker.handle_command(command, now);
                    // However many commands there are, the tick comes in time.
                    if self.worker.poll_timeout().is_some_and(|deadline| deadline <= now) {
                        self.tick();
                    }
                }
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => self.tick(),
            }
        }
    }

    fn tick(&mut self) {
        // No more than were there when the tick began, or a flood would keep it from ever ending.
        for (member, packet) in self.packets.try_iter().take(self.packets.len()) {
            self.worker.handle_packet(member, packet);
        }
        self.worker.count_dropped_in_queue(self.dropped.load(Ordering::Relaxed));
        self.worker.handle_timeout(now());
        let worker = &mut self.worker;
        let counters = *worker.counters();
        (self.sink)(&mut std::iter::from_fn(|| worker.poll_output()), &counters);
    }
}

#[expect(clippy::disallowed_methods, reason = "the shell reads the clock, once per turn")]
fn now() -> Instant {
    Instant::now()
}
