//! What a shard counts of what its peers put out. A part of [`Shard`](super::Shard); decides nothing.

use std::net::IpAddr;

use crate::command::Output;
use crate::counters::Counters;
use crate::packet::Transmit;
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

/// `mapping`: what leaves from there leaves from the address that the kernel chooses.
pub(super) fn leaving<R>(mut transmit: Transmit, mapping: Option<IpAddr>, counters: &mut Counters) -> Output<R> {
    counters.datagrams_sent += 1;
    counters.bytes_sent += transmit.payload.len() as u64;
    transmit.source = transmit.source.filter(|source| Some(*source) != mapping);
    Output::Transmit(transmit)
}
