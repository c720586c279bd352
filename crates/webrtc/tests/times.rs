//! What a shard counts of how its peers come up and how they are reached.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::time::Duration;

use support::{World, slot};

#[test]
fn each_phase_of_coming_up_is_counted_once_for_each_peer() {
    let mut world = World::new();
    for client in [world.connected_client(), world.connected_client()] {
        world.clients[client].talking = true;
    }

    world.run_for(Duration::from_secs(2));

    let times = world.shard.times();
    assert_eq!([times.ice, times.dtls, times.first_packet].map(|phase| phase.count()), [2, 2, 2]);
    assert_eq!(world.shard.counters().paths, 2);
    assert!(times.ice.sum() + times.dtls.sum() < Duration::from_secs(2));
}

#[test]
fn who_says_nothing_has_no_first_packet() {
    let mut world = World::new();
    world.connected_client();

    world.run_for(Duration::from_secs(2));

    assert_eq!(world.shard.times().first_packet.count(), 0);
}

#[test]
fn losses_and_round_trips_are_counted_without_anybody_asking() {
    let mut world = World::new();
    let client = world.connected_client();
    world.clients[client].talking = true;
    world.listeners.push(slot(client));
    world.run_for(Duration::from_secs(2));

    world.clients[client].muffle(10);
    // Our report, the client's after it and the look at that: each comes every five seconds.
    world.run_for(Duration::from_secs(18));

    let counters = world.shard.counters();
    assert_eq!(counters.audio_lost_receiving, 10);
    assert!(counters.audio_bytes_received > counters.audio_received);
    assert!(counters.audio_bytes_sent >= 5 * counters.audio_sent);
    assert!(world.shard.times().round_trip.count() > 0);
}
