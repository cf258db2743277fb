#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ctl.sh CONSTELLATIONCTL: every verb of it, against a private service ($CONSTELLATIOND) in a directory of its own; what it
# prints, and its exit statuses. In TAP.
# shellcheck disable=SC2016,SC2317 # single quotes: for a shell inside an instance; expect() calls the functions
set -uo pipefail
program=$(readlink -f "$1")
: "${CONSTELLATIOND:?names the service}"
export CONSTELLATIOND LC_ALL=C.UTF-8 CONSTELLATION_PAGER=cat
unset NO_COLOR COLUMNS
work=$(mktemp -d)
socket=$work/socket
number=0 failed=0 service=0
trap clean_up EXIT

clean_up() {
    if ((service)); then
        kill "$service" 2>/dev/null
        wait "$service" 2>/dev/null
    fi
    rm -r "$work"
}

serve() {
    "$CONSTELLATIOND" --private="$socket" --no-systemd --log-level=err >"$work/log" 2>&1 &
    service=$!
    for _ in {1..100}; do
        [[ -S $socket ]] && return
        sleep 0.05
    done
    echo "1..0 # SKIP the service does not come up: $(tail -n 1 "$work/log")"
    exit 0
}

# A verb that hangs is a failure, not a test that never ends.
ctl() { timeout -k 5 30 "$program" --socket="$socket" "$@"; }
embedded() { timeout -k 5 30 "$program" --embedded "$@"; }

point() {
    printf '%s %d - %s\n' "$1" $((++number)) "$2"
    [[ $1 == ok ]] || failed=1
}

# expect DESCRIPTION STATUS REGEX COMMAND...: the whole output, both streams, matches.
expect() {
    local description=$1 status=$2 regex=$3 output got=0
    shift 3
    output=$("$@" 2>&1 </dev/null) || got=$?
    if ((got == status)) && [[ $output =~ ^${regex}$ ]]; then
        point ok "$description"
    else
        point 'not ok' "$description"
        printf '# status %d instead of %d, of: %s\n' "$got" "$status" "$*"
        printf '%s\n' "$output" | sed 's/^/# /'
    fi
}

# json DESCRIPTION FILTER COMMAND...: its output is one JSON document of which the filter is true.
json() {
    local description=$1 filter=$2
    shift 2
    # The exit status is another test's.
    expect "$description" 0 true json_filter "$filter" "$@"
}
json_filter() {
    local filter=$1
    shift
    { "$@" || true; } | python3 -c "
import json, sys
data = json.load(sys.stdin)
print(str(bool($filter)).lower())"
}

# What differs from run to run becomes a letter: ids, pids, and the blanks they are aligned with.
golden() {
    "$@" | sed -E "s/i[0-9a-v]{13}/I/g; s/ +[0-9]+  $(id -un) / P U /; s/ {2,}/  /g"
}

last_line() { "$@" | tail -n 1; }

# Our output is a terminal: what is said there.
on_terminal() {
    local command
    printf -v command '%q ' "$@"
    timeout -k 5 30 script -qec "$command" /dev/null </dev/null | tr -d '\r'
}

serve
any='.*'
id='i[0-9a-v]{13}'

# ---- nothing there yet

expect 'without a verb it lists' 0 '0 instances listed\.' ctl
expect 'an empty list is no error' 0 '' ctl list --no-legend
json 'an empty list is an empty array' 'data == []' ctl list --json=short
expect 'an unknown instance has status 4' 4 "constellationctl: ${any}nope${any}" ctl status nope
expect 'an unknown verb has status 2' 2 "${any}did you mean 'list'${any}" ctl lst
expect 'a wrong setting has status 2, and the service says what is wrong' 2 \
    "constellationctl: ${any}MemoryMax${any}" ctl create x --MemoryMax=much -- /bin/true
expect 'the version is told' 0 'constellationctl [0-9.]+' ctl --version
expect 'the help has all verbs' 0 "${any}list${any}status${any}destroy${any}check${any}" ctl --help
expect 'the help of a verb lists the settings' 0 "${any}--CPUQuota=${any}--MemoryMax=${any}" ctl create --help
service_absent() { timeout 10 "$program" --socket="$work/none" list; }
expect 'an absent service is said to be' 1 "constellationctl: ${any}constellationd${any}" service_absent

# Every verb, option and letter that help tells of is in the manual.
manual_lacks() {
    local manual=${CONSTELLATION_SOURCE:-$(dirname "$0")/../..}/man/constellationctl.1.scd verb word
    ctl --help | sed -nE '/^Verbs/,/^Options/s/^  ([a-z-]+).*/\1/p' | while read -r verb; do
        grep -q "^\*$verb\*" "$manual" || echo "$verb"
        ctl "$verb" --help | sed '/^Settings/,$d' | grep -oE '^ +(-[a-zA-Z]|  ) --[a-z-]+' | grep -oE -- '-[-a-zA-Z]+' |
            while read -r word; do
                grep -q -- "\*${word}[*=]" "$manual" || echo "$verb $word"
            done
    done
}
expect 'the manual lacks nothing that help has' 0 '' manual_lacks

