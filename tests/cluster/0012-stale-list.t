#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Slurm's list is minutes old when a new forecast comes: what somebody has changed in between stands, and the others are
# moved.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

"$SANDBOX" default-config | sed 's/^  poll: .*/  poll: 5m/' >"$T/carnot.yaml"
trace "$T/carbon.csv" -600:400 600:100 700:400
dip=$((TRACE_NOW + 600))
sandbox_up sb --nodes 1 --carnot "$T/carnot.yaml" --carbon "$T/carbon.csv"

begin_epoch() { job_epoch "$1" StartTime; }
begins_in() { (($(begin_epoch "$1") >= $2 && $(begin_epoch "$1") < $2 + 100)); }

# ---- two jobs that carnotctld knows, and a list that will not come again

kept=$(submit -t 1 --carbon-delay=30m --wrap true)
moved=$(submit -t 1 --carbon-delay=30m --wrap true)
ok "a job waits for the dip" begins_in "$kept" "$dip"
ok "and another one" begins_in "$moved" "$dip"
# Asked for a job that it does not know, carnotctld asks Slurm for a list.
ok "carnotctld knows both" wait_for 20 in_sandbox carnot why "$moved"

# ---- a word, then a forecast

later=$((TRACE_NOW + 900))
in_sandbox scontrol update jobid="$kept" StartTime="$(date -d "@$later" +%FT%T)"
trace "$T/carbon.csv" -600:400 300:50 400:400
dip=$((TRACE_NOW + 300))
ok "with the new forecast one job is moved" wait_for 30 begins_in "$moved" "$dip"
sleep 2
is "and the other begins when it was told to" "$(begin_epoch "$kept")" "$later"
like "which carnotctld's log says" "$(<"$SB/log/carnotctld.out")" "job $kept came to nothing: its begin time has been changed"

done_testing
