//! What an operator asks of the log leaves the core, since the core has none.

#![expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]

use std::time::Instant;

use serde_json::{Value, json};
use signaling::{Config, Core, LogLevel, Output, RequestId, Source};

#[test]
fn a_level_and_lines_go_to_the_log() {
    let mut core = Core::new(Config::default(), [1; 32], Instant::now());

    let set = ask(&mut core, json!({"janus": "set_log_level", "transaction": "t", "level": 6}));
    let usual = ask(&mut core, json!({"janus": "custom_logline", "transaction": "t", "line": "backup begins"}));
    let loud = ask(&mut core, json!({"janus": "custom_logline", "transaction": "t", "line": "disk full", "level": 2}));
    let beyond = ask(&mut core, json!({"janus": "custom_logline", "transaction": "t", "line": "detail", "level": 99}));

    let line = |level, line: &str| Output::LogLine { level, line: line.to_owned() };
    assert_eq!(set, [Output::LogLevel(level(6))]);
    assert_eq!(usual, [line(LogLevel::INFO, "backup begins")]);
    assert_eq!(loud, [line(level(2), "disk full")]);
    assert_eq!(beyond, [line(LogLevel::ALL, "detail")]);
}

fn level(number: u64) -> LogLevel {
    LogLevel::new(number).expect("there is such a level")
}

/// What comes beside the reply.
fn ask(core: &mut Core, request: Value) -> Vec<Output> {
    core.handle_admin(Source::Http(RequestId(1)), request, Instant::now());
    std::iter::from_fn(|| core.poll_output())
        .filter(|output| !matches!(output, Output::Reply { .. } | Output::Notice(_)))
        .collect()
}
