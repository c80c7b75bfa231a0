#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# carnot check where something is wrong with carnot.yaml, a node, the feed, a daemon, the board or the ledger: each is
# found under its code with its exit code. And --node.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=check-lib.sh
. "$CASE_DIR/check-lib.sh"
need_sandbox

check_sandbox

heals "nothing to find before"

# with_yaml SED-SCRIPT: check with another carnot.yaml, once.
with_yaml() {
    sed "$1" "$etc/carnot.yaml" >"$etc/other.yaml"
    output=$(in_sandbox env CARNOT_CONF="$LINK/etc/other.yaml" carnot check --json 2>&1)
    status=$?
    found=$(jq -r '.[] | select(.level != "ok") | "\(.level) \(.code)"' <<<"$output" | sort -u | xargs)
}

# ---- carnot.yaml -------------------------------------------------------------------------------------------------------

with_yaml "s#board: .*#board: $LINK/state/elsewhere#"
like "another board than slurmctld's plugin reads" " $found " ' error board '
cp "$state/board" "$state/elsewhere"
with_yaml "s#board: .*#board: $LINK/state/elsewhere#"
like "... also when there is one" " $found " ' error board.path '
rm "$state/elsewhere"
with_yaml 's#^munge_socket: .*#munge_socket: /nowhere#'
like "another munge than Slurm's" " $found " ' error munge warning carnotctld .*warning munge.slurm '
with_yaml 's#^cluster: .*#cluster: other#'
like "the board of another cluster" " $found " ' error board.cluster '
with_yaml 's#poll: .*#poll: 5m#'
like "Slurm forgets jobs too soon" " $found " ' error slurm.job-age '
with_yaml 's#^mode: .*#mode: maybe#'
like "a bad carnot.yaml" " $found $status" ' error carnot.conf .*2$'
rm "$etc/other.yaml"

# ---- a node -------------------------------------------------------------------------------------------------------------

heals "--node=n1: nothing to find" --node=n1
like "... its sources and its log are seen" "$(in_sandbox carnot check --node=n1 -v)" \
    'power source .*telemetry\.jsonl: record [1-9]'
ok "carnotd is killed" "$SANDBOX" kill "$SB" carnotd-n1
check --node=n1
is "--node=n1: nobody listens" "$found $status" "error node.socket 2"
ok "and comes back" "$SANDBOX" restart "$SB" carnotd-n1

# ---- somebody else in AdminComment ----------------------------------------------------------------------------------------

id=$(submit -H -t 1 --wrap true)
in_sandbox scontrol update jobid="$id" admincomment="JS2:what another tool writes"
breaks "somebody else writes AdminComment" 1 "warning others.comment"
in_sandbox scancel "$id"

# ---- daemons --------------------------------------------------------------------------------------------------------------

trace "$T/carbon.csv" -60000:400 -50000:300
breaks "the feed has ended hours ago" 2 "error feed"
trace "$T/carbon.csv" -600:400 90000:400
heals "a new feed"

ok "munged is killed" "$SANDBOX" kill "$SB" munged
breaks "munge does not answer" 2 "error munge"
ok "and comes back" "$SANDBOX" restart "$SB" munged
heals "all is well after munge was away"

ok "slurmctld is killed" "$SANDBOX" kill "$SB" slurmctld
cp "$etc/slurm.conf" "$etc/slurm.conf.good" && echo MessageTimeout=2 >>"$etc/slurm.conf" # how long libslurm tries
check
like "slurmctld does not answer" " $found $status" ' error slurm.answers .*2$'
like "... its file is read instead" "$(jq -r '.[] | select(.code == "jobsubmit.order") | .what' <<<"$output")" '^JobSubmitPlugins=carnot$'
check --slurm
is "--slurm works without it, as in an upgrade" "$found $status" " 0"
like "... and knows what is configured" "$output" 'safe to add: JobSubmitPlugins=carnot'
restore "$etc/slurm.conf"
ok "and comes back" "$SANDBOX" restart "$SB" slurmctld
heals "all is well after slurmctld was away"

ok "carnotctld is killed" "$SANDBOX" kill "$SB" carnotctld
breaks "carnotctld does not answer" 2 "error carnotctld"
breaks "its board grows too old" 2 "error board.age"
printf 'x' | dd of="$state/board" bs=1 seek=200 conv=notrunc status=none
breaks "the board is damaged" 2 "error board"
rm "$state/board"
breaks "the board is removed" 2 "error board"
like "... which is said" "$output" "state/board: No such file"
cp "$state/ledger.sqlite" "$T/ledger" && rm -f "$state"/ledger.sqlite-*
dd if=/dev/zero of="$state/ledger.sqlite" bs=1024 count=3 conv=notrunc status=none
breaks "the ledger is damaged" 2 "error ledger"

done_testing
