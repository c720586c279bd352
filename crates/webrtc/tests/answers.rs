//! The text of answers, line for line.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::net::SocketAddr;

use support::offers::{CHROMIUM, FIREFOX, text};
use support::{World, slot};
use webrtc::{AnswerTraits, Command, MixTraits, PeerEvent, ShardConfig};

/// What no two runs have in common.
fn normalized(sdp: &str) -> String {
    let random = |line: &str| -> String {
        let mut words: Vec<&str> = line.split(' ').collect();
        if line.starts_with("o=") {
            words[1] = "SESSION";
        }
        match line.split_once(':').map_or("", |it| it.0) {
            "a=ice-ufrag" => "a=ice-ufrag:UFRAG".to_owned(),
            "a=ice-pwd" => "a=ice-pwd:PASSWORD".to_owned(),
            "a=fingerprint" => "a=fingerprint:sha-256 FINGERPRINT".to_owned(),
            "a=ssrc" => format!("a=ssrc:SSRC {}", words[1]),
            _ => words.join(" "),
        }
    };
    sdp.lines().map(random).collect::<Vec<_>>().join("\n") + "\n"
}

fn world() -> World {
    let candidates = ["203.0.113.5:10000", "127.0.0.1:10000"].map(|it| it.parse::<SocketAddr>().unwrap());
    World::with(ShardConfig::announcing(candidates.to_vec()))
}

#[test]
fn to_chromium() {
    let mut world = world();
    let client = world.add_client();

    let answer = world.offer(client, &text(CHROMIUM)).unwrap();

    let expected = "\
v=0
o=- SESSION 1 IN IP4 203.0.113.5
s=AudioBridge 1234
t=0 0
a=group:BUNDLE 0
a=ice-options:trickle
a=fingerprint:sha-256 FINGERPRINT
a=extmap-allow-mixed
a=msid-semantic: WMS *
a=ice-lite
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 203.0.113.5
a=sendrecv
a=mid:0
a=rtcp-mux
a=ice-ufrag:UFRAG
a=ice-pwd:PASSWORD
a=ice-options:trickle
a=setup:passive
a=rtpmap:111 opus/48000/2
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=fmtp:111 maxplaybackrate=16000; stereo=0; sprop-stereo=0; useinbandfec=1; usedtx=1
a=msid:janus janus0
a=ssrc:SSRC cname:janus
a=candidate:1 1 udp 2130706431 203.0.113.5 10000 typ host
a=candidate:2 1 udp 2130706175 127.0.0.1 10000 typ host
a=end-of-candidates
";
    assert_eq!(normalized(&answer.sdp), expected);
    assert!(answer.sdp.split_inclusive("\r\n").all(|line| line.ends_with("\r\n")));
    assert!(answer.audio && answer.audio_level && answer.fec && answer.sends && answer.receives);
}

#[test]
fn to_firefox_with_video_and_data() {
    let mut world = world();
    let client = world.add_client();

    let answer = world.offer(client, &text(FIREFOX)).unwrap();

    let expected = "\
v=0
o=mozilla...THIS_IS_SDPARTA-99.0 SESSION 1 IN IP4 203.0.113.5
s=AudioBridge 1234
t=0 0
a=group:BUNDLE 0
a=ice-options:trickle
a=fingerprint:sha-256 FINGERPRINT
a=extmap-allow-mixed
a=msid-semantic: WMS *
a=ice-lite
m=audio 9 UDP/TLS/RTP/SAVPF 109
c=IN IP4 203.0.113.5
a=sendrecv
a=mid:0
a=rtcp-mux
a=ice-ufrag:UFRAG
a=ice-pwd:PASSWORD
a=ice-options:trickle
a=setup:passive
a=rtpmap:109 opus/48000/2
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=fmtp:109 maxplaybackrate=16000; stereo=0; sprop-stereo=0; useinbandfec=1; usedtx=1
a=msid:janus janus0
a=ssrc:SSRC cname:janus
a=candidate:1 1 udp 2130706431 203.0.113.5 10000 typ host
a=candidate:2 1 udp 2130706175 127.0.0.1 10000 typ host
a=end-of-candidates
m=video 0 UDP/TLS/RTP/SAVPF 0
c=IN IP4 203.0.113.5
a=inactive
a=mid:1
m=application 0 UDP/DTLS/SCTP 0
c=IN IP4 203.0.113.5
a=inactive
a=mid:2
";
    assert_eq!(normalized(&answer.sdp), expected);
}

