#!/usr/bin/env bash
# Tests for aarch64 on another machine, under qemu: those of the mixer's sample loops, which have a path for NEON, or what
# is given to `cargo test`: scripts/test-aarch64.sh -p plenum-mixer
# Needs the target (rustup target add aarch64-unknown-linux-gnu) and, on Debian, the packages gcc-aarch64-linux-gnu,
# g++-aarch64-linux-gnu and qemu-user.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=qemu-aarch64
# Where the libraries of the other architecture are.
export QEMU_LD_PREFIX=${QEMU_LD_PREFIX:-/usr/aarch64-linux-gnu}
if [ $# -eq 0 ]; then set -- -p plenum-mixer --test kernels; fi
exec cargo test --target aarch64-unknown-linux-gnu "$@"
