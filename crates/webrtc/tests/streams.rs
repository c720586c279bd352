//! The numbering of packets: one continuous stream each way, whatever happens on the other side of the shard.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::time::Duration;

use str0m::Rtc;
use support::{Client, World, slot};
use webrtc::Command;

#[test]
fn a_mix_goes_on_over_rooms_and_gaps() {
    let mut world = World::new();
    let client = world.connected_client();

    // 20 ms, a room whose phase is 5 ms earlier, the same tick twice, and a pause of a second.
    for media_time in [960_000, 960_960, 961_680, 961_680, 962_640, 1_010_640, 1_011_600] {
        world.audio(slot(client), media_time);
        world.run_for(Duration::from_millis(20));
    }

    let received = &world.clients[client].received;
    let steps = |number: fn(&str0m::rtp::RtpPacket) -> u64| -> Vec<u64> {
        received.windows(2).map(|pair| number(&pair[1]) - number(&pair[0])).collect()
    };
    assert_eq!(steps(|packet| packet.time.numer()), [960, 960, 960, 960, 48_000, 960]);
    assert_eq!(steps(|packet| *packet.seq_no), [1; 6]);
    assert!(received.iter().all(|packet| packet.header.ssrc == received[0].header.ssrc));
}

#[test]
fn what_is_not_sent_is_counted_and_leaves_no_gap() {
    let mut world = World::new();
    let client = world.add_client();
    world.negotiate(client);
    world.audio(slot(client), 960);
    assert!(world.run_until(Duration::from_secs(5), |world| world.is_up(client)));

    world.audio(slot(client), 48_000);
    world.audio(slot(client), 48_960);
    world.run_for(Duration::from_millis(20));

    let numbers: Vec<_> = world.clients[client].received.iter().map(|packet| *packet.seq_no).collect();
    assert_eq!(numbers.len(), 2);
    assert_eq!(numbers[1], numbers[0] + 1);
    assert_eq!((world.shard.counters().audio_unsent, world.shard.counters().audio_sent), (1, 2));
}

#[test]
fn numbers_start_at_random() {
    let mut world = World::new();
    let clients = [world.connected_client(), world.connected_client()];
    for client in clients {
        world.audio(slot(client), 960);
    }
    world.run_for(Duration::from_millis(20));

    let first = clients.map(|client| world.clients[client].received[0].header.clone());

    assert_ne!(first[0].sequence_number, first[1].sequence_number);
    assert_ne!(first[0].timestamp, first[1].timestamp);
}

/// RFC 3711 section 3.3.1: who hears the first packet of a connection counts the cycles of its numbers from 0.
#[test]
fn a_new_connection_after_a_long_one_is_heard() {
    let mut world = World::new();
    let client = world.connected_client();
    for number in 0..70_000 {
        world.audio(slot(client), number * 960);
    }

    world.clients[client] = Client::new(world.clients[client].address, slot(client), world.now);
    world.negotiate(client);
    assert!(world.run_until(Duration::from_secs(5), |world| world.clients[client].connected));
    world.audio(slot(client), 70_000 * 960);
    world.run_for(Duration::from_millis(20));

    assert_eq!(world.clients[client].received.len(), 1);
}

#[test]
fn a_route_may_change_at_any_packet() {
    let mut world = World::new();
    let client = world.connected_client();
    world.clients[client].talking = true;
    let route = |world: &mut World, route| world.command(Command::Route { peer: slot(0), route });

    world.run_for(Duration::from_millis(500));
    route(&mut world, Some(77));
    world.run_for(Duration::from_millis(500));
    route(&mut world, None);
    world.run_for(Duration::from_millis(500));

    let routes: Vec<u32> = world.packets.iter().map(|(route, _)| *route).collect();
    assert!(routes.is_sorted() && routes.first() == Some(&0) && routes.last() == Some(&77));
    assert!(world.packets.windows(2).all(|pair| pair[1].1.sequence == pair[0].1.sequence + 1));
    assert!((24..=26).contains(&world.shard.counters().audio_unrouted));
}

/// Neither `a=ssrc` nor the MID extension: nothing tells the receiver whose packets these are but the transport.
#[test]
fn streams_need_not_be_announced() {
    let mut world = World::new();
    let client = world.add_client();
    let offer = world.clients[client].offer();
    let bare: String = offer
        .split_inclusive("\r\n")
        .filter(|line| !line.starts_with("a=ssrc") && !line.contains("sdes:mid"))
        .collect();
    let answer = world.offer(client, &bare).unwrap();
    world.clients[client].accept_answer(&answer.sdp);
    assert!(world.run_until(Duration::from_secs(5), |world| world.is_up(client)));
    world.clients[client].talking = true;

    world.run_for(Duration::from_secs(1));

    assert!(!answer.sdp.contains("sdes:mid"));
    assert!(world.heard(client).len() > 45, "{}", world.heard(client).len());
}

#[test]
fn a_new_stream_of_the_same_peer_goes_on_with_the_numbers() {
    let mut world = World::new();
    let client = world.connected_client();
    world.clients[client].talking = true;
    world.run_for(Duration::from_millis(500));
    let before = world.heard(client).len();
    let mid = world.clients[client].mid.unwrap();

    let ssrc = world.clients[client].rtc.direct_api().new_ssrc();
    world.clients[client].rtc.direct_api().reset_stream_tx(mid, None, ssrc, None).unwrap();
    world.clients[client].set_numbers(7, 4_000_000_000);
    world.run_for(Duration::from_millis(500));

    let heard = world.heard(client);
    assert!(heard.len() >= before + 20, "the new stream is heard");
    assert!(heard.windows(2).all(|pair| pair[1].sequence > pair[0].sequence));
    assert!(heard.windows(2).all(|pair| pair[1].timestamp >= pair[0].timestamp + 960));
    assert!(heard.windows(2).all(|pair| pair[1].timestamp <= pair[0].timestamp + 2_000));
}

#[test]
fn the_level_is_missing_where_it_is_not_negotiated() {
    let mut world = World::new();
    let address = "198.51.100.10:40000".parse().unwrap();
    let rtc = Rtc::builder().set_rtp_mode(true).clear_codecs().enable_opus(true, false).clear_extension_map();
    let client = world.add_client();
    world.clients[client] = Client::from_rtc(rtc.build(world.now), address, slot(client), world.now);
    let answer = world.negotiate(client);
    assert!(world.run_until(Duration::from_secs(5), |world| world.is_up(client)));
    world.clients[client].talking = true;

    world.run_for(Duration::from_millis(500));

    assert!(!answer.audio_level);
    assert!(world.heard(client).len() > 20);
    assert!(world.heard(client).iter().all(|packet| packet.audio_level.is_none()));
}
