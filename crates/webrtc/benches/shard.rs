//! What a shard costs without sockets: `cargo bench -p plenum-webrtc --bench shard`. The figure to look at is the
//! fastest, and the ratio of two runs side by side.

mod support;

use std::cell::RefCell;
use std::net::SocketAddr;

use divan::Bencher;
use divan::counter::ItemsCount;

use self::support::{Crowd, SERVER};

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
    let source = SocketAddr::from(([192, 0, 2, 1], 1));
    bencher.bench_local(|| crowd.shard.handle_datagram(source, SERVER.ip(), divan::black_box(&[0xff; 100]), crowd.now));
}
