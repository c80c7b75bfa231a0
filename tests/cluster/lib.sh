# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What every case in this directory begins with: TAP output, bounded waiting, and sandboxes that are stopped and
# removed however the case ends. A case sources this file, calls plan (or done_testing at its end), and then ok, is and
# like. Messages of commands go to stderr of the case, which automake keeps in its .log.

set -u

CASE_DIR=$(cd "$(dirname "$0")" && pwd)
SANDBOX=$CASE_DIR/sandbox
CASE_NAME=$(basename "$0" .t)
# A directory with a space in its name, readable for other users, as a sandbox has to bear both.
T=$(mktemp -d "${TMPDIR:-/tmp}/carnot $CASE_NAME XXXXXX")
chmod 755 "$T"
unset CARNOT_CONF CARNOT_BOARD SLURM_CONF
tests_run=0
tests_failed=0
tests_planned=
sandboxes=()

cleanup() {
    local status=$? dir
    for dir in "${sandboxes[@]+"${sandboxes[@]}"}"; do
        "$SANDBOX" stop "$dir" >&2
    done
    if [[ $tests_failed -gt 0 && -n ${CASE_KEEP:-} ]]; then
        echo "# kept: $T"
    else
        rm -rf -- "$T"
    fi
    exit $status
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# ---- TAP ----------------------------------------------------------------------------------------------------------------

plan() {
    tests_planned=$1
    echo "1..$1"
}

# At the end of each case: prints the plan if there was none, and gives the exit code.
done_testing() {
    [[ -n $tests_planned ]] || echo "1..$tests_run"
    [[ $tests_failed -eq 0 && ( -z $tests_planned || $tests_planned -eq $tests_run ) ]]
    exit
}

skip_all() {
    echo "1..0 # SKIP $*"
    exit 0
}

bail_out() {
    echo "Bail out! $*"
    exit 1
}

diag() {
    printf '%s\n' "$*" | sed 's/^/# /'
}

report() {
    tests_run=$((tests_run + 1))
    if [[ $1 = 0 ]]; then
        echo "ok $tests_run - $2"
        return 0
    fi
    tests_failed=$((tests_failed + 1))
    echo "not ok $tests_run - $2"
    return 1
}

# skip DESCRIPTION REASON: one test that cannot run here.
skip() {
    tests_run=$((tests_run + 1))
    echo "ok $tests_run - $1 # SKIP $2"
}

# ok DESCRIPTION COMMAND...: the command succeeds.
ok() {
    local what=$1 output status
    shift
    output=$("$@" 2>&1)
    status=$?
    report "$status" "$what" || diag "'$*' ended with $status: $output"
}

# not_ok DESCRIPTION COMMAND...: the command fails.
not_ok() {
    local what=$1 output
    shift
    if output=$("$@" 2>&1); then
        report 1 "$what"
        diag "'$*' succeeded: $output"
    else
        report 0 "$what"
    fi
}

# is DESCRIPTION GOT WANTED
is() {
    if [[ $2 = "$3" ]]; then report 0 "$1"; else
        report 1 "$1"
        diag "got:    $2"
        diag "wanted: $3"
    fi
}

# like DESCRIPTION GOT REGEX
like() {
    if [[ $2 =~ $3 ]]; then report 0 "$1"; else
        report 1 "$1"
        diag "got:             $2"
        diag "wanted to match: $3"
    fi
}

# unlike DESCRIPTION GOT REGEX
unlike() {
    if [[ ! $2 =~ $3 ]]; then report 0 "$1"; else
        report 1 "$1"
        diag "got:                 $2"
        diag "wanted not to match: $3"
    fi
}

# between DESCRIPTION GOT LOW HIGH: integers, both ends included.
between() {
    if [[ $2 =~ ^-?[0-9]+$ && $2 -ge $3 && $2 -le $4 ]]; then report 0 "$1 ($2 in $3..$4)"; else
        report 1 "$1"
        diag "got:    $2"
        diag "wanted: $3 to $4"
    fi
}

# ---- waiting ------------------------------------------------------------------------------------------------------------

# wait_for SECONDS COMMAND...: polls it; fails when the time is over.
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.2
    done
}

