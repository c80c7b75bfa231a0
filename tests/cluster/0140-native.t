#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Slurm's own limits as energy budgets: root > lab > team1, team2 in slurmdbd, and a budget on lab. Slurm holds jobs of
# both teams back when it is spoken for, measured use corrects the limit, and nothing of it is left when the budget is
# removed or native budgets are switched off.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox
need_dbd

{
    "$SANDBOX" default-config | sed 's/^budget:$/&\n  native: true/'
} >"$T/carnot.yaml"
cat >"$T/slurm.conf" <<'CONF'
AccountingStorageTRES=license/watts
AccountingStorageEnforce=limits,safe
Licenses=watts:1000,other:5
PriorityDecayHalfLife=0
PriorityUsageResetPeriod=YEARLY
PriorityCalcPeriod=1
CONF
sandbox_up sb --dbd --nodes 4 --carnot "$T/carnot.yaml" --slurm "$T/slurm.conf"
{
    in_sandbox sacctmgr -i add account lab parent=root
    in_sandbox sacctmgr -i add account team1 team2 parent=lab
    in_sandbox sacctmgr -i add user root,games account=team1,team2
    in_sandbox sacctmgr -i modify user games set defaultaccount=team1
} >/dev/null || bail_out "sacctmgr does not add accounts"

# limit: the watt-minutes that slurmdbd has for lab, or nothing.
limit() {
    in_sandbox sacctmgr -nP show assoc account=lab user= format=grptresmins | sed -n 's/^license.watts=//p'
}
# used: the watt-minutes that Slurm has charged to lab itself so far.
used() {
    in_sandbox scontrol show assoc_mgr flags=assoc account=lab |
        sed -nE '/UserName= /,$s/.*GrpTRESMins=.*license.watts=[0-9N]+\(([0-9]+)\).*/\1/p' | head -n 1
}
limit_is() { [[ $(limit) =~ ^($1)$ ]]; }
budget() {
    in_sandbox carnot budget list --json | jq -r ".[] | select(.name == \"lab\") | .$1 + 0"
}
# Looks at the budget until the file goes away, and writes down each look that breaks the rule.
watch_budget() {
    while [[ -e $T/watching ]]; do
        in_sandbox carnot budget list --json | jq -r '.[] | select(.granted < .charged + .reserved) | tostring'
        echo look >>"$T/looks"
        sleep 0.3
    done >"$T/broken"
}
# What Slurm holds back waits for this, by its own word.
readonly WORD=AssocGrpLicenseMinutes

# ---- jobs of both teams, one budget above them: 126 watt-minutes, three jobs of 40

is "without a budget there is no limit" "$(limit)" ""
# Slurm's accounting is read again when a budget is set, and every minute.
in_sandbox carnot budget set account lab --energy 1J --period once >/dev/null
accounts_are() { says ".accounting.accounts == $1" in_sandbox carnot status --json; }
ok "carnotctld knows the accounts" wait_for 20 accounts_are 3
ok "a budget on lab" in_sandbox carnot budget set account lab --energy 7560J --period once
ok "becomes a limit on its watt-minutes" wait_for 20 limit_is '1[12][0-9]'
first=$(limit)
touch "$T/watching"
watch_budget &
watcher=$!
sleep 3 # until the plugin has the board that says so
one=$(submit -A team1 -N1 -n4 -t1 --wrap 'sleep 20')
two=$(submit -A team1 -N1 -n4 -t1 -L watts:1,other:2 --wrap 'sleep 20')
three=$(as games sbatch --parsable -o /dev/null -N1 -n4 -t1 --wrap 'sleep 20' 2>>"$T/sbatch.err")
four=$(submit -A team2 -N1 -n2 -t5 --wrap 'sleep 20')
is "a job asks for the watts it is priced for" "$(job "$one" Licenses)" watts:40
is "whatever the user asked for of them" "$(job "$two" Licenses | tr , '\n' | sort | paste -sd,)" other:2,watts:40
is "also by its user's default account" "$(job "$three" Licenses)" watts:40
for id in "$one" "$two" "$three"; do ok "$id starts" wait_state 20 "$id" RUNNING; done
ok "what does not fit waits, though it belongs to the other team" wait_for 15 has_reason "$four" $WORD
why_says() { in_sandbox carnot why "$1" | grep -q "$2"; }
ok "carnot why says what for" wait_for 10 why_says "$four" $WORD

