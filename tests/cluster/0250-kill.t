#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# carnotd killed with SIGKILL at random, CARNOT_KILLS times (50; 1000 for the long run), while it starts, logs, saves its state
# and reports: every complete line of the log parses, numbers follow each other, and each source's records add up to what its
# counter moved by, over wraps, to the microjoule; the controller got each record's energy once; and no power cap of the jobs
# that came and went is left behind, though the helper that sets them is killed as well. Needs no Slurm: a tree of
# counters that a process advances, and a controller that is played here, with a munged of our own.
# CARNOT_TEST_SEED runs one sequence of moments again, as far as the machine plays along.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

for dir in "${CARNOT_BUILDDIR:-}" "$CASE_DIR/../../build" "$CASE_DIR/../.."; do
    [[ -n $dir && -x $dir/src/carnotd/carnotd ]] && break
done
[[ -x $dir/src/carnotd/carnotd ]] || skip_all "Carnot is not built"
perl -MJSON::PP -MTime::HiRes -e 1 2>/dev/null || skip_all "perl has no JSON::PP"

kills=${CARNOT_KILLS:-50}
seed=${CARNOT_TEST_SEED:-$((RANDOM * 32768 + RANDOM))}
diag "$kills kills, CARNOT_TEST_SEED=$seed"

# ---- a machine of two packages and memory, and munged ---------------------------------------------------------------------

zones=$T/root/sys/class/powercap
boot=$T/root/proc/sys/kernel/random
mkdir -p "$boot" "$T/state" "$T/log" "$T/metrics"
cat /proc/sys/kernel/random/uuid >"$boot/boot_id"
zone() {
    mkdir -p "$zones/$1"
    echo "$2" >"$zones/$1/name"
    echo 65532610987 >"$zones/$1/max_energy_range_uj"
    printf '%011d\n' "$3" >"$zones/$1/energy_uj"
}
# One that wraps at once, one in the middle, one from nothing.
zone intel-rapl:0 package-0 65512610987
zone intel-rapl:1 package-1 30000000000
zone intel-rapl:0:0 dram 1
for zone in intel-rapl:0 intel-rapl:1; do
    echo long_term >"$zones/$zone/constraint_0_name"
    echo 2000000000 >"$zones/$zone/constraint_0_max_power_uw"
    echo 2000000000 >"$zones/$zone/constraint_0_power_limit_uw"
done

munge_pid=
if [[ $(id -u) = 0 ]] && command -v munged munge unmunge >/dev/null; then
    munge=$(mktemp -d /tmp/carnot-kill.XXXXXX) # a socket's path is short
    chmod 755 "$munge"
    (umask 077 && head -c 1024 /dev/urandom >"$munge/key")
    munged --foreground --force --key-file="$munge/key" --socket="$munge/socket" --pid-file="$munge/pid" \
        --seed-file="$munge/seed" --log-file="$munge/log" >/dev/null 2>&1 &
    munge_pid=$!
    trap 'kill "$munge_pid" 2>/dev/null; wait "$munge_pid"; rm -rf -- "$munge"; cleanup' EXIT
    wait_for 10 test -S "$munge/socket" || bail_out "munged does not start"
fi

# ---- kill it --------------------------------------------------------------------------------------------------------------

perl - "$dir/src/carnotd/carnotd" "$T" "$kills" "$seed" "${munge:-}" >"$T/result" <<'PERL'
use strict; use warnings;
use IO::Socket::INET; use IO::Socket::UNIX; use JSON::PP; use Time::HiRes qw(sleep time); use POSIX qw(:sys_wait_h strftime);
use Socket qw(SOCK_SEQPACKET);

my ($carnotd, $t, $kills, $seed, $munge) = @ARGV;
(my $powercap = $carnotd) =~ s{carnotd/carnotd$}{powercap/carnot-powercap};
my $range = 65532610987;
my %file = ("rapl:package-0" => "intel-rapl:0", "rapl:package-1" => "intel-rapl:1", "rapl:package-0:dram" => "intel-rapl:0:0");
my $json = JSON::PP->new;
srand $seed;
$SIG{PIPE} = 'IGNORE';

