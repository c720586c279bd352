//! Shell: one thread that carries many participants: reads the clock, sends their datagrams, opens their connections.
//! What it knows of audio and of Janus is only whom to hand it to.

#![expect(clippy::disallowed_methods, reason = "shell: the thread that reads the clock for its participants")]

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use crate::connection::Connector;
use crate::dialogue::Request;
use crate::dtls::Identity;
use crate::notice::Notice;
use crate::pacing::{PHASES, Pacer, Phase, Slot};
use crate::participant::{Character, Participant, ParticipantOutput, Presence};
use crate::sockets::{self, LARGEST_DATAGRAM, Sockets};
use crate::tally::{Counts, Outcome, Timings};
use crate::tone::Tone;

/// Inputs taken between two looks at the grid: a flood of messages must not delay what is due.
const INPUTS_PER_TURN: usize = 64;
/// Packets read at once for a light participant. One is due; after a stall there are more.
const READS_PER_FRAME: usize = 16;
/// A participant that left and hears nothing of the server's consent is forgotten after this.
const FAREWELL: Duration = Duration::from_secs(5);

/// Who a participant is, within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seat(pub u32);

/// Whose a participant is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stay {
    /// There from beginning to end, and measured.
    Throughout,
    /// Leaves so long after it came in.
    Guest(Duration),
}

/// What a driver takes in.
pub enum DriverInput {
    /// A participant begins to join.
    Join {
        /// Who.
        seat: Seat,
        /// Room by its number in the run, for onsets.
        room: u32,
        /// What it is.
        character: Box<Character>,
        /// For how long.
        stay: Stay,
    },
    /// Everybody leaves.
    LeaveAll,
    /// A message of the server.
    Notice {
        /// For whom.
        seat: Seat,
        /// What.
        notice: Notice,
    },
    /// A connection is gone.
    Disconnected {
        /// Whose.
        seat: Seat,
        /// Why.
        reason: String,
    },
    /// A datagram came.
    Datagram {
        /// For whom.
        seat: Seat,
        /// What.
        datagram: Box<[u8]>,
        /// When.
        arrival: Instant,
    },
    /// Asks how things stand.
    Sample(Sender<Sample>),
    /// Measurement starts here.
    Mark,
    /// Measurement ends here.
    Collect(Sender<Collection>),
    /// The thread ends.
    Stop,
}

/// How things stand, and what was timed since the last one.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Counters.
    pub counts: Counts,
    /// Times.
    pub timings: Timings,
}

/// Results of a stretch of measurement.
#[derive(Clone, Debug, Default)]
pub struct Collection {
    /// Of those who are there throughout.
    pub outcomes: Vec<Outcome>,
    /// Why participants failed, and how many.
    pub failures: BTreeMap<String, u64>,
    /// Addresses the server receives media on.
    pub media_addresses: BTreeSet<SocketAddr>,
}

/// When each tone of each room was last set in by its speaker: shared by the drivers, since those who hear it may be
/// another's. Nanoseconds since the epoch; 0 is never.
#[derive(Clone)]
pub struct OnsetBoard {
    epoch: Instant,
    sent: Arc<[AtomicU64]>,
}

impl OnsetBoard {
    /// For so many rooms.
    pub fn new(rooms: u32, epoch: Instant) -> Self {
        let places = rooms as usize * usize::from(Tone::COUNT);
        Self { epoch, sent: (0..places).map(|_| AtomicU64::new(0)).collect() }
    }

    fn note(&self, room: u32, tone: Tone, now: Instant) {
        if let Some(place) = self.place(room, tone) {
            place.store(now.saturating_duration_since(self.epoch).as_nanos() as u64, Ordering::Relaxed);
        }
    }

    fn latency(&self, room: u32, tone: Tone, heard_at: Instant) -> Option<Duration> {
        let sent = self.place(room, tone)?.load(Ordering::Relaxed);
        let heard = heard_at.checked_duration_since(self.epoch)?;
        (sent > 0).then(|| heard.checked_sub(Duration::from_nanos(sent))).flatten()
    }

    fn place(&self, room: u32, tone: Tone) -> Option<&AtomicU64> {
        self.sent.get(room as usize * usize::from(Tone::COUNT) + usize::from(tone.0))
    }
}

/// What a driver needs from the run.
#[derive(Clone)]
pub struct DriverConfig {
    /// Opens connections.
    pub connector: Connector,
    /// Waits for datagrams.
    pub sockets: Sockets,
    /// Certificate of all peers.
    pub identity: Identity,
    /// When tones set in.
    pub onsets: OnsetBoard,
    /// Anchor of the grid.
    pub epoch: Instant,
}

