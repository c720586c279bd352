//! What can go wrong, in words that may be shown to a client: no memory addresses, nothing of what libraries print.

/// Why a peer connection ended without our asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The peer closed its DTLS transport (`close_notify`).
    DtlsAlert,
    /// A path was found but the DTLS handshake did not end in time.
    DtlsTimeout,
    /// The DTLS handshake failed: a certificate that is not the announced one, a broken state.
    DtlsError,
    /// No path to the peer was found in time.
    IceFailed,
    /// The peer stopped refreshing its consent to receive (RFC 7675).
    ConsentLost,
    /// A fault of ours; the counters say how many.
    Internal,
}

impl CloseReason {
    /// The reason as Janus words it in its `hangup` event. Janus has no word for lost consent of its own: it says that ICE failed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DtlsAlert => "DTLS alert",
            Self::DtlsTimeout => "DTLS timeout",
            Self::DtlsError => "DTLS error",
            Self::IceFailed | Self::ConsentLost => "ICE failed",
            Self::Internal => "Internal error",
        }
    }
}

/// The process could not make its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("could not generate a DTLS certificate")]
pub struct CertificateError;

/// Why an offer or an answer is refused. Whatever is quoted from it is cut short.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OfferError {
    #[error("Invalid SDP (more than {limit} bytes)")]
    TooLong { limit: usize },
    #[error("Invalid SDP (doesn't start with v=)")]
    NoVersion,
    #[error("Invalid line ({length} bytes): {line}")]
    ShortLine { length: usize, line: String },
    #[error("Invalid line (2nd char is not '='): {line}")]
    NoEquals { line: String },
    #[error("Invalid m= line: {line}")]
    Media { line: String },
    #[error("Too many m= lines (more than {limit})")]
    TooManySections { limit: usize },
    #[error("Missing mandatory lines (o=, s= or m=)")]
    Incomplete,
    #[error("Invalid mid (1 to 16 characters): {mid}")]
    Mid { mid: String },
    #[error("Duplicate mid: {mid}")]
    DuplicateMid { mid: String },
    #[error("Missing or invalid ICE credentials (ice-ufrag, ice-pwd)")]
    IceCredentials,
    #[error("Missing or invalid fingerprint (sha-256 or sha-1)")]
    Fingerprint,
    #[error("Invalid setup: {setup}")]
    Setup { setup: String },
    #[error("Both sides are ICE lite")]
    BothLite,
    #[error("The payload type of an established stream can't change")]
    PayloadTypeChanged,
    #[error("The answer accepts no audio with Opus")]
    AnswerWithoutAudio,
    #[error("The answer is not one to our offer (one section, mid {mid}, payload type {payload_type})")]
    AnswerToAnother { mid: &'static str, payload_type: u8 },
    #[error("An answer without an offer")]
    NoOffer,
    #[error("The offers of this connection are the peer's")]
    NotOurs,
    /// Without Opus, or with a fingerprint that is none: what reads offers refuses both before.
    #[error("The SDP could not be applied")]
    NotApplied,
    #[error("The peer connection failed")]
    Internal,
}