# The counters go on whatever carnotd does: at most 50 J (memory: 20 J) in 50 ms. In place, with as many digits as ever, as the kernel does it.
sub advance {
    my (%raw, %moved, %fd, $stop);
    $SIG{TERM} = sub { $stop = 1 };
    for my $s (keys %file) {
        open $fd{$s}, '+<', "$t/root/sys/class/powercap/$file{$s}/energy_uj" or die;
        $raw{$s} = 0 + readline $fd{$s};
        $moved{$s} = 0;
    }
    until ($stop) {
        for my $s (keys %file) {
            my $uj = 1 + int rand($s =~ /dram/ ? 20e6 : 50e6);
            $moved{$s} += $uj;
            $raw{$s} += $uj;
            $raw{$s} -= $range + 15 if $raw{$s} > $range;
            sysseek $fd{$s}, 0, 0;
            syswrite $fd{$s}, sprintf "%011d\n", $raw{$s};
        }
        sleep 0.05;
    }
    open my $out, '>', "$t/moved" or die;
    print $out $json->encode(\%moved);
    exit 0;
}

# Counts each number once, as carnotctld does, and loses one answer in four.
sub control {
    my $listen = shift;
    my ($acked, $uj, $n, $gaps) = (0, 0, 0, 0);
    while (my $c = $listen->accept) {
        my ($length, $sealed) = ('', '');
        next unless $c->read($length, 4) == 4 && $c->read($sealed, unpack 'N', $length);
        $sealed =~ s/\0//g;
        open my $f, '>', "$t/request" or die; print $f $sealed; close $f;
        my $text = `unmunge --socket='$munge/socket' --metadata=/dev/null --input='$t/request'`;
        $text =~ s/\0//g;
        my $request = eval { $json->decode($text) } or next;
        for my $r (@{$request->{records}}) {
            next if $r->{seq} <= $acked;
            $gaps++ if $r->{seq} != $acked + 1;
            $acked = $r->{seq};
            $uj += $r->{uj};
            $n++;
        }
        open my $out, '>', "$t/counted.new" or die;
        print $out $json->encode({acked => $acked, uj => $uj, n => $n, gaps => $gaps});
        close $out;
        rename "$t/counted.new", "$t/counted";
        next if rand() < 0.25;
        open $f, '>', "$t/answer" or die; print $f $json->encode({v => 1, ok => JSON::PP::true, acked => $acked}); close $f;
        my $answer = `munge --socket='$munge/socket' --input='$t/answer'`;
        chomp $answer;
        print $c pack('N', length $answer) . $answer;
    }
}

my $listen = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', LocalPort => 0) or die;
my $port = $listen->sockport;
open my $conf, '>', "$t/carnot.yaml" or die;
print $conf "controller:\n  host: 127.0.0.1\n  port: $port\n" . ($munge ? "munge_socket: $munge/socket\n" : '') .
    "node:\n  interval: 200ms\n  log_interval: 200ms\n  report_interval: 200ms\n  log_max: 64KiB\n  log_keep: 1000\n" .
    "  metrics: \"textfile:$t/metrics\"\n" .
    "  state_dir: \"$t/state\"\n  log_dir: \"$t/log\"\n  socket: /tmp/carnot-kill-$$.sock\n  cap_socket: /tmp/carnot-kill-$$.caps\n";
close $conf;
my $controller = $munge ? fork : -1;
control($listen) if $controller == 0;

# The helper for power caps, started for each connection as the service manager does it; one in four is killed as well, until
# the last run begins.
sub helpers {
    my ($caps, $calm) = @_;
    $SIG{USR1} = sub { $calm = 1 };
    while (1) {
        my $peer = $caps->accept or next;
        1 while waitpid(-1, WNOHANG) > 0;
        my $fate = !$calm && rand() < 0.25 ? rand 0.02 : 0;
        my $helper = fork // die;
        if (!$helper) {
            open STDIN, '<&', $peer; open STDOUT, '>&', $peer; open STDERR, '>>', "$t/carnotd.log";
            exec "$powercap", '--sysroot', "$t/root", '--state-dir', "$t/caps" or exit 127;
        }
        next unless $fate;
        sleep $fate;
        kill KILL => $helper if waitpid($helper, WNOHANG) == 0;
    }
}
my $caps = IO::Socket::UNIX->new(Type => SOCK_SEQPACKET, Local => "/tmp/carnot-kill-$$.caps", Listen => 8) or die;
my $helpers = fork // die;
helpers($caps) if $helpers == 0;
# What the limits of the packages are, in watts.
sub limits {
    join ' ', map { open my $f, '<', "$t/root/sys/class/powercap/intel-rapl:$_/constraint_0_power_limit_uw" or die; readline($f) / 1e6 } 0, 1;
}

