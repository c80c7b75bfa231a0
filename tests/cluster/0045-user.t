#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# carnotd as a user of its own on a real Slurm: it hears of jobs, finds their CPU time, its reports count, and ordinary users
# can read nothing of it. Killed and started again it goes on.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox
uid=$(id -u nobody 2>/dev/null) || skip_all "there is no account nobody"

{
    "$SANDBOX" default-config
    echo "  user: nobody"
} >"$T/carnot.yaml"
sandbox_up sb --nodes 2 --carnot "$T/carnot.yaml"

carnotd() { cut -d' ' -f1 "$SB/pids/carnotd-$1"; }
uids() { awk '/^Uid:/ { print $2, $3, $4, $5 }' /proc/"$(carnotd "$1")"/task/*/status | sort -u; }
caps() { awk '/^CapEff:/ { print $2 }' /proc/"$(carnotd "$1")"/task/*/status | sort -u | tail -n 1; }
is "carnotd is nobody, with all its threads" "$(uids n1)" "$uid $uid $uid $uid"
like "with CAP_PERFMON at most" "$(caps n1)" "^000000(0|4)000000000$"

# ---- jobs

id=$(submit -n1 --wrap "timeout 8 sh -c 'while :; do :; done'; true")
ok "a job runs" wait_state 20 "$id" RUNNING
ok "and ends" wait_for 60 queue_empty
ok "its records are acknowledged" wait_for 30 all_reported n1 n2
counted() { [[ $(energy_by_job n1 | awk -v id="$id" '$1 == id { print $2 }') -gt 0 ]]; }
ok "it has joules" wait_for 10 counted
said=$(grep -h '"ev":"job.start"' "$SB/log/n1/telemetry.jsonl" | jq -r "select(.job==$id) | .by")
is "SPANK told of it, over a socket that is root's and carnotd's" "$said" spank

# ---- what ordinary users can read

other=$(getent passwd | awk -F: '$3 > 0 && $1 != "nobody" && $1 != "munge" { print $1; exit }')
denied() { ! setpriv --reuid "$other" --regid 65533 --clear-groups cat "$1" >/dev/null 2>&1; }
ok "not the records" denied "$SB/log/n1/telemetry.jsonl"
ok "nor the state" denied "$SB/state/n1/counters.json"
# shellcheck disable=SC2016 # perl expands it
connects() {
    setpriv --reuid "$1" --regid 65533 --clear-groups perl -MIO::Socket::UNIX -MSocket -e \
        'exit !IO::Socket::UNIX->new(Type => SOCK_SEQPACKET, Peer => $ARGV[0])' "$LINK/run/n1/carnotd.sock"
}
ok "root may connect to the socket" connects 0
not_ok "$other may not" connects "$other"

# ---- a kill

before=$(jq -s 'map(select(.ev=="record")) | last.seq' "$SB/log/n1/telemetry.jsonl")
"$SANDBOX" kill "$SB" carnotd-n1 >&2
ok "it comes back" "$SANDBOX" restart "$SB" carnotd-n1
goes_on() { [[ $(jq -s 'map(select(.ev=="record")) | last.seq' "$SB/log/n1/telemetry.jsonl") -gt $before ]]; }
ok "and its numbers go on" wait_for 20 goes_on
is "as nobody" "$(uids n1)" "$uid $uid $uid $uid"
is "every record adds up" "$(broken_records n1)" ""
done_testing
