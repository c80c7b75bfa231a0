# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of carnot(1) for fish. Job ids and accounts are asked of carnot itself, for one second at most.

function __carnot_ask
    timeout 1 carnot $argv 2>/dev/null | sort -u
end

set -l commands why now job jobs forecast status nodes log budget report on off check place simulate help
complete -c carnot -f
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a why -d 'why a job waits, or does not'
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a now -d "give up a job's wait"
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a job -d 'what a job consumed and emitted'
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a jobs -d 'the same for many jobs'
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a forecast -d 'carbon intensity from now on'
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a status -d 'what is alive'
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a nodes -d 'which nodes report'
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a log -d 'what a node measured'
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a budget -d 'list, set and remove budgets'
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a report -d 'what a period used'
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a on -d 'act'
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a off -d 'only observe'
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a check -d 'is everything as Carnot needs it'
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a place -d 'dry run of a decision'
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a simulate -d 'policies on recorded jobs'
complete -c carnot -n "not __fish_seen_subcommand_from $commands" -a help -d 'more about a command'
complete -c carnot -n "__fish_seen_subcommand_from help" -a "$commands"
complete -c carnot -l conf -r -F -d 'configuration'
complete -c carnot -l json -d 'print JSON'
complete -c carnot -l help -d 'options'

complete -c carnot -n "__fish_seen_subcommand_from why" -l explain -d 'draw the window'
complete -c carnot -n "__fish_seen_subcommand_from why now job" -a "(__carnot_ask jobs -nP -o jobid)"

set -l tables jobs nodes log budget forecast
complete -c carnot -n "__fish_seen_subcommand_from $tables" -s n -l noheader -d 'no header'
complete -c carnot -n "__fish_seen_subcommand_from $tables" -s P -l parsable2 -d 'fields joined by |'
complete -c carnot -n "__fish_seen_subcommand_from $tables" -s o -l format -x -d columns
complete -c carnot -n "__fish_seen_subcommand_from jobs nodes log budget" -l units -x -a 'kWh MJ J' -d 'of energy'

complete -c carnot -n "__fish_seen_subcommand_from jobs" -s a -l allusers -d 'of everybody'
complete -c carnot -n "__fish_seen_subcommand_from jobs" -s u -l user -x -a "(__fish_complete_users)" -d 'of users'
complete -c carnot -n "__fish_seen_subcommand_from jobs" -s A -l accounts -x -a "(__carnot_ask jobs -a -nP -o account)" -d 'of accounts'
complete -c carnot -n "__fish_seen_subcommand_from jobs" -s j -l jobs -x -a "(__carnot_ask jobs -nP -o jobid)" -d these
complete -c carnot -n "__fish_seen_subcommand_from jobs" -s S -l starttime -x -d 'not ended before'
complete -c carnot -n "__fish_seen_subcommand_from jobs" -s E -l endtime -x -d 'submitted before'
complete -c carnot -n "__fish_seen_subcommand_from jobs" -s X -l allocations -d 'for the sake of sacct'

complete -c carnot -n "__fish_seen_subcommand_from forecast" -l next -x -d 'only so far'
complete -c carnot -n "__fish_seen_subcommand_from forecast" -l table -d 'a table'
complete -c carnot -n "__fish_seen_subcommand_from nodes" -l bad -d 'only those in trouble'
complete -c carnot -n "__fish_seen_subcommand_from log" -s N -l node -x -d 'of this node'
complete -c carnot -n "__fish_seen_subcommand_from log" -s j -l job -x -a "(__carnot_ask jobs -nP -o jobid)" -d 'with this job'
complete -c carnot -n "__fish_seen_subcommand_from log" -s S -l since -x -d 'that end after'
complete -c carnot -n "__fish_seen_subcommand_from log" -s E -l until -x -d 'that end before'
complete -c carnot -n "__fish_seen_subcommand_from log" -l summary -d 'a row a job'
complete -c carnot -n "__fish_seen_subcommand_from log" -l follow -d 'go on'

complete -c carnot -n "__fish_seen_subcommand_from budget" -a 'list set remove account user'
complete -c carnot -n "__fish_seen_subcommand_from budget" -l energy -x -d 'so much energy'
complete -c carnot -n "__fish_seen_subcommand_from budget" -l carbon -x -d 'so much CO2e'
complete -c carnot -n "__fish_seen_subcommand_from budget" -l period -x -a 'day week month once'

