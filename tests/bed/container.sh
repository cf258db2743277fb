# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The container bed: systemd as PID 1 in new namespaces of the running kernel.

check_container() {
    ((EUID == 0)) || skip "not root"
    need unshare setpriv perl
    [[ -n $(cgroup_root) ]] || skip "no cgroup2 mount"
    unshare --pid --fork --mount --uts --ipc --cgroup --net true 2>/dev/null || skip "no right to unshare namespaces"
}

# In a cgroup of its own: the cgroup namespace begins where the process is when it is made.
make_cgroup() {
    local path
    path=$(cgroup_root)/constellation-bed-$$
    mkdir "$path" 2>/dev/null || skip "no right to make a cgroup in ${path%/*}"
    group=$path
}

# unshare ignores SIGTERM, and needs --kill-child lest the bed outlive it.
boot_container() {
    echo "$BASHPID" >"$group/cgroup.procs"
    exec_detached unshare --pid --fork --kill-child --mount --uts --ipc --cgroup --net \
        "$here/container-init" "$cache/$key/root" "$run" </dev/null
}

# container_pid: the bed's PID 1, by its number out here; empty if it is gone.
container_pid() {
    [[ -z ${boot_pid:-} ]] || tr -d ' ' 2>/dev/null <"/proc/$boot_pid/task/$boot_pid/children" || true
}

# First systemd alone, so that unshare reaps it; killed together, it would stay a zombie for as long as the host's PID 1
# likes. Bounded: what hangs in the kernel must not hang us.
stop_container() {
    local tries
    kill -KILL "$(container_pid)"
    for ((tries = 0; tries < 200; tries++)); do
        kill -0 "$boot_pid" || break
        sleep 0.01
    done
}

# The journal says most; it may not have come that far.
explain_container() {
    local pid
    tail -n 20 "$run/console"
    pid=$(container_pid)
    [[ -z $pid ]] || timeout -s KILL 5 nsenter --target "$pid" --all journalctl --boot --no-pager --lines 20 || true
}

# A shell of root in the bed on the caller's terminal, under a unit and on a terminal of the bed's own.
run_shell() {
    local status=0
    mkfifo -m 666 "$run/output"
    exec {output_fd}<>"$run/output"
    boot_container >"$run/console" 2>&1 &
    boot_pid=$!
    if ! read -r -t 30 -u "$output_fd"; then
        explain_container >&2
        fail "the bed did not come up"
    fi
    nsenter --target "$(container_pid)" --all systemd-run --quiet --pty --wait --collect --working-directory=/root \
        --setenv=HOME=/root --setenv="TERM=${TERM:-dumb}" --setenv=CONSTELLATION_BED=container /bin/bash -l || status=$?
    exit "$status"
}
