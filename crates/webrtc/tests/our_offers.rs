//! The shard offers and the peer answers: the text, the call that comes of it, renewed offers, answers that do not fit.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::time::Duration;

use support::{Client, World, line, slot};
use webrtc::{Command, PeerEvent, ShardConfig};

fn answering_client(world: &mut World) -> usize {
    let client = world.add_client();
    let offer = world.offer_of_ours(client).sdp;
    let answer = world.clients[client].answer(&offer);
    world.answer(client, &answer).unwrap();
    assert!(world.run_until(Duration::from_secs(5), |world| world.is_up(client)), "no connection");
    world.clients[client].talking = true;
    world.listeners.push(slot(client));
    client
}

#[test]
fn an_offer_says_what_janus_says_with_a_right_fmtp() {
    let mut world = World::new();
    let client = world.add_client();

    let offer = world.offer_of_ours(client).sdp;

    let known = |line: &&str| {
        !["o=", "a=fingerprint", "a=ice-ufrag", "a=ice-pwd", "a=ssrc"].iter().any(|it| line.starts_with(it))
    };
    let lines: Vec<_> = offer.lines().filter(known).collect();
    assert_eq!(
        lines,
        [
            "v=0",
            "s=AudioBridge 1234",
            "t=0 0",
            "a=group:BUNDLE 0",
            "a=ice-options:trickle",
            "a=extmap-allow-mixed",
            "a=msid-semantic: WMS *",
            "a=ice-lite",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "c=IN IP4 203.0.113.5",
            "a=sendrecv",
            "a=mid:0",
            "a=rtcp-mux",
            "a=ice-options:trickle",
            "a=setup:actpass",
            "a=rtpmap:111 opus/48000/2",
            "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid",
            "a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "a=fmtp:111 maxplaybackrate=16000; stereo=0; sprop-stereo=0; useinbandfec=1; usedtx=1",
            "a=msid:janus janus0",
            "a=candidate:1 1 udp 2130706431 203.0.113.5 10000 typ host",
            "a=end-of-candidates",
        ]
    );
    assert!(line(&offer, "o=- ").ends_with(" 1 IN IP4 203.0.113.5"));
    assert!(line(&offer, "a=ssrc:").ends_with(" cname:janus"));
}

#[test]
fn audio_flows_both_ways_with_the_ssrc_that_was_offered() {
    for ice_lite in [true, false] {
        let mut world = World::with(ShardConfig { ice_lite, ..ShardConfig::announcing(vec![support::server()]) });
        let client = world.add_client();
        let offer = world.offer_of_ours(client).sdp;
        let answer = world.clients[client].answer(&offer);
        let accepted = world.answer(client, &answer).unwrap();
        assert!(world.run_until(Duration::from_secs(5), |world| world.is_up(client)), "no connection, lite {ice_lite}");
        world.clients[client].talking = true;
        world.listeners.push(slot(client));

        assert!(world.flows_both_ways(client));
        assert!(accepted.audio_level);
        let ssrc = line(&offer, "a=ssrc:").trim_start_matches("a=ssrc:").split(' ').next().unwrap();
        assert!(world.clients[client].received.iter().all(|packet| packet.header.ssrc.to_string() == ssrc));
        assert!(world.heard(client).iter().all(|packet| packet.audio_level == Some(-30)));
        assert_eq!(world.describe(client).unwrap().ice.controlling, !ice_lite);
    }
}

#[test]
fn a_renewed_offer_changes_the_version_alone_and_audio_goes_on() {
    let mut world = World::new();
    let client = world.add_client();
    let first = world.offer_of_ours(client).sdp;
    let second = world.offer_of_ours(client).sdp;
    let answer = world.clients[client].answer(&second);
    world.answer(client, &answer).unwrap();
    assert!(world.run_until(Duration::from_secs(5), |world| world.is_up(client)), "no connection");
    world.clients[client].talking = true;
    world.listeners.push(slot(client));
    assert!(world.flows_both_ways(client));

    let third = world.offer_of_ours(client).sdp;
    let answer = world.clients[client].answer(&third);
    world.answer(client, &answer).unwrap();

    let versions = [&first, &second, &third].map(|sdp| line(sdp, "o=").split(' ').nth(2).unwrap());
    assert_eq!(versions, ["1", "2", "3"]);
    for later in [&second, &third] {
        assert_eq!(later.replace(line(later, "o="), ""), first.replace(line(&first, "o="), ""));
    }
    assert!(world.flows_both_ways(client));
    assert_eq!(world.count(client, |event| *event == PeerEvent::Connected), 1);
}

