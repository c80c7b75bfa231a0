# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The files that a sandbox is configured with: slurm.conf, cgroup.conf, plugstack.conf, carnot.yaml, and an example
# carbon trace. Each function prints one file; `sandbox` decides where it goes. Sourced by `sandbox`, not run.
#
# Uses the globals LINK (short path of the sandbox), SLOT, NODES, CTLD_PORT, CARNOT_PORT, NODE_PORT, PLAIN and PLUGIN,
# and sandbox-dbd.sh for the lines on accounting.

# Where Slurm keeps its own plugins: asked of the dynamic linker's directories, since the name holds the architecture.
slurm_plugin_dir() {
    local dir
    for dir in /usr/lib/*/slurm-wlm /usr/lib/*/slurm /usr/lib64/slurm /usr/lib/slurm /usr/local/lib/slurm; do
        if [[ -e $dir/auth_munge.so ]]; then
            printf '%s\n' "$dir"
            return 0
        fi
    done
    return 1
}

# Prints v1, v2 or none: which cgroup hierarchy Slurm can really write to here.
cgroup_kind() {
    local root=/sys/fs/cgroup probe
    if [[ -e $root/cgroup.controllers ]]; then
        probe=$root/carnot-probe-$$
        if grep -q cpuset $root/cgroup.controllers && mkdir "$probe" 2>/dev/null; then
            rmdir "$probe"
            echo v2
            return
        fi
    elif [[ -e $root/freezer/release_agent && -e $root/cpuset/cpuset.cpus && -e $root/memory && -e $root/cpuacct ]]; then
        probe=$root/freezer/carnot-probe-$$
        if mkdir "$probe" 2>/dev/null; then
            rmdir "$probe"
            echo v1
            return
        fi
    fi
    echo none
}

config_slurm() {
    local host prefix='' track=linuxproc gather=linux
    host=$(hostname -s)
    if [[ $(cgroup_kind) != none ]]; then
        track=cgroup
        gather=cgroup
    fi
    [[ $PLAIN = 1 ]] || prefix="$LINK/lib:"
    cat <<CONF
# Written by tests/cluster/sandbox.
ClusterName=sandbox
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$CTLD_PORT
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$LINK/run/munge.socket
PluginDir=$prefix$(slurm_plugin_dir)
PlugStackConfig=$LINK/etc/plugstack.conf

StateSaveLocation=$LINK/state/slurmctld
SlurmdSpoolDir=$LINK/spool/%n
SlurmctldPidFile=$LINK/run/slurmctld.pid
SlurmdPidFile=$LINK/run/%n/slurmd.pid
SlurmctldLogFile=$LINK/log/slurmctld.log
SlurmdLogFile=$LINK/log/slurmd-%n.log
MailProg=/bin/true
# Each sandbox has job ids of its own: with several slurmd of one name on a machine, jobs meet in one cgroup tree.
FirstJobId=$((SLOT * 10000 + 1))
MaxJobId=$((SLOT * 10000 + 9999))

SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=bf_licenses,bf_continue,bf_interval=1,bf_yield_interval=1000000,sched_interval=1,sched_min_interval=100000,batch_sched_delay=0
PriorityType=priority/multifactor
$(config_slurm_accounting)
JobCompType=jobcomp/none
ProctrackType=proctrack/$track
JobAcctGatherType=jobacct_gather/$gather
JobAcctGatherFrequency=task=5
TaskPlugin=task/none
PrologFlags=Alloc
ReturnToService=2
KillWait=2
MinJobAge=300
SlurmdTimeout=300
SlurmdParameters=config_overrides

NodeName=n[1-$NODES] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$NODE_PORT-$((NODE_PORT + NODES - 1))] Sockets=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=4000 State=UNKNOWN
PartitionName=batch Nodes=ALL Default=YES DefaultTime=00:01:00 MaxTime=1-00 State=UP
PartitionName=debug Nodes=ALL DefaultTime=00:01:00 MaxTime=00:30:00 State=UP
CONF
    [[ $PLUGIN = 0 ]] || echo "JobSubmitPlugins=carnot"
}

config_cgroup() {
    case $(cgroup_kind) in
    v1) printf '%s\n' CgroupPlugin=cgroup/v1 ;;
    v2) printf '%s\n' CgroupPlugin=cgroup/v2 IgnoreSystemdOnFailure=yes ;;
    none)
        # slurmd starts without cgroups if told so; 22.05 has no word for it, but looks for v1 only when it needs it
        if [[ $(slurmd -V) =~ \ 2[0-2]\. ]]; then echo CgroupPlugin=cgroup/v1; else echo CgroupPlugin=disabled; fi
        ;;
    esac
}

config_plugstack() {
    # Slurm runs prologs without slurmd's environment, so the path of the socket is an argument.
    [[ $PLUGIN = 0 ]] || echo "optional $LINK/lib/spank_carnot.so socket=$LINK/run/%n/carnotd.sock"
}

# The default configuration of Carnot, with the placeholders that `start` fills in.
config_carnot() {
    cat <<'CONF'
# Configuration of a sandbox: it acts, and asks for no minimum gain, since test jobs are tiny; they need
# what they ask for.
cluster: sandbox
mode: act
operators: [root]
state_dir: @DIR@/state
log_dir: @DIR@/log
munge_socket: @DIR@/run/munge.socket
controller:
  host: 127.0.0.1
  port: @PORT@
  board: @DIR@/state/board
  poll: 1s
  board_interval: 1s
carbon:
  zone: DE
  feed: csv
  file: @TRACE@
  replay: false
  slot: 5s
  horizon: 24h
policy:
  policy: balanced
  lambda: 0.001g
  min_gain: 0g
  max_delay: 7d
  overbook: 1.0
  board_max_age: 60s
budget:
  grace: 5s
power:
  cpu_idle: 2W
  cpu_max: 10W
  pue: 1.0
node:
  interval: 1s
  log_interval: 2s
  report_interval: 2s
  state_dir: @DIR@/state/%n
  log_dir: @DIR@/log/%n
  socket: @DIR@/run/%n/carnotd.sock
CONF
}

# A quiet day that begins an hour ago: nothing in it is worth a long wait.
example_trace() {
    local now quarter
    now=$(date +%s)
    echo "time,zone,g_per_kwh"
    for ((quarter = -4; quarter < 96; quarter++)); do
        printf '%s,DE,%d\n' "$(date -u -d "@$((now + quarter * 900))" +%FT%TZ)" $((400 + (quarter % 5)))
    done
}
