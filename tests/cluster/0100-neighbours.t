#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What else a site has in its Slurm: a job_submit plugin in Lua before ours, a filter in Lua in sbatch, prolog and epilog
# on the controller, a tool that writes AdminComment over ours, plugstack.conf with include lines, and nodes and login
# nodes without any file of configuration.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=sandbox-config.sh
. "$CASE_DIR/sandbox-config.sh"
need_sandbox
for plugin in job_submit_lua cli_filter_lua; do
    [[ -e $(slurm_plugin_dir)/$plugin.so ]] || skip_all "Slurm's $plugin.so is not installed"
done

etc="$T/sb/etc"
mkdir -p "$etc"
cat >"$etc/job_submit.lua" <<'LUA'
function slurm_job_submit(job, parts, uid)
    if job.name == "refuse" then
        slurm.log_user("lua says no")
        return slurm.ERROR
    end
    if job.name == "talk" then slurm.log_user("lua says hello") end
    if job.name == "move" then job.partition = "debug" end
    if job.name == "short" then job.time_limit = 2 end
    if job.name == "charge" then job.account = "poor" end
    if job.name == "noted" then job.admin_comment = "lua:v=1,begin=7" end
    return slurm.SUCCESS
end

function slurm_job_modify(job, record, parts, uid)
    return slurm.SUCCESS
end
LUA
cat >"$etc/cli_filter.lua" <<'LUA'
function slurm_cli_setup_defaults(options, early)
    return slurm.SUCCESS
end

function slurm_cli_pre_submit(options, offset)
    if options["job-name"] == "filtered" then options["comment"] = "filtered" end
    return slurm.SUCCESS
end

function slurm_cli_post_submit(offset, job, step)
    return slurm.SUCCESS
end
LUA
# As the writers of job statistics do: their text in the place of what stands there.
cat >"$etc/write" <<'SH'
#!/bin/bash
SLURM_CONF=$(dirname "$0")/slurm.conf scontrol update JobId="$SLURM_JOB_ID" AdminComment="JS1:H4sIAAAA$SLURM_JOB_ID"
SH
chmod +x "$etc/write"
cat >"$T/slurm.conf" <<'CONF'
JobSubmitPlugins=lua,carnot
CliFilterPlugins=lua
PrologSlurmctld=@DIR@/etc/write
EpilogSlurmctld=@DIR@/etc/write
SlurmctldParameters=enable_configless
CONF
trace "$T/carbon.csv" -600:400 600:100 1200:400
sandbox_up sb --nodes 2 --carbon "$T/carbon.csv" --slurm "$T/slurm.conf"
in_sandbox carnot budget set account poor --energy 1J --period month >&2
in_sandbox carnot off --partition debug >&2
sleep 3

# ---- Lua on both sides of the submission

# named NAME: what a person reads; the job id goes to $T/id.
named() {
    # shellcheck disable=SC2069
    CARNOT_QUIET=0 in_sandbox sbatch --parsable --hold -o /dev/null -J "$1" -t 5 --carbon-delay=20m --wrap true 2>&1 >"$T/id"
}
text=$(named talk)
like "Lua's message is kept" "$text" 'sbatch: lua says hello'
like "and ours stands below it" "$text" $'hello\nsbatch: carnot: waits until'
like "Lua's refusal is the answer" "$(named refuse)" 'lua says no'
unlike "and there is no word of ours" "$(named refuse)" carnot
is "nor a job" "$(<"$T/id")" ""
like "a job that Lua moves to a partition that is off" "$(named move)" 'only observing'
is "is one of that partition" "$(note "$(<"$T/id")" code)" OBSERVE
named short >/dev/null
is "a time limit that Lua sets is the one that is priced" "$(note "$(<"$T/id")" j)" 1200.000000
like "an account that Lua sets is the one that pays" "$(named charge)" 'account poor has'
named noted >/dev/null
like "Lua's AdminComment stands before ours" "$(job "$(<"$T/id")" AdminComment)" '^lua:v=1,begin=7$'
like "and both are there" "$(in_sandbox scontrol show job "$(<"$T/id")")" 'lua:v=1,begin=7 carnot:v=1'
named filtered >/dev/null
is "a filter in sbatch has its way" "$(job "$(<"$T/id")" Comment)" filtered
is "and our flag passes it" "$(note "$(<"$T/id")" code)" GREENER_LATER
in_sandbox scancel -u root

# ---- a writer of AdminComment, while the job waits, when it starts and when it ends

