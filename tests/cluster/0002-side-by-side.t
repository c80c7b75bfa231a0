#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two sandboxes at once, both with a node n1 and so with one cgroup tree between them: what happens in one does not
# reach the other.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox plain

in_first() { SB=$T/first "$@"; }
in_second() { SB=$T/second "$@"; }

"$SANDBOX" start "$T/first" --plain --nodes 1 >&2 &
sandboxes=("$T/first" "$T/second")
"$SANDBOX" start "$T/second" --plain --nodes 1 >&2
is "the second starts" "$?" 0
wait $!
is "and the first, at the same time" "$?" 0

first=$(in_first submit --wrap 'sleep 100')
second=$(in_second submit --wrap 'sleep 6')
last=$(in_second submit --wrap 'sleep 100')
ok "a job runs in the first" in_first wait_state 10 "$first" RUNNING
ok "a job runs in the second" in_second wait_state 10 "$second" RUNNING
ok "and one more" in_second wait_state 10 "$last" RUNNING
ok "job ids differ" test $((first / 10000)) -ne $((second / 10000))
is "the first does not see the second's jobs" "$(in_first in_sandbox squeue -h -o %i)" "$first"

ok "the first stops, its job running" "$SANDBOX" stop "$T/first"
is "the second's job still runs" "$(in_second job "$last" JobState)" RUNNING
ok "the other ends by itself" in_second wait_state 15 "$second" COMPLETED
is "and well" "$(in_second job "$second" ExitCode)" "0:0"
in_second in_sandbox scancel "$last"
in_second wait_state 10 "$last" CANCELLED
is "a new job runs on the node that both had" "$(in_second in_sandbox srun echo hello)" hello
ok "the second stops" "$SANDBOX" stop "$T/second"
is "no cgroup is left" "$(find /sys/fs/cgroup -name "job_$first" -o -name "job_$second" -o -name "job_$last")" ""

done_testing
