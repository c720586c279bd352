//! What the media planes tell of how a participant's audio fares. Plain data.

use std::time::Duration;

use super::transport_info::Flow;

/// How somebody's audio fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AudioStatistics {
    /// On the network; `None` without a transport.
    pub network: Option<NetworkStatistics>,
    /// In the mix of its room; `None` for who is not mixed.
    pub mix: Option<MixStatistics>,
}

/// How it travels, as of the last look: once a second where slow links are told, every five seconds elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkStatistics {
    /// From the client.
    pub received: Flow,
    /// To the client.
    pub sent: Flow,
    /// There and back.
    pub rtt: Option<Duration>,
    /// Packets of the client that did not come.
    pub lost: u64,
    /// Packets to the client that did not come, as it says.
    pub lost_by_remote: u64,
    /// Of what comes from the client.
    pub jitter_ms: u32,
    /// Of what comes to the client, as it says.
    pub jitter_of_remote_ms: u32,
}

/// How it is mixed: what is now, and counts since it joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MixStatistics {
    /// In dBov, -127 to 0; -127 while nothing plays.
    pub level: i8,
    /// Others hear it.
    pub audible: bool,
    /// From the arrival of its packets to the mix; `None` while it sends nothing.
    pub delay: Option<Duration>,
    /// Packets that wait to be played.
    pub queued: usize,
    /// Packets that came.
    pub packets: u64,
    /// Of these, those that came when their time was over.
    pub late: u64,
    /// Of these, those left out: twice the same, too many, or to bring the delay down.
    pub dropped: u64,
    /// Gaps of up to 20 ms left by lost packets, concealed …
    pub concealed: u64,
    /// … or restored from the packet behind.
    pub restored: u64,
}
