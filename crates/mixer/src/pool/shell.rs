//! The thread of one worker: waits for what comes first, a message or the next tick. The one place that reads the
//! clock.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::command::{AudioPacket, Command, MemberSlot, Output, RoomKey};
use crate::counters::Counters;
use crate::times::Times;
use crate::worker::{MovedRoom, Worker};

use super::load::{Load, LoadMeter};
use super::transit::{Expected, Transit};
use super::{Departure, Message, PacketQueue};

/// A worker whose last room has left looks so often for packets to pass on.
const FORWARDING_STEP: Duration = Duration::from_millis(5);

/// See the module.
pub(super) struct Shell<O, S> {
    worker: Worker<O>,
    messages: Receiver<Message<O>>,
    packets: Receiver<(MemberSlot, AudioPacket)>,
    /// For its count of what did not fit.
    queue: PacketQueue,
    transit: Transit<O>,
    load: Arc<Load>,
    meter: LoadMeter,
    sink: S,
}

impl<O, S> Shell<O, S>
where
    O: Copy + Send,
    S: FnMut(&mut dyn Iterator<Item = Output<O>>, &Counters, &Times),
{
    pub(super) fn new(
        worker: Worker<O>,
        messages: Receiver<Message<O>>,
        packets: Receiver<(MemberSlot, AudioPacket)>,
        queue: PacketQueue,
        load: Arc<Load>,
        sink: S,
    ) -> Self {
        Self { worker, messages, packets, queue, transit: Transit::new(), load, meter: LoadMeter::default(), sink }
    }

    /// Until it is told to stop, or nobody holds a handle any more.
    pub(super) fn run(&mut self) {
        loop {
            self.load.count_turn();
            self.load.set_overloaded(self.worker.is_overloaded());
            let message = match self.worker.poll_timeout() {
                None if self.transit.is_forwarding() => self.messages.recv_timeout(FORWARDING_STEP),
                // Without rooms there is nothing to wake up for.
                None => {
                    self.meter.rest(&self.load);
                    self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected)
                }
                Some(deadline) => self.messages.recv_deadline(deadline),
            };
            match message {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(message) => {
                    let now = now();
                    let had_rooms = self.worker.poll_timeout().is_some();
                    self.handle(message, now);
                    match self.worker.poll_timeout() {
                        // However many messages there are, the tick comes in time.
                        Some(deadline) if deadline <= now => self.tick(),
                        // No tick will tell that the last has gone.
                        None if had_rooms => self.flush(),
                        Some(_) | None => {}
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.tick(),
            }
        }
    }

    fn handle(&mut self, message: Message<O>, now: Instant) {
        match self.transit.hold_message(message) {
            // Without rooms there is no tick that would bring the answer.
            Some(Message::Command(command @ Command::Measure { .. })) => {
                self.worker.handle_command(command, now);
                self.flush();
            }
            Some(Message::Command(command)) => self.worker.handle_command(command, now),
            Some(Message::Expect { room, members }) => self.transit.expect(room, members),
            Some(Message::Release(departure)) => self.release(departure, now),
            Some(Message::Arrive { room, moved, slots }) => self.arrive(room, moved, &slots, now),
            // Ends the loop that called this, or comes when that has ended.
            Some(Message::Nudge | Message::Stop) | None => {}
        }
    }

    fn release(&mut self, departure: Departure<O>, now: Instant) {
        let Departure { room, to, slots } = departure;
        // What came before goes with it.
        self.take_packets();
        let moved = self.worker.release(room).map(Box::new);
        self.transit.depart(&slots, to.packets.clone(), now);
        let _ = to.messages.send(Message::Arrive { room, moved, slots });
    }

    fn arrive(
        &mut self,
        room: RoomKey,
        moved: Option<Box<MovedRoom<O>>>,
        slots: &[(MemberSlot, MemberSlot)],
        now: Instant,
    ) {
        let Some(Expected { messages, packets, .. }) = self.transit.arrive(room) else {
            return;
        };
        if let Some(moved) = moved {
            self.worker.adopt(*moved, slots);
        }
        for (member, packet) in packets {
            self.worker.handle_packet(member, packet);
        }
        for message in messages {
            self.handle(message, now);
        }
        // The tick that it missed on its way.
        self.flush();
    }

    fn tick(&mut self) {
        let start = now();
        self.take_packets();
        self.transit.forget(start);
        self.worker.handle_timeout(start);
        self.flush();
        let end = now();
        self.worker.count_tick(end.saturating_duration_since(start));
        self.meter.add(start, end, &self.load);
    }

    fn take_packets(&mut self) {
        // No more than are there now, or a flood would keep the tick from ever ending.
        for (member, packet) in self.packets.try_iter().take(self.packets.len()) {
            if let Some(packet) = self.transit.hold_packet(member, packet) {
                self.worker.handle_packet(member, packet);
            }
        }
        self.worker.count_dropped_in_queue(self.queue.dropped.load(Ordering::Relaxed));
    }

    fn flush(&mut self) {
        let worker = &mut self.worker;
        let (counters, times) = (*worker.counters(), *worker.times());
        (self.sink)(&mut std::iter::from_fn(|| worker.poll_output()), &counters, &times);
    }
}

#[expect(clippy::disallowed_methods, reason = "the shell reads the clock, once per turn")]
fn now() -> Instant {
    Instant::now()
}
