//! The jitter buffer under random weather, against a model that only knows what was sent and what arrived.

use std::collections::BTreeMap;
use std::sync::Arc;

use mixer::jitter::{Insertion, JitterBuffer, MAX_EXCESS, MAX_HOLD, MAX_TARGET, Piece, WaitingPacket};
use proptest::prelude::*;

/// 20 ms in samples of 48 kHz; all times are in these.
const TICK: u64 = 960;

/// What the network does to a packet.
#[derive(Clone)]
struct Fate {
    lost: bool,
    delay: u64,
    duplicate_after: Option<u64>,
    /// The sender is silent (DTX) after this packet for so many packets.
    pause: u64,
}

fn fate(max_delay: u64) -> impl Strategy<Value = Fate> {
    (
        prop::bool::weighted(0.1),
        0..=max_delay,
        prop::option::weighted(0.05, 0..=max_delay),
        prop::option::weighted(0.02, 1..40_u64),
    )
        .prop_map(|(lost, delay, duplicate_after, pause)| Fate {
            lost,
            delay,
            duplicate_after,
            pause: pause.unwrap_or(0),
        })
}

fn weather() -> impl Strategy<Value = (u64, Vec<Fate>)> {
    let duration = prop::sample::select(vec![480_u64, 960, 1_920, 2_880, 5_760]);
    let max_delay = prop::sample::select(vec![0_u64, 240, 960, 2_880, 9_600]);
    (duration, max_delay).prop_flat_map(|(duration, max_delay)| {
        let count = (480_000 / duration) as usize;
        (Just(duration), prop::collection::vec(fate(max_delay), count))
    })
}

impl std::fmt::Debug for Fate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lost = if self.lost { "lost" } else { "" };
        write!(f, "{lost}+{}/{:?}/{}", self.delay, self.duplicate_after, self.pause)
    }
}

/// One arrival: media time, and the packet.
type Arrivals = BTreeMap<(u64, u64), WaitingPacket>;

/// Sends one packet per fate, then 8 s in good weather.
fn arrivals(duration: u64, fates: &[Fate], offset: u64) -> Arrivals {
    let good = Fate { lost: false, delay: 0, duplicate_after: None, pause: 0 };
    let fates = fates.iter().chain(std::iter::repeat_n(&good, (384_000 / duration) as usize));
    let (mut sent, mut time, mut order) = (0, 48_000, 0);
    let mut arrivals = Arrivals::new();
    for (sequence, fate) in fates.enumerate() {
        let packet = WaitingPacket {
            sequence: sequence as u64,
            timestamp: offset + sent,
            duration: duration as u32,
            audio_level: None,
            has_fec: false,
            payload: Arc::from([0_u8].as_slice()),
        };
        let copies = [(!fate.lost).then_some(fate.delay), fate.duplicate_after.map(|after| fate.delay + after)];
        for delay in copies.into_iter().flatten() {
            order += 1;
            arrivals.insert((time + delay, order), packet.clone());
        }
        let next = duration * (1 + fate.pause);
        sent += next;
        time += next;
    }
    arrivals
}

/// What the buffer did with all arrivals.
#[derive(Debug, Default)]
struct Played {
    sequences: Vec<u64>,
    dropped: usize,
    late: usize,
    skipped: u64,
    max_delay: u32,
    last_delay: u32,
}

