#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What becomes of a job after its submission: changes that would take more from a budget than is left, waits that are
# given up, requeues, preemption, dependencies, suspension, a node that fails, a maintenance ahead, runs that share one
# allowance, and the priority that a wait gives back.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

cat >"$T/slurm.extra" <<'CONF'
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PriorityWeightAge=100000
PriorityMaxAge=01:00:00
PartitionName=urgent Nodes=ALL DefaultTime=00:01:00 MaxTime=1-00 PriorityTier=10 State=UP
CONF
trace "$T/carbon.csv" -600:400 40:100 110:400 270:200 330:400
sandbox_up sb --nodes 2 --carbon "$T/carbon.csv" --slurm "$T/slurm.extra"
readonly DIP=$((TRACE_NOW + 40)) SECOND_DIP=$((TRACE_NOW + 270))

# note ID KEY: a number of the note in its AdminComment.
note() { job "$1" AdminComment | grep -oE "[:,]$2=[^, ]+" | head -n 1 | cut -d= -f2; }
begins_in() { local at; at=$(job_epoch "$1" StartTime) && ((at >= $2 && at < $3)); }
row() { in_sandbox carnot jobs --json | jq -c "[.[] | select(.job_id == $1)] | sort_by(.restart)"; }
reserved() { in_sandbox carnot budget list --json | jq -r ".[] | select(.name == \"$1\") | .reserved | floor"; }
reserves() { [[ $(reserved "$1") = "$2" ]]; }

# ---- a job that waits for the first dip and will be requeued; a node that is busy then

requeued=$(submit -t 1 -n1 --requeue --carbon-delay=6m --wrap 'sleep 300')
ok "a job waits for the dip" begins_in "$requeued" "$DIP" $((DIP + 30))
latest=$(note "$requeued" latest)

# ---- runs share one allowance; waits are given up

a=$(submit -t 1 -n1 --carbon-delay=5m --carbon-run=lm --wrap true)
sleep 6
b=$(submit -t 1 -n1 --carbon-delay=5m --carbon-run=lm --wrap true)
between "a second job of a run has the bound of the first" $(($(note "$b" latest) - $(note "$a" latest))) -2 2
ok "a wait may be given up by its owner" in_sandbox scontrol update jobid="$a" StartTime=now
ok "which starts" wait_state 10 "$a" 'RUNNING|COMPLETED'
in_sandbox scancel "$b"

# ---- changes against a budget: one CPU for ten minutes costs 6 kJ, and 10 kJ are granted

in_sandbox carnot budget set account tight --energy 10kJ --period month >&2
in_sandbox carnot budget set account empty --energy 1J --period month >&2
sleep 3
mine=$(as games sbatch --parsable -H -A tight -n1 -t 10 -o /dev/null --wrap true)
update() { as games scontrol update jobid="$mine" "$@"; }
ok "the budget holds it" wait_for 15 reserves tight 6000
sleep 2.5 # until a board has it
not_ok "a longer limit than the budget has left is refused" update TimeLimit=20
not_ok "so are more CPUs" update NumCPUs=2
not_ok "and whole nodes more" update NumNodes=2
not_ok "and an account that has less" update Account=empty
is "nothing of it is done" "$(job "$mine" TimeLimit) $(job "$mine" Account)" "00:10:00 tight"
ok "a shorter limit is not" update TimeLimit=5
ok "and gives back what it frees" wait_for 15 reserves tight 3000
sleep 2.5
ok "a longer one that fits is not either" update TimeLimit=15
ok "and is held" wait_for 15 reserves tight 9000
ok "an operator may go beyond" in_sandbox scontrol update jobid="$mine" TimeLimit=30
ok "which counts" wait_for 15 reserves tight 18000
not_ok "a job that is too new to be priced is not made larger" \
    as games bash -c 'id=$(sbatch --parsable -H -A tight -n1 -t 1 -o /dev/null --wrap true) && scontrol update jobid="$id" TimeLimit=3'
in_sandbox scancel -A tight

# ---- a maintenance ahead: over before it if started now, so not pushed across

in_sandbox scontrol create reservation reservationname=maint starttime=now+180 duration=60 flags=maint nodes=ALL user=root >&2
sleep 4
before=$(date +%s)
kept=$(submit -t 2 -n1 --carbon-delay=6m --carbon-policy=greenest --wrap 'sleep 1')
between "nobody is made to wait across a maintenance" $(($(note "$kept" latest) - before)) 0 61
in_sandbox scontrol delete reservationname=maint >&2

# ---- suspension

suspended=$(submit -t 2 -n1 -w n1 --wrap 'sleep 40')
wait_state 10 "$suspended" RUNNING
ok "a job is suspended" in_sandbox scontrol suspend "$suspended"
ok "and Carnot says so" wait_for 10 says "any(.job_id == $suspended and .state == \"SUSPENDED\")" in_sandbox carnot jobs --json
ok "it goes on" in_sandbox scontrol resume "$suspended"
in_sandbox scancel "$suspended"

