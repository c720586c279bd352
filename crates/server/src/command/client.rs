//! Requests to the admin port of a running server, which is found by its configuration. Knows nothing of what is asked.

mod same_certificate;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use server::config::Config;

/// Without an answer for so long there is none: the server itself gives up after 10 s.
const PATIENCE: Duration = Duration::from_secs(15);

/// A way to the server of a configuration.
pub(super) struct Client {
    address: SocketAddr,
    /// Names the port.
    key: &'static str,
    scheme: &'static str,
    connector: HttpsConnector<HttpConnector>,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Client {
    /// Over TLS only if there is no other port.
    pub(super) fn of(config: &Config) -> anyhow::Result<Self> {
        let admin = &config.admin;
        let ip = match admin.address {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
        };
        let (scheme, key, port, certificate) = match (admin.enabled, admin.tls) {
            (true, _) => ("http", "admin.port", admin.port, None),
            (false, true) => ("https", "admin.tls_port", admin.tls_port, config.tls.certificate.as_deref()),
            (false, false) => bail!("the server of this configuration cannot be asked (admin.enabled, admin.tls)"),
        };
        Ok(Self { address: SocketAddr::new(ip, port), key, scheme, connector: connector(certificate)? })
    }

    /// A request whose answer must be a success.
    pub(super) fn post(&self, path: &str, body: &str) -> anyhow::Result<String> {
        let Answer { status, body } = self.request("POST", path, None, body)?;
        if status != 200 {
            bail!("{} answers with status {status}", self.address);
        }
        Ok(body)
    }

    /// One request, with a bearer token if there is one.
    pub(super) fn request(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> anyhow::Result<Answer> {
        let uri = format!("{}://{}{path}", self.scheme, self.address);
        let mut request = Request::builder().method(method).uri(uri).header(CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::from(body.to_owned()))?;
        // With the runtime ends the connection: who waits for the end of a server must not be a client that it waits for.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime
            .block_on(async { tokio::time::timeout(PATIENCE, self.exchange(request)).await? })
            .with_context(|| format!("no server answers at {} (admin.address, {})", self.address, self.key))
    }

    pub(super) fn json(&self, text: &str) -> anyhow::Result<Value> {
        serde_json::from_str(text).with_context(|| format!("what answers at {} is no Plenum", self.address))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(self.connector.clone());
        let answer = client.request(request).await?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await?.to_bytes();
        Ok(Answer { status, body: String::from_utf8(body.into())? })
    }
}

/// `certificate` is what a server shows that has TLS.
fn connector(certificate: Option<&Path>) -> anyhow::Result<HttpsConnector<HttpConnector>> {
    let tls = same_certificate::client_config(certificate)?;
    Ok(HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build())
}
