#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs in a bed (`bed selftest.sh`, `bed --vm selftest.sh`): is this a machine the project's tests can rely on?
set -uo pipefail
number=0 failed=0

# check DESCRIPTION COMMAND...
check() {
    local description=$1 result=ok output
    shift
    output=$("$@" 2>&1) || { result='not ok'; failed=1; }
    printf '%s %d - %s\n' "$result" $((++number)) "$description"
    [[ $result == ok || -z $output ]] || printf '%s\n' "$output" | sed 's/^/# /'
}

as() {
    local uid=$1
    shift
    setpriv --reuid="$uid" --regid="$uid" --init-groups env HOME=/ XDG_RUNTIME_DIR="/run/user/$uid" \
        DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" "$@"
}

pid_1_is_systemd() { [[ $(</proc/1/comm) == systemd ]]; }
boot_is_complete() { [[ $(systemctl is-system-running) == running ]] || { systemctl --failed; return 1; }; }
environment_is_clean() { [[ $HOME == /root && $PWD == /root && ! -t 1 && -z ${INVOCATION_ID:-} ]]; }
polkit_tells_people_apart() {
    # shellcheck disable=SC2016
    local ask='pkcheck --action-id org.freedesktop.systemd1.manage-units --process $$'
    as 0 bash -c "$ask" && ! as 1001 bash -c "$ask"
}
has_controllers() {
    local controller
    for controller in cpu memory pids; do
        grep -qw "$controller" /sys/fs/cgroup/cgroup.controllers || return
    done
}
memory_limit_kills() {
    ! systemd-run --quiet --pipe --wait -p MemoryMax=20M -p MemorySwapMax=0 \
        python3 -c 'b = bytearray(100 << 20); b[::4096] = b"x" * len(b[::4096])'
}
link_is_shaped() {
    ip link add bed0 type veth peer name bed1 && ip link add bed2 type bridge && ip link set bed0 master bed2 &&
        tc qdisc add dev bed1 root tbf rate 1mbit burst 32kbit latency 400ms && ip link delete bed0 &&
        ip link delete bed2
}
overlay_mounts() {
    local at
    at=$(mktemp -d) && mkdir "$at"/{lower,upper,work,merged} &&
        mount -t overlay -o "lowerdir=$at/lower,upperdir=$at/upper,workdir=$at/work" overlay "$at/merged" &&
        umount "$at/merged"
}

check 'PID 1 is systemd' pid_1_is_systemd
check 'the boot is complete and nothing failed' boot_is_complete
check 'the environment is that of a log-in, the output a pipe' environment_is_clean
check 'the system bus answers' busctl --system call org.freedesktop.DBus /org/freedesktop/DBus \
    org.freedesktop.DBus GetId
check 'systemd answers on the bus' busctl get-property org.freedesktop.systemd1 /org/freedesktop/systemd1 \
    org.freedesktop.systemd1.Manager Version
check 'polkit is started by the bus' busctl call org.freedesktop.PolicyKit1 /org/freedesktop/PolicyKit1/Authority \
    org.freedesktop.DBus.Peer Ping
check 'polkit lets root and refuses bob' polkit_tells_people_apart
check 'logind answers' busctl call org.freedesktop.login1 /org/freedesktop/login1 \
    org.freedesktop.login1.Manager ListUsers
check 'a transient scope of the system' systemd-run --quiet --scope true
check 'a transient service of the system' systemd-run --quiet --wait true
for uid in 1000 1001; do
    check "the user manager of $uid starts" systemctl start "user@$uid.service"
    check "a transient scope of $uid" as "$uid" systemd-run --quiet --user --scope true
    check "a transient service of $uid" as "$uid" systemd-run --quiet --user --wait true
done
check 'alice has subordinate ids' as 1000 unshare --user --map-auto --map-root-user true
check 'the journal has what a unit says' bash -c 'systemd-run --quiet --wait --unit=said echo here-it-is &&
    journalctl --sync && journalctl --unit=said | grep -q here-it-is'
check 'veth, bridge and tbf' link_is_shaped
check 'overlayfs' overlay_mounts
if [[ $CONSTELLATION_BED == vm ]]; then
    check 'the cpu, memory and pids controllers are there' has_controllers
    check 'a memory limit is enforced' memory_limit_kills
    check 'pressure is measured' grep -q some /proc/pressure/memory
    check 'two processors' test "$(nproc)" = 2
fi
echo "1..$number"
exit "$failed"
