//! The last packets of a member, so that its decoder can be brought up to them. Must not decode.

use std::sync::Arc;

/// A decoder that starts anew on the last three packets is within 0.04 times the signal's rms of one that never
/// stopped; one that goes on from its old state is off by 19 times (libopus 1.6.1, hybrid, speech onset after 1 s).
const DEPTH: usize = 3;

/// A ring of payloads.
#[derive(Debug, Default)]
pub(crate) struct History {
    payloads: [Option<Arc<[u8]>>; DEPTH],
    next: usize,
}

impl History {
    pub(crate) fn push(&mut self, payload: Arc<[u8]>) {
        self.payloads[self.next] = Some(payload);
        self.next = (self.next + 1) % DEPTH;
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<[u8]>> {
        let (newer, older) = self.payloads.split_at(self.next);
        older.iter().chain(newer).flatten()
    }
}
