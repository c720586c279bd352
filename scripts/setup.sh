# Installs what is missing on a Debian machine: sourced by run.sh and test.sh.

# need COMMAND PACKAGE...: the packages, unless the command is there.
need() {
    command -v "$1" >/dev/null && return
    shift
    missing+=("$@")
}
missing=()

install_missing() {
    [ ${#missing[@]} -eq 0 ] && return
    echo "Installing ${missing[*]}"
    local sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get update -qq
    keep_services_stopped
    local failed=0
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || failed=$?
    [ -z "$policy" ] || "${sudo[@]}" rm -f "$policy"
    missing=()
    return $failed
}

# Tests start what they need, each with a configuration of its own: Debian asks this script whether a package may start a service.
keep_services_stopped() {
    policy=
    [ -e /usr/sbin/policy-rc.d ] && return
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" install -m 755 /dev/stdin "$policy"
}

if ! command -v cargo >/dev/null; then
    echo "Plenum is built with Rust: install it from https://rustup.rs, then start this again." >&2
    exit 1
fi

need cc build-essential   # libopus and the crypto library are built from source
need c++ build-essential
need cmake cmake
