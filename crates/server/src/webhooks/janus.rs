//! Events in the shape that receivers of Janus' event handlers know: a number for the type, microseconds, ids under the names of the
//! API. Knows no receiver.

use std::time::Duration;

use serde_json::{Map, Value, json};
use signaling::{Departure, HandleStatistics, Happening, Notice, Origin, Owner, Place, SessionEnd, Side};

// The types of https://janus.conf.meetecho.com/docs/eventhandlers.html; what is within them is what Debian's Janus sends.
const SESSION: u16 = 1;
const HANDLE: u16 = 2;
const EXTERNAL: u16 = 4;
const JSEP: u16 = 8;
const WEBRTC: u16 = 16;
const MEDIA: u16 = 32;
const PLUGIN: u16 = 64;
const TRANSPORT: u16 = 128;
const CORE: u16 = 256;

// The subtypes of WEBRTC, MEDIA and CORE.
const ICE_STATE: u16 = 1;
const LOCAL_CANDIDATE: u16 = 2;
const REMOTE_CANDIDATE: u16 = 3;
const DTLS_STATE: u16 = 5;
const CONNECTION_STATE: u16 = 6;
const MEDIA_STATE: u16 = 1;
const SLOW_LINK: u16 = 2;
const STATISTICS: u16 = 3;
const STARTUP: u16 = 1;
const SHUTDOWN: u16 = 2;

/// What is within an event.
struct Body {
    kind: u16,
    subtype: Option<u16>,
    event: Value,
}

/// The events that tell of `notice`: as a rule one. `since_1970` is the time of it, `emitter` the name of this server.
pub(super) fn events(notice: &Notice, emitter: &str, since_1970: Duration) -> Vec<Value> {
    bodies(&notice.what).into_iter().map(|body| message(body, notice.origin.as_ref(), emitter, since_1970)).collect()
}

/// How the audio of somebody travels. There are no NACKs for audio here.
pub(super) fn statistics(of: &HandleStatistics, emitter: &str, since_1970: Duration) -> Value {
    let HandleStatistics { origin, mid, network } = of;
    let section = json!({"mid": mid, "mindex": 0, "media": "audio", "codec": "opus"});
    let flows = json!({
        "packets-received": network.received.packets,
        "packets-sent": network.sent.packets,
        "bytes-received": network.received.bytes,
        "bytes-sent": network.sent.bytes,
        "bytes-received-lastsec": network.received.bytes_last_second,
        "bytes-sent-lastsec": network.sent.bytes_last_second,
        "nacks-received": 0,
        "nacks-sent": 0,
        "retransmissions-received": 0,
    });
    let objects = [section, network.as_rtcp().into(), flows];
    let event =
        objects.iter().filter_map(Value::as_object).flatten().map(|(name, value)| (name.clone(), value.clone()));
    let event = event.collect();
    message(Body { kind: MEDIA, subtype: Some(STATISTICS), event }, Some(origin), emitter, since_1970)
}

fn message(body: Body, origin: Option<&Origin>, emitter: &str, since_1970: Duration) -> Value {
    let Body { kind, subtype, event } = body;
    let mut message = Map::new();
    let mut tell = |key: &str, value: Value| {
        message.insert(key.to_owned(), value);
    };
    tell("emitter", emitter.into());
    tell("type", kind.into());
    if let Some(subtype) = subtype {
        tell("subtype", subtype.into());
    }
    tell("timestamp", u64::try_from(since_1970.as_micros()).unwrap_or(u64::MAX).into());
    if let Some(origin) = origin {
        tell("session_id", origin.session.0.into());
        if let Some(handle) = origin.handle {
            tell("handle_id", handle.0.into());
        }
        if let Some(opaque_id) = &origin.opaque_id {
            tell("opaque_id", (**opaque_id).into());
        }
    }
    tell("event", event);
    Value::Object(message)
}

