//! The certificate of the ports with TLS: read from its files at the start, and again when they have changed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use signaling::{Certificate, CertificateError};
use tokio::sync::mpsc;

use crate::config::{ConfigError, Tls};

/// How often the files are looked at. A certificate is renewed weeks before it ends.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);

/// A certificate and the files it comes from.
#[derive(Debug)]
pub(crate) struct CertificateFiles {
    certificate: Certificate,
    chain: PathBuf,
    key: PathBuf,
    /// What was in them when they were last looked at: chain and key. That they have changed is seen by what is in them, so
    /// that links, copies and clocks don't matter.
    seen: (Vec<u8>, Vec<u8>),
}

impl CertificateFiles {
    /// Reads the files. `wanted_by` is the key that asks for TLS, `file` the configuration file, for messages.
    pub(crate) fn load(tls: &Tls, wanted_by: &str, file: Option<&Path>) -> Result<Self, ConfigError> {
        let (Some(chain), Some(key)) = (&tls.certificate, &tls.key) else {
            let right = "false, or tls.certificate and tls.key the files of a certificate and its key";
            return Err(ConfigError::value(file, wanted_by, right));
        };
        let read = |path: &Path, key: &str| {
            std::fs::read(path).map_err(|error| {
                let right = format!("a file that this user can read: {}: {error}", path.display());
                ConfigError::value(file, key, &right)
            })
        };
        let seen = (read(chain, "tls.certificate")?, read(key, "tls.key")?);
        let certificate = Certificate::from_pem(&seen.0, &seen.1).map_err(|error| {
            let (key, right) = match error {
                CertificateError::Chain(why) => ("tls.certificate", format!("a PEM file with a certificate: {why}")),
                CertificateError::Key(why) => ("tls.key", format!("a PEM file with a private key: {why}")),
                CertificateError::Mismatch => ("tls.key", "the key of tls.certificate: it is another's".to_owned()),
            };
            ConfigError::value(file, key, &right)
        })?;
        Ok(Self { certificate, chain: chain.clone(), key: key.clone(), seen })
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Looks at the files from time to time, until nobody can bring others any more.
    pub(crate) async fn keep_up(mut self, mut others: mpsc::Receiver<Self>) {
        loop {
            match tokio::time::timeout(LOOK_INTERVAL, others.recv()).await {
                Ok(Some(other)) => self.give_way(other),
                Ok(None) => return,
                Err(_) => self.look().await,
            }
        }
    }

    /// Takes what a reload has read, maybe from other files.
    fn give_way(&mut self, other: Self) {
        let Self { chain, key, seen, certificate: _ } = other;
        (self.chain, self.key) = (chain, key);
        if seen != self.seen {
            self.take(seen);
        }
    }

    /// Takes what is in the files, if that is new; what cannot be used changes nothing, and is said once.
    async fn look(&mut self) {
        match self.read().await {
            Ok(now) if now != self.seen => self.take(now),
            Ok(_) => {}
            // A file that is just being replaced may be missing for a moment.
            Err(error) => tracing::debug!(%error, "the certificate cannot be read"),
        }
    }

    fn take(&mut self, now: (Vec<u8>, Vec<u8>)) {
        match self.certificate.replace(&now.0, &now.1) {
            Ok(()) => tracing::info!("a new certificate is shown from now on"),
            Err(error) => tracing::error!(%error, certificate = %self.chain.display(), key = %self.key.display(),
                "the certificate cannot be used: the old one stays"),
        }
        self.seen = now;
    }

    async fn read(&self) -> io::Result<(Vec<u8>, Vec<u8>)> {
        Ok((tokio::fs::read(&self.chain).await?, tokio::fs::read(&self.key).await?))
    }
}
