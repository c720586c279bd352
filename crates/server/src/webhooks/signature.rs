//! Signatures by the rules of Standard Webhooks (<https://www.standardwebhooks.com>), which receivers have libraries for.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// What the text of a key begins with.
const PREFIX: &str = "whsec_";
/// Bytes of a key that the rules allow.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A key that posts are signed with.
pub(super) struct Key(hmac::Key);

impl Key {
    /// `None` if this is no key.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_STANDARD.decode(text.trim().strip_prefix(PREFIX)?).ok()?;
        KEY_BYTES.contains(&bytes.len()).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The value of `webhook-signature`.
    pub(super) fn sign(&self, id: &str, timestamp: u64, body: &str) -> String {
        let signature = hmac::sign(&self.0, format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", BASE64_STANDARD.encode(signature))
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    /// The example of the reference libraries' tests.
    #[test]
    fn a_signature_is_as_the_rules_say() {
        let key = Key::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").expect("a key");
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64 at all, whatever it may look like"] {
            assert!(Key::parse(text).is_none(), "{text}");
        }
    }
}