sub start {
    my $pid = fork // die;
    return $pid if $pid;
    open STDOUT, '>>', "$t/carnotd.log"; open STDERR, '>&', \*STDOUT;
    exec $carnotd, '-f', "$t/carnot.yaml", '-N', 'n1', '--sysroot', "$t/root" or exit 127;
}
sub tell_job {
    my $s = IO::Socket::UNIX->new(Type => SOCK_SEQPACKET, Peer => "/tmp/carnot-kill-$$.sock") or return;
    syswrite $s, "carnot1 event=$_[0] job=7 uid=1000 node=n1 ncpus=1" . ($_[0] eq 'start' ? ' cap=node:3kW' : '');
}
# The metrics as they stand: joules of the first package; counts what is not whole, or goes back.
my ($prom_reads, $prom_bad, $prom_last) = (0, 0, 0);
sub read_metrics {
    open my $f, '<', "$t/metrics/carnotd.prom" or return;
    my $text = do { local $/; readline $f };
    my ($joules) = $text =~ /^carnot_source_joules_total\{source="rapl:package-0"\} (\d+)$/m;
    $prom_reads++;
    $prom_bad++ if $text !~ /^carnotd_log_writable 1\n\z/m || !defined $joules || $joules < $prom_last;
    $prom_last = $joules // 0;
}
sub lines { map { my $f; open($f, '<', $_) ? readline $f : () } "$t/log/telemetry.jsonl", glob "'$t/log/telemetry.jsonl.*'" }

my $capped = 0;
# Let every zone be seen, and seen to move, before the first kill.
my $pid = start();
for (1 .. 200) { last if grep { /"ev":"record"/ } lines(); sleep 0.1 }
my $advancer = fork // die;
advance() if $advancer == 0;
for (1 .. 200) { last if grep { /package-0".*package-1".*dram"|dram".*package-0".*package-1"/ && /"ev":"record"/ } lines(); sleep 0.1 }
sleep 0.5;
for my $i (1 .. $kills) {
    # as it starts and writes down the gap, or later on
    sleep($i % 3 ? rand 0.12 : rand 0.9);
    tell_job($i % 4 ? 'start' : 'end') if $i % 2 == 0;
    # while a cap is asked for, set or restored, or when it is
    sleep rand($i % 2 ? 0.01 : 0.3);
    read_metrics();
    $capped++ if limits() eq '1500 1500';
    kill KILL => $pid;
    waitpid $pid, 0;
    $pid = start();
}
kill USR1 => $helpers;
tell_job('start');
for (1 .. 300) { last if limits() eq '1500 1500'; sleep 0.1 }
$capped++ if limits() eq '1500 1500';
sleep 1;
kill TERM => $advancer; waitpid $advancer, 0;
# From here on the counters stand still, which carnotd may call stale.
my $still = strftime '%Y-%m-%dT%H:%M:%S', gmtime;
sleep 2.5;
read_metrics();
kill TERM => $pid; waitpid $pid, 0;
my $status = $?;
if ($munge) {
    # one more run, in case the last answer was one of those that were lost
    for (1 .. 3) { $pid = start(); sleep 1.5; kill TERM => $pid; waitpid $pid, 0 }
    kill TERM => $controller; waitpid $controller, 0;
}
kill TERM => $helpers; waitpid $helpers, 0;
unlink "/tmp/carnot-kill-$$.sock", "/tmp/carnot-kill-$$.caps";

