//! A call goes on through later offers: changed directions, added media, restarted ICE, a new peer connection.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::time::Duration;

use str0m::media::{Direction, MediaKind};
use support::{Client, World, line, slot};
use webrtc::PeerEvent;

fn talking_client(world: &mut World) -> usize {
    let client = world.add_client();
    world.negotiate(client);
    assert!(world.run_until(Duration::from_secs(5), |world| world.is_up(client)), "no connection");
    world.clients[client].talking = true;
    world.listeners.push(slot(client));
    client
}

#[test]
fn the_same_offer_again_changes_the_version_alone() {
    let mut world = World::new();
    let client = world.add_client();
    let offer = world.clients[client].offer();

    let first = world.offer(client, &offer).unwrap().sdp;
    let second = world.offer(client, &offer).unwrap().sdp;

    let (origin, again) = (line(&first, "o="), line(&second, "o="));
    let fields = |origin: &str| origin.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        (fields(origin)[1].clone(), "1", "2"),
        (fields(again)[1].clone(), &*fields(origin)[2], &*fields(again)[2])
    );
    assert_eq!(first.replace(origin, ""), second.replace(again, ""));
}

#[test]
fn ice_restarts_without_a_gap() {
    let mut world = World::new();
    let client = talking_client(&mut world);
    world.run_for(Duration::from_secs(1));
    let before = world.clients[client].rtc.direct_api().local_ice_credentials();
    let heard = world.heard(client).len();

    let offer = world.clients[client].offer_changed(|api, _| {
        api.ice_restart(true);
    });
    let answer = world.offer(client, &offer).unwrap();
    world.clients[client].accept_answer(&answer.sdp);
    // The client goes on from another address, as after a change of network.
    world.clients[client].address.set_port(41_000);
    let address = world.clients[client].address;
    world.clients[client].rtc.add_local_candidate(str0m::Candidate::host(address, "udp").unwrap());
    world.run_for(Duration::from_secs(3));

    assert_ne!(before, world.clients[client].rtc.direct_api().local_ice_credentials());
    assert!(world.heard(client).len() > heard + 130, "{} of 150", world.heard(client).len() - heard);
    assert!(world.flows_both_ways(client));
    assert_eq!(world.count(client, |event| matches!(event, PeerEvent::Closed(_))), 0);
    assert_eq!(world.count(client, |event| *event == PeerEvent::Connected), 1);
}

#[test]
fn directions_are_mirrored() {
    for (offered, answered, sends, receives) in [
        (Direction::SendRecv, "a=sendrecv", true, true),
        (Direction::SendOnly, "a=recvonly", false, true),
        (Direction::RecvOnly, "a=sendonly", true, false),
        (Direction::Inactive, "a=inactive", false, false),
    ] {
        let mut world = World::new();
        let client = world.add_client();
        let offer = world.clients[client].offer_directed(offered);
        let answer = world.offer(client, &offer).unwrap();
        world.clients[client].accept_answer(&answer.sdp);
        assert!(world.run_until(Duration::from_secs(5), |world| world.is_up(client)), "{offered}");
        world.clients[client].talking = true;
        world.listeners.push(slot(client));
        world.run_for(Duration::from_secs(1));

        assert_eq!(line(&answer.sdp, answered), answered);
        assert_eq!((answer.audio, answer.sends, answer.receives), (true, sends, receives), "{offered}");
        assert_eq!(!world.heard(client).is_empty(), receives, "{offered}");
        assert_eq!(!world.clients[client].received.is_empty(), sends, "{offered}");
        assert_eq!(answer.sdp.contains("a=msid:"), offered != Direction::Inactive);
    }
}

#[test]
fn a_direction_may_change_and_change_back() {
    let mut world = World::new();
    let client = talking_client(&mut world);
    assert!(world.flows_both_ways(client));
    let ssrc = world.clients[client].received[0].header.ssrc;

    let offer = world.clients[client].offer_directed(Direction::RecvOnly);
    let answer = world.offer(client, &offer).unwrap();
    world.clients[client].accept_answer(&answer.sdp);
    world.run_for(Duration::from_millis(100));
    let heard = world.heard(client).len();
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.heard(client).len(), heard);
    assert_eq!(world.count(client, |event| *event == PeerEvent::Receiving(false)), 1);

    let offer = world.clients[client].offer_directed(Direction::SendRecv);
    let answer = world.offer(client, &offer).unwrap();
    world.clients[client].accept_answer(&answer.sdp);
    assert!(world.flows_both_ways(client));
    assert!(world.clients[client].received.iter().all(|packet| packet.header.ssrc == ssrc));
}

