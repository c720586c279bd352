//! The admin API over HTTP: the machinery of the Janus API without sessions' events. It must not know what a request means.

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::Transport;
use super::http::{body, gate, made_up, parse_request, refuse, reply};
use super::path::Target;
use super::refusal::Refusal;

/// Answers every request of the admin port that no page and no WebSocket takes.
pub(super) async fn handle(transport: Transport, request: Request) -> Response {
    let cors = transport.cors().headers(request.headers());
    let mut response = answer(&transport, request).await;
    response.headers_mut().extend(cors);
    response
}

async fn answer(transport: &Transport, request: Request) -> Response {
    let target = Target::parse(&transport.config().admin_base_path, request.uri().path());
    if let Some(response) = gate(transport, target, &request) {
        return response;
    }
    let is_post = request.method() == Method::POST;
    match target {
        Target::Outside | Target::TooDeep => StatusCode::NOT_FOUND.into_response(),
        Target::Info if is_post => refuse(transport, &Refusal::UseGetForInfo),
        Target::Ping if is_post => StatusCode::BAD_REQUEST.into_response(),
        Target::Info => reply(transport, transport.admin_request(made_up("info")).await),
        Target::Ping => reply(transport, transport.admin_request(made_up("ping")).await),
        Target::Base | Target::Session { .. } | Target::Handle { .. } => {
            let body = match body(request).await {
                Ok(body) => body,
                Err(status) => return status.into_response(),
            };
            if !is_post || body.is_empty() {
                return refuse(transport, &Refusal::MissingPayload);
            }
            match parse_request(&body, target) {
                Ok(request) => reply(transport, transport.admin_request(request).await),
                Err(refusal) => refuse(transport, &refusal),
            }
        }
    }
}
