#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Carnot's joules while jobs run: watts of the node in scontrol, joules of each step in sstat, two jobs on one node. Then
# carnotd hangs, dies and comes back, and neither slurmd nor a job notices. Needs no slurmdbd.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

cat >"$T/slurm.conf" <<'CONF'
AcctGatherEnergyType=acct_gather_energy/carnot
AcctGatherNodeFreq=2
JobAcctGatherFrequency=task=1,energy=1
PrologFlags=Alloc,Contain
CONF
sandbox_up sb --nodes 1 --slurm "$T/slurm.conf"
spin="sh -c 'while :; do :; done'"

# ---- the node

node_watts() { in_sandbox scontrol show node n1 | sed -n 's/.*CurrentWatts=\([0-9]*\) .*/\1/p'; }
has_watts() { [[ $(node_watts) -gt 0 ]]; }
ok "scontrol show node has watts" wait_for 20 has_watts
between "2 W for each idle CPU, and what else this machine does" "$(node_watts)" 2 40

# ---- two jobs

# By carnotd's own records: joules, rounded down.
logged() { energy_by_job n1 | awk -v id="$1" '$1 == id { printf "%d\n", $2 / 1000000 }'; }
sstat_j() { in_sandbox sstat -nP -a -j "$1" -o jobid,consumedenergyraw | sed -n "s/^$1\.$2|//p"; }
grown() { [[ $(sstat_j "$third" extern) -gt $1 ]]; }

busy=$(submit -n1 --wrap "timeout 12 $spin; true")
idle=$(submit -n1 --wrap 'sleep 14')
ok "both run" wait_state 20 "$idle" RUNNING
ok "on one node" test "$(job "$busy" NodeList)$(job "$idle" NodeList)" = n1n1
running() { [[ $(sstat_j "$busy" batch) -gt 20 && $(sstat_j "$idle" batch) -gt 2 ]]; }
ok "sstat has joules of both while they run" wait_for 20 running
before=$(sstat_j "$busy" extern)
sleep 2
after=$(sstat_j "$busy" extern)
ok "and they grow ($before, then $after)" test "$after" -gt "$before"
ok "by no more than the node can draw" test "$((after - before))" -lt 200
# a record may be 2 s old, and sstat's value 1 s: a busy CPU uses 10 J/s
between "as carnotd's records have it" "$after" "$(($(logged "$busy") - 10))" "$(($(logged "$busy") + 40))"
if [[ $(in_sandbox scontrol show config) =~ proctrack/cgroup ]]; then
    ok "the busy job uses more than the one that sleeps" test "$after" -gt "$(sstat_j "$idle" extern)"
else
    skip "the busy job uses more than the one that sleeps" "cgroups cannot be used here"
fi
ok "both end" wait_for 60 queue_empty
ok "well" test "$(job "$busy" JobState) $(job "$idle" JobState)" = "COMPLETED COMPLETED"

# ---- carnotd is away, hangs, and comes back

third=$(submit -n1 --wrap "timeout 40 $spin; true")
ok "a job with joules" wait_for 20 grown 10
carnotd=$(cut -d' ' -f1 "$SB/pids/carnotd-n1")
kill -STOP "$carnotd"
began=$(date +%s%N)
in_sandbox scontrol show node n1 >/dev/null
in_sandbox sstat -nP -a -j "$third" -o jobid >/dev/null
between "carnotd hangs: sstat answers all the same (ms)" $((($(date +%s%N) - began) / 1000000)) 0 3000
held=$(sstat_j "$third" extern)
ok "with the last value" test "$held" -gt 10
ok "and jobs start and end" in_sandbox srun -n1 -t1 true
ok "the node stays up" in_sandbox scontrol ping
kill -CONT "$carnotd"
ok "carnotd goes on, and the joules with it" wait_for 30 grown "$held"
held=$(sstat_j "$third" extern)
ok "carnotd dies" "$SANDBOX" kill "$SB" carnotd-n1
sleep 2
ok "the last value stays" test "$(sstat_j "$third" extern)" -ge "$held"
ok "carnotd starts again" "$SANDBOX" restart "$SB" carnotd-n1
ok "and the sum goes on from there" wait_for 30 grown "$held"
ok "the job ends" wait_for 60 queue_empty
is "its energy closes to the microjoule" "$(broken_records n1)" ""
is "no slurmd was lost" "$(in_sandbox sinfo -h -N -p batch -o %T)" idle
is "and nothing was wrong in its log" "$(grep -E 'error:.*(carnot|acct_gather|nergy)' "$SB/log/slurmd-n1.log")" ""

done_testing
