//! TLS to a message broker: whom we believe, and who we are. Knows no socket.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::config::{BrokerTls, ConfigError};

/// The configuration of a client of the broker that `section` is about.
pub(super) fn client_config(
    tls: &BrokerTls,
    section: &str,
    file: Option<&Path>,
) -> Result<Arc<ClientConfig>, ConfigError> {
    let wrong = |key: &str, right: String| ConfigError::value(file, &format!("{section}.tls.{key}"), &right);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let trusted = if tls.verify_peer {
        let roots = authorities(tls).map_err(|right| wrong("authorities", right))?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
        Some(verifier.map_err(|error| wrong("authorities", format!("certificates of authorities: {error}")))?)
    } else {
        None
    };
    let verifier = Verifier { trusted, any_name: !tls.verify_hostname, provider: Arc::clone(&provider) };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong("authorities", format!("usable with TLS: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config = match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate).map_err(|right| wrong("certificate", right))?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| wrong("key", format!("a PEM file with a private key: {}: {error}", key.display())))?;
            let config = builder.with_client_auth_cert(chain, key);
            config.map_err(|error| wrong("key", format!("the private key of {section}.tls.certificate: {error}")))?
        }
        (Some(_) | None, _) => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

fn authorities(tls: &BrokerTls) -> Result<RootCertStore, String> {
    let certificates = match &tls.authorities {
        Some(path) => certificates(path)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    let (used, _) = roots.add_parsable_certificates(certificates);
    if used == 0 {
        return Err("a PEM file with certificates of authorities".to_owned());
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(format!("a PEM file with certificates: {} has none", path.display())),
        Err(error) => Err(format!("a PEM file with certificates: {}: {error}", path.display())),
    }
}

/// As strict as it is configured to be. That the broker has the key of its certificate is checked in any case.
#[derive(Debug)]
struct Verifier {
    /// `None` = any certificate.
    trusted: Option<Arc<WebPkiServerVerifier>>,
    any_name: bool,
    provider: Arc<CryptoProvider>,
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
        let Some(trusted) = &self.trusted else { return Ok(ServerCertVerified::assertion()) };
        match trusted.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is what is looked at last.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.any_name => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
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
