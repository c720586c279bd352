//! Where a server is: `ws://host:port/path` or `http://host:port/janus`. Resolves no names.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// How requests travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// One WebSocket per participant.
    WebSocket,
    /// POST and long poll.
    Http,
}

/// Address of a server's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    /// How requests travel.
    pub scheme: Scheme,
    /// Name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// With a leading slash.
    pub path: String,
}

/// A text that is no such address.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "{0:?} is no address of a server: ws://host[:8188][/path] or http://host[:8088][/janus] (for TLS, point it at the plain port behind)"
)]
pub struct UrlError(String);

impl FromStr for ServerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let wrong = || UrlError(text.to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let (scheme, default_port, default_path) = match scheme {
            "ws" => (Scheme::WebSocket, 8188, "/"),
            "http" => (Scheme::Http, 8088, "/janus"),
            _ => return Err(wrong()),
        };
        let (authority, path) = rest.find('/').map_or((rest, default_path), |slash| rest.split_at(slash));
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => {
                let (host, port) = bracketed.split_once(']').ok_or_else(wrong)?;
                (host, port.strip_prefix(':'))
            }
            None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Ok(default_port), str::parse).map_err(|_| wrong())?;
        if host.is_empty() {
            return Err(wrong());
        }
        Ok(Self { scheme, host: host.to_owned(), port, path: path.trim_end_matches('/').to_owned() })
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::WebSocket => "ws",
            Scheme::Http => "http",
        };
        write!(formatter, "{scheme}://{}{}", self.authority(), self.path)
    }
}

impl ServerUrl {
    /// `host:port`, as in a Host header.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}
