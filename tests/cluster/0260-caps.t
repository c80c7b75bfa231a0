#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# --power-cap from the flag, an #CARNOT line and the environment to limits in a powercap tree: set while the job holds its
# node alone, restored at its end, at carnotd's end, and after a kill -9 when it starts again, which sets it again if the job
# still runs; not set on a shared node, nor where another owner of the limits is at work, which is said. The trees are files;
# the helper that writes them is started for each connection, as the service manager does it.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox
perl -MIO::Socket::UNIX -e 1 2>/dev/null || skip_all "perl has no IO::Socket::UNIX"
for BUILD in "${CARNOT_BUILDDIR:-}" "$CASE_DIR/../../build" "$CASE_DIR/../.."; do
    [[ -n $BUILD && -x $BUILD/src/powercap/carnot-powercap ]] && break
done
raw=$(test_program raw_submit) || skip_all "raw_submit is not built"
helper=$(cd "$BUILD/src/powercap" && pwd)/carnot-powercap

# ---- two machines of four CPUs and two packages of 200 W, each with its helper --------------------------------------------

M=$(mktemp -d /tmp/carnot-caps.XXXXXX) # a socket's path is short
chmod 755 "$M"
helpers=()
trap 'kill "${helpers[@]}" 2>/dev/null; rm -rf -- "$M"; cleanup' EXIT
machine() {
    local root=$M/$1 zone
    cp -R "$CASE_DIR/../fixtures/intel-2s" "$root"
    chmod -R u+w "$root"
    rm -rf "$root"/sys/devices/system/cpu/cpu[4-7]
    for zone in online possible present; do echo 0-3 >"$root/sys/devices/system/cpu/$zone"; done
    for zone in intel-rapl:0 intel-rapl:1; do
        echo long_term >"$root/sys/class/powercap/$zone/constraint_0_name"
        echo 200000000 >"$root/sys/class/powercap/$zone/constraint_0_max_power_uw"
        echo 200000000 >"$root/sys/class/powercap/$zone/constraint_0_power_limit_uw"
    done
    perl -MIO::Socket::UNIX -MSocket=SOCK_SEQPACKET -e '
        my ($path, @program) = @ARGV;
        my $listen = IO::Socket::UNIX->new(Type => SOCK_SEQPACKET, Local => $path, Listen => 8) or die "$path: $!";
        $SIG{CHLD} = "IGNORE";
        while (1) {
            my $peer = $listen->accept or next;
            next if fork;
            open STDIN, "<&", $peer; open STDOUT, ">&", $peer;
            exec @program;
        }' "$M/$1.sock" "$helper" --sysroot "$root" --state-dir "$M/state-$1" 2>>"$M/$1.log" &
    helpers+=($!)
    wait_for 10 test -S "$M/$1.sock" || bail_out "the helper of $1 does not listen"
}
machine n1
machine n2
# Behind its other words stands the node's name.
cat >"$M/carnotd" <<WRAP
#!/bin/bash
exec "\$@" --sysroot "$M/\${!#}"
WRAP
chmod 755 "$M/carnotd"
{ "$SANDBOX" default-config && echo "  cap_socket: $M/%n.sock"; } >"$T/carnot.yaml"
SANDBOX_WRAP_CARNOTD=$M/carnotd
export SANDBOX_WRAP_CARNOTD
echo 'PartitionName=whole Nodes=n2 DefaultTime=00:10:00 MaxTime=1-00 OverSubscribe=EXCLUSIVE State=UP' >"$T/slurm.conf"
sandbox_up sb --nodes 2 --carnot "$T/carnot.yaml" --slurm "$T/slurm.conf"

# Limits of a node in watts.
limits() { sed 's/^0*//;s/000000$//' "$M/$1"/sys/class/powercap/intel-rapl:[01]/constraint_0_power_limit_uw | xargs; }
limits_are() { [[ $(limits "$1") = "$2" ]]; }
# said NODE JOB EVENT [TEXT]: the telemetry log has it.
said() { grep "\"ev\":\"cap.$3\",\"node\":\"$1\",\"job\":$2," "$SB/log/$1/telemetry.jsonl" | grep -qF -- "${4:-}"; }
capped() { submit -t 5 --exclusive -N1 -w "$@"; }

caps_checked() { in_sandbox carnot check --node="$1" -v | grep -F '[node.caps]'; }
like "carnot check --node sees whom carnotd asks" "$(caps_checked n1)" 'power caps are asked for at'

# ---- a job that holds its node alone --------------------------------------------------------------------------------------

is "as it comes" "$(limits n1)" "200 200"
a=$(capped n1 --power-cap=node:300W --wrap 'sleep 120')
ok "a whole node is capped" wait_for 20 limits_are n1 "150 150"
ok "which is logged" wait_for 5 said n1 "$a" set '"cap":"node:300000mW","limits":2,"asked_mw":300000,"actual_mw":300000'
is "its neighbour is not" "$(limits n2)" "200 200"
is "the journal has what was there" "$(grep -c ' 200000000 ' "$M/state-n1/journal")" 2
in_sandbox scancel "$a"
ok "restored at its end" wait_for 20 limits_are n1 "200 200"
ok "which is logged" wait_for 5 said n1 "$a" restore
not_ok "no journal is left" test -e "$M/state-n1/journal"

