#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Carnot beside slurmdbd: the budget of a user's default account holds for a job that names none, and sacct and
# `carnot jobs` agree on what became of a mix of jobs. Native budgets are off here.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox
need_dbd

echo "AccountingStorageEnforce=associations" >"$T/slurm.conf"
sandbox_up sb --dbd --slurm "$T/slurm.conf"
{
    in_sandbox sacctmgr -i add account bio chem parent=root
    in_sandbox sacctmgr -i add user games account=bio,chem defaultaccount=bio
    in_sandbox sacctmgr -i add user root account=chem
} >/dev/null || bail_out "sacctmgr does not add accounts"

# ---- default accounts

in_sandbox carnot budget set account bio --energy 1200J --period once >/dev/null # one CPU at 10 W for two minutes
known() { says ".accounting | .accounts == $1 and .users >= $2" in_sandbox carnot status --json; }
ok "carnotctld knows the accounts and users of slurmdbd" wait_for 20 known 2 2
like "and the QOS" "$(in_sandbox carnot status --json | jq -c .accounting.qos)" '"normal"'
is "native budgets are off" "$(in_sandbox carnot status --json | jq .accounting.native)" false
sleep 3 # until the plugin has the board that says so
refused() { ! as games sbatch -o /dev/null "$@" --wrap true 2>"$T/refused"; }
ok "a job without an account is held to the budget of its user's" refused -n1 -t3
like "with a sentence" "$(<"$T/refused")" 'carnot: account bio has .* left'
small=$(as games sbatch --parsable -o /dev/null -n1 -t1 --wrap 'sleep 2' 2>>"$T/sbatch.err")
like "what fits is accepted" "$small" '^[0-9]+$'
is "in that account" "$(job "$small" Account)" bio
is "without a licence" "$(job "$small" Licenses)" "(null)"
other=$(as games sbatch --parsable -o /dev/null -A chem -n1 -t3 --wrap true 2>>"$T/sbatch.err")
like "another account has no budget" "$other" '^[0-9]+$'

# ---- sacct and carnot jobs

good=$(submit -A chem --wrap 'sleep 2')
bad=$(submit -A chem --wrap 'sleep 1; exit 3')
array=$(submit -A chem --array=1-3 --wrap 'sleep 1')
long=$(submit -A chem -t 5 --wrap 'sleep 300')
never=$(submit -A chem --begin=now+1hour --wrap true)
wait_state 20 "$long" RUNNING
sleep 2 # one that ends in the second of its start looks to sacct as if it had never run
in_sandbox scancel "$long" "$never"
ok "all jobs end" wait_for 60 queue_empty

# One line a job that has started: id, state, start and end in seconds.
by_sacct() {
    in_sandbox env TZ=UTC sacct -nPX -a -S now-1hour -o jobidraw,account,state,start,end |
        while IFS='|' read -r id account state start end; do
            [[ $start = *T* && $start != "$end" || $state != CANCELLED* ]] || continue
            echo "$id $account ${state%% *} $(date -u -d "${start}Z" +%s) $(date -u -d "${end}Z" +%s)"
        done | sort -n
}
by_carnot() {
    in_sandbox carnot jobs --json | jq -r '.[] | select(.start != null) |
        "\(.job_id) \(.account) \(.state) \(.start | sub("\\.[0-9]+";"") | fromdate) \(.end | sub("\\.[0-9]+";"") | fromdate)"' | sort -n
}
agree() { [[ $(by_sacct) = "$(by_carnot)" ]]; }
wait_for 20 agree
is "sacct and carnot jobs agree on ids, accounts, states, starts and ends" "$(by_carnot)" "$(by_sacct)"
is "of all that started" "$(by_carnot | wc -l)" 8
for word in "$small bio COMPLETED" "$good chem COMPLETED" "$bad chem FAILED" "$long chem CANCELLED"; do
    like "among them: $word" "$(by_carnot)" "(^|"$'\n'")$word "
done
is "the tasks of the array by their own ids" "$(in_sandbox carnot jobs --json | jq "[.[] | select(.array_job_id == $array) | .array_task] | sort | join(\",\")")" '"1,2,3"'
is "what never started has no start" "$(in_sandbox carnot jobs --json | jq ".[] | select(.job_id == $never) | .start")" null
is "slurmdbd has no limit of ours" "$(in_sandbox sacctmgr -nP show assoc format=grptresmins | grep -c license)" 0

# ---- slurmdbd away and back

ok "slurmdbd dies" "$SANDBOX" kill "$SB" slurmdbd
again=$(submit -A chem --wrap 'sleep 1')
ok "jobs still run" wait_state 20 "$again" COMPLETED
seen() { says "any(.job_id == $again and .state == \"COMPLETED\")" in_sandbox carnot jobs --json; }
ok "and are followed" wait_for 20 seen
ok "slurmdbd starts again" "$SANDBOX" restart "$SB" slurmdbd
ok "and the two agree again" wait_for 60 agree

done_testing
