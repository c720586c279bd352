//! Broken input, endless and seeded: datagrams that are nearly something and requests that are nearly right.
//! Sends nothing.

use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

/// Makes it.
pub struct Garbage {
    random: StdRng,
    turn: u64,
}

/// A broken request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenRequest {
    /// What is wrong with it.
    pub kind: &'static str,
    /// What is sent.
    pub text: String,
    /// Whether an `ack` to it is not the last word.
    pub has_event: bool,
}

/// Every field of every request that has a type.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "join",
        &[
            "room",
            "id",
            "display",
            "token",
            "pin",
            "muted",
            "codec",
            "bitrate",
            "quality",
            "expected_loss",
            "volume",
            "spatial_position",
            "secret",
            "group",
        ],
    ),
    ("configure", &["muted", "display", "bitrate", "quality", "expected_loss", "volume", "record", "filename"]),
    (
        "create",
        &[
            "room",
            "description",
            "secret",
            "pin",
            "is_private",
            "allowed",
            "sampling_rate",
            "spatial_audio",
            "audiolevel_ext",
            "audiolevel_event",
            "default_bitrate",
            "permanent",
        ],
    ),
    ("edit", &["room", "secret", "new_description", "new_pin", "new_is_private"]),
    ("allowed", &["room", "action", "allowed", "secret"]),
    ("kick", &["room", "id", "secret"]),
    ("mute", &["room", "id", "secret"]),
    ("mute_room", &["room", "secret"]),
    ("destroy", &["room", "secret", "permanent"]),
    ("exists", &["room"]),
    ("listparticipants", &["room"]),
    ("changeroom", &["room", "id", "display", "muted", "quality", "volume"]),
];

/// Acknowledged before anybody looks into it.
const TRICKLE: &str = "trickle without a candidate";

const BROKEN_SDP: &[&str] = &[
    "",
    "v=0",
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n",
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF\r\n",
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n",
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio x UDP/TLS/RTP/SAVPF 111\r\na=\r\n",
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
    "\u{0}\u{1}\u{2}",
];

impl Garbage {
    /// The same seed makes the same garbage.
    pub fn new(seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed), turn: 0 }
    }

    /// A datagram: noise, or noise that begins like STUN, DTLS, RTP or RTCP (RFC 7983).
    pub fn datagram(&mut self) -> Vec<u8> {
        let length = self.random.random_range(0..1200);
        let mut bytes = vec![0; length];
        self.random.fill_bytes(&mut bytes);
        let kind = self.random.random_range(0..6);
        let head: &[u8] = match kind {
            // A binding request with the magic cookie.
            0 => &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42],
            // A DTLS 1.2 handshake record.
            1 => &[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0],
            // RTP with payload type 111.
            2 => &[0x80, 111],
            // RTP with an extension whose length is noise.
            3 => &[0x90, 111],
            // An RTCP sender report.
            4 => &[0x80, 200],
            _ => &[],
        };
        let overlap = head.len().min(bytes.len());
        bytes[..overlap].copy_from_slice(&head[..overlap]);
        if kind == 0 && bytes.len() >= 20 {
            // An honest length, so that the attributes are read as well.
            let attributes = ((bytes.len() - 20) & !3) as u16;
            bytes[2..4].copy_from_slice(&attributes.to_be_bytes());
        }
        bytes
    }

    /// A request on this session and handle.
    pub fn request(&mut self, session: u64, handle: u64, room: u64) -> BrokenRequest {
        self.turn += 1;
        let transaction = format!("g{}", self.turn);
        let envelope = |more: Value| {
            let mut message = json!({"transaction": transaction, "session_id": session, "handle_id": handle});
            if let (Value::Object(message), Value::Object(more)) = (&mut message, more) {
                message.extend(more);
            }
            message.to_string()
        };
        let (kind, text) = match self.turn % 8 {
            0 => {
                let text = envelope(json!({"janus": "message", "body": {}}));
                let cut = self.random.random_range(1..text.len());
                ("JSON cut off", text[..cut].to_owned())
            }
            1 => ("not an object", "[1, 2, 3]".to_owned()),
            2 => ("unknown verb", envelope(json!({"janus": "dance"}))),
            3 => ("no such handle", json!({"janus": "message", "transaction": transaction, "session_id": session, "handle_id": 1, "body": {}}).to_string()),
            4 => {
                let sdp = BROKEN_SDP[self.random.random_range(0..BROKEN_SDP.len())];
                ("broken SDP", envelope(json!({"janus": "message", "body": {"request": "configure"}, "jsep": {"type": "offer", "sdp": sdp}})))
            }
            5 => (TRICKLE, envelope(json!({"janus": "trickle", "candidate": {"sdpMid": 7}}))),
            _ => {
                let (request, fields) = FIELDS[self.random.random_range(0..FIELDS.len())];
                let field = fields[self.random.random_range(0..fields.len())];
                let mut body = json!({"request": request, "room": room});
                body[field] = self.wrong_value();
                ("wrong type", envelope(json!({"janus": "message", "body": body})))
            }
        };
        let has_event = kind != TRICKLE;
        BrokenRequest { kind, text, has_event }
    }

    /// No field takes any of these.
    fn wrong_value(&mut self) -> Value {
        match self.random.random_range(0..3) {
            0 => json!({"a": [1]}),
            1 => json!(null),
            _ => json!(1.5),
        }
    }
}