id=$(submit -t 1 --carbon-delay=20m --carbon-run=mine --wrap 'sleep 4')
row() { in_sandbox carnot jobs --json | jq -c ".[] | select(.job_id == $id) | $1"; }
waits() { in_sandbox carnot why "$id" | grep -q GREENER_LATER; }
ok "a job waits" wait_for 15 waits
begin=$(job "$id" StartTime)
latest=$(row .latest)
in_sandbox scontrol update jobid="$id" AdminComment='JS1:carnot:v=1,id=,begin=x'
ok "carnotctld is killed" "$SANDBOX" kill "$SB" carnotctld
ok "and comes back to a comment that is not ours" "$SANDBOX" restart "$SB" carnotctld
ok "the job still waits" wait_for 15 waits
is "until the same time" "$(job "$id" StartTime)" "$begin"
is "with the same promise" "$(row .latest)" "$latest"
is "and its name" "$(row .run)" '"mine"'
early=$(submit -t 1 --carbon-delay=20m --wrap true)
in_sandbox scontrol update jobid="$early" AdminComment=JS1:early
waits_on() { [[ $(job "$early" Reason) = BeginTime ]]; }
ok "one that Carnot may never have seen with its note waits on" wait_for 10 waits_on
ok "its user gives the wait up" in_sandbox carnot now "$id"
ok "it runs and ends" wait_state 40 "$id" COMPLETED
like "with the writer's comment" "$(job "$id" AdminComment)" "^JS1:H4sIAAAA$id$"
settled() { [[ $(row '.state == "COMPLETED" and .energy_j > 0') = true ]]; }
ok "Carnot has its energy" wait_for 30 settled
is "under its name" "$(row .run)" '"mine"'
is "and the wait that it served" "$(row '.delay_s > 0 and .delay_s < 300')" true
in_sandbox scancel "$early"

# ---- plugstack.conf with include lines

sed -i '/^PlugStackConfig=/d' "$etc/slurm.conf" # its default is the file beside slurm.conf
mkdir "$etc/plugstack.conf.d"
cp "$etc/plugstack.conf" "$etc/plugstack.conf.d/carnot.conf"
echo "include $LINK/etc/plugstack.conf.d/*.conf" >"$T/include"
cp "$etc/plugstack.conf" "$T/direct"
cp "$T/include" "$etc/plugstack.conf"
in_sandbox scontrol reconfigure
told() { [[ -n $(records "$1" | jq -c ".jobs[] | select(.job == $2)") ]]; }
id=$(submit -t 1 -w n1 --carbon-delay=20m --carbon-policy=asap --wrap 'sleep 4')
ok "from an included file, sbatch knows our flags" wait_state 30 "$id" 'RUNNING|COMPLETED'
ok "and the node tells carnotd" wait_for 20 told n1 "$id"

# ---- a node without files of its own: only slurmctld's address and munge

cat >"$T/configless" <<'SH'
mount -t tmpfs none /run && mount -t tmpfs none "$1/etc" && mkdir /run/munge /run/slurm || exit 1
ln -s "$1/run/munge.socket" /run/munge/munge.socket.2
unset SLURM_CONF
exec slurmd -D -N n2 --conf-server "127.0.0.1:$2"
SH
port=$(sed -n 's/^SlurmctldPort=//p' "$etc/slurm.conf")
# configless_up: slurmd of n2 in a world of its own; NODE_PID is it.
configless_up() {
    setsid unshare --mount sh "$T/configless" "$SB" "$port" >"$SB/log/configless.out" 2>&1 </dev/null &
    NODE_PID=$!
    wait_for 30 node_up
}
node_up() {
    [[ -s $SB/spool/n2/conf-cache/plugstack.conf && $(in_sandbox sinfo -h -n n2 -p batch -o %t) = idle ]]
}
configless_down() {
    [[ -n $NODE_PID ]] || return
    kill "$NODE_PID" 2>/dev/null
    wait "$NODE_PID" 2>/dev/null
    NODE_PID=
    rm -rf "$SB/spool/n2/conf-cache"
}
# there COMMAND...: on that machine, as a login node that has no file either. 24.11 does not find the files that slurmd has
# fetched, and asks slurmctld (a site has DNS or sackd for that).
there() { nsenter -t "$NODE_PID" -m -r -w env -u SLURM_CONF SLURM_CONF_SERVER="127.0.0.1:$port" CARNOT_QUIET=0 "$@"; }
"$SANDBOX" kill "$SB" slurmd-n2
NODE_PID=
trap 'status=$?; configless_down; (exit "$status"); cleanup' EXIT

if unshare --mount true 2>/dev/null; then
    cp "$T/direct" "$etc/plugstack.conf"
    in_sandbox scontrol reconfigure
    configless_up
    ok "slurmd --conf-server gets plugstack.conf" cmp "$T/direct" "$SB/spool/n2/conf-cache/plugstack.conf"
    id=$(submit -t 1 -w n2 --carbon-delay=20m --carbon-policy=asap --wrap 'sleep 4')
    ok "a job runs there" wait_state 30 "$id" 'RUNNING|COMPLETED'
    ok "and carnotd is told" wait_for 20 told n2 "$id"
    like "sbatch has our flags without a file" "$(there sbatch -o /dev/null -t 1 --carbon-delay=20m --wrap true 2>&1)" 'carnot: waits until'
    ok "a job that has ended leaves the node free" wait_state 30 "$id" COMPLETED
    configless_down
    cp "$T/include" "$etc/plugstack.conf"
    in_sandbox scontrol reconfigure
    configless_up
    ok "include lines travel, included files do not" cmp "$T/include" "$SB/spool/n2/conf-cache/plugstack.conf"
    like "so our flags are unknown there" "$(there sbatch --carbon-delay=20m --wrap true 2>&1)" 'unrecognized option'
    id=$(submit -t 1 -w n2 --wrap true)
    ok "and jobs run without us" wait_state 30 "$id" COMPLETED
    configless_down
else
    skip "a configless node" "mount namespaces cannot be made here"
fi

is "slurmctld has no error that names Carnot" "$(grep 'error: carnot' "$SB/log/slurmctld.log")" ""
done_testing
