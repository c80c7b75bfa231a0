#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A day of mixed jobs, made short: arrays, heterogeneous and dependent jobs, with flags and without, failing, cancelled,
# requeued, suspended, from sbatch, salloc and srun, tests and refusals between them (300 submissions; CARNOT_DAY=5000 for
# the long run). Slurm's log has no error that names Carnot, and squeue, scontrol, Slurm's own record of completed jobs
# and `carnot jobs` agree on every job: its state, its start and its end.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox
readonly DAY=${CARNOT_DAY:-300}
readonly SHELLS=4

# Slurm remembers all jobs of the day, and writes each down when it ends.
cat >"$T/slurm.conf" <<CONF
MinJobAge=86400
MaxJobCount=50000
JobCompType=jobcomp/filetxt
JobCompLoc="$T/jobcomp"
CONF
trace "$T/carbon.csv" -600:400 40:150 55:380 80:200 95:420 3600:300
sandbox_up sb --nodes 6 --carbon "$T/carbon.csv" --slurm "$T/slurm.conf"
in_sandbox carnot budget set account acc --energy 1GJ --period month >&2
sleep 3

# ---- the day

# later SECONDS COMMAND...: does something to a job that runs, and does not mind if it has ended before.
later() {
    sleep "$1"
    in_sandbox "${@:2}"
}
# A run that is over before Carnot has asked for a list is not known to it. Slurm would begin the second one in two
# minutes.
known_to_run() {
    says 'any(.state == "RUNNING")' in_sandbox carnot jobs -j "$1" --json
}
requeue() {
    wait_for 60 known_to_run "$1" && in_sandbox scontrol requeue "$1" && wait_state 30 "$1" PENDING &&
        wait_for 30 in_sandbox scontrol update jobid="$1" StartTime=now
}
suspend() {
    wait_state 30 "$1" RUNNING && in_sandbox scontrol suspend "$1" && later 1 scontrol resume "$1"
}

# one N: the Nth submission; what follows on it goes on in the background.
# shellcheck disable=SC2016
one() {
    local id
    case $(($1 % 24)) in
    0 | 12 | 18) submit -A acc -t1 --wrap true ;;
    1) submit -t1 -N2 --wrap 'srun true' ;;
    2) submit -A acc -t1 --carbon-delay=1m --wrap true ;;
    3) submit -t1 --array=1-4 --wrap true ;;
    4) submit -A acc -t1 --array=1-6%2 --carbon-delay=30s --carbon-policy=greenest --wrap true ;;
    5) submit -A acc -t1 --wrap 'exit 3' ;;
    6) in_sandbox scancel "$(submit -A acc -t1 --carbon-delay=10m --wrap true)" ;;
    7) later 1 scancel "$(submit -t1 --wrap 'sleep 20')" & ;;
    8) requeue "$(submit -A acc -t1 --wrap '[ "${SLURM_RESTART_COUNT:-0}" -gt 0 ] || sleep 55')" & ;;
    9) submit -A acc -t1 -n1 : -t1 -n2 --wrap true ;;
    10) in_sandbox salloc -t1 -n1 true & ;;
    11) in_sandbox srun -t1 -n2 true & ;;
    13) in_sandbox srun -A acc -t1 --carbon-run=day true & ;;
    14) in_sandbox sbatch --test-only -A acc -t1 --wrap true ;;
    15) in_sandbox sbatch -p nope -A acc -t1 --wrap true ;;
    16) submit -t1 -d "afterany:$(submit -t1 --wrap true)" --wrap true ;;
    17) submit -A acc -t1 --exclusive --carbon-delay=1m --wrap 'exit 1' ;;
    19) submit -A acc -t1 --energy-budget=1J --budget-action=term --wrap 'sleep 20' ;;
    20) suspend "$(submit -t1 --wrap 'sleep 6')" & ;;
    21)
        id=$(submit -A acc -t1 --hold --wrap true)
        in_sandbox scontrol release "$id"
        ;;
    22) submit -t1 -c 2 --begin=now+5 --wrap 'srun true' ;;
    23) later 0 scancel "$(submit -t1 --array=1-3 --wrap 'sleep 5')_2" & ;;
    esac
}
# Every SHELLSth submission, from $1 on.
shell() {
    local n
    for ((n = $1; n < DAY; n += SHELLS)); do one "$n"; done
    wait
}
began=$SECONDS
shells=()
for ((i = 0; i < SHELLS; i++)); do
    shell "$i" >"$T/said.$i" 2>&1 &
    shells+=($!)
done
wait "${shells[@]}"
ok "all jobs end" wait_for $((120 + DAY / 10)) queue_empty
diag "$DAY submissions, $((SECONDS - began)) s"
carnot_jobs() {
    in_sandbox carnot jobs --json
}
carnot_done() {
    says 'all(.end != null)' carnot_jobs
}
ok "also for Carnot" wait_for 30 carnot_done

