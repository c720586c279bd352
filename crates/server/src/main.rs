//! The `plenum` binary: reads the configuration, starts the server, and ends it when told to.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use server::Logs;
use server::config::{Config, ConfigError};
use tokio::signal::unix::{SignalKind, signal};

/// With transparent huge pages it halves the cost of a thousand peers: their state is spread over memory, and what costs is
/// finding the pages (TLB misses).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Mixes audio conferences: a drop-in replacement for the AudioBridge of a Janus WebRTC server.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The configuration file; without it, the defaults of config/plenum.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sets one key, over the file and the environment.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
}

/// `EX_CONFIG` of sysexits.h.
const BAD_CONFIGURATION: u8 = 78;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("plenum: {error:#}"));
            if error.is::<ConfigError>() { ExitCode::from(BAD_CONFIGURATION) } else { ExitCode::FAILURE }
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let file = arguments.config.as_deref();
    let config = Config::load(file, &arguments.assignments)?;
    let logs = Logs::start(&config.log, file)?;
    // Media has threads of its own: here is only the conversation.
    let workers = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(2));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .on_thread_start(yield_to_media)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let mut running = server::start(config, file, logs).await?;
        announce(&running);
        loop {
            tokio::select! {
                _ = terminate.recv() => {
                    tracing::info!("SIGTERM: ending");
                    break;
                }
                _ = interrupt.recv() => {
                    tracing::info!("SIGINT: ending");
                    break;
                }
                _ = hangup.recv() => running.reload(),
                // Whoever supervises the process starts it afresh: a server that only half works helps nobody.
                () = running.ended() => anyhow::bail!("a part of the server has ended by a fault"),
            }
        }
        running.stop().await;
        Ok(())
    })
}

/// A reply may come some milliseconds later, a packet may not: a storm of joins must not cost those inside their sound.
fn yield_to_media() {
    const NICE: i32 = 5;
    // Linux: without a process id this is about the calling thread. To be nicer needs no privilege.
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::warn!(%error, "signaling has the same priority as media");
    }
}

#[expect(clippy::print_stdout, reason = "the one line for the person who starts the server")]
fn announce(running: &server::Running) {
    match running.page() {
        Some(page) => println!("Plenum is ready: open {page} and talk"),
        None => println!("Plenum is ready"),
    }
}

#[expect(clippy::print_stderr, reason = "logging may not have started")]
fn complain(message: &str) {
    eprintln!("{message}");
}
