//! Shell: one thread that carries many participants. This file is what the rest of the run sees of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::connection::Connector;
use crate::dtls::Identity;
use crate::notice::Notice;
use crate::participant::Character;
use crate::tally::{Counts, Outcome, Timings};

mod carrier;
mod entries;
mod onset_board;

use carrier::Carrier;
pub use onset_board::OnsetBoard;

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

/// What a driver needs from the run.
#[derive(Clone)]
pub struct DriverConfig {
    /// Opens connections.
    pub connector: Connector,
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
