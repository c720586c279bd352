//! The certificate of the process, and DTLS sessions that share one configuration.
//!
//! The stock provider of str0m builds and validates a whole crypto configuration for each peer: 0.80 ms of the 1.09 ms
//! that a join cost; with one configuration for all, a join costs 0.24 ms (str0m 0.25.0, dimpl 0.9).

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use str0m::config::{CryptoProvider, DtlsCert};
use str0m::crypto::dtls::{DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion};
use str0m::crypto::{CryptoError, Fingerprint, from_feature_flags};

use crate::error::CertificateError;

/// The self-signed certificate of the process: its fingerprint is in every answer.
#[derive(Clone)]
pub struct Certificate(DtlsCert);

impl Certificate {
    /// Makes a new one, with a new key.
    pub fn generate() -> Result<Self, CertificateError> {
        from_feature_flags().dtls_provider.generate_certificate().map(Self).ok_or(CertificateError)
    }

    pub(crate) fn as_str0m(&self) -> DtlsCert {
        self.0.clone()
    }

    /// As in `a=fingerprint`.
    pub(crate) fn fingerprint(&self) -> String {
        let bytes = from_feature_flags().sha256_provider.sha256(&self.0.certificate).to_vec();
        Fingerprint { hash_func: "sha-256".to_owned(), bytes }.to_string()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

/// The crypto of aws-lc-rs with [`SharedDtls`] in the place of its DTLS provider.
pub(crate) fn crypto_provider() -> CryptoProvider {
    static SHARED_DTLS: SharedDtls = SharedDtls;
    CryptoProvider { dtls_provider: &SHARED_DTLS, ..from_feature_flags() }
}

#[derive(Debug)]
struct SharedDtls;

impl DtlsProvider for SharedDtls {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        // Every `Rtc` of this crate has the same MTU, so the first one's configuration fits all.
        static CONFIGURATION: OnceLock<Result<Arc<dimpl::Config>, String>> = OnceLock::new();
        let configuration = CONFIGURATION.get_or_init(|| configuration(mtu)).clone().map_err(CryptoError::Other)?;
        if version != DtlsVersion::Dtls12 {
            return Err(CryptoError::Other(format!("only DTLS 1.2 is used, not {version}")));
        }
        let certificate = dimpl::DtlsCertificate {
            certificate: certificate.certificate.clone(),
            private_key: certificate.private_key.clone(),
        };
        Ok(Box::new(Session(dimpl::Dtls::new_12(configuration, certificate, now))))
    }
}

fn configuration(mtu: Option<usize>) -> Result<Arc<dimpl::Config>, String> {
    // No cookie: ICE has proved that the peer is at its address before its first DTLS record is looked at.
    let mut builder = dimpl::Config::builder()
        .use_server_cookie(false)
        .with_crypto_provider(str0m_aws_lc_rs::dimpl_crypto_provider());
    if let Some(mtu) = mtu {
        builder = builder.mtu(mtu);
    }
    builder.build().map(Arc::new).map_err(|error| error.to_string())
}

/// Hands every call on: the trait and the type belong to two other crates.
struct Session(dimpl::Dtls);

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

impl DtlsInstance for Session {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        self.0.poll_output(buffer)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}