fn bodies(what: &Happening) -> Vec<Body> {
    let either = |so, yes, no| if so { yes } else { no };
    let one = |kind, event| vec![Body { kind, subtype: None, event }];
    let sub = |kind, subtype, event| Body { kind, subtype: Some(subtype), event };
    match what {
        Happening::ServerStarted => vec![sub(CORE, STARTUP, json!({"status": "started"}))],
        Happening::ServerStopping => vec![sub(CORE, SHUTDOWN, json!({"status": "shutdown", "signum": 0}))],
        Happening::SessionCreated { owner } => one(SESSION, json!({"name": "created", "transport": transport(*owner)})),
        Happening::SessionClaimed { owner } => one(SESSION, json!({"name": "claimed", "transport": transport(*owner)})),
        Happening::SessionEnded { reason: SessionEnd::Timeout } => one(SESSION, json!({"name": "timeout"})),
        Happening::SessionEnded { .. } => one(SESSION, json!({"name": "destroyed"})),
        Happening::HandleAttached { plugin } => one(HANDLE, json!({"name": "attached", "plugin": plugin})),
        Happening::HandleDetached { plugin } => one(HANDLE, json!({"name": "detached", "plugin": plugin})),
        Happening::Custom { schema, data } => one(EXTERNAL, json!({"schema": &**schema, "data": &**data})),
        Happening::SdpExchanged { side, kind, sdp } => {
            one(JSEP, json!({"owner": side.as_str(), "jsep": {"type": kind.as_str(), "sdp": &**sdp}}))
        }
        Happening::CandidateTold { side: Side::Local, candidate } => {
            vec![sub(
                WEBRTC,
                LOCAL_CANDIDATE,
                json!({"local-candidate": &**candidate, "stream_id": 1, "component_id": 1}),
            )]
        }
        Happening::CandidateTold { side: Side::Remote, candidate } => {
            vec![sub(
                WEBRTC,
                REMOTE_CANDIDATE,
                json!({"remote-candidate": &**candidate, "stream_id": 1, "component_id": 1}),
            )]
        }
        Happening::PathFound => {
            vec![sub(WEBRTC, ICE_STATE, json!({"ice": "connected", "stream_id": 1, "component_id": 1}))]
        }
        Happening::Connected => vec![
            sub(
                WEBRTC,
                DTLS_STATE,
                json!({"dtls": "connected", "stream_id": 1, "component_id": 1, "retransmissions": 0}),
            ),
            sub(WEBRTC, CONNECTION_STATE, json!({"connection": "webrtcup"})),
        ],
        Happening::Disconnected { reason } => {
            vec![sub(WEBRTC, CONNECTION_STATE, json!({"connection": "hangup", "reason": &**reason}))]
        }
        Happening::Receiving { receiving } => {
            vec![sub(MEDIA, MEDIA_STATE, json!({"media": "audio", "receiving": receiving}))]
        }
        Happening::SlowLink { uplink, lost } => {
            let slow = either(*uplink, "uplink", "downlink");
            vec![sub(MEDIA, SLOW_LINK, json!({"media": "audio", "slow_link": slow, "lost_lastsec": lost}))]
        }
        Happening::ConnectionOpened { connection, admin, client } => {
            let mut event = transport(Owner::Connection(*connection));
            event["data"] = json!({"event": "connected", "admin_api": admin});
            if let Some(ip) = client {
                event["data"]["ip"] = ip.to_string().into();
            }
            one(TRANSPORT, event)
        }
        Happening::ConnectionClosed { connection } => {
            let mut event = transport(Owner::Connection(*connection));
            event["data"] = json!({"event": "disconnected"});
            one(TRANSPORT, event)
        }
        Happening::RoomCreated { room } => in_audiobridge(json!({"event": "created", "room": room})),
        Happening::RoomEdited { room } => in_audiobridge(json!({"event": "edited", "room": room})),
        Happening::RoomDestroyed { room } => in_audiobridge(json!({"event": "destroyed", "room": room})),
        Happening::RoomMuted { room, muted } => {
            in_audiobridge(json!({"event": either(*muted, "mute_room", "unmute_room"), "room": room}))
        }
        Happening::ParticipantJoined { place, display, muted } => joined(place, display.as_deref(), Some(*muted)),
        Happening::ParticipantLeft { place, reason: Departure::Kicked } => about("event", "kicked", place),
        Happening::ParticipantLeft { place, .. } => about("event", "left", place),
        Happening::ParticipantMoved { from, to, display } => {
            about("event", "left", from).into_iter().chain(joined(to, display.as_deref(), None)).collect()
        }
        Happening::ParticipantMuted { place, muted } => about("event", either(*muted, "mute", "unmute"), place),
        Happening::Talking { place, talking } => {
            about("audiobridge", either(*talking, "talking", "stopped-talking"), place)
        }
        Happening::RecordingDone { room, file } => {
            in_audiobridge(json!({"event": "recordingdone", "room": room, "record_file": &**file}))
        }
        Happening::Overloaded { .. } | Happening::Refused { .. } => Vec::new(),
    }
}

/// What carries a session, or a connection. That of HTTP is each time another.
fn transport(owner: Owner) -> Value {
    match owner {
        Owner::Connection(connection) => {
            json!({"transport": owner.package(), "id": connection.number.to_string()})
        }
        Owner::Http => json!({"transport": owner.package()}),
    }
}

fn joined(place: &Place, display: Option<&str>, muted: Option<bool>) -> Vec<Body> {
    let mut data = json!({"event": "joined", "room": place.room, "id": place.participant});
    if let Some(display) = display {
        data["display"] = display.into();
    }
    if let Some(muted) = muted {
        data["muted"] = muted.into();
    }
    in_audiobridge(data)
}

fn about(key: &str, what: &str, place: &Place) -> Vec<Body> {
    in_audiobridge(json!({key: what, "room": place.room, "id": place.participant}))
}

fn in_audiobridge(data: Value) -> Vec<Body> {
    let event = json!({"plugin": "janus.plugin.audiobridge", "data": data});
    vec![Body { kind: PLUGIN, subtype: None, event }]
}
