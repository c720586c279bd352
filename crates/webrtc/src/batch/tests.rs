//! Real sockets: the kernel has to agree with what is written for it.

use std::net::UdpSocket;
use std::os::fd::AsFd;

use super::*;
use crate::packet::Protocol;

#[test]
fn more_than_one_batch_by_ipv4() {
    there_and_back("0.0.0.0:0", ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
}

#[test]
fn more_than_one_batch_by_ipv6() {
    there_and_back("[::]:0", ["::1"; 3]);
}

#[test]
fn a_datagram_the_kernel_refuses_stops_no_other() {
    let [sender, receiver] = [socket("127.0.0.1:0"), socket("127.0.0.1:0")];
    let destination = receiver.local_addr().unwrap();
    let mut batch = SendBatch::new();
    for length in [1, 100_000, 2, 100_000, 100_000, 3] {
        batch.push(Transmit { protocol: Protocol::Udp, source: None, destination, payload: vec![0; length] });
    }

    assert_eq!(batch.send(sender.as_fd()), 3);

    let mut received = ReceiveBatch::new();
    assert_eq!(received.receive(receiver.as_fd()).unwrap(), 3);
    assert_eq!(received.datagrams().map(|it| it.bytes.len()).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(batch.send(sender.as_fd()), 0, "a batch is sent once");
}

#[test]
fn what_is_too_long_is_cut() {
    let [sender, receiver] = [socket("127.0.0.1:0"), socket("127.0.0.1:0")];
    sender.send_to(&[7; 5000], receiver.local_addr().unwrap()).unwrap();

    let mut received = ReceiveBatch::new();
    received.receive(receiver.as_fd()).unwrap();

    let datagram = received.datagrams().next().unwrap();
    assert_eq!(datagram, Datagram { source: sender.local_addr().unwrap(), destination: None, bytes: &[7; DATAGRAM] });
}

/// A wildcard socket is sent to at each of its addresses in turn, and answers from the same.
fn there_and_back(wildcard: &str, addresses: [&str; 3]) {
    const COUNT: usize = 2 * BATCH + 3;
    let server = socket(wildcard);
    let port = server.local_addr().unwrap().port();
    report_local_addresses(server.as_fd(), server.local_addr().unwrap().is_ipv6()).unwrap();
    let addresses = addresses.map(|address| SocketAddr::new(address.parse().unwrap(), port));
    let client = socket(&SocketAddr::new(addresses[0].ip(), 0).to_string());
    let mut received = ReceiveBatch::new();
    let mut batch = SendBatch::new();
    for index in 0..COUNT {
        batch.push(Transmit {
            protocol: Protocol::Udp,
            source: None,
            destination: addresses[index % 3],
            payload: vec![index as u8; index + 1],
        });
    }

    assert_eq!(batch.send(client.as_fd()), 0);
    let mut seen = 0;
    for expected in [BATCH, BATCH, 3] {
        assert_eq!(received.receive(server.as_fd()).unwrap(), expected);
        for Datagram { source, destination, bytes } in received.datagrams() {
            assert_eq!(source, client.local_addr().unwrap());
            assert_eq!(destination, Some(addresses[seen % 3].ip()));
            assert_eq!(bytes, vec![seen as u8; seen + 1]);
            batch.push(Transmit {
                protocol: Protocol::Udp,
                source: destination,
                destination: source,
                payload: bytes.to_vec(),
            });
            seen += 1;
        }
    }
    assert_eq!(received.receive(server.as_fd()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(received.datagrams().count(), 0);
    assert!(batch.is_full());
    assert_eq!(batch.send(server.as_fd()), 0);

    let mut buffer = [0; 256];
    for index in 0..COUNT {
        let (length, from) = client.recv_from(&mut buffer).unwrap();
        assert_eq!(from, addresses[index % 3]);
        assert_eq!(buffer[..length], vec![index as u8; index + 1]);
    }
}

#[expect(clippy::disallowed_methods, reason = "a real socket is what is tested")]
fn socket(address: &str) -> UdpSocket {
    UdpSocket::bind(address).unwrap()
}
