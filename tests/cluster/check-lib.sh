# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the cases of carnot check share: a sandbox, what is found in it, and how it is broken and healed. Sourced
# behind lib.sh.

# shellcheck source-path=SCRIPTDIR source=sandbox-config.sh
. "$CASE_DIR/sandbox-config.sh"

# A sandbox whose board is soon too old. Sets etc, lib and state, its directories.
check_sandbox() {
    "$SANDBOX" default-config | sed -e 's/board_max_age: .*/board_max_age: 10s/' >"$T/carnot.yaml"
    trace "$T/carbon.csv" -600:400 90000:400
    sandbox_up sb --nodes 2 --carbon "$T/carbon.csv" --carnot "$T/carnot.yaml"
    # shellcheck disable=SC2034
    etc=$SB/etc lib=$SB/lib state=$SB/state
}

# Findings that this machine is answerable for, not the sandbox: its clock, its cgroups, its counters.
machine='^(clock\.sync|node\.power)$'
[[ $(cgroup_kind) != none ]] || machine='^(clock\.sync|node\.power|slurm\.cgroup|node\.cgroup)$'

# check OPTION...: the exit code goes to $status, LEVEL CODE of what is wrong to $found, all of the output to $output.
check() {
    output=$(in_sandbox carnot check "$@" --json 2>&1)
    status=$?
    found=$(jq -r --arg m "$machine" '.[] | select(.level != "ok" and (.code | test($m) | not)) | "\(.level) \(.code)"' \
        <<<"$output" 2>&1 | sort -u | xargs)
}
# What the exit code has to be by the findings themselves.
by_findings() {
    jq 'if any(.level == "error") then 2 elif any(.level == "warning") then 1 else 0 end' <<<"$output"
}
# finds "LEVEL CODE" STATUS
finds() {
    check
    [[ " $found " = *" $1 "* && $status = "$2" ]]
}
clean() {
    check "$@"
    [[ -z $found ]]
}
# breaks DESCRIPTION STATUS "LEVEL CODE": found within a few seconds, with that exit code.
breaks() {
    wait_for 40 finds "$3" "$2"
    like "$1" " $found " " $3 "
    is "... exit code" "$status" "$2"
}
heals() {
    wait_for 40 clean "${@:2}"
    is "$1" "$found" ""
}
# A changed copy of a file takes its place; what has the old one open keeps it.
replace() {
    cp -p -- "$1" "$1.good" && cp -- "$1" "$1.new" && "${@:2}" "$1.new" && mv -- "$1.new" "$1"
}
restore() {
    mv -- "$1.good" "$1"
}
