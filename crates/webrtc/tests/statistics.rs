//! What a shard tells of its transports: lost packets as they are lost, and everything when it is asked.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::time::Duration;

use support::{World, slot};
use webrtc::{Command, PeerEvent, ShardConfig};

fn world(slowlink_threshold: u32) -> World {
    World::with(ShardConfig { slowlink_threshold, ..ShardConfig::announcing(vec![support::server()]) })
}

fn talking_client(world: &mut World) -> usize {
    let client = world.connected_client();
    world.clients[client].talking = true;
    world.listeners.push(slot(client));
    world.run_for(Duration::from_secs(2));
    client
}

/// Packets lost, by direction, as they were told.
fn lost(world: &World, client: usize, uplink: bool) -> Vec<u32> {
    let of = |event: &PeerEvent| {
        if let PeerEvent::SlowLink { uplink: direction, lost } = event {
            (*direction == uplink).then_some(*lost)
        } else {
            None
        }
    };
    world.events.iter().filter(|(peer, _)| *peer == slot(client)).filter_map(|(_, event)| of(event)).collect()
}

#[test]
fn losses_of_the_peers_audio_are_told_once_for_the_second() {
    let mut world = world(5);
    let client = talking_client(&mut world);

    world.clients[client].muffle(10);
    world.run_for(Duration::from_secs(3));

    assert_eq!(lost(&world, client, false), [10]);
    assert_eq!(world.describe(client).unwrap().audio.quality.lost, 10);
}

#[test]
fn few_losses_are_not_told_and_none_without_a_threshold() {
    for (threshold, packets) in [(5, 4), (0, 10)] {
        let mut world = world(threshold);
        let client = talking_client(&mut world);

        world.clients[client].muffle(packets);
        world.run_for(Duration::from_secs(6));

        assert_eq!(lost(&world, client, false), [0_u32; 0]);
        assert_eq!(world.describe(client).unwrap().audio.quality.lost, u64::from(packets));
    }
}

#[test]
fn losses_of_ours_are_told_as_the_peer_reports_them() {
    let mut world = world(5);
    let client = talking_client(&mut world);

    world.loss = 0.2;
    world.run_for(Duration::from_secs(15));

    let told = lost(&world, client, true);
    assert!(!told.is_empty() && told.iter().all(|lost| *lost >= 5), "{told:?}");
    let told: u32 = told.iter().sum();
    let counted = world.describe(client).unwrap().audio.quality.lost_by_remote;
    assert!((u64::from(told)..u64::from(told) + 5).contains(&counted), "{told} told, {counted} counted");
}

#[test]
fn thresholds_change_while_calls_are_up() {
    let mut world = world(u32::MAX);
    let client = talking_client(&mut world);

    world.command(Command::SetThresholds { no_media_timeout: Duration::from_secs(3), slowlink_threshold: 1 });
    world.clients[client].muffle(2);
    world.run_for(Duration::from_secs(2));
    assert_eq!(lost(&world, client, false), [2]);

    world.clients[client].talking = false;
    world.run_for(Duration::from_millis(2900));
    assert_eq!(world.count(client, |event| *event == PeerEvent::Receiving(false)), 0);
    world.run_for(Duration::from_millis(1200));
    assert_eq!(world.count(client, |event| *event == PeerEvent::Receiving(false)), 1);

    world.clients[client].talking = true;
    world.run_for(Duration::from_secs(1));
    world.command(Command::SetThresholds { no_media_timeout: Duration::ZERO, slowlink_threshold: 0 });
    world.clients[client].talking = false;
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.count(client, |event| *event == PeerEvent::Receiving(false)), 1);
    world.command(Command::SetThresholds { no_media_timeout: Duration::from_secs(1), slowlink_threshold: 0 });
    world.run_for(Duration::from_secs(2));
    assert_eq!(world.count(client, |event| *event == PeerEvent::Receiving(false)), 2);
}

#[test]
fn a_threshold_that_comes_later_is_a_rate_over_five_seconds() {
    for (packets, told) in [(8, None), (12, Some(12))] {
        let mut world = world(0);
        let client = talking_client(&mut world);

        world.command(Command::SetThresholds { no_media_timeout: Duration::from_secs(1), slowlink_threshold: 2 });
        world.clients[client].muffle(packets);
        world.run_for(Duration::from_secs(6));

        assert_eq!(lost(&world, client, false), Vec::from_iter(told));
    }
}

#[test]
fn a_transport_is_described_as_it_is() {
    let mut world = world(0);
    let client = talking_client(&mut world);
    world.run_for(Duration::from_secs(18));

    let info = world.describe(client).unwrap();

    let local = world.clients[client].rtc.direct_api().local_ice_credentials();
    assert!(!local.ufrag.is_empty());
    assert_eq!((info.ice.lite, info.ice.controlling), (true, false));
    assert!(matches!(info.ice.state, "connected" | "completed"), "{}", info.ice.state);
    assert_eq!(info.ice.selected_pair, Some((support::server(), world.clients[client].address)));
    assert_eq!(info.ice.local_candidates, ["candidate:1 1 udp 2130706431 203.0.113.5 10000 typ host"]);
    assert_eq!(info.ice.remote_candidates.len(), 1);
    let fingerprint = world.clients[client].rtc.direct_api().local_dtls_fingerprint().to_string();
    assert_eq!(info.dtls.remote_fingerprint, fingerprint);
    assert!(info.dtls.fingerprint.starts_with("sha-256 ") && !info.dtls.active);
    assert!(info.ice.connected_at.unwrap() <= info.dtls.connected_at.unwrap());
    let audio = &info.audio;
    assert_eq!((audio.payload_type, audio.sends, audio.receives), (111, true, true));
    assert_eq!(u64::from(audio.ssrc), u64::from(*world.clients[client].received[0].header.ssrc));
    assert!(audio.remote_ssrc.is_some());
    assert!((700..1010).contains(&audio.received.packets), "{:?}", audio.received);
    assert!((700..1010).contains(&audio.sent.packets), "{:?}", audio.sent);
    assert!(audio.received.bytes_last_second > 0 && audio.received.bytes_last_second < audio.received.bytes);
    let rtt = audio.quality.rtt.expect("a report has come").as_millis();
    assert!((8..=12).contains(&rtt), "{rtt} ms, twice 5");
}

#[test]
fn who_has_no_transport_is_told_so_and_who_is_gone_not_at_all() {
    let mut world = world(0);
    let client = world.add_client();
    assert_eq!(world.describe(client), None);

    world.command(Command::Close { peer: slot(client) });
    let told = world.events.len();
    world.command(Command::Describe { peer: slot(client), inquiry: 6 });

    assert_eq!(world.events.len(), told);
    assert_eq!(world.shard.counters().stale, 1);
}

#[test]
fn many_peers_are_measured_at_once_and_who_has_no_transport_is_left_out() {
    let mut world = world(0);
    let client = talking_client(&mut world);
    let waiting = world.add_client();
    world.run_for(Duration::from_secs(18));

    world.command(Command::Measure { peers: vec![slot(client), slot(waiting), slot(9)], inquiry: 4 });

    let [(4, peers)] = world.measured.as_slice() else { panic!("{:?}", world.measured) };
    let [(peer, statistics)] = peers.as_slice() else { panic!("{peers:?}") };
    assert_eq!(*peer, slot(client));
    assert!(statistics.received.packets > 200 && statistics.quality.rtt.is_some(), "{statistics:?}");
}
