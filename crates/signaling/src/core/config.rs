//! What an operator may set: plain values with their defaults. Knows no files and no environment.

use std::time::Duration;

use super::log::LogLevel;

use super::ids::RoomId;

/// The settings of the signaling plane.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name in `info`.
    pub server_name: String,
    /// A session silent for so long ends; zero = never.
    pub session_timeout: Duration,
    /// How long after its last request a session outlives its WebSocket, waiting for a `claim`; zero = not at all.
    pub reclaim_session_timeout: Duration,
    /// How long candidates wait for their offer.
    pub candidates_timeout: Duration,
    /// After how long a silence the media plane reports `receiving: false`; told to clients when above one second.
    pub no_media_timeout: Duration,
    /// So many packets lost within a second are told by `slowlink`; zero = never.
    pub slowlink_threshold: u32,
    /// What `get_status` tells until an operator sets another one.
    pub log_level: LogLevel,
    /// What every request must carry as `apisecret`.
    pub api_secret: Option<String>,
    /// Whether requests must carry a `token`; with an `api_secret` besides, either is enough.
    pub token_auth: bool,
    /// What tokens are signed with; without it those count that the operator stores by admin requests.
    pub token_auth_secret: Option<String>,
    /// The time since 1970 when the core starts: signed tokens expire by it.
    pub wall_clock: Duration,
    /// What every admin request must carry as `admin_secret`.
    pub admin_secret: Option<String>,
    /// What creating rooms, and listing private ones, needs as `admin_key`.
    pub admin_key: Option<String>,
    /// Whether forwarding needs the `admin_key` too.
    pub lock_rtp_forward: bool,
    /// Whether playing files needs the `admin_key` too.
    pub lock_play_file: bool,
    /// Whether rooms and participants have texts as ids, and not numbers.
    pub string_ids: bool,
    /// Whether `opaque_id` comes back in events and replies.
    pub opaqueid_in_api: bool,
    /// Whether `info` leaves out the libraries in use.
    pub hide_dependencies: bool,
    /// Opus complexity of participants that ask for none, 1 to 10. Measured: 6 costs 1 % more than 5 and scores
    /// 0.2 PESQ better; Janus has 4.
    pub default_quality: u8,
    /// Whether changes to rooms can be stored, so that `permanent` is possible.
    pub stores_rooms: bool,
    /// Rooms that exist from the start. One whose `id` is taken or of the other kind, or whose rate is unsupported, is
    /// not made: check first.
    pub rooms: Vec<RoomConfig>,
    /// What `info` tells about the media plane.
    pub media: MediaFacts,
    /// What bounds a client's greed.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server_name: "Plenum".to_owned(),
            session_timeout: Duration::from_secs(60),
            reclaim_session_timeout: Duration::ZERO,
            candidates_timeout: Duration::from_secs(45),
            no_media_timeout: Duration::from_secs(1),
            slowlink_threshold: 0,
            log_level: LogLevel::INFO,
            api_secret: None,
            token_auth: false,
            token_auth_secret: None,
            wall_clock: Duration::ZERO,
            admin_secret: None,
            admin_key: None,
            lock_rtp_forward: false,
            lock_play_file: false,
            string_ids: false,
            opaqueid_in_api: false,
            hide_dependencies: false,
            default_quality: 6,
            stores_rooms: false,
            rooms: Vec::new(),
            media: MediaFacts::default(),
            limits: Limits::default(),
        }
    }
}

/// What `info` tells about the media plane.
#[derive(Clone, Debug)]
pub struct MediaFacts {
    /// The address media is bound to.
    pub local_ip: String,
    /// The addresses announced instead (1:1 NAT).
    pub public_ips: Vec<String>,
    /// Whether IPv6 is offered.
    pub ipv6: bool,
    /// Whether the server is ICE lite.
    pub ice_lite: bool,
    /// Whether its candidates are told apart from the SDP.
    pub full_trickle: bool,
}

impl Default for MediaFacts {
    fn default() -> Self {
        Self {
            local_ip: "127.0.0.1".to_owned(),
            public_ips: Vec::new(),
            ipv6: false,
            ice_lite: true,
            full_trickle: false,
        }
    }
}

