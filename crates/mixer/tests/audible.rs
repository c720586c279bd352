//! Who is heard: mute, muted rooms, volume, position, levels true and false, the loudest few; and who is said to talk.

mod harness;

use harness::{Client, Conference, decibel, goertzel, silence, slot, tone};
use mixer::{Command, MemberEvent, MemberSettings, RoomSettings, TalkDetection};

const AMPLITUDE: f32 = 0.1;

/// Each of the members says its tone; the last one listens.
struct Scene {
    conference: Conference,
    clients: Vec<Client>,
    listener: Client,
    /// Left out of what is said; `None` says it, `Some` sends this level with it.
    claims: Vec<Option<i8>>,
}

impl Scene {
    fn new(members: u32, room: &RoomSettings) -> Self {
        let mut conference = Conference::new();
        for index in 0..=members {
            conference.join(index, room, MemberSettings::default());
        }
        let channels = if room.stereo { 2 } else { 1 };
        Self {
            conference,
            clients: (0..members).map(Client::new).collect(),
            listener: Client::with_channels(members, channels),
            claims: vec![None; members as usize],
        }
    }

    fn configure(&mut self, index: u32, settings: MemberSettings) {
        self.conference.command(Command::Configure { member: slot(index), settings });
    }

    fn update(&mut self, settings: RoomSettings) {
        self.conference.command(Command::UpdateRoom { room: harness::ROOM, settings });
    }

    fn run(&mut self, ticks: usize, amplitude: impl Fn(u32) -> f32) {
        for _ in 0..ticks {
            for client in &mut self.clients {
                let mut packet = client.say(tone(hz(client.index), amplitude(client.index)));
                if let Some(claim) = self.claims[client.index as usize] {
                    packet.audio_level = Some(claim);
                }
                self.conference.send(client.index, packet);
            }
            self.conference.tick();
            self.listener.hear(&self.conference);
        }
    }

    /// Level of a member's tone at the listener, over the last 200 ms, against its amplitude as said.
    fn level(&self, index: u32, channel: usize) -> f32 {
        decibel(goertzel(&self.listener.last(9_600, channel), hz(index)) / AMPLITUDE)
    }

    fn heard(&self, index: u32) -> bool {
        self.level(index, 0) > -10.0
    }
}

fn hz(index: u32) -> f32 {
    [500.0, 900.0, 1_500.0, 2_300.0, 3_100.0][index as usize]
}

#[test]
fn a_muted_member_is_not_heard_and_costs_no_decode() {
    let mut scene = Scene::new(2, &RoomSettings::default());
    scene.run(30, |_| AMPLITUDE);
    assert!(scene.heard(0) && scene.heard(1));

    scene.configure(0, MemberSettings { muted: true, ..MemberSettings::default() });
    scene.run(15, |_| AMPLITUDE);
    let before = scene.conference.counters();
    scene.run(10, |_| AMPLITUDE);

    assert!(!scene.heard(0) && scene.heard(1), "{}", scene.level(0, 0));
    assert_eq!(scene.conference.counters().decodes_normal - before.decodes_normal, 10);

    scene.configure(0, MemberSettings::default());
    scene.run(15, |_| AMPLITUDE);
    assert!(scene.heard(0));
}

#[test]
fn in_a_muted_room_only_admins_sound() {
    let room = RoomSettings::default();
    let mut scene = Scene::new(2, &room);
    scene.configure(1, MemberSettings { admin: true, ..MemberSettings::default() });
    scene.run(20, |_| AMPLITUDE);
    assert!(scene.heard(0) && scene.heard(1));

    scene.update(RoomSettings { muted: true, ..room });
    scene.run(20, |_| AMPLITUDE);
    assert!(!scene.heard(0) && scene.heard(1));

    scene.update(room);
    scene.run(20, |_| AMPLITUDE);
    assert!(scene.heard(0) && scene.heard(1));
}

#[test]
fn volume_is_amplitude_in_percent() {
    let mut scene = Scene::new(1, &RoomSettings::default());
    for (volume, expected) in [(100, 0.0), (200, 6.02), (50, -6.02), (0, -60.0)] {
        scene.configure(0, MemberSettings { volume, ..MemberSettings::default() });
        scene.run(40, |_| AMPLITUDE);
        let level = scene.level(0, 0);
        assert!((level - expected).abs() < 1.0 || level < -50.0 && volume == 0, "{volume} %: {level} dB");
    }
}

