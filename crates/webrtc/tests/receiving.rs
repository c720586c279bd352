//! The `media` events: whether a peer's audio arrives.

mod support;

use std::time::Duration;

use support::{World, server, slot};
use webrtc::{PeerEvent, ShardConfig};

fn receiving(world: &World) -> Vec<bool> {
    let events = world.events.iter().filter(|(peer, _)| *peer == slot(0));
    events
        .filter_map(|(_, event)| if let PeerEvent::Receiving(receiving) = event { Some(*receiving) } else { None })
        .collect()
}

#[test]
fn audio_comes_stops_and_comes_again() {
    let mut world = World::new();
    let client = world.connected_client();
    world.run_for(Duration::from_secs(3));
    assert!(receiving(&world).is_empty(), "nothing was sent yet");

    world.clients[client].talking = true;
    world.run_for(Duration::from_secs(3));
    assert_eq!(receiving(&world), [true]);

    world.clients[client].talking = false;
    world.run_for(Duration::from_millis(900));
    assert_eq!(receiving(&world), [true]);
    world.run_for(Duration::from_millis(1200));
    assert_eq!(receiving(&world), [true, false]);

    world.clients[client].talking = true;
    world.run_for(Duration::from_millis(100));
    assert_eq!(receiving(&world), [true, false, true]);
}

/// A browser with DTX sends a pair of packets every 400 ms while it is silent.
#[test]
fn pauses_of_discontinuous_transmission_are_no_stop() {
    let mut world = World::new();
    let client = world.connected_client();

    for _ in 0..20 {
        world.clients[client].talking = true;
        world.run_for(Duration::from_millis(40));
        world.clients[client].talking = false;
        world.run_for(Duration::from_millis(380));
    }

    assert_eq!(receiving(&world), [true]);
}

#[test]
fn zero_turns_it_off() {
    let config = ShardConfig { no_media_timeout: Duration::ZERO, ..ShardConfig::announcing(vec![server()]) };
    let mut world = World::with(config);
    let client = world.connected_client();
    world.clients[client].talking = true;
    world.run_for(Duration::from_secs(1));
    world.clients[client].talking = false;

    world.run_for(Duration::from_secs(5));

    assert_eq!(receiving(&world), [true]);
}
