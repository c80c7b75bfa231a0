#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Waiting for a greener grid: one clear dip, 70 s away and 60 s wide. A job that may wait starts in it, one that may not
# starts at once, many do not all fall into it together; a changed forecast moves what waits; people can override.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

trace "$T/carbon.csv" -600:400 70:100 130:400
dip=$((TRACE_NOW + 70))
sandbox_up sb --nodes 4 --carbon "$T/carbon.csv"

# begin_epoch ID: what the job waits for.
begin_epoch() { job_epoch "$1" StartTime; }

begins_between() {
    local begin
    begin=$(begin_epoch "$1")
    ((begin >= $2 && begin < $3))
}

# ---- the line that users read, and bad values

err=$(CARNOT_QUIET=0 in_sandbox sbatch --carbon-delay=5m -t 1 --hold --wrap true 2>&1 >/dev/null)
like "one line says until when the job waits" "$err" 'carnot: waits until .* greener grid'
is "and it is one" "$(grep -c carnot <<<"$err")" 1
in_sandbox scancel -u root
submit -t 1 --carbon-delay=5m --hold --wrap true >/dev/null
is "nothing is said where stderr is no terminal" "$(<"$T/sbatch.err")" ""
in_sandbox scancel -u root
for flag in carbon-delay=soon carbon-policy=green carbon-budget=5 energy-budget=-1kWh budget-action=kill; do
    err=$(in_sandbox sbatch "--$flag" --wrap true 2>&1)
    like "--$flag is refused, naming flag and value" "$err" "${flag%%=*}.*${flag#*=}"
done

# ---- where jobs go

patient=$(submit -t 1 --carbon-delay=5m --wrap 'sleep 20')
asap=$(submit -t 1 --carbon-delay=5m --carbon-policy=asap --wrap 'sleep 20')
plain=$(submit -t 1 --wrap 'sleep 1')
ok "with asap the job starts at once" wait_state 5 "$asap" RUNNING
ok "so does one without flags" wait_state 10 "$plain" 'RUNNING|COMPLETED'
ok "a job that may wait is set to begin in the dip" begins_between "$patient" "$dip" $((dip + 60))
like "admin_comment names Carnot" "$(job "$patient" AdminComment)" 'carnot:'
unlike "and nothing of budgets" "$(job "$patient" AdminComment)" 'budget'

explained() { in_sandbox carnot why --explain "$patient" >"$T/why" && grep -q NOTE "$T/why"; }
ok "carnot why --explain draws its window" wait_for 10 explained
like "and lists the start that was chosen" "$(grep chosen "$T/why")" '[1-9][0-9]%.* chosen'
is "for machines, too" "$(in_sandbox carnot why --explain --json "$patient" |
    jq -c '[.explain.alternatives[] | select(.roles | contains(["chosen"])) | .saved_g > 0, .room]')" '[true,true]'

printf '#!/bin/bash\n#CARNOT carbon-delay=5m\nsleep 1\n' >"$T/line.sh"
line=$(submit -t 1 "$T/line.sh")
ok "a #CARNOT line does the same" begins_between "$line" "$dip" $((dip + 60))
twin=$(CARNOT_CARBON_DELAY=5m submit -t 1 --wrap 'sleep 1')
ok "and so does the environment" begins_between "$twin" "$dip" $((dip + 60))
off=$(submit -t 1 --carbon-delay=off "$T/line.sh")
ok "a flag wins over the script" wait_state 5 "$off" 'RUNNING|COMPLETED'

many=()
for _ in {1..20}; do many+=("$(submit -t 1 -N1 --exclusive --carbon-delay=5m --wrap 'sleep 20')"); done
starts=$(for id in "${many[@]}"; do begin_epoch "$id"; done | sort -u | wc -l)
between "twenty one-node jobs on four nodes do not all get the same start" "$starts" 2 20
in_sandbox scancel "${many[@]}"

observed=$(in_sandbox carnot off >/dev/null && sleep 3 && submit -t 1 --carbon-delay=5m --wrap 'sleep 1')
ok "switched off, Carnot only observes" wait_state 5 "$observed" 'RUNNING|COMPLETED'
in_sandbox carnot on >/dev/null

# ---- in the dip

ok "the job runs in the dip" wait_state $((dip + 20 - $(date +%s))) "$patient" RUNNING
between "having started in it" $(($(begin_epoch "$patient") - dip)) 0 59

# ---- a forecast that changes, and people who override

trace "$T/carbon.csv" -600:400 200:100 260:400
sleep 4
first=$(submit -t 1 --carbon-delay=5m --wrap 'sleep 1')
second=$(submit -t 1 --carbon-delay=5m --wrap 'sleep 1')
third=$(submit -t 1 --carbon-delay=5m --wrap 'sleep 1')
dip=$((TRACE_NOW + 200))
ok "three jobs wait for the new dip" begins_between "$third" "$dip" $((dip + 60))
later=$((TRACE_NOW + 290))
in_sandbox scontrol update jobid="$second" StartTime="$(date -d "@$later" +%FT%T)"
is "an operator moves one" "$(begin_epoch "$second")" "$later"
ok "a user gives up the wait of another" in_sandbox carnot now "$third"
ok "which then starts" wait_state 5 "$third" 'RUNNING|COMPLETED'
trace "$T/carbon.csv" -600:400 60:50 120:400
dip=$((TRACE_NOW + 60))
ok "the dip comes nearer and the waiting job moves with it" wait_for 30 begins_between "$first" "$dip" $((dip + 60))
is "the operator's word stands" "$(begin_epoch "$second")" "$later"

done_testing
