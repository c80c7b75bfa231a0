#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The sandbox itself, with Slurm alone: it starts below a path with spaces, runs jobs of several users, and ends what it
# started and nothing else.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox plain

sleep 300 &
bystander=$!

out=$("$SANDBOX" start "$T/a b" --nodes 3 --plain 2>&1)
is "starts" "$?" 0
SB="$T/a b"
sandboxes+=("$SB")
like "and says how many nodes are up" "$out" '3 nodes are up'
between "within ten seconds" "$(grep -oE '[0-9]+ s' <<<"$out" | cut -d' ' -f1)" 0 10
LINK=$(short_path)
not_ok "a second start in the same place is refused" "$SANDBOX" start "$SB" --plain
like "with the way out" "$("$SANDBOX" start "$SB" --plain 2>&1)" 'sandbox stop'

is "all nodes are idle" "$(in_sandbox sinfo -h -N -p batch -t idle -o %N | xargs)" "n1 n2 n3"
is "a job runs on all nodes" "$(in_sandbox srun -N3 -l true 2>&1)" ""
is "a job of another user runs as that user" "$(as games srun id -un)" games
like "exit codes come back" "$(in_sandbox sh -c 'srun sh -c "exit 7" 2>/dev/null; echo $?')" '^7$'

id=$(submit --begin=now+3 --wrap 'sleep 30')
ok "a job with a begin time waits" waits_for "$id" BeginTime
begin=$(job_epoch "$id" StartTime)
wait_state 8 "$id" RUNNING
between "and starts within two seconds after it" $(($(job_epoch "$id" StartTime) - begin)) 0 2
if [[ $(in_sandbox scontrol show config) =~ proctrack/cgroup ]]; then
    wait_for 5 sh -c "ls -d /sys/fs/cgroup/*/slurm_n*/uid_*/job_$id /sys/fs/cgroup/system.slice/*/job_$id"
    ok "its processes are in a cgroup" sh -c "find /sys/fs/cgroup -path '*job_$id*' -name cgroup.procs -exec cat {} + | grep -q ."
else
    skip "its processes are in a cgroup" "cgroups cannot be used here"
fi

wait_saved
ok "a killed daemon" "$SANDBOX" kill "$SB" slurmctld
like "is seen as dead" "$("$SANDBOX" status "$SB")" 'slurmctld +does not run'
ok "and is started again" "$SANDBOX" restart "$SB" slurmctld
is "with the job it had saved" "$(job "$id" JobState)" RUNNING
not_ok "an unknown name is refused" "$SANDBOX" kill "$SB" slurmd-n9

mapfile -t pids < <(cut -d' ' -f1 "$SB"/pids/*)
is "five daemons are on record" "${#pids[@]}" 5
ok "stops" "$SANDBOX" stop "$SB"
left=$(for pid in "${pids[@]}"; do [[ -e /proc/$pid ]] && tr '\0' ' ' <"/proc/$pid/cmdline"; done)
is "none of its daemons is left" "$left" ""
is "nor a step of its job" "$(grep -slza "^slurmstepd: \\[$id" /proc/[0-9]*/cmdline || true)" ""
is "nor a cgroup of its job" "$(find /sys/fs/cgroup -name "job_$id" 2>/dev/null)" ""
ok "nor its short path" test ! -e "$LINK"
ok "a bystander lives" kill -0 "$bystander"
ok "stopping again is no error" "$SANDBOX" stop "$SB"
kill "$bystander"

echo "Nonsense=1" >"$T/slurm.extra"
out=$("$SANDBOX" start "$T/c" --plain --slurm "$T/slurm.extra" 2>&1)
is "a start that fails says so" "$?" 1
like "with the daemon's own words" "$out" 'Nonsense'
ok "and leaves nothing" test ! -e "$T/c/sandbox.env"

done_testing
