#!/usr/bin/env bash
# Installs what is missing, builds Plenum and starts it. Arguments go to the server, such as --config FILE.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
install_missing

cargo build --locked -p plenum
exec target/debug/plenum "$@"
