//! When ticks come late for long, what matters least goes first, and all comes back by itself.
#![allow(clippy::unwrap_used, reason = "test code")]

mod harness;

use std::time::Duration;

use harness::{Client, Conference, slot, tone};
use mixer::{Command, Counters, MemberSettings, RoomSettings, TalkDetection};

const SPEAKERS: u32 = 24;

/// A room in which all speak, member 0 loudest, and one who listens.
struct Scene {
    conference: Conference,
    clients: Vec<Client>,
    listener: Client,
    hears: bool,
}

impl Scene {
    fn new() -> Self {
        let mut conference = Conference::new();
        // Member 1 stutters, so that every tick tells of a change if it is looked at.
        let talk_detection = Some(TalkDetection { active_packets: 1, average_level: 40 });
        let room = RoomSettings { talk_detection, ..RoomSettings::default() };
        for index in 0..=SPEAKERS {
            conference.join(index, &room, MemberSettings { complexity: 0, ..MemberSettings::default() });
        }
        let clients = (0..SPEAKERS).map(Client::new).collect();
        let mut scene = Self { conference, clients, listener: Client::new(SPEAKERS), hears: false };
        scene.run(30, |_| 0);
        scene
    }

    /// So many ticks, each so many milliseconds late; how many were audible in the last.
    fn run(&mut self, ticks: usize, late: impl Fn(usize) -> u64) -> u64 {
        let mut before = self.counters();
        for tick in 0..ticks {
            before = self.counters();
            for client in &mut self.clients {
                // Each 1.5 dB below the one before.
                let mut amplitude = 0.2 * 0.84_f32.powi(client.index as i32);
                if client.index == 1 && tick.is_multiple_of(2) {
                    amplitude = 0.0;
                }
                let hz = 300.0 + 50.0 * client.index as f32;
                let packet = client.say(tone(hz, amplitude));
                self.conference.send(client.index, packet);
            }
            self.conference.now = self.conference.worker.poll_timeout().unwrap() + Duration::from_millis(late(tick));
            self.conference.timeout();
            assert!(self.conference.packets.len() > SPEAKERS as usize, "all are sent something");
            if self.hears {
                self.listener.hear(&self.conference);
            }
        }
        self.counters().audible - before.audible
    }

    fn counters(&self) -> Counters {
        self.conference.counters()
    }

    fn rung(&self) -> u64 {
        self.counters().overload
    }
}

#[test]
fn what_matters_least_goes_first_and_all_comes_back() {
    let mut scene = Scene::new();
    scene.hears = true;
    assert_eq!((scene.run(25, |_| 0), scene.rung()), (u64::from(SPEAKERS), 0));

    let mut seen = Vec::new();
    for _ in 0..8 {
        let audible = scene.run(25, |_| 12);
        seen.push((scene.rung(), audible, scene.conference.worker.is_overloaded()));
    }
    let mut steps = seen.clone();
    steps.dedup();
    let all = u64::from(SPEAKERS);
    assert!(steps.ends_with(&[(1, all, false), (2, 16, false), (3, 8, true), (4, 4, true)]), "{seen:?}");
    // The loudest are those who are left.
    let heard = scene.listener.last(9_600, 0);
    assert!(harness::goertzel(&heard, 300.0) > 0.1);
    assert!(harness::goertzel(&heard, 300.0 + 50.0 * 12.0) < 0.002);
    let worst = scene.counters();
    assert!(worst.relieved_unheard > 0 && worst.relieved_speakers > 0 && worst.relieved_joins > 0);

    // 2 s for each rung, and a window more.
    let audible = scene.run(4 * 100 + 25, |_| 0);
    assert_eq!((scene.rung(), audible, scene.conference.worker.is_overloaded()), (0, all, false));
    let back = scene.counters();
    scene.run(50, |_| 0);
    assert_eq!(scene.counters().relieved_unheard, back.relieved_unheard);
}

#[test]
fn a_stall_and_a_few_late_ticks_are_no_overload() {
    let mut scene = Scene::new();
    // 150 ms once a second, and every tenth tick a little late.
    scene.run(150, |tick| if tick % 50 == 20 { 150 } else { 12 * u64::from(tick % 10 == 0) });

    assert!(scene.counters().late_ticks > 10);
    assert_eq!(scene.rung(), 0);
}

#[test]
fn lateness_between_good_and_bad_changes_nothing() {
    let mut scene = Scene::new();
    while scene.rung() < 2 {
        scene.run(1, |_| 12);
    }

    // A tenth of the ticks.
    scene.run(200, |tick| 12 * u64::from(tick % 10 == 0));

    assert_eq!(scene.rung(), 2);
}

#[test]
fn talk_detection_waits_and_a_worker_without_rooms_is_not_overloaded() {
    let mut scene = Scene::new();
    scene.run(1, |_| 12);
    assert!(!scene.conference.events.is_empty());

    while !scene.conference.worker.is_overloaded() {
        scene.run(2, |_| 12);
        assert!(scene.rung() == 0 || scene.conference.events.is_empty());
    }

    for index in 0..=SPEAKERS {
        scene.conference.command(Command::Leave { member: slot(index) });
    }

    assert!(!scene.conference.worker.is_overloaded());
    assert_eq!(scene.rung(), 0);
}