# ---- what each says: ID STATE START END, one line a job, times in seconds, - for none

# epoch: the third and fourth column as seconds.
epoch() {
    perl -MPOSIX=mktime -ane '
        for (@F[2, 3]) { $_ = /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/ ? mktime($6, $5, $4, $3, $2 - 1, $1 - 1900, 0, 0, -1) : "-" }
        print "@F[0 .. 3]\n"' | sort -n
}
in_sandbox squeue -h -t all -o '%A %T %S %e' | epoch >"$T/squeue"
fields() {
    sed -nE 's/^JobId=([0-9]+) .* JobState=([A-Z_]+) .*StartTime=([^ ]+) EndTime=([^ ]+) .*/\1 \2 \3 \4/p' "$@" | epoch
}
in_sandbox scontrol show job -o --all | fields >"$T/scontrol"
fields "$T/jobcomp" >"$T/completed"
in_sandbox scontrol show job -o --all | sed -nE 's/^JobId=([0-9]+) (.* )?HetJobId=.*/\1/p' | sort >"$T/het"
# The newest run of each job; times are UTC there.
carnot_jobs >"$T/carnot.json"
jq -r 'group_by(.job_id)[] | max_by(.restart) | "\(.job_id) \(.state) \(.start // "-") \(.end // "-")"' "$T/carnot.json" |
    TZ=UTC epoch >"$T/carnot"

# differ A B: where two of them differ: in a job, in a state, or by more than a second. Slurm says that a job which was
# cancelled while it was pending started then; Carnot says that it never did.
differ() {
    join -a 1 -a 2 -e missing -o 0,1.2,1.3,1.4,2.2,2.3,2.4 <(sort -k1,1 "$1") <(sort -k1,1 "$2") |
        awk '$2 == "CANCELLED" && $3 == $4 && $6 == "-" { $3 = "-" }
            $2 != $5 || $3 - $6 > 1 || $6 - $3 > 1 || $4 - $7 > 1 || $7 - $4 > 1'
}
# All that Carnot says of a job on which they differ.
# Also of one that was requeued, and is not known to have begun before.
for id in $({
    differ "$T/scontrol" "$T/carnot" | cut -d' ' -f1
    jq -r '.[] | select(.state == "REQUEUED" and .start == null) | .job_id' "$T/carnot.json"
} | head -n 5); do
    diag "$(jq -c --arg id "$id" '.[] | select("\(.job_id)" == $id)' "$T/carnot.json")"
done
between "there were many jobs" "$(wc -l <"$T/squeue")" "$DAY" 100000
is "squeue and carnot jobs agree on all" "$(differ "$T/squeue" "$T/carnot")" ""
is "scontrol and carnot jobs agree on all" "$(differ "$T/scontrol" "$T/carnot")" ""
# Slurm writes a line for each run there; PENDING is what it calls one that was requeued.
grep -v ' PENDING ' "$T/completed" >"$T/completed.last"
is "so does Slurm's record of completed jobs" "$(differ "$T/completed.last" "$T/carnot")" ""
# Also a heterogeneous job that it started, and took back since one component found no nodes: that was no run.
is "requeued runs began when it says" \
    "$(awk '$2 == "PENDING" { print $1, $3 }' "$T/completed" | sort | join -v 1 - "$T/het")" \
    "$(jq -r '.[] | select(.state == "REQUEUED") | "\(.job_id) \(.start // "" | fromdate? // "-")"' "$T/carnot.json" | sort)"
for state in COMPLETED FAILED CANCELLED; do
    between "some are $state" "$(grep -c " $state " "$T/carnot")" 3 100000
done
between "some had been requeued" "$(jq '[.[] | select(.state == "REQUEUED")] | length' "$T/carnot.json")" 1 100000
is "a run that was requeued ended before the next began" \
    "$(jq -c 'group_by(.job_id)[] | sort_by(.restart) | . as $r | range(1; length) |
        select($r[. - 1].end > ($r[.].start // "9") or $r[. - 1].state != "REQUEUED") | $r[.].job_id' "$T/carnot.json")" ""

ok "all records arrive" wait_for 60 all_reported n1 n2 n3 n4 n5 n6
ok "nothing stays reserved" wait_for 60 nothing_reserved
# The path of the sandbox names it, and slurmstepd logs as an error what a job is told.
is "no error of Slurm names Carnot" \
    "$(sed 's:/tmp/carnot-::g' "$SB"/log/slurmctld.log "$SB"/log/slurmd-*.log | grep -i 'error:.*carnot' |
        grep -v 'this job has used .* of its energy budget')" ""
is "nor has carnotctld any" "$(grep -E '\[(err|error|crit)[a-z]*\]' "$SB/log/carnotctld.out")" ""
is "no daemon has ended" "$("$SANDBOX" status "$SB" | grep -c 'does not run')" 0

done_testing
