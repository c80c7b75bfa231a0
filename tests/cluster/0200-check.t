#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# carnot check on a real cluster: nothing to find where all is well; then one thing after another is broken, is found
# under its code with its exit code, and is put right. And --slurm, --upgrade and --node.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=sandbox-config.sh
. "$CASE_DIR/sandbox-config.sh"
need_sandbox

"$SANDBOX" default-config | sed -e 's/board_max_age: .*/board_max_age: 10s/' >"$T/carnot.yaml"
trace "$T/carbon.csv" -600:400 90000:400
sandbox_up sb --nodes 2 --carbon "$T/carbon.csv" --carnot "$T/carnot.yaml"
etc=$SB/etc lib=$SB/lib state=$SB/state
version=$(slurmctld -V | tr ' ' '\n' | tail -n 1)

# Findings that this machine is answerable for, not the sandbox: its clock, its cgroups, its counters.
machine='^(clock\.sync|node\.power)$'
[[ $(cgroup_kind) != none ]] || machine='^(clock\.sync|node\.power|slurm\.cgroup|node\.cgroup)$'

# check OPTION...: the exit code goes to $status, LEVEL CODE of what is wrong to $found, all of the output to $output.
check() {
    output=$(in_sandbox carnot check "$@" --json 2>&1)
    status=$?
    found=$(jq -r --arg m "$machine" '.[] | select(.level != "ok" and (.code | test($m) | not)) | "\(.level) \(.code)"' \
        <<<"$output" 2>&1 | sort -u | xargs)
}
# What the exit code has to be by the findings themselves.
by_findings() {
    jq 'if any(.level == "error") then 2 elif any(.level == "warning") then 1 else 0 end' <<<"$output"
}
finds() {
    check
    [[ " $found " = *" $1 "* ]]
}
clean() {
    check "$@"
    [[ -z $found ]]
}
# breaks DESCRIPTION STATUS "LEVEL CODE": found within a few seconds, with that exit code.
breaks() {
    wait_for 40 finds "$3"
    like "$1" " $found " " $3 "
    is "... exit code" "$status" "$2"
}
heals() {
    wait_for 40 clean "${@:2}"
    is "$1" "$found" ""
}
# with_yaml SED-SCRIPT: check with another carnot.yaml, once.
with_yaml() {
    sed "$1" "$etc/carnot.yaml" >"$etc/other.yaml"
    output=$(in_sandbox env CARNOT_CONF="$LINK/etc/other.yaml" carnot check --json 2>&1)
    status=$?
    found=$(jq -r '.[] | select(.level != "ok") | "\(.level) \(.code)"' <<<"$output" | sort -u | xargs)
}
# A changed copy of a file takes its place; what has the old one open keeps it.
replace() {
    cp -p -- "$1" "$1.good" && cp -- "$1" "$1.new" && "${@:2}" "$1.new" && mv -- "$1.new" "$1"
}
restore() {
    mv -- "$1.good" "$1"
}
submit_plugins() {
    sed -i "s/^JobSubmitPlugins=.*/JobSubmitPlugins=$1/" "$etc/slurm.conf"
}
# shellcheck disable=SC2317 # called by replace
another_release() {
    perl -0777 -i -pe '
        BEGIN { ($a, $b, $c) = map { $_ + 0 } split /\./, shift @ARGV; $v = $a << 16 | $b << 8 | $c }
        # the one 4-byte constant of that value among the plugin'"'"'s
        s/\Q${\ pack("L<", $v)}\E/pack("L<", $v + 1)/ge' "$version" "$1"
}

# ---- all is well ------------------------------------------------------------------------------------------------------

heals "nothing to find in a good sandbox"
is "the exit code is what the findings say" "$status" "$(by_findings)"
like "each has level, code, what and cure" "$(jq -c 'map(keys_unsorted) | unique' <<<"$output")" \
    '^\[\["level","code","what","cure"\]\]$'
ok "each that is not ok has a cure" jq -e 'all(.level == "ok" or .cure != "")' <<<"$output"
text=$(in_sandbox carnot check -v)
like "the last line is the sum" "$(tail -n 1 <<<"$text")" '^0 errors, [0-9]+ warnings?$'
like "-v shows what is right" "$text" "slurmctld's plugin reads $LINK/state/board"
unlike "without -v only what is wrong" "$(in_sandbox carnot check)" '(^|
)ok: '
as nobody carnot check >"$T/nobody" 2>&1
is "an ordinary user sees less, and is told so" "$?" 1
like "... that root would see more" "$(cat "$T/nobody")" 'run this as root'

