//! TLS to a message broker: whom we believe, and who we are. Knows no socket.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::config::{BrokerTls, ConfigError};
use crate::verifier::{self, Trust};

/// The configuration of a client of the broker that `section` is about.
pub(super) fn client_config(
    tls: &BrokerTls,
    section: &str,
    file: Option<&Path>,
) -> Result<Arc<ClientConfig>, ConfigError> {
    let wrong = |key: &str, right: String| ConfigError::value(file, &format!("{section}.tls.{key}"), &right);
    let trust = if tls.verify_peer {
        let roots = authorities(tls).map_err(|right| wrong("authorities", right))?;
        Trust::Issuers { roots, any_name: !tls.verify_hostname }
    } else {
        Trust::Anybody
    };
    let builder = verifier::client_config(trust)
        .map_err(|error| wrong("authorities", format!("certificates of authorities: {error}")))?;
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
