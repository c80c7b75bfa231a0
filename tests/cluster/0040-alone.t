#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Slurm alone: with every process of Carnot dead and no board, and with a board cut short under the running slurmctld,
# jobs are submitted and run as before, and the log says once that Carnot is absent.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

sandbox_up sb --nodes 2
log=$SB/log/slurmctld.log

# Lines of the plugin that it goes without a board, since the given line of the log.
complaints() { tail -n "+$(($1 + 1))" "$log" | grep -c 'carnot: absent' || true; }
jobs_run() {
    local id
    ok "$1: sbatch is accepted" submit -t 1 --carbon-delay=5m --wrap 'sleep 1'
    id=$(submit -t 1 --carbon-delay=5m --carbon-run=x --wrap 'sleep 1')
    ok "$1: and the job runs at once" wait_state 10 "$id" 'RUNNING|COMPLETED'
    ok "$1: and well" wait_state 10 "$id" COMPLETED
    is "$1: srun works" "$(in_sandbox srun --carbon-delay=5m -N2 echo hello 2>/dev/null | sort -u)" hello
    is "$1: salloc works" "$(in_sandbox salloc --carbon-delay=5m -N1 echo hello 2>/dev/null)" hello
}

# ---- nobody there

for name in carnotd-n1 carnotd-n2 carnotctld; do "$SANDBOX" kill "$SB" "$name"; done
before=$(wc -l <"$log")
rm "$SB/state/board"
sleep 3
jobs_run "no daemon, no board"
is "the log says so once" "$(complaints "$before")" 1

# ---- back, and then a board that is cut short

ok "carnotctld comes back" "$SANDBOX" restart "$SB" carnotctld
ok "a carnotd comes back" "$SANDBOX" restart "$SB" carnotd-n1
"$SANDBOX" kill "$SB" carnotctld
sleep 3
before=$(wc -l <"$log")
truncate -s 1000 "$SB/state/board"
sleep 3
jobs_run "a board cut short"
is "the log says so once" "$(complaints "$before")" 1
ok "slurmctld is alive" in_sandbox scontrol ping
: >"$SB/state/board"
sleep 3
jobs_run "an empty board"

done_testing