#[test]
fn an_answer_that_does_not_fit_leaves_the_offer_standing() {
    let mut world = World::new();
    let client = world.add_client();
    let offer = world.offer_of_ours(client).sdp;
    let answer = world.clients[client].answer(&offer);

    let rejected = answer.replace("m=audio 9", "m=audio 0");
    assert_eq!(world.answer(client, &rejected).unwrap_err(), "The answer accepts no audio with Opus");
    let another = "The answer is not one to our offer (one section, mid 0, payload type 111)";
    assert_eq!(world.answer(client, &answer.replace("a=mid:0", "a=mid:1")).unwrap_err(), another);
    assert_eq!(world.answer(client, &answer.replace("111", "112")).unwrap_err(), another);
    assert!(world.answer(client, "nonsense").is_err());

    world.answer(client, &answer).unwrap();
    assert!(world.run_until(Duration::from_secs(5), |world| world.is_up(client)), "no connection");
}

#[test]
fn a_wrong_answer_to_a_renewed_offer_leaves_the_call_alone() {
    let mut world = World::new();
    let client = answering_client(&mut world);
    let offer = world.offer_of_ours(client).sdp;
    let answer = world.clients[client].answer(&offer);

    assert!(world.answer(client, &answer.replace("m=audio 9", "m=audio 0")).is_err());
    assert!(world.flows_both_ways(client));
    world.answer(client, &answer).unwrap();
    assert!(world.flows_both_ways(client));
}

#[test]
fn an_answer_from_another_peer_connection_takes_the_place_of_the_first() {
    let mut world = World::new();
    let client = answering_client(&mut world);
    let address = world.clients[client].address;
    world.clients[client] = Client::new(address, slot(client), world.now);

    let offer = world.offer_of_ours(client).sdp;
    let answer = world.clients[client].answer(&offer);
    world.answer(client, &answer).unwrap();
    let connected = |world: &World| world.count(client, |event| *event == PeerEvent::Connected) == 2;
    assert!(world.run_until(Duration::from_secs(5), connected), "no connection");

    world.clients[client].talking = true;
    assert!(world.flows_both_ways(client));
    assert_eq!(world.shard.counters().peers, 1);
}

#[test]
fn answers_need_an_offer_and_offers_a_peer_that_makes_none() {
    let mut world = World::new();
    let client = world.connected_client();

    assert_eq!(world.answer(client, "v=0").unwrap_err(), "An answer without an offer");
    world.command(Command::Offer { peer: slot(client), negotiation: 99, traits: support::mix_traits() });

    let reason = "The offers of this connection are the peer's".to_owned();
    assert_eq!(world.events.last().unwrap().1, PeerEvent::Refused { negotiation: 99, reason });
    assert_eq!(world.shard.counters().peers, 1);
}

#[test]
fn with_full_trickle_candidates_come_apart_and_once() {
    let mut world = World::with(ShardConfig { full_trickle: true, ..ShardConfig::announcing(vec![support::server()]) });
    let candidates = ["candidate:1 1 udp 2130706431 203.0.113.5 10000 typ host"];
    let ours = world.add_client();
    let theirs = world.add_client();

    let offer = world.offer_of_ours(ours);
    let answer = world.clients[ours].answer(&offer.sdp);
    world.answer(ours, &answer).unwrap();
    let answered = world.negotiate(theirs);

    for (sdp, told) in [(&offer.sdp, &offer.candidates), (&answered.sdp, &answered.candidates)] {
        assert!(!sdp.contains("candidate"), "{sdp}");
        assert_eq!(*told, candidates);
    }
    assert!(world.offer_of_ours(ours).candidates.is_empty());
    for client in [ours, theirs] {
        let candidate = str0m::Candidate::from_sdp_string(candidates[0]).unwrap();
        world.clients[client].rtc.add_remote_candidate(candidate);
        assert!(world.run_until(Duration::from_secs(5), |world| world.is_up(client)), "no connection");
    }
    let restart = world.clients[theirs].offer_changed(|api, _| {
        api.ice_restart(true);
    });
    assert_eq!(world.offer(theirs, &restart).unwrap().candidates, candidates);
}
