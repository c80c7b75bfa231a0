#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# carnot check where all is well; --slurm and --upgrade with plugins of every kind; and Slurm's configuration, broken in
# one place after another, found under its code with its exit code, and put right.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=check-lib.sh
. "$CASE_DIR/check-lib.sh"
need_sandbox

check_sandbox
version=$(slurmctld -V | tr ' ' '\n' | tail -n 1)

submit_plugins() {
    sed -i "s/^JobSubmitPlugins=.*/JobSubmitPlugins=$1/" "$etc/slurm.conf"
}
# shellcheck disable=SC2317 # called by replace
another_release() {
    perl -0777 -i -pe '
        BEGIN { ($a, $b, $c) = map { $_ + 0 } split /\./, shift @ARGV; $v = $a << 16 | $b << 8 | $c }
        # the one 4-byte constant of that value among the plugin'"'"'s
        s/\Q${\ pack("L<", $v)}\E/pack("L<", $v + 1)/ge' "$version" "$1"
}

# ---- all is well ------------------------------------------------------------------------------------------------------

heals "nothing to find in a good sandbox"
is "the exit code is what the findings say" "$status" "$(by_findings)"
like "each has level, code, what and cure" "$(jq -c 'map(keys_unsorted) | unique' <<<"$output")" \
    '^\[\["level","code","what","cure"\]\]$'
ok "each that is not ok has a cure" says 'all(.level == "ok" or .cure != "")' printf %s "$output"
text=$(in_sandbox carnot check -v)
like "the last line is the sum" "$(tail -n 1 <<<"$text")" '^0 errors, [0-9]+ warnings?$'
like "-v shows what is right" "$text" "slurmctld's plugin reads $LINK/state/board"
unlike "without -v only what is wrong" "$(in_sandbox carnot check)" '(^|
)ok: '
as nobody carnot check >"$T/nobody" 2>&1
is "an ordinary user sees less, and is told so" "$?" 1
like "... that root would see more" "$(cat "$T/nobody")" 'run this as root'

# ---- before slurm.conf is changed, and before an upgrade ----------------------------------------------------------------

check --slurm
is "--slurm: the plugins are good" "$found $status" " 0"
like "... and what to write" "$(in_sandbox carnot check --slurm)" "safe to add: JobSubmitPlugins=carnot
safe to add: optional $LINK/lib/spank_carnot.so"
mkdir "$SB/other dir:x" && cp "$lib/job_submit_carnot.so" "$SB/other dir:x/"
check --slurm --plugin "$SB/other dir:x/job_submit_carnot.so"
is "a good one in the wrong place loads, and would not be found" "$found $status" "error trial.place 2"
check --slurm --plugin "$lib/spank_carnot.so"
is "--plugin takes the other kind too" "$found $status" " 0"

# bad NAME "LEVEL CODE" COMMAND...: a changed copy of the plugin is refused.
bad() {
    local file=$SB/bad.so
    cp "$lib/job_submit_carnot.so" "$file" && "${@:3}" "$file"
    check --slurm --plugin "$file"
    is "--slurm: $1" "$found $status" "$2 2"
    unlike "... and is not called safe" "$output" 'safe to add'
}
bad "another release's last number" "error plugin.release" another_release
bad "cut short" "error plugin.file" truncate -s 6000
bad "no library" "error plugin.file" cp /etc/passwd
bad "an entry is missing" "error trial.entry" perl -0777 -i -pe 's/\0job_modify\0/\0job_mod_fy\0/g'
bad "a symbol that slurmctld has not" "error trial.load" perl -0777 -i -pe 's/\0slurm_xstrdup\0/\0slurm_xstrdux\0/g'
like "... which is named" "$output" 'undefined symbol: slurm_xstrdux'
bad "others may write it" "error rights.plugin" chmod 777
ok "slurmctld has taken no harm" in_sandbox scontrol ping

check --upgrade "$version"
is "--upgrade to the same release" "$found $status" " 0"
check --upgrade 99.11
is "--upgrade to another" "$found $status" "error upgrade.plugin warning upgrade.plugin 2"
like "... with the steps" "$output" '2\. upgrade Slurm to 99\.11, slurmdbd first'
check --upgrade "${version%.*}"
is "--upgrade with two numbers cannot tell all" "$found $status" "warning upgrade.plugin 1"

# ---- Slurm ------------------------------------------------------------------------------------------------------------

replace "$lib/job_submit_carnot.so" another_release
breaks "the plugin's file is for another Slurm" 2 "error plugin.release"
like "... and not what slurmctld has loaded" " $found " ' warning jobsubmit.loaded '
rm "$lib/job_submit_carnot.so"
breaks "the plugin's file is gone" 2 "error plugin.file"
restore "$lib/job_submit_carnot.so"

submit_plugins require_timelimit
breaks "the file says something else than slurmctld runs" 1 "warning slurm.reread"
ok "slurmctld reads it" "$SANDBOX" restart "$SB" slurmctld
breaks "carnot is not in JobSubmitPlugins" 1 "warning jobsubmit"
like "--slurm puts it last" "$(in_sandbox carnot check --slurm)" 'safe to add: JobSubmitPlugins=require_timelimit,carnot'
submit_plugins carnot,require_timelimit
ok "slurmctld reads it again" "$SANDBOX" restart "$SB" slurmctld
breaks "carnot is not the last" 1 "warning jobsubmit.order"
like "... the cure is the order" "$output" 'set JobSubmitPlugins=require_timelimit,carnot, then'
like "--upgrade: first without it" "$(in_sandbox carnot check --upgrade 99.11)" \
    '1\. JobSubmitPlugins=require_timelimit; .*4\. JobSubmitPlugins=require_timelimit,carnot; '
submit_plugins carnot
ok "and as it was" "$SANDBOX" restart "$SB" slurmctld
heals "all is well"

sed -i 's/^optional/required/' "$etc/plugstack.conf"
breaks "plugstack.conf requires" 1 "warning plugstack.required"
echo "optonal x.so" >>"$etc/plugstack.conf"
breaks "a bad line in plugstack.conf" 2 "error plugstack"
echo "# empty" >"$etc/plugstack.conf"
breaks "plugstack.conf does not name it" 1 "warning plugstack"
echo "optional $LINK/lib/spank_carnot.so socket=/run/elsewhere" >"$etc/plugstack.conf"
breaks "SPANK and carnotd do not meet" 1 "warning plugstack.socket"
PLUGIN=1 config_plugstack >"$etc/plugstack.conf"

chmod o+w "$etc"
breaks "others may write carnot.yaml's directory" 2 "error rights.conf"
chmod o-w "$etc"
chmod 644 "$state/ledger.sqlite"
breaks "others may read the ledger" 1 "warning rights.ledger"
chmod 600 "$state/ledger.sqlite"
heals "all is well again"

done_testing
