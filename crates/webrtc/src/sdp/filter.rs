//! Writes the part of an offer that str0m is shown: the audio section alone.
//!
//! It is written from the values that were read, never copied line by line: str0m's parser then sees only text of a
//! known form, so that an offer is refused before it touches a connection that works.

use std::fmt::Write;

use super::offer::{AudioOffer, HeaderExtension};

impl AudioOffer {
    /// The offer that str0m is shown: this section alone.
    pub(crate) fn to_str0m(&self, payload_type: u8) -> String {
        let Self { mid, ufrag, password, fingerprint, .. } = self;
        let lite = if self.ice_lite { "a=ice-lite\r\n" } else { "" };
        let setup = self.setup.as_str();
        let direction = self.direction.as_str();
        let mut text = format!(
            "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {mid}\r\n{lite}\
             m=audio 9 UDP/TLS/RTP/SAVPF {payload_type}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na={direction}\r\na=rtcp-mux\r\n\
             a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\na=fingerprint:{fingerprint}\r\na=setup:{setup}\r\n\
             a=rtpmap:{payload_type} opus/48000/2\r\n"
        );
        for HeaderExtension { id, kind, .. } in &self.extensions {
            let _ = write!(text, "a=extmap:{id} {}\r\n", kind.uri());
        }
        text
    }

    /// The offer that makes str0m give up the section `mid`, so that another may take its place (RFC 8829 section 5.2.2).
    pub(crate) fn to_str0m_without(&self, mid: &str) -> String {
        let Self { ufrag, password, fingerprint, .. } = self;
        let setup = self.setup.as_str();
        format!(
            "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE\r\n\
             m=audio 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=inactive\r\n\
             a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\na=fingerprint:{fingerprint}\r\na=setup:{setup}\r\n"
        )
    }
}
