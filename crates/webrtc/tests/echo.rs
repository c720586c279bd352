//! Peers that hear themselves.
#![allow(clippy::unwrap_used, reason = "only tests are built with it")]

mod support;

use std::time::Duration;

use support::offers::{CHROMIUM, text};
use support::{World, slot};
use webrtc::{Answer, AnswerTraits, Command, PeerEvent};

/// The talking client of a call that is an echo.
fn talker(world: &mut World) -> usize {
    let client = world.connected_client();
    world.command(Command::Route { peer: slot(client), route: None });
    world.command(Command::Echo { peer: slot(client), echo: true });
    world.clients[client].talking = true;
    client
}

/// What came back: number and what is in it.
fn heard(world: &World, client: usize) -> Vec<(u64, String)> {
    let packets = world.clients[client].received.iter();
    packets.map(|packet| (*packet.seq_no, String::from_utf8(packet.payload.to_vec()).unwrap())).collect()
}

fn answered(offer: &str) -> Answer {
    let mut world = World::new();
    let (peer, offer) = (slot(0), offer.to_owned());
    world.command(Command::Negotiate { peer, negotiation: 1, offer, traits: AnswerTraits::Echo });
    match world.events.pop() {
        Some((_, PeerEvent::Answered { answer, .. })) => answer,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_said_comes_back_in_its_order_with_its_numbers() {
    let mut world = World::new();
    let client = talker(&mut world);

    world.run_for(Duration::from_secs(1));

    let heard = heard(&world, client);
    assert!(heard.len() >= 48, "{} packets of 50", heard.len());
    for (number, payload) in &heard {
        assert_eq!(*payload, format!("speech {number}"));
    }
    assert!(heard.is_sorted());
    assert!(world.packets.is_empty(), "nothing goes anywhere else");
    assert_eq!(world.shard.counters().audio_unrouted, 0);
}

#[test]
fn silence_comes_back_too() {
    let mut world = World::new();
    let client = talker(&mut world);
    world.clients[client].level = -127;

    world.run_for(Duration::from_secs(1));

    assert!(heard(&world, client).len() >= 47);
}

#[test]
fn an_echo_can_be_switched_off_and_on() {
    let mut world = World::new();
    let client = talker(&mut world);
    world.run_for(Duration::from_millis(500));

    world.command(Command::Echo { peer: slot(client), echo: false });
    world.run_for(Duration::from_millis(100));
    let silent_from = heard(&world, client).len();
    world.run_for(Duration::from_millis(500));
    assert_eq!(heard(&world, client).len(), silent_from);

    world.command(Command::Echo { peer: slot(client), echo: true });
    world.run_for(Duration::from_millis(500));
    let again = heard(&world, client).split_off(silent_from);
    assert!(again.len() >= 23 && again.iter().all(|(number, payload)| *payload == format!("speech {number}")));
}

#[test]
fn nobody_hears_somebody_else() {
    let mut world = World::new();
    let (ada, ben) = (talker(&mut world), talker(&mut world));
    world.clients[ben].talking = false;

    world.run_for(Duration::from_millis(500));

    assert!(!heard(&world, ada).is_empty());
    assert!(heard(&world, ben).is_empty());
}

#[test]
fn an_answer_says_what_the_offer_says() {
    let plain = answered(&text(CHROMIUM)).sdp;
    assert!(plain.contains("\r\ns=-\r\n") && plain.contains("\r\na=fmtp:111 useinbandfec=1\r\n"), "{plain}");

    let offer =
        text(CHROMIUM).replace("minptime=10;useinbandfec=1", "usedtx=1; stereo=1;sprop-stereo=1;useinbandfec=1");
    let flags = answered(&offer.replace("s=-", "s=me")).sdp;
    assert!(flags.contains("\r\na=fmtp:111 useinbandfec=1;usedtx=1;stereo=1\r\n"), "{flags}");
    assert!(flags.contains("\r\ns=me\r\n"), "{flags}");

    let none = answered(&text(CHROMIUM).replace("useinbandfec=1", "sprop-stereo=1")).sdp;
    assert!(!none.contains("a=fmtp"), "{none}");
}

#[test]
fn who_does_not_speak_has_no_echo() {
    for (theirs, ours) in [("recvonly", "inactive"), ("sendonly", "recvonly"), ("inactive", "inactive")] {
        let answer = answered(&text(CHROMIUM).replace("a=sendrecv", &format!("a={theirs}")));
        assert!(answer.sdp.contains(&format!("\r\na={ours}\r\n")), "{theirs}: {}", answer.sdp);
        assert!(!answer.sends);
    }
}
