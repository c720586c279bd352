//! The room page is built into the binary: a change of it is a reason to build again.

#[expect(clippy::print_stdout, reason = "how a build script talks to cargo")]
fn main() {
    println!("cargo::rerun-if-changed=../../web");
}
