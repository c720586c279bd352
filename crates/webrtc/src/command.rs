//! What passes between a shard and its server: commands in, events and audio out. Plain data.

use std::time::Duration;

use crate::error::CloseReason;
use crate::packet::{AudioPacket, Transmit};
use crate::sdp::{Answer, AnswerTraits, MixTraits, OurOffer, PeerAnswer};
use crate::transport::{PeerStatistics, TransportInfo};

/// A place for a peer. Indexes are dense and used again; the generation then rises, so that what is late for the old
/// peer does not reach the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerSlot {
    /// Dense within a shard.
    pub index: u32,
    /// Rises with every use of the index.
    pub generation: u32,
}

/// What a shard is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command<R> {
    /// Answer an offer. The first one makes the peer; a later one renegotiates, restarts ICE or replaces the transport.
    /// The outcome is [`PeerEvent::Answered`] or [`PeerEvent::Refused`] with the same number.
    Negotiate {
        /// Whose.
        peer: PeerSlot,
        /// Comes back in the event.
        negotiation: u64,
        /// The SDP.
        offer: String,
        /// What the answer says.
        traits: AnswerTraits,
    },
    /// Make an offer: the first one of a peer connection whose offers are ours, or the same again, renewed. The outcome is
    /// [`PeerEvent::Offered`] or [`PeerEvent::Refused`] with the same number.
    Offer {
        /// Whose.
        peer: PeerSlot,
        /// Comes back in the event.
        negotiation: u64,
        /// What the room decides about the offer.
        traits: MixTraits,
    },
    /// Take the answer to the last offer of ours; the first one makes the peer's transport. The outcome is
    /// [`PeerEvent::Accepted`] or [`PeerEvent::Refused`] with the same number; after the latter the offer still stands.
    Accept {
        /// Whose.
        peer: PeerSlot,
        /// Comes back in the event.
        negotiation: u64,
        /// The SDP.
        answer: String,
    },
    /// A remote candidate, with or without `a=`; unusable ones are ignored and counted.
    AddCandidate {
        /// Whose.
        peer: PeerSlot,
        /// `candidate:…`
        candidate: String,
    },
    /// Where the peer's audio goes from now on; `None` is nowhere.
    Route {
        /// Whose.
        peer: PeerSlot,
        /// Comes back with every packet.
        route: Option<R>,
    },
    /// Whether the peer's audio goes back to it; only what has no route does.
    Echo {
        /// Whose.
        peer: PeerSlot,
        /// Whether it does from now on.
        echo: bool,
    },
    /// Tell what the peer's transport is and does, by [`PeerEvent::Described`].
    Describe {
        /// Whose.
        peer: PeerSlot,
        /// Comes back in the event.
        inquiry: u64,
    },
    /// Ask how the audio of peers travels; the answer is one [`Output::Measured`].
    Measure {
        /// Whose; those without a transport are left out of the answer.
        peers: Vec<PeerSlot>,
        /// Comes back with it.
        inquiry: u64,
    },
    /// When to tell of lost media, for all peers now and later.
    SetThresholds {
        /// As in [`ShardConfig`](crate::ShardConfig).
        no_media_timeout: Duration,
        /// As in [`ShardConfig`](crate::ShardConfig).
        slowlink_threshold: u32,
    },
    /// End the peer; no [`PeerEvent::Closed`] comes back.
    Close {
        /// Whose.
        peer: PeerSlot,
    },
}

/// What happened to a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    /// An offer was accepted.
    Answered {
        /// As in the command.
        negotiation: u64,
        /// Ours.
        answer: Answer,
    },
    /// An offer was made.
    Offered {
        /// As in the command.
        negotiation: u64,
        /// Ours.
        offer: OurOffer,
    },
    /// The answer to an offer of ours was taken.
    Accepted {
        /// As in the command.
        negotiation: u64,
        /// What it settled.
        answer: PeerAnswer,
    },
    /// An offer or answer was refused. The transport, if there was one, goes on as before.
    Refused {
        /// As in the command.
        negotiation: u64,
        /// May be shown to the client.
        reason: String,
    },
    /// ICE has found a path for the first time.
    PathFound,
    /// DTLS is up.
    Connected,
    /// The peer's audio arrives, or no longer does.
    Receiving(bool),
    /// Much of the audio was lost within a second.
    SlowLink {
        /// What we send to the peer, as it says; not what it sends.
        uplink: bool,
        /// Packets.
        lost: u32,
    },
    /// What was asked by [`Command::Describe`].
    Described {
        /// As in the command.
        inquiry: u64,
        /// `None` if there is no transport now.
        info: Option<Box<TransportInfo>>,
    },
    /// The transport is gone; a new offer makes a new one.
    Closed(CloseReason),
}

/// What a shard wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output<R> {
    /// Send a datagram.
    Transmit(Transmit),
    /// Audio came.
    Packet {
        /// Where it goes.
        route: R,
        /// The audio.
        packet: AudioPacket,
    },
    /// Something happened to a peer.
    Event {
        /// To whom.
        peer: PeerSlot,
        /// What.
        event: PeerEvent,
    },
    /// What was asked by [`Command::Measure`].
    Measured {
        /// As in the command.
        inquiry: u64,
        /// Those that have a transport.
        peers: Vec<(PeerSlot, PeerStatistics)>,
    },
}
