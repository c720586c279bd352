//! Who is who, through the life of participants and rooms.

use signaling::{AnswerTraits, HandleId, MediaCommand, MediaEvent, MemberSettings, RoomKey, RoomSettings};

use super::{Bridge, Loads, Output, PlaneEvent, Route};

const ALICE: HandleId = HandleId(1);
const BOB: HandleId = HandleId(2);
const ROOM: RoomKey = RoomKey(7);

#[test]
fn a_participant_is_mixed_once_it_is_joined_and_connected() {
    for joined_first in [true, false] {
        let mut pair = Planes::new(1, 1);
        if joined_first {
            pair.join(ALICE, ROOM);
            assert_eq!(pair.joins.len(), 0);
            pair.connect(ALICE);
        } else {
            pair.connect(ALICE);
            assert_eq!(pair.joins.len(), 0);
            pair.join(ALICE, ROOM);
        }
        let (worker, member, outlet) = pair.joins[0];
        assert_eq!(pair.routes, [Some(Route { worker, member })]);
        assert_eq!(outlet.peer, pair.peers[0].1);
    }
}

#[test]
fn leaving_takes_the_route_and_the_seat_but_not_the_connection() {
    let mut planes = Planes::new(1, 1);
    planes.join(ALICE, ROOM);
    planes.connect(ALICE);
    planes.command(MediaCommand::Leave { handle: ALICE });
    assert_eq!(planes.routes.last(), Some(&None));
    assert_eq!(planes.left, [planes.joins[0].1]);

    planes.join(ALICE, RoomKey(8));
    assert_eq!(planes.joins.len(), 2);
    assert_ne!(planes.joins[0].1, planes.joins[1].1, "what is late for the old seat must not reach the new one");
    assert_eq!(planes.closed, 0);
}

#[test]
fn a_closed_connection_leaves_the_mix_and_is_told() {
    let mut planes = Planes::new(1, 1);
    planes.join(ALICE, ROOM);
    planes.connect(ALICE);
    planes.peer_event(0, webrtc::PeerEvent::Closed(webrtc::CloseReason::DtlsAlert));
    assert_eq!(planes.left.len(), 1);
    let closed = MediaEvent::Closed { handle: ALICE, reason: "DTLS alert".to_owned() };
    assert_eq!(planes.events.last(), Some(&closed));

    planes.connect(ALICE);
    assert_eq!(planes.joins.len(), 2, "still joined: a new connection sounds again");
}

#[test]
fn events_of_a_connection_that_is_gone_reach_nobody() {
    let mut planes = Planes::new(1, 1);
    planes.connect(ALICE);
    planes.command(MediaCommand::ClosePeer { handle: ALICE });
    let told = planes.events.len();
    planes.peer_event(0, webrtc::PeerEvent::Closed(webrtc::CloseReason::IceFailed));
    planes.connect(BOB);
    planes.peer_event(0, webrtc::PeerEvent::Receiving(true));
    assert_eq!(planes.events.len(), told + 1, "only Bob's connection is told: {:?}", planes.events);
}

#[test]
fn a_room_stays_on_its_worker_and_its_people_are_spread_over_the_shards() {
    let mut planes = Planes::new(2, 2);
    for handle in 1..=4 {
        planes.join(HandleId(handle), ROOM);
        planes.connect(HandleId(handle));
    }
    assert!(planes.joins.iter().all(|(worker, _, _)| *worker == planes.joins[0].0));
    let shards: Vec<usize> = planes.joins.iter().map(|(_, _, outlet)| outlet.shard).collect();
    assert_eq!(shards, [0, 1, 0, 1]);

    planes.join(HandleId(5), RoomKey(8));
    planes.connect(HandleId(5));
    assert_ne!(planes.joins[4].0, planes.joins[0].0, "another room goes to the idle worker");
}

#[test]
fn an_echo_is_told_to_the_shard_of_its_peer_and_to_no_worker() {
    let mut planes = Planes::new(1, 1);
    planes.connect(ALICE);
    planes.command(MediaCommand::Echo { handle: ALICE, echo: true });
    planes.command(MediaCommand::Echo { handle: BOB, echo: true });
    assert_eq!(planes.echoes, [(planes.peers[0].1, true)], "Bob has no connection");
    assert!(planes.joins.is_empty() && planes.routes.is_empty());
}

