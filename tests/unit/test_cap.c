/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Setting and restoring limits on a written powercap tree and a library with NVML's ABI: shares and
 * bounds, what is left alone, what reads back differently, and journals of every kind.
 */
#include "config.h"

#include "power/source_nvml.h"
#include "powercap/cap.h"
#include "powercap/journal.h"
#include "powercap_fixture.h"

static char journal[PATH_MAX + 32];
static struct cap_place place = {.sysroot = machine.root, .journal = journal, .boot = BOOT};
static struct cap_answer a;

static void set_up(int gpus)
{
    powercap_machine(gpus);
    source_nvml_library = FAKE_NVML_FILE;
    (void)snprintf(journal, sizeof(journal), "%s/journal", unit_tmpdir());
}

static void _set(const char *cap, uint64_t gpus)
{
    struct cap_request r = {.verb = CAP_SET, .job = 7, .gpus = gpus};

    CU_ASSERT_FATAL(power_cap_parse(&r.cap, cap) == NULL);
    cap_set(&place, &r, &a);
}

static int has_journal(void)
{
    return access(journal, F_OK) == 0;
}

/* The last answer, all limits, and whether there is a journal. */
static void is(enum cap_result result, const char *limits, int journaled, const char *what)
{
    UNIT_STR(cap_result_name(a.result), cap_result_name(result), "%s: %s", what, a.why.text);
    UNIT_STR(powercap_limits(), limits, "%s", what);
    UNIT_INT(has_journal(), journaled, "%s: journal", what);
}

static void says(const char *part)
{
    UNIT_OK(strstr(a.why.text, part), "'%s' should say '%s'", a.why.text, part);
}

static void test_node(void)
{
    set_up(0);
    _set("node:300W", 0);
    is(CAP_WAS_SET, "150 150 -1 -1", 1, "two packages share");
    UNIT_INT(a.limits, 2, "limits");
    UNIT_INT(a.asked_mw, 300000, "asked");
    UNIT_INT(a.actual_mw, 300000, "got");
    UNIT_INT(powercap_read(ZONE_DIR "intel-rapl:0/constraint_0_power_limit_uw"), 250000000,
             "the short term is left");
    UNIT_INT(powercap_read(ZONE_DIR "intel-rapl:0:0/constraint_0_power_limit_uw"), 40000000,
             "memory is left");
    UNIT_INT(powercap_read(ZONE_DIR "intel-rapl:2/constraint_0_power_limit_uw"), 500000000,
             "psys is left");
    UNIT_INT(powercap_read(ZONE_DIR "intel-rapl-mmio:0/constraint_0_power_limit_uw"), 200000000,
             "the twin is left");
    cap_restore(&place, &a);
    is(CAP_RESTORED, "200 200 -1 -1", 0, "put back");
    UNIT_INT(a.limits, 2, "limits");
    cap_restore(&place, &a);
    is(CAP_RESTORED, "200 200 -1 -1", 0, "and again");
    UNIT_INT(a.limits, 0, "nothing was to be done");
}

static void test_node_with_gpus(void)
{
    set_up(2);
    _set("node:500W", 0);
    is(CAP_WAS_SET, "100 100 150 150", 1, "half of everything");
    _set("node:750W", 0);
    is(CAP_WAS_SET, "150 150 225 225", 1, "a second cap begins from what was there");
    cap_restore(&place, &a);
    is(CAP_RESTORED, "200 200 300 300", 0, "put back");
}

static void test_gpu(void)
{
    set_up(2);
    _set("gpu:250W", 2);
    is(CAP_WAS_SET, "200 200 300 250", 1, "the job's alone");
    cap_restore(&place, &a);
    is(CAP_RESTORED, "200 200 300 300", 0, "put back");
    _set("gpu:250W", 4);
    is(CAP_REFUSED, "200 200 300 300", 0, "no such GPU");
    says("nothing here");
    /* the first GPU is divided in two: to Slurm these are 0 and 1, and the second GPU is 2 */
    fixture_write(machine.root, "proc/driver/nvidia/capabilities/gpu0/mig/gi1/ci0/access", "");
    fixture_write(machine.root, "proc/driver/nvidia/capabilities/gpu0/mig/gi2/ci0/access", "");
    _set("gpu:250W", 2);
    is(CAP_WAS_SET, "200 200 250 300", 1, "an instance is its GPU's");
    _set("gpu:250W", 4);
    is(CAP_WAS_SET, "200 200 300 250", 1, "the other one");
    cap_restore(&place, &a);
    source_nvml_library = "libnone.so";
    _set("gpu:250W", 1);
    is(CAP_REFUSED, "200 200 300 300", 0, "no library");
}

