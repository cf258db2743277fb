#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest.sh PROBE: what the probe says of this host is so, and it behaves as it was told. In TAP.
# shellcheck disable=SC2317 # check() calls them all
set -uo pipefail
probe=$(readlink -f "$1")
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
number=0 failed=0

# check DESCRIPTION COMMAND...
check() {
    local description=$1 result=ok output
    shift
    output=$("$@" 2>&1) || { result='not ok'; failed=1; }
    printf '%s %d - %s\n' "$result" $((++number)) "$description"
    [[ $result == ok || -z $output ]] || printf '%s\n' "$output" | sed 's/^/# /'
}

# status WANTED COMMAND...
status() {
    local wanted=$1 got=0
    shift
    "$@" >/dev/null 2>&1 || got=$?
    ((got == wanted)) || { echo "exit status $got instead of $wanted"; return 1; }
}

# says LINE COMMAND...: the line is among what it answers.
says() {
    local line=$1 output
    shift
    output=$("$@" 2>&1)
    grep -qxF -- "$line" <<<"$output" || { printf 'no line "%s" in:\n%s\n' "$line" "$output"; return 1; }
}

is_static() { ! readelf --wide --program-headers --dynamic "$probe" | grep -E 'INTERP|NEEDED'; }
reports_ids() { says "uid=$(id -u)" "$probe" && says "groups=$(grep ^Groups: /proc/self/status | cut -f2 | sed 's/ $//')" "$probe"; }
reports_namespace() { says "ns_pid=$(stat -Lc %i /proc/self/ns/pid)" "$probe"; }
reports_capabilities() { says "CapBnd=$(awk '/^CapBnd/ { print $2 }' /proc/self/status)" "$probe"; }
reports_hostname() { says "hostname=$(uname -n)" "$probe"; }
reports_umask() (umask 027; says umask=0027 "$probe")
reports_cwd() (cd "$work" && says "cwd=$work" "$probe")
reports_fds() { says 'fd_7=/dev/null' "$probe" 7</dev/null; }
reports_environment() { says env=A env -i A=1 "$probe"; }
reports_ignored() { says SigIgn=0000000000004000 env --default-signal --ignore-signal=TERM "$probe"; }
reports_mounts() { says "mounts=$(wc -l </proc/self/mountinfo)" "$probe"; }
escapes_newlines() { says 'arg_1=a\x0ab' "$probe" arguments $'a\nb'; }
writes_to_file() { "$probe" --output="$work/report" && grep -q ^pid= "$work/report"; }
# The monotonic clock may be behind the uptime, which goes on while the machine sleeps.
stamps_the_clock() {
    "$probe" stamp "$work/first" && "$probe" stamp "$work/second" || return
    (($(<"$work/first") < $(<"$work/second") &&
        $(<"$work/second") < ($(cut -d. -f1 /proc/uptime) + 1) * 1000000000))
}
stamps_into_fifo() {
    mkfifo "$work/fifo"
    exec 5<>"$work/fifo"
    "$probe" stamp "$work/fifo" || return
    read -r -t 5 <&5 && [[ $REPLY =~ ^[0-9]+$ ]]
}
dies_without_core() { status $((128 + $1)) bash -c "cd '$work' && ulimit -c unlimited; '$probe' signal $1"; }
ignores_term() {
    local pid
    "$probe" --output="$work/ignoring" ignore-term &
    pid=$!
    until [[ -s $work/ignoring ]]; do sleep 0.01; done
    kill -TERM "$pid"
    sleep 0.05
    kill -KILL "$pid" && ! wait "$pid"
}
obeys_term() {
    local pid
    "$probe" --output="$work/obeying" obey-term &
    pid=$!
    until [[ -s $work/obeying ]]; do sleep 0.01; done
    kill -TERM "$pid" && wait "$pid" && grep -qx caught=15 "$work/obeying"
}
spins() { (($("$probe" spin 0.1 | sed -n 's/^cpu_usec=//p') > 10000)); }
# In a pid namespace of their own, so that none can stay behind.
in_namespace() { unshare --user --map-root-user --pid --fork --kill-child --mount-proc "$@"; }
leaves_orphans() {
    # shellcheck disable=SC2016
    in_namespace bash -c '"$0" --output="$1" fork 3 & until [[ -s $1 ]]; do sleep 0.01; done
        (($(cat /proc/[0-9]*/status 2>/dev/null | grep -A 6 "^Name:.probe" | grep -cx "PPid:.1") == 4))' \
        "$probe" "$work/forked"
}
forgery_is_refused() { says errno=1 in_namespace bash -c "'$probe' forge-signal 40 0; :"; }
forgery_is_sent() { says errno=0 in_namespace bash -c "'$probe' forge-signal 17; :"; }

check 'it is static' is_static
for test in reports_ids reports_namespace reports_capabilities reports_hostname reports_umask reports_cwd reports_fds \
    reports_environment reports_ignored reports_mounts escapes_newlines writes_to_file \
    stamps_the_clock stamps_into_fifo ignores_term obeys_term spins; do
    check "it ${test//_/ }" "$test"
done
check 'it exits as told' status 42 "$probe" exit 42
check 'it dies of SIGSEGV' dies_without_core 11
check 'it dies of SIGTERM' dies_without_core 15
check 'it has left no core' bash -c "! compgen -G '$work/core*'"
check 'it eats memory' says ate=1000000 "$probe" eat-memory 1000000
check 'it stops forking at its bound' says forked=5 "$probe" fork-until-fails 5
check 'it tells what a write came to' says errno=9 "$probe" write-fd 200 a
check 'it tells what a read came to' says errno=2 "$probe" read "$work/none"
check 'it refuses a verb it does not know' status 2 "$probe" dance
check 'it refuses what is no number' status 2 "$probe" exit many
if in_namespace true 2>/dev/null; then
    check 'it leaves orphans' leaves_orphans
    check 'the code of a kill cannot be forged' forgery_is_refused
    check 'the sender can' forgery_is_sent
else
    echo "ok $((++number)) - orphans and forgeries # SKIP no right to make a user and pid namespace"
fi
echo "1..$number"
exit "$failed"
