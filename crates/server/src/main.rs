//! The `plenum` binary: reads the command line and does what it says.

mod command;

use std::process::ExitCode;

use clap::Parser;
use command::Arguments;
use server::config::ConfigError;

/// What a peer costs depends on where its state lies more than on anything else: jemalloc packs it more densely than mimalloc
/// (139 against 187 KB of memory for each of 300), and asks for huge pages as well.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// With transparent huge pages a thousand peers cost half: what costs is finding the pages (TLB misses).
#[expect(unsafe_code, non_upper_case_globals, reason = "jemalloc looks for a symbol of this name")]
#[unsafe(export_name = "_rjem_malloc_conf")]
static malloc_conf: &[u8] = b"thp:always,metadata_thp:always\0";

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