/// Bounds on everything a client can make grow; far above what a legitimate one needs.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Sessions in all.
    pub sessions: usize,
    /// Sessions of one connection that has one client.
    pub sessions_per_connection: usize,
    /// Handles of one session.
    pub handles_per_session: usize,
    /// Candidates of one handle that wait for their offer.
    pub waiting_candidates: usize,
    /// Offers of one handle that wait for their answer.
    pub waiting_offers: usize,
    /// Rooms in all.
    pub rooms: usize,
    /// Participants of all rooms.
    pub participants: usize,
    /// Participants of one room.
    pub participants_per_room: usize,
    /// Tokens in the `allowed` list of one room.
    pub allowed_tokens: usize,
    /// Bytes of a text that is kept (display, description, secret, opaque id, …).
    pub text_bytes: usize,
    /// Requests and polls of one client address in a second; 0 = any number. This and the next two are rates in the long run:
    /// an address may do at once what it has left undone in the 10 s before.
    pub request_rate: u32,
    /// Participants of one client address that join or change rooms in a second; 0 = any number.
    pub join_rate: u32,
    /// Rooms that one client address makes in a second; 0 = any number.
    pub room_rate: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 200_000,
            sessions_per_connection: 10_000,
            handles_per_session: 10_000,
            waiting_candidates: 100,
            waiting_offers: 8,
            rooms: 1_000_000,
            participants: 100_000,
            participants_per_room: 100_000,
            allowed_tokens: 10_000,
            text_bytes: 1024,
            // Far above a storm of joins behind one proxy that hides its clients, and below what would keep the core from others.
            request_rate: 20_000,
            join_rate: 5_000,
            room_rate: 5_000,
        }
    }
}

/// The rates a room can have, in Hz.
pub const SAMPLING_RATES: [u32; 5] = [8_000, 12_000, 16_000, 24_000, 48_000];

/// The properties of a room, as `create` takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomConfig {
    /// The name clients use; `None` = draw one.
    pub id: Option<RoomId>,
    /// What it is called; empty = `Room <id>`.
    pub description: String,
    /// What managing it needs.
    pub secret: Option<String>,
    /// What joining it needs.
    pub pin: Option<String>,
    /// Whether `list` hides it.
    pub is_private: bool,
    /// The tokens that may join; `None` = no token needed.
    pub allowed: Option<Vec<String>>,
    /// One of [`SAMPLING_RATES`], in Hz.
    pub sampling_rate: u32,
    /// Stereo, in which participants have a position.
    pub spatial_audio: bool,
    /// Whether the audio levels in packets are used.
    pub audiolevel_ext: bool,
    /// Whether talking is told to the room.
    pub audiolevel_event: bool,
    /// The window of talk detection, in packets; 0 = 100.
    pub audio_active_packets: u32,
    /// Talking is an average below this, in -dBov, at most 127; 0 = 25.
    pub audio_level_average: u8,
    /// Packet loss to encode for, in percent; over 20 = 0.
    pub default_expectedloss: u8,
    /// In bit/s; outside 500..=512000 = the codec decides.
    pub default_bitrate: u32,
    /// Whether to remove noise from participants that do not say so themselves (nothing does yet).
    pub denoise: bool,
    /// What is recorded.
    pub recording: Recording,
    /// Whether plain RTP participants may join (none can yet).
    pub allow_rtp_participants: bool,
    /// Names that participants must choose from; empty = no groups.
    pub groups: Vec<String>,
    /// Whether joining needs a token that is signed for the room; without effect unless the server has signed tokens.
    pub signed_tokens: bool,
    /// How many sound at once, the loudest; 0 = all.
    pub max_speakers: usize,
    /// Who is below is not mixed, in dBov, -127..=0.
    pub silence_threshold: i8,
    /// Whether answers allow silent clients to stop sending.
    pub usedtx: bool,
    /// Whether listeners of the same mix share one encode.
    pub shared_encoding: bool,
}

/// What of a room is recorded, and where to. Nothing is written yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// Whether the mix is.
    pub record: bool,
    /// The file of the mix; `None` = a name is made up.
    pub record_file: Option<String>,
    /// Its folder.
    pub record_dir: Option<String>,
    /// Whether each participant is, in a file of its own.
    pub mjrs: bool,
    /// The folder of these files.
    pub mjrs_dir: Option<String>,
}

impl Default for RoomConfig {
    fn default() -> Self {
        Self {
            id: None,
            description: String::new(),
            secret: None,
            pin: None,
            is_private: false,
            allowed: None,
            sampling_rate: 16_000,
            spatial_audio: false,
            audiolevel_ext: true,
            audiolevel_event: false,
            audio_active_packets: 100,
            audio_level_average: 25,
            default_expectedloss: 0,
            default_bitrate: 0,
            denoise: false,
            recording: Recording::default(),
            allow_rtp_participants: false,
            groups: Vec::new(),
            signed_tokens: false,
            max_speakers: 0,
            silence_threshold: -60,
            usedtx: true,
            shared_encoding: true,
        }
    }
}
