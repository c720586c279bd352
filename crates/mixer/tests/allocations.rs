//! In steady state nothing allocates but the payloads: one for each distinct mix of a tick.
#![allow(unsafe_code, reason = "a global allocator cannot be written without")]

mod harness;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use harness::{Client, Conference, silence, voice};
use mixer::{MemberSettings, RoomSettings};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; `pointer` came from `System` by `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_tick_allocates_one_payload_for_each_mix() {
    let mut conference = Conference::new();
    let mut clients: Vec<_> = (0..20).map(Client::new).collect();
    clients.iter().for_each(|client| {
        conference.join(client.index, &RoomSettings::default(), MemberSettings::default());
    });
    let mut allocated = Vec::new();
    for tick in 0..300 {
        for client in &mut clients {
            let packet = if client.index < 3 { client.say(voice(client.index)) } else { client.say(silence) };
            let before = ALLOCATIONS.get();
            conference.send(client.index, packet);
            allocated.push(ALLOCATIONS.get() - before);
        }
        conference.now = conference.worker.poll_timeout().unwrap();
        let before = ALLOCATIONS.get();
        conference.worker.handle_timeout(conference.now);
        let payloads = if tick < 100 { 4 } else { ALLOCATIONS.get() - before };
        while conference.worker.poll_output().is_some() {}
        assert_eq!(payloads, 4, "in tick {tick}");
    }
    assert_eq!(allocated[100 * 20..].iter().sum::<u64>(), 0, "by packets");
}
