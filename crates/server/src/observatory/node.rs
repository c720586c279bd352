//! What this process does, in figures that are read while somebody watches: the processor time of its threads as the kernel
//! counts it, memory, and how many of everything there are.

use std::collections::HashMap;
use std::time::Instant;

use procfs::process::Process;
use serde_json::{Value, json};
use signaling::Gauges;

use crate::wiring::Worker;

/// One process over time.
#[derive(Debug)]
pub(super) struct Node {
    started: Instant,
    looked_at: Instant,
    /// Ticks by thread id.
    ticks: HashMap<i32, u64>,
}

/// A thread as the kernel tells of it.
struct Thread {
    id: i32,
    name: String,
    ticks: u64,
}

impl Node {
    pub(super) fn new(started: Instant) -> Self {
        Self { started, looked_at: started, ticks: HashMap::new() }
    }

    /// What there is to be seen now. The time of threads is that since the last look.
    pub(super) fn figures(&mut self, gauges: &Gauges, workers: &[Worker], now: Instant) -> Value {
        let elapsed = now.saturating_duration_since(self.looked_at).as_secs_f64();
        self.looked_at = now;
        let threads = threads();
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
            "memory_bytes": memory(),
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
    #[expect(clippy::cast_precision_loss, reason = "ticks of some seconds")]
    let used = ticks as f64 / procfs::ticks_per_second() as f64;
    if seconds > 0.0 { (used / seconds * 1_000.0).round() / 10.0 } else { 0.0 }
}

/// In the order of their names; none where the kernel does not tell. One that ends meanwhile is left out.
fn threads() -> Vec<Thread> {
    let tasks = Process::myself().and_then(|process| process.tasks());
    let stats = tasks.into_iter().flatten().filter_map(|task| task.ok()?.stat().ok());
    let thread = |stat: procfs::process::Stat| Thread { id: stat.pid, name: stat.comm, ticks: stat.utime + stat.stime };
    let mut threads: Vec<_> = stats.map(thread).collect();
    threads.sort_by(|one, other| one.name.cmp(&other.name));
    threads
}

/// What is in memory of this process, in bytes.
fn memory() -> Option<u64> {
    Some(Process::myself().ok()?.stat().ok()?.rss * procfs::page_size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_threads_and_memory() {
        assert!(threads().iter().any(|thread| !thread.name.is_empty()));
        assert!(memory().expect("the kernel tells") > 0);
        assert!((percent(procfs::ticks_per_second(), 2.0) - 50.0).abs() < f64::EPSILON);
    }
}
