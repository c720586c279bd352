//! What nobody would hear waits until something is sent to its peer; what may be heard never does.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::time::Duration;

use support::{World, slot};

const SECOND: Duration = Duration::from_secs(1);

/// A client that has been silent for long enough, and is sent nothing.
fn silent_client() -> (World, usize) {
    let mut world = World::new();
    let client = world.connected_client();
    world.clients[client].level = -127;
    world.clients[client].talking = true;
    world.run_for(2 * SECOND);
    world.packets.clear();
    (world, client)
}

/// When each packet went to its route, in milliseconds after the multiple of 20 at which clients send; the network takes 5.
fn phases(world: &World, client: usize) -> Vec<u128> {
    world.heard(client).iter().map(|packet| (packet.arrival - world.start).as_millis() % 20).collect()
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
    assert!(phases(&world, client)[2..].iter().all(|phase| *phase == 0), "{:?}", phases(&world, client));
    let silent = world.heard(client).len();

    world.clients[client].level = -60;
    world.run_for(SECOND);

    assert!(phases(&world, client)[silent + 2..].iter().all(|phase| *phase == 5), "{:?}", phases(&world, client));
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
    world.packets.clear();

    world.run_for(Duration::from_millis(900));

    assert!(phases(&world, client).iter().all(|phase| *phase == 5), "{:?}", phases(&world, client));
}

#[test]
fn silence_waits_not_long_for_nothing() {
    let (mut world, client) = silent_client();

    world.run_for(SECOND);
    world.clients[client].talking = false;
    world.run_for(Duration::from_millis(40));

    // All of it, also the last one, after which no other comes.
    assert!(world.heard(client).len() >= 50, "{}", world.heard(client).len());
    assert_in_order(&world, client);
    let count = world.heard(client).len();
    world.run_for(SECOND);
    assert_eq!(world.heard(client).len(), count);
}
