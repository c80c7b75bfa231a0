#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Jobs in all the forms that Slurm takes them in: sizes and times given in odd ways, lists of partitions, bounds, holds,
# reservations, heterogeneous jobs, interactive and immediate ones, cron, and submissions that no SPANK plugin saw.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=sandbox-config.sh
. "$CASE_DIR/sandbox-config.sh"
need_sandbox
raw=$(test_program raw_submit) || skip_all "raw_submit is not built"

cat >"$T/slurm.conf" <<'CONF'
ScronParameters=enable
PartitionName=whole Nodes=ALL DefaultTime=00:10:00 MaxTime=1-00 OverSubscribe=EXCLUSIVE State=UP
PartitionName=endless Nodes=ALL MaxTime=UNLIMITED State=UP
CONF
trace "$T/carbon.csv" -600:400 600:100 1200:400
dip=$((TRACE_NOW + 600))
sandbox_up sb --nodes 4 --carbon "$T/carbon.csv" --slurm "$T/slurm.conf"

# held OPTION...: a job that is held by its user while we look at it.
held() { submit --hold --carbon-delay=20m "$@" --wrap true; }
# priced_at ID JOULES: what the job was told that it may cost; 10 W a CPU here.
priced_at() { [[ $(note "$1" j) = "$2.000000" ]]; }
in_dip() {
    local begin
    begin=$(job_epoch "$1" EligibleTime)
    ((begin >= dip && begin < dip + 600))
}
not_past() { (($(job_epoch "$1" EligibleTime) <= $2)); }

# ---- sizes and times: the dearest that may come of it is what counts

while read -r joules options; do
    # shellcheck disable=SC2086
    ok "$options is priced at $joules J" priced_at "$(held $options)" "$joules"
done <<'ROWS'
600 -n1
2400 --exclusive
2400 -N2-4
3600 -n3 -c2
4800 -n8
2400 -c4
2400 -N1 --ntasks-per-node=4
1800 --time-min=1 -t3
24000 -p whole
24000 -p batch,whole
24000 -p whole,batch
4800 -p whole,batch -t2
315360000 -p endless
315360000 -p endless -t UNLIMITED
ROWS
is "an endless job finds no greener time" "$(note "$(held -p endless)" code)" FLAT
ok "any other waits for the dip" in_dip "$(held -p batch,whole -t1)"
in_sandbox scancel -u root
in_sandbox carnot off --partition batch >&2
sleep 3
is "a switched off default partition only observes" "$(note "$(held)" code)" OBSERVE
is "and a list that it is in" "$(note "$(held -p debug,batch)" code)" OBSERVE
is "not another one" "$(note "$(held -p debug)" code)" GREENER_LATER
in_sandbox carnot on --partition batch >&2
sleep 3

# ---- bounds

early=$(submit -t1 --begin=now+2minutes --carbon-delay=20m --wrap true)
ok "--begin before the dip: it waits on" in_dip "$early"
late=$(date -d "@$((dip + 200))" +%FT%T)
is "--begin in the dip: at that time" "$(job "$(submit -t1 --begin="$late" --carbon-delay=20m --wrap true)" StartTime)" "$late"
deadline=$((dip + 360))
tight=$(submit -t5 --deadline="$(date -d "@$deadline" +%FT%T)" --carbon-delay=20m --wrap true)
ok "--deadline behind the dip: in it" in_dip "$tight"
ok "with its time limit before the deadline" not_past "$tight" $((deadline - 300))
is "and that is the promise" "$(note "$tight" latest)" $((deadline - 300))
near=$(submit -t1 --deadline="$(date -d "@$((dip - 120))" +%FT%T)" --carbon-delay=20m --wrap 'sleep 1')
ok "--deadline before the dip: it runs" wait_state 15 "$near" 'RUNNING|COMPLETED'
in_sandbox scontrol create reservation reservationname=mine starttime=now duration=30 nodes=n4 user=root flags=ignore_jobs >&2
reserved=$(submit -t1 --reservation=mine --carbon-delay=20m --wrap 'sleep 1')
ok "in a reservation it runs at once" wait_state 15 "$reserved" 'RUNNING|COMPLETED'

id=$(submit -t1 --carbon-delay=20m --wrap true)
in_sandbox scontrol hold "$id"
in_sandbox scontrol release "$id"
ok "held and released, it still waits for the dip" in_dip "$id"
for_begin_time() { [[ $(job "$id" Reason) = BeginTime ]]; }
ok "for that reason" wait_for 10 for_begin_time

# ---- heterogeneous jobs

