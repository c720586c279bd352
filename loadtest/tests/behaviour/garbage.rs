//! Garbage is endless, the same each time, and really broken.

use std::collections::BTreeSet;

use loadtest::garbage::Garbage;
use serde_json::Value;

#[test]
fn the_same_seed_makes_the_same_garbage() {
    let (mut one, mut other) = (Garbage::new(3), Garbage::new(3));
    for _ in 0..50 {
        assert_eq!(one.datagram(), other.datagram());
        assert_eq!(one.request(1, 2, 3), other.request(1, 2, 3));
    }
}

#[test]
fn datagrams_look_like_every_protocol_of_a_media_port() {
    let mut garbage = Garbage::new(1);
    let datagrams: Vec<Vec<u8>> = (0..500).map(|_| garbage.datagram()).collect();
    let begins = |range: std::ops::Range<u8>| {
        datagrams.iter().filter(|datagram| datagram.first().is_some_and(|first| range.contains(first))).count()
    };
    assert!(begins(0..4) > 20, "STUN");
    assert!(begins(20..64) > 20, "DTLS");
    assert!(begins(128..192) > 20, "RTP and RTCP");
    assert!(datagrams.iter().all(|datagram| datagram.len() <= 1200));
}

#[test]
fn a_stun_request_has_an_honest_length() {
    let mut garbage = Garbage::new(1);
    let stun = std::iter::repeat_with(|| garbage.datagram())
        .take(500)
        .find(|datagram| datagram.len() >= 40 && datagram.get(4..8) == Some(&[0x21, 0x12, 0xa4, 0x42]));
    let stun = stun.unwrap();
    let length = usize::from(u16::from_be_bytes([stun[2], stun[3]]));
    assert!(length <= stun.len() - 20 && length > stun.len() - 24);
}

#[test]
fn requests_are_broken_in_every_way() {
    let mut garbage = Garbage::new(1);
    let kinds: BTreeSet<&str> = (0..200).map(|_| garbage.request(1, 2, 3).kind).collect();
    assert_eq!(kinds.len(), 7, "{kinds:?}");
}

#[test]
fn cut_off_json_does_not_parse_and_the_rest_does() {
    let mut garbage = Garbage::new(1);
    for _ in 0..200 {
        let request = garbage.request(1, 2, 3);
        let parses = serde_json::from_str::<Value>(&request.text).is_ok();
        assert_eq!(parses, request.kind != "JSON cut off", "{request:?}");
    }
}