complete -c carnot -n "__fish_seen_subcommand_from report" -s S -l starttime -x -d 'ended from then on'
complete -c carnot -n "__fish_seen_subcommand_from report" -s E -l endtime -x -d 'ended before'
complete -c carnot -n "__fish_seen_subcommand_from report" -s A -l account -x -a "(__carnot_ask jobs -a -nP -o account)"
complete -c carnot -n "__fish_seen_subcommand_from report" -s u -l user -x -a "(__fish_complete_users)"
complete -c carnot -n "__fish_seen_subcommand_from report" -l by -x -a 'account user run partition'
complete -c carnot -n "__fish_seen_subcommand_from report" -l waiting -d 'added wait by user'
complete -c carnot -n "__fish_seen_subcommand_from report" -l would-have -d 'what waiting would have done'
complete -c carnot -n "__fish_seen_subcommand_from report" -l allowances -x -a '2h,4h,12h'
complete -c carnot -n "__fish_seen_subcommand_from report" -l csv -d 'for spreadsheets'

complete -c carnot -n "__fish_seen_subcommand_from on off" -l default -d 'take the switch away'
complete -c carnot -n "__fish_seen_subcommand_from off" -l all -d 'every part too'
complete -c carnot -n "__fish_seen_subcommand_from off" -l now -d 'let go what waits'
complete -c carnot -n "__fish_seen_subcommand_from on off place" -l partition -x -a "(timeout 1 sinfo -ho %R 2>/dev/null)"
complete -c carnot -n "__fish_seen_subcommand_from on off place" -l account -x -a "(__carnot_ask jobs -a -nP -o account)"
complete -c carnot -n "__fish_seen_subcommand_from on off place" -l user -x -a "(__fish_complete_users)"

complete -c carnot -n "__fish_seen_subcommand_from check" -s v -l verbose -d 'also what is right'
complete -c carnot -n "__fish_seen_subcommand_from check" -l slurm -d 'would slurmctld load the plugins'
complete -c carnot -n "__fish_seen_subcommand_from check" -l plugin -r -F -d 'this one'
complete -c carnot -n "__fish_seen_subcommand_from check" -l upgrade -x -d 'do they fit that release'
complete -c carnot -n "__fish_seen_subcommand_from check" -l node -d 'this compute node'

complete -c carnot -n "__fish_seen_subcommand_from place" -l nodes -x
complete -c carnot -n "__fish_seen_subcommand_from place" -l time -x
complete -c carnot -n "__fish_seen_subcommand_from place" -l cpus-per-node -x
complete -c carnot -n "__fish_seen_subcommand_from place" -l gpus-per-node -x
complete -c carnot -n "__fish_seen_subcommand_from place" -l array-tasks -x
complete -c carnot -n "__fish_seen_subcommand_from place" -l name -x
complete -c carnot -n "__fish_seen_subcommand_from place" -l at -x
complete -c carnot -n "__fish_seen_subcommand_from place" -l carbon-delay -x -a 'off site 1h 4h 12h 1-00'
complete -c carnot -n "__fish_seen_subcommand_from place" -l carbon-finish-by -x
complete -c carnot -n "__fish_seen_subcommand_from place" -l carbon-policy -x -a 'asap balanced greenest'
complete -c carnot -n "__fish_seen_subcommand_from place" -l carbon-budget -x
complete -c carnot -n "__fish_seen_subcommand_from place" -l energy-budget -x
complete -c carnot -n "__fish_seen_subcommand_from place" -l budget-action -x -a 'warn term'
complete -c carnot -n "__fish_seen_subcommand_from place" -l carbon-run -x
complete -c carnot -n "__fish_seen_subcommand_from place" -l power-cap -x -a 'node: gpu:'
complete -c carnot -n "__fish_seen_subcommand_from place" -l carbon-requeue
complete -c carnot -n "__fish_seen_subcommand_from place" -l board -r -F
complete -c carnot -n "__fish_seen_subcommand_from place" -l explain -d 'other starts'
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l workload -r -F
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l workload-unit -x -a 's h'
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l carbon -r -F
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l zone -x
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l column -x
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l start -x
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l start-weeks -x
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l nodes -x
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l cores-per-node -x
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l unbounded -d 'no limits'
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l policy -x -a 'asap balanced greenest lowest-slot lowest-window carbon-time wait-awhile ecovisor cap'
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l max-delay -x -a 'rule 6h 12h 24h'
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l lambda -x
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l lambda-exponent -x
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l target-wait -x
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l forecast -x -a 'perfect api-like anchored yesterday'
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l lengths -x -a 'exact requested predicted mix'
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l requeueable -x
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l overbook -x
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l min-gain -x
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l core-power -x
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l power-model -r -F
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l seed -x
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l bound-steps -x
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l schedule -r -F
complete -c carnot -n "__fish_seen_subcommand_from simulate" -l html -r -F
