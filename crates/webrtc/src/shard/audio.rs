//! Packets of audio, from a peer to its route and from a mix to a peer. A part of [`Shard`]; decides nothing of a transport.

use std::net::SocketAddr;
use std::time::Instant;

use super::Shard;
use super::counting::leaving;
use crate::command::Output;
use crate::packet::{AudioPacket, MixedAudio, Protocol, Received};
use crate::peer::Heard;

/// RFC 6716 section 3.2.1: an Opus frame has at most 1275 bytes; more would not fit a datagram either.
const MAX_PAYLOAD: usize = 1275;

impl<R: Copy> Shard<R> {
    /// A packet of a mix. The peer gets one continuous stream, from whatever room.
    pub fn handle_audio(&mut self, audio: MixedAudio, now: Instant) {
        let MixedAudio { peer, media_time, payload } = audio;
        if !self.is_current(peer) {
            self.counters.stale += 1;
            return;
        }
        let index = peer.index;
        let Some(entry) = self.entry_mut(index) else { return };
        let can_send = entry.peer.as_ref().is_some_and(|peer| peer.can_send());
        if !can_send || payload.len() > MAX_PAYLOAD {
            self.counters.audio_unsent += 1;
            return;
        }
        let (sequence, timestamp) = entry.outgoing.number(media_time);
        self.send(index, sequence, timestamp, &payload, now);
    }

    /// This packet comes after the next.
    pub(crate) fn expect_audio(&self, audio: &MixedAudio) {
        self.expect(audio.peer.index);
    }

    /// Datagrams from there come soon.
    pub(crate) fn expect_datagram(&self, source: SocketAddr) {
        if let Some(index) = self.demux.by_address(Protocol::Udp, source) {
            self.expect(index);
        }
    }

    /// A datagram that looks like RTP; whether it is the peer's. Mostly it changes no timer and puts out nothing else.
    pub(super) fn hear(&mut self, index: u32, datagram: &[u8], now: Instant) -> Option<bool> {
        let heard = self.with_peer(index, |peer| (peer.handle_rtp(datagram, now), peer.has_outputs()));
        let (heard, has_outputs) = heard?;
        if has_outputs {
            self.drive(index, |_| ());
        }
        match heard {
            Heard::Packet(packet) => self.pass_on(index, packet, now),
            Heard::Nothing => {}
            Heard::Wrong => return Some(false),
        }
        Some(true)
    }

    /// Where the packet is wanted.
    fn pass_on(&mut self, index: u32, packet: Received, now: Instant) {
        self.counters.audio_received += 1;
        self.counters.audio_bytes_received += packet.payload.len() as u64;
        let Some(entry) = self.entry_mut(index) else { return };
        let packet = entry.incoming.number(packet);
        if let Some(route) = entry.route {
            self.outputs.push_back(Output::Packet { route, packet });
        } else if entry.echo
            && packet.payload.len() <= MAX_PAYLOAD
            && entry.peer.as_ref().is_some_and(|peer| peer.can_send())
        {
            // Its own numbers stay, so that it hears what the network has done to it.
            let AudioPacket { sequence, timestamp, payload, .. } = packet;
            self.send(index, sequence, timestamp as u32, &payload, now);
        } else {
            self.counters.audio_unrouted += 1;
        }
    }

    fn send(&mut self, index: u32, sequence: u64, timestamp: u32, payload: &[u8], now: Instant) {
        let sent = self.with_peer(index, |peer| peer.send(sequence, timestamp, payload, now)).flatten();
        let Some(transmit) = sent else {
            self.counters.audio_unsent += 1;
            return;
        };
        self.counters.audio_sent += 1;
        self.counters.audio_bytes_sent += payload.len() as u64;
        self.outputs.push_back(leaving(transmit, self.config.public_mapping, &mut self.counters));
    }

    fn expect(&self, index: u32) {
        if let Some(slot) = self.slots.get(index as usize)
            && let Some(peer) = slot.entry.as_ref().and_then(|entry| entry.peer.as_deref())
        {
            peer.prefetch();
        }
    }
}
