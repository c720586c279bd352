//! What the kernel knows of this process. Must not know how it is shown.

use procfs::ProcResult;
use procfs::process::{LimitValue, Process, Stat};

/// Of the process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figures {
    pub(crate) cpu_seconds: f64,
    pub(crate) resident_bytes: f64,
    pub(crate) virtual_bytes: f64,
    pub(crate) open_files: f64,
    pub(crate) open_files_limit: f64,
    pub(crate) threads: f64,
    /// Seconds since 1970.
    pub(crate) started: f64,
}

/// A thread of it.
#[derive(Debug)]
pub(crate) struct Thread {
    pub(crate) id: i32,
    pub(crate) name: String,
    /// Of processor time, since it began.
    pub(crate) ticks: u64,
}

#[expect(clippy::cast_precision_loss, reason = "these are far below 2^52")]
pub(crate) fn figures() -> ProcResult<Figures> {
    let process = Process::myself()?;
    let stat = process.stat()?;
    let open_files_limit = match process.limits()?.max_open_files.soft_limit {
        LimitValue::Value(limit) => limit as f64,
        LimitValue::Unlimited => f64::INFINITY,
    };
    Ok(Figures {
        cpu_seconds: seconds(stat.utime + stat.stime),
        resident_bytes: (stat.rss * procfs::page_size()) as f64,
        virtual_bytes: stat.vsize as f64,
        open_files: process.fd_count()? as f64,
        open_files_limit,
        threads: stat.num_threads as f64,
        started: procfs::boot_time_secs()? as f64 + seconds(stat.starttime),
    })
}

/// The threads, in the order of their names. One that ends meanwhile is left out.
pub(crate) fn threads() -> ProcResult<Vec<Thread>> {
    let stats = Process::myself()?.tasks()?.filter_map(|task| task.ok()?.stat().ok());
    let thread = |stat: Stat| Thread { id: stat.pid, name: stat.comm, ticks: stat.utime + stat.stime };
    let mut threads: Vec<_> = stats.map(thread).collect();
    threads.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(threads)
}

/// What is in memory of the process, in bytes.
pub(crate) fn resident_bytes() -> ProcResult<u64> {
    Ok(Process::myself()?.stat()?.rss * procfs::page_size())
}

/// The time of so many ticks.
#[expect(clippy::cast_precision_loss, reason = "these are far below 2^52")]
pub(crate) fn seconds(ticks: u64) -> f64 {
    ticks as f64 / procfs::ticks_per_second() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_threads_and_memory() {
        assert!(threads().expect("the kernel tells").iter().any(|thread| !thread.name.is_empty()));
        assert!(resident_bytes().expect("the kernel tells") > 0);
    }
}
