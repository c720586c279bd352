//! A DTLS provider whose peers share one configuration and one certificate. Knows nothing of what goes over it.
//!
//! The stock provider checks its whole cryptography again for each peer: 1.09 ms of CPU per join instead of 0.24
//! (measured with str0m 0.25), which at a storm of joins would make the generator the bottleneck.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
};
use str0m::crypto::{CryptoError, CryptoProvider, from_feature_flags};

/// What every peer of this process uses.
#[derive(Clone, Debug)]
pub struct Identity {
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) certificate: DtlsCert,
}

impl Identity {
    /// A fresh self-signed certificate; `None` if the cryptography cannot make one.
    pub fn generate() -> Option<Self> {
        static SHARED: Shared = Shared;
        let provider = CryptoProvider { dtls_provider: &SHARED, ..from_feature_flags() };
        let certificate = provider.dtls_provider.generate_certificate()?;
        Some(Self { provider: Arc::new(provider), certificate })
    }
}

#[derive(Debug)]
struct Shared;

static CONFIG: OnceLock<Arc<dimpl::Config>> = OnceLock::new();

impl DtlsProvider for Shared {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "str0m reserves the right to add versions")]
    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let config = match CONFIG.get() {
            Some(config) => config.clone(),
            None => {
                let mut builder = dimpl::Config::builder()
                    .use_server_cookie(false)
                    .with_crypto_provider(str0m_aws_lc_rs::dimpl_crypto_provider());
                if let Some(mtu) = mtu {
                    builder = builder.mtu(mtu);
                }
                let config = builder.build().map_err(|error| CryptoError::Other(error.to_string()))?;
                CONFIG.get_or_init(|| Arc::new(config)).clone()
            }
        };
        let certificate = dimpl::DtlsCertificate {
            certificate: certificate.certificate.clone(),
            private_key: certificate.private_key.clone(),
        };
        let dtls = match version {
            DtlsVersion::Dtls12 => dimpl::Dtls::new_12(config, certificate, now),
            DtlsVersion::Dtls13 => dimpl::Dtls::new_13(config, certificate, now),
            _ => dimpl::Dtls::new_auto(config, certificate, now),
        };
        Ok(Box::new(Instance(dtls)))
    }
}

struct Instance(dimpl::Dtls);

impl std::fmt::Debug for Instance {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Instance")
    }
}

impl DtlsInstance for Instance {
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
