#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# carnotd --once --json on a machine with GPUs of three vendors, whose libraries are the unit tests' fake ones: each device
# is shown, used or not, and why; and what a library prints is not among it.
set -u

carnotd=$PWD/../../src/carnotd/carnotd
n=0 failed=0

# ok NAME: the result of the command before it, in TAP.
ok() {
    local rc=$?
    n=$((n + 1))
    if ((rc == 0)); then
        echo "ok $n - once:$1"
    else
        echo "not ok $n - once:$1"
        failed=1
    fi
}

if [[ ! -x $carnotd || ! -e .libs/fake_rocm_smi.so ]]; then
    echo "1..0 # SKIP carnotd or the fake libraries are not built"
    exit 0
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
root=$dir/root says=$dir/says
mkdir -p "$dir/lib" "$says"
ln -s "$PWD/.libs/fake_nvml.so" "$dir/lib/libnvidia-ml.so.1"
ln -s "$PWD/.libs/fake_rocm_smi.so" "$dir/lib/librocm_smi64.so.1"
ln -s "$PWD/.libs/fake_level_zero.so" "$dir/lib/libze_loader.so.1"

# device DRIVER PCI ID: one that the kernel has.
device() {
    mkdir -p "$root/sys/bus/pci/drivers/$1/$2" "$root/sys/bus/pci/devices/$2"
    echo "$3" >"$root/sys/bus/pci/devices/$2/device"
}

once() {
    FAKE_NVML=$says FAKE_AMD=$says FAKE_ZE=$says LD_LIBRARY_PATH=$dir/lib \
        "$carnotd" --once --json --sysroot "$root" >"$dir/out" 2>"$dir/err"
}

# field SOURCE FIELD: its value.
field() {
    awk -v name="\"$1\"," -v field="\"$2\":" '
        $1 == "\"name\":" { ours = $2 == name }
        ours && $1 == field { sub(/^ *"[a-z_]*": /, ""); sub(/,$/, ""); print }' "$dir/out"
}

# is SOURCE FIELD VALUE
is() {
    local got
    got=$(field "$1" "$2")
    [[ $got == "$3" ]] || { echo "# $1: $2 is '$got', not '$3'"; false; }
}

device amdgpu 0000:c1:00.0 0x7408
device amdgpu 0000:c6:00.0 0x7408
printf '0000:c1:00.0\n0000:c6:00.0\n' >"$says/list"
echo 65536000 >"$says/0000:c1:00.0.count"
once && is rocm:gpu-0 value 1000000000 && is rocm:gpu-0 counted true && is rocm:gpu-0 coverage '"gpu"' &&
    is rocm:gpu-0 path '"0000:c1:00.0"'
ok amd-counts
is rocm:gpu-1 counted false && is rocm:gpu-1 why_not '"its card is measured as one"'
ok amd-second-die

device xe 0000:00:02.0 0x46a6
device xe 0000:9a:00.0 0x0bd5
printf '0000:00:02.0\n0000:9a:00.0\n' >"$says/list"
echo card | tee "$says/0000:9a:00.0.getcard" >"$says/0000:00:02.0.getcard"
echo 5000000 | tee "$says/0000:9a:00.0.card" >"$says/0000:00:02.0.card"
rm -r "$root/sys/bus/pci/drivers/amdgpu"
once && is level_zero:gpu-0 value 5000000 && is level_zero:gpu-0 counted true && is level_zero:gpu-0 readable true
ok intel-counts
is level_zero:integrated-0 counted false && is level_zero:integrated-0 why_not '"it is a part of its package"'
ok intel-integrated
echo 'error 0x70010000' >"$says/0000:9a:00.0.card"
once && is level_zero:gpu-0 counted false && is level_zero:gpu-0 why_not '"no right to read it"' &&
    is level_zero:gpu-0 error '"Permission denied"'
ok intel-no-right

# Two vendors that both have a first GPU: the second one is not added to it, whatever it says.
mkdir -p "$root/proc/driver/nvidia/gpus/0000:3b:00.0"
echo 7000 >"$says/0000:3b:00.0.energy"
echo 5000000 >"$says/0000:9a:00.0.card"
once && is nvml:gpu-0 counted true && is level_zero:gpu-0 counted false &&
    is level_zero:gpu-0 why_not '"others cover the same"'
ok same-number

device amdgpu 0000:c1:00.0 0x7408
echo 'error 8' >"$says/init"
once && [[ $(head -c 1 "$dir/out") == '{' && $(tail -n 1 "$dir/out") == '}' ]] && ! grep -q Exception "$dir/out" &&
    grep -q Exception "$dir/err" && is rocm:gpu-0 why_not '"it cannot be read"'