# ---- one instance's life

expect 'create prints the id' 0 "$id" ctl create web --Description='a web thing' --Labels=a --Labels=b -- /bin/sleep 1000
expect 'a name is given once' 1 "constellationctl: ${any}web${any}" ctl create web
expect 'a name must be one' 2 "constellationctl: ${any}" ctl create 'no name' -- /bin/true
expect 'what was not started has status 3' 3 "○ web – a web thing${any}PENDING${any}" ctl status web
expect 'start is silent' 0 '' ctl start web
expect 'status of what runs' 0 "● web – a web thing${any}RUNNING \(running\) since ${any}Main PID: [0-9]+${any}" \
    ctl status web
expect 'start of what runs is refused' 1 "constellationctl: ${any}RUNNING${any}" ctl start web
expect 'the table' 0 "  NAME  STATE  MAIN PID  OWNER  ID  DESCRIPTION
●  web  RUNNING P U  I  a web thing

1 instance listed\." golden ctl list
json 'the list as JSON' 'data[0]["name"] == "web" and data[0]["main_pid"] > 0 and data[0]["path"].endswith(data[0]["id"])' \
    ctl list --json=pretty
expect 'a label chooses' 0 '1 instance listed\.' last_line ctl list --label=b
expect 'another label does not' 0 '0 instances listed\.' ctl list --label=c
expect 'a state chooses, in any case' 0 '1 instance listed\.' last_line ctl list --state=running
expect 'an owner chooses' 0 '1 instance listed\.' last_line ctl list --owner="$(id -un)"
expect 'names choose' 0 '1 instance listed\.' last_line ctl list 'x*' 'w*'
expect 'a state must be one' 2 "constellationctl: ${any}" ctl list --state=sleeping
expect 'show has one property' 0 'State=RUNNING' ctl show -p State web
expect 'show has values' 0 $'web\na b' ctl show -p Name,Labels --value web
expect 'show has all' 0 "Id=$id${any}Run=1${any}MemoryMax=infinity${any}" ctl show web
json 'show as JSON has types' 'data[0]["Run"] == 1 and data[0]["Labels"] == ["a", "b"] and data[0]["MemoryMax"] is None' \
    ctl --json=short show web
json 'status as JSON has settings and usage' 'data[0]["State"] == "RUNNING" and data[0]["Settings"]["Command"] and "Source" in data[0]["Usage"]' \
    ctl --json=short status web
expect 'the plan ends with the payload' 0 "STEP +OUTCOME +REASON${any}exec +planned ${any}" ctl plan web
json 'the plan as JSON' 'data[-1]["step"] and data[-1]["outcome"]' ctl --json=short plan web
expect 'destroy of what runs is refused' 1 "constellationctl: ${any}RUNNING${any}" ctl destroy web
first_pid=$(ctl show -p MainPID --value web)
expect 'restart is silent' 0 '' ctl restart web
second_pid=$(ctl show -p MainPID --value web)
expect 'after a restart it is another process' 0 '' test "$first_pid" != "$second_pid"
expect 'kill sends a signal' 0 '' ctl kill -s INT web
expect 'wait exits with the payload'"'"'s status' 130 "constellationctl: web: killed by SIGINT ${any}" ctl wait web
expect 'and again, later' 130 '' ctl wait -q web
json 'wait as JSON' 'data["status"] == 2 and data["result"] == "signal"' ctl wait -q --json=short web
expect 'what failed has status 3' 3 "× web${any}FAILED${any}signal \(killed by SIGINT\)${any}" ctl status web
expect 'start without waiting' 0 '' ctl start --no-wait web
expect 'wait gives up in time' 124 "constellationctl: ${any}not ended within 200ms" ctl wait --timeout=200ms web
expect 'stop is silent' 0 '' ctl stop --timeout=5 web
expect 'stop of what is stopped as well' 0 '' ctl stop web
expect 'what was stopped has status 3' 3 "○ web${any}STOPPED${any}" ctl status web
expect 'destroy is silent' 0 '' ctl destroy web
expect 'then it is not there' 4 "constellationctl: ${any}" ctl show web

# ---- several at once

ctl create -q a -- /bin/sleep 1000
ctl create -q b -- /nonexistent
expect 'each failure is told by name, the status is the worst' 4 "constellationctl: b: ${any}nonexistent${any}
constellationctl: c: ${any}" ctl start a b c
json 'what came of each, as JSON' '[d["done"] for d in data] == [True, False, False] and data[1]["message"]' \
    ctl --json=short stop a x y
