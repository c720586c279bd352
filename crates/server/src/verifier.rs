//! Whom our clients of TLS believe: by an issuer, by one very certificate, or whatever is shown. That a server has the key of its
//! certificate is checked in any case. Knows no socket and no file.

use std::sync::Arc;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{WantsClientCert, WebPkiServerVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// What a server must show.
#[derive(Debug)]
pub enum Trust {
    /// Any certificate.
    Anybody,
    /// This certificate.
    Only(CertificateDer<'static>),
    /// One that leads to one of these; with `any_name`, whatever name is in it.
    Issuers {
        /// The authorities.
        roots: RootCertStore,
        /// Whether the name in it does not matter.
        any_name: bool,
    },
}

/// The configuration of a client, up to what it shows itself.
///
/// # Errors
/// `trust` holds nothing that can be trusted.
pub fn client_config(trust: Trust) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let expected = match trust {
        Trust::Anybody => Expected::Anything,
        Trust::Only(certificate) => Expected::Certificate(certificate),
        Trust::Issuers { roots, any_name } => {
            let issuers = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
            Expected::Issued { by: issuers.map_err(|error| Error::General(error.to_string()))?, any_name }
        }
    };
    let verifier = Verifier { expected, provider: Arc::clone(&provider) };
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier)))
}

#[derive(Debug)]
struct Verifier {
    expected: Expected,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
enum Expected {
    Anything,
    Certificate(CertificateDer<'static>),
    Issued { by: Arc<WebPkiServerVerifier>, any_name: bool },
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.expected {
            Expected::Anything => Ok(ServerCertVerified::assertion()),
            Expected::Certificate(certificate) if certificate == end_entity => Ok(ServerCertVerified::assertion()),
            Expected::Certificate(_) => {
                Err(Error::General("it shows another certificate than the one it is known by".to_owned()))
            }
            Expected::Issued { by, any_name } => {
                match by.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
                    // The name is what is looked at last.
                    Err(Error::InvalidCertificate(
                        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                    )) if *any_name => Ok(ServerCertVerified::assertion()),
                    verdict => verdict,
                }
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
