#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kill -9 of slurmctld at random points of a storm of submissions on a budget that is always nearly used up (12 times;
# CARNOT_STORM=100 for the long run, CARNOT_STORM_SEED to have the same pauses again). The budget is never oversold, no
# job is lost that Slurm had saved, every job ends, and what it consumed is what the nodes' logs say.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox
readonly KILLS=${CARNOT_STORM:-12}
readonly SEED=${CARNOT_STORM_SEED:-$$}
RANDOM=$SEED
diag "CARNOT_STORM_SEED=$SEED"

# Ended jobs stay in Slurm's list for as long as the storm lasts.
echo "MinJobAge=$((300 + 20 * KILLS))" >"$T/slurm.conf"
sandbox_up sb --nodes 4 --slurm "$T/slurm.conf"
one=$(in_sandbox carnot place --nodes 1 --cpus-per-node 1 --time 1 --account storm --json | jq .energy_j)
set_budget() {
    in_sandbox carnot budget set account storm --energy "$(awk -v e="$one" -v n="$1" 'BEGIN { printf "%.0f", e * n }')J" \
        --period month
}
ok "a budget for ten jobs at once" set_budget 10.5
sleep 3

# ---- the storm, and who watches it

storm() {
    while [[ -e $T/storming ]]; do
        in_sandbox sbatch --parsable -o /dev/null -A storm -n1 -t1 --wrap 'sleep 1'
    done >>"$T/accepted" 2>>"$T/refused"
}

# One look: the answer if the budget is oversold, nothing if it is not.
look() {
    in_sandbox carnot budget list --json >"$T/look.$1" || echo "no answer"
    jq -r '.[] | select(.granted < .charged + .reserved) | tostring' "$T/look.$1" >"$T/bad.$1"
    if [[ -s $T/bad.$1 ]]; then
        cat "$T/bad.$1"
        in_sandbox carnot jobs --json | jq -c '.[] | select(.account == "storm")' >&2
    fi
    echo look >>"$T/looks"
}
watch_budget() {
    while [[ -e $T/watching ]]; do
        look watcher
        sleep 0.3
    done >"$T/oversold"
}

# listed FILE: which jobs Slurm has now, in a file that says when it was asked by its time.
listed() {
    in_sandbox squeue -h -t all -o %i >"$1.new" 2>/dev/null && mv "$1.new" "$1"
}
watch_jobs() {
    local n=0
    while [[ -e $T/watching ]]; do
        listed "$T/lists/$((n += 1)).list"
        sleep 0.5
    done
}

# When slurmctld began to write its jobs down for the last time: the file begins with a name, the protocol (two bytes) and
# that time, taken before it locks its jobs. When the file is there may be seconds later.
saved_at() {
    local state=$SB/state/slurmctld/job_state length
    length=$(od -An -t u4 --endian=big -N 4 "$state") && od -An -t d8 --endian=big -j $((4 + length + 2)) -N 8 "$state"
} 2>/dev/null

# The jobs of this slurmctld's life that a list had before that. A job that a kill took before it was written is Slurm's
# loss, so the lists of earlier lives do not count.
saved_jobs() {
    local at
    at=$(saved_at) || return 0
    find "$T/lists" -name '*.list' ! -newermt "@$((at))" -exec cat {} + | sort -u
}

mkdir "$T/lists"
touch "$T/storming" "$T/watching"
watch_budget &
watchers=($!)
watch_jobs &
watchers+=($!)
shells=()
for _ in 1 2 3; do
    storm &
    shells+=($!)
done

# ---- the kills

# answered N: slurmctld has accepted or refused N submissions.
answered() {
    [[ $(cat "$T/accepted" "$T/refused" 2>/dev/null | wc -l) -ge $1 ]]
}
# A life lasts for some submissions, as long as they take, and a second or two; all but every third one until
# slurmctld has written its jobs down.
killed=0 restarted=0 answers=0
for ((i = 0; i < KILLS; i++)); do
    wait_for 60 answered $((answers + RANDOM % 15))
    [[ $((i % 3)) -eq 0 ]] || wait_for 30 test "$SB/state/slurmctld/job_state" -nt "$T/now"
    sleep "$((RANDOM % 2)).$((RANDOM % 10))"
    "$SANDBOX" kill "$SB" slurmctld >&2 && killed=$((killed + 1))
    saved_jobs >"$T/saved"
    "$SANDBOX" restart "$SB" slurmctld >&2 && restarted=$((restarted + 1))
    look restart >>"$T/oversold.restarts"
    wait_for 10 listed "$T/now"
    find "$T/lists" -name '*.list' ! -newer "$T/now" -delete
    cp "$T/now" "$T/lists/restart.list"
    comm -23 "$T/saved" <(sort -u "$T/now") >>"$T/lost"
    wc -l <"$T/saved" >>"$T/saved.counts"
    answers=$(cat "$T/accepted" "$T/refused" | wc -l)
    set_budget "$((10 + i / 2)).5" >&2 # what has run is charged for good
