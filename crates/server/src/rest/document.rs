//! What the OpenAPI document says besides the operations, and how the page that shows it is set up.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi};
use utoipa_swagger_ui::Config;

use super::DOCUMENT;
use super::schema::Problem;

/// What stands before the operations.
pub(super) fn preamble() -> OpenApi {
    use utoipa::OpenApi as _;
    let mut document = Preamble::openapi();
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The `token` of the section `[admin]` of the configuration."))
        .build();
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme("token", SecurityScheme::Http(scheme));
    document
}

/// Nothing on the page may ask another server for anything.
pub(super) fn page_settings() -> Config<'static> {
    Config::from(DOCUMENT).validator_url("none").try_it_out_enabled(true)
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Plenum",
        description = "Rooms and participants of a Plenum server, for back-ends. What may be said about a room is what \
            the AudioBridge's `create` and `edit` take, with the same checks; errors are problem details (RFC 9457) with \
            the AudioBridge's `error_code`. No secret of a room is needed.",
    ),
    security(("token" = [])),
    components(schemas(Problem)),
    tags(
        (name = "rooms", description = "Rooms."),
        (name = "events", description = "What happens, as it happens."),
        (name = "server", description = "The server itself."),
        (name = "participants", description = "Those in a room. They come in by the Janus API."),
    ),
)]
struct Preamble;
