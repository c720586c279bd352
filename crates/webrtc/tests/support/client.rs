//! A peer with full ICE that makes offers, as a browser does.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive, TcpType};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};
use webrtc::{PeerSlot, Transmit};

pub struct Client {
    pub rtc: Rtc,
    pub slot: PeerSlot,
    pub address: SocketAddr,
    pub mid: Option<Mid>,
    pub connected: bool,
    pub closed: bool,
    /// Sends a packet every 20 ms.
    pub talking: bool,
    /// Nothing more leaves it or reaches it.
    pub dead: bool,
    pub received: Vec<RtpPacket>,
    pub payload_type: u8,
    /// What it says of its audio, in dBov.
    pub level: i8,
    pending: Option<SdpPendingOffer>,
    sequence: u64,
    timestamp: u32,
    next_timeout: Instant,
    transmits: VecDeque<Transmit>,
}

impl Client {
    pub fn new(address: SocketAddr, slot: PeerSlot, now: Instant) -> Self {
        let rtc = Rtc::builder().set_rtp_mode(true).clear_codecs().enable_opus(true, false).enable_vp8(true).build(now);
        Self::from_rtc(rtc, address, slot, now)
    }

    /// One that opens TCP connections as well.
    pub fn with_tcp(address: SocketAddr, slot: PeerSlot, now: Instant) -> Self {
        let mut client = Self::new(address, slot, now);
        let candidate = Candidate::builder().tcp().host(address).tcptype(TcpType::Active).build().unwrap();
        client.rtc.add_local_candidate(candidate);
        client
    }

    pub fn from_rtc(mut rtc: Rtc, address: SocketAddr, slot: PeerSlot, now: Instant) -> Self {
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        Self {
            rtc,
            slot,
            address,
            mid: None,
            connected: false,
            closed: false,
            talking: false,
            dead: false,
            received: Vec::new(),
            payload_type: 111,
            level: -30,
            pending: None,
            sequence: 100,
            timestamp: 5000,
            next_timeout: now,
            transmits: VecDeque::new(),
        }
    }

    /// An offer of audio both ways, the same again later.
    pub fn offer(&mut self) -> String {
        self.offer_changed(|_, _| {})
    }

    pub fn offer_directed(&mut self, direction: Direction) -> String {
        if self.mid.is_some() {
            return self.offer_changed(|api, mid| api.set_direction(mid, direction));
        }
        let mut api = self.rtc.sdp_api();
        self.mid = Some(api.add_media(MediaKind::Audio, direction, None, None, None));
        let (offer, pending) = api.apply().unwrap();
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    /// An offer with this change to the session.
    pub fn offer_changed(&mut self, change: impl FnOnce(&mut str0m::change::SdpApi<'_>, Mid)) -> String {
        let mut api = self.rtc.sdp_api();
        let mid =
            *self.mid.get_or_insert_with(|| api.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None));
        change(&mut api, mid);
        let (offer, pending) = api.apply().expect("something to negotiate");
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    /// The answer to an offer.
    pub fn answer(&mut self, offer: &str) -> String {
        let offer = SdpOffer::from_sdp_string(offer).expect("an offer that parses");
        let answer = self.rtc.sdp_api().accept_offer(offer).unwrap();
        self.mid = Some("0".into());
        answer.to_sdp_string()
    }

    pub fn accept_answer(&mut self, answer: &str) {
        let answer = SdpAnswer::from_sdp_string(answer).expect("an answer that parses");
        self.rtc.sdp_api().accept_answer(self.pending.take().unwrap(), answer).unwrap();
    }

    pub fn handle_datagram(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) {
        self.handle(Protocol::Udp, from, bytes, now);
    }

    pub fn handle_frame(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) {
        self.handle(Protocol::Tcp, from, bytes, now);
    }

    fn handle(&mut self, protocol: Protocol, from: SocketAddr, bytes: &[u8], now: Instant) {
        if self.dead {
            return;
        }
        let receive = Receive::new(protocol, from, self.address, bytes).unwrap();
        self.rtc.handle_input(Input::Receive(now, receive)).unwrap();
        self.pump(now);
    }

    /// Time for a packet of 20 ms.
    pub fn frame(&mut self, now: Instant) {
        let Some(mid) = self.mid.filter(|_| self.talking && self.connected) else { return };
        self.sequence += 1;
        self.timestamp = self.timestamp.wrapping_add(960);
        let (sequence, timestamp) = (self.sequence.into(), self.timestamp);
        let payload: Arc<[u8]> = Arc::from(format!("speech {}", self.sequence).into_bytes());
        let levels =
            ExtensionValues { audio_level: Some(self.level), voice_activity: Some(true), ..Default::default() };
        if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(mid, None) {
            let write = RtpWrite::new(self.payload_type.into(), sequence, timestamp, now, payload);
            stream.write_rtp(write.ext_vals(levels));
        }
        self.rtc.handle_input(Input::Timeout(now)).unwrap();
        self.pump(now);
    }

    /// Numbers so many packets that do not come.
    pub fn muffle(&mut self, packets: u32) {
        self.sequence += u64::from(packets);
        self.timestamp = self.timestamp.wrapping_add(960 * packets);
    }

    /// What the next packet follows.
    pub fn set_numbers(&mut self, sequence: u64, timestamp: u32) {
        self.sequence = sequence;
        self.timestamp = timestamp;
    }

    /// What it sends now.
    pub fn poll(&mut self, now: Instant) -> Vec<Transmit> {
        if self.next_timeout <= now {
            self.rtc.handle_input(Input::Timeout(now)).unwrap();
        }
        self.pump(now);
        let transmits = std::mem::take(&mut self.transmits);
        if self.dead { Vec::new() } else { transmits.into() }
    }

    fn pump(&mut self, _now: Instant) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => {
                    self.next_timeout = at;
                    return;
                }
                Output::Transmit(transmit) => self.transmits.push_back(Transmit {
                    protocol: ours(transmit.proto),
                    source: Some(transmit.source.ip()),
                    destination: transmit.destination,
                    payload: transmit.contents.into(),
                }),
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::Closed) => self.closed = true,
                Output::Event(Event::RtpPacket(packet)) => self.received.push(packet),
                Output::Event(_) => {}
            }
        }
    }
}

fn ours(protocol: Protocol) -> webrtc::Protocol {
    match protocol {
        Protocol::Udp => webrtc::Protocol::Udp,
        Protocol::Tcp | Protocol::SslTcp | Protocol::Tls => webrtc::Protocol::Tcp,
    }
}