done
is "slurmctld was killed $KILLS times" "$killed" "$KILLS"
is "and came back each time" "$restarted" "$KILLS"
rm "$T/storming"
wait "${shells[@]}"

is "no job was lost that Slurm had saved" "$(<"$T/lost")" ""
between "and there were such jobs" "$(sort -n "$T/saved.counts" | tail -n 1)" 1 100000
is "granted >= charged + reserved after each restart" "$(<"$T/oversold.restarts")" ""
between "jobs were accepted" "$(grep -c . "$T/accepted")" "$KILLS" 100000
between "and refused for the budget" "$(grep -c 'carnot: account storm has' "$T/refused")" $((KILLS / 2)) 100000

# ---- the calm after it

# Slurm holds a job that it finds on a node when it has just started it once more, and Carnot one that was requeued when
# the budget was used up: an operator lets them go, until none is left. What the plugin has promised is in a list by then:
# an operator's word stands at once.
# A node on which a kill came between may be drained by Slurm (an epilog or a step that was not heard of): set free, too.
all_ended() {
    in_sandbox sinfo -h -N -p batch -o '%N %T' | grep -E ' (down|drain)' | sort -u | while read -r node _; do
        in_sandbox scontrol update nodename="$node" state=resume 2>/dev/null
    done
    in_sandbox squeue -h -t PD -o "%i %r" | awk '/[Hh]eld/ { print $1 }' | while read -r id; do
        in_sandbox scontrol release "$id" 2>/dev/null
    done
    queue_empty
}
sleep 5
ok "all jobs end" wait_for 600 all_ended
all_ended || diag "$(in_sandbox squeue -o '%i %T %r %N %S'; in_sandbox sinfo -N)"
ok "all records have arrived" wait_for 60 all_reported n1 n2 n3 n4
# Five minutes: so long a node may go on to name a job that slurmctld has lost, and that job keeps what it reserved.
ok "nothing stays reserved" wait_for 400 nothing_reserved
rm "$T/watching"
wait "${watchers[@]}"
is "granted >= charged + reserved at every look" "$(<"$T/oversold")" ""
between "and there were many looks" "$(wc -l <"$T/looks")" $((KILLS * 2)) 100000

# What happened in the storm, a job that comes in the calm is charged with exactly what the nodes measured. It gets a new
# number: the last ones that a kill took back may have been on a node already.
set_budget 40 >&2
sleep 3
newest=$(energy_by_job n1 n2 n3 n4 | cat - "$T/accepted" | cut -d' ' -f1 | sort -n | tail -n 1)
for ((id = 0; id <= newest; )); do id=$(submit --hold -n1 -t1 --wrap true); done
in_sandbox scancel -u root
for ((i = 0; i < 4; i++)); do
    in_sandbox sbatch --parsable -o /dev/null -A storm -n1 -t1 --wrap 'sleep 2'
done >"$T/calm"
ok "jobs after it end as well" wait_for 120 all_ended
ok "and are reported" wait_for 60 all_reported n1 n2 n3 n4

# A node goes on to name a job that slurmctld has lost, and after a while that counts as the system's: no job has more
# than the logs say.
ledger_of_account() {
    in_sandbox carnot jobs --json | jq -r '[.[] | select(.account == "storm" and .energy_j != null)] |
        group_by(.job_id)[] | "\(.[0].job_id) \([.[].energy_j] | add * 1000000 | round)"'
}
ledger_is_quiet() {
    ledger_of_account | sort >"$T/ledger"
    sleep 3
    ledger_of_account | sort | cmp -s - "$T/ledger"
}
# Five minutes at most: a node may be unable to end a job that nobody knows any more.
ok "nothing more is charged" wait_for 400 ledger_is_quiet
in_sandbox carnot nodes --json >"$T/nodes.json"
energy_by_job n1 n2 n3 n4 | sort >"$T/logs"
is "no job is charged with more than the nodes' logs say" \
    "$(join "$T/ledger" "$T/logs" | awk '$2 > $3')$(join -v 1 "$T/ledger" "$T/logs" | awk '$2 > 0')" ""
is "and those after the storm with exactly that" \
    "$(comm -12 "$T/ledger" "$T/logs" | cut -d' ' -f1 | grep -cxFf "$T/calm")" "$(wc -l <"$T/calm")"
is "the account is charged with the sum of its jobs" \
    "$(in_sandbox carnot budget list --json | jq '.[0].charged * 1000000 | round')" \
    "$(awk '{ sum += $2 } END { printf "%.0f", sum }' "$T/ledger")"
for node in n1 n2 n3 n4; do
    is "conservation holds in each record of $node, none is missing" "$(broken_records "$node")" ""
    read -r seq uj < <(jq -r ".[] | select(.node == \"$node\") | \"\(.seq) \(.energy_j * 1000000 | round)\"" "$T/nodes.json")
    is "and each is counted once" "$uj" "$(records "$node" | jq -s "map(select(.seq <= $seq) | .uj) | add")"
done
is "no error names Carnot" "$(grep 'error: carnot' "$SB/log/slurmctld.log")" ""

done_testing