/* Nothing is changed, and it is said why. */
static void test_bounds(void)
{
    set_up(2);
    _set("node:100W", 0);
    is(CAP_REFUSED, "200 200 300 300", 0, "below a quarter");
    says("it takes at least 50 W");
    _set("gpu:90W", 3);
    is(CAP_REFUSED, "200 200 300 300", 0, "below the hardware's minimum");
    says("it takes at least 100 W");
    _set("node:1000W", 0);
    is(CAP_REFUSED, "200 200 300 300", 0, "all that there is");
    says("no limit here is above that");
    _set("node:1MW", 0);
    is(CAP_REFUSED, "200 200 300 300", 0, "more than there is");
    fixture_write_u64(machine.root, LIMIT_0, 90000000);
    _set("node:500W", 0);
    is(CAP_WAS_SET, "90 100 150 150", 1, "one that is lower already stays");
    cap_restore(&place, &a);
    is(CAP_RESTORED, "90 200 300 300", 0, "and is not raised");
}

static void test_left_alone(void)
{
    set_up(0);
    fixture_write(machine.root, ZONE_DIR "intel-rapl:0/enabled", "0\n");
    _set("node:100W", 0);
    is(CAP_WAS_SET, "200 100 -1 -1", 1, "limits that are switched off");
    cap_restore(&place, &a);
    fixture_write_u64(machine.root, LIMIT_1, 250000000);
    _set("node:100W", 0);
    is(CAP_REFUSED, "200 250 -1 -1", 0, "a limit above the maximum");
    says("left alone");
    fixture_remove(machine.root, ZONE_DIR "intel-rapl:1/constraint_0_max_power_uw");
    _set("node:100W", 0);
    is(CAP_WAS_SET, "200 100 -1 -1", 1, "no maximum is reported: what it is now counts");
    cap_restore(&place, &a);
    is(CAP_RESTORED, "200 250 -1 -1", 0, "put back");
    fixture_write(machine.root, LIMIT_1, "none\n");
    _set("node:100W", 0);
    is(CAP_REFUSED, "200 0 -1 -1", 0, "a limit that is no number");
    fixture_remove(machine.root, "sys/class/powercap");
    _set("node:100W", 0);
    says("nothing here");
}

static void test_owner(void)
{
    set_up(2);
    fixture_write(machine.root, "proc/812/comm", "eard\n");
    _set("node:500W", 0);
    is(CAP_ASIDE, "200 200 300 300", 0, "EAR");
    says("eard (EAR, process 812)");
    fixture_write(machine.root, "proc/812/comm", "eardrum\n");
    _set("node:500W", 0);
    is(CAP_WAS_SET, "100 100 150 150", 1, "somebody else");
    fixture_write(machine.root, "proc/813/comm", "geopmd\n");
    _set("node:500W", 0);
    is(CAP_ASIDE, "200 200 300 300", 0, "GEOPM, and the old cap is taken back");
}

static void test_differs(void)
{
    set_up(1);
    gpu_says(GPU_A ".set", "280000");
    _set("gpu:250W", 1);
    is(CAP_DIFFERS, "200 200 280 -1", 1, "a GPU with a mind of its own");
    says("was told 250000 mW and reads back 280000 mW");
    UNIT_INT(a.asked_mw, 250000, "asked");
    UNIT_INT(a.actual_mw, 280000, "got");
    cap_restore(&place, &a);
    is(CAP_FAILED, "200 200 280 -1", 1, "which cannot be put back");
    says("does not read back");
    fixture_remove(machine.gpus, GPU_A ".set");
    cap_restore(&place, &a);
    is(CAP_RESTORED, "200 200 300 -1", 0, "until it listens");
}

/* What cannot be done whole is taken back. */
static void test_failure(void)
{
    set_up(2);
    gpu_says(GPU_B ".set", "error 4");
    _set("node:500W", 0);
    is(CAP_FAILED, "200 200 300 300", 0, "no right to set the last one");
    says("gpu-1: Permission denied");
    gpu_says(GPU_B ".set", "270000");
    _set("gpu:250W", 3);
    is(CAP_DIFFERS, "200 200 250 270", 1, "set");
    gpu_says(GPU_B ".set", "error 4");
    cap_restore(&place, &a);
    is(CAP_FAILED, "200 200 300 270", 1, "all but one are put back");
    says("the limit of " GPU_B " may not be written");
    _set("node:500W", 0);
    is(CAP_FAILED, "200 200 300 270", 1, "and nothing is set on top of that");
    fixture_remove(machine.gpus, GPU_B ".set");
    cap_restore(&place, &a);
    is(CAP_RESTORED, "200 200 300 300", 0, "at last");
    (void)snprintf(journal, sizeof(journal), "%s/none/journal", unit_tmpdir());
    _set("node:500W", 0);
    is(CAP_FAILED, "200 200 300 300", 0, "no journal, no cap");
}

