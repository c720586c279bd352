//! The pages and the documentation are built into the binary: a change of them is a reason to build again.

fn main() {
    println!("cargo::rerun-if-changed=../../web");
    println!("cargo::rerun-if-changed=../../docs");
}
