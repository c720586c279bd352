//! Introduces the planes to one another: nothing but this and what is below it names two of them.
//!
//! Signaling speaks of handles and rooms, webrtc of peers on a shard, the mixer of members on a worker. [`Bridge`] keeps who is
//! who. It is a function of commands and events: the threads and queues are in `wiring.rs`.

mod measurement;
#[cfg(test)]
mod tests;
mod translation;

use std::collections::{HashMap, VecDeque};

use signaling::{HandleId, MediaCommand, MediaEvent, RoomKey};

use self::measurement::Measurements;
use self::translation::{answer_traits, media_answer, member_settings, mix_traits, room_settings, transport_info};
pub(crate) use self::translation::{incoming_audio, outgoing_audio};
use crate::placement::{Relief, ThreadLoad, least_busy, relief};
use crate::slots::Slots;

/// Where the audio of a peer goes: read with every packet, so it needs no look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) worker: usize,
    pub(crate) member: mixer::MemberSlot,
}

/// Where the mix of a member goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outlet {
    pub(crate) shard: usize,
    pub(crate) peer: webrtc::PeerSlot,
}

/// What an event on the media planes was about.
#[derive(Debug)]
pub(crate) enum PlaneEvent {
    Peer { shard: usize, peer: webrtc::PeerSlot, event: webrtc::PeerEvent },
    Member { worker: usize, member: mixer::MemberSlot, event: mixer::MemberEvent },
    Peers { shard: usize, inquiry: u64, peers: Vec<(webrtc::PeerSlot, webrtc::PeerStatistics)> },
    Members { worker: usize, inquiry: u64, members: Vec<(mixer::MemberSlot, mixer::MemberStatistics)> },
}

/// What the bridge wants done.
#[derive(Debug)]
pub(crate) enum Output {
    Shard {
        shard: usize,
        command: webrtc::Command<Route>,
    },
    Worker {
        worker: usize,
        command: mixer::Command<Outlet>,
    },
    /// Move a room, whose members have new slots (old, new) there.
    Move {
        room: mixer::RoomKey,
        from: usize,
        to: usize,
        slots: Vec<(mixer::MemberSlot, mixer::MemberSlot)>,
    },
    Event(MediaEvent),
}

/// How busy each thread was in the last second, in thousandths of a core, and whether any of them can take nobody more.
#[derive(Debug)]
pub(crate) struct Loads {
    pub(crate) shards: Vec<u32>,
    pub(crate) workers: Vec<u32>,
    pub(crate) overloaded: bool,
}

/// Who is who on the three planes.
#[derive(Debug)]
pub(crate) struct Bridge {
    participants: HashMap<HandleId, Participant>,
    rooms: HashMap<RoomKey, Room>,
    /// The handles of each shard's peers.
    peers: Vec<Slots<HandleId>>,
    /// The handles of each worker's members.
    members: Vec<Slots<HandleId>>,
    loads: Loads,
    measurements: Measurements,
    outputs: VecDeque<Output>,
}

#[derive(Debug, Default)]
struct Participant {
    peer: Option<Peer>,
    seat: Option<Seat>,
}

#[derive(Debug, Clone, Copy)]
struct Peer {
    shard: usize,
    slot: webrtc::PeerSlot,
    connected: bool,
}

/// A place in a room: taken at `join`, mixed from when the peer is connected too.
#[derive(Debug)]
struct Seat {
    room: RoomKey,
    settings: signaling::MemberSettings,
    mixed: Option<Route>,
}

/// A room that somebody has joined. A worker has it as long as somebody in it is mixed.
#[derive(Debug)]
struct Room {
    settings: signaling::RoomSettings,
    joined: usize,
    worker: Option<usize>,
    mixed: usize,
}

impl Bridge {
    pub(crate) fn new(shards: usize, workers: usize) -> Self {
        Self {
            participants: HashMap::new(),
            rooms: HashMap::new(),
            peers: (0..shards).map(|_| Slots::default()).collect(),
            members: (0..workers).map(|_| Slots::default()).collect(),
            loads: Loads { shards: vec![0; shards], workers: vec![0; workers], overloaded: false },
            measurements: Measurements::default(),
            outputs: VecDeque::new(),
        }
    }

