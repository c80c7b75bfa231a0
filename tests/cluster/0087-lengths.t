#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two runs of one name teach how long a third may run: it waits for a dip that its time limit would hide, whatever became
# of carnotctld in between; and `carnot why` says by which runs.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

trace "$T/carbon.csv" -600:400 240:100 300:400
sandbox_up sb --nodes 1 --carbon "$T/carbon.csv"
readonly DIP=$((TRACE_NOW + 240))

begins_in_dip() { local at; at=$(job_epoch "$1" StartTime) && ((at >= DIP && at < DIP + 60)); }
lengths() { in_sandbox carnot place --nodes 1 --time 30m --name "$1" --json | jq -c ".predicted_s | length"; }
knows() { [[ $(lengths "$1") = "$2" ]]; }
third() { submit -t 30 -n1 --carbon-delay=8m --carbon-policy=greenest "$@" --wrap true; }

is "nothing is known of anybody" "$(lengths train)" 1
blind=$(third -J blind)
not_ok "half an hour holds the dip wherever it begins: no wait" begins_in_dip "$blind"
estimate() { in_sandbox carnot why "$1" --json | jq .estimate_j; }
ok "carnotctld knows it" wait_for 20 in_sandbox carnot why "$blind"
priced=$(estimate "$blind")

a=$(submit -t 30 -n1 -J train --wrap 'sleep 3')
b=$(submit -t 30 -n1 -J train --wrap 'sleep 8')
failed=$(submit -t 30 -n1 -J train --wrap 'exit 1')
ok "two runs of a name come to their end" wait_for 40 in_sandbox carnot job "$b"
ok "and are learnt when they are settled" wait_for 90 knows train 3
is "another name has all of the user's" "$(lengths eval)" 4
diag "jobs $a $b $failed"

"$SANDBOX" kill "$SB" carnotctld
ok "carnotctld is killed and starts again" "$SANDBOX" restart "$SB" carnotctld
ok "and knows them still" wait_for 30 knows train 3
c=$(third -J train)
ok "a third waits for the dip" begins_in_dip "$c"
ok "which carnotctld knows" wait_for 20 in_sandbox carnot why "$c"
why=$(in_sandbox carnot why "$c")
like "and is told by which runs" "$why" "length +~[0-9]+s \(last 2 runs of train: [0-9]+s, [0-9]+s; limit 30 min\)"
json=$(in_sandbox carnot why "$c" --json)
is "the failed one is none of them" "$(jq '.length.runs_s | all(. >= 2)' <<<"$json")" true
is "what is reserved goes by the limit" "$(estimate "$c")" "$priced"
is "what is likely is less" "$(jq '.likely_g < .g' <<<"$json")" true

done_testing