static void test_somebody_else(void)
{
    set_up(0);
    _set("node:300W", 0);
    fixture_write_u64(machine.root, LIMIT_1, 120000000);
    cap_restore(&place, &a);
    is(CAP_DIFFERS, "200 120 -1 -1", 0, "another one's limit is left");
    says("somebody else has set package-1 to 120000 mW");
}

static void test_zone_gone(void)
{
    set_up(0);
    _set("node:300W", 0);
    fixture_write(machine.root, ZONE_DIR "intel-rapl:1/name", "core\n");
    cap_restore(&place, &a);
    is(CAP_FAILED, "200 150 -1 -1", 1, "the rest is put back");
    says("intel-rapl:1 cannot be found");
    fixture_write(machine.root, ZONE_DIR "intel-rapl:1/name", "package-1\n");
    fixture_write(machine.root, ZONE_DIR "intel-rapl:1/enabled", "0\n");
    cap_restore(&place, &a);
    is(CAP_RESTORED, "200 200 -1 -1", 0, "switched off or not");
}

static void test_other_boot(void)
{
    struct cap_place later = place;

    set_up(0);
    _set("node:300W", 0);
    later.boot = "another";
    cap_restore(&later, &a);
    is(CAP_RESTORED, "150 150 -1 -1", 0, "limits do not outlive a boot");
    says("earlier boot");
}

#define GOOD_HEAD "carnot-powercap 1\nboot " BOOT "\njob 7\n"
static void test_journals(void)
{
    static const char *const bad[] = {
        "",
        "carnot-powercap 1\n",
        "carnot-powercap 2\nboot " BOOT "\njob 7\nend\n",
        GOOD_HEAD,
        GOOD_HEAD "rapl intel-rapl:1 200000000 150000000\n",
        GOOD_HEAD "rapl intel-rapl:1 200000000 150000000\nend",
        GOOD_HEAD "rapl intel-rapl:1 200000000 150000000\nend\nmore\n",
        GOOD_HEAD "rapl intel-rapl:1 200000000\nend\n",
        GOOD_HEAD "rapl intel-rapl:1 -1 0\nend\n",
        GOOD_HEAD "rapl intel-rapl:1 0 0\nend\n",
        GOOD_HEAD "rapl intel-rapl:1 99999999999999999999 0\nend\n",
        GOOD_HEAD "rapl intel-rapl:1 200000000 1 2\nend\n",
        GOOD_HEAD "tap intel-rapl:1 200000000 0\nend\n",
        GOOD_HEAD "rapl  200000000 0\nend\n",
        GOOD_HEAD "rapl intel-rapl:1234567890123456789012345678901 200000000 0\nend\n",
        GOOD_HEAD "\nend\n",
        "carnot-powercap 1\nboot " BOOT BOOT "\njob 7\nend\n",
        "carnot-powercap 1\nboot " BOOT "\njob x\nend\n",
    };
    struct journal j;

    set_up(0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fixture_write(unit_tmpdir(), "journal", bad[i]);
        cap_restore(&place, &a);
        is(CAP_FAILED, "200 200 -1 -1", 1, bad[i]);
        says("is not as it was written");
        _set("node:300W", 0);
        is(CAP_FAILED, "200 200 -1 -1", 1, bad[i]);
    }
    fixture_write(unit_tmpdir(), "journal", GOOD_HEAD "rapl intel-rapl:1 900000000 0\nend\n");
    cap_restore(&place, &a);
    is(CAP_FAILED, "200 200 -1 -1", 1, "never above the hardware's maximum");
    says("above the hardware's maximum");
    fixture_write(unit_tmpdir(), "journal", GOOD_HEAD "rapl ../../../etc 900000000 0\nend\n");
    cap_restore(&place, &a);
    is(CAP_FAILED, "200 200 -1 -1", 1, "what is no zone is not opened");
    fixture_remove(unit_tmpdir(), "journal");
    _set("node:300W", 0);
    UNIT_INT(journal_read(&j, journal, NULL), 1, "a good one");
    UNIT_INT(j.n, 2, "entries");
    UNIT_INT(j.job, 7, "job");
    UNIT_STR(j.v[1].id, "intel-rapl:1", "id");
    UNIT_INT(j.v[1].old_uw, 200000000, "old");
    UNIT_INT(j.v[1].actual_uw, 150000000, "actual");
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"node", test_node},
        {"node_with_gpus", test_node_with_gpus},
        {"gpu", test_gpu},
        {"bounds", test_bounds},
        {"alone", test_left_alone},
        {"owner", test_owner},
        {"differs", test_differs},
        {"failure", test_failure},
        {"other", test_somebody_else},
        {"gone", test_zone_gone},
        {"boot", test_other_boot},
        {"journals", test_journals},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "cap");
}
