# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a demonstration is told with: commands that are shown before they are run, and claims that are checked.

bold='' dim='' green='' red='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    bold=$'\e[1m' dim=$'\e[36m' green=$'\e[32m' red=$'\e[1;31m' plain=$'\e[0m'
fi
claims=0 broken=0 output='' status=0

title() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
explain() { printf '%s%s%s\n' "$dim" "$(fold -s -w "${COLUMNS:-100}" <<<"$*")" "$plain"; }

give_up() {
    printf '%sdemo: %s%s\n' "$red" "$*" "$plain" >&2
    exit 1
}

# spell WORD...: as one would type them.
spell() {
    local word
    for word; do
        if [[ $word =~ ^[A-Za-z0-9_./:=@%+,\|\&\ -]+$ && $word != *' '* || $word == '| '* ]]; then
            printf '%s ' "$word"
        elif [[ $word =~ ^(--[A-Za-z]+=)(.*)$ ]]; then
            printf "%s'%s' " "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]//\'/\'\\\'\'}"
        else
            printf "'%s' " "${word//\'/\'\\\'\'}"
        fi
    done
}

# show WORD...: a command, before it is run by other means.
show() {
    local text
    text=$(spell "$@")
    printf '%s$ %s%s\n' "$bold" "${text% }" "$plain"
}

# try COMMAND...: shown and run; what it says stays in $output, its exit status in $status.
try() {
    show "$@"
    status=0
    output=$("$@" 2>&1 </dev/null) || status=$?
    [[ -z $output ]] || printf '%s\n' "$output"
}

# claim SENTENCE COMMAND...: the command says whether it is so.
claim() {
    local sentence=$1
    shift
    claims=$((claims + 1))
    if "$@"; then
        printf '%s   ok: %s%s\n' "$green" "$sentence" "$plain"
    else
        broken=$((broken + 1))
        printf '%s   NOT SO: %s%s\n' "$red" "$sentence" "$plain"
    fi
}

verdict() {
    if ((broken)); then
        give_up "$broken of $claims claims were not so"
    fi
    printf '\n%sdemo: all %d claims were checked, and are so (%d s)%s\n' "$bold" "$claims" "$SECONDS" "$plain"
}

is() { [[ $1 == "$2" ]]; }
like() { [[ $1 =~ $2 ]]; }
not() { ! "$@"; }
is_gone() { [[ ! -e /proc/$1 || $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) == Z* ]]; }

# until_true SECONDS COMMAND...: asks again and again, for so long at most.
until_true() {
    local rest=$(($1 * 50))
    shift
    until "$@"; do
        ((rest-- > 0)) || return
        sleep 0.02
    done
}

# field NAME TABLE: what stands behind it in the line that begins with it.
field() { sed -nE "s/^$1 +([^ ]+).*/\1/p" <<<"$2"; }
agrees() { [[ $(field "$1" "$2") == "$(field "$1" "$3")" ]]; }
differs() { ! agrees "$@"; }

# Where cgroup v2 is mounted, alone or beside v1.
cgroup_mount() { awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts; }
