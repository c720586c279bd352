//! Starts the server, and ends it when told to.

use std::process::ExitCode;

use server::config::ConfigError;
use server::{Ending, Logs, Occupancy, systemd};
use tokio::signal::unix::{SignalKind, signal};

use super::{CALLS_CUT, Source, say};

pub(super) fn serve(source: &Source) -> anyhow::Result<ExitCode> {
    let source = source.of_config();
    let config = source.load()?;
    let logs = Logs::start(&config.log, source.file.as_deref()).map_err(|error| source.located(error))?;
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
        let started = server::start(config, source.clone(), logs).await;
        let mut running = started.map_err(|error| match error.downcast::<ConfigError>() {
            Ok(error) => source.located(error).into(),
            Err(error) => error,
        })?;
        systemd::tell_ready();
        announce(&running);
        let mut told_to_end = false;
        let code = loop {
            tokio::select! {
                _ = terminate.recv() => {
                    if told_to_end && running.is_draining().await {
                        tracing::info!("a second SIGTERM: ending");
                        break end_of(running.occupancy().await);
                    }
                    tracing::info!("SIGTERM: draining; a second one ends at once");
                    told_to_end = true;
                    running.drain().await;
                }
                _ = interrupt.recv() => {
                    tracing::info!("SIGINT: ending");
                    break ExitCode::SUCCESS;
                }
                _ = hangup.recv() => {
                    systemd::tell_reloading();
                    running.reload().await;
                    systemd::tell_ready();
                }
                ending = running.ended() => match ending {
                    Some(Ending::Empty) => break ExitCode::SUCCESS,
                    Some(Ending::Cut(left)) => break end_of(left),
                    // Whoever supervises the process starts it afresh: a server that only half works helps nobody.
                    None => anyhow::bail!("a part of the server has ended by a fault"),
                },
            }
        };
        systemd::tell_stopping();
        running.stop().await;
        Ok(code)
    })
}

/// The status of an end that cuts whoever is left.
fn end_of(left: Occupancy) -> ExitCode {
    if left.participants == 0 { ExitCode::SUCCESS } else { ExitCode::from(CALLS_CUT) }
}

/// A reply may come some milliseconds later, a packet may not: a storm of joins must not cost those inside their sound.
fn yield_to_media() {
    const NICE: i32 = 5;
    // Linux: without a process id this is about the calling thread. To be nicer needs no privilege.
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::warn!(%error, "signaling has the same priority as media");
    }
}

/// The one line for the person who starts the server.
fn announce(running: &server::Running) {
    match running.page() {
        Some(page) => say(&format!("Plenum is ready: open {page} and talk")),
        None => say("Plenum is ready"),
    }
}
