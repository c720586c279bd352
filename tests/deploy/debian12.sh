#!/usr/bin/env bash
# Installs Plenum on a fresh Debian 12 by the steps of docs/install.md, under systemd as PID 1, and starts, reloads, drains, upgrades and
# removes it there, with people in a room. Needs root, debootstrap, systemd-container and cargo-deb; takes some minutes.
#
#   tests/deploy/debian12.sh [PLENUM LOADTEST]     two binaries, otherwise those of the release build
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=$(realpath "${1:-target/release/plenum}")
loadtest=$(realpath "${2:-target/release/loadtest}")

work=$(mktemp --directory /var/tmp/plenum-debian12.XXXXXX)
root=$work/root
cleanup() {
    status=$?
    [ -z "${machine:-}" ] || kill -KILL "$machine" 2>/dev/null || true
    wait 2>/dev/null || true
    [ $status -eq 0 ] || tail -50 "$work/console" 2>/dev/null || true
    rm -rf "$work"
    exit $status
}
trap cleanup EXIT

step() { printf '\n== %s\n' "$*"; }
fail() {
    printf 'NOT SO: %s\n' "$*" >&2
    inside journalctl --unit plenum --no-pager --lines 40 >&2 || true
    exit 1
}
# A command in the machine.
inside() { nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup --root --wd -- "$@"; }
# so WHAT COMMAND...: within 20 s the command succeeds.
so() {
    local what=$1
    shift
    for _ in $(seq 100); do
        if "$@" >/dev/null 2>&1; then
            echo "ok: $what"
            return
        fi
        sleep 0.2
    done
    fail "$what"
}
answers() { inside curl --silent --fail --max-time 2 "$@"; }
not() { ! "$@"; }
says() { inside journalctl --unit plenum --no-pager --output cat | grep --quiet --extended-regexp "$1"; }

step "Packages of two versions"
mkdir -p "$work/src/target/release" "$work/packages"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents --target-directory "$work/src"
cp "$binary" "$work/src/target/release/plenum"
package() {
    sed -i "0,/^version = .*/s//version = \"$1\"/" "$work/src/Cargo.toml"
    (cd "$work/src" && cargo deb --package plenum --no-build --strip --fast --output "$work/packages/plenum_$1.deb" --quiet)
}
package 0.1.0
package 0.1.1

