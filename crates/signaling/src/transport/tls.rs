//! The certificate that ports with TLS show, which can be replaced while they are open. It must not know files.

use std::sync::{Arc, PoisonError, RwLock};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, InconsistentKeys, ServerConfig};

/// HTTP/2 is not offered: WebSockets would need a second way through it (RFC 8441), and clients send one request at a time.
const PROTOCOLS: [&[u8]; 1] = [b"http/1.1"];

/// A certificate with its key. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Certificate {
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

/// Why PEM texts are no certificate.
#[derive(Debug)]
pub enum CertificateError {
    /// No chain of certificates: why.
    Chain(String),
    /// No private key: why.
    Key(String),
    /// The key is not that of the chain's first certificate.
    Mismatch,
}

/// What the next handshake shows.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl Certificate {
    /// Reads a certificate, with those of its issuers behind it, and its private key, both in PEM.
    ///
    /// # Errors
    /// What is wrong with which of the two.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let certified = certified(chain, key, &provider)?;
        let current = Arc::new(Current(RwLock::new(Arc::new(certified))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| CertificateError::Chain(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Current>::clone(&current));
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Self { current, config: Arc::new(config) })
    }

    /// Takes another certificate's place for all handshakes from now on; connections that are open go on.
    ///
    /// # Errors
    /// As for [`Certificate::from_pem`]; the certificate is then the one it was.
    pub fn replace(&self, chain: &[u8], key: &[u8]) -> Result<(), CertificateError> {
        let certified = certified(chain, key, self.config.crypto_provider())?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
        Ok(())
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.config).into()
    }
}

impl std::fmt::Display for CertificateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Chain(why) => write!(f, "no certificate in PEM: {why}"),
            Self::Key(why) => write!(f, "no private key in PEM: {why}"),
            Self::Mismatch => f.write_str("the key does not belong to the certificate"),
        }
    }
}

impl std::error::Error for CertificateError {}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn certified(chain: &[u8], key: &[u8], provider: &CryptoProvider) -> Result<CertifiedKey, CertificateError> {
    let chain = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| CertificateError::Chain(told(&error)))?;
    if chain.is_empty() {
        return Err(CertificateError::Chain(told(&pem::Error::NoItemsFound)));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| CertificateError::Key(told(&error)))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| {
        if error == rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) {
            CertificateError::Mismatch
        } else if matches!(error, rustls::Error::InvalidCertificate(_)) {
            CertificateError::Chain(error.to_string())
        } else {
            CertificateError::Key(error.to_string())
        }
    })
}

fn told(error: &pem::Error) -> String {
    if matches!(error, pem::Error::NoItemsFound) {
        // Also what an encrypted key looks like.
        "there is none in the file, or it is encrypted".to_owned()
    } else {
        error.to_string()
    }
}