#[test]
fn settings_reach_those_who_are_mixed_and_those_who_will_be() {
    let mut planes = Planes::new(1, 1);
    planes.join(ALICE, ROOM);
    planes.command(MediaCommand::UpdateRoom { room: ROOM, settings: RoomSettings { muted: true, ..room_settings() } });
    planes.command(MediaCommand::Configure {
        handle: ALICE,
        settings: MemberSettings { volume: 50, ..member_settings() },
    });
    planes.connect(ALICE);
    assert_eq!(planes.joined_with, [(true, 50)]);
}

#[test]
fn a_room_moves_from_a_busy_worker_to_an_idle_one_and_its_people_with_it() {
    let mut planes = Planes::new(1, 2);
    for handle in 1..=6 {
        planes.join(HandleId(handle), RoomKey(handle));
        planes.connect(HandleId(handle));
    }
    planes.bridge.handle_loads(Loads { shards: vec![0], workers: vec![900, 100], overloaded: false });
    planes.drain();

    let [(from, to, slots)] = planes.moves.as_slice() else { panic!("one room: {:?}", planes.moves) };
    assert_eq!((*from, *to), (0, 1));
    let [(old, new)] = slots.as_slice() else { panic!("of one: {slots:?}") };
    assert!(planes.joins.iter().any(|(worker, member, _)| (worker, member) == (from, old)));
    assert_eq!(planes.routes.last(), Some(&Some(Route { worker: *to, member: *new })));
}

#[test]
fn a_peer_is_served_by_the_thread_that_has_the_least_to_do_however_many_it_serves() {
    let mut planes = Planes::new(2, 1);
    planes.connect(ALICE);
    planes.bridge.handle_loads(Loads { shards: vec![0, 500], workers: vec![0], overloaded: false });
    planes.connect(BOB);

    let shards: Vec<_> = planes.peers.iter().map(|(shard, _)| *shard).collect();
    assert_eq!(shards, [0, 0]);
}

#[test]
fn overload_is_told_when_it_comes_and_when_it_goes() {
    let mut planes = Planes::new(1, 1);
    for overloaded in [false, true, true, false] {
        planes.bridge.handle_loads(Loads { shards: vec![0], workers: vec![0], overloaded });
        planes.drain();
    }
    assert_eq!(
        planes.events,
        [MediaEvent::Overloaded { overloaded: true }, MediaEvent::Overloaded { overloaded: false }]
    );
}

#[test]
fn a_measurement_asks_each_thread_once_and_puts_the_answers_together() {
    let mut planes = Planes::new(2, 1);
    for handle in [ALICE, BOB] {
        planes.join(handle, ROOM);
        planes.connect(handle);
    }
    let absent = HandleId(99);
    planes.command(MediaCommand::Measure { handles: vec![ALICE, BOB, absent], inquiry: 7 });
    assert_eq!(planes.asked_peers.len(), 2, "one on each shard");
    let [(worker, members)] = planes.asked_members.as_slice() else { panic!("{:?}", planes.asked_members) };
    let (worker, members) = (*worker, members.clone());
    assert_eq!(members.len(), 2);

    for (shard, peers) in planes.asked_peers.clone() {
        let peers = peers.into_iter().map(|peer| (peer, webrtc::PeerStatistics::default())).collect();
        planes.bridge.handle_event(PlaneEvent::Peers { shard, inquiry: 7, peers });
    }
    planes.drain();
    assert!(!planes.events.iter().any(|event| matches!(event, MediaEvent::Measured { .. })));
    // Bob has left the mix in the meantime.
    let loud = mixer::MemberStatistics { level: -20, ..mixer::MemberStatistics::default() };
    planes.bridge.handle_event(PlaneEvent::Members { worker, inquiry: 7, members: vec![(members[0], loud)] });
    planes.drain();

    let Some(MediaEvent::Measured { inquiry: 7, statistics }) = planes.events.last() else { panic!("no answer") };
    let seen: Vec<_> =
        statistics.iter().map(|(id, it)| (*id, it.network.is_some(), it.mix.map(|it| it.level))).collect();
    assert_eq!(seen, [(ALICE, true, Some(-20)), (BOB, true, None)]);
}

#[test]
fn where_nobody_is_a_measurement_is_answered_at_once() {
    let mut planes = Planes::new(1, 1);
    planes.command(MediaCommand::Measure { handles: vec![ALICE], inquiry: 3 });
    assert_eq!(planes.events, [MediaEvent::Measured { inquiry: 3, statistics: Vec::new() }]);
}

