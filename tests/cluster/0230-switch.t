#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Install, observe, act, off, removal, in the order of docs/admin.md on one running Slurm: slurmctld stays up at each
# step, one partition, account or user can be switched on alone, `carnot off --all --now` lets waiting jobs go one after
# another (also over a kill -9 of carnotctld), and after removal jobs with a note of Carnot's still run.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

"$SANDBOX" default-config | sed 's/^mode: act/mode: observe/; s/^  max_delay: .*/&\n  off_stagger: 12s/' >"$T/carnot.yaml"
echo 'exempt: {accounts: [urgent]}' >>"$T/carnot.yaml"
trace "$T/carbon.csv" -600:400 900:100 1500:400
sandbox_up sb --no-plugin --nodes 4 --carnot "$T/carnot.yaml" --carbon "$T/carbon.csv"
# shellcheck source=/dev/null
BUILD=$(. "$SB/sandbox.env" && echo "$BUILD")
printf '#!/bin/bash\n#CARNOT carbon-delay=30m\nsleep 1\n' >"$T/patient.sh"
chmod 755 "$T/patient.sh"

patient() { submit -t 1 "$@" "$T/patient.sh"; }
# Is its begin time later than a minute from now?
waits() { [[ $(job "$1" JobState) = PENDING ]] && (($(job_epoch "$1" StartTime) > $(date +%s) + 60)); }
noted() { [[ $(job "$1" AdminComment) = carnot:* ]]; }
slurmctld_up() { in_sandbox scontrol ping | grep -q 'is UP'; }
switched() { says "$1" in_sandbox carnot status --json; }
ran() { wait_state 20 "$1" COMPLETED; }
job_waits() { wait_for 10 waits "$1"; }
# The switch was answered when the board was out; the plugin looks for a new one four times a second.
board_read() { sleep 1; }

# ---- plain Slurm, with carnotctld and carnotd beside it

id=$(patient)
ok "on plain Slurm the script runs" ran "$id"
is "and Carnot writes nothing into it" "$(job "$id" AdminComment)" ""

# ---- the plugin: files, then lines, then reconfigure

cp "$BUILD/plugin/job_submit/.libs/job_submit_carnot.so" "$BUILD/plugin/spank/.libs/spank_carnot.so" "$SB/lib/"
echo "JobSubmitPlugins=carnot" >>"$SB/etc/slurm.conf"
echo "optional $LINK/lib/spank_carnot.so socket=$LINK/run/%n/carnotd.sock" >>"$SB/etc/plugstack.conf"
ok "reconfigure takes the plugin in" in_sandbox scontrol reconfigure
ok "slurmctld is up" wait_for 10 slurmctld_up
# While a slurmctld since 24.11 hands over to the one that read the new configuration, a question may meet neither.
ok "the flags are there" wait_for 10 in_sandbox sbatch --test-only --carbon-delay=1h -t 1 --wrap true
id=$(patient)
ok "observing: the job runs at once" ran "$id"
like "and its note says so" "$(job "$id" AdminComment)" 'code=OBSERVE'
ok "the mode is observe" switched '.mode == "observe"'

# ---- one partition, one account, one user

in_sandbox carnot on --partition debug >/dev/null
board_read
on=$(patient -p debug) off=$(patient) both=$(patient -p batch,debug)
ok "on for one partition: its job waits" job_waits "$on"
ok "one of another partition runs" ran "$off"
ok "and one that may run in either" ran "$both"
in_sandbox carnot off --now --partition debug >/dev/null
ok "off for it again, --now: the job runs" ran "$on"
in_sandbox carnot on --account bio >/dev/null
in_sandbox carnot on --partition batch >/dev/null
board_read
on=$(patient -A bio -p debug) off=$(patient -A chem -p debug) default=$(patient)
ok "on for one account: its job waits" job_waits "$on"
ok "one of another account runs" ran "$off"
ok "on for the default partition: a job that names none waits" job_waits "$default"
in_sandbox carnot on --user daemon >/dev/null
board_read
on=$(cd / && as daemon sbatch --parsable -o /dev/null -t 1 -p debug "$T/patient.sh" 2>/dev/null)
ok "on for one user: his job waits" job_waits "$on"

