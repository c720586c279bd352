//! What the media planes tell of how a participant's audio fares. How they are shown to operators.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::notice::Origin;
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

/// How the audio of a handle travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandleStatistics {
    /// Whose.
    pub origin: Origin,
    /// The section of the SDP.
    pub mid: String,
    /// Since the PeerConnection is up.
    pub network: NetworkStatistics,
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

impl NetworkStatistics {
    /// As operators and back-ends see it.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let flow = |Flow { packets, bytes, bytes_last_second }: Flow| json!({"packets": packets, "bytes": bytes, "bits_per_second": bytes_last_second.saturating_mul(8)});
        json!({
            "rtt_ms": self.rtt.map(milliseconds),
            "received": flow(self.received),
            "sent": flow(self.sent),
            "lost": self.lost,
            "lost_by_client": self.lost_by_remote,
            "jitter_ms": self.jitter_ms,
            "jitter_of_client_ms": self.jitter_of_remote_ms,
        })
    }

    /// What RTCP says of it, by Janus' names. The two kinds of quality, with and without retransmissions, are the same without any.
    #[must_use]
    pub fn as_rtcp(&self) -> Map<String, Value> {
        let from_client = quality(self.received.packets, self.lost);
        let to_client = quality(self.sent.packets, self.lost_by_remote);
        let shown: [(&str, Value); 10] = [
            ("base", 48_000.into()),
            ("rtt", self.rtt.map_or(0, |rtt| u64::try_from(rtt.as_millis()).unwrap_or(u64::MAX)).into()),
            ("lost", self.lost.into()),
            ("lost-by-remote", self.lost_by_remote.into()),
            ("jitter-local", self.jitter_ms.into()),
            ("jitter-remote", self.jitter_of_remote_ms.into()),
            ("in-link-quality", from_client.into()),
            ("in-media-link-quality", from_client.into()),
            ("out-link-quality", to_client.into()),
            ("out-media-link-quality", to_client.into()),
        ];
        shown.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
    }
}

/// Percent of the packets that came.
fn quality(came: u64, lost: u64) -> u64 {
    (came * 100).checked_div(came + lost).unwrap_or(100)
}

/// To a tenth.
pub(super) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
