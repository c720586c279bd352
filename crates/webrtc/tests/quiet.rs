//! What nobody would hear waits until a few are there and something is sent to its peer; what may be heard never does.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::time::{Duration, Instant};

use support::{World, slot};

const SECOND: Duration = Duration::from_secs(1);

/// A client that has been silent for long enough, and is sent nothing.
fn silent_client() -> (World, usize) {
    let mut world = World::new();
    let client = world.connected_client();
    world.clients[client].level = -127;
    world.clients[client].talking = true;
    world.run_for(2 * SECOND);
    clear(&mut world);
    (world, client)
}

fn clear(world: &mut World) {
    world.packets.clear();
    world.packet_times.clear();
}

/// When each packet came and when it went to its route, in milliseconds after the multiple of 20 at which clients send; the network
/// takes 5.
fn phases(world: &World) -> Vec<(u128, u128)> {
    let phase = |at: Instant| (at - world.start).as_millis() % 20;
    let times = world.packets.iter().zip(&world.packet_times);
    times.map(|((_, packet), routed)| (phase(packet.arrival), phase(*routed))).collect()
}

fn assert_in_order(world: &World, client: usize) {
    let sequences: Vec<_> = world.heard(client).iter().map(|packet| packet.sequence).collect();
    assert!(sequences.windows(2).all(|pair| pair[1] == pair[0] + 1), "{sequences:?}");
}

#[test]
fn silence_waits_for_the_mix_and_speech_does_not() {
    let (mut world, client) = silent_client();
    // Mixes are sent at multiples of 20 ms.
    world.listeners.push(slot(client));
    world.run_for(SECOND);
    assert!(phases(&world)[5..].iter().all(|phase| *phase == (5, 0)), "{:?}", phases(&world));
    let mut turns = world.packet_times.clone();
    turns.dedup();
    assert!((12..=14).contains(&turns.len()), "four at a time: {}", turns.len());
    let silent = world.heard(client).len();

    world.clients[client].level = -60;
    world.run_for(SECOND);

    assert!(phases(&world)[silent + 5..].iter().all(|phase| *phase == (5, 5)), "{:?}", phases(&world));
    assert!(world.heard(client).len() >= 98);
    assert_in_order(&world, client);
    assert!(world.clients[client].received.len() >= 98);
}

#[test]
fn silence_right_after_speech_does_not_wait() {
    let (mut world, client) = silent_client();
    world.listeners.push(slot(client));
    world.clients[client].level = -30;
    world.run_for(Duration::from_millis(100));
    world.clients[client].level = -127;
    world.run_for(Duration::from_millis(20));
    clear(&mut world);

    world.run_for(Duration::from_millis(900));

    assert!(phases(&world).iter().all(|phase| *phase == (5, 5)), "{:?}", phases(&world));
}

#[test]
fn silence_waits_not_long_for_nothing() {
    let (mut world, client) = silent_client();

    world.run_for(SECOND);
    world.clients[client].talking = false;
    world.run_for(Duration::from_millis(100));

    // All of it, also the last one, after which no other comes.
    assert!(world.heard(client).len() >= 50, "{}", world.heard(client).len());
    assert_in_order(&world, client);
    let count = world.heard(client).len();
    world.run_for(SECOND);
    assert_eq!(world.heard(client).len(), count);
}
