//! The operations on participants.

use axum::extract::State;
use axum::response::Response;
use signaling::{Operation, Transport};

use super::operate;
use super::problem::Problem;
use super::request::{Fields, Named, Page, Wanted};
use super::schema::{Destination, Failed, Participant, ParticipantChanges, Participants};

/// Lists who is in a room
///
/// A page at a time, in the order of their ids.
#[utoipa::path(
    get, path = "/rooms/{room}/participants", tag = "participants", operation_id = "list_participants",
    params(("room" = String, Path, description = "The room's id."), Page),
    responses(
        (status = 200, description = "A page of participants.", body = Participants),
        Failed,
    ),
)]
pub(super) async fn list(
    State(transport): State<Transport>,
    Named(room): Named<String>,
    Wanted(page): Wanted<Page>,
) -> Result<Response, Problem> {
    let Page { after, limit } = page.checked()?;
    operate(&transport, Operation::ListParticipants { room, after, limit }).await
}

/// Puts everybody out of a room
///
/// Each is told `kicked_all`, and its connection is closed. The room stays.
#[utoipa::path(
    delete, path = "/rooms/{room}/participants", tag = "participants", operation_id = "kick_all",
    params(("room" = String, Path, description = "The room's id.")),
    responses(
        (status = 204, description = "The room is empty."),
        Failed,
    ),
)]
pub(super) async fn kick_all(
    State(transport): State<Transport>,
    Named(room): Named<String>,
) -> Result<Response, Problem> {
    operate(&transport, Operation::KickAll { room }).await
}

/// Shows a participant
#[utoipa::path(
    get, path = "/rooms/{room}/participants/{participant}", tag = "participants", operation_id = "read_participant",
    params(("room" = String, Path, description = "The room's id."),
        ("participant" = String, Path, description = "The participant's id.")),
    responses(
        (status = 200, description = "The participant.", body = Participant),
        Failed,
    ),
)]
pub(super) async fn read(
    State(transport): State<Transport>,
    Named((room, participant)): Named<(String, String)>,
) -> Result<Response, Problem> {
    operate(&transport, Operation::ReadParticipant { room, participant }).await
}

/// Mutes or unmutes a participant
///
/// The room is told, as by `mute` and `unmute`. The participant may undo it.
#[utoipa::path(
    patch, path = "/rooms/{room}/participants/{participant}", tag = "participants", operation_id = "edit_participant",
    params(("room" = String, Path, description = "The room's id."),
        ("participant" = String, Path, description = "The participant's id.")),
    request_body = ParticipantChanges,
    responses(
        (status = 200, description = "The participant as it is now.", body = Participant),
        Failed,
    ),
)]
pub(super) async fn edit(
    State(transport): State<Transport>,
    Named((room, participant)): Named<(String, String)>,
    changes: Fields<ParticipantChanges>,
) -> Result<Response, Problem> {
    operate(&transport, Operation::EditParticipant { room, participant, changes: changes.0 }).await
}

/// Puts a participant out of its room
///
/// The room is told `kicked`, and the participant's connection is closed.
#[utoipa::path(
    delete, path = "/rooms/{room}/participants/{participant}", tag = "participants", operation_id = "kick",
    params(("room" = String, Path, description = "The room's id."),
        ("participant" = String, Path, description = "The participant's id.")),
    responses(
        (status = 204, description = "The participant is gone."),
        Failed,
    ),
)]
pub(super) async fn kick(
    State(transport): State<Transport>,
    Named((room, participant)): Named<(String, String)>,
) -> Result<Response, Problem> {
    operate(&transport, Operation::Kick { room, participant }).await
}

/// Moves a participant to another room
///
/// On the connection that it has. It is told `roomchanged`, as after a `changeroom` of its own; the room that it leaves
/// is told `leaving`, the other `joined`. It needs neither pin nor token there, and is no admin there.
#[utoipa::path(
    post, path = "/rooms/{room}/participants/{participant}/move", tag = "participants", operation_id = "move_participant",
    params(("room" = String, Path, description = "The id of the room it is in."),
        ("participant" = String, Path, description = "The participant's id.")),
    request_body = Destination,
    responses(
        (status = 200, description = "The participant in its new room.", body = Participant),
        Failed,
    ),
)]
pub(super) async fn relocate(
    State(transport): State<Transport>,
    Named((room, participant)): Named<(String, String)>,
    destination: Fields<Destination>,
) -> Result<Response, Problem> {
    operate(&transport, Operation::Move { room, participant, destination: destination.0 }).await
}
