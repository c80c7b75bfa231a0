#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What Carnot's plugin asks of the kernel while slurmctld takes submissions: calls that reach files or sockets come from
# the board's thread alone, never from one that holds slurmctld's locks. strace says of each call which code made it.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox
command -v strace >/dev/null || skip_all "strace is not installed"
strace -V | grep -q stack-trace= || skip_all "this strace cannot show who calls"

trace "$T/carbon.csv" -600:400 1800:100 2400:400
# Without TZ the C library looks at /etc/localtime whenever it feels like it.
unset TZ
echo MessageTimeout=100 >"$T/slurm.conf" # strace asks for the stack at each call
sandbox_up sb --nodes 1 --carbon "$T/carbon.csv" --slurm "$T/slurm.conf"
in_sandbox carnot budget set account none --energy 1J --period month >&2
sleep 3
pid=$(cut -d' ' -f1 "$SB/pids/slurmctld")
submit -t 1 -H --carbon-delay=5m --wrap true >&2

# tids NAME: the threads of slurmctld that are called so.
tids() {
    grep -lx "$1" /proc/"$pid"/task/*/comm | cut -d/ -f5
}
loader=$(tids carnot-board)
like "the board's thread has a name" "$loader" '^[0-9]+$'

strace -f -k -e trace=%file,%network,read,write,readv,writev,pread64,pwrite64,fsync,fdatasync,ioctl -o "$T/strace" -p "$pid" 2>"$T/strace.err" &
strace=$!
attached() {
    grep -q "^TracerPid:.$strace\$" "/proc/$pid/status"
}
ok "strace is attached" wait_for 20 attached
calls_before=$(jq .submit.calls "$LINK/state/board.plugin")
printf '#!/bin/sh\n#CARNOT carbon-finish-by=08:00\ntrue\n' >"$T/finish-by.sh"
{
    submit -t 1 -H --wrap true
    submit -t 1 -H --carbon-delay=90m --wrap true
    submit -t 1 -H "$T/finish-by.sh"
    CARNOT_TTY=1 submit -t 1 -H --carbon-delay=90m --wrap true
    submit -t 1 -H --array=1-5 --carbon-delay=90m --wrap true
    submit -t 1 -A none --wrap true
    in_sandbox sbatch --test-only -t 1 --carbon-delay=90m --wrap true
    in_sandbox env CARNOT_CARBON_DELAY=soon sbatch -t 1 --wrap true
    id=$(submit -t 1 -H --carbon-delay=90m --wrap true)
    in_sandbox scontrol update jobid="$id" TimeLimit=2
} >&2
traced() {
    [[ $(jq .submit.calls "$LINK/state/board.plugin") -ge $((calls_before + 9)) ]]
}
ok "nine submissions came by" wait_for 240 traced
kill -INT "$strace" && wait "$strace" 2>/dev/null

# ours: "TID CALL" of each call that code of the plugin made.
ours() {
    awk '/^[0-9]/ { tid = $1; line = $0; told = 0; next }
        /job_submit_carnot\.so/ && !told { told = 1; sub(/^[0-9]+ +/, "", line); print tid, line }' "$T/strace"
}
ours >"$T/ours"
like "strace has seen the board's thread look at its file" "$(grep -F "$LINK/state/board" "$T/ours")" "^$loader "
like "and other threads of slurmctld" "$(awk '/^[0-9]/ { print $1 }' "$T/strace" | sort -u | wc -l)" '^([3-9]|[1-9][0-9]+)$'
is "no other thread of slurmctld reaches a file or a socket for Carnot" "$(grep -v "^$loader " "$T/ours" | sort -u | head -n 20)" ""
is "none names the board or its counters" \
    "$(grep -E '^[0-9]' "$T/strace" | grep -F "$LINK/state/board" | grep -v "^$loader " | head -n 5)" ""
# Answers to sbatch hold our sentence as well; 26.05 sends them behind a length.
is "none writes a line of ours to slurmctld's log" \
    "$(grep -E '^[0-9]+ +(write|writev|pwrite64)\(' "$T/strace" | grep 'carnot:' | grep -vE "^$loader |\"PATH=|iov_base=\"\\\\0\\\\0" | head -n 5)" ""
ok "slurmctld answers" in_sandbox scontrol ping
in_sandbox scancel -u root

done_testing
