/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines as hwloc sees them: sizes, packages by number, fingerprints.
 */
#include "config.h"

#include <errno.h>

#include "node_fixture.h"
#include "power/source_powercap.h"
#include "topology/topology.h"

static const char *_fixture(const char *machine)
{
    static char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s", FIXTURES, machine);
    return path;
}

static void test_sysroots(void)
{
    static const struct {
        const char *machine;
        uint32_t packages, cores, pus;
    } rows[] = {{"intel-2s", 2, 4, 8}, {"amd-1s", 1, 4, 4}, {"client-norange", 1, 2, 4}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err e = {""};
        struct topology t;

        CU_ASSERT_FATAL(topology_load(&t, _fixture(rows[i].machine), NULL, &e) == 0);
        UNIT_INT(t.n_packages, rows[i].packages, "%s", rows[i].machine);
        UNIT_INT(t.cores, rows[i].cores, "%s", rows[i].machine);
        UNIT_INT(t.pus, rows[i].pus, "%s", rows[i].machine);
        UNIT_INT(strlen(t.fingerprint), 16, "%s: %s", rows[i].machine, t.fingerprint);
        UNIT_STR(t.model, "", "%s: not that of the CPU that we run on", rows[i].machine);
        UNIT_OK(!getenv("HWLOC_FSROOT"), "%s: the environment is as it was", rows[i].machine);
    }
}

/* Each RAPL zone of a package finds its package. */
static void test_zones(void)
{
    struct source sources[16];
    struct topology t;
    int n;

    CU_ASSERT_FATAL(topology_load(&t, _fixture("intel-2s"), NULL, NULL) == 0);
    n = source_powercap_probe(_fixture("intel-2s"), sources, 16, NULL);
    UNIT_INT(n, 7, "zones");
    for (int i = 0; i < n; i++) {
        int index = topology_package_index(&t, sources[i].package);

        if (strcmp(sources[i].name, "rapl:psys") == 0)
            UNIT_INT(index, -1, "psys belongs to no package");
        else
            UNIT_INT(t.packages[index].pus, 4, "%s", sources[i].name);
        source_close(&sources[i]);
    }
    UNIT_INT(topology_package_index(&t, 2), -1, "no such package");
    UNIT_INT(topology_package_index(&t, -1), -1, "none");
}

/* Equal shapes are equal, whatever numbers the firmware deals out; others are not. */
static void test_fingerprint(void)
{
    const char *root = fixture_copy("intel-2s");
    struct topology a, b, c;
    char file[128];

    CU_ASSERT_FATAL(topology_load(&a, _fixture("intel-2s"), NULL, NULL) == 0);
    for (int cpu = 0; cpu < 8; cpu++) {
        (void)snprintf(file, sizeof(file),
                       "sys/devices/system/cpu/cpu%d/topology/physical_package_id", cpu);
        fixture_write(root, file, cpu % 4 < 2 ? "36\n" : "180\n");
    }
    CU_ASSERT_FATAL(topology_load(&b, root, NULL, NULL) == 0);
    UNIT_INT(topology_package_index(&b, 180), 1, "package 180");
    UNIT_STR(b.fingerprint, a.fingerprint, "renumbered");
    CU_ASSERT_FATAL(topology_load(&c, _fixture("amd-1s"), NULL, NULL) == 0);
    UNIT_OK(strcmp(a.fingerprint, c.fingerprint) != 0, "another machine");
}

static void test_bad_input(void)
{
    struct topology t = {.pus = 42};
    struct err e = {""};
    char path[PATH_MAX];

    UNIT_INT(topology_load(&t, _fixture("cgroup-v1"), NULL, &e), -1, "a tree without CPUs");
    UNIT_OK(strstr(e.text, "holds no CPUs"), "%s", e.text);
    UNIT_INT(topology_load(&t, "", "/no/such/file.xml", &e), -1, "no file");
    UNIT_INT(errno, ENOENT, "no file");
    fixture_write(unit_tmpdir(), "bad.xml", "<topology version=\"2.0\"><object type=\"Mach");
    (void)snprintf(path, sizeof(path), "%s/bad.xml", unit_tmpdir());
    UNIT_INT(topology_load(&t, "", path, &e), -1, "half a file");
    UNIT_OK(strstr(e.text, path), "%s", e.text);
    fixture_write(unit_tmpdir(), "v3.xml",
                  "<?xml version=\"1.0\"?>\n<topology version=\"3.0\">\n</topology>\n");
    (void)snprintf(path, sizeof(path), "%s/v3.xml", unit_tmpdir());
    UNIT_INT(topology_load(&t, "", path, &e), -1, "hwloc 3");
    UNIT_OK(strstr(e.text, "hwloc 3") && strstr(e.text, "--export-xml-flags v2"), "%s", e.text);
    UNIT_INT(t.pus, 42, "nothing was changed");
}

static void test_collection(void)
{
    static const struct {
        const char *file;
        uint32_t packages, cores, pus;
    } rows[] = {
        {"mpibind-eas-tioga.xml", 1, 64, 128},
        {"mpibind-coral-lassen.xml", 2, 40, 160},
        {"mpibind-epyc-corona-p2.xml", 2, 48, 96},
        {"mpibind-knl-snc4-flat-hwloc1.xml", 1, 68, 272},
        {"mpibind-g4dnmetal.xml", 2, 48, 96},
        {"hwloc-tests-memorysidecaches.xml", 2, 40, 80},
        {"linux-nvidia-dgx-gb10.v2.xml", 1, 20, 20},
    };
    char path[PATH_MAX], name[128];

    if (!unit_testdata(path, sizeof(path), "hwloc"))
        unit_skip("the shared test data is not here");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err e = {""};
        struct topology t;

        (void)snprintf(name, sizeof(name), "hwloc/%s", rows[i].file);
        if (!unit_testdata(path, sizeof(path), name))
            continue;
        UNIT_INT(topology_load(&t, "", path, &e), 0, "%s: %s", rows[i].file, e.text);
        UNIT_INT(t.n_packages, rows[i].packages, "%s", rows[i].file);
        UNIT_INT(t.cores, rows[i].cores, "%s", rows[i].file);
        UNIT_INT(t.pus, rows[i].pus, "%s", rows[i].file);
    }
}

static void test_collection_v3(void)
{
    static const char *const files[] = {"hwloc/v3-format-cxlmem+dax.xml",
                                        "hwloc/v3-format-nvidia-dgx-gb10.xml"};
    char path[PATH_MAX];

    for (size_t i = 0; i < 2; i++) {
        struct err e = {""};
        struct topology t;

        if (!unit_testdata(path, sizeof(path), files[i]))
            unit_skip("the shared test data is not here");
        UNIT_INT(topology_load(&t, "", path, &e), -1, "%s", files[i]);
        UNIT_OK(strstr(e.text, "is XML of hwloc 3"), "%s", e.text);
    }
}

static const struct unit_case cases[] = {
    {"sysroots", test_sysroots},
    {"zones", test_zones},
    {"fingerprint", test_fingerprint},
    {"bad_input", test_bad_input},
    {"collection", test_collection},
    {"collection_v3", test_collection_v3},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "topology");
}
