//! The dialogues of the Janus API on the binary, over both transports, and beside Debian's Janus: those that need no say in
//! what the media planes do, and no time that passes at will.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

mod compare;
#[path = "../../../signaling/tests/dialogues/live.rs"]
mod live;
#[path = "../../../signaling/tests/dialogues/message.rs"]
mod message;
#[path = "../../../signaling/tests/dialogues/pattern.rs"]
mod pattern;
mod peers;
#[allow(dead_code, reason = "media planes that say what they are told, and a store that fails, are the core's tests'")]
#[path = "../../../signaling/tests/dialogues/script.rs"]
mod script;
#[path = "../support/mod.rs"]
mod support;

use live::{Transport, play};
use peers::{Peer, playable};

#[tokio::test]
async fn the_binary_goes_as_written() {
    let mut failures = Vec::new();
    for script in playable() {
        for transport in [Transport::WebSocket, Transport::Http] {
            if transport.plays(&script) {
                let peer = Peer::plenum(&script, "alone");
                failures.extend(play(&script, &peer, transport, seed()).await.err());
            }
        }
    }
    assert!(failures.is_empty(), "{} dialogues went differently:\n\n{}", failures.len(), failures.join("\n\n"));
}

/// Where numbers that name nothing yet begin: another place for every dialogue on the same server.
fn seed() -> u64 {
    rand::random_range(1 << 40..1 << 50)
}
