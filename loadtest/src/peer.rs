//! One WebRTC peer connection from the client's side: it offers, as a browser does. The only file that touches str0m.
//! Knows no Janus, no socket and no clock.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, ExtensionMap, ExtensionValues, RtpWrite};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig};
use thiserror::Error;

use crate::dtls::Identity;
use crate::sequence::rtp_sequence;
use crate::sound::Frame;

/// Why a peer connection cannot be made or goes down.
#[derive(Debug, Error)]
pub enum PeerError {
    /// No offer came out; a fault of ours.
    #[error("no offer could be made")]
    NoOffer,
    /// The answer names no address that can be reached.
    #[error("the answer has no usable UDP candidate")]
    NoCandidate,
    /// Audio was refused.
    #[error("the answer rejects audio")]
    AudioRejected,
    /// The answer does not parse or does not fit.
    #[error("bad answer: {0}")]
    BadAnswer(String),
    /// ICE, DTLS or SRTP failed.
    #[error("transport: {0}")]
    Transport(String),
}

/// What a peer wants done.
#[derive(Debug)]
pub enum PeerOutput {
    /// A datagram for the server.
    Transmit(Vec<u8>),
    /// ICE and DTLS are through.
    Connected,
    /// Audio came (never for a light peer).
    Packet {
        /// RTP sequence number.
        sequence: u16,
        /// RTP timestamp.
        timestamp: u32,
        /// Opus.
        payload: Arc<[u8]>,
    },
    /// The connection is over: consent lost or closed by the server.
    Down,
}

/// A peer connection. After each `handle_*` and `send`, take all of [`poll_output`](Self::poll_output).
pub struct Peer {
    rtc: Rtc,
    mid: Mid,
    pending: Option<SdpPendingOffer>,
    payload_type: Pt,
    addresses: Option<(SocketAddr, SocketAddr)>,
    remote: Option<SocketAddr>,
    deadline: Instant,
    connected: bool,
    light: bool,
    sent: u64,
    first_frame: Option<u64>,
    outputs: VecDeque<PeerOutput>,
}

/// The payload type Chromium gives Opus, and the one to be used if the answer does not say.
const OPUS: u8 = 111;

