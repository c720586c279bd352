//! What a server's process uses, as Linux tells in `/proc`. Reads those files, measures nothing itself.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Linux counts CPU time for user space in hundredths of a second on every architecture (USER_HZ).
const TICKS_PER_SECOND: u64 = 100;

/// A process.
#[derive(Clone, Debug)]
pub struct Process {
    folder: PathBuf,
}

/// What it has used so far and holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time, user and system, of all threads that are or were.
    pub cpu: Duration,
    /// Resident memory in KiB.
    pub resident_kb: u64,
    /// Of it in anonymous huge pages.
    pub huge_kb: u64,
    /// Threads.
    pub threads: u64,
    /// Context switches, voluntary or not, of the threads there are.
    pub switches: u64,
}

impl Process {
    /// The process of this number; fails if there is none.
    pub fn open(pid: u32) -> io::Result<Self> {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        fs::metadata(&folder)?;
        Ok(Self { folder })
    }

    /// This process.
    pub fn own() -> Self {
        Self { folder: PathBuf::from("/proc/self") }
    }

    /// Reads it.
    pub fn usage(&self) -> io::Result<Usage> {
        let missing = || io::Error::new(io::ErrorKind::InvalidData, "not the /proc of Linux");
        let cpu = parse_cpu(&fs::read_to_string(self.folder.join("stat"))?).ok_or_else(missing)?;
        let status = fs::read_to_string(self.folder.join("status"))?;
        // The rollup is readable for the process's owner and root only; the rest is for everybody.
        let rollup = fs::read_to_string(self.folder.join("smaps_rollup")).unwrap_or_default();
        Ok(Usage {
            cpu,
            resident_kb: parse_field(&status, "VmRSS").unwrap_or(0),
            huge_kb: parse_field(&rollup, "AnonHugePages").unwrap_or(0),
            threads: parse_field(&status, "Threads").unwrap_or(0),
            switches: self.switches(),
        })
    }

    fn switches(&self) -> u64 {
        let Ok(tasks) = fs::read_dir(self.folder.join("task")) else {
            return 0;
        };
        tasks
            .flatten()
            // A thread may end between being listed and being read.
            .filter_map(|task| fs::read_to_string(task.path().join("status")).ok())
            .map(|status| {
                parse_field(&status, "voluntary_ctxt_switches").unwrap_or(0)
                    + parse_field(&status, "nonvoluntary_ctxt_switches").unwrap_or(0)
            })
            .sum()
    }
}

/// User and system time from `/proc/PID/stat`. The second field is a name that may hold anything, brackets and blanks
/// included: the fields are counted from the last bracket.
pub fn parse_cpu(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1000 / TICKS_PER_SECOND))
}

/// The number after `name:` in files like `/proc/PID/status`.
pub fn parse_field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// The soft limit of open files from `/proc/self/limits`; `None` if there is none.
pub fn parse_open_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