# ---- before slurm.conf is changed, and before an upgrade ----------------------------------------------------------------

check --slurm
is "--slurm: the plugins are good" "$found $status" " 0"
like "... and what to write" "$(in_sandbox carnot check --slurm)" "safe to add: JobSubmitPlugins=carnot
safe to add: optional $LINK/lib/spank_carnot.so"
mkdir "$SB/other dir:x" && cp "$lib/job_submit_carnot.so" "$SB/other dir:x/"
check --slurm --plugin "$SB/other dir:x/job_submit_carnot.so"
is "a good one in the wrong place loads, and would not be found" "$found $status" "error trial.place 2"
check --slurm --plugin "$lib/spank_carnot.so"
is "--plugin takes the other kind too" "$found $status" " 0"

# bad NAME "LEVEL CODE" COMMAND...: a changed copy of the plugin is refused.
bad() {
    local file=$SB/bad.so
    cp "$lib/job_submit_carnot.so" "$file" && "${@:3}" "$file"
    check --slurm --plugin "$file"
    is "--slurm: $1" "$found $status" "$2 2"
    unlike "... and is not called safe" "$output" 'safe to add'
}
bad "another release's last number" "error plugin.release" another_release
bad "cut short" "error plugin.file" truncate -s 6000
bad "no library" "error plugin.file" cp /etc/passwd
bad "an entry is missing" "error trial.entry" perl -0777 -i -pe 's/\0job_modify\0/\0job_mod_fy\0/g'
bad "a symbol that slurmctld has not" "error trial.load" perl -0777 -i -pe 's/\0slurm_xstrdup\0/\0slurm_xstrdux\0/g'
like "... which is named" "$output" 'undefined symbol: slurm_xstrdux'
bad "others may write it" "error rights.plugin" chmod 777
ok "slurmctld has taken no harm" in_sandbox scontrol ping

check --upgrade "$version"
is "--upgrade to the same release" "$found $status" " 0"
check --upgrade 99.11
is "--upgrade to another" "$found $status" "error upgrade.plugin warning upgrade.plugin 2"
like "... with the steps" "$output" '2\. stop slurmctld; install Slurm 99\.11'
check --upgrade "${version%.*}"
is "--upgrade with two numbers cannot tell all" "$found $status" "warning upgrade.plugin 1"

# ---- Slurm ------------------------------------------------------------------------------------------------------------

replace "$lib/job_submit_carnot.so" another_release
breaks "the plugin's file is for another Slurm" 2 "error plugin.release"
like "... and not what slurmctld has loaded" " $found " ' warning jobsubmit.loaded '
rm "$lib/job_submit_carnot.so"
breaks "the plugin's file is gone" 2 "error plugin.file"
restore "$lib/job_submit_carnot.so"

submit_plugins require_timelimit
breaks "the file says something else than slurmctld runs" 1 "warning slurm.reread"
ok "slurmctld reads it" "$SANDBOX" restart "$SB" slurmctld
breaks "carnot is not in JobSubmitPlugins" 1 "warning jobsubmit"
like "--slurm puts it last" "$(in_sandbox carnot check --slurm)" 'safe to add: JobSubmitPlugins=require_timelimit,carnot'
submit_plugins carnot,require_timelimit
ok "slurmctld reads it again" "$SANDBOX" restart "$SB" slurmctld
breaks "carnot is not the last" 1 "warning jobsubmit.order"
like "... the cure is the order" "$output" 'set JobSubmitPlugins=require_timelimit,carnot, then'
submit_plugins carnot
ok "and as it was" "$SANDBOX" restart "$SB" slurmctld
heals "all is well"

sed -i 's/^optional/required/' "$etc/plugstack.conf"
breaks "plugstack.conf requires" 1 "warning plugstack.required"
echo "optonal x.so" >>"$etc/plugstack.conf"
breaks "a bad line in plugstack.conf" 2 "error plugstack"
echo "# empty" >"$etc/plugstack.conf"
breaks "plugstack.conf does not name it" 1 "warning plugstack"
echo "optional $LINK/lib/spank_carnot.so socket=/run/elsewhere" >"$etc/plugstack.conf"
breaks "SPANK and carnotd do not meet" 1 "warning plugstack.socket"
LINK=$LINK PLAIN=0 config_plugstack >"$etc/plugstack.conf"

chmod o+w "$etc"
breaks "others may write carnot.yaml's directory" 2 "error rights.conf"
chmod o-w "$etc"
chmod 644 "$state/ledger.sqlite"
breaks "others may read the ledger" 1 "warning rights.ledger"
chmod 600 "$state/ledger.sqlite"
heals "all is well again"

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
