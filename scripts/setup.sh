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
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    missing=()
}

if ! command -v cargo >/dev/null; then
    echo "Plenum is built with Rust: install it from https://rustup.rs, then start this again." >&2
    exit 1
fi

need cc build-essential   # libopus and the crypto library are built from source
need c++ build-essential
need cmake cmake