# says FILTER COMMAND...: the command succeeds and prints one JSON value, of which jq's FILTER is true. (`jq -e` alone is
# content with no value at all.)
says() {
    local output
    output=$("${@:2}") && jq -es "length == 1 and (.[0] | $1)" <<<"$output"
}

# ---- sandboxes ----------------------------------------------------------------------------------------------------------

have_carnot() {
    [[ -n ${CARNOT_BUILDDIR:-} && -x $CARNOT_BUILDDIR/src/carnotctld/carnotctld ]] ||
        [[ -x $CASE_DIR/../../src/carnotctld/carnotctld || -x $CASE_DIR/../../build/src/carnotctld/carnotctld ]]
}

# test_program NAME: the path of a program of this directory, which is built if it is not there yet.
test_program() {
    local dir
    for dir in "${CARNOT_BUILDDIR:-}" "$CASE_DIR/../../build" "$CASE_DIR/../.."; do
        [[ -n $dir && -e $dir/tests/cluster/Makefile ]] || continue
        make -s -C "$dir/tests/cluster" "$1" >&2 && (cd "$dir/tests/cluster" && echo "$PWD/$1")
        return
    done
    return 1
}

# A case that needs a sandbox says so first, with the word plain if Slurm alone will do: where none can run, it is skipped with the reason.
need_sandbox() {
    local name
    [[ ${CARNOT_CLUSTER:-yes} != no ]] || skip_all "CARNOT_CLUSTER=no"
    [[ $(id -u) = 0 ]] || skip_all "a sandbox needs root"
    for name in slurmctld slurmd munged sinfo perl jq; do
        command -v "$name" >/dev/null || skip_all "$name is not installed"
    done
    [[ ${1:-} = plain ]] || have_carnot || skip_all "Carnot is not built"
}

# A case that starts its sandbox with --dbd says so as well.
need_dbd() {
    local name
    for name in mariadbd mariadb-install-db slurmdbd sacctmgr; do
        command -v "$name" >/dev/null || skip_all "$name is not installed: apt-get install mariadb-server slurmdbd"
    done
}

# sandbox_up NAME [OPTION...]: a sandbox called NAME below $T, the one that `in_sandbox` uses from now on.
sandbox_up() {
    SB=$T/$1
    shift
    sandboxes+=("$SB")
    if ! "$SANDBOX" start "$SB" "$@" >&2; then
        # Debian 13's slurmdbd 24.11.5 ends so with its libmariadb 11.8.9, at the first question of its own.
        local broken
        broken=$(sed -n 's/.*fatal: \(_check_mysql[^:]*\).*/\1/p' "$SB/log/slurmdbd.log" 2>/dev/null | head -n 1)
        [[ -z $broken ]] || skip_all "slurmdbd cannot use the MariaDB library here: it ends in $broken"
        bail_out "the sandbox does not start"
    fi
    # shellcheck disable=SC2034
    LINK=$(short_path)
    in_sandbox true
}

# The short path of the sandbox, as its configuration holds it.
short_path() {
    sed -n 's/^LINK=//p' "$SB/sandbox.env"
}

# in_sandbox COMMAND...: as `sandbox exec` does, without a start of that script for each of thousands of commands.
sandbox_env=() sandbox_env_of=
in_sandbox() {
    if [[ $sandbox_env_of != "$SB" ]]; then
        mapfile -t sandbox_env < <("$SANDBOX" env "$SB")
        sandbox_env_of=$SB
    fi
    env "${sandbox_env[@]}" "$@"
}

# as USER COMMAND...
as() {
    "$SANDBOX" exec "$SB" --user "$1" -- "${@:2}"
}

# submit OPTION...: prints the job id alone; what sbatch says goes to $T/sbatch.err.
submit() {
    in_sandbox sbatch --parsable -o /dev/null "$@" 2>"$T/sbatch.err"
}

# job ID FIELD: one field of scontrol show job.
job() {
    in_sandbox scontrol show job -o "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1
}