impl Peer {
    /// A peer and its offer. A light one, once connected, leaves received audio encrypted.
    pub fn new(identity: &Identity, light: bool, now: Instant) -> Result<(Self, String), PeerError> {
        let mut extensions = ExtensionMap::empty();
        extensions.set(1, Extension::AudioLevel);
        extensions.set(4, Extension::RtpMid);
        let mut rtc = RtcConfig::new()
            .set_crypto_provider(identity.provider.clone())
            .set_dtls_cert(identity.certificate.clone())
            .clear_codecs()
            .enable_opus(true, false)
            .set_extension_map(extensions)
            .set_rtp_mode(true)
            .build(now);
        let mut change = rtc.sdp_api();
        let mid = change.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending) = change.apply().ok_or(PeerError::NoOffer)?;
        let peer = Self {
            rtc,
            mid,
            pending: Some(pending),
            payload_type: Pt::new_with_value(OPUS),
            addresses: None,
            remote: None,
            deadline: now,
            connected: false,
            light,
            sent: 0,
            first_frame: None,
            outputs: VecDeque::new(),
        };
        Ok((peer, offer.to_sdp_string()))
    }

    /// Takes the server's answer and returns the address to send to. `preferred` is the host that signaling goes to:
    /// if the server announces it among others, the network between is known to work.
    pub fn handle_answer(&mut self, sdp: &str, preferred: Option<std::net::IpAddr>) -> Result<SocketAddr, PeerError> {
        if !sdp.lines().any(|line| line.starts_with("m=audio ") && !line.starts_with("m=audio 0 ")) {
            return Err(PeerError::AudioRejected);
        }
        let (remote, candidate) = choose_candidate(sdp, preferred).ok_or(PeerError::NoCandidate)?;
        // One candidate only: checks to the others would be load that no measurement wants.
        let filtered: String = sdp
            .lines()
            .filter(|line| !line.starts_with("a=candidate:") || *line == candidate)
            .flat_map(|line| [line, "\r\n"])
            .collect();
        let bad = |error: &dyn std::fmt::Display| PeerError::BadAnswer(error.to_string());
        let answer = SdpAnswer::from_sdp_string(&filtered).map_err(|error| bad(&error))?;
        let pending = self.pending.take().ok_or_else(|| bad(&"a second answer"))?;
        self.rtc.sdp_api().accept_answer(pending, answer).map_err(|error| bad(&error))?;
        self.remote = Some(remote);
        Ok(remote)
    }

    /// The socket is bound; returns the candidate to trickle. Checks begin.
    pub fn handle_bound(&mut self, local: SocketAddr, now: Instant) -> Result<String, PeerError> {
        let transport = |error: &dyn std::fmt::Display| PeerError::Transport(error.to_string());
        let candidate = Candidate::host(local, "udp").map_err(|error| transport(&error))?;
        let text = candidate.to_sdp_string();
        self.addresses = self.remote.map(|remote| (local, remote));
        self.rtc.add_local_candidate(candidate);
        // The deadline known so far is from before there was anything to check.
        self.input(Input::Timeout(now))?;
        Ok(text)
    }

    /// Takes a datagram from the server. A connected light peer ignores all but STUN and DTLS.
    pub fn handle_datagram(&mut self, datagram: &[u8], now: Instant) -> Result<(), PeerError> {
        let Some((local, remote)) = self.addresses else {
            return Ok(());
        };
        let media = datagram.first().is_some_and(|first| (128..192).contains(first));
        if media && self.connected && self.light {
            return Ok(());
        }
        // Noise that is no protocol of ours is not worth a connection.
        let Ok(receive) = Receive::new(Protocol::Udp, remote, local, datagram) else {
            return Ok(());
        };
        self.input(Input::Receive(now, receive))
    }

    /// Sends one frame. `number` is its place in time, in frames of 20 ms: gaps in it become gaps of RTP time.
    pub fn send(&mut self, frame: &Frame, number: u64, now: Instant) -> Result<(), PeerError> {
        if !self.connected {
            return Ok(());
        }
        let first = *self.first_frame.get_or_insert(number);
        let timestamp = ((number - first) * 960) as u32;
        let marker = self.sent == 0;
        let values = ExtensionValues {
            audio_level: Some(frame.level),
            voice_activity: Some(frame.level > -60),
            ..ExtensionValues::default()
        };
        let packet = RtpWrite::new(self.payload_type, self.sent.into(), timestamp, now, frame.payload.clone())
            .marker(marker)
            .ext_vals(values);
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(self.mid, None) else {
            return Ok(());
        };
        stream.write_rtp(packet);
        self.sent += 1;
        self.input(Input::Timeout(now))
    }

    /// Lets timers run, if they are due.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), PeerError> {
        if now < self.deadline {
            return Ok(());
        }
        self.input(Input::Timeout(now))
    }

    /// Says good-bye: RTCP BYE and DTLS close.
    pub fn close(&mut self, now: Instant) {
        if self.connected {
            let _ = self.rtc.close();
            let _ = self.input(Input::Timeout(now));
        }
        self.connected = false;
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<PeerOutput> {
        self.outputs.pop_front()
    }

    /// Whether audio can flow.
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    fn input(&mut self, input: Input<'_>) -> Result<(), PeerError> {
        let transport = |error: str0m::RtcError| PeerError::Transport(error.to_string());
        self.rtc.handle_input(input).map_err(transport)?;
        loop {
            match self.rtc.poll_output().map_err(transport)? {
                Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    return Ok(());
                }
                Output::Transmit(transmit) => self.outputs.push_back(PeerOutput::Transmit(transmit.contents.into())),
                Output::Event(event) => self.handle_event(event),
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "str0m's events are many and grow; only these concern audio")]
    fn handle_event(&mut self, event: Event) {
        match event {
            Event::Connected => {
                self.connected = true;
                if let Some(negotiated) = self.rtc.media(self.mid).and_then(|media| media.remote_pts().first()) {
                    self.payload_type = *negotiated;
                }
                self.outputs.push_back(PeerOutput::Connected);
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) | Event::Closed
                if std::mem::replace(&mut self.connected, false) =>
            {
                self.outputs.push_back(PeerOutput::Down);
            }
            Event::RtpPacket(packet) => self.outputs.push_back(PeerOutput::Packet {
                sequence: packet.header.sequence_number,
                timestamp: packet.header.timestamp,
                payload: packet.payload,
            }),
            _ => {}
        }
    }
}

/// Whether a datagram is audio.
pub fn is_audio(datagram: &[u8]) -> bool {
    rtp_sequence(datagram).is_some()
}

/// The UDP candidate to use: the preferred host's if it is announced, else the one of the highest priority.
fn choose_candidate(sdp: &str, preferred: Option<std::net::IpAddr>) -> Option<(SocketAddr, &str)> {
    sdp.lines()
        .filter_map(|line| {
            // candidate:<foundation> <component> <transport> <priority> <address> <port> typ <type> (RFC 8839 section 5.1)
            let fields: Vec<&str> = line.strip_prefix("a=candidate:")?.split_ascii_whitespace().collect();
            let [_, "1", transport, priority, address, port, ..] = fields[..] else {
                return None;
            };
            let address = SocketAddr::new(address.parse().ok()?, port.parse().ok()?);
            let rank = (Some(address.ip()) == preferred, priority.parse::<u32>().ok()?);
            transport.eq_ignore_ascii_case("udp").then_some((rank, (address, line)))
        })
        .max_by_key(|(rank, _)| *rank)
        .map(|(_, chosen)| chosen)
}
