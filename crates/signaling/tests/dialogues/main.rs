//! Dialogues of the API as data: every `*.dialogue` beside this file is played on the pure core with virtual time, and
//! those that need neither media nor time travel on a running server too, when `PLENUM_URL` names one
//! (`PLENUM_URL=ws://127.0.0.1:8188 cargo test -p plenum-signaling --test dialogues live -- --nocapture`).
//!
//! The format is described in `README.md` beside this file.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]
#![expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]

mod coverage;
mod live;
mod pattern;
mod pure;
mod script;

use script::Script;

/// All dialogues, by name.
fn scripts() -> Vec<Script> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dialogues");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|is| is == "dialogue")).collect();
    paths.sort();
    assert!(!paths.is_empty(), "there is nothing to play in {folder}");
    paths
        .iter()
        .map(|path| {
            Script::parse(&path.file_stem().unwrap().to_string_lossy(), &std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

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
