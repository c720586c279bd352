//! What the kernel knows of this process. Must not know how it is shown.

use procfs::process::{LimitValue, Process};
use procfs::{ProcError, ProcResult};

/// Of the process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figures {
    pub(super) cpu_seconds: f64,
    pub(super) resident_bytes: f64,
    pub(super) virtual_bytes: f64,
    pub(super) open_files: f64,
    pub(super) open_files_limit: f64,
    pub(super) threads: f64,
    /// Seconds since 1970.
    pub(super) started: f64,
}

#[expect(clippy::cast_precision_loss, reason = "these are far below 2^52")]
pub(super) fn figures() -> ProcResult<Figures> {
    let process = Process::myself()?;
    let stat = process.stat()?;
    let ticks = procfs::ticks_per_second() as f64;
    let open_files_limit = match process.limits()?.max_open_files.soft_limit {
        LimitValue::Value(limit) => limit as f64,
        LimitValue::Unlimited => f64::INFINITY,
    };
    Ok(Figures {
        cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
        resident_bytes: (stat.rss * procfs::page_size()) as f64,
        virtual_bytes: stat.vsize as f64,
        open_files: process.fd_count()? as f64,
        open_files_limit,
        threads: stat.num_threads as f64,
        started: procfs::boot_time_secs()? as f64 + stat.starttime as f64 / ticks,
    })
}

/// The CPU seconds of the threads whose names begin so: of those that live as long as the process, or a counter would fall.
#[expect(clippy::cast_precision_loss, reason = "these are far below 2^52")]
pub(super) fn threads(prefixes: &[&str]) -> ProcResult<Vec<(String, f64)>> {
    let ticks = procfs::ticks_per_second() as f64;
    let mut threads = Vec::new();
    for task in Process::myself()?.tasks()? {
        let stat = match task.and_then(|task| task.stat()) {
            Ok(stat) => stat,
            // It has ended since.
            Err(ProcError::NotFound(_)) => continue,
            Err(error) => return Err(error),
        };
        if prefixes.iter().any(|prefix| stat.comm.starts_with(prefix)) {
            threads.push((stat.comm, (stat.utime + stat.stime) as f64 / ticks));
        }
    }
    threads.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(threads)
}