b=$(capped n1 --wrap 'sleep 120')
wait_state 20 "$b" RUNNING
sleep 2
is "a job that asks for none gets none" "$(limits n1)" "200 200"
in_sandbox scancel "$b"
queue_empty || wait_for 20 queue_empty

# ---- every way to ask -----------------------------------------------------------------------------------------------------

printf '#!/bin/bash\n#CARNOT power-cap=node:200W\nsleep 120\n' >"$T/line.sh"
c=$(capped n1 "$T/line.sh")
ok "by an #CARNOT line" wait_for 20 limits_are n1 "100 100"
in_sandbox scancel "$c"
ok "restored" wait_for 20 limits_are n1 "200 200"
d=$(CARNOT_POWER_CAP=node:240W capped n1 --wrap 'sleep 120')
ok "by the environment" wait_for 20 limits_are n1 "120 120"
in_sandbox scancel "$d"
ok "restored" wait_for 20 limits_are n1 "200 200"
d=$(CARNOT_POWER_CAP=node:240W capped n1 --power-cap=node:260W "$T/line.sh")
ok "the flag is above the line and the environment" wait_for 20 limits_are n1 "130 130"
in_sandbox scancel "$d"
ok "restored" wait_for 20 limits_are n1 "200 200"
d=$(CARNOT_POWER_CAP=node:240W capped n1 "$T/line.sh")
ok "the line is above the environment" wait_for 20 limits_are n1 "100 100"
in_sandbox scancel "$d"
ok "restored" wait_for 20 limits_are n1 "200 200"
is "by srun" "$(in_sandbox srun -Q -t 1 --exclusive -N1 -w n1 --power-cap=node:280W bash -c "
    for i in {1..50}; do grep -q 0140000000 '$M'/n1/sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw && echo yes && exit
    sleep 0.2; done" 2>&1)" yes
ok "restored" wait_for 20 limits_are n1 "200 200"
is "by salloc" "$(CARNOT_POWER_CAP=node:280W in_sandbox salloc -Q -t 1 --exclusive -N1 -w n1 bash -c "
    for i in {1..50}; do grep -q 0140000000 '$M'/n1/sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw && echo yes && exit
    sleep 0.2; done" 2>&1)" yes
ok "restored" wait_for 20 limits_are n1 "200 200"

printf '#!/bin/bash\nsleep 120\n' >"$T/portal.sh"
d=$(SBATCH_PARTITION=whole in_sandbox "$raw" batch "$T/portal.sh" CARNOT_POWER_CAP=node:240W)
ok "without SPANK, as from a portal, by the environment" wait_for 20 limits_are n2 "120 120"
in_sandbox scancel "$d"
ok "restored" wait_for 20 limits_are n2 "200 200"
d=$(SBATCH_PARTITION=whole in_sandbox "$raw" batch "$T/line.sh")
ok "and by an #CARNOT line" wait_for 20 limits_are n2 "100 100"
in_sandbox scancel "$d"
ok "restored" wait_for 20 limits_are n2 "200 200"

bad() { in_sandbox sbatch -o /dev/null --power-cap="$1" --wrap true 2>&1; }
like "a bare number" "$(bad 350W)" 'error: carnot: --power-cap=350W: say whose power.*node:1800W or gpu:300W'
like "no power at all" "$(bad node:12)" 'error: carnot: --power-cap=node:12: not a power cap'
like "in an #CARNOT line" "$(printf '#!/bin/sh\n#CARNOT power-cap=much\n' | in_sandbox sbatch -o /dev/null 2>&1)" 'script line 2: power-cap=much: not a power cap'

is "each was set once" "$(grep -c '"ev":"cap.set"' "$SB/log/n1/telemetry.jsonl")" 7
in_sandbox carnot off --partition batch >&2
sleep 3
d=$(capped n1 --power-cap=node:300W --wrap 'sleep 120')
wait_state 20 "$d" RUNNING
sleep 2
is "while Carnot is off here, there is none" "$(limits n1)" "200 200"
in_sandbox scancel "$d"
in_sandbox carnot on --partition batch >&2
wait_for 20 queue_empty
sleep 3

# ---- not here -------------------------------------------------------------------------------------------------------------

