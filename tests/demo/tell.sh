# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034 # try() sets what others read
# What a demonstration is told with: commands that are shown as they are run, and claims that are checked.

bold='' cyan='' green='' red='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    bold=$'\e[1m' cyan=$'\e[36m' green=$'\e[32m' red=$'\e[1;31m' plain=$'\e[0m'
fi
claims=0 broken=0 long='' short=''
output='' status=0

title() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
explain() { printf '%s%s%s\n' "$cyan" "$(fold -s -w "${COLUMNS:-100}" <<<"$*" | sed 's/ $//')" "$plain"; }

give_up() {
    printf '%sdemo: %s%s\n' "$red" "$*" "$plain" >&2
    exit 1
}

# abbreviate NAME VALUE: from now on commands are shown with $NAME in its place.
abbreviate() {
    show "$1=$2"
    long=$2 short="\$$1"
}

# quote WORD: as one would type it.
quote() {
    local word=$1 quotes=\"
    if [[ $word =~ ^(--?[A-Za-z]+=|[a-z]+=)(.*[^A-Za-z0-9_./:=@%+,-].*)$ ]]; then
        printf %s "${BASH_REMATCH[1]}"
        word=${BASH_REMATCH[2]}
    elif [[ $word =~ ^[A-Za-z0-9_./:=@%+,-]+$ || $word == '&' ]]; then
        quotes=''
    fi
    # Double quotes only where ours is abbreviated.
    [[ -z $quotes || -n $long && $word == *"$long"* ]] || quotes=\'
    [[ $quotes != \' ]] || word=${word//\'/\'\\\'\'}
    printf %s "$quotes${word/"${long:-$word}"/"${short:-$word}"}$quotes"
}

# show WORD...: a command that is run by other means.
show() {
    local word text=''
    for word; do
        text+=" $(quote "$word")"
    done
    printf '%s$%s%s\n' "$bold" "$text" "$plain"
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
    ((broken == 0)) || give_up "$broken of $claims claims are not so"
    printf '\n%sdemo: %d claims were checked, all are so (%d s)%s\n' "$bold" "$claims" "$SECONDS" "$plain"
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
