//! One line for each change that a person cares about, with the ids of whom it concerns as fields. What clients do wrong, and what
//! comes by the dozen, is DEBUG. Never a name, an address, an SDP or anything else that a client or operator has said in confidence.

use signaling::{Happening, Notice, Occurrence};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tracing::field::display;

/// Logs until the conversation has ended.
pub(crate) async fn log_changes(mut notices: Receiver<Occurrence>) {
    loop {
        match notices.recv().await {
            Ok(Occurrence { notice, .. }) => log(&notice),
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "changes came faster than they could be logged"),
            Err(RecvError::Closed) => return,
        }
    }
}

fn log(notice: &Notice) {
    let Notice { origin, what } = notice;
    let session = origin.as_ref().map(|origin| origin.session.0);
    let handle = origin.as_ref().and_then(|origin| origin.handle).map(|handle| handle.0);
    macro_rules! line {
        ($level:ident, $text:literal $(, $name:ident = $value:expr)*) => {
            tracing::$level!(session, handle $(, $name = $value)*, $text)
        };
        ($level:ident, $text:literal at $place:expr $(, $name:ident = $value:expr)*) => {
            line!($level, $text, room = display(&$place.room), participant = display(&$place.participant) $(, $name = $value)*)
        };
    }
    match what {
        // The server says more of its start and end itself.
        Happening::ServerStarted | Happening::ServerStopping => {}
        Happening::Overloaded { overloaded: true } => line!(warn, "the mixer is overloaded: nobody new is let in"),
        Happening::Overloaded { overloaded: false } => line!(info, "the mixer is no longer overloaded"),
        Happening::SessionCreated { owner } => line!(info, "session created", transport = owner.package()),
        Happening::SessionClaimed { owner } => line!(info, "session claimed", transport = owner.package()),
        Happening::SessionEnded { reason } => line!(info, "session ended", reason = reason.as_str()),
        Happening::HandleAttached { plugin } => line!(debug, "handle attached", plugin = *plugin),
        Happening::HandleDetached { plugin } => line!(debug, "handle detached", plugin = *plugin),
        Happening::RoomCreated { room } => line!(info, "room created", room = display(room)),
        Happening::RoomEdited { room } => line!(info, "room edited", room = display(room)),
        Happening::RoomDestroyed { room } => line!(info, "room destroyed", room = display(room)),
        Happening::RoomMuted { room, muted } => line!(info, "room muted", room = display(room), muted = *muted),
        Happening::ParticipantJoined { place, display: _, muted } => {
            line!(info, "participant joined" at place, muted = *muted);
        }
        Happening::ParticipantLeft { place, reason } => {
            line!(info, "participant left" at place, reason = reason.as_str());
        }
        Happening::ParticipantMoved { from, to, display: _ } => {
            let (from_room, from_participant) = (display(&from.room), display(&from.participant));
            line!(info, "participant moved" at to, from_room = from_room, from_participant = from_participant);
        }
        Happening::ParticipantMuted { place, muted } => line!(info, "participant muted" at place, muted = *muted),
        Happening::Talking { place, talking } => line!(debug, "talking" at place, talking = *talking),
        Happening::RecordingDone { room, file: _ } => line!(info, "recording done", room = display(room)),
        Happening::SdpExchanged { side, kind, sdp: _ } => {
            line!(debug, "SDP", side = side.as_str(), kind = kind.as_str());
        }
        Happening::CandidateTold { side, candidate: _ } => line!(debug, "candidate", side = side.as_str()),
        Happening::ConnectionOpened { connection, admin, client: _ } => {
            line!(debug, "connection opened", transport = connection.carrier.package(), admin = *admin);
        }
        Happening::ConnectionClosed { connection } => {
            line!(debug, "connection closed", transport = connection.carrier.package());
        }
        Happening::PathFound => line!(debug, "ICE has found a path"),
        Happening::Connected => line!(info, "connected"),
        Happening::Receiving { receiving } => line!(debug, "audio arrives", receiving = *receiving),
        Happening::SlowLink { uplink, lost } => line!(debug, "slow link", uplink = *uplink, lost = *lost),
        Happening::Disconnected { reason } => line!(info, "disconnected", reason = display(reason)),
        Happening::Refused { code } => line!(debug, "request refused", code = *code),
        Happening::Custom { schema: _, data: _ } => line!(debug, "an operator's event"),
    }
}
