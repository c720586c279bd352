//! The command line: `loadtest run`, `loadtest compare`, `loadtest list`.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::{Args, Parser, Subcommand};
use loadtest::report::{html, table};
use loadtest::run::{Options, run};
use loadtest::scenario::{Scenario, builtin, builtin_names};
use loadtest::server_url::ServerUrl;

/// Halves what thousands of peer connections cost: their memory lies in huge pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Load generator for audio bridges that speak the Janus protocol.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a scenario against a server.
    Run(RunArgs),
    /// Names of the scenarios that come with the program.
    List,
}

#[derive(Args)]
struct RunArgs {
    /// A scenario file, the name of one that comes with the program, or a shape like 1x50x3.
    scenario: String,
    /// The server: ws://host:8188 or http://host:8088/janus.
    #[arg(long)]
    url: ServerUrl,
    /// The server's process on this machine, to measure its CPU and memory.
    #[arg(long)]
    pid: Option<u32>,
    /// The server's Prometheus metrics, for its counters of encodes and decodes.
    #[arg(long)]
    metrics: Option<ServerUrl>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    shared: SharedArgs,
}

#[derive(Args)]
struct SharedArgs {
    /// Threads that carry participants; one carries 3,000 light ones.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Sent with every request.
    #[arg(long)]
    api_secret: Option<String>,
    /// Sent with requests to make rooms.
    #[arg(long)]
    admin_key: Option<String>,
    /// Seconds of measurement, instead of the scenario's.
    #[arg(long)]
    seconds: Option<u32>,
    /// Seconds of warm-up, instead of the scenario's.
    #[arg(long)]
    warm_up: Option<u32>,
}

#[derive(Args)]
struct OutputArgs {
    /// Write an HTML report with charts here.
    #[arg(long)]
    html: Option<PathBuf>,
    /// Write the JSON line here instead of to standard output.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match execute(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// True if everything expected holds.
fn execute(command: Command) -> anyhow::Result<bool> {
    match command {
        Command::Run(arguments) => run_one(&arguments),
        Command::List => {
            for name in builtin_names() {
                let title = builtin(name).map(Scenario::parse).transpose()?.map(|scenario| scenario.title);
                writeln!(std::io::stdout(), "{name:12} {}", title.unwrap_or_default())?;
            }
            Ok(true)
        }
    }
}

fn run_one(arguments: &RunArgs) -> anyhow::Result<bool> {
    let scenario = scenario(&arguments.scenario, &arguments.shared)?;
    let options = Options {
        name: arguments.scenario.clone(),
        url: arguments.url.clone(),
        pid: arguments.pid,
        metrics: arguments.metrics.clone(),
        threads: arguments.shared.threads,
        api_secret: arguments.shared.api_secret.clone(),
        admin_key: arguments.shared.admin_key.clone(),
        progress: std::io::stderr().is_terminal(),
    };
    let report = run(&scenario, &options)?;
    let mut out = std::io::stdout();
    write!(out, "{}", table::table(&report))?;
    let line = serde_json::to_string(&report)?;
    match &arguments.output.json {
        Some(path) => fs::write(path, line + "\n").with_context(|| format!("cannot write {}", path.display()))?,
        None => writeln!(out, "{line}")?,
    }
    if let Some(path) = &arguments.output.html {
        fs::write(path, html::page(&[report.clone()])).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(report.passed())
}

/// From a file, from those built in, or from a shape.
fn scenario(name: &str, shared: &SharedArgs) -> anyhow::Result<Scenario> {
    let mut scenario = if let Some(text) = builtin(name) {
        Scenario::parse(text)?
    } else if let Some(scenario) = Scenario::from_shape(name) {
        scenario?
    } else {
        let text = fs::read_to_string(name).map_err(|error| {
            let names: Vec<_> = builtin_names().collect();
            anyhow!("{name}: {error}; neither a file, nor a shape like 1x50x3, nor one of {}", names.join(", "))
        })?;
        Scenario::parse(&text).with_context(|| name.to_owned())?
    };
    scenario.hold.seconds = shared.seconds.unwrap_or(scenario.hold.seconds);
    scenario.hold.warm_up = shared.warm_up.unwrap_or(scenario.hold.warm_up);
    Ok(scenario)
}
