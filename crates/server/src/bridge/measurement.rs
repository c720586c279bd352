//! A question about many participants: it goes to every thread that has some of them, and their answers are put together.
//! A part of [`Bridge`].

use std::collections::BTreeMap;

use signaling::{AudioStatistics, HandleId, MediaEvent};

use super::translation::{mix_statistics, network_statistics};
use super::{Bridge, Output};

/// Questions that wait at most: threads answer within a tick, unless they are gone.
const MOST_WAITING: usize = 64;

/// The questions that wait for answers, by inquiry: older ones have smaller numbers.
#[derive(Debug, Default)]
pub(super) struct Measurements(BTreeMap<u64, Measurement>);

#[derive(Debug, Default)]
struct Measurement {
    /// Threads that have not answered.
    threads: usize,
    statistics: BTreeMap<HandleId, AudioStatistics>,
}

impl Bridge {
    /// Asks each thread once for all of its participants.
    pub(super) fn measure(&mut self, handles: &[HandleId], inquiry: u64) {
        let mut peers = vec![Vec::new(); self.peers.len()];
        let mut members = vec![Vec::new(); self.members.len()];
        for handle in handles {
            let Some(participant) = self.participants.get(handle) else { continue };
            if let Some(peer) = participant.peer {
                peers[peer.shard].push(peer.slot);
            }
            if let Some(route) = participant.seat.as_ref().and_then(|seat| seat.mixed) {
                members[route.worker].push(route.member);
            }
        }
        let mut threads = 0;
        for (shard, peers) in peers.into_iter().enumerate().filter(|(_, peers)| !peers.is_empty()) {
            let command = webrtc::Command::Measure { peers, inquiry };
            self.outputs.push_back(Output::Shard { shard, command });
            threads += 1;
        }
        for (worker, members) in members.into_iter().enumerate().filter(|(_, members)| !members.is_empty()) {
            let command = mixer::Command::Measure { members, inquiry };
            self.outputs.push_back(Output::Worker { worker, command });
            threads += 1;
        }
        if threads == 0 {
            self.outputs.push_back(Output::Event(MediaEvent::Measured { inquiry, statistics: Vec::new() }));
            return;
        }
        let waiting = &mut self.measurements.0;
        waiting.insert(inquiry, Measurement { threads, ..Measurement::default() });
        if waiting.len() > MOST_WAITING {
            waiting.pop_first();
        }
    }

    pub(super) fn measured_peers(
        &mut self,
        shard: usize,
        inquiry: u64,
        peers: Vec<(webrtc::PeerSlot, webrtc::PeerStatistics)>,
    ) {
        let Some(measurement) = self.measurements.0.get_mut(&inquiry) else { return };
        for (peer, webrtc::PeerStatistics { received, sent, quality }) in peers {
            if let Some(&handle) = self.peers[shard].get(peer.index, peer.generation) {
                measurement.statistics.entry(handle).or_default().network =
                    Some(network_statistics(received, sent, quality));
            }
        }
        self.answered(inquiry);
    }

    pub(super) fn measured_members(
        &mut self,
        worker: usize,
        inquiry: u64,
        members: Vec<(mixer::MemberSlot, mixer::MemberStatistics)>,
    ) {
        let Some(measurement) = self.measurements.0.get_mut(&inquiry) else { return };
        for (member, statistics) in members {
            if let Some(&handle) = self.members[worker].get(member.index, member.generation) {
                measurement.statistics.entry(handle).or_default().mix = Some(mix_statistics(statistics));
            }
        }
        self.answered(inquiry);
    }

    /// A thread has answered; the last one completes the answer.
    fn answered(&mut self, inquiry: u64) {
        let Some(measurement) = self.measurements.0.get_mut(&inquiry) else { return };
        measurement.threads -= 1;
        if measurement.threads == 0
            && let Some(Measurement { statistics, .. }) = self.measurements.0.remove(&inquiry)
        {
            let statistics = statistics.into_iter().collect();
            self.outputs.push_back(Output::Event(MediaEvent::Measured { inquiry, statistics }));
        }
    }
}