/// A running driver.
pub struct Driver {
    inbox: Sender<DriverInput>,
    thread: JoinHandle<()>,
}

impl Driver {
    /// Starts the thread.
    pub fn spawn(number: usize, config: DriverConfig) -> io::Result<Self> {
        let (inbox, inputs) = channel();
        let own = inbox.clone();
        let thread = thread::Builder::new().name(format!("driver-{number}")).spawn(move || {
            Carrier::new(config, own).run(&inputs);
        })?;
        Ok(Self { inbox, thread })
    }

    /// Hands it something.
    pub fn send(&self, input: DriverInput) {
        // It only ends when told to.
        let _ = self.inbox.send(input);
    }

    /// Ends it.
    pub fn stop(self) {
        self.send(DriverInput::Stop);
        let _ = self.thread.join();
    }
}

struct Entry {
    participant: Participant,
    room: u32,
    stay: Stay,
    requests: Option<UnboundedSender<Request>>,
    socket: Option<Arc<UdpSocket>>,
    watched: bool,
    leave_at: Option<Instant>,
    forget_at: Option<Instant>,
    marked: Marked,
}

#[derive(Clone, Copy, Default)]
struct Marked {
    received: u64,
    lost: u64,
    late: u64,
    sent: u64,
    present: bool,
}

/// By seat: a look-up per packet must be no search. Another driver's seats are empty here.
#[derive(Default)]
struct Entries(Vec<Option<Box<Entry>>>);

impl Entries {
    fn insert(&mut self, seat: Seat, entry: Entry) {
        let place = seat.0 as usize;
        if self.0.len() <= place {
            self.0.resize_with(place + 1, || None);
        }
        self.0[place] = Some(Box::new(entry));
    }

    fn remove(&mut self, seat: Seat) {
        if let Some(place) = self.0.get_mut(seat.0 as usize) {
            *place = None;
        }
    }

    fn get_mut(&mut self, seat: Seat) -> Option<&mut Entry> {
        self.0.get_mut(seat.0 as usize)?.as_deref_mut()
    }

    fn contains(&self, seat: Seat) -> bool {
        self.0.get(seat.0 as usize).is_some_and(Option::is_some)
    }

    fn seats(&self) -> impl Iterator<Item = Seat> + use<> {
        (0..self.0.len() as u32).map(Seat)
    }

    fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter().flatten().map(AsRef::as_ref)
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.0.iter_mut().flatten().map(AsMut::as_mut)
    }
}

struct Carrier {
    config: DriverConfig,
    own: Sender<DriverInput>,
    pacer: Pacer,
    entries: Entries,
    phases: [Vec<Seat>; PHASES as usize],
    connecting: Vec<Seat>,
    timings: Timings,
    counts: Counts,
    collection: Collection,
    marked_at: Instant,
}

impl Carrier {
    fn new(config: DriverConfig, own: Sender<DriverInput>) -> Self {
        let now = Instant::now();
        Self {
            pacer: Pacer::new(config.epoch, now),
            config,
            own,
            entries: Entries::default(),
            phases: std::array::from_fn(|_| Vec::new()),
            connecting: Vec::new(),
            timings: Timings::default(),
            counts: Counts::default(),
            collection: Collection::default(),
            marked_at: now,
        }
    }

