//! What an operator may set while the server runs, and `get_status`, which tells how it is set.

use std::time::Duration;

use serde_json::{Value, json};

use crate::core::error::Error;
use crate::core::field::{Fields, Required};
use crate::core::media::MediaCommand;
use crate::core::{Core, LogLevel, Output};

/// A setting with a request of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Setting {
    SessionTimeout,
    AcceptNewSessions,
    NoMediaTimer,
    SlowlinkThreshold,
    LogLevel,
    LogTimestamps,
    LogColors,
    LockingDebug,
    RefcountDebug,
    MinNackQueue,
    NackOptimizations,
}

/// Settings that Janus has and that mean nothing here: kept, so that tools read what they wrote.
#[derive(Debug)]
pub(in crate::core) struct Idle {
    log_timestamps: bool,
    log_colors: bool,
    locking_debug: bool,
    refcount_debug: bool,
    pub(in crate::core) min_nack_queue: u64,
    pub(in crate::core) nack_optimizations: bool,
}

impl Default for Idle {
    fn default() -> Self {
        Self {
            log_timestamps: true,
            log_colors: false,
            locking_debug: false,
            refcount_debug: false,
            min_nack_queue: 200,
            nack_optimizations: false,
        }
    }
}

impl Setting {
    /// The setting of a request's name in lower case.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "set_session_timeout" => Self::SessionTimeout,
            "accept_new_sessions" => Self::AcceptNewSessions,
            "set_no_media_timer" => Self::NoMediaTimer,
            "set_slowlink_threshold" => Self::SlowlinkThreshold,
            "set_log_level" => Self::LogLevel,
            "set_log_timestamps" => Self::LogTimestamps,
            "set_log_colors" => Self::LogColors,
            "set_locking_debug" => Self::LockingDebug,
            "set_refcount_debug" => Self::RefcountDebug,
            "set_min_nack_queue" => Self::MinNackQueue,
            "set_nack_optimizations" => Self::NackOptimizations,
            _ => return None,
        })
    }
}

impl Core {
    /// Sets what the fields say; the reply has the value by the name that comes back.
    pub(super) fn set(&mut self, setting: Setting, fields: Fields<'_>) -> Result<(&'static str, Value), Error> {
        let natural = |name| fields.natural(name).required(name);
        let boolean = |name| fields.boolean(name).required(name);
        Ok(match setting {
            Setting::SessionTimeout => {
                let timeout = natural("timeout")?;
                self.config.session_timeout = Duration::from_secs(timeout);
                ("timeout", timeout.into())
            }
            Setting::AcceptNewSessions => {
                self.accepting = boolean("accept")?;
                ("accept", self.accepting.into())
            }
            Setting::NoMediaTimer => {
                let seconds = bounded(natural("no_media_timer")?);
                self.config.no_media_timeout = Duration::from_secs(seconds.into());
                self.set_thresholds();
                ("no_media_timer", seconds.into())
            }
            Setting::SlowlinkThreshold => {
                self.config.slowlink_threshold = bounded(natural("slowlink_threshold")?);
                self.set_thresholds();
                ("slowlink_threshold", self.config.slowlink_threshold.into())
            }
            Setting::LogLevel => {
                let level = LogLevel::new(natural("level")?).ok_or_else(Error::no_log_level)?;
                self.config.log_level = level;
                self.outputs.push_back(Output::LogLevel(level));
                ("level", level.number().into())
            }
            Setting::LogTimestamps => {
                self.idle.log_timestamps = boolean("timestamps")?;
                ("log_timestamps", self.idle.log_timestamps.into())
            }
            Setting::LogColors => {
                self.idle.log_colors = boolean("colors")?;
                ("log_colors", self.idle.log_colors.into())
            }
            Setting::LockingDebug => {
                self.idle.locking_debug = boolean("debug")?;
                ("locking_debug", self.idle.locking_debug.into())
            }
            Setting::RefcountDebug => {
                self.idle.refcount_debug = boolean("debug")?;
                ("refcount_debug", self.idle.refcount_debug.into())
            }
            Setting::MinNackQueue => {
                self.idle.min_nack_queue = natural("min_nack_queue")?;
                ("min_nack_queue", self.idle.min_nack_queue.into())
            }
            Setting::NackOptimizations => {
                self.idle.nack_optimizations = boolean("nack_optimizations")?;
                ("nack-optimizations", self.idle.nack_optimizations.into())
            }
        })
    }

    pub(super) fn status(&self) -> Value {
        let (config, idle) = (&self.config, &self.idle);
        json!({
            "token_auth": config.token_auth,
            "session_timeout": config.session_timeout.as_secs(),
            "reclaim_session_timeout": config.reclaim_session_timeout.as_secs(),
            "candidates_timeout": config.candidates_timeout.as_secs(),
            "log_level": config.log_level.number(),
            "log_timestamps": idle.log_timestamps,
            "log_colors": idle.log_colors,
            "log_rotate_sig": 0,
            "locking_debug": idle.locking_debug,
            "refcount_debug": idle.refcount_debug,
            "min_nack_queue": idle.min_nack_queue,
            "nack-optimizations": idle.nack_optimizations,
            "no_media_timer": config.no_media_timeout.as_secs(),
            "slowlink_threshold": config.slowlink_threshold,
        })
    }

    fn set_thresholds(&mut self) {
        let no_media_timeout = self.config.no_media_timeout;
        let slowlink_threshold = self.config.slowlink_threshold;
        self.outputs.push_back(Output::Media(MediaCommand::SetThresholds { no_media_timeout, slowlink_threshold }));
    }
}

/// More than a century, or than there are packets in a second, is as good as that.
fn bounded(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
