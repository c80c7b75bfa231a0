#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The systemd units: complete, and open to no more than they need by systemd's own rating (0 is closed, 10 is open).

units=$PWD/../../etc/systemd
echo 1..6
if ! command -v systemd-analyze >/dev/null || ! systemd-analyze security --help 2>&1 | grep -q -- --offline; then
    for i in 1 2 3 4 5 6; do echo "ok $i # SKIP no systemd-analyze that rates files (systemd 250 on)"; done
    exit 0
fi
n=0
for unit in carnotd carnotctld carnot-powercap@; do
    n=$((n + 1))
    # Which programs and man pages are installed is not the matter here.
    said=$(systemd-analyze verify "$units/$unit.service" 2>&1 | grep "${unit%@}.*\.service" | grep -vE "is not executable|Command 'man ")
    if [[ -z $said ]]; then echo "ok $n - $unit.service is well-formed"; else
        echo "not ok $n - $unit.service is well-formed"
        sed 's/^/# /' <<<"$said"
    fi
    n=$((n + 1))
    rating=$(systemd-analyze security --offline=true --no-pager "$units/$unit.service" 2>/dev/null |
        sed -nE 's/.*Overall exposure level for .*: ([0-9.]+) .*/\1/p')
    if [[ -n $rating ]] && awk -v r="$rating" 'BEGIN { exit !(r <= 2.0) }'; then
        echo "ok $n - $unit.service is rated $rating, 2.0 at most"
    else
        echo "not ok $n - $unit.service is rated ${rating:-not at all}, 2.0 at most"
    fi
done