/// Plays everything in ticks of 20 ms, putting the delay right at once as for sound that nobody hears.
fn play(arrivals: &Arrivals) -> Played {
    let mut buffer = JitterBuffer::new();
    let mut played = Played::default();
    let mut arriving = arrivals.iter().peekable();
    let end = arrivals.keys().next_back().map_or(0, |(time, _)| *time);
    let (mut queued, mut position) = (0_u32, 0_u64);
    let mut tick = 0;
    while tick < end {
        tick += TICK;
        while let Some(((time, _), packet)) = arriving.next_if(|((time, _), _)| *time <= tick) {
            match buffer.insert(packet.clone(), *time, time.div_ceil(TICK) * TICK) {
                Insertion::Queued | Insertion::Resynced => {}
                Insertion::Late => played.late += 1,
                Insertion::Duplicate | Insertion::Overflow => played.dropped += 1,
            }
        }
        let mut note = |packet: &WaitingPacket| {
            assert!(packet.timestamp >= position, "packet {} plays out of order or twice", packet.sequence);
            position = packet.timestamp + u64::from(packet.duration);
            played.sequences.push(packet.sequence);
        };
        while queued < TICK as u32 {
            let piece = buffer.pull(tick, queued);
            match &piece {
                Piece::Packet(packet) => note(packet),
                Piece::Conceal { duration, .. } => assert!((1..=960).contains(duration) && duration % 120 == 0),
                Piece::Silence { duration } => assert!(*duration > 0 && *duration < 960),
                Piece::Pause => break,
            }
            queued += piece.duration();
        }
        if let Some(delay) = buffer.delay(tick, queued) {
            played.max_delay = played.max_delay.max(delay);
            played.last_delay = delay;
        }
        let consumed = (TICK as i64 + buffer.excess(tick, queued)).max(0) as u32;
        while queued < consumed
            && let Some(packet) = buffer.pull_early()
        {
            note(&packet);
            queued += packet.duration;
        }
        queued = queued.saturating_sub(consumed);
        played.skipped += buffer.drain_skipped();
    }
    played
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_plays_in_order_with_bounded_delay_and_returns_to_base(
        (duration, fates) in weather(),
        offset in prop::sample::select(vec![0_u64, 1, 4_294_967_000, 1 << 40]),
    ) {
        let arrivals = arrivals(duration, &fates, offset);
        let played = play(&arrivals);

        // Every arrival was played or is accounted for (a few may still wait at the end).
        let accounted = played.sequences.len() + played.dropped + played.late + played.skipped as usize;
        prop_assert!(arrivals.len() - accounted <= 2, "{} arrived, {played:?}", arrivals.len());
        let bound = MAX_TARGET + MAX_EXCESS + i64::from(MAX_HOLD) + 2 * duration as i64 + TICK as i64;
        prop_assert!(i64::from(played.max_delay) <= bound, "delay {} above {bound}", played.max_delay);
        // Good weather: a packet waits for its tick, and, if it is shorter than a tick, for its successor.
        let base = TICK + TICK.saturating_sub(duration) + 120;
        prop_assert!(u64::from(played.last_delay) <= base, "delay {} does not return to {base}", played.last_delay);
        // All of the last four seconds played (the weather is remembered for up to three).
        let tail = 192_000 / duration;
        let last = (480_000 + 384_000) / duration - 2;
        let heard = played.sequences.iter().filter(|sequence| **sequence > last - tail).count() as u64;
        prop_assert!(heard >= tail - 1, "{heard} of the last {tail} packets played");
    }

    #[test]
    fn a_constant_delay_costs_nothing(duration in prop::sample::select(vec![960_u64, 1_920, 2_880]), phase in 0..960_u64) {
        let arrivals: Arrivals = arrivals(duration, &[], 7).into_iter()
            .map(|((time, order), packet)| ((time + phase, order), packet)).collect();
        let played = play(&arrivals);

        prop_assert_eq!(played.late + played.dropped, 0);
        // Played in the first tick after arrival.
        prop_assert!(played.max_delay < 960, "delay {}", played.max_delay);
        let all: Vec<u64> = (0..played.sequences.len() as u64).collect();
        prop_assert_eq!(&played.sequences, &all);
    }
}

#[test]
fn the_clock_of_a_sender_may_drift_for_an_hour() {
    for ppm in [-100_i64, 100] {
        let mut arrivals = Arrivals::new();
        for number in 0..180_000_u64 {
            let sent = (number * 960) as i64;
            // 1.8 ms of jitter on top of the drift.
            let arrival = 48_000 + sent + sent * ppm / 1_000_000 + (number * 31 % 7 * 14) as i64;
            arrivals.insert((arrival as u64, number), packet(number, number * 960));
        }

        let played = play(&arrivals);

        assert_eq!((played.late, played.dropped, played.skipped), (0, 0, 0), "{ppm}");
        assert!(played.sequences.len() >= 179_998, "{ppm}: {}", played.sequences.len());
        // A frame for the crossing of a tick, and the jitter.
        assert!(played.max_delay <= 2 * 960 + 90, "{ppm}: {}", played.max_delay);
    }
}

