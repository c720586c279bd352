//! `[rabbitmq.tls]` and `[mqtt.tls]`: how we know a message broker, and how it knows us. Reads no file.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// TLS to a message broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrokerTls {
    /// PEM: the authorities that may vouch for the broker; none = those that this machine trusts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorities: Option<PathBuf>,
    /// Ask for a certificate that an authority vouches for.
    pub verify_peer: bool,
    /// Ask for a certificate in the name of the host.
    pub verify_hostname: bool,
    /// PEM: our certificate, with those of its issuers behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// PEM: its private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

impl Default for BrokerTls {
    fn default() -> Self {
        Self { authorities: None, verify_peer: true, verify_hostname: true, certificate: None, key: None }
    }
}

impl BrokerTls {
    /// The first key that cannot be used, and what it must be.
    pub(super) fn problem(&self) -> Option<(String, String)> {
        match (&self.certificate, &self.key) {
            (Some(_), None) => Some(("tls.key".to_owned(), "the private key of tls.certificate".to_owned())),
            (None, Some(_)) => Some(("tls.certificate".to_owned(), "the certificate of tls.key".to_owned())),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }
}
