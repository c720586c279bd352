//! The certificate of the process, and DTLS sessions that share one configuration. Knows neither paths nor RTP.
//!
//! To build and validate a crypto configuration for each peer took 0.80 ms of the 1.09 ms that a join cost; with one
//! configuration for all, a join costs 0.24 ms (dimpl 0.9).

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use dimpl::{DtlsCertificate, Output, SrtpProfile};
use str0m::crypto::{CryptoProvider, Fingerprint, from_feature_flags};

use crate::error::CertificateError;

/// Bytes. Larger than a record; a certificate may need more.
const BUFFER: usize = 2048;

/// The self-signed certificate of the process: its fingerprint is in every answer.
#[derive(Clone)]
pub struct Certificate(DtlsCertificate);

impl Certificate {
    /// Makes a new one, with a new key.
    pub fn generate() -> Result<Self, CertificateError> {
        crypto().dtls_provider.generate_certificate().map(Self).ok_or(CertificateError)
    }

    /// As in `a=fingerprint`.
    pub(crate) fn fingerprint(&self) -> String {
        fingerprint_of(&self.0.certificate, "sha-256").to_string()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

/// That of aws-lc-rs.
pub(crate) fn crypto() -> &'static CryptoProvider {
    static CRYPTO: OnceLock<CryptoProvider> = OnceLock::new();
    CRYPTO.get_or_init(from_feature_flags)
}

/// The DTLS 1.2 of one peer connection.
pub(crate) struct Dtls {
    session: dimpl::Dtls,
    /// Of the certificate that the peer has announced.
    expected: Fingerprint,
    /// It has shown that certificate.
    is_verified: bool,
    /// When [`Dtls::handle_timeout`] is of use.
    timeout: Option<Instant>,
}

pub(crate) enum DtlsOutput {
    Record(Vec<u8>),
    /// The handshake has ended well: what SRTP needs.
    Keys(SrtpProfile, Vec<u8>),
    /// The peer has said goodbye.
    Closed,
    /// Another certificate than was announced, or nothing that can go on.
    Failed,
}

impl Dtls {
    /// `active`: we begin the handshake, with [`Dtls::start`]. `None`: the fingerprint is none.
    pub(crate) fn new(certificate: &Certificate, expected: &str, active: bool, now: Instant) -> Option<Self> {
        let expected = Fingerprint::from_str(expected).ok()?;
        let mut session = dimpl::Dtls::new_12(configuration()?, certificate.0.clone(), now);
        session.set_active(active);
        session.handle_timeout(now).ok()?;
        Some(Self { session, expected, is_verified: false, timeout: None })
    }

    /// Whether we are the client.
    pub(crate) fn is_active(&self) -> bool {
        self.session.is_active()
    }

    /// There is a path.
    pub(crate) fn start(&mut self, now: Instant) -> Vec<DtlsOutput> {
        if self.is_active() {
            // An empty packet makes it begin.
            let _ = self.handle_packet(&[], now);
        }
        self.poll()
    }

    /// A datagram of the peer's. Whether it was one of DTLS.
    #[must_use]
    pub(crate) fn handle_packet(&mut self, datagram: &[u8], now: Instant) -> bool {
        // Before it takes a packet it has to know the time.
        let taken = self.session.handle_timeout(now).and_then(|()| self.session.handle_packet(datagram));
        taken.inspect_err(|error| tracing::debug!(%error, "datagram not taken")).is_ok()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Vec<DtlsOutput> {
        if self.timeout.is_none_or(|at| now < at) {
            return Vec::new();
        }
        match self.session.handle_timeout(now) {
            Ok(()) => self.poll(),
            Err(error) => {
                tracing::debug!(%error, "handshake failed");
                self.timeout = None;
                vec![DtlsOutput::Failed]
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.timeout
    }

    /// Says goodbye, if there is somebody to say it to.
    pub(crate) fn close(&mut self) -> Vec<DtlsOutput> {
        if let Err(error) = self.session.close() {
            tracing::debug!(%error, "close");
        }
        self.poll()
    }

    /// All that has come of the last call.
    pub(crate) fn poll(&mut self) -> Vec<DtlsOutput> {
        let (mut outputs, mut buffer) = (Vec::new(), vec![0; BUFFER]);
        loop {
            match self.session.poll_output(&mut buffer) {
                Output::Packet(record) => outputs.push(DtlsOutput::Record(record.to_vec())),
                Output::BufferTooSmall { needed } => buffer.resize(needed, 0),
                Output::PeerCert(certificate) => {
                    self.is_verified = fingerprint_of(certificate, &self.expected.hash_func) == self.expected;
                    if !self.is_verified {
                        outputs.push(DtlsOutput::Failed);
                    }
                }
                Output::KeyingMaterial(material, profile) => {
                    let output = if self.is_verified {
                        DtlsOutput::Keys(profile, material.to_vec())
                    } else {
                        DtlsOutput::Failed
                    };
                    outputs.push(output);
                }
                Output::CloseNotify => outputs.push(DtlsOutput::Closed),
                // Nobody has asked for data channels.
                Output::ApplicationData(_) | Output::Connected => {}
                Output::Timeout(at) => {
                    self.timeout = Some(at);
                    return outputs;
                }
                other => tracing::debug!(?other, "unknown output of DTLS"),
            }
        }
    }
}

/// RFC 8122 section 5. Any other hash than SHA-1 is taken for SHA-256: an offer with a third one has been refused.
fn fingerprint_of(certificate: &[u8], hash: &str) -> Fingerprint {
    let bytes = if hash.eq_ignore_ascii_case("sha-1") {
        crypto().sha1_provider.sha1(certificate).to_vec()
    } else {
        crypto().sha256_provider.sha256(certificate).to_vec()
    };
    Fingerprint { hash_func: hash.to_owned(), bytes }
}

fn configuration() -> Option<Arc<dimpl::Config>> {
    static CONFIGURATION: OnceLock<Option<Arc<dimpl::Config>>> = OnceLock::new();
    let build = || {
        // No cookie: ICE has proved that the peer is at its address before its first DTLS record is looked at.
        let builder = dimpl::Config::builder()
            .use_server_cookie(false)
            .with_crypto_provider(str0m_aws_lc_rs::dimpl_crypto_provider());
        let built = builder.build().map(Arc::new);
        built.inspect_err(|error| tracing::error!(%error, "no DTLS")).ok()
    };
    CONFIGURATION.get_or_init(build).clone()
}
