//! How calls end: by command, by the peer, by silence, or before they began.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::time::Duration;

use support::{World, slot};
use webrtc::{CloseReason, Command, PeerEvent, PeerSlot};

fn closed(world: &World, client: usize) -> Vec<CloseReason> {
    let events = world.events.iter().filter(|(peer, _)| *peer == slot(client));
    events.filter_map(|(_, event)| if let PeerEvent::Closed(reason) = event { Some(*reason) } else { None }).collect()
}

#[test]
fn our_close_reaches_the_peer_and_makes_no_event() {
    let mut world = World::new();
    let client = world.connected_client();

    world.command(Command::Close { peer: slot(client) });
    world.run_for(Duration::from_millis(100));

    assert!(world.clients[client].closed);
    assert!(closed(&world, client).is_empty());
    let counters = world.shard.counters();
    assert_eq!((counters.peers, counters.closed.by_us), (0, 1));
    assert_eq!(world.shard.poll_timeout(), None, "nothing left to wake for");
}

#[test]
fn the_peers_close_is_noticed_at_once() {
    let mut world = World::new();
    let client = world.connected_client();

    world.clients[client].rtc.close().unwrap();
    world.run_for(Duration::from_millis(100));

    assert_eq!(closed(&world, client), [CloseReason::DtlsAlert]);
    assert_eq!(world.shard.counters().peers, 0);
}

#[test]
fn a_peer_that_vanishes_is_noticed() {
    let mut world = World::new();
    let (gone, stays) = (world.connected_client(), world.connected_client());
    world.clients[stays].talking = true;

    world.clients[gone].dead = true;
    let limit = Duration::from_secs(20);
    assert!(world.run_until(limit, |world| !closed(world, gone).is_empty()), "not within {limit:?}");

    assert_eq!(closed(&world, gone), [CloseReason::ConsentLost]);
    world.run_for(Duration::from_secs(10));
    assert!(closed(&world, stays).is_empty(), "the other call goes on");
    assert_eq!(closed(&world, gone).len(), 1, "once");
}

#[test]
fn a_peer_that_never_comes_is_given_up() {
    let mut world = World::new();
    let client = world.add_client();
    world.clients[client].dead = true;
    world.negotiate(client);

    world.run_for(Duration::from_secs(19));
    assert!(closed(&world, client).is_empty());
    world.run_for(Duration::from_secs(2));

    assert_eq!(closed(&world, client), [CloseReason::IceFailed]);
    assert_eq!(world.shard.poll_timeout(), None);
}

#[test]
fn a_peer_that_never_handshakes_is_given_up() {
    let mut world = World::new();
    let client = world.add_client();
    world.drop_dtls = true;
    world.negotiate(client);

    world.run_for(Duration::from_secs(21));

    assert_eq!(closed(&world, client), [CloseReason::DtlsTimeout]);
}

#[test]
fn an_ice_restart_that_leads_nowhere_ends_the_call() {
    let mut world = World::new();
    let client = world.connected_client();
    let offer = world.clients[client].offer_changed(|api, _| {
        api.ice_restart(true);
    });
    world.clients[client].dead = true;
    world.offer(client, &offer).unwrap();

    world.run_for(Duration::from_secs(21));

    assert_eq!(closed(&world, client), [CloseReason::ConsentLost]);
}

#[test]
fn a_certificate_that_was_not_announced_is_refused() {
    let mut world = World::new();
    let client = world.add_client();
    let offer = world.clients[client].offer();
    let (head, tail) = offer.split_once("a=fingerprint:sha-256 ").unwrap();
    let forged = format!("{head}a=fingerprint:sha-256 00:00{}", &tail[5..]);
    let answer = world.offer(client, &forged).unwrap();
    world.clients[client].accept_answer(&answer.sdp);

    world.run_for(Duration::from_secs(21));

    assert_eq!(closed(&world, client), [CloseReason::DtlsError]);
    assert_eq!(world.count(client, |event| *event == PeerEvent::Connected), 0);
}

#[test]
fn a_new_call_on_the_same_slot_after_the_end() {
    let mut world = World::new();
    let client = world.connected_client();
    world.clients[client].rtc.close().unwrap();
    world.run_for(Duration::from_millis(100));

    world.clients[client] = support::Client::new(world.clients[client].address, slot(client), world.now);
    world.negotiate(client);

    let connected = |world: &World| world.count(client, |event| *event == PeerEvent::Connected) == 2;
    assert!(world.run_until(Duration::from_secs(5), connected));
}

#[test]
fn what_is_late_for_an_old_generation_is_ignored() {
    let mut world = World::new();
    let client = world.connected_client();
    let (old, new) = (slot(client), PeerSlot { generation: 2, ..slot(client) });

    world.command(Command::Route { peer: new, route: Some(9) });
    world.run_for(Duration::from_millis(100));
    assert!(world.clients[client].closed, "the index was given to another peer");
    let stale = world.shard.counters().stale;
    world.command(Command::Close { peer: old });
    world.command(Command::Route { peer: old, route: None });
    world.audio(old, 0);

    assert_eq!(world.shard.counters().stale, stale + 3);
    world.command(Command::Close { peer: new });
    world.command(Command::Route { peer: new, route: Some(9) });
    assert_eq!(world.shard.counters().stale, stale + 4, "what was closed does not come back");
}
