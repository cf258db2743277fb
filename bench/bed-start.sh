#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs in a container bed over an installed service, with the benchmark and its payload in /opt/bench.
# Arguments go to the benchmark. The table, then a line `--- json` and the same figures for programs.
set -euo pipefail

# All that happens in the bed is to be what is measured.
for unit in apt-daily.timer apt-daily-upgrade.timer fstrim.timer e2scrub_all.timer systemd-tmpfiles-clean.timer; do
    systemctl stop "$unit" 2>/dev/null || true
done
if ! systemctl start constellationd; then
    journalctl --boot --no-pager --unit=constellationd --unit='constellation-*' --lines=50
    exit 1
fi

# The figures are worth nothing if some starts quietly failed or left things behind.
status=0
/opt/bench/start --probe /opt/bench/probe --json /run/bench-start.json "$@" || status=$?
left=$(systemctl list-units --all --no-legend --plain 'constellation-*.scope' | wc -l)
if ((status != 0)); then
    journalctl --boot --no-pager --unit=constellationd --unit='constellation-*' --lines=50
    exit "$status"
fi
printf 'scopes left behind: %d\n\n--- json\n' "$left"
cat /run/bench-start.json