#[test]
fn video_added_later_is_rejected_and_audio_goes_on() {
    let mut world = World::new();
    let client = talking_client(&mut world);

    let offer = world.clients[client].offer_changed(|api, _| {
        api.add_media(MediaKind::Video, Direction::SendRecv, None, None, None);
        api.add_channel("data".to_owned());
    });
    let answer = world.offer(client, &offer).unwrap();
    world.clients[client].accept_answer(&answer.sdp);

    assert_eq!(line(&answer.sdp, "m=video"), "m=video 0 UDP/TLS/RTP/SAVPF 0");
    assert_eq!(line(&answer.sdp, "m=application"), "m=application 0 UDP/DTLS/SCTP 0");
    assert!(world.flows_both_ways(client));
}

#[test]
fn audio_moves_to_another_section() {
    let mut world = World::new();
    let client = world.add_client();
    let offer = world.clients[client].offer();
    world.offer(client, &offer).unwrap();
    let (head, section) = offer.split_at(offer.find("m=audio").unwrap());
    let mid = line(section, "a=mid:");
    let retired = section.replacen("m=audio 9", "m=audio 0", 1);
    let moved = section.replace(mid, "a=mid:next");
    let head = head.replace(&mid.replace("a=mid:", "BUNDLE "), "BUNDLE next");

    let answer = world.offer(client, &format!("{head}{retired}{moved}")).unwrap();

    assert!(answer.audio);
    assert_eq!(line(&answer.sdp, "a=group"), "a=group:BUNDLE next");
    let sections: Vec<_> = answer.sdp.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(sections, ["m=audio 0 UDP/TLS/RTP/SAVPF 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111"]);
    assert_eq!(world.shard.counters().peers, 1);
}

#[test]
fn audio_taken_away_ends_the_transport_and_may_come_back() {
    let mut world = World::new();
    let client = talking_client(&mut world);
    let offer = support::offers::text(support::offers::CHROMIUM);

    let without = world.offer(client, &offer.replace("m=audio 9", "m=audio 0")).unwrap();
    assert!(!without.audio && world.shard.counters().peers == 0);
    let with = world.offer(client, &offer).unwrap();

    assert!(with.audio && world.shard.counters().peers == 1);
    assert_eq!(world.count(client, |event| matches!(event, PeerEvent::Closed(_))), 0);
}

#[test]
fn another_peer_connection_takes_the_place_of_the_first() {
    let mut world = World::new();
    let client = talking_client(&mut world);
    world.run_for(Duration::from_secs(1));
    let last = world.heard(client).last().map(|packet| (packet.sequence, packet.timestamp)).unwrap();
    let address = world.clients[client].address;

    // The page was loaded anew: another certificate, the same handle.
    world.clients[client] = Client::new(address, slot(client), world.now);
    let heard = world.heard(client).len();
    world.negotiate(client);
    world.clients[client].talking = true;
    let connected = |world: &World| world.count(client, |event| *event == PeerEvent::Connected) == 2;
    assert!(world.run_until(Duration::from_secs(5), connected), "no connection");

    assert!(world.flows_both_ways(client));
    let first = world.heard(client)[heard];
    assert!(first.sequence > last.0 && first.timestamp > last.1, "numbers go on");
    assert_eq!(world.count(client, |event| matches!(event, PeerEvent::Closed(_))), 0);
    assert_eq!(world.shard.counters().peers, 1);
}

#[test]
fn a_payload_type_can_not_change() {
    let mut world = World::new();
    let client = world.add_client();
    let offer = support::offers::text(support::offers::CHROMIUM);
    world.offer(client, &offer).unwrap();

    let outcome = world.offer(client, &offer.replace("111", "112"));

    assert_eq!(outcome.unwrap_err(), "The payload type of an established stream can't change");
    assert!(world.offer(client, &offer).is_ok());
}
