//! The log: what is logged and how it is written. Knows nothing of what is logged.

mod changes;

use std::io::IsTerminal as _;
use std::path::Path;

pub(crate) use changes::log_changes;
use signaling::LogLevel;
use tokio::sync::watch;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use crate::config::{ConfigError, Log, LogFormat};

/// What these libraries write beyond such a level is what they were told in confidence: `is` writes ICE passwords, tungstenite and
/// lapin whole messages, and with them secrets and tokens. It is never logged, whatever the filter says.
const INDISCREET: [(&str, LevelFilter); 3] =
    [("is", LevelFilter::INFO), ("tungstenite", LevelFilter::DEBUG), ("lapin", LevelFilter::DEBUG)];

/// The log of this process, whose level can be changed.
#[derive(Debug)]
pub struct Logs {
    /// As configured.
    filter: watch::Sender<String>,
    handle: reload::Handle<EnvFilter, Registry>,
}

impl Logs {
    /// Starts to log to standard error; once for each process.
    ///
    /// # Errors
    /// A filter that is none. `file` is where `config` was read from.
    pub fn start(config: &Log, file: Option<&Path>) -> Result<Self, ConfigError> {
        let filter = Self::check(config, file)?;
        let (filter, handle) = reload::Layer::new(filter);
        let registry = tracing_subscriber::registry().with(filter).with(filter_fn(is_discreet));
        match config.format {
            LogFormat::Text => {
                // Colours are for eyes: in a journal or a file they are noise.
                let colours = std::io::stderr().is_terminal();
                registry.with(fmt::layer().with_ansi(colours).with_writer(std::io::stderr)).init();
            }
            LogFormat::Json => registry.with(fmt::layer().json().with_writer(std::io::stderr)).init(),
        }
        Ok(Self { filter: watch::Sender::new(config.filter.clone()), handle })
    }

    /// The filter of a configuration.
    pub(crate) fn check(config: &Log, file: Option<&Path>) -> Result<EnvFilter, ConfigError> {
        EnvFilter::try_new(&config.filter)
            .map_err(|_| ConfigError::value(file, "log.filter", "a filter such as \"info\" or \"webrtc=debug,info\""))
    }

    /// What is filtered by; who sends another one here has checked it.
    pub(crate) fn filter(&self) -> watch::Sender<String> {
        self.filter.clone()
    }

    /// How much is logged of all that the filter does not name.
    #[must_use]
    pub fn level(&self) -> LogLevel {
        level_of(&self.filter.borrow())
    }

    /// Logs as much as operators want, until the stop.
    pub(crate) async fn follow(self, mut levels: watch::Receiver<LogLevel>, mut stopping: watch::Receiver<bool>) {
        let mut filters = self.filter.subscribe();
        loop {
            tokio::select! {
                Ok(()) = filters.changed() => self.set_filter(),
                Ok(()) = levels.changed() => self.set_level(*levels.borrow_and_update()),
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
        }
    }

    /// Logs so much from now on. What the filter names keeps a level of its own, unless nothing is wanted at all.
    fn set_level(&self, level: LogLevel) {
        let filter = filter_at(&self.filter.borrow(), level);
        let changed = EnvFilter::try_new(filter).map(|filter| self.handle.reload(filter));
        match changed {
            Ok(Ok(())) => tracing::info!(level = level.number(), "an operator has set the log level"),
            Ok(Err(error)) => tracing::warn!(%error, "the log level stays as it is"),
            Err(error) => tracing::warn!(%error, "the log level stays as it is"),
        }
    }

    /// Logs as the filter says from now on.
    fn set_filter(&self) {
        let filter = self.filter.borrow().clone();
        match EnvFilter::try_new(filter).map(|filter| self.handle.reload(filter)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the log filter stays as it is"),
            Err(error) => tracing::warn!(%error, "the log filter stays as it is"),
        }
    }
}

fn is_discreet(line: &Metadata<'_>) -> bool {
    let is_of =
        |library| line.target().strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    INDISCREET.iter().all(|&(library, most)| !is_of(library) || *line.level() <= most)
}

/// The parts of a filter that are a level for all.
fn general(filter: &str) -> impl Iterator<Item = LevelFilter> {
    filter.split(',').filter_map(|part| part.trim().parse().ok())
}

pub(crate) fn level_of(filter: &str) -> LogLevel {
    // Without a level of its own a filter lets errors through.
    let number = match general(filter).last().unwrap_or(LevelFilter::ERROR) {
        LevelFilter::OFF => 0,
        LevelFilter::ERROR => 2,
        LevelFilter::WARN => 3,
        LevelFilter::INFO => 4,
        LevelFilter::DEBUG => 5,
        LevelFilter::TRACE => 7,
    };
    LogLevel::at_most(number)
}

fn filter_at(filter: &str, level: LogLevel) -> String {
    let name = match level.number() {
        0 => return "off".to_owned(),
        1..=2 => "error",
        3 => "warn",
        4 => "info",
        5 => "debug",
        6.. => "trace",
    };
    let named = filter.split(',').filter(|part| part.trim().parse::<LevelFilter>().is_err());
    std::iter::once(name).chain(named).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::{LogLevel, filter_at, level_of};

    #[test]
    fn a_level_leaves_what_the_filter_names() {
        let at = |level| filter_at("info,str0m=error, webrtc=debug", LogLevel::at_most(level));
        assert_eq!(at(3), "warn,str0m=error, webrtc=debug");
        assert_eq!(at(7), "trace,str0m=error, webrtc=debug");
        assert_eq!(at(0), "off");
    }

    #[test]
    fn the_level_of_a_filter_is_its_last_general_one() {
        let of = |filter| level_of(filter).number();
        assert_eq!(of("info,str0m=error"), 4);
        assert_eq!(of("webrtc=debug"), 2);
        assert_eq!(of("off,trace"), 7);
    }
}
