#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An ordinary user does his worst to slurmctld through Carnot's plugin: forged and huge options, hostile updates; and a
# broken disk does its worst to the board. slurmctld stays the process that it was and keeps accepting jobs. Where the
# plugin was also built with AddressSanitizer, that build is the one in slurmctld. What exactly is refused is the matter of
# tests/unit/test_hostile.c and test_board_hostile.c.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

build=$(cd "${CARNOT_BUILDDIR:-$CASE_DIR/../../build}" && pwd)
raw=$build/tests/cluster/rough_submit
[[ -x $raw ]] || skip_all "rough_submit is not built (make check builds it)"

# with_asan: slurmctld gets the plugin of the unit tests' build, and the sanitizer's library before it.
with_asan() {
    local so=$build/tests/unit/.libs/job_submit_carnot_asan.so library
    [[ -r $so ]] || { WHY="the plugin was not built with AddressSanitizer (make check builds it)"; return 1; }
    library=$(ldd "$so" | sed -nE 's/^\s*libasan.* => (\/\S+).*/\1/p')
    [[ -r $library ]] || { WHY="libasan is not installed"; return 1; }
    cp "$so" "$SB/lib/job_submit_carnot.so"
    export SANDBOX_WRAP_SLURMCTLD="env LD_PRELOAD=$library ASAN_OPTIONS=detect_leaks=0:log_path=$LINK/log/asan"
}

trace "$T/carbon.csv" -600:400 1800:100 2400:400
sandbox_up sb --nodes 1 --carbon "$T/carbon.csv"
if with_asan; then
    ok "slurmctld runs with the sanitizer" "$SANDBOX" restart "$SB" slurmctld
else
    skip "slurmctld runs with the sanitizer" "$WHY"
fi
pid=$(cut -d' ' -f1 "$SB/pids/slurmctld")
same_slurmctld() {
    [[ $(cut -d' ' -f1 "$SB/pids/slurmctld") = "$pid" && -d /proc/$pid ]] && in_sandbox scontrol ping
}
decides() {
    local id
    id=$(as games sbatch --parsable -o /dev/null -t 1 --carbon-delay=90m --wrap true 2>>"$T/err") &&
        waits_for "$id" BeginTime
}
ok "the plugin decides" wait_for 20 decides

# ---- options: by hand, forged, repeated, huge

# A copy where the user may run and read it, and what he runs in one go: as games, in a shell.
mkdir "$T/user" && cp "$raw" "$T/user/"
printf '#!/bin/sh\ntrue\n' >"$T/user/job.sh"
long=$(printf '%0100000d' 0)
readonly OPTION=_SLURM_SPANK_OPTION_carnot_
raw() {
    as games "$T/user/rough_submit" "$@" "$T/user/job.sh"
}
ok "what is well-formed is taken" raw -e "${OPTION}carbon_delay=5m"
not_ok "a forged value is refused" raw -e "${OPTION}carbon_delay=soon"
not_ok "a forged name" raw -e "${OPTION}nonsense=1"
not_ok "one without '='" raw -e "${OPTION}carbon_delay"
ok "ten thousand times the same is taken" raw -r 10000 -e "${OPTION}carbon_delay=5m"
not_ok "a megabyte as value is refused" raw -x 1000000 -e "${OPTION}carbon_delay="
not_ok "a megabyte as name" raw -x 1000000 -e "$OPTION"
ok "a megabyte for somebody else is taken" raw -x 1000000 -e "OTHER="
# Slurm 22.05 throws such a message away itself.
{ raw -e A=1 -e - -e "${OPTION}carbon_delay=soon" -e - || raw -r 1000 -e -; } >"$T/out" 2>>"$T/err"

# Scripts of many bytes without an end of line, and sbatch's own options; said to be refused or not, nothing falls.
cat >"$T/user/storm" <<'STORM'
for what in '#' x; do
    for first in '' '#CARNOT carbon-delay=' '#CARNOT carbon-delay=5m '; do
        { printf '#!/bin/sh\n%s' "$first"; head -c 1000000 /dev/zero | tr '\0' "$what"; } >"$2/script"
        sbatch --parsable -o /dev/null -t 1 "$2/script"
    done