#[test]
fn without_opus_everything_is_rejected_and_nothing_connects() {
    let mut world = world();
    let client = world.add_client();

    let answer = world.offer(client, &text(CHROMIUM).replace("opus/48000/2", "speex/48000/2")).unwrap();

    let expected = "\
v=0
o=- SESSION 1 IN IP4 203.0.113.5
s=AudioBridge 1234
t=0 0
a=extmap-allow-mixed
a=msid-semantic: WMS *
m=audio 0 UDP/TLS/RTP/SAVPF 0
c=IN IP4 203.0.113.5
a=inactive
a=mid:0
";
    assert_eq!(normalized(&answer.sdp), expected);
    assert!(!answer.audio && !answer.sends && !answer.receives && !answer.audio_level);
    assert_eq!(world.shard.counters().peers, 0);
}

#[test]
fn the_room_decides_what_the_codec_does() {
    let mut world = world();
    let peer = slot(0);
    let offer = text(CHROMIUM).replace("useinbandfec=1", "useinbandfec=0");
    let traits = AnswerTraits::Mix(MixTraits {
        session_name: String::new(),
        max_playback_rate: 48_000,
        stereo: true,
        dtx: false,
    });

    world.command(Command::Negotiate { peer, negotiation: 1, offer, traits });

    let [(_, PeerEvent::Answered { answer, .. })] = &world.events[..] else { panic!("{:?}", world.events) };
    let fmtp = "a=fmtp:111 maxplaybackrate=48000; stereo=1; sprop-stereo=1; useinbandfec=0\r\n";
    assert!(answer.sdp.contains(fmtp) && answer.sdp.contains("\r\ns=-\r\n"), "{}", answer.sdp);
    assert!(!answer.fec);
}

/// Each change to an offer and a line that the answer has then.
#[test]
fn variations() {
    for (from, to, line) in [
        ("opus/48000/2", "OPUS/48000/2", "m=audio 9 UDP/TLS/RTP/SAVPF 111"),
        ("a=setup:actpass", "a=setup:passive", "a=setup:active"),
        ("a=setup:actpass", "a=setup:active", "a=setup:passive"),
        ("a=setup:actpass", "a=mumble:1", "a=setup:passive"),
        ("a=sendrecv\r\n", "", "a=sendrecv"),
        ("a=extmap:1 ", "a=extmap:1/sendonly ", "a=extmap:1/recvonly urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
        ("m=audio 9", "m=audio 54321", "m=audio 9 UDP/TLS/RTP/SAVPF 111"),
        ("a=mid:0", "a=mid:audio-1", "a=mid:audio-1"),
        ("a=mid:0", "a=mid:audio-1", "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid"),
        ("a=mid:0", "a=mid:sixteen_letters_", "a=msid:janus janussixteen_letters_"),
        ("m=audio 9", "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\nm=audio 9", "m=video 0 UDP/TLS/RTP/SAVPF 0"),
        ("m=audio 9", "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:old\r\nm=audio 9", "a=mid:old"),
        ("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=bundle-only\r\n", "m=audio 9 UDP/TLS/RTP/SAVPF 111"),
        ("a=fingerprint:", "a=fingerprint:sha-512 00\r\na=fingerprint:", "a=setup:passive"),
        ("UDP/TLS/RTP/SAVPF", "RTP/SAVPF", "m=audio 9 RTP/SAVPF 111"),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP", "m=audio 0 RTP/AVP 0"),
        ("a=extmap:1 ", "a=extmap:200 ", "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid"),
        ("a=rtpmap:111", "a=rtpmap:77", "m=audio 0 UDP/TLS/RTP/SAVPF 0"),
    ] {
        let mut world = world();
        let client = world.add_client();
        let offer = text(CHROMIUM);
        assert!(offer.contains(from), "{from}");

        let answer = world.offer(client, &offer.replacen(from, to, 1)).unwrap();

        assert!(answer.sdp.lines().any(|it| it == line), "{to}: no {line} in\n{}", answer.sdp);
        assert!(!answer.sdp.contains("extmap:200"));
    }
}