# ---- changed while they wait: the watts stay ours, and follow the job's size

mine=$(as games sbatch --parsable -o /dev/null -A team1 -N1 -n2 -t5 -L other:1 --wrap true)
ok "a job of a user waits" wait_for 15 has_reason "$mine" $WORD
licences_are() { [[ $(job "$mine" Licenses | tr , '\n' | sort | paste -sd,) = "$1" ]]; }
ok "who may ask for other licences" wait_for 10 as games scontrol update jobid="$mine" Licenses=other:2,watts:1
ok "but not for fewer watts" licences_are other:2,watts:20
ok "nor for none" as games scontrol update jobid="$mine" Licenses=other:3
ok "which stay what they were" licences_are other:3,watts:20
not_ok "a choice of licences is refused" as games scontrol update jobid="$mine" Licenses='other:1|other:2'
ok "an operator makes it larger" in_sandbox scontrol update jobid="$mine" NumCPUs=4
ok "and its watts follow" wait_for 20 licences_are other:3,watts:40
in_sandbox scancel "$mine"

# ---- refused: what can never fit, and what cannot be joined

refused() { ! in_sandbox sbatch -o /dev/null "$@" --wrap true 2>"$T/refused"; }
ok "a job that needs more than all of it is refused" refused -A team2 -N1 -n4 -t5
like "with a sentence" "$(<"$T/refused")" 'carnot: account team2 .*needs about'
ok "and so is a choice of licences" refused -A team2 -N1 -n1 -t1 -L 'other:1|other:2'
like "with a sentence" "$(<"$T/refused")" 'carnot: .*choice of licences'

# ---- measured use corrects the limit

for id in "$one" "$two" "$three"; do wait_state 40 "$id" COMPLETED; done
# Where Slurm makes no cgroups a job's CPU time is not known, and on a machine without an idle core its cores draw what they
# were priced for: then nothing is left over.
left_over() { (($(budget charged | cut -d. -f1) < 7560 - 60 * 104)); }
if wait_state 40 "$four" RUNNING || left_over; then
    ok "the fourth starts when less was measured than was priced" wait_state 10 "$four" RUNNING
    spent=$(used)
    between "though Slurm's own count of the three and its 100 are more than the first limit" $((spent + 100)) \
        $((first + 1)) 100000
    between "since the limit was raised" "$(limit)" $((first + 1)) 100000
else
    skip "the fourth starts when less was measured than was priced" "the machine was busy, and there are no cgroups"
fi
like "what was measured is charged to lab" "$(budget charged)" '^[1-9]'

# ---- a removed budget frees what waits, and leaves no trace

five=$(submit -A team1 -N1 -n2 -t5 --array=1-2 --wrap 'sleep 1')
ok "an array waits too" wait_for 15 has_reason "$five" $WORD
rm "$T/watching"
wait "$watcher"
is "granted >= charged + reserved at every look" "$(<"$T/broken")" ""
between "and there were many looks" "$(wc -l <"$T/looks")" 20 100000
ok "the budget is removed" in_sandbox carnot budget remove account lab --energy
ok "and with it the limit" wait_for 20 limit_is ''
ok "what waited runs" wait_for 30 queue_has_no "$five"

# ---- switched off

in_sandbox carnot budget set account lab --energy 7560J --period once >/dev/null
ok "a new budget is a new limit" wait_for 20 limit_is '[0-9]+'
sed -i 's/native: true/native: false/' "$SB/etc/carnot.yaml"
kill -HUP "$(cut -d' ' -f1 "$SB/pids/carnotctld")"
ok "native budgets switched off leave no limit" wait_for 20 limit_is ''
sleep 3
six=$(submit -A team1 -N1 -n1 -t1 --wrap true)
is "and no watts" "$(job "$six" Licenses)" "(null)"
unlike "Slurm's log has no error that names Carnot" "$(grep -E 'error: .*carnot:' "$SB/log/slurmctld.log")" .

done_testing
