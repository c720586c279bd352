//! What this process does, in figures that are read while somebody watches: the processor time of its threads as the kernel
//! counts it, memory, and how many of everything there are.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::{Value, json};
use signaling::Gauges;

use crate::process::{self, Thread};
use crate::wiring::Worker;

/// One process over time.
#[derive(Debug)]
pub(super) struct Node {
    started: Instant,
    looked_at: Instant,
    /// Ticks by thread id.
    ticks: HashMap<i32, u64>,
}

impl Node {
    pub(super) fn new(started: Instant) -> Self {
        Self { started, looked_at: started, ticks: HashMap::new() }
    }

    /// What there is to be seen now. The time of threads is that since the last look.
    pub(super) fn figures(&mut self, gauges: &Gauges, workers: &[Worker], now: Instant) -> Value {
        let elapsed = now.saturating_duration_since(self.looked_at).as_secs_f64();
        self.looked_at = now;
        let threads = process::threads().unwrap_or_default();
        let used = threads.iter().map(|Thread { id, name, ticks }| {
            let since = self.ticks.get(id).map_or(0, |before| ticks.saturating_sub(*before));
            json!({"name": name, "cpu_percent": percent(since, elapsed)})
        });
        let used: Vec<_> = used.collect();
        self.ticks = threads.into_iter().map(|thread| (thread.id, thread.ticks)).collect();
        let Gauges { sessions, handles, rooms, participants, .. } = *gauges;
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_seconds": now.saturating_duration_since(self.started).as_secs(),
            "cores": std::thread::available_parallelism().map_or(1, usize::from),
            "memory_bytes": process::resident_bytes().ok(),
            "sessions": sessions,
            "handles": handles,
            "rooms": rooms,
            "participants": participants,
            "overloaded": workers.iter().any(Worker::is_overloaded),
            "threads": used,
        })
    }
}

/// To a tenth.
fn percent(ticks: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { (process::seconds(ticks) / seconds * 1_000.0).round() / 10.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_works_half_of_the_time_has_fifty_percent() {
        assert!((percent(procfs::ticks_per_second(), 2.0) - 50.0).abs() < f64::EPSILON);
    }
}
