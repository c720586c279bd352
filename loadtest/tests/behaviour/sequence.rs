//! Lost, late and doubled packets are counted from sequence numbers alone.

use loadtest::sequence::{Arrival, Sequence, rtp_sequence};

fn observe(numbers: &[u16]) -> (Sequence, Vec<Arrival>) {
    let mut sequence = Sequence::default();
    let arrivals = numbers.iter().map(|number| sequence.observe(*number)).collect();
    (sequence, arrivals)
}

#[test]
fn a_stream_without_gaps_has_lost_nothing_across_the_wrap() {
    let (sequence, arrivals) = observe(&[65_534, 65_535, 0, 1]);
    assert_eq!(arrivals, [Arrival::Next; 4]);
    assert_eq!((sequence.received(), sequence.lost(), sequence.gaps()), (4, 0, 0));
}

#[test]
fn a_gap_is_lost() {
    let (sequence, arrivals) = observe(&[10, 14, 15]);
    assert_eq!(arrivals[1], Arrival::Gap(3));
    assert_eq!((sequence.received(), sequence.lost(), sequence.gaps()), (3, 3, 1));
}

#[test]
fn a_late_packet_fills_its_gap() {
    let (sequence, arrivals) = observe(&[10, 12, 11, 13]);
    assert_eq!(arrivals, [Arrival::Next, Arrival::Gap(1), Arrival::Late, Arrival::Next]);
    assert_eq!((sequence.lost(), sequence.late()), (0, 1));
}

#[test]
fn nothing_received_is_nothing_lost() {
    assert_eq!(Sequence::default().lost(), 0);
}

#[test]
fn only_rtp_has_a_sequence_number() {
    let datagram = |first: u8, second: u8| [first, second, 0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(rtp_sequence(&datagram(0x90, 111)), Some(0x1234));
    assert_eq!(rtp_sequence(&datagram(0x80, 111 | 0x80)), Some(0x1234));
    assert_eq!(rtp_sequence(&datagram(0x80, 200)), None, "RTCP");
    assert_eq!(rtp_sequence(&datagram(0x00, 1)), None, "STUN");
    assert_eq!(rtp_sequence(&datagram(22, 0xfe)), None, "DTLS");
    assert_eq!(rtp_sequence(&[0x80, 111]), None, "cut off");
}
