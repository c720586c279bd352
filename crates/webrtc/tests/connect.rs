//! Two sides connect and hear each other, on a good network and on a bad one.

mod support;

use std::time::Duration;

use support::{World, slot};
use webrtc::PeerEvent;

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
}
