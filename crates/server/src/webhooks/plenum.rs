//! Events as we write them: a type, a time, a number that shows what was missed, and data. Knows no receiver.

use std::time::SystemTime;

use serde_json::{Map, Value, json};
use signaling::{HandleStatistics, Happening, Notice, Origin, Place, Side};

/// The event, which is the `sequence`-th of its receiver, from 1.
pub(super) fn event(notice: &Notice, sequence: u64, time: SystemTime) -> Value {
    let (name, about) = describe(&notice.what);
    message(name, notice.origin.as_ref(), about, sequence, time)
}

/// How the audio of somebody travels.
pub(super) fn statistics(of: &HandleStatistics, sequence: u64, time: SystemTime) -> Value {
    message("statistics.measured", Some(&of.origin), of.network.as_json(), sequence, time)
}

fn message(name: &str, origin: Option<&Origin>, about: Value, sequence: u64, time: SystemTime) -> Value {
    let mut data = Map::new();
    if let Some(origin) = origin {
        data.insert("session".to_owned(), origin.session.0.into());
        data.extend(origin.handle.map(|handle| ("handle".to_owned(), handle.0.into())));
        data.extend(origin.opaque_id.as_deref().map(|id| ("opaque_id".to_owned(), id.into())));
    }
    if let Value::Object(about) = about {
        data.extend(about.into_iter().filter(|(_, value)| !value.is_null()));
    }
    let timestamp = humantime::format_rfc3339_micros(time).to_string();
    json!({"type": name, "timestamp": timestamp, "sequence": sequence, "data": data})
}

fn describe(what: &Happening) -> (&'static str, Value) {
    let either = |so, yes, no| if so { yes } else { no };
    match what {
        Happening::ServerStarted => ("server.started", Value::Null),
        Happening::ServerStopping => ("server.stopping", Value::Null),
        Happening::Overloaded { overloaded } => {
            (either(*overloaded, "server.overloaded", "server.relieved"), Value::Null)
        }
        Happening::SessionCreated { owner } => ("session.created", json!({"transport": owner.package()})),
        Happening::SessionClaimed { owner } => ("session.claimed", json!({"transport": owner.package()})),
        Happening::SessionEnded { reason } => ("session.ended", json!({"reason": reason.as_str()})),
        Happening::HandleAttached { plugin } => ("handle.attached", json!({"plugin": plugin})),
        Happening::HandleDetached { plugin } => ("handle.detached", json!({"plugin": plugin})),
        Happening::RoomCreated { room } => ("room.created", json!({"room": room})),
        Happening::RoomEdited { room } => ("room.edited", json!({"room": room})),
        Happening::RoomDestroyed { room } => ("room.destroyed", json!({"room": room})),
        Happening::RoomMuted { room, muted } => (either(*muted, "room.muted", "room.unmuted"), json!({"room": room})),
        Happening::ParticipantJoined { place: Place { room, participant }, display, muted } => (
            "participant.joined",
            json!({"room": room, "participant": participant, "display": display.as_deref(), "muted": muted}),
        ),
        Happening::ParticipantLeft { place: Place { room, participant }, reason } => {
            ("participant.left", json!({"room": room, "participant": participant, "reason": reason.as_str()}))
        }
        Happening::ParticipantMoved { from, to: Place { room, participant }, display } => (
            "participant.moved",
            json!({
                "room": room, "participant": participant, "display": display.as_deref(),
                "from_room": from.room, "from_participant": from.participant,
            }),
        ),
        Happening::ParticipantMuted { place: Place { room, participant }, muted } => (
            either(*muted, "participant.muted", "participant.unmuted"),
            json!({"room": room, "participant": participant}),
        ),
        Happening::Talking { place: Place { room, participant }, talking } => {
            (either(*talking, "talking.started", "talking.stopped"), json!({"room": room, "participant": participant}))
        }
        Happening::RecordingDone { room, file } => ("recording.done", json!({"room": room, "file": &**file})),
        Happening::SdpExchanged { side, kind, sdp } => {
            ("sdp.exchanged", json!({"side": side.as_str(), "kind": kind.as_str(), "sdp": &**sdp}))
        }
        Happening::CandidateTold { side: Side::Local, candidate } => {
            ("candidate.local", json!({"candidate": &**candidate}))
        }
        Happening::CandidateTold { side: Side::Remote, candidate } => {
            ("candidate.remote", json!({"candidate": &**candidate}))
        }
        Happening::ConnectionOpened { connection, admin, client } => (
            "transport.opened",
            json!({
                "transport": connection.carrier.package(), "connection": connection.number,
                "api": either(*admin, "admin", "janus"), "address": client.map(|ip| ip.to_string()),
            }),
        ),
        Happening::ConnectionClosed { connection } => {
            ("transport.closed", json!({"transport": connection.carrier.package(), "connection": connection.number}))
        }
        Happening::PathFound => ("connection.path_found", Value::Null),
        Happening::Connected => ("connection.connected", Value::Null),
        Happening::Disconnected { reason } => ("connection.disconnected", json!({"reason": &**reason})),
        Happening::Receiving { receiving } => (either(*receiving, "media.started", "media.stopped"), Value::Null),
        Happening::SlowLink { uplink, lost } => {
            ("media.slow", json!({"direction": either(*uplink, "to_client", "from_client"), "lost": lost}))
        }
        Happening::Refused { code } => ("request.refused", json!({"code": code})),
        Happening::Custom { schema, data } => ("custom.event", json!({"schema": &**schema, "data": &**data})),
    }
}
