#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What users and operators do to slurmctld while Carnot's plugin is in it: updates that are accepted and updates that are
# refused, and reconfigurations in the middle of submissions. slurmctld stays up, and nothing is lost.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

trace "$T/carbon.csv" -600:400 600:100 1200:400
sandbox_up sb --nodes 2 --carbon "$T/carbon.csv"
in_sandbox carnot budget set account acc --energy 10MJ --period month >&2
sleep 3
pid=$(cut -d' ' -f1 "$SB/pids/slurmctld")

# ---- updates by the job's owner, by another user and by an operator

id=$(as games sbatch --parsable -o /dev/null -A acc -t 10 --carbon-delay=30m --wrap true)
ok "a job waits" waits_for "$id" BeginTime
note=$(job "$id" AdminComment)
update() {
    as "$1" scontrol update jobid="$id" "${@:2}"
}
ok "its owner may comment on it" update games Comment=hello
is "and has" "$(job "$id" Comment)" hello
# where there are budgets, once a board shows the job
ok "shorten it" wait_for 10 update games TimeLimit=5
is "and has" "$(job "$id" TimeLimit)" 00:05:00
# Slurm 24.11 and 26.05 answer EAGAIN while they schedule, with or without Carnot.
ok "name another partition" wait_for 20 update games Partition=debug
is "and has" "$(job "$id" Partition)" debug
ok "take a time that begins later" update games StartTime=now+1hour
long=$(printf '%01000d' 0)
ok "write a long comment" update games Comment="$long"
not_ok "but name no partition that is not there" update games Partition=nope
not_ok "nor a longer time than the partition has" update games TimeLimit=2-00
not_ok "nor write the note that Carnot reads" update games AdminComment='carnot:v=1'
not_ok "another user may do nothing to it" update www-data TimeLimit=1
not_ok "a job that is not there cannot be changed" as games scontrol update jobid=$((id + 999)) TimeLimit=1
not_ok "nor a time that is none" update games StartTime=soon
is "the note is what it was" "$(job "$id" AdminComment)" "$note"
ok "an operator may do more" update root TimeLimit=20
is "and has" "$(job "$id" TimeLimit)" 00:20:00

# three waves of three minutes, which the dip holds
array=$(as games sbatch --parsable -o /dev/null -t 3 --array=1-5%2 --carbon-delay=30m --wrap true)
# as above
ok "an array is changed as a whole" wait_for 10 as games scontrol update jobid="$array" TimeLimit=2
ok "and in one task" as games scontrol update jobid="${array}_3" TimeLimit=1
not_ok "not in a task that is not there" as games scontrol update jobid="${array}_77" TimeLimit=4
is "slurmctld is the process that it was" "$("$SANDBOX" status "$SB" | sed -nE 's/^slurmctld +runs, pid //p')" "$pid"
in_sandbox scancel -u games

# ---- reconfigured while jobs are submitted

submissions() {
    local i
    for ((i = 0; i < 25; i++)); do
        in_sandbox sbatch --parsable -o /dev/null -A acc -t 1 --carbon-delay=30m --wrap true || echo refused
    done
}
submissions >"$T/ids.1" 2>"$T/err.1" &
shells=($!)
submissions >"$T/ids.2" 2>"$T/err.2" &
shells+=($!)
for _ in 1 2 3; do
    sleep 1
    ok "reconfigured" in_sandbox scontrol reconfigure
done
wait "${shells[@]}"
ok "slurmctld answers" in_sandbox scontrol ping
is "every submission was accepted" "$(cat "$T"/ids.* | grep -cE '^[0-9]+$')" 50
# Why not: in sbatch's words.
if grep -q refused "$T"/ids.*; then diag "$(grep -v 'waits until' "$T"/err.*)"; fi
is "every job is in the list" "$(in_sandbox squeue -h -A acc -o %i | wc -l)" 50
# Slurm gives a reason when its scheduler looks at the job.
each_waits() { [[ $(in_sandbox squeue -h -A acc -o %r | sort -u) = BeginTime ]]; }
ok "and each waits" wait_for 10 each_waits
ok "Carnot knows them all" wait_for 15 sh -c \
    "[ \"\$('$SANDBOX' exec '$SB' -- carnot jobs --json | jq '[.[] | select(.account == \"acc\" and .state == \"PENDING\")] | length')\" = 50 ]"
ok "the plugin decides after it" waits_for "$(submit -A acc -t 1 --carbon-delay=30m --wrap true)" BeginTime
is "no error names Carnot" "$(grep 'error: carnot' "$SB/log/slurmctld.log")" ""
in_sandbox scancel -A acc

done_testing