e=$(submit -t 5 -n1 -w n1 --power-cap=node:300W --wrap 'sleep 120')
ok "a job that shares its node gets none, and that is said" wait_for 20 said n1 "$e" refused 'does not hold this node alone'
is "its limits stay" "$(limits n1)" "200 200"
f=$(submit -t 5 -n1 -w n2 --power-cap=node:300W --wrap "sbatch -t 5 -N1 --exclusive -w n2 -o /dev/null --wrap 'sleep 20'")
ok "nor here" wait_for 20 said n2 "$f" refused
ok "what a job submits" wait_for 20 queue_has_no "$f"
sleep 5
is "does not inherit" "$(limits n2)" "200 200"
in_sandbox scancel -u root
wait_for 20 queue_empty
g=$(capped n1 --power-cap=node:20W --wrap 'sleep 120')
ok "less than a machine runs on is refused" wait_for 20 said n1 "$g" refused 'it takes at least 50 W'
in_sandbox scancel "$g"
wait_for 20 queue_empty
mkdir -p "$M/n1/proc/812"
echo eard >"$M/n1/proc/812/comm"
g=$(capped n1 --power-cap=node:300W --wrap 'sleep 120')
ok "EAR's limits are left alone" wait_for 20 said n1 "$g" aside 'eard (EAR, process 812)'
is "and stay" "$(limits n1)" "200 200"
rm -r "$M/n1/proc/812"
in_sandbox scancel "$g"
wait_for 20 queue_empty

# ---- crashes --------------------------------------------------------------------------------------------------------------

# A job that carnotd on n1 can see after a restart: its slurmstepd is the only process of the running system in that tree,
# for as long as it runs.
visible() {
    local stepd
    rm -f "$T/stepd"
    h=$(capped n1 --power-cap=node:300W --wrap "echo \$PPID >'$T/stepd'; sleep 120")
    ok "capped" wait_for 20 limits_are n1 "150 150"
    wait_for 10 test -s "$T/stepd" || bail_out "the job does not say who runs it"
    stepd=$(<"$T/stepd")
    mkdir "$M/n1/proc/$stepd" && ln -s "/proc/$stepd/cmdline" "$M/n1/proc/$stepd/cmdline"
    ok "its cap is kept for another start" test -s "$SB/state/n1/capped-job"
    sleep 2
}
sets() { grep -c "\"ev\":\"cap.set\",\"node\":\"n1\",\"job\":$1," "$SB/log/n1/telemetry.jsonl"; }
set_times() { [[ $(sets "$1") = "$2" ]]; }

visible
"$SANDBOX" kill "$SB" carnotd-n1 >&2
sleep 1
is "a kill -9 of carnotd leaves the cap" "$(limits n1)" "150 150"
"$SANDBOX" restart "$SB" carnotd-n1 >&2
ok "its next start sets it again" wait_for 20 set_times "$h" 2
ok "behind a restore" said n1 null restore '"limits":2'
is "it is in force" "$(limits n1)" "150 150"
is "the journal has what was there before Carnot" "$(grep -c ' 200000000 ' "$M/state-n1/journal")" 2
ok "the job runs on" job_in_state "$h" RUNNING
in_sandbox scancel "$h"
ok "restored at its end" wait_for 20 limits_are n1 "200 200"
wait_for 20 queue_empty

visible
read -r pid _ <"$SB/pids/carnotd-n1"
kill -TERM "$pid"
ok "restored at its stop" wait_for 20 limits_are n1 "200 200"
"$SANDBOX" restart "$SB" carnotd-n1 >&2
ok "set again at its start" wait_for 20 limits_are n1 "150 150"
# wherever that catches it
for _ in 1 2 3; do "$SANDBOX" kill "$SB" carnotd-n1 >&2 && "$SANDBOX" restart "$SB" carnotd-n1 >&2; done
"$SANDBOX" kill "$SB" carnotd-n1 >&2
n=$(sets "$h")
"$SANDBOX" restart "$SB" carnotd-n1 >&2
ok "and after kills at other moments" wait_for 20 set_times "$h" $((n + 1))
is "it is in force" "$(limits n1)" "150 150"
"$SANDBOX" kill "$SB" carnotd-n1 >&2
in_sandbox scancel "$h"
wait_for 30 queue_empty
"$SANDBOX" restart "$SB" carnotd-n1 >&2
ok "but not when the job has ended meanwhile" wait_for 20 limits_are n1 "200 200"
sleep 3
is "nor later" "$(limits n1)" "200 200"
not_ok "nothing is kept for another start" test -e "$SB/state/n1/capped-job"

# A helper that is killed says nothing: what it may have done is undone.
h=$(capped n1 --power-cap=node:300W --wrap 'sleep 120')
ok "capped" wait_for 20 limits_are n1 "150 150"
"$SANDBOX" kill "$SB" carnotd-n1 >&2
in_sandbox scancel "$h"
wait_for 30 queue_empty
is "with carnotd dead the job's end restores nothing" "$(limits n1)" "150 150"
"$SANDBOX" restart "$SB" carnotd-n1 >&2
ok "its next start does" wait_for 20 limits_are n1 "200 200"
not_ok "no journal is left" test -e "$M/state-n1/journal"
is "no error names Carnot" "$(grep 'error: carnot' "$SB/log/slurmctld.log")" ""

done_testing
