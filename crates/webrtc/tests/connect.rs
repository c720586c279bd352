//! Two sides connect and hear each other, on a good network and on a bad one, with ICE lite and with full ICE.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::time::Duration;

use support::{World, server, slot};
use webrtc::{PeerEvent, ShardConfig};

#[test]
fn audio_flows_both_ways() {
    let mut world = World::new();
    let client = world.connected_client();
    world.clients[client].talking = true;
    world.listeners.push(slot(client));

    world.run_for(Duration::from_secs(2));

    let heard = world.heard(client);
    assert!(heard.len() >= 98, "{} packets", heard.len());
    assert!(heard.windows(2).all(|pair| pair[1].sequence == pair[0].sequence + 1));
    assert!(heard.windows(2).all(|pair| pair[1].timestamp == pair[0].timestamp + 960));
    assert!(heard.iter().all(|packet| packet.audio_level == Some(-30) && packet.payload.starts_with(b"speech")));
    assert_eq!(world.count(client, |event| *event == PeerEvent::Receiving(true)), 1);
    let received = &world.clients[client].received;
    assert!(received.len() >= 98, "{} packets", received.len());
    assert!(received.windows(2).all(|pair| *pair[1].seq_no == *pair[0].seq_no + 1));
    assert!(received.windows(2).all(|pair| pair[1].time.numer() == pair[0].time.numer() + 960));
    assert!(received.iter().all(|packet| &packet.payload[..] == b"mixed" && !packet.header.marker));
    let counters = world.shard.counters();
    assert_eq!((counters.handshakes, counters.peers, counters.panics), (1, 1, 0));
    assert_eq!(counters.audio_received, world.packets.len() as u64);
}

#[test]
fn a_fifth_of_all_datagrams_may_be_lost() {
    let mut world = World::new();
    world.loss = 0.2;
    let client = world.add_client();
    world.negotiate(client);

    assert!(world.run_until(Duration::from_secs(15), |world| world.is_up(client)), "no connection");
    world.clients[client].talking = true;
    world.listeners.push(slot(client));
    world.run_for(Duration::from_secs(10));

    // 500 were sent; four standard deviations below 400 is 364.
    assert!(world.heard(client).len() > 364, "{}", world.heard(client).len());
    assert!(world.clients[client].received.len() > 364, "{}", world.clients[client].received.len());
    assert_eq!(world.count(client, |event| matches!(event, PeerEvent::Closed(_))), 0);
}

#[test]
fn peers_do_not_hear_what_is_for_others() {
    let mut world = World::new();
    let (talker, listener) = (world.connected_client(), world.connected_client());
    world.clients[talker].talking = true;
    world.listeners.push(slot(listener));

    world.run_for(Duration::from_secs(1));

    assert!(world.heard(talker).len() > 40 && world.heard(listener).is_empty());
    assert!(world.clients[talker].received.is_empty() && world.clients[listener].received.len() > 40);
}

#[test]
fn full_ice_connects_too() {
    let mut world = World::with(ShardConfig { ice_lite: false, ..ShardConfig::announcing(vec![server()]) });
    let client = world.connected_client();
    world.clients[client].talking = true;

    world.run_for(Duration::from_secs(1));

    assert!(world.heard(client).len() > 40);
}

#[test]
fn a_public_address_stands_for_a_local_one() {
    let public = "192.0.2.7:10000".parse().unwrap();
    let config =
        ShardConfig { public_mapping: Some("192.0.2.7".parse().unwrap()), ..ShardConfig::announcing(vec![public]) };
    let mut world = World::with(config);
    world.nat = Some(public);
    let client = world.add_client();

    let answer = world.negotiate(client);

    assert!(answer.sdp.contains("192.0.2.7 10000 typ host") && !answer.sdp.contains("203.0.113.5"));
    assert!(world.run_until(Duration::from_secs(5), |world| world.is_up(client)), "no connection");
}

#[test]
fn who_insists_on_being_the_server_of_dtls_is_called() {
    let mut world = World::new();
    let client = world.add_client();
    let offer = world.clients[client].offer().replace("a=setup:actpass", "a=setup:passive");
    let answer = world.offer(client, &offer).unwrap();
    world.clients[client].accept_answer(&answer.sdp);

    assert!(world.run_until(Duration::from_secs(5), |world| world.is_up(client)));
    world.clients[client].talking = true;
    world.listeners.push(slot(client));
    world.run_for(Duration::from_secs(1));

    assert!(world.heard(client).len() > 45 && world.clients[client].received.len() > 45);
}
