//! The operations on rooms.

use axum::extract::State;
use axum::response::Response;
use signaling::{Operation, Transport};

use super::operate;
use super::problem::Problem;
use super::request::{Ending, Fields, Named, Page, Wanted};
use super::schema::{Failed, NewRoom, Room, RoomChanges, Rooms};

/// Lists the rooms
///
/// A page at a time, in the order of their ids, private rooms included.
#[utoipa::path(
    get, path = "/rooms", tag = "rooms", operation_id = "list_rooms", params(Page),
    responses(
        (status = 200, description = "A page of rooms.", body = Rooms),
        Failed,
    ),
)]
pub(super) async fn list(State(transport): State<Transport>, Wanted(page): Wanted<Page>) -> Result<Response, Problem> {
    let Page { after, limit } = page.checked()?;
    operate(&transport, Operation::ListRooms { after, limit }).await
}

/// Makes a room
///
/// Without `room` in the body each call makes another one: to be able to repeat it, use `PUT`.
#[utoipa::path(
    post, path = "/rooms", tag = "rooms", operation_id = "create_room", request_body = NewRoom,
    responses(
        (status = 201, description = "The room.", body = Room, headers(("Location" = String, description = "Its path."))),
        Failed,
    ),
)]
pub(super) async fn create(
    State(transport): State<Transport>,
    properties: Fields<NewRoom>,
) -> Result<Response, Problem> {
    operate(&transport, Operation::CreateRoom { properties: properties.0 }).await
}

/// Shows a room
#[utoipa::path(
    get, path = "/rooms/{room}", tag = "rooms", operation_id = "read_room",
    params(("room" = String, Path, description = "The room's id.")),
    responses(
        (status = 200, description = "The room.", body = Room),
        Failed,
    ),
)]
pub(super) async fn read(State(transport): State<Transport>, Named(room): Named<String>) -> Result<Response, Problem> {
    operate(&transport, Operation::ReadRoom { room }).await
}

/// Makes a room, or finds it made
///
/// May be repeated: if the room exists with the same properties nothing happens, if it exists with others it is a
/// conflict (409).
#[utoipa::path(
    put, path = "/rooms/{room}", tag = "rooms", operation_id = "ensure_room",
    params(("room" = String, Path, description = "The room's id.")),
    request_body(content = NewRoom, description = "`room` may be left out."),
    responses(
        (status = 200, description = "The room, which existed.", body = Room),
        (status = 201, description = "The room, which is new.", body = Room),
        Failed,
    ),
)]
pub(super) async fn ensure(
    State(transport): State<Transport>,
    Named(room): Named<String>,
    properties: Fields<NewRoom>,
) -> Result<Response, Problem> {
    operate(&transport, Operation::EnsureRoom { room, properties: properties.0 }).await
}

/// Changes a room
///
/// What is left out stays as it is.
#[utoipa::path(
    patch, path = "/rooms/{room}", tag = "rooms", operation_id = "edit_room",
    params(("room" = String, Path, description = "The room's id.")),
    request_body = RoomChanges,
    responses(
        (status = 200, description = "The room as it is now.", body = Room),
        Failed,
    ),
)]
pub(super) async fn edit(
    State(transport): State<Transport>,
    Named(room): Named<String>,
    changes: Fields<RoomChanges>,
) -> Result<Response, Problem> {
    operate(&transport, Operation::EditRoom { room, changes: changes.0 }).await
}

/// Ends a room
///
/// Everybody in it is told `destroyed`, and their connections are closed.
#[utoipa::path(
    delete, path = "/rooms/{room}", tag = "rooms", operation_id = "destroy_room",
    params(("room" = String, Path, description = "The room's id."), Ending),
    responses(
        (status = 204, description = "The room is gone."),
        Failed,
    ),
)]
pub(super) async fn destroy(
    State(transport): State<Transport>,
    Named(room): Named<String>,
    Wanted(Ending { permanent }): Wanted<Ending>,
) -> Result<Response, Problem> {
    operate(&transport, Operation::DestroyRoom { room, permanent }).await
}
