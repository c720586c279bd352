//! What can't be shown from outside: the fault has to be put in where a peer is called.

use super::*;
use crate::sdp::{AnswerTraits, MixTraits};

#[path = "../../tests/support/offers.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the other tests")]
mod offers;

#[test]
#[expect(clippy::disallowed_methods, reason = "where virtual time starts does not matter")]
fn a_panic_costs_one_peer() {
    let now = Instant::now();
    let config = ShardConfig::announcing(vec![SocketAddr::from(([203, 0, 113, 5], 10_000))]);
    let mut shard: Shard<u32> = Shard::new(config, Certificate::generate().unwrap(), [0; 32], now);
    let peers = [0, 1].map(|index| PeerSlot { index, generation: 1 });
    for peer in peers {
        let session_name = "AudioBridge 1".to_owned();
        let traits = AnswerTraits::Mix(MixTraits { session_name, max_playback_rate: 48_000, stereo: false, dtx: true });
        let offer = offers::text(offers::CHROMIUM);
        shard.handle_command(Command::Negotiate { peer, negotiation: 1, offer, traits }, now);
    }
    while shard.poll_output().is_some() {}

    assert_eq!(shard.with_peer(0, |_| -> u32 { panic!("as a parser might") }), None);

    let closed = Output::Event { peer: peers[0], event: PeerEvent::Closed(CloseReason::Internal) };
    assert_eq!(shard.poll_output(), Some(closed));
    assert_eq!(shard.with_peer(0, |_| ()), None);
    assert_eq!(shard.with_peer(1, |_| ()), Some(()));
    assert_eq!((shard.counters.panics, shard.counters.peers, shard.counters.closed.internal), (1, 1, 1));
}
