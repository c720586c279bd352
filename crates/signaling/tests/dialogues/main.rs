//! Dialogues of the API as data: every `*.dialogue` beside this file is played on the pure core with virtual time, and on
//! running transports around it. `crates/server/tests/dialogues.rs` plays them on the binary too, and beside Debian's Janus.
//!
//! The format is described in `README.md` beside this file.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]
#![expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]

mod coverage;
mod live;
mod message;
mod pattern;
mod planes;
mod pure;
#[expect(dead_code, reason = "why another server differs is for who sets it beside ours")]
mod script;
#[path = "../transport_support/mod.rs"]
mod transport_support;
mod world;

use script::scripts;

#[test]
fn every_dialogue_goes_as_written() {
    let failures: Vec<_> = scripts().iter().filter_map(|script| pure::play(script).err()).collect();
    assert!(failures.is_empty(), "{} dialogues went differently:\n\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn a_replayed_dialogue_gives_identical_bytes() {
    for script in scripts() {
        assert_eq!(pure::record(&script), pure::record(&script), "{}", script.name);
    }
}