step "A fresh Debian 12"
debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,ca-certificates,curl,jq,procps,iproute2 bookworm "$root" >"$work/debootstrap" 2>&1
cp "$loadtest" "$root/usr/local/bin/loadtest"
cp "$work"/packages/*.deb "$root/root/"
# A network of its own: nothing but loopback, so that no port is taken.
systemd-nspawn --directory "$root" --boot --private-network --register=no --keep-unit >"$work/console" 2>&1 &
machine=$!
for _ in $(seq 100); do
    init=$(pgrep --parent "$machine" | head -1) && inside systemctl is-system-running 2>/dev/null | grep --quiet -E 'running|degraded' && break
    sleep 0.2
done
echo "ok: systemd $(inside systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p') is PID 1"

step "Install"
inside apt-get install --yes /root/plenum_0.1.0.deb >"$work/install" 2>&1 || fail "$(cat "$work/install")"
so "it is started" inside systemctl is-active plenum
so "and will be at every boot" inside systemctl is-enabled plenum
so "by a user of its own" inside sh -c 'test "$(ps -o user= -C plenum)" = plenum'
echo "ok: which may open $(inside sh -c 'awk "/open files/ {print \$4}" /proc/$(pidof plenum)/limits') files"
so "it is ready" answers localhost:7088/readyz
so "the page is there" answers localhost:8088/
so "the API answers" answers localhost:8088/janus/info
so "the unit is sound" inside systemd-analyze verify plenum.service
inside systemd-analyze security plenum.service --no-pager | tail -1

step "Configure and reload"
inside install -m 0640 -g plenum /dev/null /etc/plenum/secrets/admin-token
inside sh -c 'head -c 32 /dev/urandom | base64 > /etc/plenum/secrets/admin-token'
inside sed -i -e 's|^# token = .*|token = { file = "/etc/plenum/secrets/admin-token" }|' \
    -e 's|^# directory = .*|directory = "/var/lib/plenum"|' /etc/plenum/plenum.toml
so "the new configuration is right" inside plenum check-config --config /etc/plenum/plenum.toml
inside systemctl restart plenum
so "it is ready again" answers localhost:7088/readyz
inside sed -i -e 's|^session_timeout = 60|session_timeout = 50|' /etc/plenum/plenum.toml
pid=$(inside pidof plenum)
inside systemctl reload plenum
so "the log says what a reload has changed" says 'session_timeout'
[ "$(inside pidof plenum)" = "$pid" ] || fail "a reload must not restart it"
inside sed -i -e 's|^session_timeout = 50|session_timeout = fifty|' /etc/plenum/plenum.toml
if inside plenum check-config --config /etc/plenum/plenum.toml 2>"$work/wrong"; then fail "a wrong file is right"; fi
cat "$work/wrong"
inside systemctl reload plenum || true
so "a wrong file changes nothing, and the log says so" says 'fifty'
inside sed -i -e 's|^session_timeout = fifty|session_timeout = 50|' /etc/plenum/plenum.toml
so "a permanent room is made" inside plenum rooms create 42 --permanent --config /etc/plenum/plenum.toml

step "Upgrade with people in a room"
plenum() { inside plenum "$@" --config /etc/plenum/plenum.toml; }
inside loadtest run 1x4x2 --url ws://127.0.0.1:8188 --warm-up 2 --seconds 25 >"$work/call" 2>&1 &
call=$!
so "four are in a room" sh -c "$(declare -f inside plenum); init=$init; plenum drain status | grep '4 participants'"
plenum drain
so "a drain makes it not ready" not answers localhost:7088/readyz
plenum drain undo
so "undone, it is ready again" answers localhost:7088/readyz
inside apt-get install --yes /root/plenum_0.1.1.deb >"$work/upgrade" 2>&1 || fail "$(cat "$work/upgrade")"
[ "$(inside dpkg-query --show --showformat '${Version}' plenum)" = 0.1.1-1 ] || fail "the new version is there"
[ "$(inside pidof plenum)" = "$pid" ] || fail "an upgrade must not restart it"
echo "ok: the new version is there, and the old one runs"
inside systemctl restart plenum &
restart=$!
so "a restart drains" not answers localhost:7088/readyz
kill -0 "$call" 2>/dev/null || fail "the call has ended too early: $(cat "$work/call")"
wait "$call" || [ $? -eq 2 ] || fail "the call has failed: $(cat "$work/call")"
grep -E '^(.call|  packets/s received|  heard|  damage)' "$work/call"
wait "$restart"
[ "$(inside pidof plenum)" != "$pid" ] || fail "the restart did not happen"
so "the new version is ready" answers localhost:7088/readyz
so "it has the permanent room" sh -c "$(declare -f inside plenum); init=$init; plenum rooms list | grep '^42 '"

step "Drain by command"
plenum drain --wait
so "it has ended" not inside systemctl is-active plenum
[ "$(inside systemctl show --property ExecMainStatus --value plenum)" = 0 ] || fail "it has not ended well"

step "Remove"
inside apt-get remove --yes plenum >/dev/null 2>&1
so "it is gone" inside sh -c '! test -e /usr/bin/plenum && ! systemctl is-active plenum'
so "its configuration and rooms are still there" inside test -s /etc/plenum/plenum.toml -a -s /var/lib/plenum/rooms.toml
inside apt-get purge --yes plenum >/dev/null 2>&1
so "after a purge they are not" inside sh -c '! test -e /etc/plenum/plenum.toml && ! test -e /var/lib/plenum/rooms.toml'

printf '\nAll of it is so.\n'