# ---- what is left
my (%sum, %seen, @seq);
my %bad = map { $_ => 0 } qw(parse balance states repeated);
my ($records, $node_uj, $modelled, $gaps) = (0, 0, 0, 0);
for (lines()) {
    my $r = eval { $json->decode($_) };
    if (!$r || !/\n\z/) { $bad{parse}++; next }
    next unless $r->{ev} eq 'record';
    my $uj = $r->{idle_uj} + $r->{system_uj};
    $uj += $_->{uj} for @{$r->{jobs}};
    $bad{balance}++ if $uj != $r->{uj};
    $bad{repeated}++ if $seen{$r->{seq}}++;
    push @seq, $r->{seq};
    $node_uj += $r->{uj};
    $records++;
    $gaps++ if $r->{gap};
    for my $s (@{$r->{sources}}) {
        if ($s->{name} eq 'model:cpu') { $modelled++; next }
        $sum{$s->{name}} += $s->{uj} // 0;
        $bad{states}++ if $s->{state} !~ /^(ok|wrapped|first)$/ && !($s->{state} eq 'stale' && $r->{ts} ge $still);
    }
}
@seq = sort { $a <=> $b } @seq;
open my $in, '<', "$t/moved" or die;
my $moved = $json->decode(readline $in);
print "status=$status\nrecords=$records\ngaps=$gaps\nlast=$seq[-1]\n";
print "bad_$_=$bad{$_}\n" for sort keys %bad;
print "missing=", $seq[-1] - $seq[0] + 1 - @seq, "\n";
print "off_$file{$_}=", ($sum{$_} // 0) - $moved->{$_}, "\n" for sort keys %file;
print "moved=", $moved->{'rapl:package-0'}, "\nnode_uj=$node_uj\nmodelled=$modelled\nprom_reads=$prom_reads\nprom_bad=$prom_bad\n";
print "capped=$capped\nlimits=", limits(), "\njournals=", (-e "$t/caps/journal" ? 1 : 0), "\n";
print "prom_off=", $prom_last - int($moved->{'rapl:package-0'} / 1e6), "\n";
if ($munge) {
    open $in, '<', "$t/counted" or die;
    my $c = $json->decode(readline $in);
    print "counted_$_=$c->{$_}\n" for sort keys %$c;
}
PERL
ok "the test ran" test -s "$T/result"
value() { sed -n "s/^$1=//p" "$T/result"; }
sed 's/^/# /' "$T/result"

is "every complete line parses" "$(value bad_parse)" 0
is "every record adds up" "$(value bad_balance)" 0
is "no number is given twice" "$(value bad_repeated)" 0
is "none is left out" "$(value missing)" 0
is "no source was reset, stale or missing" "$(value bad_states)" 0
for name in intel-rapl:0 intel-rapl:1 intel-rapl:0:0; do
    is "$name: its records are what it moved by" "$(value "off_$name")" 0
done
ok "the first one went over the end of its range" test "$(value moved)" -gt 20000000
between "one record a kill at least in two" "$(value records)" $((kills / 2)) 100000000
is "the last run ended well" "$(value status)" 0
if [[ -n $munge_pid ]]; then
    is "the controller has all records" "$(value counted_acked)" "$(value last)"
    is "each once" "$(value counted_n)" "$(value records)"
    is "none was passed over" "$(value counted_gaps)" 0
    is "and their energy" "$(value counted_uj)" "$(value node_uj)"
else
    skip "what the controller has" "munged is not installed, or this is not root"
fi
ok "power caps were set" test "$(value capped)" -gt 0
is "none is left behind" "$(value limits)" "2000 2000"
is "nor a journal" "$(value journals)" 0
ok "metrics were read" test "$(value prom_reads)" -gt 2
is "they were whole, and never went back" "$(value prom_bad)" 0
is "and in the end say what the counter moved by" "$(value prom_off)" 0
is "metrics of a daemon that has ended are removed" "$(ls "$T/metrics")" ""
ok "what is left in the state directory" test "$(cd "$T/state" && ls | grep -vcE '^(acked|counters.json|carnotd.lock|acked.tmp|counters.json.tmp)$')" = 0
unlike "no state file was refused" "$(cat "$T/carnotd.log")" 'is not used'
done_testing
