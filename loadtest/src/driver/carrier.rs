//! Shell: the driver's thread: reads the clock, sends datagrams, opens connections and sockets, and hands everything else
//! to the participants. What it knows of audio and of Janus is only whom to hand it to.

#![expect(clippy::disallowed_methods, reason = "shell: the thread that reads the clock for its participants")]

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::entries::{Entries, Entry, Marked};
use super::{Collection, DriverConfig, DriverInput, Sample, Seat, Stay};
use crate::pacing::{PHASES, Pacer, Phase, Slot};
use crate::participant::{Character, Participant, ParticipantOutput, Presence};
use crate::port::{Batch, Datagram, Line, Port, Ports};
use crate::tally::{Counts, Outcome, Timings};

/// Inputs taken between two looks at the grid: a flood of messages must not delay what is due.
const INPUTS_PER_TURN: usize = 64;
/// Batches read from a socket at once: a flood must not delay what is due.
const BATCHES_PER_READ: usize = 8;
/// A participant that left and hears nothing of the server's consent is forgotten after this.
const FAREWELL: Duration = Duration::from_secs(5);

pub(super) struct Carrier {
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
    ports: Ports,
    batch: Batch,
}

impl Carrier {
    pub(super) fn new(config: DriverConfig, own: Sender<DriverInput>) -> Self {
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
            ports: Ports::default(),
            batch: Batch::default(),
        }
    }

    pub(super) fn run(mut self, inputs: &Receiver<DriverInput>) {
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
            line: None,
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

    fn receive(&mut self, Datagram { seat, bytes, arrival }: Datagram<'_>) {
        let Some(entry) = self.entries.get_mut(seat) else {
            return;
        };
        let interval = entry.participant.handle_datagram(bytes, arrival);
        if let (Some(interval), true) = (interval, entry.participant.is_full()) {
            self.timings.interval.record(interval);
        }
        self.flush(seat);
    }

    /// One millisecond of the grid: what has come is read, and those whose phase it is send.
    fn serve(&mut self, slot: Slot) {
        self.timings.lateness.record(Instant::now().saturating_duration_since(slot.due));
        for port in self.ports.iter().cloned().collect::<Vec<_>>() {
            self.read(&port);
        }
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
                self.entries.remove(*seat);
                gone = true;
                continue;
            }
            self.read_own(*seat);
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
            self.read_own(seat);
            self.with(seat, |participant| participant.handle_timeout(now));
            let unfinished = self.entries.get_mut(seat).is_some_and(|entry| {
                entry.participant.presence() == Presence::Joining && !entry.participant.is_connected()
            });
            if unfinished {
                self.connecting.push(seat);
            }
        }
    }

    fn read_own(&mut self, seat: Seat) {
        let line = self.entries.get_mut(seat).and_then(|entry| entry.line.as_ref());
        if let Some(port) = line.and_then(Line::own_port) {
            self.read(&port);
        }
    }

    fn read(&mut self, port: &Port) {
        let mut batch = std::mem::take(&mut self.batch);
        for _ in 0..BATCHES_PER_READ {
            let more = batch.receive(port);
            for datagram in batch.datagrams() {
                self.receive(datagram);
            }
            if !more {
                break;
            }
        }
        self.batch = batch;
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
                    let sent = entry.line.as_ref().is_some_and(|line| line.send(&datagram).is_ok());
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
        let opened = self.ports.open(seat, remote);
        let Some(entry) = self.entries.get_mut(seat) else {
            return;
        };
        match opened {
            Ok(line) => {
                let local = line.local();
                entry.line = Some(line);
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
            entry.line = None;
        } else {
            self.entries.remove(seat);
        }
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