expect 'status of several' 4 "× b${any}" ctl status b c
expect 'destroy with force' 0 '' ctl destroy --force a b
expect 'create --start' 0 "$id" ctl create d --start -- /bin/sleep 1000
expect 'create --start of what cannot run leaves it' 1 "$id
constellationctl: ${any}" ctl create e --start -- /nonexistent
expect 'both are there' 0 '2 instances listed\.' last_line ctl list
ctl destroy --force d e

# ---- run

expect 'run passes the output through' 0 'out' ctl run -- /bin/echo out
expect 'and errors' 0 'err' ctl run -- /bin/sh -c 'echo err >&2'
expect 'and the exit status' 42 '' ctl run -- /bin/sh -c 'exit 42'
expect 'a signal is 128 and its number' 137 "constellationctl: run-[0-9a-f]{8}: killed by SIGKILL ${any}" \
    ctl run -- /bin/sh -c 'kill -9 $$'
expect 'what is not there is 127' 127 "constellationctl: ${any}/nonexistent: No such file or directory${any}" ctl run -- /nonexistent
expect 'what is no program is 126' 126 "constellationctl: ${any}/etc/passwd: Permission denied${any}" ctl run -- /etc/passwd
expect 'what fails before it is 125' 125 "constellationctl: ${any}/nowhere${any}" ctl run --WorkingDirectory=/nowhere -- /bin/true
expect 'no usage is 2' 2 "constellationctl: ${any}" ctl run
expect 'variables are literal' 0 "it's two words" ctl run -E "X=it's two words" -- /bin/sh -c 'echo "$X"'
from_pipe() { echo 'in' | ctl run -- /bin/cat; }
expect 'run passes the input through' 0 'in' from_pipe
much() { ctl run -- /bin/sh -c 'head -c 3000000 /dev/zero; exit 3' | wc -c; }
expect 'however much' 3 3000000 much
expect 'nothing is left of what ran' 0 '0 instances listed\.' ctl list
expect 'unless it is to stay' 7 '' ctl run --name=stays --RemoveOnExit=no -- /bin/sh -c 'exit 7'
expect 'and can be run again' 7 '' ctl run stays
expect 'but not with other settings' 2 "constellationctl: ${any}there already${any}" ctl run stays --MemoryMax=1G
ctl destroy stays
expect 'run --detach prints the id' 0 "$id" ctl run --detach --name=background --rm -- /bin/sh -c 'sleep 1; exit 9'
json 'or JSON' 'data["id"] in data["path"] and data["name"] == "other"' ctl run --json=short --detach --rm --name=other -- /bin/true
expect 'run attaches to what runs' 9 '' ctl run background
to_file() {
    ctl run --StandardOutput=file:"$work/out" -- /bin/echo written
    cat "$work/out"
}
expect 'a setting decides where output goes' 0 written to_file

# run_until_ready COMMAND...: run, in the background; returns when the command has said "ready". Its pid is $run.
run_until_ready() {
    : >"$work/said"
    "$program" --socket="$socket" run --TimeoutStopSec=500ms -- "$@" >>"$work/said" 2>&1 &
    run=$!
    for _ in {1..200}; do
        # What it says may be here before the service knows that it runs.
        grep -q ready "$work/said" && [[ $(ctl list --state=running --no-legend) ]] && return
        sleep 0.05
    done
}

# The end of it, as if it had run in the foreground.
finish_run() {
    local status=0
    wait "$run" || status=$?
    cat "$work/said"
    return "$status"
}

# signalled SIGNAL... -- COMMAND...: run, with the signals sent to us one after the other.
signalled() {
    local signals=() signal
    while [[ $1 != -- ]]; do
        signals+=("$1")
        shift
    done
    shift
    run_until_ready "$@"
    for signal in "${signals[@]}"; do
        kill -s "$signal" "$run"
        sleep 0.3
    done
    finish_run
}
expect 'a signal is passed on' 11 $'ready\nusr1' signalled USR1 -- /bin/sh -c 'trap "echo usr1; exit 11" USR1; echo ready; while :; do sleep 0.1; done'
expect 'so is the first SIGTERM' 12 $'ready\nterm' signalled TERM -- /bin/sh -c 'trap "echo term; exit 12" TERM; echo ready; while :; do sleep 0.1; done'
expect 'the second SIGINT stops it for good' 137 "ready${any}" signalled INT INT -- /bin/sh -c 'trap "" INT TERM; echo ready; while :; do sleep 0.1; done'

# ---- logs

if [[ -S /run/systemd/journal/stdout ]]; then
    echo '# logs: skipped, the journal of this host has them'