lines=$(CARNOT_QUIET=0 in_sandbox sbatch -o /dev/null -t1 --carbon-delay=20m --carbon-run=duo -n1 --wrap 'srun sleep 3' : -n2 2>&1)
is "a heterogeneous job gets one line" "$(grep -c carnot: <<<"$lines")" 1
first=$(sed -n 's/^Submitted batch job //p' <<<"$lines")
second=$((first + 1))
ok "its first component waits for the dip" in_dip "$first"
is "the second as long" "$(job "$second" EligibleTime)" "$(job "$first" EligibleTime)"
is "with the same promise" "$(note "$second" latest)" "$(note "$first" latest)"
ok "priced by its own size" priced_at "$second" 1200
ok "carnotctld knows both" wait_for 15 in_sandbox carnot why "$second"
ok "who gives one up gives both up" in_sandbox carnot now "$second"
ok "they start" wait_state 40 "$first" 'RUNNING|COMPLETED'
ok "together" wait_state 5 "$second" 'RUNNING|COMPLETED'
is "at the same time" "$(job "$second" StartTime)" "$(job "$first" StartTime)"

# ---- people who wait for their job

# A busy slurmctld may refuse it; one that had to wait for the grid would be refused each time.
ok "srun -I runs at once" wait_for 30 in_sandbox srun -I -t1 --carbon-delay=20m true
is "salloc without a flag runs at once" "$(in_sandbox salloc -t1 -n1 echo hello 2>/dev/null)" hello
in_sandbox salloc -t1 -n4 -J nosteps sleep 6 >&2 2>/dev/null
used() {
    says "[.[] | select($1 and .energy_j > 0)] | length == $2" in_sandbox carnot jobs --json
}
ok "an allocation without steps has its energy" wait_for 20 used '.name == "nosteps"' 1
ok "and so has each component" wait_for 30 used '.run == "duo"' 2
wait_for 20 all_reported n1 n2 n3 n4
is "as the nodes' logs have it" "$(energy_in_ledger | grep -E "^($first|$second) ")" "$(energy_by_job n1 n2 n3 n4 | grep -E "^($first|$second) ")"

# ---- nobody but job_submit sees these

printf '#!/bin/bash\nsleep 1\n' >"$SB/plain.sh"
printf '#!/bin/bash\n#CARNOT carbon-delay=20m carbon-run=rest\nsleep 1\n' >"$SB/lines.sh"
rest=$(in_sandbox "$raw" batch "$SB/plain.sh" CARNOT_CARBON_DELAY=20m 2>"$T/rest.err")
ok "through libslurm, as slurmrestd: the environment decides" in_dip "$rest"
is "and is named" "$(note "$rest" layer)" environment
is "nobody is told" "$(<"$T/rest.err")" ""
ok "or a #CARNOT line" in_dip "$(in_sandbox "$raw" batch "$SB/lines.sh")"
not_ok "a bad one is refused" in_sandbox "$raw" batch "$SB/plain.sh" CARNOT_CARBON_DELAY=soon
ok "without either it runs" wait_state 15 "$(in_sandbox "$raw" batch "$SB/plain.sh")" 'RUNNING|COMPLETED'
sed 's|^PlugStackConfig=.*|PlugStackConfig=/dev/null|' "$SB/etc/slurm.conf" >"$SB/etc/nospank.conf"
nospank() { in_sandbox env SLURM_CONF="$LINK/etc/nospank.conf" "$@"; }
id=$(nospank env CARNOT_CARBON_DELAY=20m sbatch --parsable -o /dev/null -t1 --wrap true 2>&1)
ok "sbatch without our plugin: so does the environment" in_dip "$id"
like "our flags it does not know" "$(nospank sbatch --carbon-delay=20m --wrap true 2>&1)" 'unrecognized option'

# scrontab where there is one; Debian ships none, so its call is made by hand.
cron=$(in_sandbox "$raw" cron "$(slurm_plugin_dir)/libslurmfull.so" "$SB/plain.sh" CARNOT_CARBON_DELAY=20m 2>"$T/cron.err")
if [[ -n $cron ]]; then
    is "a cron job is one for Slurm" "$(job "$cron" CronJob)" Yes
    between "and begins at the next minute" $(($(job_epoch "$cron" StartTime) - $(date +%s))) -5 60
    is "whatever its environment asks for" "$(note "$cron" code)" IMMEDIATE
else
    skip "cron jobs" "$(<"$T/cron.err")"
fi

is "no error names Carnot" "$(grep 'error: carnot' "$SB/log/slurmctld.log")" ""
done_testing
