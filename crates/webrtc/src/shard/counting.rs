//! What a shard counts of what its peers put out. A part of [`Shard`](super::Shard); decides nothing.

use std::net::IpAddr;

use str0m::net;

use crate::command::Output;
use crate::counters::Counters;
use crate::packet::{Protocol, Transmit};
use crate::times::{Measured, Times};

pub(super) fn count(measured: Measured, counters: &mut Counters, times: &mut Times) {
    match measured {
        Measured::Ice(took) => {
            counters.paths += 1;
            times.ice.record(took);
        }
        Measured::Dtls(took) => times.dtls.record(took),
        Measured::FirstPacket(took) => times.first_packet.record(took),
        Measured::RoundTrip(took) => times.round_trip.record(took),
        Measured::LostReceiving(packets) => counters.audio_lost_receiving += u64::from(packets),
        Measured::LostSending(packets) => counters.audio_lost_sending += u64::from(packets),
    }
}

pub(super) fn leaving<R>(transmit: net::Transmit, mapping: Option<IpAddr>, counters: &mut Counters) -> Output<R> {
    counters.datagrams_sent += 1;
    counters.bytes_sent += transmit.contents.len() as u64;
    let protocol = match transmit.proto {
        net::Protocol::Udp => Protocol::Udp,
        net::Protocol::Tcp | net::Protocol::SslTcp | net::Protocol::Tls => Protocol::Tcp,
    };
    let source = Some(transmit.source.ip()).filter(|ip| Some(*ip) != mapping);
    Output::Transmit(Transmit {
        protocol,
        source,
        destination: transmit.destination,
        payload: transmit.contents.into(),
    })
}
