#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who may see and do what: users their own jobs, operators everything; and what works with no daemon at all.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

trace "$T/carbon.csv" -600:400 600:100 1200:400
sandbox_up sb --nodes 1 --carbon "$T/carbon.csv"

help=$(in_sandbox sbatch --help)
for flag in carbon-delay carbon-finish-by carbon-policy carbon-budget energy-budget budget-action carbon-run; do
    like "sbatch --help lists --$flag" "$help" "--$flag"
done

mine=$(as games sbatch --parsable -o /dev/null -t 1 --carbon-delay=20m --wrap 'sleep 1' 2>/dev/null)
other=$(as www-data sbatch --parsable -o /dev/null -t 1 --carbon-delay=20m --wrap 'sleep 1' 2>/dev/null)
ok "both jobs are known" wait_for 15 says 'length == 2' in_sandbox carnot jobs --json
is "a user sees his own jobs" "$(as games carnot jobs --json | jq -r '.[].job_id')" "$mine"
is "root sees all" "$(in_sandbox carnot jobs --json | jq -r '.[].job_id' | sort | xargs)" "$mine $other"
ok "a user asks why his job waits" as games carnot why "$mine"
not_ok "but not about another's" as games carnot why "$other"
not_ok "nor ends its wait" as games carnot now "$other"
ok "which still waits" waits_for "$other" BeginTime
ok "he ends the wait of his own" as games carnot now "$mine"
ok "which starts" wait_state 5 "$mine" 'RUNNING|COMPLETED'

not_ok "a user sets no budget" as games carnot budget set account bio --energy 1kWh --period month
not_ok "nor switches Carnot off" as games carnot off
is "and nothing was set" "$(in_sandbox carnot budget list --json)" "[]"
for command in status forecast jobs "budget list" "place --nodes 1 --time 10 --carbon-delay 30m"; do
    # shellcheck disable=SC2086
    ok "carnot $command --json answers a user with JSON" says true as games carnot $command --json
done
# Once the node has reported for the first time.
lists_node() { [[ $(in_sandbox carnot nodes --json | jq -r '.[].node') = n1 ]]; }
ok "carnot nodes answers an operator" wait_for 20 lists_node
in_sandbox carnot place --nodes 1 --time 10 --carbon-delay 30m >/dev/null
is "a job that may run is exit 0" "$?" 0
in_sandbox carnot nonsense >/dev/null 2>&1
is "bad usage is exit 2" "$?" 2

"$SANDBOX" kill "$SB" carnotctld
ok "place works on a board without any daemon" \
    says '.verdict == "delay"' in_sandbox carnot place --nodes 1 --time 10 --carbon-delay 30m \
    --board "$LINK/state/board" --json
not_ok "a query says that carnotctld is not there" in_sandbox carnot status
like "in one line" "$(in_sandbox carnot status 2>&1 | wc -l)" '^1$'

done_testing
