//! TCP as the way for who cannot use UDP: what a shard does with frames, in virtual time.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use support::{TCP_PORT, World, over_tcp, server, slot};
use webrtc::{Command, PeerEvent, ShardConfig};

fn with_tcp() -> ShardConfig {
    ShardConfig { tcp_port: Some(TCP_PORT), ..ShardConfig::announcing(vec![server()]) }
}

fn call(config: ShardConfig, udp_blocked: bool) -> (World, usize) {
    let mut world = World::with(config);
    world.drop_udp = udp_blocked;
    let client = world.add_tcp_client();
    world.negotiate(client);
    assert!(world.run_until(Duration::from_secs(10), |world| world.is_up(client)), "no connection");
    world.clients[client].talking = true;
    world.listeners.push(slot(client));
    (world, client)
}

/// Which address of the shard the audio goes through, and whether over TCP, as it says itself.
fn path(world: &mut World, client: usize) -> (SocketAddr, bool) {
    world.run_for(Duration::from_secs(6));
    let ice = world.describe(client).unwrap().ice;
    (ice.selected_pair.unwrap().0, ice.over_tcp)
}

#[test]
fn audio_flows_both_ways_where_udp_is_blocked() {
    for config in [with_tcp(), ShardConfig { ice_lite: false, ..with_tcp() }] {
        let (mut world, client) = call(config, true);

        assert!(world.flows_both_ways(client));
        world.run_for(Duration::from_secs(40));
        assert!(world.flows_both_ways(client), "after the time in which a path has to be proved again");
        assert_eq!(path(&mut world, client), (over_tcp(server()), true));
        assert_eq!(world.count(client, |event| matches!(event, PeerEvent::Closed(_))), 0);
    }
}

#[test]
fn where_udp_works_it_is_used() {
    let (mut world, client) = call(with_tcp(), false);

    assert!(world.flows_both_ways(client));
    assert_eq!(path(&mut world, client), (server(), false));
    assert!(world.shard.has_connection(world.clients[client].address), "the other way is known as well");
}

#[test]
fn behind_a_nat_connections_count_as_made_to_the_public_address() {
    let public: SocketAddr = "192.0.2.1:10000".parse().unwrap();
    let config = ShardConfig {
        public_mapping: Some(public.ip()),
        tcp_port: Some(TCP_PORT),
        ..ShardConfig::announcing(vec![public])
    };
    let mut world = World::with(config);
    (world.nat, world.drop_udp) = (Some(public), true);
    let client = world.add_tcp_client();
    let answer = world.negotiate(client);

    assert!(answer.sdp.contains(&format!(" tcp 1520435199 {} {TCP_PORT} typ host tcptype passive", public.ip())));
    assert!(world.run_until(Duration::from_secs(10), |world| world.is_up(client)), "no connection");
}

#[test]
fn candidates_over_tcp_come_last_and_only_where_there_is_a_port() {
    let addresses = vec![server(), SocketAddr::from(([203, 0, 113, 6], 10_000))];
    let candidates = |tcp_port| {
        let mut world = World::with(ShardConfig { tcp_port, ..ShardConfig::announcing(addresses.clone()) });
        let client = world.add_client();
        let sdp = world.negotiate(client).sdp;
        sdp.lines().filter(|line| line.starts_with("a=candidate")).map(str::to_owned).collect::<Vec<_>>()
    };

    assert_eq!(
        candidates(Some(TCP_PORT)),
        [
            "a=candidate:1 1 udp 2130706431 203.0.113.5 10000 typ host",
            "a=candidate:2 1 udp 2130706175 203.0.113.6 10000 typ host",
            "a=candidate:3 1 tcp 1520435199 203.0.113.5 443 typ host tcptype passive",
            "a=candidate:4 1 tcp 1520434943 203.0.113.6 443 typ host tcptype passive",
        ]
    );
    assert_eq!(candidates(None).len(), 2);
}

#[test]
fn a_connection_is_kept_only_for_a_check_with_the_peers_password() {
    let (mut world, _) = call(with_tcp(), true);
    world.run_for(Duration::from_secs(1));
    let check = world.last_check.clone();
    let stranger = SocketAddr::from(([192, 0, 2, 66], 6666));
    let wrong = |at: usize| {
        let mut check = check.clone();
        check[at] ^= 1;
        check
    };

    assert!(!world.frame(stranger, &wrong(8)), "another transaction with the integrity of this");
    assert!(!world.frame(stranger, &wrong(25)), "another user");
    assert!(!world.frame(stranger, &check[..check.len() - 4]), "cut");
    assert!(!world.frame(stranger, &world.last_record.clone()), "DTLS from nobody");
    assert!(!world.frame(stranger, b"GET / HTTP/1.1\r\n"), "something else");
    assert!(!world.shard.has_connection(stranger));
    assert!(world.frame(stranger, &check));
}

#[test]
fn a_connection_is_forgotten_with_its_end_and_with_its_peer() {
    let (mut world, client) = call(with_tcp(), true);
    world.run_for(Duration::from_secs(1));
    let address = world.clients[client].address;
    let check = world.last_check.clone();
    let record = world.last_record.clone();

    world.shard.forget_connection(address);
    assert!(!world.frame(address, &record), "the same port again proves nothing");
    assert!(world.frame(address, &check));

    world.command(Command::Close { peer: slot(client) });
    assert!(!world.shard.has_connection(address));
    assert!(!world.frame(address, &check));
}

#[test]
fn a_port_over_udp_says_nothing_of_the_same_over_tcp() {
    let mut world = World::with(with_tcp());
    let client = world.connected_client();
    let address = world.clients[client].address;
    let record = world.last_record.clone();

    assert!(!world.frame(address, &record));
    assert_eq!(world.shard.counters().dropped_unknown_source, 1);
}

#[test]
fn the_answer_names_where_connections_are_taken() {
    let mut world = World::with(ShardConfig { full_trickle: true, ..with_tcp() });
    let client = world.add_tcp_client();

    let answer = world.negotiate(client);

    assert!(answer.candidates.iter().any(|it| it.contains(&format!(" tcp 1520435199 {}", over_tcp(server()).ip()))));
}
