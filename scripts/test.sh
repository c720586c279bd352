#!/usr/bin/env bash
# Installs what is missing and runs every check: format, lints, docs, licences, tests, browsers.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
need node nodejs
need npm npm
need curl curl
need chromium chromium
need firefox-esr firefox-esr
need pulseaudio pulseaudio   # Firefox plays nothing without an audio device
need pactl pulseaudio-utils
need espeak-ng espeak-ng
need rabbitmq-server rabbitmq-server
need mosquitto mosquitto
need promtool prometheus
need turnserver coturn
/usr/bin/python3 -c 'import gi; gi.require_version("GstWebRTC", "1.0"); import websockets' 2>/dev/null ||
    missing+=(python3-gi python3-websockets gir1.2-gst-plugins-bad-1.0 gstreamer1.0-plugins-{base,good,bad} gstreamer1.0-nice)
need haproxy haproxy
need nginx nginx-light
need systemd-analyze systemd
need docker-compose docker-compose
need janus janus
[ -e /usr/share/janus/demos ] || missing+=(janus-demos)
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
install_missing
export DENY_VERSION=0.20.2
# Of the whole workspace, so that what it builds on is built once.
ALL=plenum/rabbitmq,plenum/mqtt,plenum/otlp

step() { printf '\n== %s\n' "$*"; }

step "Format"
cargo fmt --all --check

step "Lints"
cargo clippy --locked --workspace --all-targets -- -D warnings
cargo clippy --locked --workspace --all-targets --features "$ALL" -- -D warnings

step "Documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --quiet

step "Licences and advisories"
tools=target/tools/bin
if [ "$("$tools/cargo-deny" --version 2>/dev/null)" != "cargo-deny $DENY_VERSION" ]; then
    CARGO_TARGET_DIR=target/tools/build cargo install --quiet --locked --root target/tools --version "$DENY_VERSION" cargo-deny
    rm -rf target/tools/build
fi
"$tools/cargo-deny" --locked check bans licenses sources
if "$tools/cargo-deny" --locked fetch db >/dev/null 2>&1; then
    "$tools/cargo-deny" --locked check advisories
else
    echo "The advisory database cannot be fetched from here: advisories not checked."
fi

step "Unit, property and conformance tests"
cargo test --locked --workspace --quiet

step "The same requests to Debian's Janus"
COMPATIBILITY=check cargo test --locked --workspace --quiet --test dialogues the_differences

step "Message brokers and traces"
cargo test --locked --quiet --workspace --features "$ALL" --lib \
    --test transport_rabbitmq --test transport_mqtt --test brokers --test telemetry

step "Image, compose file and chart"
[ -e target/deploy ] || python3 -m venv target/deploy
target/deploy/bin/pip install --quiet --cache-dir target/pip --requirement tests/deploy/requirements.txt
target/deploy/bin/python tests/deploy/test_manifests.py

step "Browsers and the clients of Janus against a running server"
cargo build --locked -p plenum -p plenum-loadtest
cd tests
[ -e ../target/aiortc ] || python3 -m venv ../target/aiortc
../target/aiortc/bin/pip install --quiet --cache-dir ../target/pip --requirement clients/requirements.txt
npm ci --silent --no-audit --no-fund --cache ../target/npm
npm test
