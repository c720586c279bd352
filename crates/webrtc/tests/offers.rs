//! Offers that can't be answered: refused with a text that may be shown, and nothing else is lost.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::time::Duration;

use proptest::prelude::*;
use support::World;
use support::offers::{CHROMIUM, FIREFOX, text};
use webrtc::{ClosedPeers, PeerEvent};

/// How an offer is broken and how the refusal starts.
fn broken() -> Vec<(String, &'static str)> {
    let offer = text(CHROMIUM);
    let without = |start: &str| offer.split_inclusive("\r\n").filter(|line| !line.starts_with(start)).collect();
    let with = |from: &str, to: &str| {
        assert!(offer.contains(from), "{from}");
        offer.replacen(from, to, 1)
    };
    let sections = "m=audio 9 RTP/SAVPF 0\r\n".repeat(65);
    vec![
        (String::new(), "Invalid SDP (doesn't start with v=)"),
        ("garbage".to_owned(), "Invalid SDP (doesn't start with v=)"),
        ("v=0".to_owned(), "Missing mandatory lines"),
        ("\u{0}".repeat(10), "Invalid SDP (doesn't start with v=)"),
        ("x".repeat(70_000), "Invalid SDP (more than 65536 bytes)"),
        (without("o="), "Missing mandatory lines"),
        (without("s="), "Missing mandatory lines"),
        (offer[..offer.find("m=").unwrap()].to_owned(), "Missing mandatory lines"),
        (with("s=-", "s="), "Invalid line (2 bytes): s="),
        (with("t=0 0", "t:0 0"), "Invalid line (2nd char is not '='): t:0 0"),
        (with("t=0 0", "ü=0"), "Invalid line (2nd char is not '='): ü=0"),
        (with("m=audio 9", "m=audio x"), "Invalid m= line: audio x"),
        (with("m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126", "m=audio 9 RTP/SAVPF"), "Invalid m= line"),
        (with("m=audio 9", "m=audio 70000"), "Invalid m= line"),
        (with("m=audio 9", &format!("{sections}m=audio 9")), "Too many m= lines"),
        (without("a=ice-ufrag"), "Missing or invalid ICE credentials"),
        (without("a=ice-pwd"), "Missing or invalid ICE credentials"),
        (with("a=ice-ufrag:EsAw", "a=ice-ufrag:E"), "Missing or invalid ICE credentials"),
        (with("a=ice-ufrag:EsAw", "a=ice-ufrag:Es:Aw"), "Missing or invalid ICE credentials"),
        (with("a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1", "a=ice-pwd:short"), "Missing or invalid ICE credentials"),
        (without("a=fingerprint"), "Missing or invalid fingerprint"),
        (with("sha-256 D2:", "sha-256 XX:"), "Missing or invalid fingerprint"),
        (with("sha-256 D2:", "sha-256 "), "Missing or invalid fingerprint"),
        (with("sha-256", "sha-512"), "Missing or invalid fingerprint"),
        (with("a=mid:0", "a=mid:seventeen_letters"), "Invalid mid"),
        (with("a=mid:0", "a=mid:"), "Invalid mid"),
        (with("a=mid:0", "a=mid:a b"), "Invalid mid"),
        (format!("{offer}m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n"), "Duplicate mid: 0"),
        (with("a=setup:actpass", "a=setup:holdconn"), "Invalid setup: holdconn"),
        (with("t=0 0", "t=0 0\r\na=ice-lite"), "Both sides are ICE lite"),
    ]
}

#[test]
fn each_is_refused_and_a_good_one_works_afterwards() {
    for (offer, reason) in broken() {
        let mut world = World::new();
        let client = world.add_client();

        let refusal = world.offer(client, &offer).expect_err(reason);

        assert!(refusal.starts_with(reason), "{refusal}, not {reason}");
        assert!(refusal.len() < 100 && !refusal.contains("0x"), "{refusal}");
        assert_eq!((world.shard.counters().offers_refused, world.shard.counters().peers), (1, 0));
        world.negotiate(client);
        assert!(world.run_until(Duration::from_secs(2), |world| world.is_up(client)), "{reason}");
    }
}

#[test]
fn a_call_goes_on_through_all_of_them() {
    let mut world = World::new();
    let client = world.connected_client();
    world.clients[client].talking = true;

    for (offer, reason) in broken() {
        world.offer(client, &offer).expect_err(reason);
        world.run_for(Duration::from_millis(100));
    }

    let heard = world.heard(client);
    assert!(heard.len() >= broken().len() * 5 - 1);
    assert!(heard.windows(2).all(|pair| pair[1].sequence == pair[0].sequence + 1));
    assert_eq!(world.shard.counters().closed, ClosedPeers::default());
}

#[test]
fn what_is_missing_in_the_section_is_found_elsewhere() {
    let credentials = "a=ice-pwd:6e4cc8d3fe0dc9e7dce4b5ae6bb4b8b4\na=ice-ufrag:3a1b2c4d\n";
    // Only the audio section loses them: the bundle shares the transport of the others.
    let offer = text(&FIREFOX.replacen(credentials, "", 1));
    let mut world = World::new();
    let client = world.add_client();

    assert!(world.offer(client, &offer).unwrap().audio);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Lines of real offers, shuffled, doubled, cut and soiled: an answer or a refusal, never a panic, and never harm to
    /// the call that is up.
    #[test]
    fn mangled_offers_do_no_harm(
        lines in prop::collection::vec((any::<prop::sample::Index>(), 0..12_u8, any::<prop::sample::Index>()), 1..80)
    ) {
        let source: Vec<&str> = CHROMIUM.lines().chain(FIREFOX.lines()).collect();
        let mut offer = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\n".to_owned();
        for (line, change, at) in lines {
            let mut line = line.get(&source).to_string();
            let at = at.index(line.len());
            match change {
                0 => line.truncate(at),
                1 => line.insert(at, '\u{1F4A9}'),
                2 => line.insert_str(at, "  :: "),
                3 => line = line.replace(|char: char| char.is_ascii_digit(), "9"),
                _ => {}
            }
            offer.push_str(&line);
            offer.push_str("\r\n");
        }
        let mut world = World::new();
        let (calling, mangling) = (world.connected_client(), world.add_client());

        let _ = world.offer(mangling, &offer);
        let _ = world.offer(mangling, &text(CHROMIUM));

        prop_assert_eq!(world.shard.counters().panics, 0);
        prop_assert!(world.shard.counters().peers >= 1);
        prop_assert_eq!(world.count(calling, |event| matches!(event, PeerEvent::Closed(_))), 0);
    }
}