# ---- everywhere, and the exempt list

ok "on" in_sandbox carnot on
in_sandbox carnot on --partition debug >/dev/null
board_read
urgent=$(patient -A urgent)
ok "a job of an exempt account does not wait" ran "$urgent"
like "its note says why" "$(job "$urgent" AdminComment)" 'code=EXEMPT'
is "no line is printed for it" "$(CARNOT_QUIET=0 in_sandbox sbatch -t 1 -A urgent "$T/patient.sh" 2>&1 >/dev/null)" ""

# ---- the red card

jobs=()
for _ in {1..6}; do jobs+=("$(patient)"); done
last=${jobs[5]}
ok "six more wait" job_waits "$last"
wait_for 10 switched '.waiting >= 9' || diag "$(in_sandbox carnot status)"
# In the order of their planned starts, which lie a little apart.
mapfile -t jobs < <(for id in "${jobs[@]}"; do echo "$(job_epoch "$id" StartTime) $id"; done | sort -n -k1,1 -k2,2 | cut -d ' ' -f 2)
began=$(date +%s)
like "off --all --now says what it does" "$(in_sandbox carnot off --all --now)" '^cluster and every part.*9 waiting jobs are let go'
ok "status shows it" switched '.let_go.left > 0 and .let_go.by == "root"'
ok "every switch is off" switched '.mode == "observe" and all(.switches[]; .mode == "observe")'
"$SANDBOX" kill "$SB" carnotctld
ok "carnotctld comes back from a kill -9" "$SANDBOX" restart "$SB" carnotctld
like "carnot why says that it is let go, or it runs by now" "$(in_sandbox carnot why "$last")" 'let go|runs|not wait|does not hold'
begun() { ! waits "$1"; }
for id in "${jobs[@]}"; do wait_for 30 begun "$id"; done
ok "all have started" wait_for 30 queue_empty
starts=() ordered=1
for id in "${jobs[@]}"; do starts+=("$(job_epoch "$id" StartTime)"); done
for i in {1..5}; do ((starts[i] >= starts[i - 1])) || ordered=0; done
is "in the order of their planned starts" "$ordered" 1
between "not all at once" $((starts[5] - starts[0])) 4 60
between "nor after the time that was set, give or take a busy machine" $((starts[5] - began)) 4 42
ok "and it is over" wait_for 30 switched '.let_go == null'
id=$(patient)
ok "a new job does not wait" ran "$id"
in_sandbox carnot on >/dev/null
in_sandbox carnot on --partition batch >/dev/null
board_read
id=$(patient)
ok "carnot on works again" job_waits "$id"

# ---- removal with jobs waiting

waiting=("$id" "$(patient)" "$(patient)" "$(patient)")
ok "four wait" job_waits "${waiting[3]}"
wait_for 10 switched '.waiting == 4' || diag "$(in_sandbox carnot status)"
in_sandbox carnot off --all --now >/dev/null
# given_begin: no job of the four waits for the dip any more.
given_begin() { for id in "${waiting[@]}"; do ! waits "$id" || return 1; done; }
ok "they have begin times of their own" wait_for 15 given_begin
sed -i '/^JobSubmitPlugins/d' "$SB/etc/slurm.conf"
: >"$SB/etc/plugstack.conf"
ok "reconfigure lets the plugin go" in_sandbox scontrol reconfigure
ok "slurmctld is up" wait_for 10 slurmctld_up
for name in carnotctld carnotd-n1 carnotd-n2 carnotd-n3 carnotd-n4; do "$SANDBOX" kill "$SB" "$name"; done
rm -f "$SB/lib/"*.so "$SB/state/board"
for id in "${waiting[@]}"; do
    ok "job $id still runs, with nothing of Carnot's left" wait_state 40 "$id" COMPLETED
done
ok "and has its note" noted "$id"
id=$(patient)
ok "a new job runs" ran "$id"
ok "slurmctld starts again without the plugin" "$SANDBOX" restart "$SB" slurmctld
ok "slurmctld is up" slurmctld_up
is "its log has no error of Carnot's" "$(grep -E 'error: .*(carnot:|job_submit|spank)' "$SB/log/slurmctld.log")" ""

done_testing
