//! A big room is mixed by several threads, and nobody can tell from what comes out.
#![allow(clippy::unwrap_used, reason = "test code")]

mod harness;

use std::time::Instant;

use harness::{Client, Conference, ROOM, silence, voice};
use mixer::{Crew, MemberSettings, RoomSettings, Worker, WorkerConfig};

const MEMBERS: u32 = 60;

/// A room with all its members, under a crew of that many threads.
fn play(room: &RoomSettings, threads: usize, epoch: Instant) -> Conference {
    let mut conference = Conference::new();
    (conference.epoch, conference.now) = (epoch, epoch);
    conference.worker = Worker::new(WorkerConfig::default(), epoch).with_crew(Crew::new(threads).unwrap());
    for index in 0..MEMBERS {
        conference.join_room(ROOM, index, room, MemberSettings { position: index as u8, ..MemberSettings::default() });
    }
    conference
}

/// Many speak by turns, and packets are lost.
fn agree(room: &RoomSettings, ticks: usize) {
    #[expect(clippy::disallowed_methods, reason = "any instant will do for a beginning of virtual time")]
    let epoch = Instant::now();
    let (mut alone, mut shared) = (play(room, 1, epoch), play(room, 3, epoch));
    let mut clients: Vec<_> = (0..MEMBERS).map(Client::new).collect();
    for tick in 0..ticks {
        for client in &mut clients {
            // Never fewer than 20, and every tick somebody begins or ends.
            let speaks = (client.index as usize + tick / 2) % 60 < 40;
            let packet = if speaks { client.say(voice(client.index)) } else { client.say(silence) };
            if !(client.index as usize + tick).is_multiple_of(11) {
                alone.send(client.index, packet.clone());
                shared.send(client.index, packet);
            }
        }
        for conference in [&mut alone, &mut shared] {
            conference.now += harness::TICK;
            conference.timeout();
        }
        let payloads = |conference: &Conference| -> Vec<_> {
            conference.packets.iter().map(|(outlet, packet)| (*outlet, packet.payload.clone())).collect()
        };
        assert!(payloads(&alone) == payloads(&shared), "tick {tick}");
        assert_eq!(alone.events, shared.events);
    }
    assert!(alone.counters().encodes_private > 20 * ticks as u64);
    assert_eq!(alone.counters(), shared.counters());
}

#[test]
fn a_room_of_many_speakers_sounds_the_same_however_many_threads_mix_it() {
    agree(&RoomSettings::default(), 60);
    agree(&RoomSettings { stereo: true, max_speakers: 24, ..RoomSettings::default() }, 30);
    agree(&RoomSettings { shared_encoding: false, ..RoomSettings::default() }, 20);
}