/// Old and new, of the members of a room that moves.
type Slots = Vec<(mixer::MemberSlot, mixer::MemberSlot)>;

/// The planes as the bridge sees them: what it told them, and what they tell it.
struct Planes {
    bridge: Bridge,
    peers: Vec<(usize, webrtc::PeerSlot)>,
    joins: Vec<(usize, mixer::MemberSlot, super::Outlet)>,
    joined_with: Vec<(bool, u32)>,
    left: Vec<mixer::MemberSlot>,
    routes: Vec<Option<Route>>,
    echoes: Vec<(webrtc::PeerSlot, bool)>,
    closed: usize,
    asked_peers: Vec<(usize, Vec<webrtc::PeerSlot>)>,
    asked_members: Vec<(usize, Vec<mixer::MemberSlot>)>,
    moves: Vec<(usize, usize, Slots)>,
    events: Vec<MediaEvent>,
}

impl Planes {
    fn new(shards: usize, workers: usize) -> Self {
        Self {
            bridge: Bridge::new(shards, workers),
            peers: Vec::new(),
            joins: Vec::new(),
            joined_with: Vec::new(),
            left: Vec::new(),
            routes: Vec::new(),
            echoes: Vec::new(),
            closed: 0,
            asked_peers: Vec::new(),
            asked_members: Vec::new(),
            moves: Vec::new(),
            events: Vec::new(),
        }
    }

    fn join(&mut self, handle: HandleId, room: RoomKey) {
        self.command(MediaCommand::Join { handle, room, room_settings: room_settings(), settings: member_settings() });
    }

    fn connect(&mut self, handle: HandleId) {
        let traits = AnswerTraits::Echo;
        self.command(MediaCommand::Negotiate { handle, negotiation: 1, offer: String::new(), traits });
        self.peer_event(self.peers.len() - 1, webrtc::PeerEvent::Connected);
    }

    fn command(&mut self, command: MediaCommand) {
        self.bridge.handle_command(command);
        self.drain();
    }

    /// An event of the `index`th connection.
    fn peer_event(&mut self, index: usize, event: webrtc::PeerEvent) {
        let (shard, peer) = self.peers[index];
        self.bridge.handle_event(PlaneEvent::Peer { shard, peer, event });
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.bridge.poll_output() {
            match output {
                Output::Shard { shard, command } => match command {
                    webrtc::Command::Negotiate { peer, .. } => self.peers.push((shard, peer)),
                    webrtc::Command::Route { route, .. } => self.routes.push(route),
                    webrtc::Command::Close { .. } => self.closed += 1,
                    webrtc::Command::Echo { peer, echo } => self.echoes.push((peer, echo)),
                    webrtc::Command::Offer { .. }
                    | webrtc::Command::Accept { .. }
                    | webrtc::Command::AddCandidate { .. }
                    | webrtc::Command::Describe { .. }
                    | webrtc::Command::SetThresholds { .. } => {}
                    webrtc::Command::Measure { peers, .. } => self.asked_peers.push((shard, peers)),
                },
                Output::Worker { worker, command } => match command {
                    mixer::Command::Join { member, outlet, room_settings, settings, .. } => {
                        self.joins.push((worker, member, outlet));
                        self.joined_with.push((room_settings.muted, settings.volume));
                    }
                    mixer::Command::Measure { members, .. } => self.asked_members.push((worker, members)),
                    mixer::Command::Leave { member } => self.left.push(member),
                    mixer::Command::Configure { .. }
                    | mixer::Command::UpdateRoom { .. }
                    | mixer::Command::ResetDecoder { .. } => {}
                },
                Output::Move { from, to, slots, .. } => self.moves.push((from, to, slots)),
                Output::Event(event) => self.events.push(event),
            }
        }
    }
}

fn room_settings() -> RoomSettings {
    RoomSettings {
        sampling_rate: 48_000,
        stereo: false,
        muted: false,
        trust_levels: true,
        talk_detection: None,
        max_speakers: 0,
        silence_threshold: -60,
        shared_encoding: true,
    }
}

fn member_settings() -> MemberSettings {
    MemberSettings {
        muted: false,
        admin: false,
        volume: 100,
        position: 50,
        bitrate: None,
        complexity: 6,
        expected_loss: 0,
        fec: false,
        suspended: false,
        talk_detection: None,
    }
}
