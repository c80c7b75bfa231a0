#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Carnot's joules in Slurm's own accounting: two jobs share a node, one busy and one asleep, the busy one in steps that
# run side by side. sacct, sreport and `carnot jobs` agree within one sampling interval of the node; steps add up to their
# job; jobs, idle and system are the node. 0146-gather-live is what needs no slurmdbd.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox
need_dbd

cat >"$T/slurm.conf" <<'CONF'
AcctGatherEnergyType=acct_gather_energy/carnot
AcctGatherNodeFreq=2
JobAcctGatherFrequency=task=1,energy=1
PrologFlags=Alloc,Contain
CONF
sandbox_up sb --dbd --nodes 1 --slurm "$T/slurm.conf"
spin="sh -c 'while :; do :; done'"
# The node is read once a second (node.interval); one busy CPU uses 10 J in that time, one that is held 2 J.
readonly BUSY_J=10 HELD_J=2

# ---- two jobs

# By carnotd's own records, rounded down, a job or the whole node: joules.
logged() { energy_by_job n1 | awk -v id="$1" '$1 == id { printf "%d\n", $2 / 1000000 }'; }
sacct_j() { in_sandbox sacct -nPX -j "$1" -o consumedenergyraw; }
step_j() { in_sandbox sacct -nP -j "$1" -o jobidraw,consumedenergyraw | sed -n "s/^$1\.$2|//p"; }
jobs_j() { in_sandbox carnot jobs --json | jq "[.[] | select(.job_id == $1) | .energy_j] | add | floor"; }

busy=$(submit -n2 --wrap "srun -n1 --exact --mem=0 timeout 16 $spin & sleep 1; srun -n1 --exact --mem=0 sleep 6 & wait; true")
idle=$(submit -n1 --wrap 'sleep 18')
ok "both run" wait_state 20 "$idle" RUNNING
ok "on one node" test "$(job "$busy" NodeList)$(job "$idle" NodeList)" = n1n1
ok "both end" wait_for 60 queue_empty
ok "well" test "$(job "$busy" JobState) $(job "$idle" JobState)" = "COMPLETED COMPLETED"

settled() { [[ $(sacct_j "$1") -gt 0 && $(jobs_j "$1") -eq $(logged "$1") ]]; }
# sacct_is ID JOULES: the two agree but for what the job uses in one interval.
sacct_is() {
    between "sacct has the same of job $1 within an interval" "$(sacct_j "$1")" \
        $(($(jobs_j "$1") - $2)) $(($(jobs_j "$1") + $2))
}
for id in "$busy" "$idle"; do
    wait_for 30 settled "$id"
    is "carnot jobs has what the node's records say of $id" "$(jobs_j "$id")" "$(logged "$id")"
    is "its extern step stands for job $id" "$(step_j "$id" extern)" "$(sacct_j "$id")"
done
sacct_is "$busy" $((2 * BUSY_J))
sacct_is "$idle" $((2 * HELD_J))
sum=$(($(step_j "$busy" 0) + $(step_j "$busy" 1) + $(step_j "$busy" batch)))
between "the steps of job $busy add up to it" "$sum" $(($(sacct_j "$busy") - 2 * BUSY_J)) "$(sacct_j "$busy")"
if [[ $(in_sandbox scontrol show config) =~ proctrack/cgroup ]]; then
    ok "its busy step used more than the one beside it that slept" \
        test "$(step_j "$busy" 0)" -gt "$((4 * $(step_j "$busy" 1)))"
    ok "the busy job used more than the one that slept" test "$(sacct_j "$busy")" -gt "$((2 * $(sacct_j "$idle")))"
else
    skip "its busy step used more than the one beside it that slept" "cgroups cannot be used here"
    skip "the busy job used more than the one that slept" "cgroups cannot be used here"
fi
ok "which used the idle part of its CPU" test "$(sacct_j "$idle")" -gt 10
is "jobs, idle and system are the node, to the microjoule" "$(broken_records n1)" ""

# ---- sreport: by account, of the hour that runs, which slurmdbd is told to sum up now

hour=$(date +%FT%H:00:00)
hour_end=$(date -d "@$(($(date -d "$hour" +%s) + 3600))" +%FT%T)
in_sandbox sacctmgr -i rollup "$hour" "$hour_end" >/dev/null 2>&1
sreport_j() {
    # in seconds: any other unit divides joules as well
    in_sandbox sreport -nP -t seconds --tres=energy cluster AccountUtilizationByUser "start=$hour" "end=$hour_end" \
        format=account,login,tresname,used | sed -n 's/^root|root|energy|//p'
}
sreport_has() { [[ -n $(sreport_j) ]]; }
both=$(($(sacct_j "$busy") + $(sacct_j "$idle")))
if [[ $(job_epoch "$busy" StartTime) -lt $(date -d "$hour" +%s) ]]; then
    skip "sreport has the joules of both jobs" "the hour has changed meanwhile"
else
    wait_for 20 sreport_has
    is "sreport has the joules of both jobs" "$(sreport_j)" "$both"
fi

done_testing
