//! Requests to the admin port of a running server, which is found by its configuration. Knows nothing of what is asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use server::config::Config;
use server::verifier::{self, Trust};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};

/// Without an answer for so long there is none: the server itself gives up after 10 s.
const PATIENCE: Duration = Duration::from_secs(15);

/// A way to the server of a configuration.
pub(super) struct Client {
    address: SocketAddr,
    /// Names the port.
    key: &'static str,
    tls: Option<TlsConnector>,
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
        let (key, port, tls) = match (admin.enabled, admin.tls, &config.tls.certificate) {
            (true, ..) => ("admin.port", admin.port, None),
            (false, true, Some(certificate)) => ("admin.tls_port", admin.tls_port, Some(connector(certificate)?)),
            (false, true, None) => bail!("the server of this configuration cannot be known (tls.certificate)"),
            (false, false, _) => bail!("the server of this configuration cannot be asked (admin.enabled, admin.tls)"),
        };
        Ok(Self { address: SocketAddr::new(ip, port), key, tls })
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
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(HOST, self.address.to_string()).header(CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::from(body.to_owned()))?;
        // The connection ends with the runtime: who waits for a server to end must not be what that waits for.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime
            .block_on(async { tokio::time::timeout(PATIENCE, self.exchange(request)).await? })
            .with_context(|| format!("no server answers at {} (admin.address, {})", self.address, self.key))
    }

    pub(super) fn json(&self, text: &str) -> anyhow::Result<Value> {
        serde_json::from_str(text).with_context(|| format!("what answers at {} is no Plenum", self.address))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let stream = TcpStream::connect(self.address).await?;
        match &self.tls {
            None => converse(stream, request).await,
            Some(tls) => converse(tls.connect(ServerName::from(self.address.ip()), stream).await?, request).await,
        }
    }
}

/// A server is known by its very certificate: who asks from the same machine uses an address, which is not in it, and need not trust
/// its issuer.
fn connector(certificate: &Path) -> anyhow::Result<TlsConnector> {
    let certificate = CertificateDer::from_pem_file(certificate)
        .with_context(|| format!("tls.certificate: no certificate in {}", certificate.display()))?;
    let config = verifier::client_config(Trust::Only(certificate))?.with_no_client_auth();
    Ok(Arc::new(config).into())
}

async fn converse<S>(stream: S, request: Request<Full<Bytes>>) -> anyhow::Result<Answer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let answer = sender.send_request(request).await?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await?.to_bytes();
    Ok(Answer { status, body: String::from_utf8(body.into())? })
}