job_in_state() {
    [[ $(job "$1" JobState) =~ ^($2)$ ]]
}

# wait_state SECONDS ID STATES: STATES as a regular expression.
wait_state() {
    wait_for "$1" job_in_state "$2" "$3"
}

has_reason() {
    [[ $(job "$1" Reason) = "$2" ]]
}

# waits_for ID REASON: why the job is pending by slurmctld, which may look for a reason a moment after the submission.
waits_for() {
    wait_for 10 has_reason "$@"
}

# wait_saved: slurmctld has saved its jobs as they are now; it does within five seconds, and a save may be under way.
wait_saved() {
    sleep 7
}

# job_epoch ID FIELD: a time of the job in seconds since 1970.
job_epoch() {
    date -d "$(job "$1" "$2")" +%s
}

# note ID KEY: one value of what Carnot wrote into the job's AdminComment.
note() {
    job "$1" AdminComment | sed -n "s/.*[:,]$2=\([^,]*\).*/\1/p"
}

# trace FILE [OFFSET:INTENSITY]...: a carbon trace, offsets in seconds from now, which it leaves in TRACE_NOW.
trace() {
    local file=$1 step
    TRACE_NOW=$(date +%s)
    shift
    {
        echo "time,zone,g_per_kwh"
        for step in "$@"; do
            printf '%s,DE,%s\n' "$(date -u -d "@$((TRACE_NOW + ${step%%:*}))" +%FT%TZ)" "${step#*:}"
        done
    } >"$file.new" && mv -- "$file.new" "$file"
}

# ---- what Carnot wrote --------------------------------------------------------------------------------------------------

# records NODE: the telemetry records of a node in order, one JSON object a line, rotated files included.
records() {
    local file
    for file in $(cd "$SB/log/$1" && printf '%s\n' telemetry.jsonl* | sort -rV); do
        cat "$SB/log/$1/$file"
    done | jq -cR 'fromjson? | select(.ev == "record")' | sort -u | jq -cs 'sort_by(.seq)[]'
}

# broken_records NODE: those in which jobs + idle + system is not the node, to the microjoule, or that skip a number.
broken_records() {
    records "$1" | jq -c 'select(.uj != .idle_uj + .system_uj + ([.jobs[].uj] | add // 0)
        or ([.uj, .idle_uj, .system_uj, .jobs[].uj] | any(. < 0))
        or ([.jobs[] | select(.uj != .idle_uj + .active_uj)] | length > 0))'
    records "$1" | jq -cs '. as $r | range(1; length) | select($r[.].seq != $r[. - 1].seq + 1) | {gap_after: $r[. - 1].seq}'
}

# all_reported NODES: carnotctld has counted the newest record of each node that is older than a few seconds.
all_reported() {
    local node last seq
    for node in "$@"; do
        last=$(records "$node" | tail -n 1 | jq .seq)
        seq=$(in_sandbox carnot nodes --json | jq ".[] | select(.node == \"$node\") | .seq")
        ((seq >= last - 2)) || return 1
    done
}

# energy_by_job NODES: "JOB MICROJOULES" of each job in the nodes' logs.
energy_by_job() {
    local node
    for node in "$@"; do records "$node"; done |
        jq -rs '[.[].jobs[]] | group_by(.job)[] | "\(.[0].job) \([.[].uj] | add)"'
}

# energy_in_ledger: the same by `carnot jobs`.
energy_in_ledger() {
    in_sandbox carnot jobs --json |
        jq -r '[.[] | select(.energy_j != null)] | group_by(.job_id)[] | "\(.[0].job_id) \([.[].energy_j] | add * 1000000 | round)"'
}

# queue_has_no ID: the job, and each task of an array, has left the queue.
queue_has_no() {
    [[ -z $(in_sandbox squeue -h -j "$1" 2>/dev/null) ]]
}

queue_empty() {
    [[ -z $(in_sandbox squeue -h) ]]
}

# nothing_reserved: every job that held part of a budget has been settled.
nothing_reserved() {
    says 'all((.reserved + .claimed) == 0)' in_sandbox carnot budget list --json
}
