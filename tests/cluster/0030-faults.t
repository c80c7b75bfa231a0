#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kill -9 of carnotctld, of a carnotd and of slurmctld while jobs wait and run, each started again: no job is lost or
# charged twice, and the energies that `carnot jobs` shows are those in the nodes' logs.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

trace "$T/carbon.csv" -600:400 90:100 210:400
sandbox_up sb --nodes 2 --carbon "$T/carbon.csv"
ok "a budget" in_sandbox carnot budget set account acc --energy 1MJ --period month
sleep 3

# Two run until they are told: that they have ended is lost if slurmctld dies before it has saved it.
told=$LINK/run/told
jobs=(
    "$(submit -A acc -t 3 -w n1 --wrap "until [ -e $told ]; do timeout 2 sha1sum /dev/zero; done; true")"
    "$(submit -A acc -t 3 -N2 --wrap "until [ -e $told ]; do sleep 1; done")"
    "$(submit -A acc -t 2 --carbon-delay=5m --wrap 'timeout 5 sha1sum /dev/zero; true')"
    "$(submit -A acc -t 1 --wrap 'sleep 12')" # ends while carnotctld is away
)
wait_state 10 "${jobs[0]}" RUNNING
ok "one waits for a greener grid" waits_for "${jobs[2]}" BeginTime
sleep 5

ok "carnotctld is killed" "$SANDBOX" kill "$SB" carnotctld
jobs+=("$(submit -A acc -t 1 --wrap 'sleep 5')")
jobs+=("$(submit -A acc -t 2 --carbon-delay=5m --wrap 'sleep 3')")
ok "the last board still decides" waits_for "${jobs[5]}" BeginTime
sleep 8
ok "and comes back" "$SANDBOX" restart "$SB" carnotctld

ok "a carnotd is killed" "$SANDBOX" kill "$SB" carnotd-n1
jobs+=("$(submit -A acc -t 1 -w n1 --wrap 'sleep 6')") # begins while it is away
sleep 4
ok "and comes back" "$SANDBOX" restart "$SB" carnotd-n1

wait_state 30 "${jobs[6]}" COMPLETED
wait_saved
ok "slurmctld is killed" "$SANDBOX" kill "$SB" slurmctld
sleep 2
ok "and comes back" "$SANDBOX" restart "$SB" slurmctld
is "what ran still runs" "$(job "${jobs[0]}" JobState) $(job "${jobs[1]}" JobState)" "RUNNING RUNNING"
ok "the waiting job still waits for the same" waits_for "${jobs[2]}" BeginTime
sleep 3
touch "$told"

ok "all jobs end" wait_for 120 queue_empty
is "and well" "$(for id in "${jobs[@]}"; do job "$id" JobState; done | sort | uniq -c | xargs)" "${#jobs[@]} COMPLETED"
ok "all records have arrived" wait_for 30 all_reported n1 n2
ok "and nothing stays reserved" wait_for 30 nothing_reserved
sleep 4

is "each job is there once" "$(in_sandbox carnot jobs --json | jq -r '.[].job_id' | sort -n | xargs)" "${jobs[*]}"
is "energies are those in the nodes' logs" "$(energy_in_ledger | sort)" "$(energy_by_job n1 n2 | sort)"
like "and there are some" "$(energy_in_ledger | wc -l)" '^[4-9]'
is "the account is charged with their sum" \
    "$(in_sandbox carnot budget list --json | jq '.[0].charged * 1000000 | round')" \
    "$(energy_by_job n1 n2 | awk '{ sum += $2 } END { printf "%.0f", sum }')"
for node in n1 n2; do
    is "conservation holds in each record of $node, none is missing" "$(broken_records "$node")" ""
done

done_testing
