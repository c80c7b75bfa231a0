#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Watching: carnotctld alone beside a Slurm without plugin, plugstack line or carnotd. It reads the job list and the feed,
# fills status, forecast, jobs and `report --would-have`, and never holds, moves or ends a job.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_sandbox

"$SANDBOX" default-config | sed 's/^mode: act/mode: observe/' >"$T/carnot.yaml"
trace "$T/carbon.csv" -3600:400 600:100 1200:400
sandbox_up sb --no-plugin --nodes 2 --carnot "$T/carnot.yaml" --carbon "$T/carbon.csv"
for node in n1 n2; do "$SANDBOX" kill "$SB" carnotd-$node; done

is "slurm.conf and plugstack.conf name nothing of Carnot" \
    "$(grep -iE 'JobSubmit|spank_carnot' "$SB/etc/slurm.conf" "$SB/etc/plugstack.conf")" ""
ok "a budget can be set all the same" in_sandbox carnot budget set account poor --energy 1J --period month
ids=()
for account in bio bio poor chem; do ids+=("$(submit -t 1 -A "$account" --wrap 'sleep 2')"); done
for id in "${ids[@]}"; do ok "job $id runs" wait_state 20 "$id" COMPLETED; done

status=$(in_sandbox carnot status --json)
is "status: it observes" "$(jq -r .mode <<<"$status")" observe
is "the job list is read" "$(jq -r .slurm.jobs <<<"$status")" 4
is "the feed is read" "$(jq -r '.feed.quality, (.feed.g_per_kwh | floor)' <<<"$status" | xargs)" "feed 400"
is "nothing waits" "$(jq -r .waiting <<<"$status")" 0
ok "forecast has slots" says '.slots | length > 100' in_sandbox carnot forecast --json
is "jobs have rows, and no figure that nobody measured" \
    "$(in_sandbox carnot jobs --json | jq -c '[.[] | [.job_id, .energy_j, .quality]] | sort | map(tostring) | length, (map(select(contains("null,\"none\""))) | length)' | xargs)" "4 4"

settled() { says '[.[].jobs] | add == 4' in_sandbox carnot report --json; }
ok "the runs settle" wait_for 30 settled
is "report: no energy is null, not 0" "$(in_sandbox carnot report --csv | sed -n 's/^bio,//p' | cut -d, -f1,2,4)" "2,2,"
would=$(in_sandbox carnot report --would-have --allowances 5m,30m --json)
is "would-have: all four are decided" "$(jq -c '[.allowances[].jobs]' <<<"$would")" "[4,4]"
is "within five minutes nobody would have waited" "$(jq -c '.allowances[0] | [.jobs_that_waited, .saved_g == 0]' <<<"$would")" "[0,true]"
is "within thirty all of them" "$(jq -c '.allowances[1].jobs_that_waited' <<<"$would")" 4
is "which saves three quarters" "$(jq -c '.allowances[1].saved_share * 1000 | round' <<<"$would")" 750
page=$(in_sandbox carnot report --would-have)
like "the page says that nothing is measured" "$page" '0 % measured.*100 %'
like "and what to do first" "$page" 'Next step.*carnotd'
between "it has at most 40 lines" "$(wc -l <<<"$page")" 10 40
between "of at most 80 columns" "$(wc -L <<<"$page")" 40 80

events() { jq -r .ev "$SB/log/events.jsonl" | sort -u | grep -E 'job.(wait|move|refuse|now|warn|term)'; }
is "nobody was made to wait, moved, refused or ended" "$(events)" ""
is "and slurmctld was never asked to change a job" "$(grep -ciE 'update_job|_slurm_rpc_kill' "$SB/log/slurmctld.log")" 0

done_testing
