//! Offers as browsers write them: audio alone and audio with video and data.

/// Chromium with a microphone, before any candidate.
pub const CHROMIUM: &str = "\
v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS f2a1c1b0-8a5e-4f0c-9d61-3ad0d4ddc2a5
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
a=ice-options:trickle
a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:f2a1c1b0-8a5e-4f0c-9d61-3ad0d4ddc2a5 1a2b3c4d-0000-4000-8000-000000000001
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:2998362345 cname:WyTnHJbLMxjkjmLX
a=ssrc:2998362345 msid:f2a1c1b0-8a5e-4f0c-9d61-3ad0d4ddc2a5 1a2b3c4d-0000-4000-8000-000000000001
";

/// Firefox: fingerprint at the session level, a direction on an extension, the level in both forms, then video and data.
pub const FIREFOX: &str = "\
v=0
o=mozilla...THIS_IS_SDPARTA-99.0 7052848360639826063 0 IN IP4 0.0.0.0
s=-
t=0 0
a=fingerprint:sha-256 37:FC:96:B5:73:98:E6:F9:C5:0B:D9:EE:B1:F8:D0:01:07:2E:75:E8:6C:A4:32:A7:DC:63:99:5E:68:5C:BF:FB
a=group:BUNDLE 0 1 2
a=ice-options:trickle
a=msid-semantic:WMS *
m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101
c=IN IP4 0.0.0.0
a=sendrecv
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
a=fmtp:101 0-15
a=ice-pwd:6e4cc8d3fe0dc9e7dce4b5ae6bb4b8b4
a=ice-ufrag:3a1b2c4d
a=mid:0
a=msid:{3e34e6a5-2f0b-4a0f-9a44-4cb5ae0a4b1c} {7d9d5b9c-9a0e-4b6d-8c8a-0b0d5b2a6a11}
a=rtcp-mux
a=rtpmap:109 opus/48000/2
a=rtpmap:9 G722/8000/1
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=setup:actpass
a=ssrc:1481683531 cname:{326ec0d2-d1ae-974c-b1ad-aea85cdfa0ad}
m=video 9 UDP/TLS/RTP/SAVPF 120 124
c=IN IP4 0.0.0.0
a=sendrecv
a=ice-pwd:6e4cc8d3fe0dc9e7dce4b5ae6bb4b8b4
a=ice-ufrag:3a1b2c4d
a=mid:1
a=rtcp-mux
a=rtpmap:120 VP8/90000
a=rtpmap:124 rtx/90000
a=fmtp:124 apt=120
a=setup:actpass
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=sendrecv
a=ice-pwd:6e4cc8d3fe0dc9e7dce4b5ae6bb4b8b4
a=ice-ufrag:3a1b2c4d
a=mid:2
a=setup:actpass
a=sctp-port:5000
a=max-message-size:1073741823
";

/// With the line ends of the standard.
pub fn text(lines: &str) -> String {
    lines.replace('\n', "\r\n")
}
