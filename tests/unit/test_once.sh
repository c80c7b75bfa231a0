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
