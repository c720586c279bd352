//! The command line: `loadtest run`, `loadtest compare`, `loadtest report`, `loadtest plot`, `loadtest list`.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::{Args, Parser, Subcommand};
use loadtest::compare::{Contestant, compare};
use loadtest::report::cost::Cost;
use loadtest::report::{Report, html, table};
use loadtest::run::{Options, run};
use loadtest::scenario::{Scenario, builtin, builtin_names};
use loadtest::server_url::ServerUrl;

/// Halves what thousands of peer connections cost: their memory lies in huge pages.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[expect(unsafe_code, non_upper_case_globals, reason = "jemalloc looks for a symbol of this name")]
#[unsafe(export_name = "_rjem_malloc_conf")]
static malloc_conf: &[u8] = b"thp:always,metadata_thp:always\0";

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
    /// Run a scenario on two servers in turn and print the ratios.
    Compare(CompareArgs),
    /// Make one HTML page of the JSON lines of several runs: cost against the number of participants.
    Report {
        /// Files of JSON lines.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Where the page goes.
        #[arg(long)]
        html: PathBuf,
    },
    /// Draw the cost of runs of different sizes against the number of participants, with the straight line nearest to it.
    Plot {
        /// Files of JSON lines, of one server and made with --pid.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Where the drawing goes.
        #[arg(long)]
        svg: PathBuf,
        /// Microseconds that encryption and system calls alone take for a packet in and one out: drawn as well.
        #[arg(long)]
        floor_us: Option<f64>,
    },
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
struct CompareArgs {
    /// The one server: its address, or a command line that starts it.
    a: String,
    /// The other.
    b: String,
    /// A scenario file, the name of one that comes with the program, or a shape.
    #[arg(long, default_value = "1x50x3")]
    scenario: String,
    /// Runs of each.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Address of A, if it is a command line.
    #[arg(long)]
    url_a: Option<ServerUrl>,
    /// Address of B, if it is a command line.
    #[arg(long)]
    url_b: Option<ServerUrl>,
    /// Process of A, if it runs already.
    #[arg(long)]
    pid_a: Option<u32>,
    /// Process of B, if it runs already.
    #[arg(long)]
    pid_b: Option<u32>,
    /// Metrics of A.
    #[arg(long)]
    metrics_a: Option<ServerUrl>,
    /// Metrics of B.
    #[arg(long)]
    metrics_b: Option<ServerUrl>,
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
        Command::Compare(arguments) => compare_two(&arguments),
        Command::Report { files, html } => write_page(&files, &html),
        Command::Plot { files, svg, floor_us } => plot(&files, &svg, floor_us),
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
    let mut options = options(&arguments.scenario, arguments.url.clone(), &arguments.shared);
    options.pid = arguments.pid;
    options.metrics = arguments.metrics.clone();
    let report = run(&scenario, &options)?;
    write!(std::io::stdout(), "{}", table::table(&report))?;
    let passed = report.passed();
    arguments.output.write(&serde_json::to_string(&report)?, &[report])?;
    Ok(passed)
}

fn compare_two(arguments: &CompareArgs) -> anyhow::Result<bool> {
    let scenario = scenario(&arguments.scenario, &arguments.shared)?;
    let contestant = |text: &str, url: &Option<ServerUrl>, pid, metrics: &Option<ServerUrl>| {
        let (url, command) = match (text.parse::<ServerUrl>(), url) {
            (Ok(url), None) => (url, None),
            (Ok(_), Some(_)) => return Err(anyhow!("{text} is an address already: leave out --url-a/--url-b")),
            (Err(_), Some(url)) => (url.clone(), Some(text.to_owned())),
            (Err(error), None) => return Err(anyhow!("{error}; a command line needs --url-a/--url-b")),
        };
        Ok(Contestant { url, command, pid, metrics: metrics.clone() })
    };
    let a = contestant(&arguments.a, &arguments.url_a, arguments.pid_a, &arguments.metrics_a)?;
    let b = contestant(&arguments.b, &arguments.url_b, arguments.pid_b, &arguments.metrics_b)?;
    let options = options(&arguments.scenario, a.url.clone(), &arguments.shared);
    let (comparison, reports) = compare(&scenario, &options, [&a, &b], arguments.rounds.max(1))?;
    write!(std::io::stdout(), "{}", comparison.table())?;
    arguments.output.write(&serde_json::to_string(&comparison)?, &reports)?;
    Ok(reports.iter().all(Report::passed))
}

fn write_page(files: &[PathBuf], page: &Path) -> anyhow::Result<bool> {
    write_file(page, &html::page(&reports(files)?))?;
    Ok(true)
}

fn plot(files: &[PathBuf], svg: &Path, floor_us: Option<f64>) -> anyhow::Result<bool> {
    let cost = Cost::of(&reports(files)?)?;
    write_file(svg, &cost.chart(floor_us).file())?;
    writeln!(
        std::io::stdout(),
        "{:.3} ms per participant and second + {:.1} ms; at most {:.0} % from the line",
        cost.slope,
        cost.intercept,
        100.0 * cost.deviation()
    )?;
    Ok(true)
}

fn reports(files: &[PathBuf]) -> anyhow::Result<Vec<Report>> {
    let mut reports = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let report = serde_json::from_str(line);
            reports.push(report.with_context(|| format!("{} is not of `loadtest run`", file.display()))?);
        }
    }
    Ok(reports)
}

fn write_file(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn options(name: &str, url: ServerUrl, shared: &SharedArgs) -> Options {
    Options {
        name: name.to_owned(),
        url,
        pid: None,
        metrics: None,
        threads: shared.threads,
        api_secret: shared.api_secret.clone(),
        admin_key: shared.admin_key.clone(),
        progress: std::io::stderr().is_terminal(),
    }
}

impl OutputArgs {
    /// The JSON line and the page, where they were asked for.
    fn write(&self, line: &str, reports: &[Report]) -> anyhow::Result<()> {
        match &self.json {
            Some(path) => write_file(path, &format!("{line}\n"))?,
            None => writeln!(std::io::stdout(), "{line}")?,
        }
        if let Some(path) = &self.html {
            write_file(path, &html::page(reports))?;
        }
        Ok(())
    }
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
