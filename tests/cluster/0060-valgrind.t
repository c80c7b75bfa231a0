#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# carnotctld, carnotd and slurmctld with our plugin under valgrind, while jobs run: no error and no leak of ours.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox
command -v valgrind >/dev/null || skip_all "valgrind is not installed"
if ldd "${CARNOT_BUILDDIR:-$CASE_DIR/../../build}/src/carnotd/carnotd" 2>/dev/null | grep -qE 'lib(asan|tsan|ubsan)'; then
    skip_all "a build with sanitizers does not run under valgrind"
fi

readonly GRIND='valgrind --leak-check=full --show-leak-kinds=definite --keep-debuginfo=yes --num-callers=30'
export SANDBOX_WRAP_CARNOTCTLD=$GRIND SANDBOX_WRAP_CARNOTD=$GRIND SANDBOX_WRAP_SLURMCTLD=$GRIND SANDBOX_START_LIMIT=90

trace "$T/carbon.csv" -600:400 15:100 60:400
sandbox_up sb --nodes 1 --carbon "$T/carbon.csv"
in_sandbox carnot budget set account acc --energy 1MJ --period month >&2
in_sandbox carnot budget set account none --energy 1J --period month >&2
sleep 4
for _ in 1 2 3; do
    submit -A acc -t 1 --wrap 'sleep 1'
    submit -A acc -t 1 --carbon-delay=1m --wrap 'sleep 1'
    submit -A none -t 1 --wrap 'sleep 1'
    submit -t 1 --energy-budget=1J --budget-action=term --wrap 'sleep 20'
    in_sandbox sbatch --test-only -A acc --wrap true
    in_sandbox carnot status
    in_sandbox carnot forecast
    in_sandbox carnot jobs
done >&2
# From 23.11 on slurmctld executes itself anew upon that, which valgrind does not survive.
if [[ $(slurmctld -V) =~ \ 2[0-2]\. ]]; then in_sandbox scontrol reconfigure; fi
ok "all jobs end" wait_for 120 queue_empty
sleep 4
"$SANDBOX" stop "$SB"

# valgrind's own lines: those of the daemon between them name us, too, and are no error of ours.
valgrind_lines() {
    grep '^==' "$SB/log/$1.out"
}
# What hwloc loses of its own when it looks at the machine (144 bytes once, in 2.15) is not counted.

# ours FILE: loss records and errors in which a function of this project appears.
ours() {
    valgrind_lines "$1" | awk -v RS='==[0-9]+== \n' '!/hwloc_topology_load/ && /lost in loss record|Invalid|uninitialised|Mismatched|Source and destination/ &&
        /carnot|placement|board|lease|job_desc/'
}
# definitely_lost NAME: the loss records of a daemon that is ours altogether, libraries included.
definitely_lost() {
    valgrind_lines "$1" | awk -v RS='==[0-9]+== \n' '/definitely lost in loss record/ && !/hwloc_topology_load/'
}
for name in carnotctld carnotd-n1; do
    like "valgrind watched $name to its end" "$(<"$SB/log/$name.out")" 'ERROR SUMMARY'
    is "no leak in $name" "$(definitely_lost "$name")" ""
    is "no error of ours in $name" "$(ours "$name")" ""
done
like "valgrind watched slurmctld to its end" "$(<"$SB/log/slurmctld.out")" 'ERROR SUMMARY'
is "no leak or error of our plugin in slurmctld" "$(ours slurmctld)" ""

done_testing
