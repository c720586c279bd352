//! What any server pays on this machine for a packet in and one out: system calls and AES-GCM, and nothing else.
//!
//! Each frame of 20 ms one thread reads a packet from each of N addresses, opens it, seals another and sends it back; the
//! others are played by a second thread. Prints the first thread's processor time. Pin it as the server would be:
//! `taskset -c 0,1 cargo bench -p plenum-webrtc --bench floor`.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark with a clock, threads and a result"
)]

use std::io::{IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmmsg};
use nix::time::{ClockId, clock_gettime};

const FRAME: Duration = Duration::from_millis(20);
const FRAMES: u32 = 250;
const BATCH: usize = 64;
/// An Opus packet of speech with its RTP header, and the tag of AES-GCM.
const PACKET: usize = 122;
const TAG: usize = 16;

fn main() {
    println!("peers  µs of processor for a packet in and one out");
    for peers in [10, 50, 100, 300, 1000] {
        println!("{peers:5}  {:.2}", measure(peers));
    }
}

fn measure(peers: usize) -> f64 {
    let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let clients = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    for socket in [&server, &clients] {
        socket.set_nonblocking(true).unwrap();
        let _ = socket2::SockRef::from(socket).set_recv_buffer_size(8 << 20);
    }
    let port = clients.local_addr().unwrap().port();
    let address = |peer: usize| Ipv4Addr::from_bits(0x7f01_0000 + peer as u32);
    let addresses: Vec<_> = (0..peers).map(|peer| SockaddrIn::from(SocketAddrV4::new(address(peer), port))).collect();
    let to_server = server.local_addr().unwrap();
    let done = AtomicBool::new(false);

    thread::scope(|scope| {
        let done = &done;
        scope.spawn(move || play_clients(&clients, to_server, peers, done));
        let microseconds = serve(&server, &addresses);
        done.store(true, Ordering::Relaxed);
        microseconds
    })
}

/// As many packets come in as go out, from one address: what is read is the same.
fn play_clients(socket: &UdpSocket, server: std::net::SocketAddr, peers: usize, done: &AtomicBool) {
    let mut buffer = [0; 1500];
    let mut due = Instant::now();
    while !done.load(Ordering::Relaxed) {
        for _ in 0..peers {
            let _ = socket.send_to(&[0x5a; PACKET], server);
        }
        while socket.recv(&mut buffer).is_ok() {}
        due += FRAME;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

fn serve(socket: &UdpSocket, addresses: &[SockaddrIn]) -> f64 {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap());
    let nonce = || Nonce::assume_unique_for_key([9; 12]);
    let mut payload = [0x5a; PACKET - TAG];
    let mut sealed = vec![[0; PACKET]; addresses.len()];
    let mut received = vec![[0; 1500]; BATCH];
    let (mut headers, mut reading) = (MultiHeaders::preallocate(BATCH, None), MultiHeaders::preallocate(BATCH, None));
    let mut packets = 0;
    thread::sleep(FRAME * 5);
    let start = processor_time();
    let mut due = Instant::now();
    for _ in 0..FRAMES {
        loop {
            let mut vectors: Vec<_> = received.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
            let batch = recvmmsg::<_, SockaddrIn, _>(
                socket.as_raw_fd(),
                &mut reading,
                vectors.iter_mut(),
                MsgFlags::MSG_DONTWAIT,
                None,
            );
            let count = batch.map_or(0, Iterator::count);
            for buffer in received.iter_mut().take(count) {
                // The time is that of opening, whether or not the tag is right.
                let _ = key.open_in_place(nonce(), Aad::empty(), &mut buffer[..PACKET]);
            }
            packets += count;
            if count < BATCH {
                break;
            }
        }
        for (packet, peer) in sealed.iter_mut().zip((0..=255_u8).cycle()) {
            payload[0] = peer;
            let tag = key.seal_in_place_separate_tag(nonce(), Aad::empty(), &mut payload).unwrap();
            packet[..PACKET - TAG].copy_from_slice(&payload);
            packet[PACKET - TAG..].copy_from_slice(tag.as_ref());
        }
        for (packets, addresses) in sealed.chunks(BATCH).zip(addresses.chunks(BATCH)) {
            let vectors: Vec<_> = packets.iter().map(|packet| [IoSlice::new(packet)]).collect();
            let addresses: Vec<_> = addresses.iter().copied().map(Some).collect();
            let _ = sendmmsg(socket.as_raw_fd(), &mut headers, &vectors, &addresses, [], MsgFlags::MSG_DONTWAIT);
        }
        due += FRAME;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    let sent = FRAMES as usize * addresses.len();
    assert!(packets * 10 > sent * 9, "{packets} of {sent} packets came: the machine is too busy to measure");
    (processor_time() - start).as_secs_f64() * 1e6 / sent as f64
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}