else
    ctl create -q talks -- /bin/sh -c 'for i in 1 2 3; do echo line $i; done; printf "\\033[1mbold\\033[0m\\tend"'
    ctl start talks
    ctl wait talks
    expect 'logs are what was written' 0 $'line 1\nline 2\nline 3\n\e\\[1mbold\e\\[0m\tend' ctl logs talks
    expect 'or the last lines of it' 0 $'line 3\n\e\\[1mbold\e\\[0m\tend' ctl logs -n 2 talks
    expect 'or nothing' 0 '' ctl logs --lines=0 talks
    expect 'so many lines that are no number' 2 "constellationctl: --lines=x: ${any}" ctl logs --lines=x talks
    json 'lines as JSON' 'data["MESSAGE"] == "line 1"' eval 'ctl logs --json=short talks | head -n 1'
    followed() {
        ctl create -q slow -- /bin/sh -c 'echo early; sleep 0.5; echo late; sleep 1000'
        ctl start slow
        timeout 2 "$program" --socket="$socket" logs --follow slow
        ctl destroy --force slow
    }
    expect 'logs --follow goes on' 0 $'early\nlate' followed
    flood() {
        ctl create -q flood -- /bin/sh -c 'yes | head -c 3000000; echo; echo the end'
        ctl start flood
        ctl wait flood
        ctl logs flood | wc -c
        ctl logs -n 1 flood
    }
    expect 'of much the last is kept' 0 $'262144\nthe end' flood
    ctl destroy talks flood
fi

# ---- terminals

if command -v script >/dev/null; then
    ctl create -q shown --Description="l$(printf 'o%.0s' {1..60})ng" -- /bin/sleep 1000
    ctl start shown
    expect 'colours on a terminal' 0 "$any"$'\e\\[0;1;32mRUNNING\e\\[0m'"$any" on_terminal "$program" --socket="$socket" list
    expect 'but not with NO_COLOR' 0 "[^"$'\e'"]*RUNNING[^"$'\e'"]*" on_terminal env NO_COLOR=1 "$program" --socket="$socket" list
    expect 'the table fits the terminal' 0 "${any}loooo…ng${any}" on_terminal env COLUMNS=60 "$program" --socket="$socket" list
    ctl destroy --force shown
    if [[ ! -S /run/systemd/journal/stdout ]]; then
        ctl create -q talks -- /bin/sh -c 'printf "a\\033[1mb\\tc\\n"'
        ctl start talks
        ctl wait talks
        expect 'what is written cannot move the cursor' 0 $'a\\?\\[1mb\tc' on_terminal "$program" --socket="$socket" logs talks
        ctl destroy talks
    fi
    expect 'what is long goes through a pager' 0 '> [^>]*> .*' \
        on_terminal env -u SUDO_UID -u PKEXEC_UID CONSTELLATION_PAGER="sed 's/^/> /'" "$program" --socket="$socket" features
    expect 'but not with --no-pager' 0 '[^>]*' \
        on_terminal env CONSTELLATION_PAGER="sed 's/^/> /'" "$program" --socket="$socket" --no-pager features
    expect 'a terminal is never handed in' 5 "${any}none${any}" \
        on_terminal "$program" --socket="$socket" run -- /bin/sh -c 'test -t 0 || test -t 1 || test -t 2 || echo none; exit 5'
else
    point ok 'colours on a terminal # SKIP script(1) is not installed'
fi

# ---- what is had here

expect 'features' 0 "FEATURE +AVAILABLE +REASON${any}backend.monitor +yes${any}" ctl features
json 'features as JSON' 'all(isinstance(d["available"], bool) for d in data)' ctl --json=short features
expect 'check tells, and creates nothing' 0 "FEATURE +OUTCOME +REASON${any}PIDNamespace${any}" ctl check x -- /bin/true
json 'check as JSON' '"reason" in data[0]' ctl --json=short check x -- /bin/true
expect 'status of the service' 0 "${any}Version: [0-9.]+${any}Mode: private${any}" ctl status
json 'status of the service as JSON' 'data["Mode"] == "private"' ctl --json=short status

# ---- a service of the call's own

expect 'an embedded service runs a command' 6 'embedded' embedded run -- /bin/sh -c 'echo embedded; exit 6'
expect 'and tells what it can do' 0 "FEATURE${any}" embedded features
expect 'it cannot be asked to leave something behind' 2 "constellationctl: ${any}" embedded run --detach -- /bin/true

# ---- the service goes away

end_service() {
    run_until_ready /bin/sh -c 'echo ready; exec sleep 1000'
    kill "$service"
    finish_run
}
expect 'a private service takes its instances along' 143 "ready
constellationctl: ${any}killed by SIGTERM${any}" end_service
wait "$service" 2>/dev/null
service=0
echo "1..$number"
exit "$failed"
