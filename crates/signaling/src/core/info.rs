//! What `info` tells. Keys and types are API, since monitoring reads them.

use serde_json::{Map, Value, json};

use super::Core;

/// The release of Janus whose API this is, as monitoring reads it.
const API_VERSION: u32 = 1402;
const API_VERSION_TEXT: &str = "1.4.2";
const AUTHOR: &str = "The Plenum authors";

impl Core {
    pub(super) fn server_info(&self, transaction: &str) -> Value {
        let config = &self.config;
        let media = &config.media;
        let mut info = Map::new();
        let mut tell = |key: &str, value: Value| {
            info.insert(key.to_owned(), value);
        };
        tell("janus", "server_info".into());
        tell("transaction", transaction.into());
        tell("name", "Plenum".into());
        tell("version", API_VERSION.into());
        tell("version_string", API_VERSION_TEXT.into());
        tell("author", AUTHOR.into());
        tell("commit-hash", "unknown".into());
        tell("compile-time", "unknown".into());
        tell("plenum-version", env!("CARGO_PKG_VERSION").into());
        tell("log-to-stdout", true.into());
        tell("log-to-file", false.into());
        tell("data_channels", false.into());
        tell("accepting-new-sessions", self.accepting.into());
        tell("session-timeout", config.session_timeout.as_secs().into());
        tell("reclaim-session-timeout", config.reclaim_session_timeout.as_secs().into());
        tell("candidates-timeout", config.candidates_timeout.as_secs().into());
        tell("server-name", config.server_name.as_str().into());
        tell("local-ip", media.local_ip.as_str().into());
        if let Some(first) = media.public_ips.first() {
            tell("public-ip", first.as_str().into());
        }
        if media.public_ips.len() > 1 {
            tell("public-ips", media.public_ips.clone().into());
        }
        tell("ipv6", media.ipv6.into());
        tell("ice-lite", media.ice_lite.into());
        tell("ice-tcp", false.into());
        tell("ice-consent-freshness", true.into());
        tell("ice-keepalive-conncheck", false.into());
        tell("hangup-on-failed", false.into());
        tell("full-trickle", media.full_trickle.into());
        tell("mdns-enabled", false.into());
        tell("min-nack-queue", self.idle.min_nack_queue.into());
        tell("nack-optimizations", self.idle.nack_optimizations.into());
        tell("twcc-period", 200.into());
        tell("dtls-mtu", 1200.into());
        tell("static-event-loops", 0.into());
        tell("api_secret", config.api_secret.is_some().into());
        tell("auth_token", config.token_auth.into());
        tell("event_handlers", false.into());
        tell("opaqueid_in_api", config.opaqueid_in_api.into());
        if !config.hide_dependencies {
            tell("dependencies", json!({}));
        }
        tell(
            "transports",
            json!({
                "janus.transport.http": described("Plenum HTTP transport", "JSON over HTTP", "0.0.2", 2),
                "janus.transport.websockets":
                    described("Plenum WebSocket transport", "JSON over WebSocket", "0.0.1", 1),
            }),
        );
        tell("events", json!({}));
        tell("loggers", json!({}));
        tell(
            "plugins",
            json!({
                "janus.plugin.audiobridge":
                    described("Plenum AudioBridge", "Audio conferences, mixed", "0.0.13", 13),
                "janus.plugin.echotest": described("Plenum EchoTest", "One's own audio back", "0.0.7", 7),
            }),
        );
        Value::Object(info)
    }
}

fn described(name: &str, description: &str, version_string: &str, version: u32) -> Value {
    json!({
        "name": name,
        "author": AUTHOR,
        "description": description,
        "version_string": version_string,
        "version": version,
    })
}
