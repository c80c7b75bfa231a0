#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Pausing a job that checkpoints (--carbon-requeue): it runs in the first green piece, is requeued while the grid is
# dirty, keeps its id, goes on in the second green piece, and ends once, with the work of one run. A job without the flag
# runs through. Carnot is killed while the job stands still, and what others do to such a job ends the pausing. One that
# queues while the grid is dirty does not take the CPUs that others have given back.
#
# An hour of the rule is 20 s here, four slots: so a job of more than two minutes is a long one, and a week an hour.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

"$SANDBOX" default-config | sed 's/^  max_delay: .*/&\n  requeue_min_run: 5s\n  requeue_cost: 2s\n  stagger: 0/' >"$T/carnot.yaml"
# Time to checkpoint between SIGTERM and SIGKILL.
echo KillWait=20 >"$T/slurm.extra"
trace "$T/carbon.csv" -600:400
sandbox_up sb --nodes 2 --carbon "$T/carbon.csv" --carnot "$T/carnot.yaml" --slurm "$T/slurm.extra"
# Three minutes of work do not fit into one green piece: it takes both. Most of what lies ahead is green, so that all the
# work of a week would fit there: 100 is the site's threshold.
trace "$T/carbon.csv" -600:400 0:100 45:400 105:100 305:400 500:100
readonly DIRTY=$((TRACE_NOW + 45)) GREEN=$((TRACE_NOW + 105)) END=$((TRACE_NOW + 305))

# 45 steps of a second. A checkpoint costs three: a job that were killed in it would do them again.
cat >"$T/steps.sh" <<'SCRIPT'
#!/bin/bash
#CARNOT carbon-delay=4m carbon-requeue
step=$(cat step 2>/dev/null || echo 0)
echo "begin $step $SLURM_JOB_ID $SLURM_RESTART_COUNT $(date +%s)" >>log
checkpoint() {
    sleep 3
    echo "$step" >step
    echo "term $step $SLURM_JOB_ID $(date +%s)" >>log
    exit 0
}
trap checkpoint TERM
while ((step < 45)); do
    sleep 1
    step=$((step + 1))
done
echo "end $step $SLURM_JOB_ID $(date +%s)" >>log
SCRIPT

# work DIR [OPTION...]: submits it there.
work() {
    mkdir -p "$SB/$1" && in_sandbox sbatch --parsable -t 3 -n1 -D "$SB/$1" -o /dev/null "${@:2}" "$T/steps.sh" 2>"$T/sbatch.err"
}
log() { cat "$SB/$1/log"; }
said() { grep -c "^$2 " "$SB/$1/log" 2>/dev/null; }
runs() { in_sandbox carnot jobs -j "$1" --json | jq -c "[.[] | select(.job_id == $1)] | sort_by(.restart)"; }
why() { in_sandbox carnot why "$1"; }
says_why() { why "$1" | grep -q "$2"; }
event() { jq -c "select(.ev == \"$1\" and .job == $2)" "$SB/log/events.jsonl"; }
sleep 2

# ---- where it can do nothing, it says so

err=$(CARNOT_QUIET=0 in_sandbox sbatch --carbon-requeue -t 1 -o /dev/null --hold --wrap true 2>&1 >/dev/null)
like "without an allowance" "$err" '--carbon-requeue does nothing here: .*--carbon-delay'
err=$(CARNOT_QUIET=0 in_sandbox sbatch --carbon-requeue --no-requeue --carbon-delay=5m -t 1 -o /dev/null --hold --wrap true 2>&1 >/dev/null)
like "with --no-requeue" "$err" '--no-requeue forbids it'
err=$(CARNOT_QUIET=0 in_sandbox srun --carbon-requeue -t 1 true 2>&1 >/dev/null)
like "in srun" "$err" 'only a batch job'
in_sandbox scancel -u root

# ---- two pieces

