#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An account with energy for exactly ten jobs: ten are accepted, however they come, and requests that never become jobs
# take nothing from it. The sum of what is charged and reserved never exceeds what was granted.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

sandbox_up sb --nodes 4

# The energy of the job that is submitted below, as Carnot prices it.
one=$(in_sandbox carnot place --nodes 1 --time 5 --account ten --json | jq .energy_j)
like "a job has a price" "$one" '^[0-9.]+$'
grant=$(awk -v e="$one" 'BEGIN { printf "%.0f", e * 10.5 }')
ok "a budget for ten of them" in_sandbox carnot budget set account ten --energy "${grant}J" --period month
ok "and one for another account" in_sandbox carnot budget set account shared --energy "${grant}J" --period month
# + 0, since jq 1.7 shows a number as it was written, 0.0 or 0
budget() {
    in_sandbox carnot budget list --json | jq -r ".[] | select(.name == \"$1\") | .$2 + 0"
}
is "is listed" "$(budget ten granted | cut -d. -f1)" "$grant"
sleep 3

# Looks at the budgets until the file goes away, and writes down each look that breaks the rule.
watch_budgets() {
    while [[ -e $T/watching ]]; do
        in_sandbox carnot budget list --json >"$T/look.json" || echo "no answer"
        jq -r '.[] | select(.granted < .charged + .reserved) | tostring' "$T/look.json"
        echo look >>"$T/looks"
        sleep 0.3
    done >"$T/broken"
}
touch "$T/watching"
watch_budgets &
watcher=$!

# ---- requests that are no jobs

for _ in {1..200}; do in_sandbox sbatch --test-only -A ten -N1 -t 5 --wrap true; done >/dev/null 2>&1
refused=0
for _ in {1..200}; do
    in_sandbox sbatch -p nope -A ten -N1 -t 5 --wrap true >/dev/null 2>&1 || refused=$((refused + 1))
done
is "a partition that does not exist is refused" "$refused" 200
sleep 33 # the leases of those requests expire

# ---- fifty at once

shell() {
    local i
    for ((i = 0; i < $1; i++)); do
        in_sandbox sbatch --parsable -o /dev/null -A ten -N1 -t 5 --wrap 'sleep 20'
    done >"$T/out.$2" 2>"$T/err.$2"
}
shells=()
for part in 13:1 13:2 12:3 12:4; do
    shell "${part%:*}" "${part#*:}" &
    shells+=($!)
done
wait "${shells[@]}"
is "ten are accepted" "$(cat "$T"/out.* | grep -c .)" 10
is "forty are refused" "$(cat "$T"/err.* | grep -c 'carnot: account ten')" 40
like "with what is left and what it needs" "$(head -n 1 "$T/err.1")" 'left.*needs'

# ---- one user floods, another works

flood() {
    while [[ -e $T/flooding ]]; do
        as games sbatch --test-only -A shared -N1 -t 5 --wrap true
    done >/dev/null 2>&1
}
touch "$T/flooding"
flood &
flooders=($!)
flood &
flooders+=($!)
sleep 8
accepted=0
for _ in 1 2 3; do
    as www-data sbatch -A shared -o /dev/null -N1 -t 5 --wrap 'sleep 1' >/dev/null 2>>"$T/flood.err" && accepted=$((accepted + 1))
done
rm "$T/flooding"
wait "${flooders[@]}"
is "while one user floods, another of the account can submit" "$accepted" 3

# ---- the account is charged for what it used

wait_for 90 sh -c "[ -z \"\$('$SANDBOX' exec '$SB' -- squeue -h)\" ]"
wait_for 20 sh -c "[ \"\$('$SANDBOX' exec '$SB' -- carnot budget list --json | jq '[.[].reserved] | add')\" = 0 ]"
is "nothing stays reserved when all jobs have ended" "$(budget ten reserved)" 0
like "and something is charged" "$(budget ten charged)" '^[1-9]'
rm "$T/watching"
wait "$watcher"
is "granted >= charged + reserved at every look" "$(<"$T/broken")" ""
between "and there were many looks" "$(wc -l <"$T/looks")" 50 100000

done_testing
