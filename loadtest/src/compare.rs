//! Shell: runs one scenario on two servers in turn, starting and stopping them where they are given as command lines.

#![expect(clippy::disallowed_methods, reason = "shell: waits for servers to come up")]

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::report::Report;
use crate::report::comparison::Comparison;
use crate::run::{Options, run};
use crate::scenario::Scenario;
use crate::server_url::ServerUrl;

/// One of the two servers.
#[derive(Clone, Debug)]
pub struct Contestant {
    /// Where it is reached.
    pub url: ServerUrl,
    /// Its command line, if it is to be started; else it runs already.
    pub command: Option<String>,
    /// Its process, if it runs already and is to be measured.
    pub pid: Option<u32>,
    /// Its metrics.
    pub metrics: Option<ServerUrl>,
}

/// A server that does not answer for so long after its start has failed.
const START_LIMIT: Duration = Duration::from_secs(20);
/// A server that does not end for so long after SIGTERM is killed.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Runs A and B alternately, so that what else the machine does hits both. Returns all reports as well.
pub fn compare(
    scenario: &Scenario,
    options: &Options,
    contestants: [&Contestant; 2],
    rounds: usize,
) -> anyhow::Result<(Comparison, Vec<Report>)> {
    let mut reports = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (contestant, reports) in contestants.iter().zip(&mut reports) {
            reports.push(round(scenario, options, contestant)?);
        }
    }
    let [a, b] = reports;
    let comparison = Comparison::of(&a, &b);
    Ok((comparison, a.into_iter().chain(b).collect()))
}

fn round(scenario: &Scenario, options: &Options, contestant: &Contestant) -> anyhow::Result<Report> {
    let mut options = options.clone();
    options.url = contestant.url.clone();
    options.metrics = contestant.metrics.clone();
    options.pid = contestant.pid;
    let Some(command) = &contestant.command else {
        return run(scenario, &options);
    };
    let mut server = Started::start(command)?;
    server.wait_until_up(&contestant.url)?;
    options.pid = Some(server.0.id());
    run(scenario, &options)
}

/// A server that ends with its owner.
struct Started(Child);

impl Started {
    /// Without a shell in between, so that the process measured is the server's. `taskset` and `env` become it.
    fn start(command: &str) -> anyhow::Result<Self> {
        let mut words = command.split_ascii_whitespace();
        let program = words.next().context("an empty command line")?;
        let child = Command::new(program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        Ok(Self(child))
    }

    fn wait_until_up(&mut self, url: &ServerUrl) -> anyhow::Result<()> {
        let limit = Instant::now() + START_LIMIT;
        while std::net::TcpStream::connect((url.host.as_str(), url.port)).is_err() {
            if let Some(status) = self.0.try_wait()? {
                bail!("the server ended at once: {status}");
            }
            if Instant::now() > limit {
                bail!("the server does not listen at {} after {START_LIMIT:?}", url.authority());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // The standard library can only kill; a server shall have its chance to say goodbye.
        let _ = Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).status();
        let limit = Instant::now() + STOP_LIMIT;
        while matches!(self.0.try_wait(), Ok(None)) {
            if Instant::now() > limit {
                let _ = self.0.kill();
                let _ = self.0.wait();
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}
