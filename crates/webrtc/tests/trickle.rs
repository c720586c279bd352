//! Candidates of a peer: early, late, never, unusable.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::time::Duration;

use support::{World, server};
use webrtc::{Command, ShardConfig};

/// Full ICE uses candidates; lite does not need them.
fn worlds() -> [World; 2] {
    [true, false].map(|ice_lite| World::with(ShardConfig { ice_lite, ..ShardConfig::announcing(vec![server()]) }))
}

/// Offer without candidates, and the candidates.
fn trickled(world: &mut World, client: usize) -> (String, Vec<String>) {
    let offer = world.clients[client].offer();
    let (candidates, rest): (Vec<_>, Vec<_>) = offer.lines().partition(|line| line.starts_with("a=candidate"));
    (rest.join("\r\n") + "\r\n", candidates.into_iter().map(str::to_owned).collect())
}

fn add(world: &mut World, client: usize, candidate: &str) {
    let peer = world.clients[client].slot;
    world.command(Command::AddCandidate { peer, candidate: candidate.to_owned() });
}

fn answer(world: &mut World, client: usize, offer: &str) {
    let answer = world.offer(client, offer).unwrap();
    world.clients[client].accept_answer(&answer.sdp);
}

#[test]
fn before_the_offer() {
    for mut world in worlds() {
        let client = world.add_client();
        let (offer, candidates) = trickled(&mut world, client);
        assert!(!candidates.is_empty());

        candidates.iter().for_each(|candidate| add(&mut world, client, candidate));
        answer(&mut world, client, &offer);

        assert!(world.run_until(Duration::from_secs(2), |world| world.is_up(client)));
        assert_eq!(world.shard.counters().candidates_ignored, 0);
    }
}

#[test]
fn long_after_the_offer() {
    for mut world in worlds() {
        let client = world.add_client();
        let (offer, candidates) = trickled(&mut world, client);
        // Until then nothing comes through: the client has no address yet.
        world.clients[client].dead = true;

        answer(&mut world, client, &offer);
        world.run_for(Duration::from_secs(12));
        world.clients[client].dead = false;
        candidates.iter().for_each(|candidate| add(&mut world, client, candidate.strip_prefix("a=").unwrap()));

        assert!(world.run_until(Duration::from_secs(6), |world| world.is_up(client)));
    }
}

#[test]
fn never() {
    for mut world in worlds() {
        let client = world.add_client();
        let (offer, _) = trickled(&mut world, client);

        answer(&mut world, client, &offer);

        assert!(world.run_until(Duration::from_secs(2), |world| world.is_up(client)));
    }
}

#[test]
fn unusable_ones_are_ignored_and_counted() {
    let long = format!("candidate:1 1 udp 1 198.51.100.9 1 typ host {}", "x".repeat(1000));
    let unusable = [
        "",
        " ",
        "a=",
        "candidate:",
        "nonsense",
        "candidate:1 1 udp 2113937151 7a7b3cb0-6a1b-4b5e-8f9e-0d6f0a1b2c3d.local 54321 typ host",
        "candidate:1 1 tcp 1518280447 198.51.100.9 9 typ host tcptype active",
        "candidate:1 1 udp 2113937151 198.51.100.9 99999 typ host",
        "candidate:1 1 udp x 198.51.100.9 1 typ host",
        "candidate:1 1 udp 1 198.51.100.9 1 typ",
        &long,
    ];
    for mut world in worlds() {
        let client = world.add_client();
        world.negotiate(client);

        unusable.iter().for_each(|candidate| add(&mut world, client, candidate));

        assert_eq!(world.shard.counters().candidates_ignored, unusable.len() as u64);
        assert!(world.run_until(Duration::from_secs(2), |world| world.is_up(client)));
    }
}

#[test]
fn there_is_an_end_to_them() {
    for mut world in worlds() {
        let client = world.add_client();
        for port in 1..100 {
            add(&mut world, client, &format!("candidate:1 1 udp 1 198.51.100.9 {port} typ host"));
        }
        world.negotiate(client);
        for port in 100..200 {
            add(&mut world, client, &format!("candidate:1 1 udp 1 198.51.100.9 {port} typ host"));
        }

        assert!(world.shard.counters().candidates_ignored >= 198 - 16 - 64);
        assert!(world.run_until(Duration::from_secs(5), |world| world.is_up(client)));
    }
}
