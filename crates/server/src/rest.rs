//! The REST API for back-ends, under `/v1` on the admin listener. Turns HTTP into [`signaling::Operation`]s and what
//! comes of them into HTTP; what a room may be like is signaling's to know, and must not be checked here.

mod authorization;
mod configuration;
mod document;
mod drain;
mod events;
mod participants;
mod problem;
mod request;
mod rooms;
mod schema;
mod seen;

use axum::extract::FromRef;
use axum::http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use axum::{Json, Router, middleware};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use signaling::{Operation, Outcome, Transport};
use tokio::sync::watch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use authorization::Token;
use problem::Problem;

use crate::config::Secret;
use crate::drain::owner::Drainer;
use crate::observatory::Observatory;
use crate::reload::Reloader;

/// Where the API starts.
const BASE: &str = "/v1";
/// The document that describes it.
const DOCUMENT: &str = "/v1/openapi.json";
/// The page to try it on.
const PAGE: &str = "/v1/docs";

/// Nothing but what the binary holds; Swagger UI styles its elements one by one and draws its icons as data.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                           connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the operations are done with.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) transport: Transport,
    pub(crate) observatory: Observatory,
    pub(crate) reloader: Reloader,
    pub(crate) drainer: Drainer,
}

/// The API, its document and the page. Without a `token` only the latter two answer.
pub(crate) fn router(api: Api, token: watch::Receiver<Option<Secret>>) -> Router {
    let operations = OpenApiRouter::new()
        .routes(routes!(rooms::list, rooms::create))
        .routes(routes!(rooms::read, rooms::ensure, rooms::edit, rooms::destroy))
        .routes(routes!(participants::list, participants::kick_all))
        .routes(routes!(participants::read, participants::edit, participants::kick))
        .routes(routes!(participants::relocate))
        .routes(routes!(events::server))
        .routes(routes!(events::room))
        .routes(routes!(configuration::reload))
        .routes(routes!(drain::read, drain::begin, drain::undo));
    let (operations, document) =
        OpenApiRouter::with_openapi(document::preamble()).nest(BASE, operations).split_for_parts();
    let operations = operations
        .method_not_allowed_fallback(async || Problem::Method.into_response())
        .route(&format!("{BASE}/{{*path}}"), any(async || Problem::Path.into_response()))
        .layer(middleware::from_fn_with_state(Token::new(token), authorization::check))
        .with_state(api);
    let page = Router::from(SwaggerUi::new(PAGE).config(document::page_settings())).layer(map_response(protected));
    let document = Json(document);
    Router::new().merge(operations).route(DOCUMENT, get(async move || document)).merge(page)
}

async fn protected(mut page: Response) -> Response {
    page.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    page
}

impl FromRef<Api> for Transport {
    fn from_ref(api: &Api) -> Self {
        api.transport.clone()
    }
}

impl FromRef<Api> for Observatory {
    fn from_ref(api: &Api) -> Self {
        api.observatory.clone()
    }
}

impl FromRef<Api> for Reloader {
    fn from_ref(api: &Api) -> Self {
        api.reloader.clone()
    }
}

impl FromRef<Api> for Drainer {
    fn from_ref(api: &Api) -> Self {
        api.drainer.clone()
    }
}

/// Asks signaling, and says what came of it.
async fn operate(transport: &Transport, operation: Operation) -> Result<Response, Problem> {
    let outcome = transport.operate(operation).await.map_err(Problem::Server)?.map_err(Problem::Refused)?;
    Ok(match outcome {
        Outcome::Created(room) => (StatusCode::CREATED, [(LOCATION, path_of(&room))], Json(room)).into_response(),
        Outcome::Is(it) => Json(it).into_response(),
        Outcome::Gone => StatusCode::NO_CONTENT.into_response(),
        Outcome::Unsaved => return Err(Problem::Unsaved),
    })
}

fn path_of(room: &Value) -> String {
    let id = &room["room"];
    let id = id.as_str().map_or_else(|| id.to_string(), |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string());
    format!("{BASE}/rooms/{id}")
}
