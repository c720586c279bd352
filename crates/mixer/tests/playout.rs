//! From arrival to mix: latency, what browsers' pacing costs, loss, drift, and bad weather, through a whole worker.
#![allow(clippy::unwrap_used, reason = "test code")]

mod harness;

use std::time::Duration;

use harness::{Client, Conference, TICK, decibel, goertzel, silence, slot, tone, voice};
use mixer::{AudioPacket, MemberSettings, RoomSettings};

const SPEAKER: u32 = 0;
const LISTENER: u32 = 1;

struct Call {
    conference: Conference,
    speaker: Client,
    listener: Client,
    /// Packets under way, by arrival.
    flying: Vec<(Duration, AudioPacket)>,
    ticks: u32,
}

impl Call {
    fn new() -> Self {
        let mut conference = Conference::new();
        let room = RoomSettings::default();
        conference.join(SPEAKER, &room, MemberSettings::default());
        conference.join(LISTENER, &room, MemberSettings::default());
        let (speaker, listener) = (Client::new(SPEAKER), Client::new(LISTENER));
        Self { conference, speaker, listener, flying: Vec::new(), ticks: 0 }
    }

    /// Sends a packet that arrives that long after the call began.
    fn send_at(&mut self, at: Duration, packet: AudioPacket) {
        self.flying.push((at, packet));
    }

    /// Lets one tick happen, with all packets that arrive before it.
    fn tick(&mut self) {
        let begin = self.conference.epoch + Duration::from_secs(10);
        let deadline = self.conference.worker.poll_timeout().unwrap();
        self.flying.sort_by_key(|(at, _)| *at);
        let due = self.flying.partition_point(|(at, _)| begin + *at <= deadline);
        for (at, packet) in self.flying.drain(..due) {
            self.conference.now = begin + at;
            self.conference.send(SPEAKER, packet);
        }
        self.conference.tick();
        self.listener.hear(&self.conference);
        self.ticks += 1;
    }

    fn delay(&self) -> Duration {
        self.conference.worker.delay(slot(SPEAKER)).unwrap()
    }
}

fn milliseconds(count: f64) -> Duration {
    Duration::from_secs_f64(count / 1_000.0)
}

/// Speaks for that many packets of 20 ms, each delayed as told; the delays after each tick.
fn speak(packets: u32, lateness: impl Fn(u32) -> f64) -> (Call, Vec<Duration>) {
    let mut call = Call::new();
    for number in 0..packets {
        let packet = call.speaker.say(voice(3));
        call.send_at(milliseconds(f64::from(number) * 20.0 + lateness(number)), packet);
    }
    let delays = (0..packets).map(|_| (call.tick(), call.conference.worker.delay(slot(SPEAKER)).unwrap_or_default()).1);
    let delays = delays.collect();
    (call, delays)
}

fn median(delays: &[Duration]) -> Duration {
    let mut delays = delays.to_vec();
    delays.sort();
    delays[delays.len() / 2]
}

#[test]
fn mouth_to_ear_is_the_wait_for_the_tick_and_the_codecs_look_ahead() {
    let mut latencies = Vec::new();
    for phase in 0..20 {
        let mut call = Call::new();
        let onset = 25;
        for number in 0..40 {
            let sound = move |sample: usize| if sample >= 960 * onset { tone(1_000.0, 0.3)(sample) } else { 0.0 };
            let packet = call.speaker.say(sound);
            call.send_at(milliseconds(f64::from(number) * 20.0 + f64::from(phase) + 0.5), packet);
        }
        let first = call.conference.worker.poll_timeout().unwrap() - (call.conference.epoch + Duration::from_secs(10));
        (0..40).for_each(|_| call.tick());
        let heard = call.listener.heard.iter().position(|sample| sample.abs() > 0.15).unwrap();
        let ear = first + TICK * (heard / 960) as u32 + milliseconds((heard % 960) as f64 / 48.0);
        let mouth = milliseconds(onset as f64 * 20.0 + f64::from(phase) + 0.5);
        latencies.push(ear - mouth);
    }

    // 10 ms mean wait for the tick, 12.4 ms look-ahead of two codecs.
    assert!(median(&latencies) <= milliseconds(28.0), "{latencies:?}");
    assert!(latencies.iter().all(|latency| *latency <= milliseconds(38.0)), "{latencies:?}");
}

#[test]
fn a_packet_is_mixed_in_the_first_tick_after_its_arrival() {
    for phase in [0.1, 5.0, 19.9] {
        let (call, delays) = speak(100, |_| phase);
        assert!(delays.iter().all(|delay| *delay < TICK), "{phase}: {delays:?}");
        assert_eq!(call.conference.counters().decodes_plc, 0, "{phase}");
    }
}

#[test]
fn firefox_and_chromium_pacing_cost_at_most_a_frame_and_nothing_is_concealed_after_the_start() {
    // Firefox sends with gaps of 18.5 or 37.5 ms, Chromium on a grid of 10 ms.
    let firefox = |number: u32| if number % 3 == 1 { 17.5 } else { 0.0 };
    let chromium = |number: u32| f64::from(number * 7 % 3 / 2) * 10.0;
    for (browser, pacing) in [("firefox", &firefox as &dyn Fn(u32) -> f64), ("chromium", &chromium)] {
        for phase in [1.0, 7.0, 13.0, 19.0] {
            let (call, delays) = speak(200, |number| phase + pacing(number));
            let steady = &delays[20..];
            assert!(median(steady) < 2 * TICK, "{browser} {phase}: {:?}", median(steady));
            assert!(call.conference.counters().decodes_plc <= 2, "{browser} {phase}");
        }
    }
}

