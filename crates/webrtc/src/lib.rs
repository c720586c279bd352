//! Datagrams to audio packets and back: the connectivity of Plenum.
//!
//! [`Shard`] is the pure core: the peers of one UDP socket, a function of commands, datagrams, audio and time.
//! [`Driver`] is the shell around it: a thread with the socket and the clock. [`Acceptor`] is another: a thread that gives each TCP
//! connection to the driver whose peer has opened it. None decodes audio or knows JSON.

mod acceptor;
mod batch;
mod candidate;
mod command;
mod config;
mod connections;
mod counters;
mod demux;
mod driver;
mod dtls;
mod error;
mod framing;
mod handshakes;
mod inbox;
mod load;
mod newcomers;
mod pace;
mod packet;
mod peer;
mod prefetch;
mod rtcp;
mod rtp;
mod sdp;
mod shard;
mod srtp;
mod times;
mod transport;
mod ufrag;

pub use acceptor::{Acceptor, AcceptorCounters, AcceptorHandle};
pub use command::{Command, Output, PeerEvent, PeerSlot};
pub use config::ShardConfig;
pub use counters::{ClosedPeers, Counters};
pub use driver::{Driver, DriverConfig};
pub use dtls::Certificate;
pub use error::{CertificateError, CloseReason};
pub use inbox::DriverHandle;
pub use packet::{AudioPacket, MixedAudio, Protocol, Transmit};
pub use sdp::{Answer, AnswerTraits, MixTraits, OurOffer, PeerAnswer};
pub use shard::Shard;
pub use times::Times;
pub use transport::{AudioInfo, DtlsInfo, Flow, IceInfo, PeerStatistics, Quality, TransportInfo};
