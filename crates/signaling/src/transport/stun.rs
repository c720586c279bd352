//! Asks a STUN server from where our datagrams seem to come (RFC 8489, binding request). Knows no ICE.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use rand::RngExt;
use tokio::net::{UdpSocket, lookup_host};
use tokio::time::{sleep, timeout};

/// Between a request and its repetition (RFC 8489 section 6.2.1).
const REPEAT: Duration = Duration::from_millis(500);
/// In all; a reply to an operator may take 10 s.
const PATIENCE: Duration = Duration::from_secs(5);
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER: usize = 20;

/// The address that the server sees a datagram of ours come from; `None` if nothing is heard of it. Port 0 is any.
pub(super) async fn public_address(host: &str, port: u16, local_port: u16) -> Option<SocketAddr> {
    timeout(PATIENCE, ask(host, port, local_port)).await.ok().flatten()
}

async fn ask(host: &str, port: u16, local_port: u16) -> Option<SocketAddr> {
    let server = lookup_host((host, port)).await.ok()?.next()?;
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, local_port)).await.ok()?;
    socket.connect(server).await.ok()?;
    #[expect(clippy::disallowed_methods, reason = "nobody who does not hear us shall be able to answer")]
    let transaction: [u8; 12] = rand::rng().random();
    let request = request(transaction);
    let mut response = [0; 1500];
    loop {
        socket.send(&request).await.ok()?;
        tokio::select! {
            received = socket.recv(&mut response) => {
                let length = received.ok()?;
                if let Some(address) = mapped_address(&response[..length], transaction) {
                    return Some(address);
                }
            }
            () = sleep(REPEAT) => {}
        }
    }
}

fn request(transaction: [u8; 12]) -> [u8; HEADER] {
    let mut request = [0; HEADER];
    request[1] = 1;
    request[4..8].copy_from_slice(&MAGIC_COOKIE);
    request[8..].copy_from_slice(&transaction);
    request
}

/// What a response to this transaction says; nothing if it is none.
fn mapped_address(response: &[u8], transaction: [u8; 12]) -> Option<SocketAddr> {
    const BINDING_SUCCESS: [u8; 2] = [1, 1];
    const XOR_MAPPED_ADDRESS: [u8; 2] = [0, 0x20];
    let (header, mut attributes) = response.split_at_checked(HEADER)?;
    if header[..2] != BINDING_SUCCESS || header[4..8] != MAGIC_COOKIE || header[8..] != transaction {
        return None;
    }
    while let [type_high, type_low, length_high, length_low, rest @ ..] = attributes {
        let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
        let value = rest.get(..length)?;
        if [*type_high, *type_low] == XOR_MAPPED_ADDRESS {
            return unmasked(value, &header[4..]);
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// RFC 8489 section 14.2: port and address are masked with the cookie and the transaction, which are the mask.
fn unmasked(value: &[u8], mask: &[u8]) -> Option<SocketAddr> {
    let [_, family, port_high, port_low, address @ ..] = value else { return None };
    let port = u16::from_be_bytes([port_high ^ mask[0], port_low ^ mask[1]]);
    let address: Vec<u8> = address.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    match family {
        1 => Some(SocketAddr::new(<[u8; 4]>::try_from(address).ok()?.into(), port)),
        2 => Some(SocketAddr::new(<[u8; 16]>::try_from(address).ok()?.into(), port)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5769 section 2.2, without what comes after the address.
    const RESPONSE: &str =
        "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643";
    const TRANSACTION: &str = "b7e7a701bc34d686fa87dfae";
    /// RFC 5769 section 2.3.
    const IPV6_RESPONSE: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9";

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
    }

    fn transaction() -> [u8; 12] {
        bytes(TRANSACTION).try_into().expect("12 bytes")
    }

    #[test]
    fn the_address_of_the_test_vectors_is_read() {
        let address = |response| mapped_address(&bytes(response), transaction());
        assert_eq!(address(RESPONSE), Some(([192, 0, 2, 1], 32853).into()));
        let ipv6 = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().expect("an address");
        assert_eq!(address(IPV6_RESPONSE), Some(ipv6));
    }

    #[test]
    fn what_is_no_answer_to_us_is_left_aside() {
        let response = bytes(RESPONSE);
        assert_eq!(mapped_address(&response, [0; 12]), None, "somebody else's");
        assert_eq!(mapped_address(&request(transaction()), transaction()), None, "a request");
        for length in 0..response.len() {
            assert_eq!(mapped_address(&response[..length], transaction()), None, "{length}");
        }
    }

    #[tokio::test]
    async fn a_server_is_asked() {
        let server = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        let port = server.local_addr().expect("bound").port();
        let answering = tokio::spawn(async move {
            let mut asked = [0; 100];
            let (_, client) = server.recv_from(&mut asked).await.expect("a request");
            let mut response = bytes(RESPONSE);
            response[8..20].copy_from_slice(&asked[8..20]);
            server.send_to(&response, client).await.expect("sent");
        });

        assert_eq!(public_address("127.0.0.1", port, 0).await, Some(([192, 0, 2, 1], 32853).into()));
        answering.await.expect("answered");
    }
}
