//! Threads that share the costly steps of a big room's tick, so that a room in which all speak is mixed by every core.
//! Must not know what the work is.
//!
//! Steps are forked and joined: whoever asks waits until all is done, and each item is done by itself, so that the
//! result is the same, bit for bit, however many threads there are. Between steps the threads sleep without waking.

use std::io;
use std::sync::Arc;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::counters::Counters;

/// Fewer decodes or encodes than this (0.4 to 2 ms) are done where they are: waking the threads costs up to 50 µs.
const WORTHWHILE: usize = 16;
/// Items that one thread takes at a time: few, since the costly ones may sit side by side.
const CHUNK: usize = 4;

/// See the module. Clones share the threads.
#[derive(Clone, Debug, Default)]
pub struct Crew {
    threads: Option<Arc<ThreadPool>>,
}

impl Crew {
    /// A crew of that many threads; with one or none, work is done where it is.
    pub fn new(threads: usize) -> io::Result<Self> {
        if threads <= 1 {
            return Ok(Self::default());
        }
        let builder = ThreadPoolBuilder::new().num_threads(threads).thread_name(|number| format!("crew-{number}"));
        Ok(Self { threads: Some(Arc::new(builder.build().map_err(io::Error::other)?)) })
    }

    /// Has `work` done for all items, of which `costly` cost something: it gets a part of them and the index of the
    /// first. A panic in it is the caller's.
    pub(crate) fn share<T: Send>(
        &self,
        items: &mut [T],
        costly: usize,
        counters: &mut Counters,
        work: impl Fn(usize, &mut [T], &mut Counters) + Sync,
    ) {
        let Some(threads) = self.threads.as_ref().filter(|_| costly >= WORTHWHILE) else {
            return work(0, items, counters);
        };
        let part = |(number, part): (usize, &mut [T])| {
            let mut counters = Counters::default();
            work(number * CHUNK, part, &mut counters);
            counters
        };
        let sum = || items.par_chunks_mut(CHUNK).enumerate().map(part).reduce(Counters::default, Counters::plus);
        *counters = counters.plus(threads.install(sum));
    }
}
