#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What Carnot reads from Slurm's list and orders by its library, where structures differ from release to release: sizes,
# arrays, ends, and the warning and the end of a job that has used up its own budget.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

sandbox_up sb --nodes 2
# seen ID FIELD: of one job in `carnot jobs`; an array's tasks in order, blank between them.
seen() {
    in_sandbox carnot jobs --json |
        jq -r "[.[] | select(.job_id == $1 or .array_job_id == $1)] | sort_by(.array_task) | map(.$2 | tostring) | join(\" \")"
}
is_seen() { [[ $(seen "$1" "$2") =~ ^($3)$ ]]; }

# ---- sizes

one=$(submit -H -n1 -t1 -J small -A acc --wrap true)
ok "a job is seen" wait_for 10 is_seen "$one" state PENDING
watts=$(seen "$one" estimate_j)
is "with its name" "$(seen "$one" name)" small
is "account" "$(seen "$one" account)" acc
is "and user" "$(seen "$one" user)" root
all=$(submit -H -n1 -t1 --exclusive --wrap true)
two=$(submit -H -N2 -n8 -t1 --wrap true)
array=$(submit -H -n1 -t1 --array=1-3 --wrap true)
ok "one with the node for itself counts four cores" wait_for 10 is_seen "$all" estimate_j $((4 * watts))
ok "one on two nodes eight" wait_for 10 is_seen "$two" estimate_j $((8 * watts))
ok "three tasks of an array three" wait_for 10 is_seen "$array" estimate_j $((3 * watts))
in_sandbox scancel "$one" "$all" "$two" "$array"

# ---- ends

good=$(submit -n1 -t1 --wrap true)
bad=$(submit -n1 -t1 --wrap 'exit 3')
tasks=$(submit -n1 -t1 --array=1-3%2 --wrap 'sleep 1')
ok "a job that has completed" wait_for 20 is_seen "$good" state COMPLETED
ok "one that has failed" wait_for 20 is_seen "$bad" state FAILED
ok "one that was cancelled" wait_for 20 is_seen "$one" state CANCELLED
ok "tasks, each by itself" wait_for 30 is_seen "$tasks" state "COMPLETED COMPLETED COMPLETED"

# ---- a job and a task that use up their own budget

spend() {
    submit -n1 -t5 -o "$LINK/run/out.%j" --energy-budget=10J --budget-action=term "$@" --wrap 'sleep 200'
}
chmod 777 "$SB/run"
alone=$(spend)
spender=$(spend --array=1-2)
# Slurm's word for a script that a signal has ended differs from release to release.
readonly ENDED='FAILED|CANCELLED'
ok "a job past its budget is ended" wait_for 90 is_seen "$alone" state "$ENDED"
ok "and so is each task of an array" wait_for 90 is_seen "$spender" state "($ENDED) ($ENDED)"
like "with a word in its output" "$(cat "$SB/run/out.$alone")" 'carnot'

done_testing
