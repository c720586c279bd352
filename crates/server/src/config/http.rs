//! `[http]`: the Janus API over HTTP and HTTPS, and the room page.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{JsonStyle, Network};

/// `[http]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Whether there is HTTP without TLS.
    pub enabled: bool,
    /// Where to listen, with and without TLS.
    pub address: IpAddr,
    /// 0 = any free port.
    pub port: u16,
    /// Whether there is HTTPS; needs `[tls]`.
    pub tls: bool,
    /// The port of HTTPS; 0 = any free port.
    pub tls_port: u16,
    /// Where the Janus API starts.
    pub base_path: String,
    /// The origins of pages that browsers let call, on every port (`Access-Control-Allow-Origin`); empty = `*`.
    #[serde(deserialize_with = "one_or_many")]
    pub allow_origin: Vec<String>,
    /// Refuse requests whose origin is not in `allow_origin`.
    pub enforce_cors: bool,
    /// Who may connect; empty = everybody.
    pub acl: Vec<Network>,
    /// Judge requests that come through `proxies.trusted` by whom those speak for.
    pub acl_forwarded: bool,
    /// How answers are written.
    pub json: JsonStyle,
    /// Connections at the same time on each port, WebSockets included.
    pub connection_limit: usize,
    /// A connection of any port that has not sent a whole request for so many seconds is closed.
    pub idle_timeout: u64,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            enabled: true,
            address: Ipv4Addr::UNSPECIFIED.into(),
            port: 8088,
            tls: false,
            tls_port: 8089,
            base_path: "/janus".to_owned(),
            allow_origin: Vec::new(),
            enforce_cors: false,
            acl: Vec::new(),
            acl_forwarded: false,
            json: JsonStyle::default(),
            connection_limit: 100_000,
            idle_timeout: 120,
        }
    }
}

impl Http {
    /// The key whose value cannot be used, and what could.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        if !self.base_path.starts_with('/') || self.base_path.len() < 2 {
            return Some(("base_path", "a path that starts with / and names something, such as \"/janus\""));
        }
        if self.enforce_cors && self.allow_origin.is_empty() {
            return Some(("enforce_cors", "false, or an http.allow_origin to enforce"));
        }
        if !self.allow_origin.iter().all(|origin| is_origin(origin)) {
            return Some(("allow_origin", "scheme and host, such as \"https://rooms.example.org\", without a path"));
        }
        if self.idle_timeout == 0 {
            return Some(("idle_timeout", "at least 1: a client that says nothing would stay for ever"));
        }
        None
    }
}

/// What browsers send as `Origin` (RFC 6454 section 7.1).
fn is_origin(text: &str) -> bool {
    let host = text.split_once("://").map(|(_, host)| host);
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/'))
}

/// One text stands for a list of one.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct OneOrMany;

    impl<'de> Visitor<'de> for OneOrMany {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an origin or a list of them")
        }

        fn visit_str<E>(self, one: &str) -> Result<Vec<String>, E> {
            Ok(vec![one.to_owned()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, many: A) -> Result<Vec<String>, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(many))
        }
    }

    deserializer.deserialize_any(OneOrMany)
}
