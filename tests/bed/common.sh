# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What both beds share: how they speak, start and end processes, and clean up.

say() { printf 'bed: %s\n' "$*" >&2; }

# 125 is the bed's own failure, as with other programs that run programs; 77 is what meson takes for "skipped".
fail() { say "$*"; exit 125; }
skip() { printf 'skipped: %s\n' "$*"; exit 77; }

declare -A package_of=([mmdebstrap]=mmdebstrap [depmod]=kmod [modprobe]=kmod [qemu-system-x86_64]=qemu-system-x86
    [busybox]=busybox-static [cpio]=cpio [mke2fs]=e2fsprogs [unshare]=util-linux [setpriv]=util-linux [perl]=perl-base)

need() {
    local program missing=()
    for program; do
        command -v "$program" >/dev/null || missing+=("${package_of[$program]:-$program}")
    done
    ((${#missing[@]} == 0)) || skip "missing programs: apt-get install ${missing[*]}"
}

# exec_detached COMMAND...: becomes COMMAND, without our locks and pipes, and dies if we are killed.
exec_detached() {
    [[ -z ${run_lock:-} ]] || exec {run_lock}>&-
    [[ -z ${output_fd:-} ]] || exec {output_fd}>&-
    exec setpriv --pdeathsig KILL -- "$@"
}

# run_child COMMAND...: waits for it in a way that a signal interrupts; bash would hold the trap back otherwise.
run_child() {
    local status=0
    exec_detached "$@" <&0 &
    child=$!
    wait "$child" || status=$?
    child=
    return "$status"
}

# run_apart COMMAND...: the same in namespaces of its own, so that a kill takes all its processes and mounts.
run_apart() {
    run_child unshare --mount --propagation private --pid --fork --kill-child --mount-proc -- "$@"
}

kill_process() {
    [[ -n ${1:-} ]] || return 0
    kill -KILL "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

# The cgroup2 mount is /sys/fs/cgroup on most machines, a directory of it where v1 is in use too.
cgroup_root() {
    awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) == "cgroup2") { print $5; exit } }' /proc/self/mountinfo
}

# Deepest first, and only when empty; cgroup.kill is asynchronous, so the emptiness is waited for.
remove_cgroup() {
    local group=$1 tries
    [[ -d $group ]] || return 0
    for ((tries = 0; tries < 500; tries++)); do
        echo 1 2>/dev/null >"$group/cgroup.kill" || true
        if grep -qx 'populated 0' "$group/cgroup.events"; then
            # In a trap a bare return would return the script's status.
            find "$group" -depth -type d -exec rmdir {} + && return 0
        fi
        sleep 0.01
    done
    say "could not remove $group"
}

# On every way out, also that of a signal. Nothing is mounted: all mounts are in the bed's namespaces, and go with it.
clean_up() {
    trap '' INT TERM HUP
    set +e
    kill_process "${child:-}"
    [[ -z ${boot_pid:-} ]] || "stop_$kind" 2>/dev/null
    kill_process "${boot_pid:-}"
    kill_process "${timer_pid:-}"
    kill_process "${stream_pid:-}"
    [[ -z ${group:-} ]] || remove_cgroup "$group"
    [[ -z ${run:-} ]] || remove_tree "$run"
    [[ -z ${half_made:-} ]] || remove_tree "$half_made"
}

# write_payload: what is laid over the root, as archives that both beds unpack in the same way. One for each tree: tar
# leaves the modes of existing directories alone, but not where one archive has a directory twice.
write_payload() {
    local tree=$run/tree directory number=10
    write_tree "$tree"
    mkdir "$run/payload"
    for directory in "${payloads[@]}" "$tree"; do
        # Installed files belong to root, whoever built them.
        tar -C "$directory" -cf "$run/payload/$((number++)).tar" --owner=0 --group=0 --numeric-owner .
    done
}

# write_tree TREE: our own part, the script and what runs it.
write_tree() {
    local tree=$1
    mkdir -p "$tree/bed" "$tree/etc/systemd/system/multi-user.target.wants"
    install -m 755 "$here/guest/run" "$tree/bed/run"
    install -m 755 "$script" "$tree/bed/script"
    install -m 644 "$here/guest/bed.service" "$tree/etc/systemd/system/bed.service"
    ln -s ../bed.service "$tree/etc/systemd/system/multi-user.target.wants"
    tr -d - </proc/sys/kernel/random/uuid >"$tree/etc/machine-id"
    mark=$(</proc/sys/kernel/random/uuid)
    {
        printf 'bed_kind=%q bed_mark=%q\n' "$kind" "$mark"
        printf 'bed_environment=(%s)\n' "${environment[*]@Q}"
        printf 'bed_arguments=(%s)\n' "${arguments[*]@Q}"
    } >"$tree/bed/settings"
}

# run_bed BOOT: boots by the function BOOT and passes the script's output on until it has ended, the bed has, or the
# time is over.
run_bed() {
    local ended='' status
    mkfifo -m 666 "$run/output"
    exec {output_fd}<>"$run/output"
    exec_detached "$here/stream" "$mark" "$run/status" ${copy:+"$copy"} <"$run/output" &
    stream_pid=$!
    "$1" >"$run/console" 2>&1 &
    boot_pid=$!
    exec_detached sleep "$time_limit" >/dev/null &
    timer_pid=$!
    wait -n -p ended "$stream_pid" "$boot_pid" "$timer_pid" || true
    if [[ $ended == "$timer_pid" ]]; then
        timer_pid=
        "explain_$kind" >&2
        say "no end after $time_limit s: killed"
        exit 124
    fi
    # The bed may end by itself, having said all: with our own writing end closed the stream ends after the last byte.
    exec {output_fd}>&-
    output_fd=
    [[ $ended == "$stream_pid" ]] || { boot_pid=; wait "$stream_pid" || true; }
    stream_pid=
    if ! status=$(cat "$run/status" 2>/dev/null); then
        "explain_$kind" >&2
        fail "the bed ended before the script"
    fi
    exit "$status"
}
