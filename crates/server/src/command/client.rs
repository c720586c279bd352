//! Requests to the admin port of a running server, which is found by its configuration. Knows nothing of what is asked.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;
use server::config::Config;

/// Without an answer for so long there is none: the server itself gives up after 10 s.
const PATIENCE: Duration = Duration::from_secs(15);

/// A way to the server of a configuration.
pub(super) struct Client {
    address: SocketAddr,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Client {
    pub(super) fn of(config: &Config) -> Self {
        let ip = match config.admin.address {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
        };
        Self { address: SocketAddr::new(ip, config.admin.port) }
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
        let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let headers = format!("{authorization}Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        self.exchange(&format!("{method} {path} HTTP/1.0\r\nHost: {}\r\n{headers}\r\n{body}", self.address))
            .with_context(|| format!("no server answers at {} (admin.address, admin.port)", self.address))
    }

    pub(super) fn json(&self, text: &str) -> anyhow::Result<Value> {
        serde_json::from_str(text).with_context(|| format!("what answers at {} is no Plenum", self.address))
    }

    /// On a connection of its own, in HTTP/1.0: the answer then ends with the connection.
    fn exchange(&self, request: &str) -> anyhow::Result<Answer> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request.as_bytes())?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        let (head, body) = response.split_once("\r\n\r\n").context("no answer")?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no answer")?;
        Ok(Answer { status, body: body.to_owned() })
    }
}
