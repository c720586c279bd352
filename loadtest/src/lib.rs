//! A load generator for audio bridges that speak the Janus protocol. It shares no code with what it tests.
//!
//! The core is pure: a [`participant::Participant`] is a state machine of a browser's dialogue, peer connection, voice
//! and ears, fed with messages, datagrams and the time. The shells are few: [`driver`] carries many participants on
//! one thread, [`port`] has their sockets, [`connection`] reaches the server, [`mod@run`] leads through a scenario.

pub mod barrage;
pub mod cast;
pub mod compare;
pub mod connection;
pub mod dialogue;
pub mod driver;
pub mod dtls;
pub mod flood;
pub mod garbage;
pub mod listening;
pub mod manager;
pub mod notice;
pub mod onset;
pub mod pacing;
pub mod participant;
pub mod peer;
pub mod playout;
pub mod port;
pub mod process;
pub mod prometheus;
pub mod report;
pub mod run;
pub mod scenario;
pub mod sequence;
pub mod server_url;
pub mod sound;
pub mod tally;
pub mod tone;