    pub(crate) fn handle_command(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::Negotiate { handle, negotiation, offer, traits } => {
                let peer = self.peer_or_new(handle);
                let traits = answer_traits(traits);
                let command = webrtc::Command::Negotiate { peer: peer.slot, negotiation, offer, traits };
                self.outputs.push_back(Output::Shard { shard: peer.shard, command });
            }
            MediaCommand::Offer { handle, negotiation, traits } => {
                let peer = self.peer_or_new(handle);
                let command = webrtc::Command::Offer { peer: peer.slot, negotiation, traits: mix_traits(traits) };
                self.outputs.push_back(Output::Shard { shard: peer.shard, command });
            }
            MediaCommand::Accept { handle, negotiation, answer } => {
                if let Some(peer) = self.peer(handle) {
                    let command = webrtc::Command::Accept { peer: peer.slot, negotiation, answer };
                    self.outputs.push_back(Output::Shard { shard: peer.shard, command });
                }
            }
            MediaCommand::AddCandidate { handle, candidate } => {
                if let Some(peer) = self.peer(handle) {
                    let command = webrtc::Command::AddCandidate { peer: peer.slot, candidate };
                    self.outputs.push_back(Output::Shard { shard: peer.shard, command });
                }
            }
            MediaCommand::Describe { handle, inquiry } => match self.peer(handle) {
                Some(peer) => {
                    let command = webrtc::Command::Describe { peer: peer.slot, inquiry };
                    self.outputs.push_back(Output::Shard { shard: peer.shard, command });
                }
                None => self.outputs.push_back(Output::Event(MediaEvent::Described { inquiry, info: None })),
            },
            MediaCommand::Measure { handles, inquiry } => self.measure(&handles, inquiry),
            MediaCommand::SetThresholds { no_media_timeout, slowlink_threshold } => {
                for shard in 0..self.peers.len() {
                    let command = webrtc::Command::SetThresholds { no_media_timeout, slowlink_threshold };
                    self.outputs.push_back(Output::Shard { shard, command });
                }
            }
            MediaCommand::ClosePeer { handle } => {
                if let Some(peer) = self.forget_peer(handle) {
                    let command = webrtc::Command::Close { peer: peer.slot };
                    self.outputs.push_back(Output::Shard { shard: peer.shard, command });
                }
            }
            MediaCommand::Join { handle, room, room_settings, settings } => {
                self.leave(handle);
                let entry = self.rooms.entry(room).or_insert_with(|| Room {
                    settings: room_settings,
                    joined: 0,
                    worker: None,
                    mixed: 0,
                });
                entry.joined += 1;
                self.participants.entry(handle).or_default().seat = Some(Seat { room, settings, mixed: None });
                self.mix(handle);
            }
            MediaCommand::Configure { handle, settings } => {
                if let Some(seat) = self.participants.get_mut(&handle).and_then(|it| it.seat.as_mut()) {
                    seat.settings = settings;
                    if let Some(Route { worker, member }) = seat.mixed {
                        let command = mixer::Command::Configure { member, settings: member_settings(&seat.settings) };
                        self.outputs.push_back(Output::Worker { worker, command });
                    }
                }
            }
            MediaCommand::UpdateRoom { room, settings } => {
                if let Some(entry) = self.rooms.get_mut(&room) {
                    entry.settings = settings;
                    if let Some(worker) = entry.worker {
                        let settings = room_settings(&entry.settings);
                        let command = mixer::Command::UpdateRoom { room: mixer::RoomKey(room.0), settings };
                        self.outputs.push_back(Output::Worker { worker, command });
                    }
                }
            }
            MediaCommand::Leave { handle } => self.leave(handle),
            MediaCommand::Echo { handle, echo } => {
                if let Some(peer) = self.peer(handle) {
                    let command = webrtc::Command::Echo { peer: peer.slot, echo };
                    self.outputs.push_back(Output::Shard { shard: peer.shard, command });
                }
            }
            MediaCommand::ResetDecoder { handle } => {
                if let Some(Route { worker, member }) = self.mixed(handle) {
                    let command = mixer::Command::ResetDecoder { member };
                    self.outputs.push_back(Output::Worker { worker, command });
                }
            }
        }
    }

    /// Events of peers and members that are gone already are dropped: their slot has another generation.
    pub(crate) fn handle_event(&mut self, event: PlaneEvent) {
        match event {
            PlaneEvent::Peer { shard, peer, event } => {
                if let Some(handle) = self.peers[shard].get(peer.index, peer.generation).copied() {
                    self.handle_peer_event(handle, event);
                }
            }
            PlaneEvent::Member { worker, member, event } => {
                if let Some(handle) = self.members[worker].get(member.index, member.generation).copied() {
                    let mixer::MemberEvent::Talking(talking) = event;
                    self.outputs.push_back(Output::Event(MediaEvent::Talking { handle, talking }));
                }
            }
            PlaneEvent::Peers { shard, inquiry, peers } => self.measured_peers(shard, inquiry, peers),
            PlaneEvent::Members { worker, inquiry, members } => self.measured_members(worker, inquiry, members),
        }
    }

    /// Takes what the threads say of themselves. Moves at most one room.
    pub(crate) fn handle_loads(&mut self, loads: Loads) {
        if self.loads.overloaded != loads.overloaded {
            self.outputs.push_back(Output::Event(MediaEvent::Overloaded { overloaded: loads.overloaded }));
        }
        self.loads = loads;
        let workers: Vec<_> = thread_loads(&self.loads.workers, &self.members).collect();
        if let Some(relief) = relief(&workers) {
            self.relieve(&relief);
        }
    }

    /// Whether somebody is here, or the threads still have to say that they rest, and so loads are worth a look.
    pub(crate) fn wants_loads(&self) -> bool {
        let Loads { shards, workers, overloaded } = &self.loads;
        !self.participants.is_empty() || *overloaded || shards.iter().chain(workers).any(|&permille| permille > 0)
    }

    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn handle_peer_event(&mut self, handle: HandleId, event: webrtc::PeerEvent) {
        let event = match event {
            webrtc::PeerEvent::Answered { negotiation, answer } => {
                MediaEvent::Answered { handle, negotiation, answer: media_answer(answer) }
            }
            webrtc::PeerEvent::Offered { negotiation, offer } => {
                let webrtc::OurOffer { sdp, candidates } = offer;
                MediaEvent::Offered { handle, negotiation, sdp, candidates }
            }
            webrtc::PeerEvent::Accepted { negotiation, answer } => {
                let webrtc::PeerAnswer { audio_level, fec } = answer;
                MediaEvent::Accepted { handle, negotiation, settled: signaling::Settled { audio_level, fec } }
            }
            webrtc::PeerEvent::Refused { negotiation, reason } => MediaEvent::Refused { handle, negotiation, reason },
            webrtc::PeerEvent::PathFound => MediaEvent::PathFound { handle },
            webrtc::PeerEvent::Connected => {
                if let Some(peer) = self.participants.get_mut(&handle).and_then(|it| it.peer.as_mut()) {
                    peer.connected = true;
                }
                self.mix(handle);
                MediaEvent::Connected { handle }
            }
            webrtc::PeerEvent::Receiving(receiving) => MediaEvent::Receiving { handle, receiving },
            webrtc::PeerEvent::SlowLink { uplink, lost } => MediaEvent::SlowLink { handle, uplink, lost },
            webrtc::PeerEvent::Described { inquiry, info } => {
                MediaEvent::Described { inquiry, info: info.map(|info| Box::new(transport_info(*info))) }
            }
            webrtc::PeerEvent::Closed(reason) => {
                self.forget_peer(handle);
                MediaEvent::Closed { handle, reason: reason.as_str().to_owned() }
            }
        };
        self.outputs.push_back(Output::Event(event));
    }

    /// Puts a participant into the mix once it is both joined and connected.
    fn mix(&mut self, handle: HandleId) {
        let Some(Participant { peer: Some(peer), seat: Some(seat) }) = self.participants.get_mut(&handle) else {
            return;
        };
        let Some(room) = self.rooms.get_mut(&seat.room) else { return };
        if !peer.connected || seat.mixed.is_some() {
            return;
        }
        let worker = *room.worker.get_or_insert_with(|| least_busy(thread_loads(&self.loads.workers, &self.members)));
        room.mixed += 1;
        let (index, generation) = self.members[worker].insert(handle);
        let member = mixer::MemberSlot { index, generation };
        let route = Route { worker, member };
        seat.mixed = Some(route);
        let join = mixer::Command::Join {
            room: mixer::RoomKey(seat.room.0),
            room_settings: room_settings(&room.settings),
            member,
            outlet: Outlet { shard: peer.shard, peer: peer.slot },
            settings: member_settings(&seat.settings),
        };
        self.outputs.push_back(Output::Worker { worker, command: join });
        let command = webrtc::Command::Route { peer: peer.slot, route: Some(route) };
        self.outputs.push_back(Output::Shard { shard: peer.shard, command });
    }

    /// Takes a participant out of the mix; a room without anybody in the mix gives its worker back.
    fn unmix(&mut self, handle: HandleId) {
        let Some(participant) = self.participants.get_mut(&handle) else { return };
        let Some(seat) = participant.seat.as_mut() else { return };
        let Some(Route { worker, member }) = seat.mixed.take() else { return };
        self.members[worker].remove(member.index, member.generation);
        if let Some(room) = self.rooms.get_mut(&seat.room) {
            room.mixed -= 1;
            if room.mixed == 0 {
                room.worker = None;
            }
        }
        if let Some(peer) = participant.peer {
            let command = webrtc::Command::Route { peer: peer.slot, route: None };
            self.outputs.push_back(Output::Shard { shard: peer.shard, command });
        }
        self.outputs.push_back(Output::Worker { worker, command: mixer::Command::Leave { member } });
    }

    /// Moves the largest room that helps.
    fn relieve(&mut self, relief: &Relief) {
        let &Relief { from, to, members_at_most } = relief;
        let fits = |room: &Room| room.worker == Some(from) && (1..=members_at_most).contains(&room.mixed);
        let candidates = self.rooms.iter_mut().filter(|(_, room)| fits(room));
        let Some((&key, room)) = candidates.max_by_key(|(key, room)| (room.mixed, key.0)) else { return };
        room.worker = Some(to);
        let mut slots = Vec::with_capacity(room.mixed);
        let mut routes = Vec::with_capacity(room.mixed);
        for (&handle, participant) in &mut self.participants {
            let (Some(peer), Some(seat)) = (participant.peer, participant.seat.as_mut()) else { continue };
            let Some(old) = seat.mixed.filter(|_| seat.room == key) else { continue };
            self.members[from].remove(old.member.index, old.member.generation);
            let (index, generation) = self.members[to].insert(handle);
            let member = mixer::MemberSlot { index, generation };
            let route = Route { worker: to, member };
            seat.mixed = Some(route);
            slots.push((old.member, member));
            let command = webrtc::Command::Route { peer: peer.slot, route: Some(route) };
            routes.push(Output::Shard { shard: peer.shard, command });
        }
        // First the room, so that nothing comes to its new place before it is expected there.
        self.outputs.push_back(Output::Move { room: mixer::RoomKey(key.0), from, to, slots });
        self.outputs.extend(routes);
    }

    fn leave(&mut self, handle: HandleId) {
        self.unmix(handle);
        let Some(participant) = self.participants.get_mut(&handle) else { return };
        if let Some(seat) = participant.seat.take()
            && let Some(room) = self.rooms.get_mut(&seat.room)
        {
            room.joined -= 1;
            if room.joined == 0 {
                self.rooms.remove(&seat.room);
            }
        }
        self.forget_if_idle(handle);
    }

    fn peer(&self, handle: HandleId) -> Option<Peer> {
        self.participants.get(&handle)?.peer
    }

    fn peer_or_new(&mut self, handle: HandleId) -> Peer {
        let participant = self.participants.entry(handle).or_default();
        *participant.peer.get_or_insert_with(|| {
            let shard = least_busy(thread_loads(&self.loads.shards, &self.peers));
            let (index, generation) = self.peers[shard].insert(handle);
            Peer { shard, slot: webrtc::PeerSlot { index, generation }, connected: false }
        })
    }

    fn forget_peer(&mut self, handle: HandleId) -> Option<Peer> {
        self.unmix(handle);
        let peer = self.participants.get_mut(&handle)?.peer.take()?;
        self.peers[peer.shard].remove(peer.slot.index, peer.slot.generation);
        self.forget_if_idle(handle);
        Some(peer)
    }

    fn forget_if_idle(&mut self, handle: HandleId) {
        if self.participants.get(&handle).is_some_and(|it| it.peer.is_none() && it.seat.is_none()) {
            self.participants.remove(&handle);
        }
    }

    fn mixed(&self, handle: HandleId) -> Option<Route> {
        self.participants.get(&handle)?.seat.as_ref()?.mixed
    }
}

fn thread_loads<'a>(permille: &'a [u32], occupants: &'a [Slots<HandleId>]) -> impl Iterator<Item = ThreadLoad> + 'a {
    permille.iter().zip(occupants).map(|(&permille, slots)| ThreadLoad { permille, occupants: slots.len() })
}
