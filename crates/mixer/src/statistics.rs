//! How a member's sound fares, for those who ask. Plain data.

use std::time::Duration;

/// What is now, and counts since the member joined the mix of its room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberStatistics {
    /// Of what plays now, in dBov; -127 while nothing does. Decoded sound is measured, what nobody hears says it itself.
    pub level: i8,
    /// It is in the mix.
    pub audible: bool,
    /// From arrival to mix; `None` while it sends nothing.
    pub delay: Option<Duration>,
    /// Packets that wait to be played.
    pub queued: usize,
    /// Packets that came.
    pub packets: u64,
    /// Of these, those that came when their time was over.
    pub late: u64,
    /// Of these, those left out: twice the same, too many, or skipped to bring the delay down.
    pub dropped: u64,
    /// Gaps of up to 20 ms where a packet was lost, concealed …
    pub concealed: u64,
    /// … or restored from the forward error correction in its successor.
    pub restored: u64,
}
