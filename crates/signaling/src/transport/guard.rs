//! Pages beside the API that its clients alone may see: whoever has its secret or a token, from the origins that it allows. It must
//! not know what they show.

use std::collections::HashMap;

use axum::extract::{Query, Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Transport;
use super::listener::ClientAddress;
use super::owner::Inbound;
use crate::{Credentials, Visit};

/// Lets a request with `apisecret` or `token` in its query through, as a long poll has them.
pub(super) async fn guard(State(transport): State<Transport>, request: Request, next: Next) -> Response {
    let cors = transport.cors().headers(request.headers());
    let mut response = if request.method() == Method::OPTIONS {
        StatusCode::OK.into_response()
    } else if !transport.cors().permits(request.headers()) {
        StatusCode::FORBIDDEN.into_response()
    } else {
        let ClientAddress(client) = ClientAddress::of(request.extensions());
        let credentials = credentials(request.uri());
        match transport.ask(|reply| Inbound::Visit { client, credentials, reply }).await {
            Ok(Visit::Welcome) => next.run(request).await,
            Ok(Visit::Forbidden) => StatusCode::FORBIDDEN.into_response(),
            Ok(Visit::TooMany) => StatusCode::TOO_MANY_REQUESTS.into_response(),
            Err(status) => status.into_response(),
        }
    };
    response.headers_mut().extend(cors);
    response
}

fn credentials(uri: &Uri) -> Credentials {
    let query = Query::<HashMap<String, String>>::try_from_uri(uri);
    let mut query = query.map(|query| query.0).unwrap_or_default();
    Credentials { apisecret: query.remove("apisecret"), token: query.remove("token") }
}