    fn run(mut self, inputs: &Receiver<DriverInput>) {
        loop {
            let wait = self.pacer.due().saturating_duration_since(Instant::now());
            let mut next = match inputs.recv_timeout(wait) {
                Ok(input) => Some(input),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            for _ in 0..INPUTS_PER_TURN {
                match next {
                    None => break,
                    Some(DriverInput::Stop) => return,
                    Some(input) => self.handle(input),
                }
                next = inputs.try_recv().ok();
            }
            if let Some(input) = next {
                if matches!(input, DriverInput::Stop) {
                    return;
                }
                self.handle(input);
            }
            while let Some(slot) = self.pacer.poll_slot(Instant::now()) {
                self.serve(slot);
            }
        }
    }

    fn handle(&mut self, input: DriverInput) {
        match input {
            DriverInput::Join { seat, room, character, stay } => self.join(seat, room, *character, stay),
            DriverInput::LeaveAll => {
                for seat in self.entries.seats() {
                    self.leave(seat);
                }
            }
            DriverInput::Notice { seat, notice } => {
                self.with(seat, |participant| participant.handle_notice(notice, Instant::now()));
            }
            DriverInput::Disconnected { seat, reason } => {
                self.with(seat, |participant| participant.handle_disconnect(&reason));
            }
            DriverInput::Datagram { seat, datagram, arrival } => self.receive(seat, &datagram, arrival),
            DriverInput::Sample(reply) => {
                let _ = reply.send(self.sample());
            }
            DriverInput::Mark => self.mark(),
            DriverInput::Collect(reply) => {
                let _ = reply.send(self.collect());
            }
            DriverInput::Stop => {}
        }
    }

    fn join(&mut self, seat: Seat, room: u32, character: Character, stay: Stay) {
        let requests = self.config.connector.open(seat, self.own.clone());
        let participant = Participant::new(character, self.config.identity.clone(), Instant::now());
        let entry = Entry {
            participant,
            room,
            stay,
            requests: Some(requests),
            socket: None,
            watched: false,
            leave_at: None,
            forget_at: None,
            marked: Marked::default(),
        };
        self.entries.insert(seat, entry);
        self.phases[Phase::of(seat.0).slot()].push(seat);
        self.connecting.push(seat);
        self.flush(seat);
    }

    fn leave(&mut self, seat: Seat) {
        if let Some(entry) = self.entries.get_mut(seat) {
            entry.leave_at = None;
            entry.forget_at.get_or_insert(Instant::now() + FAREWELL);
            entry.participant.leave(Instant::now());
        }
        self.flush(seat);
    }

    fn with(&mut self, seat: Seat, act: impl FnOnce(&mut Participant)) {
        if let Some(entry) = self.entries.get_mut(seat) {
            act(&mut entry.participant);
            self.flush(seat);
        }
    }

    fn receive(&mut self, seat: Seat, datagram: &[u8], arrival: Instant) {
        let Some(entry) = self.entries.get_mut(seat) else {
            return;
        };
        let interval = entry.participant.handle_datagram(datagram, arrival);
        if let (Some(interval), true) = (interval, entry.participant.is_full()) {
            self.timings.interval.record(interval);
        }
        self.flush(seat);
    }

    /// One millisecond of the grid: those whose phase it is send and, if light, receive.
    fn serve(&mut self, slot: Slot) {
        self.timings.lateness.record(Instant::now().saturating_duration_since(slot.due));
        let seats = std::mem::take(&mut self.phases[slot.phase]);
        let mut gone = false;
        for seat in &seats {
            let now = Instant::now();
            let Some(entry) = self.entries.get_mut(*seat) else {
                gone = true;
                continue;
            };
            if entry.leave_at.is_some_and(|at| at <= now) {
                self.leave(*seat);
                continue;
            }
            if entry.forget_at.is_some_and(|at| at <= now) {
                self.forget(*seat);
                gone = true;
                continue;
            }
            self.read_light(*seat, now);
            self.with(*seat, |participant| participant.handle_frame(slot.frame, now));
        }
        self.phases[slot.phase] = seats;
        if gone {
            self.phases[slot.phase].retain(|seat| self.entries.contains(*seat));
        }
        self.serve_connecting();
    }

    /// Handshakes have timers finer than 20 ms.
    fn serve_connecting(&mut self) {
        let now = Instant::now();
        for seat in std::mem::take(&mut self.connecting) {
            self.with(seat, |participant| participant.handle_timeout(now));
            let unfinished = self.entries.get_mut(seat).is_some_and(|entry| {
                entry.participant.presence() == Presence::Joining && !entry.participant.is_connected()
            });
            if unfinished {
                self.connecting.push(seat);
            }
        }
    }

    fn read_light(&mut self, seat: Seat, now: Instant) {
        let Some(entry) = self.entries.get_mut(seat) else {
            return;
        };
        let Some(socket) = entry.socket.clone() else {
            return;
        };
        if entry.watched {
            if entry.participant.is_full() || !entry.participant.is_connected() {
                return;
            }
            entry.watched = false;
            self.config.sockets.forget(seat);
        }
        let mut buffer = [0u8; LARGEST_DATAGRAM];
        for _ in 0..READS_PER_FRAME {
            let Ok(length) = socket.recv(&mut buffer) else {
                return;
            };
            self.receive(seat, &buffer[..length], now);
        }
    }

    /// Does what a participant wants done.
    fn flush(&mut self, seat: Seat) {
        while let Some(entry) = self.entries.get_mut(seat) {
            let Some(output) = entry.participant.poll_output() else {
                return;
            };
            match output {
                ParticipantOutput::Request(request) => {
                    if let Some(requests) = &entry.requests {
                        let _ = requests.send(request);
                    }
                }
                ParticipantOutput::Bind(remote) => self.bind(seat, remote),
                ParticipantOutput::Transmit(datagram) => {
                    let sent = entry.socket.as_ref().is_some_and(|socket| socket.send(&datagram).is_ok());
                    self.counts.unsent += u64::from(!sent);
                }
                ParticipantOutput::OnsetSent(tone) => self.config.onsets.note(entry.room, tone, Instant::now()),
                ParticipantOutput::OnsetHeard(onset) => {
                    if let Some(latency) = self.config.onsets.latency(entry.room, onset.tone, onset.heard_at) {
                        self.timings.latency.record(latency);
                    }
                }
                ParticipantOutput::Joined(times) => {
                    self.counts.joined += 1;
                    self.timings.answered.record(times.answered);
                    self.timings.connected.record(times.connected);
                    self.timings.audible.record(times.audible);
                    entry.leave_at = match entry.stay {
                        Stay::Throughout => None,
                        Stay::Guest(stay) => Some(Instant::now() + stay),
                    };
                }
                ParticipantOutput::Gone(reason) => self.gone(seat, reason),
            }
        }
    }

    fn bind(&mut self, seat: Seat, remote: SocketAddr) {
        self.collection.media_addresses.insert(remote);
        let bound = sockets::bind(remote).and_then(|socket| Ok((socket.local_addr()?, Arc::new(socket))));
        let Some(entry) = self.entries.get_mut(seat) else {
            return;
        };
        match bound {
            Ok((local, socket)) => {
                self.config.sockets.watch(seat, socket.clone(), self.own.clone());
                entry.watched = true;
                entry.socket = Some(socket);
                entry.participant.handle_bound(local, Instant::now());
            }
            Err(error) => entry.participant.handle_disconnect(&format!("no socket towards {remote}: {error}")),
        }
    }

    fn gone(&mut self, seat: Seat, reason: Option<String>) {
        let Some(entry) = self.entries.get_mut(seat) else {
            return;
        };
        let on_its_way_out = entry.forget_at.is_some();
        if let (Some(reason), false) = (reason, on_its_way_out) {
            self.counts.failed += 1;
            *self.collection.failures.entry(reason).or_default() += 1;
        }
        if entry.stay == Stay::Throughout && !on_its_way_out {
            // It stays in the books, so that those who vanish are not missing from the result.
            entry.requests = None;
            entry.socket = None;
            self.config.sockets.forget(seat);
        } else {
            self.forget(seat);
        }
    }

    fn forget(&mut self, seat: Seat) {
        self.config.sockets.forget(seat);
        self.entries.remove(seat);
    }

    fn sample(&mut self) -> Sample {
        let mut counts = Counts { joining: 0, present: 0, received: 0, sent: 0, ..self.counts };
        for entry in self.entries.iter() {
            match entry.participant.presence() {
                Presence::Joining => counts.joining += 1,
                Presence::Present => counts.present += 1,
                Presence::Gone => {}
            }
            counts.received += entry.participant.sequence().received();
            counts.sent += entry.participant.sent();
        }
        counts.skipped = self.pacer.skipped();
        Sample { counts, timings: std::mem::take(&mut self.timings) }
    }

    fn mark(&mut self) {
        self.marked_at = Instant::now();
        for entry in self.entries.iter_mut() {
            let sequence = entry.participant.sequence();
            entry.marked = Marked {
                received: sequence.received(),
                lost: sequence.lost(),
                late: sequence.late(),
                sent: entry.participant.sent(),
                present: entry.participant.presence() == Presence::Present,
            };
            entry.participant.take_hearing();
        }
    }

    fn collect(&mut self) -> Collection {
        let time = self.marked_at.elapsed();
        let measured = |entry: &&mut Entry| entry.stay == Stay::Throughout && entry.marked.present;
        self.collection.outcomes = self
            .entries
            .iter_mut()
            .filter(measured)
            .map(|entry| {
                let hearing = entry.participant.take_hearing();
                let sequence = entry.participant.sequence();
                Outcome {
                    time,
                    received: sequence.received() - entry.marked.received,
                    lost: sequence.lost().saturating_sub(entry.marked.lost),
                    late: sequence.late() - entry.marked.late,
                    sent: entry.participant.sent() - entry.marked.sent,
                    hearing,
                    present: entry.participant.presence() == Presence::Present,
                }
            })
            .collect();
        self.collection.clone()
    }
}