#[test]
fn the_delay_comes_back_after_bad_weather_without_cutting_the_sound() {
    // 4 s of good weather, 2 s in which packets are up to 120 ms late, 6 s of good weather.
    let storm = |number: u32| if (200..300).contains(&number) { f64::from(number * 37 % 13) * 10.0 } else { 5.0 };
    let (mut call, delays) = speak(600, storm);

    assert!(delays[199] < TICK);
    let worst = delays[200..300].iter().max().unwrap();
    assert!(*worst > 3 * TICK, "the storm was no storm: {worst:?}");
    // 3.5 s after the storm.
    assert!(delays[475] <= TICK + milliseconds(3.0), "{:?}", delays[475]);
    let counters = call.conference.counters();
    assert!(counters.shortened >= 5, "{counters:?}");
    assert_eq!(counters.dropped_skipped, 0);
    // The voice is still there.
    call.listener.heard.truncate(480 * 960);
    assert!(decibel(goertzel(&call.listener.last(9_600, 0), 127.0) / 0.1) > -10.0);
}

#[test]
fn a_stall_of_a_second_costs_its_sound_and_no_delay_that_lasts() {
    let stall = |number: u32| {
        let at = f64::from(number) * 20.0;
        if (4_000.0..5_000.0).contains(&at) { 5_000.0 - at } else { 2.0 }
    };
    let (call, delays) = speak(600, stall);

    assert!(delays.iter().all(|delay| *delay < milliseconds(500.0)), "{:?}", delays.iter().max());
    assert!(call.delay() <= TICK + milliseconds(3.0), "{:?}", call.delay());
}

#[test]
fn lost_packets_are_restored_from_their_successors_when_losses_recur() {
    let mut call = Call::new();
    call.speaker = Client::new(SPEAKER).with_fec();
    for number in 0..500_u32 {
        let packet = call.speaker.say(voice(5));
        if number % 10 != 7 {
            call.send_at(milliseconds(f64::from(number) * 20.0 + 3.0), packet);
        }
    }
    (0..500).for_each(|_| call.tick());

    let counters = call.conference.counters();
    // 50 were lost: the first few are concealed, until it is known that waiting a frame for the successor pays. Of this
    // sound, libopus puts FEC into 6 packets of 10.
    assert!(counters.decodes_fec >= 25, "{counters:?}");
    assert_eq!(counters.decodes_fec + counters.decodes_plc, 50, "{counters:?}");
    assert!(call.delay() < 2 * TICK, "{:?}", call.delay());
}

#[test]
fn without_forward_error_correction_losses_are_concealed_and_cost_no_delay() {
    let mut call = Call::new();
    for number in 0..500_u32 {
        let packet = call.speaker.say(voice(5));
        if number % 10 != 7 {
            call.send_at(milliseconds(f64::from(number) * 20.0 + 3.0), packet);
        }
    }
    (0..500).for_each(|_| call.tick());

    let counters = call.conference.counters();
    assert!((45..=55).contains(&counters.decodes_plc), "{counters:?}");
    assert_eq!(counters.decodes_fec, 0);
    assert!(call.delay() < TICK, "{:?}", call.delay());
}

#[test]
fn a_gap_is_concealed_for_a_while_and_then_silent() {
    let mut call = Call::new();
    for number in 0..50_u32 {
        let packet = call.speaker.say(voice(5));
        call.send_at(milliseconds(f64::from(number) * 20.0 + 3.0), packet);
    }
    (0..100).for_each(|_| call.tick());

    assert!((4..=6).contains(&call.conference.counters().decodes_plc), "{:?}", call.conference.counters());
    assert!(call.listener.last(9_600, 0).iter().all(|sample| sample.abs() < 0.001));
}

#[test]
fn packets_of_any_length_are_heard() {
    for samples in [480_usize, 960, 1_920, 2_880] {
        let mut call = Call::new();
        let length = milliseconds(samples as f64 / 48.0);
        let count = 4_000_000 / length.as_micros() as u32;
        for number in 0..count {
            let packet = call.speaker.say_for(samples, tone(600.0, 0.2));
            call.send_at(length * number + milliseconds(4.0), packet);
        }
        (0..195).for_each(|_| call.tick());

        let level = decibel(goertzel(&call.listener.last(48_000, 0), 600.0) / 0.2);
        assert!(level > -1.5, "{samples}: {level} dB");
        assert_eq!(call.conference.counters().decodes_plc, 0, "{samples}");
        assert!(call.delay() <= TICK + milliseconds(10.0), "{samples}: {:?}", call.delay());
    }
}

#[test]
fn speech_after_a_pause_without_packets_is_heard_from_its_onset() {
    // What `usedtx` looks like: in silence nothing but a small packet now and then, timestamps go on.
    let mut call = Call::new();
    for number in 0..300_u32 {
        let speaking = number % 100 < 30;
        let packet = call.speaker.say(|sample| if speaking { tone(800.0, 0.3)(sample) } else { silence(sample) });
        if speaking || number % 20 == 0 {
            let mut packet = packet;
            // A DTX sender counts the packets that it sends.
            packet.sequence = 1_000 + u64::from(number) - u64::from(number / 100) * 66;
            call.send_at(milliseconds(f64::from(number) * 20.0 + 6.0), packet);
        }
    }
    let mut loud = Vec::new();
    for _ in 0..300 {
        call.tick();
        loud.push(goertzel(&call.listener.last(960, 0), 800.0) > 0.15);
    }

    for burst in [1, 2] {
        let first = (burst * 100..).position(|tick| loud[tick]).unwrap();
        assert!(first <= 2, "burst {burst} is heard after {first} ticks");
        assert!(loud[burst * 100 + 2..burst * 100 + 28].iter().all(|loud| *loud), "burst {burst} has holes");
        assert!(!loud[burst * 100 + 60], "burst {burst} does not end");
    }
}
