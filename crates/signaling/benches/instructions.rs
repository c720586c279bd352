//! Instructions of requests, counted by callgrind: the same on a busy machine as on a quiet one, so that a regression is
//! one. `cargo bench -p plenum-signaling --bench instructions`, with valgrind and gungraun-runner (same version as the
//! library) installed.
#![allow(missing_docs, unused_qualifications, reason = "what the macros make")]

mod support;

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};

use self::support::Server;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn server_and_texts(rooms: u64, client: Option<IpAddr>) -> (Server, [String; 3]) {
    let mut server = Server::with_rooms(rooms).with_client(client);
    let texts = server.texts();
    // The first time pages are found and maps grow.
    for text in &texts {
        server.ask(text);
    }
    (server, texts)
}

// From the text of a request to that of its reply: a room is made, looked for and destroyed.
#[library_benchmark(setup = server_and_texts)]
#[bench::no_other_room(0, None)]
#[bench::ten_thousand_rooms(10_000, None)]
// What the rates of the client's address cost.
#[bench::of_an_address(0, Some(CLIENT))]
fn create_exists_destroy((mut server, texts): (Server, [String; 3])) -> (Server, usize) {
    let written = texts.iter().map(|text| server.ask(black_box(text))).sum();
    (server, written)
}

library_benchmark_group!(
    name = requests,
    // A tenth more than the 138,000 among ten thousand rooms.
    config = LibraryBenchmarkConfig::default().tool(Callgrind::default().hard_limits([(EventKind::Ir, 152_000)])),
    benchmarks = [create_exists_destroy]
);
main!(library_benchmark_groups = requests);
