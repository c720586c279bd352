//! Posts over HTTP, with TLS where the URL says so. Follows no redirect: what is meant for one receiver is for no other. Knows
//! nothing of what it posts.

use std::time::Duration;

use axum::http::header::{HeaderValue, USER_AGENT};
use axum::http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio_rustls::rustls::crypto::aws_lc_rs;

/// Bytes of an answer that are read, so that its connection can be used again: a receiver has nothing to say but its status.
const ANSWER_BYTES: usize = 64 * 1024;

/// Connections to receivers, kept open between posts.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// Why there was no answer. Says nothing of the URL, which may hold a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    #[error("no answer in time")]
    Timeout,
    #[error("no connection")]
    Unreachable,
    #[error("the connection broke")]
    Broken,
}

impl HttpClient {
    /// Trusts the authorities that this machine does.
    ///
    /// # Errors
    /// There are none.
    pub(crate) fn new() -> std::io::Result<Self> {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(aws_lc_rs::default_provider())?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    /// Sends `request` and waits for the status of its answer.
    ///
    /// # Errors
    /// There was none within `timeout`.
    pub(crate) async fn send(&self, request: Request<Bytes>, timeout: Duration) -> Result<StatusCode, PostError> {
        let mut request = request.map(Full::new);
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let exchange = async {
            let answer = self
                .0
                .request(request)
                .await
                .map_err(|error| if error.is_connect() { PostError::Unreachable } else { PostError::Broken })?;
            let status = answer.status();
            drain(answer.into_body()).await;
            Ok(status)
        };
        tokio::time::timeout(timeout, exchange).await.map_err(|_| PostError::Timeout)?
    }
}

const AGENT: &str = concat!("plenum/", env!("CARGO_PKG_VERSION"));

async fn drain(mut answer: Incoming) {
    let mut left = ANSWER_BYTES;
    while let Some(Ok(frame)) = answer.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        if length > left {
            return;
        }
        left -= length;
    }
}
