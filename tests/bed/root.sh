# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The cache: Debian roots made once, named by a hash of what decides their contents, so that two checkouts can differ.
#   CACHE/KEY/root          the container's root, lower layer of every run
#   CACHE/KEY/vm            kernel, first initrd and disk of the VM (vm.sh)
#   CACHE/run/PID           what one running bed needs, locked as long as it runs
#   CACHE/{root,vm}.lock    held while making one; the root's also while runs come and go

suite=bookworm
cache=${CONSTELLATION_BED_CACHE:-/var/cache/constellation-bed}

cache_key() {
    { echo "$suite"; dpkg --print-architecture; cat "$here/packages" "$here/root.sh" "$here/vm-disk.sh"; } |
        sha256sum | cut -c1-16
}

# The machine's own package sources for this suite, as one-line entries. None (another release, another
# distribution): mmdebstrap then knows the public mirror by itself.
package_sources() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
        awk -v suite="$suite" '$2 == suite || index($2, suite "-") == 1 { print "deb " $0 }' | sort -u
}

# bootstrap DIRECTORY OPTION...: mmdebstrap for our suite. An unreachable mirror is a reason to skip, all else an error.
bootstrap() {
    local to=$1 log=$1.log sources
    shift
    need mmdebstrap
    sources=$(package_sources)
    # What a killed mmdebstrap leaves lies under TMPDIR, and so goes with the half-made root.
    TMPDIR=${to%/*} run_apart mmdebstrap --mode=root "$@" "$suite" "$to" ${sources:+-} <<<"$sources" >"$log" 2>&1 &&
        return
    tail -n 20 "$log" >&2
    if grep -qE 'Failed to fetch|Could not (resolve|connect)|Unable to connect|Temporary failure' "$log"; then
        skip "no cached root, and the package mirror cannot be reached"
    fi
    fail "mmdebstrap could not make the root"
}

make_root() {
    local new=$1/root packages
    say "making the root of the beds, once: about half a minute"
    packages=$(sed 's/#.*//' "$here/packages" | xargs | tr ' ' ,)
    bootstrap "$new" --variant=minbase --include="$packages" \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*'
    add_users "$new"
    trim_boot "$new"
    echo bed >"$new/etc/hostname"
    printf '127.0.0.1 localhost bed\n::1 localhost\n' >"$new/etc/hosts"
    # mmdebstrap copies the host's; there is no network in a bed to resolve names over.
    rm -f "$new/etc/resolv.conf"
}

# Two people without rights, for the tests of who may do what. Only alice has subordinate ids: bob shows what
# happens without them.
add_users() {
    local root=$1
    chroot "$root" useradd --create-home --uid 1000 --shell /bin/bash alice
    chroot "$root" useradd --create-home --uid 1001 --shell /bin/bash bob
    printf '%s\n' root:root alice:alice bob:bob | chroot "$root" chpasswd
    echo alice:100000:65536 | tee "$root/etc/subuid" >"$root/etc/subgid"
}

# Units with nothing to do here: log-ins at terminals nobody sits at, and timers that would fire into measurements.
trim_boot() {
    local root=$1 unit
    for unit in serial-getty@.service getty@.service console-getty.service getty.target apt-daily.timer \
        apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer e2scrub_all.timer e2scrub_reap.service; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
}

# make_once NAME: CACHE/KEY/NAME, made by make_NAME in a directory beside it and renamed, so that it is whole or not
# there. Under NAME's lock: what is found in that directory was left by one that was killed.
make_once() {
    local name=$1 new=$cache/new.$1
    [[ -d $cache/$key/$name ]] && return
    remove_tree "$new"
    mkdir -p "$cache/$key" "$new"
    half_made=$new
    "make_$name" "$new"
    mv "$new/$name" "$cache/$key/$name"
    remove_tree "$new"
    half_made='' # read by clean_up
}

# Opens the cache for this run: the root is made if it is missing, what beds that were killed left is removed, and the
# run's own directory is made and locked. All of it under one lock, or a sweep could meet a run not yet locked.
open_cache() {
    local lock
    mkdir -p "$cache/run"
    exec {lock}>"$cache/root.lock"
    flock "$lock"
    sweep
    key=$(cache_key)
    make_once root
    run=$cache/run/$$
    mkdir -m 700 "$run" "$run/fs"
    exec {run_lock}<"$run"
    flock "$run_lock"
    exec {lock}>&-
}

open_vm_cache() {
    local lock
    exec {lock}>"$cache/vm.lock"
    flock "$lock"
    make_once vm
    exec {lock}>&-
}

sweep() {
    local stale
    for stale in "$cache"/run/*; do
        [[ -d $stale ]] || continue
        flock -n "$stale" true 2>/dev/null || continue
        remove_cgroup "$(cgroup_root)/constellation-bed-${stale##*/}"
        remove_tree "$stale"
    done
}

clean_cache() {
    local root_lock vm_lock entry
    [[ -d $cache ]] || return 0
    exec {root_lock}>"$cache/root.lock" {vm_lock}>"$cache/vm.lock"
    if ! flock -n "$root_lock" || ! flock -n "$vm_lock"; then
        fail "a cache is just being made in $cache"
    fi
    sweep
    for entry in "$cache"/run/*; do
        [[ ! -e $entry ]] || fail "a bed is running: $entry"
    done
    for entry in "$cache"/*/root "$cache"/*/vm "$cache"/new.*; do
        remove_tree "$entry"
    done
    # The lock files stay: somebody may be waiting for one, and would then hold a lock that no one else sees.
    find "$cache" -mindepth 1 -maxdepth 1 -type d -empty -delete
}

# Never across a mount: should one have been left in there, its files are somebody else's.
remove_tree() {
    rm -rf --one-file-system -- "$1"
}
