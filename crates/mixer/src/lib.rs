//! Audio packets to mixes: what every member of a room hears.
//!
//! [`Worker`] is the pure core: the rooms of one thread, driven by `handle_*` and drained by `poll_*`. [`Pool`] is
//! the shell: one OS thread per worker. This crate knows no JSON, no socket and no other plane.
//!
//! ```text
//! handle_packet -> jitter -> level, speakers -> codec -> mix -> limiter -> encode -> poll_output
//! ```

mod clock;
mod codec;
mod command;
mod counters;
mod crew;
mod encode;
mod history;
pub mod jitter;
pub mod kernel;
mod level;
pub mod limiter;
mod member;
pub mod mix;
mod overload;
mod pool;
mod room;
mod settings;
mod speakers;
mod statistics;
pub mod stretch;
mod talking;
mod times;
mod voice;
mod worker;

pub use command::{AudioPacket, Command, MemberEvent, MemberSlot, MixedPacket, Output, RoomKey};
pub use counters::Counters;
pub use crew::Crew;
pub use pool::{Pool, PoolConfig, WorkerHandle};
pub use settings::{MemberSettings, RoomSettings, SamplingRate, TalkDetection};
pub use statistics::MemberStatistics;
pub use times::Times;
pub use worker::{MovedRoom, Worker, WorkerConfig};
