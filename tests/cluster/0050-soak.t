#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Mixed jobs for a while (60 s; CARNOT_SOAK=3600 for the long run): sizes, arrays, flags, failures, cancellations. The
# energy balance closes in each record of each node, and the ledger agrees with the logs.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox
readonly SOAK_S=${CARNOT_SOAK:-60}
readonly JOBS=$((SOAK_S >= 3600 ? 200 : 40))

trace "$T/carbon.csv" -600:400 40:150 55:380 80:200 95:420
sandbox_up sb --nodes 4 --carbon "$T/carbon.csv"
in_sandbox carnot budget set account acc --energy 10MJ --period day

# one KIND: submits a job of that kind.
one() {
    case $1 in
    0) submit -A acc -t 1 --wrap 'timeout 3 sha1sum /dev/zero' ;;
    1) submit -A acc -t 1 -N2 --wrap 'srun sleep 2' ;;
    2) submit -A acc -t 1 --carbon-delay=1m --wrap 'sleep 2' ;;
    3) submit -t 1 --array=1-3 --carbon-delay=2m --carbon-policy=greenest --wrap 'sleep 1' ;;
    4) submit -t 1 -n 3 --wrap 'srun -n 3 sleep 1; exit 3' ;;
    5) submit -t 1 --energy-budget=1J --budget-action=term --wrap 'sleep 30' ;;
    6) in_sandbox scancel "$(submit -t 1 --carbon-delay=5m --wrap 'sleep 1')" ;;
    7) in_sandbox srun -t 1 --carbon-run=soak sleep 1 >/dev/null 2>&1 & ;;
    esac >/dev/null
}
for ((i = 0; i < JOBS; i++)); do
    one $((i % 8))
    sleep "$(awk -v s="$SOAK_S" -v n="$JOBS" 'BEGIN { print s / n * 0.8 }')"
done
ok "all jobs end" wait_for 200 queue_empty
ok "all records have arrived" wait_for 30 all_reported n1 n2 n3 n4
ok "nothing stays reserved" wait_for 30 nothing_reserved
sleep 4

for node in n1 n2 n3 n4; do
    is "conservation holds in each record of $node" "$(broken_records "$node")" ""
    between "and there are records" "$(records "$node" | wc -l)" $((SOAK_S / 4)) 1000000
done
is "the ledger agrees with the logs" "$(energy_in_ledger | sort)" "$(energy_by_job n1 n2 n3 n4 | sort)"
between "jobs have been seen" "$(in_sandbox carnot jobs --json | jq length)" $((JOBS - JOBS / 8)) $((2 * JOBS))
is "no daemon has ended" "$("$SANDBOX" status "$SB" | grep -c 'does not run')" 0

done_testing
