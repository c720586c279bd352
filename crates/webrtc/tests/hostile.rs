//! Datagrams from those who have no business here, while a call is up.

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;
use support::{World, slot};
use webrtc::PeerEvent;

fn attacker() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 66], 6666))
}

fn call() -> (World, usize) {
    let mut world = World::new();
    let client = world.connected_client();
    world.clients[client].talking = true;
    world.listeners.push(slot(client));
    world.run_for(Duration::from_millis(500));
    (world, client)
}

/// Nothing was lost or repeated in the last second and nobody else was sent anything.
fn assert_undisturbed(world: &mut World, client: usize) {
    let (heard, received) = (world.heard(client).len(), world.clients[client].received.len());
    world.run_for(Duration::from_secs(1));
    assert_eq!((world.heard(client).len() - heard, world.clients[client].received.len() - received), (50, 50));
    assert!(world.heard(client).windows(2).all(|pair| pair[1].sequence == pair[0].sequence + 1));
    assert_eq!(world.strays, 0, "datagrams to an address nobody proved to own");
    assert_eq!(world.count(client, |event| matches!(event, PeerEvent::Closed(_))), 0);
    assert_eq!(world.shard.counters().panics, 0);
}

/// RFC 8489 section 14.7: the fingerprint is the CRC-32 of what is before it, XOR 0x5354554e.
fn fix_fingerprint(check: &mut [u8]) {
    let start = check.len() - 8;
    assert_eq!(check[start..start + 4], [0x80, 0x28, 0, 4], "ends with a fingerprint");
    let crc = check[..start].iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    });
    check[start + 4..].copy_from_slice(&(!crc ^ 0x5354_554e).to_be_bytes());
}

#[test]
fn a_forged_check_does_not_redirect_media() {
    let (mut world, client) = call();
    let genuine = world.last_check.clone();
    let mut forged = genuine.clone();
    forged[8] ^= 1;
    fix_fingerprint(&mut forged);

    for _ in 0..10 {
        world.datagram(attacker(), &forged);
    }

    assert_eq!(world.shard.counters().dropped_unverified, 10);
    assert_undisturbed(&mut world, client);
    // The same with the right integrity is answered: it was the integrity that counted.
    let mut repaired = genuine;
    fix_fingerprint(&mut repaired);
    world.datagram(attacker(), &repaired);
    world.run_for(Duration::from_millis(50));
    assert_eq!(world.shard.counters().dropped_unverified, 10);
    assert!(world.strays > 0);
}

#[test]
fn a_client_hello_from_an_address_without_proof_is_dropped() {
    let mut world = World::new();
    let client = world.connected_client();
    let record = world.last_record.clone();
    assert!(!record.is_empty());

    world.datagram(attacker(), &record);

    assert_eq!(world.shard.counters().dropped_unknown_source, 1);
    assert_undisturbed_after_talk(world, client);
}

fn assert_undisturbed_after_talk(mut world: World, client: usize) {
    world.clients[client].talking = true;
    world.listeners.push(slot(client));
    world.run_for(Duration::from_millis(500));
    assert_undisturbed(&mut world, client);
}

#[test]
fn an_unknown_user_is_dropped() {
    let (mut world, client) = call();
    let mut check = world.last_check.clone();
    // USERNAME is the first attribute of str0m's requests; its value starts after both headers.
    assert_eq!(check[20..22], [0, 6]);
    check[24] ^= 1;

    world.datagram(attacker(), &check);

    assert_eq!(world.shard.counters().dropped_unknown_user, 1);
    assert_undisturbed(&mut world, client);
}

#[test]
fn garbage_from_the_peers_own_address_does_not_end_the_call() {
    let (mut world, client) = call();
    let own = world.clients[client].address;
    let record = world.last_record.clone();

    for first in 0..=255 {
        for length in [1, 2, 12, 13, 20, 100, 1500] {
            let mut bytes = vec![first; length];
            world.datagram(own, &bytes);
            bytes.iter_mut().zip(&record).for_each(|(byte, theirs)| *byte = *theirs);
            bytes[0] = first;
            world.datagram(own, &bytes);
        }
    }

    // Alerts in the clear: close_notify and a fatal one (RFC 5246 section 7.2).
    for alert in [[1, 0], [2, 0], [2, 40]] {
        let header = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2];
        world.datagram(own, &[&header[..], &alert].concat());
    }

    assert_undisturbed(&mut world, client);
}

#[test]
fn made_up_streams_do_not_displace_the_real_one() {
    let mut world = World::new();
    let client = world.connected_client();
    world.clients[client].talking = true;
    world.listeners.push(slot(client));
    // Over the wrap of the sequence number: what follows can be decrypted only by who remembers it.
    world.clients[client].set_numbers(65_530, 5_000);
    world.run_for(Duration::from_millis(500));
    let own = world.clients[client].address;

    for ssrc in 0..10_000_u32 {
        let mut packet = vec![0x80, 111, 0, 1, 0, 0, 0, 1];
        packet.extend(ssrc.to_be_bytes());
        packet.extend([0; 40]);
        world.datagram(own, &packet);
    }

    assert_undisturbed(&mut world, client);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_from_anybody_leave_a_call_alone(
        datagrams in prop::collection::vec((any::<bool>(), datagram()), 1..60)
    ) {
        let (mut world, client) = call();
        let own = world.clients[client].address;
        for (from_peer, bytes) in datagrams {
            world.datagram(if from_peer { own } else { attacker() }, &bytes);
        }
        assert_undisturbed(&mut world, client);
    }
}

/// Bytes that look like one of the protocols, or like nothing.
fn datagram() -> impl Strategy<Value = Vec<u8>> {
    let tail = || prop::collection::vec(any::<u8>(), 0..300);
    let stun = tail().prop_map(|tail| {
        let length = (tail.len() as u16).to_be_bytes();
        [&[0, 1, length[0], length[1], 0x21, 0x12, 0xa4, 0x42][..], &tail].concat()
    });
    let dtls = (20..64_u8, tail()).prop_map(|(kind, tail)| {
        let length = (tail.len() as u16).to_be_bytes();
        [&[kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, length[0], length[1]][..], &tail].concat()
    });
    let rtp = (any::<u8>(), tail()).prop_map(|(second, tail)| [&[0x90, second][..], &tail].concat());
    prop_oneof![tail(), stun, dtls, rtp]
}
