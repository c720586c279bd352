//! The peer connection's side of an answer: which candidate it takes and what it refuses.

use std::time::Instant;

use loadtest::dtls::Identity;
use loadtest::peer::{Peer, PeerError};

fn peer() -> (Peer, String) {
    Peer::new(&Identity::generate().unwrap(), true, Instant::now()).unwrap()
}

/// An answer to this offer, with these candidates.
fn answer(offer: &str, candidates: &[&str]) -> String {
    let mid = offer.lines().find_map(|line| line.strip_prefix("a=mid:")).unwrap();
    let mut sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=AudioBridge 1\r\nt=0 0\r\na=group:BUNDLE {mid}\r\n\
         a=fingerprint:sha-256 {}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 192.0.2.9\r\na=sendrecv\r\na=mid:{mid}\r\n\
         a=rtcp-mux\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=setup:active\r\n\
         a=rtpmap:111 opus/48000/2\r\na=ssrc:5 cname:janus\r\n",
        ["AB"; 32].join(":")
    );
    for candidate in candidates {
        sdp += &format!("a=candidate:{candidate}\r\n");
    }
    sdp
}

#[test]
fn the_offer_has_one_audio_section_with_opus_and_levels() {
    let (_, offer) = peer();
    assert_eq!(offer.matches("m=").count(), 1);
    for part in ["m=audio", "opus/48000/2", "ssrc-audio-level", "sdes:mid", "a=setup:actpass", "a=sendrecv"] {
        assert!(offer.contains(part), "{part} is not in {offer}");
    }
}

#[test]
fn the_candidate_of_the_highest_priority_is_taken() {
    let (mut peer, offer) = peer();
    let sdp = answer(
        &offer,
        &[
            "1 1 udp 100 192.0.2.1 1000 typ host",
            "2 1 udp 200 192.0.2.2 2000 typ host",
            "3 1 tcp 300 192.0.2.3 9 typ host",
        ],
    );
    assert_eq!(peer.handle_answer(&sdp, None).unwrap(), "192.0.2.2:2000".parse().unwrap());
}

#[test]
fn the_host_of_the_api_is_preferred_where_it_is_announced() {
    let (mut peer, offer) = peer();
    let sdp = answer(&offer, &["1 1 udp 100 127.0.0.1 1000 typ host", "2 1 udp 200 192.0.2.2 2000 typ host"]);
    let remote = peer.handle_answer(&sdp, "127.0.0.1".parse().ok()).unwrap();
    assert_eq!(remote, "127.0.0.1:1000".parse().unwrap());
}

#[test]
fn answers_that_lead_nowhere_are_refused() {
    let (mut peer, offer) = peer();
    assert!(matches!(peer.handle_answer(&answer(&offer, &[]), None), Err(PeerError::NoCandidate)));
    let rejected = answer(&offer, &["1 1 udp 100 192.0.2.1 1000 typ host"]).replace("m=audio 9", "m=audio 0");
    assert!(matches!(peer.handle_answer(&rejected, None), Err(PeerError::AudioRejected)));
    let broken = "m=audio 9 x\r\na=candidate:1 1 udp 100 192.0.2.1 1000 typ host\r\n";
    assert!(matches!(peer.handle_answer(broken, None), Err(PeerError::BadAnswer(_))));
}
