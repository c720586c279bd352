//! Behaviour of the pure parts, one file each, on public API and in virtual time. One binary, because each links Opus
//! and a cryptography library.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "virtual time needs one instant to begin with; helpers of tests may panic as tests do"
)]

mod content;
mod dialogue;
mod garbage;
mod listening;
mod messages;
mod numbers;
mod pacing;
mod peers;
mod playout;
mod process;
mod reports;
mod scenarios;
mod sequence;
mod tones;
