#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# carnotctld's port among people who do not mean well, or have set something up wrongly: reports from another host than
# the node's, garbage, connections that say nothing or never finish, names of jobs that are no text.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

# Two nodes elsewhere, by their documentation addresses.
cat >"$T/more.conf" <<'CONF'
NodeName=far NodeAddr=192.0.2.7 NodeHostname=192.0.2.7 State=DOWN
NodeName=twin NodeAddr=192.0.2.8 NodeHostname=192.0.2.8 State=DOWN
CONF
sandbox_up sb --nodes 2 --slurm "$T/more.conf"
port=$(sed -n 's/^CARNOT_PORT=//p' "$SB/sandbox.env")
ctld=$("$SANDBOX" status "$SB" | sed -n 's/^carnotctld .*pid //p')
carnotd=${CARNOT_BUILDDIR:-$CASE_DIR/../../build}/src/carnotd/carnotd

# What this case starts beside the sandbox ends with it.
mine=()
stop_mine() {
    ((${#mine[@]})) && kill "${mine[@]}" 2>/dev/null
    wait "${mine[@]+"${mine[@]}"}" 2>/dev/null
    mine=()
}
trap 'stop_mine; cleanup' EXIT

nodes_that_count() { in_sandbox carnot nodes --json | jq -r '.[].node' | sort | xargs; }
counted() { [[ " $(nodes_that_count) " = *" $1 "* ]]; }
status_answers() { says '.version != null' in_sandbox timeout 20 carnot status --json; }
rss_kb() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$ctld/status"; }

# ---- reports

ok "two nodes on one host report" wait_for 20 counted n2
ok "so does the first" wait_for 20 counted n1

mkdir -p "$SB/run/far" "$SB/run/twin"
"$SANDBOX" exec "$SB" -- "$carnotd" -N far 2>"$T/far.log" &
mine+=($!)
ok "a carnotd that names a node elsewhere is refused and told why" \
    wait_for 30 grep -q 'refused the report: .*address of node far' "$T/far.log"
ok "which the controller's events hold" \
    wait_for 5 grep -q '"ev":"node.source","code":"REFUSED","node":"far"' "$SB/log/events.jsonl"

# Slurm names one address of this node, munged puts it into credentials, reports come from another one.
munged --foreground --force --num-threads=1 --key-file="$LINK/etc/munge.key" --socket="$LINK/run/twin/munge.socket" \
    --pid-file="$LINK/run/twin/munged.pid" --seed-file="$LINK/run/twin/munged.seed" \
    --log-file="$LINK/log/munged-twin.log" --origin=192.0.2.8 2>"$T/munged.log" &
mine+=($!)
wait_for 20 munge --socket="$LINK/run/twin/munge.socket" --no-input
sed "s|^munge_socket:.*|munge_socket: $LINK/run/twin/munge.socket|" "$LINK/etc/carnot.yaml" >"$T/twin.yaml"
"$SANDBOX" exec "$SB" -- "$carnotd" -N twin -f "$T/twin.yaml" 2>"$T/twin.log" &
mine+=($!)
ok "one with several addresses counts by munge's" wait_for 30 counted twin
is "and the one elsewhere still does not" "$(nodes_that_count)" "n1 n2 twin"
stop_mine

# ---- names

long=$(printf 'é%.0s' {1..60})
ids=$(submit -J $'caf\xe9' --wrap true; submit -J "$long" --wrap true)
all_listed() { [[ $(in_sandbox carnot jobs --json | jq '.[].job_id' | sort -n) = "$ids" ]]; }
ok "jobs whose names are no UTF-8, or are cut inside a character, are listed" wait_for 20 all_listed
is "as what they can be" "$(in_sandbox carnot jobs --json | jq -r '.[].name' | sort | head -c 4)" "caf?"

# ---- the port

# strangers N BYTES LENGTH: N connections that announce a frame of so many bytes and send some of them at once; then
# they keep themselves alive with a byte every few seconds.
cat >"$T/strangers" <<'PERL'
use strict;
use IO::Socket::INET;
my ($port, $n, $bytes, $length, $ready) = @ARGV;
my $alive = time;
$SIG{PIPE} = 'IGNORE';
my @all;
for my $i (1 .. $n) {
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 10) or next;
    syswrite($s, pack("N", $length));
    $s->blocking(0);
    for (my $sent = 0; $sent < $bytes;) {
        my $done = syswrite($s, "x" x 65536);
        if (!defined $done) { last unless $!{EAGAIN}; select(undef, undef, undef, 0.002); next; }
        $sent += $done;
    }
    push @all, $s;
    if (time > $alive + 3) { syswrite($_, "x") for @all; $alive = time; }
}
open(my $f, ">", $ready) or die; close($f);
while (1) { sleep 3; syswrite($_, "x") for @all; }
PERL
strangers() {
    rm -f "$T/ready"
    (ulimit -n 4096 2>/dev/null; exec perl "$T/strangers" "$port" "$@" "$T/ready") >/dev/null &
    mine+=($!)
    wait_for 60 test -e "$T/ready"
}

for junk in '\x00\x00\x00\x00' '\xff\xff\xff\xff' '\x00\x00\x00\x05MUNGE' 'GET / HTTP/1.0\r\n\r\n'; do
    perl -MIO::Socket::INET -e "print {IO::Socket::INET->new('127.0.0.1:$port')} \"$junk\"; sleep 1" &
    mine+=($!)
done
wait "${mine[@]}"
mine=()
ok "garbage does no harm" status_answers

strangers 1200 0 1000000
ok "1200 connections say next to nothing" test -e "$T/ready"
ok "and a user is answered all the same" status_answers
board_is_new() { (($(date +%s) - $(stat -c %Y "$LINK/state/board") <= 5)); }
ok "and boards are still published" wait_for 10 board_is_new
stop_mine

before=$(rss_kb)
strangers 200 2000000 2097152
ok "200 connections send most of a large frame each" test -e "$T/ready"
ok "and a user is answered all the same" status_answers
sleep 5 # what the kernel still holds is read meanwhile
between "and they do not fill the memory (growth in kB)" "$(($(rss_kb) - before))" -1000000 120000
stop_mine
is "it is still the same carnotctld" "$("$SANDBOX" status "$SB" | sed -n 's/^carnotctld .*pid //p')" "$ctld"

done_testing
