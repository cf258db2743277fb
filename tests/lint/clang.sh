# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the lints that run a tool of clang's share.

# Other versions format differently and know other checks: one decides, everywhere.
clang_major=14

# find_tool NAME: sets `tool`, or skips the lint (77, as meson has it).
find_tool() {
    for tool in "$1-$clang_major" "$1"; do
        command -v "$tool" >/dev/null || continue
        [[ $("$tool" --version) == *version\ $clang_major.* ]] && return
    done
    echo "skipped: $1 $clang_major is not installed"
    exit 77
}

# c_files TREE PATTERN FOLDER...: zero-terminated, relative to TREE, of the folders that exist.
c_files() {
    local tree=$1 pattern=$2 folder
    shift 2
    for folder; do
        [[ ! -d $tree/$folder ]] || (cd "$tree" && find "$folder" -type f -name "$pattern" -print0)
    done
}