mkdir -p "$SB/plain"
sed 's/ carbon-requeue$//' "$T/steps.sh" >"$T/through.sh"
id=$(work paused)
plain=$(in_sandbox sbatch --parsable -t 3 -n1 -D "$SB/plain" -o /dev/null --carbon-policy=asap "$T/through.sh")
freed=$(work freed --carbon-delay=3m)
in_sandbox sbatch -t 1 -n5 -o /dev/null --carbon-policy=asap --wrap "sleep 65" >/dev/null # until the grid is dirty
turn=$(work turn -n6 -t 5) # likely to be long, after the second that srun has run
like "it is noted" "$(job "$id" AdminComment)" ',requeue=0'
ok "it starts in the first green piece" wait_for 15 test -s "$SB/paused/log"
between "at once" $(($(date +%s) - TRACE_NOW)) 0 40
ok "why says what may come" wait_for 10 says_why "$id" 'Carnot may pause it'
wait_for 20 says_why "$freed" 'Carnot may pause it'
like "a user ends the pausing of another" "$(in_sandbox carnot now "$freed")" "not paused any more"
ok "it runs on until the grid is dirty" wait_state 5 "$id" RUNNING
is "another one has too few CPUs" "$(job "$turn" JobState)" PENDING
sleep $((DIRTY - $(date +%s) > 0 ? DIRTY - $(date +%s) : 0))
ok "then Slurm queues it again" wait_state 15 "$id" PENDING
is "once" "$(job "$id" Restarts)" 1
ok "the script has had the time for a checkpoint" wait_for 15 test -s "$SB/paused/step"
begins_green() { local at; at=$(job_epoch "${1:-$id}" StartTime) && ((at >= GREEN && at < GREEN + 10)); }
ok "nor does the one that queues take the CPUs of others before" wait_for 10 begins_green "$turn"
ok "it is to go on in the next green piece" wait_for 15 begins_green
ok "why says so" wait_for 5 says_why "$id" 'is paused until .* for a greener grid, .* at the latest'
is "it is in the log, with what it saves" "$(event job.pause "$id" | jq -r '"\(.code) \(.saves_g > 0)"')" "GREENER_LATER true"
"$SANDBOX" kill "$SB" carnotctld >&2
sleep 2
"$SANDBOX" restart "$SB" carnotctld >&2
ok "a kill -9 of carnotctld changes nothing of it" wait_for 15 begins_green
latest=$(in_sandbox carnot jobs -j "$id" --json | jq -r 'max_by(.restart).latest | fromdate')
between "its bound is what was left of four minutes" $((latest - DIRTY)) 225 245

ok "it goes on" wait_state $((GREEN + 25 - $(date +%s))) "$id" RUNNING
ok "and ends" wait_state $((END - $(date +%s))) "$id" COMPLETED
sleep 3
is "in two runs of one id" "$(log paused | awk '{ print $1, $3 }' | tr '\n' ' ')" "begin $id term $id begin $id end $id "
is "that have done the work once" "$(log paused | tail -n 1 | cut -d' ' -f1,2)" "end 45"
is "the second began where the first had stopped" "$(log paused | sed -n 3p | cut -d' ' -f2)" "$(log paused | sed -n 2p | cut -d' ' -f2)"
between "in the second green piece" "$(($(log paused | sed -n 3p | cut -d' ' -f5) - GREEN))" 0 20
between "not past its bound" "$(log paused | sed -n 3p | cut -d' ' -f5)" "$GREEN" "$latest"
is "Carnot requeued it once" "$(event job.pause "$id" | wc -l)" 1
is "the other one began when it was green, too" "$(($(sed -n 1p "$SB/turn/log" | cut -d' ' -f5) >= GREEN)) $(said turn begin)" "1 1"
is "and missed no promise" "$(jq -c 'select(.ev == "promise.missed")' "$SB/log/events.jsonl")" ""

# ---- those that are left alone

is "a job without the flag ran through" "$(job "$plain" JobState) $(job "$plain" Restarts) $(said plain begin) $(said plain term)" "COMPLETED 0 1 0"
is "so did one of which the user said now" "$(job "$freed" JobState) $(job "$freed" Restarts) $(said freed begin)" "COMPLETED 0 1"

# ---- what it used

settled() { says 'all(.energy_j != null and .end != null)' in_sandbox carnot jobs -j "$id" --json; }
ok "both runs are accounted for" wait_for 30 settled
ok "all records have come" wait_for 20 all_reported n1 n2
is "each run has a row" "$(runs "$id" | jq -c '[.[] | [.restart, .state]]')" '[[0,"REQUEUED"],[1,"COMPLETED"]]'
is "their energies are those of the nodes' logs" "$(energy_in_ledger | grep "^$id ")" "$(energy_by_job n1 n2 | grep "^$id ")"
like "carnot job shows the pieces" "$(in_sandbox carnot job "$id")" 'Runs: '

done_testing
