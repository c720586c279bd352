//! The `plenum` binary: reads the command line and does what it says.

mod command;

use std::process::ExitCode;

use clap::Parser;
use command::Arguments;
use server::config::ConfigError;

/// With transparent huge pages it halves the cost of a thousand peers: their state is spread over memory, and what costs is
/// finding the pages (TLB misses).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `EX_CONFIG` of sysexits.h.
const BAD_CONFIGURATION: u8 = 78;

fn main() -> ExitCode {
    match command::run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("plenum: {error:#}"));
            if error.is::<ConfigError>() { ExitCode::from(BAD_CONFIGURATION) } else { ExitCode::FAILURE }
        }
    }
}

#[expect(clippy::print_stderr, reason = "logging may not have started")]
fn complain(message: &str) {
    eprintln!("{message}");
}