ok library-that-prints
rm "$dir/lib/librocm_smi64.so.1"
once && is rocm:gpu-0 error "\"the vendor's library is not there\""
ok no-library

# Power caps: what carnot-powercap would find.
# caps: that section of the last output, without spaces.
caps() { sed -n '/^  "caps": {/,/^  }/p' "$dir/out" | tr -d ' \n'; }
# zone N LIMIT_W: package N with a maximum of 200 W.
zone() {
    local z=$root/sys/class/powercap/intel-rapl:$1
    mkdir -p "$z"
    echo "package-$1" >"$z/name"
    echo long_term >"$z/constraint_0_name"
    echo 200000000 >"$z/constraint_0_max_power_uw"
    echo "${2}000000" >"$z/constraint_0_power_limit_uw"
}
gpu='{"name":"gpu-0","by":"nvml","id":"0000:3b:00.0","now_mw":300000,"min_mw":100000,"max_mw":300000,"why_not":null}'
none='"why_not":"nothingherehasalimitthatcanbewritten"'
once && [[ $(caps) == "\"caps\":{\"possible\":false,$none,\"owner\":null,\"limits\":[]}" ]]
ok caps-nothing
echo 300000 | tee "$says/0000:3b:00.0.limit" >"$says/0000:3b:00.0.limit_max"
echo 100000 >"$says/0000:3b:00.0.limit_min"
zone 0 200 && zone 1 250
package='"by":"rapl","id":"intel-rapl'
want="\"limits\":[{\"name\":\"package-0\",$package:0\",\"now_mw\":200000,\"min_mw\":50000,\"max_mw\":200000,\"why_not\":null},"
want+="{\"name\":\"package-1\",$package:1\",\"now_mw\":250000,\"min_mw\":50000,\"max_mw\":200000,"
want+="\"why_not\":\"itisabovethemaximumthatthehardwarereports\"},$gpu]}"
rm "$says/init"
once && [[ $(caps) == "\"caps\":{\"possible\":true,\"why_not\":null,\"owner\":null,$want" ]]
ok caps-of-both
mkdir -p "$root/proc/812"
echo eard >"$root/proc/812/comm"
owner='"eard(EAR,process812)looksafterthelimitshere"'
once && [[ $(caps) == "\"caps\":{\"possible\":false,\"why_not\":$owner,\"owner\":$owner,$want" ]]
ok caps-of-another
FAKE_NVML=$says LD_LIBRARY_PATH=$dir/lib "$carnotd" --once --sysroot "$root" >"$dir/out" 2>"$dir/err" &&
    grep -qx 'Power caps: eard (EAR, process 812) looks after the limits here' "$dir/out" &&
    grep -qx 'package-0  *200 W now (rapl), 50 W at least' "$dir/out" &&
    grep -qx 'package-1  *250 W now (rapl), left alone: it is above the maximum that the hardware reports' "$dir/out"
ok caps-table
echo hang >"$says/0000:3b:00.0.limit"
once && [[ $(caps) == '"caps":{"possible":false,"why_not":"adrivergivesnoanswer","owner":null,"limits":[]}' ]]
ok caps-hang
rm -r "$root/sys/bus/pci/drivers/amdgpu" "$root/sys/class/powercap" "$root/proc/812"

# What is configured and better measured is not asked; without a better meter it is, and says what is wrong.
helpers=$PWD/../../src/helper
if [[ -x $helpers/carnot-redfish ]]; then
    printf 'node:\n  redfish: https://127.0.0.1:1\n' >"$dir/conf"
    mkdir -p "$dir/cray/sys/cray/pm_counters"
    echo '100 J 1 us' >"$dir/cray/sys/cray/pm_counters/energy"
    "$carnotd" --once --json -f "$dir/conf" --sysroot "$dir/cray" >"$dir/out" 2>"$dir/err" && is cray:node counted true &&
        is redfish counted false && is redfish error '"it is not asked"' &&
        is redfish why_not '"there is a better meter of the node; node.sources may name it"'
    ok redfish-not-asked
    rm -r "$dir/cray/sys/cray"
    CARNOT_LIBEXECDIR=$helpers "$carnotd" --once --json -f "$dir/conf" --sysroot "$dir/cray" >"$dir/out" 2>"$dir/err" &&
        is redfish path '"https://127.0.0.1:1"' && is redfish error '"Connection refused"' &&
        is redfish why_not '"it cannot be read"' && grep -q '^carnot-redfish: https://127.0.0.1:1/' "$dir/err"
    ok redfish-refused
    CARNOT_LIBEXECDIR=$dir/none "$carnotd" --once --json -f "$dir/conf" --sysroot "$dir/cray" >"$dir/out" 2>"$dir/err" &&
        is redfish error '"No such file or directory"'
    ok redfish-not-installed
fi
echo "1..$n"
exit $failed
