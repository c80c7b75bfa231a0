#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 500 jobs that may wait, and a forecast that changes twice: they do not all fall into one dip; a dip that comes earlier
# moves them forward, one that comes later moves them back, none past its latest start; slurmctld is asked for it gently.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox
readonly JOBS=${CARNOT_HERD:-500}

trace "$T/carbon.csv" -600:400 600:100 900:400
sandbox_up sb --nodes 4 --carbon "$T/carbon.csv"

# ---- the herd

submit_many() {
    for ((i = 0; i < JOBS / 4; i++)); do
        in_sandbox sbatch --parsable -o /dev/null -N1 -n1 -t1 --carbon-delay=20m --wrap true
    done
}
for part in 1 2 3 4; do submit_many >"$T/ids.$part" & done
wait
is "$JOBS jobs are accepted" "$(cat "$T"/ids.* | grep -c '^[0-9]*$')" "$JOBS"

# waiting: "BEGIN LATEST" of each job that waits because of Carnot, by Slurm (which does not know of one that may begin now)
# and by its note.
waiting() {
    in_sandbox scontrol show job -o | grep 'JobState=PENDING .*code=GREENER_LATER' |
        sed -n 's/.* StartTime=\([^ ]*\) .*[:,]latest=\([0-9]*\),.*/\1 \2/p' | while read -r begin latest; do
        [[ $begin = Unknown ]] || echo "$(date -d "$begin" +%s) $latest"
    done
}
waiting >"$T/before"
# A CPU takes five jobs of a minute's limit in the five minutes of the dip, and some may end behind it; where there is no
# room it is Slurm's queue that decides.
cpus=$(in_sandbox sinfo -h -p batch -o %C | cut -d/ -f4)
between "as many wait for the dip as fit into it" "$(wc -l <"$T/before")" $((cpus * 4)) $((cpus * 8))
between "not in one second" "$(cut -d' ' -f1 "$T/before" | sort -u | wc -l)" 20 "$JOBS"
# No moment of the plan has more jobs than the cluster has CPUs.
busiest() {
    awk '{ for (t = 0; t < 60; t += 5) n[int($1 / 5) * 5 + t]++ } END { for (t in n) if (n[t] > m) m = n[t]; print m }' "$1"
}
between "and never more at once than there are CPUs" "$(busiest "$T/before")" 1 $((cpus + 4))

# ---- earlier, then later

# settled: no move is left to be ordered, and Slurm's list has been read since.
settled() {
    says '.moves == null and .slurm.listed_age_s < 3' in_sandbox carnot status --json
}
mean_begin() { awk '{ sum += $1 } END { printf "%d", sum / NR }' "$1"; }
past_latest() { awk '$1 > $2' "$1"; }

began=$TRACE_NOW
moves_before=$(grep -c '"job.move"' "$SB/log/events.jsonl")
in_sandbox sdiag -r >/dev/null
trace "$T/carbon.csv" -600:400 $((300 + began - $(date +%s))):100 $((600 + began - $(date +%s))):400
ok "a dip that comes five minutes earlier is seen" wait_for 30 grep -q '"job.move"' "$SB/log/events.jsonl"
seconds=$SECONDS
ok "and all moves are made" wait_for 120 settled
sleep 3
settling=$((SECONDS - seconds))
waiting >"$T/earlier"
between "jobs begin earlier, on average by" "$(($(mean_begin "$T/before") - $(mean_begin "$T/earlier")))" 60 600
is "none past its latest start" "$(past_latest "$T/earlier")" ""
moves=$(($(grep -c '"job.move"' "$SB/log/events.jsonl") - moves_before))
between "at most fifty moves a second" $((moves / (settling > 0 ? settling : 1))) 0 50
# Slurm's own count of what it spent on changes of jobs, in microseconds.
spent=$(in_sandbox sdiag | sed -n 's/.*REQUEST_UPDATE_JOB .*total_time:\([0-9]*\).*/\1/p')
diag "$moves moves in $settling s; slurmctld spent ${spent:-?} us on them"
like "slurmctld says what it spent on them" "$spent" '^[1-9][0-9]*$'
between "at most 2 % of its time, in per mille" $((${spent:-999999999} / 1000 / (settling > 0 ? settling : 1))) 0 20

trace "$T/carbon.csv" -600:400 $((780 + began - $(date +%s))):100 $((1080 + began - $(date +%s))):400
later() {
    waiting >"$T/later"
    settled && (($(mean_begin "$T/later") > $(mean_begin "$T/earlier") + 60))
}
ok "a dip that comes later moves them back" wait_for 120 later
is "none past its latest start" "$(past_latest "$T/later")" ""
says_lambda=$(in_sandbox carnot status --json | jq -c .lambda.target_wait_s)
is "lambda is not steered where no wait is named" "$says_lambda" null
is "no error names Carnot" "$(grep 'error: carnot' "$SB/log/slurmctld.log")" ""

in_sandbox scancel -u root
done_testing
