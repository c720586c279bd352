//! What a shard costs without sockets: `cargo bench -p plenum-webrtc --bench shard`. The figure to look at is the
//! fastest, and the ratio of two runs side by side.

mod support;

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

use self::support::Crowd;

const STRANGER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 1);

fn main() {
    divan::main();
}

/// 20 ms of a shard: each of so many peers sends a packet and is sent one. An item is one peer.
#[divan::bench(args = [50, 1000, 3000], sample_count = 60, sample_size = 1)]
fn tick(bencher: Bencher<'_, '_>, peers: usize) {
    let crowd = RefCell::new(Crowd::connected(peers));
    bencher
        .counter(ItemsCount::new(peers))
        .with_inputs(|| crowd.borrow_mut().next_tick())
        .bench_local_refs(|tick| crowd.borrow_mut().run(tick));
}

/// No datagram of WebRTC, from an address nobody has.
#[divan::bench]
fn garbage(bencher: Bencher<'_, '_>) {
    let mut crowd = Crowd::connected(1);
    bencher.bench_local(|| crowd.receive(STRANGER, black_box(&[0xff; 100])));
}

/// What looks like audio, from an address nobody has: the demux among so many peers.
#[divan::bench(args = [1, 1000])]
fn stranger(bencher: Bencher<'_, '_>, peers: usize) {
    let mut crowd = Crowd::connected(peers);
    bencher.bench_local(|| crowd.receive(STRANGER, black_box(&[0x80; 100])));
}

/// A connectivity check of a peer, and the answer.
#[divan::bench]
fn check(bencher: Bencher<'_, '_>) {
    let mut crowd = Crowd::connected(1);
    let (source, datagram) = crowd.check.clone();
    bencher.bench_local(|| {
        crowd.receive(source, black_box(&datagram));
        assert_eq!(crowd.drop_outputs(), 1);
    });
}

/// A check with the name of a peer that was changed on its way.
#[divan::bench]
fn broken_check(bencher: Bencher<'_, '_>) {
    let mut crowd = Crowd::connected(1);
    let (_, mut datagram) = crowd.check.clone();
    // In the message integrity, before the fingerprint of 8 bytes.
    let end = datagram.len();
    datagram[end - 10] ^= 1;
    bencher.bench_local(|| crowd.receive(STRANGER, black_box(&datagram)));
}
