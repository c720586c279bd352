//! What requests take from the text that came to the text that goes: `cargo bench -p plenum-signaling --bench requests`.

mod support;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

use self::support::Server;

fn main() {
    divan::main();
}

/// A room is made, looked for and destroyed among others.
#[divan::bench(args = [0, 10_000])]
fn create_exists_destroy(bencher: Bencher<'_, '_>, rooms: u64) {
    let mut server = Server::with_rooms(rooms);
    let texts = server.texts();
    let requests = ItemsCount::new(texts.len());
    bencher.counter(requests).bench_local(|| texts.iter().map(|text| server.ask(black_box(text))).sum::<usize>());
}