# ---- requeue, by hand and by preemption

ok "the waiting job runs in the dip" wait_for $((DIP + 60 - $(date +%s))) job_in_state "$requeued" RUNNING
wait_for $((DIP + 72 - $(date +%s))) false # the dip is over
ok "it is requeued" in_sandbox scontrol requeue "$requeued"
ok "and waits for the next dip" wait_for 15 begins_in "$requeued" "$SECOND_DIP" $((SECOND_DIP + 60))
ok "not past its bound" test "$(job_epoch "$requeued" StartTime)" -le "$latest"
is "each run has a row" "$(row "$requeued" | jq length)" 2
in_sandbox scancel "$requeued"

victim=$(submit -t 5 --exclusive -N2 --requeue --wrap 'sleep 60')
wait_state 15 "$victim" RUNNING
# Else it may be over between two lists: a run that no list has shown has no row.
wait_for 15 says "any(.job_id == $victim and .restart == 0)" in_sandbox carnot jobs --json
winner=$(submit -p urgent -t 1 --exclusive -N2 --wrap 'sleep 3')
ok "a job is preempted" wait_for 20 sh -c "'$SANDBOX' exec '$SB' -- scontrol show job $victim | grep -q Restarts=1"
ok "by one that then runs" wait_state 30 "$winner" 'RUNNING|COMPLETED'
wait_state 20 "$winner" COMPLETED
ok "both of its runs are known" wait_for 10 says "[.[] | select(.job_id == $victim)] | length == 2" in_sandbox carnot jobs --json
in_sandbox scancel "$victim"

# ---- dependencies: begun near the predicted end of the parent, bounded from when they are gone

parent=$(submit -t 2 -n1 --wrap 'sleep 100')
wait_state 10 "$parent" RUNNING
child=$(submit -t 1 -n1 --carbon-delay=5m --dependency=afterany:"$parent" --wrap 'sleep 1')
depends() { [[ $(job "$child" Reason) = Dependency ]]; }
ok "a dependent job waits for its parent first" wait_for 10 depends # 26.05 says so at its next look at the queue
is "with a wait still to be planned" "$(note "$child" code)" DEP_END
planned() { local at; at=$(job_epoch "$child" StartTime) && ((at > $(date +%s) + 5)); }
ok "carnotctld gives it a begin time" wait_for 15 planned
like "carnot why tells" "$(in_sandbox carnot why "$child")" 'depends on'
in_sandbox scancel "$parent"
ok "when the parent has gone it waits for a greener time" wait_for 15 begins_in "$child" "$SECOND_DIP" $((SECOND_DIP + 60))
ok "of its own" wait_for 10 says "any(.job_id == $child and .latest != null)" in_sandbox carnot jobs --json
ok "which its owner may give up" in_sandbox carnot now "$child"
ok "and it runs" wait_state 15 "$child" 'RUNNING|COMPLETED'

# ---- priority age is given back

trace "$T/carbon.csv" -600:400 14:100 200:400
sleep 3
patient=$(submit -t 1 -n1 --carbon-delay=5m --wrap true)
# comes later, does not wait, and has all nodes when the other's wait is over
blocker=$(submit -t 5 --exclusive -N2 --wrap 'sleep 40')
wait_state 10 "$blocker" RUNNING
site_factor() { in_sandbox sprio -h -j "$patient" -o %S | tr -d ' '; }
given_back() { local f; f=$(site_factor) && [[ $f =~ ^[0-9]+$ && $f -gt 100 ]]; }
ok "a job that has waited gets its priority age back" wait_for 40 given_back
# 100000 an hour: 28 a second of the wait, which lasted ten seconds or so
between "for the time that it waited" "$(site_factor)" 100 600
in_sandbox scancel "$blocker"
ok "and runs" wait_state 30 "$patient" COMPLETED

# ---- a node that fails

lost=$(submit -t 5 -n1 -w n2 --no-requeue --wrap 'sleep 60')
wait_state 10 "$lost" RUNNING
in_sandbox scontrol update nodename=n2 state=down reason=test
ok "a job on a node that fails ends" wait_for 20 job_in_state "$lost" NODE_FAIL
ok "and is settled" wait_for 30 says "any(.job_id == $lost and .state == \"NODE_FAIL\")" in_sandbox carnot jobs --json
in_sandbox scontrol update nodename=n2 state=resume
ok "slurmctld is alive" in_sandbox scontrol ping
is "no error names Carnot" "$(grep 'error: carnot' "$SB/log/slurmctld.log")" ""
is "no promise was broken" "$(grep -c promise.missed "$SB/log/events.jsonl")" 0

done_testing