#[test]
fn position_is_linear_from_left_to_right() {
    let mut scene = Scene::new(1, &RoomSettings { stereo: true, ..RoomSettings::default() });
    for (position, left, right) in [(0, 0.0, -99.0), (50, -6.02, -6.02), (25, -2.5, -12.04), (100, -99.0, 0.0)] {
        scene.configure(0, MemberSettings { position, ..MemberSettings::default() });
        scene.run(40, |_| AMPLITUDE);
        for (channel, expected) in [(0, left), (1, right)] {
            let level = scene.level(0, channel);
            let silent = expected < -90.0 && level < -30.0;
            assert!((level - expected).abs() < 1.0 || silent, "{position}: channel {channel} {level} dB");
        }
    }
}

#[test]
fn a_suspended_member_is_not_heard_and_is_sent_nothing() {
    let mut scene = Scene::new(2, &RoomSettings::default());
    scene.run(20, |_| AMPLITUDE);

    scene.configure(0, MemberSettings { suspended: true, ..MemberSettings::default() });
    scene.run(20, |_| AMPLITUDE);

    assert!(!scene.heard(0));
    assert_eq!(scene.conference.packets.iter().map(|(outlet, _)| *outlet).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn one_who_claims_silence_is_not_decoded() {
    let mut scene = Scene::new(2, &RoomSettings::default());
    scene.claims[0] = Some(-127);

    scene.run(50, |_| AMPLITUDE);

    assert!(!scene.heard(0) && scene.heard(1));
    assert_eq!(scene.conference.counters().decodes_normal, 50);
}

#[test]
fn one_who_claims_to_be_loud_but_is_silent_costs_a_decode_and_no_encode() {
    let mut scene = Scene::new(3, &RoomSettings::default());
    scene.claims[0] = Some(-10);
    scene.run(60, |index| if index == 0 { 0.0 } else { AMPLITUDE });
    let before = scene.conference.counters();

    scene.run(20, |index| if index == 0 { 0.0 } else { AMPLITUDE });

    let after = scene.conference.counters();
    assert_eq!(after.decodes_normal - before.decodes_normal, 60);
    assert_eq!(after.audible - before.audible, 40);
    assert_eq!(after.encodes_private - before.encodes_private, 40);
}

#[test]
fn without_levels_it_is_decoded_who_is_heard_and_a_crowd_is_bounded() {
    let room = RoomSettings { trust_levels: false, ..RoomSettings::default() };
    let mut conference = Conference::new();
    let mut clients: Vec<_> = (0..150).map(Client::new).collect();
    (0..=150).for_each(|index| conference.join(index, &room, MemberSettings::default()));
    let mut listener = Client::new(150);
    for _ in 0..25 {
        for client in &mut clients {
            let packet = if client.index == 140 { client.say(tone(700.0, AMPLITUDE)) } else { client.say(silence) };
            conference.send(client.index, packet);
        }
        conference.tick();
        listener.hear(&conference);
    }

    assert!(decibel(goertzel(&listener.last(9_600, 0), 700.0) / AMPLITUDE) > -3.0);
    let counters = conference.counters();
    let decodes = counters.decodes_normal + counters.decodes_warm_up;
    // 64 at a time; ten of them change in a tick, which costs the newcomers three packets of warm-up each.
    assert!(decodes <= 25 * (66 + 3 * 15), "{counters:?}");
}

#[test]
fn in_a_crowd_without_levels_everybody_has_its_turn_to_be_noticed() {
    let room = RoomSettings { trust_levels: false, ..RoomSettings::default() };
    let mut conference = Conference::new();
    (0..=100).for_each(|index| conference.join(index, &room, MemberSettings::default()));
    // All packets are equally long: size says nothing here.
    let (mut speaker, mut listener) = (Client::new(99).with_constant_bitrate(), Client::new(100));
    let mut crowd: Vec<_> = (0..99).map(|index| Client::new(index).with_constant_bitrate()).collect();
    for _ in 0..50 {
        for client in &mut crowd {
            let packet = client.say(silence);
            conference.send(client.index, packet);
        }
        let packet = speaker.say(tone(700.0, AMPLITUDE));
        conference.send(99, packet);
        conference.tick();
        listener.hear(&conference);
    }

    assert!(decibel(goertzel(&listener.last(9_600, 0), 700.0) / AMPLITUDE) > -3.0);
}

#[test]
fn speech_is_heard_from_its_onset_after_a_silence_that_was_not_decoded() {
    let mut scene = Scene::new(1, &RoomSettings::default());
    scene.run(50, |_| 0.0);
    assert_eq!(scene.conference.counters().decodes_normal, 0);

    scene.run(2, |_| AMPLITUDE);

    let counters = scene.conference.counters();
    assert_eq!(counters.decodes_warm_up, 3);
    // 12.4 ms of look-ahead, then the tone; no click larger than it.
    let onset = scene.listener.last(1_920, 0);
    assert!(goertzel(&onset[960..], hz(0)) > AMPLITUDE * 0.7);
    assert!(onset.iter().all(|sample| sample.abs() < AMPLITUDE * 1.3));
}

#[test]
fn max_speakers_keeps_the_loudest() {
    let mut scene = Scene::new(5, &RoomSettings { max_speakers: 2, ..RoomSettings::default() });
    let loudness = |index: u32| AMPLITUDE * [0.1, 1.0, 0.1, 0.9, 0.1][index as usize];
    scene.run(50, loudness);

    let heard: Vec<_> = (0..5).filter(|index| scene.level(*index, 0) > -35.0).collect();
    assert_eq!(heard, [1, 3]);
    let before = scene.conference.counters();
    scene.run(10, loudness);
    let after = scene.conference.counters();
    assert_eq!(after.decodes_normal - before.decodes_normal, 20);
    assert_eq!(after.audible - before.audible, 20);
}

#[test]
fn what_is_below_the_threshold_is_not_mixed() {
    // -66 dBov and -46 dBov.
    for (amplitude, audible) in [(0.0007, 0), (0.007, 10)] {
        let mut scene = Scene::new(1, &RoomSettings::default());
        scene.run(40, |_| amplitude);
        let before = scene.conference.counters();
        scene.run(10, |_| amplitude);
        assert_eq!(scene.conference.counters().audible - before.audible, audible, "{amplitude}");
    }
}

/// The changes of member 0 when it sends these levels, one a tick; `None` sends nothing.
fn talking(room: &RoomSettings, settings: MemberSettings, levels: &[Option<Option<i8>>]) -> Vec<(usize, bool)> {
    let mut conference = Conference::new();
    conference.join(0, room, settings);
    conference.join(1, room, MemberSettings::default());
    let mut client = Client::new(0);
    let mut changes = Vec::new();
    for (tick, level) in levels.iter().enumerate() {
        let mut packet = client.say(tone(500.0, 0.1));
        if let Some(level) = level {
            packet.audio_level = *level;
            conference.send(0, packet);
        }
        conference.tick();
        for (member, MemberEvent::Talking(talking)) in &conference.events {
            assert_eq!(*member, slot(0));
            changes.push((tick, *talking));
        }
    }
    changes
}

fn detecting() -> RoomSettings {
    let talk_detection = Some(TalkDetection { active_packets: 10, average_level: 25 });
    RoomSettings { talk_detection, ..RoomSettings::default() }
}

fn levels(spans: &[(usize, Option<Option<i8>>)]) -> Vec<Option<Option<i8>>> {
    spans.iter().flat_map(|(count, level)| std::iter::repeat_n(*level, *count)).collect()
}

#[test]
fn talking_is_told_per_window_and_only_when_it_changes() {
    let said = levels(&[(20, Some(Some(-10))), (20, Some(Some(-60))), (10, Some(Some(-24)))]);
    let changes = talking(&detecting(), MemberSettings::default(), &said);
    assert_eq!(changes, [(9, true), (29, false), (49, true)]);
}

#[test]
fn nobody_talks_at_the_limit_or_muted_or_without_levels_or_detection() {
    let loud = levels(&[(60, Some(Some(-10)))]);
    let at_limit = levels(&[(60, Some(Some(-25)))]);
    let unknown = levels(&[(60, Some(None))]);
    let muted = MemberSettings { muted: true, ..MemberSettings::default() };

    assert_eq!(talking(&detecting(), MemberSettings::default(), &at_limit), []);
    assert_eq!(talking(&detecting(), muted, &loud), []);
    assert_eq!(talking(&detecting(), MemberSettings::default(), &unknown), []);
    assert_eq!(talking(&RoomSettings::default(), MemberSettings::default(), &loud), []);
    let distrusting = RoomSettings { trust_levels: false, ..detecting() };
    assert_eq!(talking(&distrusting, MemberSettings::default(), &loud), []);
}

#[test]
fn one_can_have_a_measure_of_its_own_where_talking_is_told() {
    let said = levels(&[(20, Some(Some(-30)))]);
    let own = Some(TalkDetection { active_packets: 5, average_level: 40 });
    let settings = MemberSettings { talk_detection: own, ..MemberSettings::default() };

    assert_eq!(talking(&detecting(), settings.clone(), &said), [(4, true)]);
    assert_eq!(talking(&RoomSettings::default(), settings, &said), []);
}

#[test]
fn missing_packets_count_as_silence() {
    let said = levels(&[(10, Some(Some(-10))), (30, None)]);
    assert_eq!(talking(&detecting(), MemberSettings::default(), &said), [(9, true), (19, false)]);
}
