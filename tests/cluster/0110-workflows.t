#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tools that submit for people: how Nextflow and Snakemake call sbatch and what they read out of it, a pseudo-terminal
# around it, submissions from inside jobs, one bound for a whole workflow, and scripts that must also run where Carnot is
# not installed. Where Snakemake is installed, it runs a workflow of two jobs.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

trace "$T/carbon.csv" -600:400 600:100 1200:400
sandbox_up sb --nodes 2 --carbon "$T/carbon.csv"
work=$SB/work
mkdir -m 777 "$work"
waiting() { [[ $(job "$1" Reason) = BeginTime ]]; }

# ---- Nextflow: sbatch .command.run, both outputs in one; the first line with its pattern, else a text that is a number

cat >"$work/.command.run" <<JOB
#!/bin/bash
#SBATCH -J nf-hello_(1)
#SBATCH -o /dev/null
#SBATCH --no-requeue
#SBATCH --signal B:USR2@30
#SBATCH -c 2
#SBATCH -t 00:01:00
#SBATCH --mem 100M
#SBATCH -p batch
#SBATCH --carbon-delay=20m
# NEXTFLOW TASK: hello (1)
sleep 1
JOB
nextflow_id() {
    local text
    text=$(cat)
    if [[ $text =~ 'Submitted batch job '([0-9]+) ]]; then
        echo "${BASH_REMATCH[1]}"
    elif [[ $text =~ ^[[:space:]]*([0-9]+)[[:space:]]*$ ]]; then
        echo "${BASH_REMATCH[1]}"
    else
        echo "invalid submit response: $text"
    fi
}
said=$(cd "$work" && in_sandbox sbatch .command.run 2>&1)
id=$(nextflow_id <<<"$said")
ok "Nextflow reads a job id" test "$id" -gt 0
ok "of a job that waits" waiting "$id"
is "and there is nothing else to read" "$said" "Submitted batch job $id"
id=$(in_sandbox sbatch <"$work/.command.run" 2>&1 | nextflow_id)
ok "so it does with the script piped in" waiting "$id"
is "its query lists an id and a state a line" "$(in_sandbox squeue --noheader -o '%i %t' -t all -u root | grep -cvE '^[0-9]+ [A-Z]+$')" 0
like "which it knows as pending" "$(in_sandbox squeue --noheader -o '%i %t' -t all -u root)" "$id PD"
ok "it cancels it" in_sandbox scancel "$id"

# ---- Snakemake 7: both outputs in one, the last word; its later plugin: --parsable, what stands before a semicolon

options=(-p batch -t 1 --mem 100 --cpus-per-task=1 -D "$work" --wrap='sleep 1')
words=$(CARNOT_CARBON_DELAY=20m in_sandbox sbatch -J smk.one.1 -o /dev/null --export=ALL "${options[@]}" 2>&1)
ok "Snakemake 7 reads a job id" waiting "${words##* }"
out=$(CARNOT_CARBON_DELAY=20m in_sandbox sbatch --parsable --job-name 8a2c-uuid --output /dev/null --export=ALL \
    --comment rule_one --ntasks=1 "${options[@]}" 2>"$T/err")
ok "its plugin reads a job id" waiting "${out%%;*}"
is "and no complaint" "$(<"$T/err")" ""
said=$(CARNOT_CARBON_DELAY=soon in_sandbox sbatch --parsable "${options[@]}" 2>&1)
is "a refusal is an exit code" "$?" 1
like "with one sentence for whoever reads the log" "$said" 'CARNOT_CARBON_DELAY=soon'

# ---- a terminal, real or not: the line goes to stderr, and stdout stays the job id

run="cd '$work' && SLURM_CONF='$LINK/etc/slurm.conf' sbatch --parsable -o /dev/null -t 1 --carbon-delay=20m --wrap true"
in_sandbox script -qc "$run >'$T/stdout'" /dev/null >"$T/screen" 2>&1
like "on a terminal stdout is the id" "$(<"$T/stdout")" '^[0-9]+$'
like "and the person reads a line" "$(<"$T/screen")" 'carnot: waits until'
in_sandbox script -qc "$run 2>'$T/stderr'" /dev/null >"$T/screen" 2>&1
is "with stderr in a file nothing is in it" "$(<"$T/stderr")" ""
unlike "nor on the screen" "$(<"$T/screen")" carnot

# ---- jobs that submit jobs

