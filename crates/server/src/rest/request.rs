//! The parts of a request: ids in its path, its query, and its body, a JSON object of documented fields only. Types and
//! values of these are signaling's to check.

use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;

/// A body whose fields are among those that `T` documents. An empty one has none.
pub(super) struct Fields<T>(pub(super) Map<String, Value>, PhantomData<T>);

impl<T: ToSchema, S: Send + Sync> FromRequest<S> for Fields<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = request.headers().get(CONTENT_TYPE).is_some_and(|value| is_json(value.as_bytes()));
        let body = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge,
            _ => Problem::Body(rejection.body_text()),
        })?;
        if body.is_empty() {
            return Ok(Self(Map::new(), PhantomData));
        }
        // Web pages of other origins can send every other type without asking first.
        if !is_json {
            return Err(Problem::MediaType);
        }
        let fields: Map<String, Value> =
            serde_json::from_slice(&body).map_err(|error| Problem::Body(error.to_string()))?;
        let known = names::<T>();
        match fields.keys().find(|name| !known.contains(name)) {
            Some(name) => Err(Problem::Field { name: name.clone(), known }),
            None => Ok(Self(fields, PhantomData)),
        }
    }
}

/// Which part of a long list is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// What `next` of the page before said.
    pub(super) after: Option<String>,
    /// At most so many.
    #[serde(default = "default_limit")]
    #[param(default = 100, minimum = 1, maximum = 1000)]
    pub(super) limit: usize,
}

/// How a room shall go.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Ending {
    /// From the configuration too: it does not come back when the server starts again.
    #[serde(default)]
    pub(super) permanent: bool,
}

/// The query of a request, all of it understood.
pub(super) struct Wanted<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Wanted<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::from_request_parts(parts, state).await;
        query.map(|Query(query)| Self(query)).map_err(|rejection| Problem::Query(rejection.body_text()))
    }
}

/// The ids in the path of a request.
pub(super) struct Named<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // Fails for what is no UTF-8, which nothing is called.
        Path::from_request_parts(parts, state).await.map(|Path(ids)| Self(ids)).map_err(|_| Problem::Path)
    }
}

impl Page {
    /// The largest page; some hundred bytes for each of them.
    const MOST: usize = 1000;

    pub(super) fn checked(self) -> Result<Self, Problem> {
        match self.limit {
            1..=Self::MOST => Ok(self),
            _ => Err(Problem::Query(format!("limit should be an integer between 1 and {}", Self::MOST))),
        }
    }
}

fn default_limit() -> usize {
    100
}

fn is_json(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    essence.eq_ignore_ascii_case(b"application/json") || essence.eq_ignore_ascii_case(b"application/merge-patch+json")
}

/// The names of the fields of `T`, as the document has them.
fn names<T: ToSchema>() -> Vec<String> {
    let RefOr::T(Schema::Object(object)) = T::schema() else { return Vec::new() };
    object.properties.into_keys().collect()
}
