#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Completions know every command and every long option that carnot's own help names, and bash's completes them.
set -u

src=${srcdir:-$(dirname "$0")}/../../etc/completion
carnot=$PWD/../../src/carnot/carnot
n=0 failed=0

# ok NAME: the result of the command before it, in TAP.
ok() {
    local rc=$?
    n=$((n + 1))
    if ((rc == 0)); then
        echo "ok $n - completion:$1"
    else
        echo "not ok $n - completion:$1"
        failed=1
    fi
}

if [[ ! -x $carnot ]]; then
    echo "1..0 # SKIP carnot is not built"
    exit 0
fi
commands=$("$carnot" --help | sed -n 's/^  \([a-z]*\) .*/\1/p')

for file in bash/carnot zsh/_carnot fish/carnot.fish; do
    missing=''
    for command in $commands; do
        grep -qw -- "$command" "$src/$file" || missing+=" $command"
        for option in $("$carnot" help "$command" | grep -o -- '--[a-z-]*[a-z]' | grep -v -x -e --begin -e --test-only); do
            # fish has them without dashes, behind -l
            grep -qw -e "$option" -e "-l ${option#--}" "$src/$file" || missing+=" $command:$option"
        done
    done
    [[ -z $missing ]] || echo "# missing:$missing"
    [[ -z $missing ]]
    ok "$file knows all"
done

# What bash offers for the words; the last one is being typed.
offer() {
    (
        # shellcheck source=/dev/null
        . "$src/bash/carnot"
        # shellcheck disable=SC2317 # called by the completion
        _carnot_ask() { printf '%s\n' 81234 81240_7; }
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _carnot
        ((${#COMPREPLY[@]} == 0)) || printf '%s ' "${COMPREPLY[@]}"
    )
}
check() {
    local want=$1
    shift
    local got
    got=$(offer "$@")
    [[ $got == "$want" ]] || echo "# $*: got '$got', not '$want'"
    [[ $got == "$want" ]]
    ok "bash: $*"
}
check 'job jobs ' carnot jo
check '--next ' carnot forecast --ne
check '--upgrade ' carnot check --up
check '--explain ' carnot --conf /etc/x.yaml place --exp
check '--explain ' carnot why --e
check '81234 ' carnot why 8123
check '81234 81240_7 ' carnot now 812
check 'month ' carnot budget set account bio --period mo
check 'month ' carnot budget set account bio --period = m
check 'day week month once ' carnot budget set account bio --period =
check 'greenest ' carnot place --carbon-policy g
check '' carnot place --nodes zzz

for shell in zsh fish; do
    case $shell in zsh) file=zsh/_carnot ;; *) file=fish/carnot.fish ;; esac
    if command -v $shell >/dev/null; then
        $shell -n "$src/$file"
        ok "$file is $shell"
    else
        n=$((n + 1))
        echo "ok $n - completion:$file # SKIP no $shell here"
    fi
done
echo "1..$n"
exit $failed
