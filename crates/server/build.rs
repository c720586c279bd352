//! The room page is built into the binary: a change of it is a reason to build again.

fn main() {
    println!("cargo::rerun-if-changed=../../web");
}