cat >"$work/outer.sh" <<'JOB'
#!/bin/bash
#CARNOT energy-budget=5kWh
ours='^CARNOT_(CARBON|ENERGY|BUDGET|TTY)|SPANK.*carnot'
env | grep -iE "$ours" >outer.env
srun -n1 env | grep -iE "$ours" >step.env
sbatch --parsable -o /dev/null -t 1 --wrap true >inner.id 2>inner.err
srun -n1 true && touch done
JOB
id=$(submit -t 2 -D "$work" --carbon-delay=20m --carbon-policy=asap --carbon-run=outer "$work/outer.sh")
ok "a job that submits a job ends well" wait_state 60 "$id" COMPLETED
ok "and its steps do" test -e "$work/done"
is "the job has no flag of ours in its environment" "$(<"$work/outer.env")" ""
is "nor has a step" "$(<"$work/step.env")" ""
inner=$(<"$work/inner.id")
like "the inner job is submitted" "$inner" '^[0-9]+$'
is "and has asked for nothing" "$(job "$inner" AdminComment)" ""
is "nothing is said" "$(<"$work/inner.err")" ""

# ---- one absolute time for a whole workflow

finish=$((TRACE_NOW + 1800))
CARNOT_CARBON_FINISH_BY=$(date -d "@$finish" +%FT%T)
export CARNOT_CARBON_FINISH_BY
first=$(submit -t 2 --wrap 'sleep 1')
second=$(submit -t 7 --wrap 'sleep 1')
is "the first job may start as late as its limit allows" "$(note "$first" latest)" $((finish - 120))
is "and so may one of another length" "$(note "$second" latest)" $((finish - 420))
third=$(submit -t 2 --dependency=afterok:"$first" --wrap 'sleep 1')
is "one that depends on another waits for that first" "$(note "$third" code)" DEP_END
long=$(submit -t 40 --wrap 'sleep 1')
ok "one that cannot be done by then starts at once" wait_state 20 "$long" 'RUNNING|COMPLETED'
in_sandbox carnot now "$first" >&2
latest_of_chain=$(date -u -d "@$((finish - 120))" +%FT%TZ)
bounded() {
    job_in_state "$third" 'RUNNING|COMPLETED' ||
        [[ $(in_sandbox carnot jobs --json | jq -r ".[] | select(.job_id == $third) | .latest") = "$latest_of_chain" ]]
}
ok "when the first has ended, the next one of the chain has the same bound" wait_for 60 bounded
unset CARNOT_CARBON_FINISH_BY

cat >"$T/portable.sh" <<'JOB'
#!/bin/bash
#SBATCH -t 1 -o /dev/null
#CARNOT carbon-delay=20m carbon-run=portable
srun -n1 true
JOB
chmod 644 "$T/portable.sh"
id=$(submit "$T/portable.sh")
ok "with Carnot a script waits" waiting "$id"
in_sandbox scancel -u root

# ---- Snakemake itself, if it is there

# It does not quote the directory that it works in.
flat=$(mktemp -d "${TMPDIR:-/tmp}/carnot-snakemake.XXXXXX")
trap 'rm -rf -- "$flat"; cleanup' EXIT
workflow() {
    (cd "$flat" && in_sandbox env PATH="$T:$PATH" USER=root HOME="$flat" CARNOT_CARBON_DELAY=5m snakemake "$@" -j2 --max-status-checks-per-second 1)
}
# From 7.30 on it asks sacct, which answers without slurmdbd as well here: from the list of slurmctld.
cat >"$T/sacct" <<'SH'
#!/bin/sh
[ "$1" = -X ] || exec /usr/bin/sacct "$@"
for name; do :; done
exec squeue -h -t all -o '%A|%T' --name "$name"
SH
chmod +x "$T/sacct"
if command -v snakemake >/dev/null && [[ $(snakemake --version) = 7.* ]]; then
    cat >"$flat/Snakefile" <<'RULES'
rule two:
    input: "one.txt"
    output: "two.txt"
    resources: runtime=1, mem_mb=100
    shell: "cat {input} >{output}"

rule one:
    output: "one.txt"
    resources: runtime=1, mem_mb=100
    shell: "echo one >{output}"
RULES
    trace "$T/carbon.csv" -600:400 15:100 600:400
    sleep 3
    last=$(in_sandbox squeue -h -t all -o %A | sort -n | tail -n 1)
    ok "Snakemake runs a workflow" workflow --slurm
    is "to its end" "$(cat "$flat/two.txt" 2>/dev/null)" one
    is "its first job waited for the grid" "$(in_sandbox carnot jobs --json |
        jq "[.[] | select(.job_id > $last and .not_before != null and .delay_s > 0)] | length")" 1
else
    skip "Snakemake runs a workflow" "Snakemake 7 is not installed"
fi

# ---- the same script where there is no Carnot

"$SANDBOX" stop "$SB" >&2
sandbox_up plain --nodes 1 --plain
id=$(CARNOT_CARBON_DELAY=20m CARNOT_QUIET=0 submit "$T/portable.sh")
ok "without it the same script runs" wait_state 30 "$id" COMPLETED
is "and nobody complains" "$(<"$T/sbatch.err")" ""

done_testing
