//! The shapes of what those who watch are told, for the document. What is in them is made by `observatory.rs` and signaling;
//! the tests hold the two together.

#![expect(dead_code, reason = "the document is made of it")]

use utoipa::ToSchema;

use super::schema::{Drain, Id, Participant, Room};

/// The `data` of an event about the server: in a `snapshot` all of it, in a `change` what is new.
#[derive(ToSchema)]
pub(super) struct ServerEvent {
    /// The process.
    server: Option<ServerSeen>,
    /// Rooms: all of them, or those that are new or others.
    rooms: Option<Vec<RoomInBrief>>,
    /// Ids of rooms that are gone.
    gone: Option<Vec<Id>>,
}

/// The `data` of an event about a room: in a `snapshot` all of it, in a `change` what is new.
#[derive(ToSchema)]
pub(super) struct RoomEvent {
    /// The room.
    room: Option<Room>,
    /// Participants: all of them, or those that are new or others.
    participants: Option<Vec<ParticipantSeen>>,
    /// Ids of participants that are gone.
    gone: Option<Vec<Id>>,
}

/// The process.
#[derive(ToSchema)]
pub(super) struct ServerSeen {
    version: String,
    uptime_seconds: u64,
    /// Processor cores that it may use.
    cores: u32,
    /// In memory.
    memory_bytes: Option<u64>,
    sessions: u64,
    handles: u64,
    rooms: u64,
    participants: u64,
    /// It has more to mix than it can, and lets nobody new in.
    overloaded: bool,
    /// Whether it drains, and who is left.
    drain: Drain,
    /// Its threads, by name.
    threads: Vec<ThreadSeen>,
}

/// A thread.
#[derive(ToSchema)]
pub(super) struct ThreadSeen {
    /// `net-0` …: encrypt, send and receive; `mix-0` …: decode, mix and encode; all others serve the APIs.
    name: String,
    /// Of one core, since the event before.
    cpu_percent: f64,
}

/// A room in few words.
#[derive(ToSchema)]
pub(super) struct RoomInBrief {
    room: Id,
    description: String,
    num_participants: u32,
    /// Of these, those that talk, where rooms tell (`audiolevel_event`).
    num_talking: u32,
    /// Only admins sound.
    muted: bool,
    /// Left out of the list that clients get.
    is_private: bool,
    /// Joining it needs a pin.
    pin_required: bool,
}

/// Somebody in a room, and how the audio fares.
#[derive(ToSchema)]
pub(super) struct ParticipantSeen {
    #[serde(flatten)]
    participant: Participant,
    /// As in the logs and in the admin API.
    session_id: u64,
    /// As in the logs and in the admin API.
    handle_id: u64,
    /// Absent without a transport.
    network: Option<NetworkSeen>,
    /// Absent for who is not mixed.
    mix: Option<MixSeen>,
}

/// How audio travels, as of the last look at the transport: every 5 s, or every second with a `slowlink_threshold`.
#[derive(ToSchema)]
pub(super) struct NetworkSeen {
    /// There and back, from the client's last receiver report; null before the first.
    rtt_ms: Option<f64>,
    /// From the client.
    received: FlowSeen,
    /// To the client.
    sent: FlowSeen,
    /// Packets of the client that did not come.
    lost: u64,
    /// Packets to the client that did not come, as it says.
    lost_by_client: u64,
    /// Of what comes (RFC 3550 section 6.4.1).
    jitter_ms: u32,
    /// Of what comes to the client, as it says.
    jitter_of_client_ms: u32,
}

/// What went one way.
#[derive(ToSchema)]
pub(super) struct FlowSeen {
    packets: u64,
    bytes: u64,
    /// Over the time between the last two looks.
    bits_per_second: u64,
}

/// How audio is mixed: what is now, and counts since the participant joined.
#[derive(ToSchema)]
pub(super) struct MixSeen {
    /// -127 (nothing) to 0.
    level_dbov: i8,
    /// Others hear it.
    audible: bool,
    /// From the arrival of its packets to the mix; null while it sends nothing.
    delay_ms: Option<f64>,
    /// Packets that wait to be played.
    queued: u32,
    /// Packets that came.
    packets: u64,
    /// Of these, those that came when their time was over.
    late: u64,
    /// Of these, those left out: twice the same, too many, or to bring the delay down.
    dropped: u64,
    /// Gaps of up to 20 ms left by lost packets, concealed …
    concealed: u64,
    /// … or restored from the packet behind.
    restored: u64,
}