done
for option in --array=0-999%1 --time=UNLIMITED --nodes=1-99999 --ntasks=4294967 --begin=2999-01-01 --gres=gpu:99999 \
    --partition=',,,' --account="$1" --energy-budget=99999999999999999999kWh; do
    sbatch --parsable -o /dev/null --wrap true "$option"
done
CARNOT_CARBON_DELAY=$1 sbatch -o /dev/null --wrap true
CARNOT_TTY=$1 CARNOT_CARBON_RUN=%s%n%s%n sbatch -o /dev/null --wrap true
STORM
mkdir -m 777 "$T/user/tmp"
as games bash "$T/user/storm" "$long" "$T/user/tmp" >"$T/out" 2>>"$T/err"
ok "slurmctld is the process that it was" same_slurmctld
ok "and decides" decides

# ---- updates of a job of one's own

cat >"$T/user/updates" <<'UPDATES'
for change in TimeLimit=UNLIMITED TimeLimit=0 NumNodes=1-99999 NumCPUs=4294967 Partition=',,,' "Partition=$2" "Account=$2" \
    StartTime=2999-01-01 Licenses="$2" Licenses=watts:4294967295 "Comment=$2" Dependency=singleton \
    AdminComment="carnot:v=1,id=1,t=$2" SiteFactor=1 Priority=4294967294 MinCPUsNode=65000 ReqNodeList="$2" \
    "Features=$2" ArrayTaskThrottle=4294967295 Nice=-2147483648 Deadline=now StartTime=now; do
    scontrol update jobid="$1" "$change"
    scontrol update jobid="${1}_3" "$change"
done
UPDATES
id=$(as games sbatch --parsable -o /dev/null -t 10 --array=1-5 --carbon-delay=90m --wrap true)
ok "an array waits" waits_for "${id}_3" BeginTime
as games bash "$T/user/updates" "$id" "$long" >"$T/out" 2>>"$T/err"
ok "slurmctld is the process that it was" same_slurmctld
# The array asks for 65,000 CPUs now, for ever: boards know it.
sleep 5
ok "and decides" decides
is "the plugin has seen the updates" "$(wait_for 10 jq -e '.modify.calls > 10' "$LINK/state/board.plugin" && echo yes)" yes

# ---- the board: made by hand, put in the place of the real one

board=$LINK/state/board
refused() {
    [[ $(jq .bad_boards "$board.plugin") -gt $1 ]]
}
# put_board: what comes in becomes the board, as carnotctld would put it there; then wait until the plugin has refused it.
put_board() {
    local before
    before=$(jq .bad_boards "$board.plugin")
    cat >"$board.made" && mv "$board.made" "$board"
    wait_for 10 refused "$before"
}
# word OFFSET: the real board with the largest number there.
word() {
    head -c "$1" "$T/board"
    printf '\xff\xff\xff\x7f'
    tail -c +"$(($1 + 5))" "$T/board"
}
ok "carnotctld is out of the way" "$SANDBOX" kill "$SB" carnotctld
cp "$board" "$T/board"
size=$(stat -c %s "$T/board")
ok "a board cut in its header is refused" put_board < <(head -c 40 "$T/board")
ok "one cut at the last byte" put_board < <(head -c $((size - 1)) "$T/board")
ok "one twice as long" put_board < <(cat "$T/board" "$T/board")
ok "noise" put_board < <(head -c 100000 /dev/urandom)
ok "a wrong version" put_board < <(word 8)
ok "a wrong count" put_board < <(word 36)
ok "slurmctld is the process that it was" same_slurmctld
ok "and decides by the last good board" decides
rm -f "$board" && mkfifo "$board"
sleep 1
rm -f "$board"
ok "a job is accepted without a board" as games sbatch --parsable -o /dev/null -t 1 --wrap true
ok "carnotctld comes back" "$SANDBOX" restart "$SB" carnotctld
# One look takes as long as a job needs to wait, and the first may come before the board.
ok "and the plugin decides by its board" wait_for 60 decides
ok "slurmctld is the process that it was" same_slurmctld
in_sandbox scancel -u games
is "the sanitizer found nothing" "$(cat "$SB"/log/asan* 2>/dev/null; grep 'runtime error' "$SB/log/slurmctld.out")" ""

done_testing