fn packet(sequence: u64, timestamp: u64) -> WaitingPacket {
    WaitingPacket {
        sequence,
        timestamp,
        duration: 960,
        audio_level: None,
        has_fec: true,
        payload: Arc::from([sequence as u8].as_slice()),
    }
}

#[test]
fn a_packet_that_is_late_by_a_tick_is_played_and_not_lost() {
    let mut buffer = JitterBuffer::new();
    buffer.insert(packet(0, 0), 950, 960);
    assert!(matches!(buffer.pull(960, 0), Piece::Packet(packet) if packet.sequence == 0));
    assert!(matches!(buffer.pull(1_920, 0), Piece::Conceal { duration: 960, fec: None }));

    buffer.insert(packet(1, 960), 2_500, 2_880);

    assert!(matches!(buffer.pull(2_880, 0), Piece::Packet(packet) if packet.sequence == 1));
}

#[test]
fn a_lost_packet_is_restored_from_its_successor_when_that_is_there() {
    let mut buffer = JitterBuffer::new();
    buffer.insert(packet(0, 0), 950, 960);
    buffer.insert(packet(2, 1_920), 951, 960);
    buffer.pull(960, 0);

    let piece = buffer.pull(1_920, 0);

    assert!(matches!(piece, Piece::Conceal { duration: 960, fec: Some(payload) } if *payload == [2]));
    assert!(matches!(buffer.pull(2_880, 0), Piece::Packet(packet) if packet.sequence == 2));
}

#[test]
fn a_concealed_loss_does_not_add_delay() {
    let mut buffer = JitterBuffer::new();
    buffer.insert(packet(0, 0), 950, 960);
    buffer.pull(960, 0);
    // Packet 1 is lost; nothing else is there in its tick.
    assert!(matches!(buffer.pull(1_920, 0), Piece::Conceal { fec: None, .. }));
    buffer.insert(packet(2, 1_920), 2_870, 2_880);

    assert!(matches!(buffer.pull(2_880, 0), Piece::Packet(packet) if packet.sequence == 2));
}

#[test]
fn timestamps_that_jump_ahead_start_a_new_stream_at_once() {
    let mut buffer = JitterBuffer::new();
    for (sequence, timestamp) in [0, 900_000_000, 5_000_000_000, 1 << 50].into_iter().enumerate() {
        let tick = 960 * (sequence as u64 + 1);
        buffer.insert(packet(sequence as u64, timestamp), tick - 10, tick);
        assert!(matches!(buffer.pull(tick, 0), Piece::Packet(packet) if packet.timestamp == timestamp));
    }
}

#[test]
fn timestamps_that_jump_back_start_a_new_stream_when_the_old_has_run_dry() {
    let mut buffer = JitterBuffer::new();
    buffer.insert(packet(0, 1 << 40), 950, 960);
    buffer.pull(960, 0);

    let heard = (2..20_u64).find(|&tick| {
        buffer.insert(packet(tick, tick * 960), tick * 960 - 10, tick * 960);
        matches!(buffer.pull(tick * 960, 0), Piece::Packet(_))
    });

    // 100 ms of concealment, then the pause.
    assert_eq!(heard, Some(8));
}

#[test]
fn a_flood_is_bounded() {
    let mut buffer = JitterBuffer::new();
    let overflow = (0..10_000).filter(|&n| buffer.insert(packet(n, n), 100, 960) == Insertion::Overflow).count();

    assert!(buffer.len() <= mixer::jitter::CAPACITY);
    assert_eq!(overflow, 10_000 - buffer.len());
}
