/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The site's own figures: numbers, units, files and commands that fail, lie, hang and recover, and
 * which kinds of sources are looked for.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#include "common/clock.h"
#include "node_fixture.h"
#include "power/meter.h"
#include "power/source_external.h"
#include "source_fixture.h"

static void test_numbers(void)
{
    static const struct {
        const char *text;
        uint64_t millionths;
    } good[] = {
        {"0", 0},
        {"250", 250000000},
        {" 250.5\n", 250500000},
        {"0.000001", 1},
        {"1.23456789", 1234567},
        {"\t18446744073709\n", UINT64_C(18446744073709000000)},
    };
    static const char *const bad[] = {"",
                                      " ",
                                      "-1",
                                      "+1",
                                      "1e3",
                                      "1.",
                                      ".5",
                                      "1.2.3",
                                      "1 2",
                                      "1W",
                                      "0x10",
                                      "nan",
                                      "inf",
                                      "1,5",
                                      "18446744073710",
                                      "99999999999999999999999",
                                      "1.5.",
                                      "\n"};
    uint64_t value;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        UNIT_INT(source_external_parse(good[i].text, &value), 0, "'%s'", good[i].text);
        UNIT_OK(value == good[i].millionths, "'%s': %" PRIu64, good[i].text, value);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        errno = 0;
        UNIT_INT(source_external_parse(bad[i], &value), -1, "'%s'", bad[i]);
        UNIT_INT(errno, EBADMSG, "'%s'", bad[i]);
    }
}

static char path[PATH_MAX];

static void _write(const char *name, const char *text, mode_t mode)
{
    fixture_write(unit_tmpdir(), name, text);
    (void)snprintf(path, sizeof(path), "%s/%s", unit_tmpdir(), name);
    (void)chmod(path, mode);
}

static struct source _source(bool command, const char *unit, const char *covers)
{
    const struct source_external x = {command, path, unit, covers, 50};
    struct source s;
    struct err e = {""};

    UNIT_INT(source_external_open(&x, &s, &e), 0, "%s", e.text);
    return s;
}

/* Joules of a file: a counter; what is no number, and no file, is no energy. */
static void test_energy(void)
{
    struct source s;

    _write("pdu", "1.5\n", 0644);
    s = _source(false, "kWh", "node");
    UNIT_INT(s.meter, 1, "a meter");
    UNIT_INT(s.coverage.components, COMPONENT_ALL, "of the node");
    UNIT_OK(source_becomes(&s, SOURCE_OK, 0), "read");
    UNIT_INT(s.raw_uj, INT64_C(5400000000000), "1.5 kWh");
    _write("pdu", "1.50001\n", 0644);
    UNIT_OK(source_becomes(&s, SOURCE_OK, 36000000), "36 J more");
    UNIT_INT(s.counter.total_uj, 36000000, "no more");
    _write("pdu", "n/a\n", 0644);
    UNIT_OK(source_becomes(&s, SOURCE_MISSING, 0), "no number");
    UNIT_INT(s.error, EBADMSG, "said");
    fixture_remove(unit_tmpdir(), "pdu");
    UNIT_OK(source_fails(&s, ENOENT), "no file");
    UNIT_INT(s.state, SOURCE_MISSING, "gives no energy");
    source_close(&s);
}

/* Watts of a command are integrated; one that fails gives nothing. */
static void test_command(void)
{
    int64_t began_ms = clock_mono_ms(&clock_boottime);
    struct source s;

    _write("power", "#!/bin/sh\necho 200\n", 0755);
    s = _source(true, "W", "cpu,dram");
    UNIT_INT(s.coverage.components, COMPONENT_CPU | COMPONENT_DRAM, "coverage");
    UNIT_OK(source_becomes(&s, SOURCE_OK, 100000000), "200 W");
    UNIT_OK(s.counter.total_uj <=
                (uint64_t)(clock_mono_ms(&clock_boottime) - began_ms + 100) * 200000,
            "no more than the time gives: %" PRIu64, s.counter.total_uj);
    source_close(&s);
    _write("fails", "#!/bin/sh\necho 200\nexit 3\n", 0755);
    s = _source(true, "W", "node");
    UNIT_OK(source_becomes(&s, SOURCE_MISSING, 0), "a bad end");
    UNIT_INT(s.error, EIO, "said");
    source_close(&s);
    _write("talks", "#!/bin/sh\nwhile :; do echo 200; done\n", 0755);
    s = _source(true, "W", "node");
    UNIT_OK(source_becomes(&s, SOURCE_MISSING, 0), "more than a number");
    source_close(&s);
    _write("plain", "200\n", 0644);
    s = _source(true, "W", "node");
    UNIT_OK(source_becomes(&s, SOURCE_MISSING, 0), "no program");
    UNIT_INT(s.error, EACCES, "said");
    source_close(&s);
}

/* One that hangs is killed with its children; meanwhile the source is stale, and nobody waits. */
static void test_hang(void)
{
    char text[2 * PATH_MAX];
    struct source s;
    int64_t began_ms;

    (void)snprintf(text, sizeof(text), "#!/bin/sh\necho $$ >'%s/pid'\nsleep 8\n", unit_tmpdir());
    _write("hangs", text, 0755);
    s = _source(true, "W", "node");
    began_ms = clock_mono_ms(&clock_boottime);
    source_update(&s, began_ms);
    UNIT_INT(s.state, SOURCE_FIRST, "asked");
    UNIT_OK(clock_mono_ms(&clock_boottime) - began_ms < 1000, "nobody waits");
    for (int i = 0; i < 4 && !source_becomes(&s, SOURCE_STALE, 0) && s.error != ETIMEDOUT; i++)
        ;
    UNIT_INT(s.error, ETIMEDOUT, "it does not answer");
    source_close(&s);
}

static void test_kinds(void)
{
    const char *root = fixture_copy("intel-2s");
    struct settings settings;
    struct meter meter;
    struct err e;

    settings_init(&settings);
    UNIT_INT(meter_check_settings(&settings, &e), 0, "auto");
    settings.node.sources.n = 1;
    (void)snprintf(settings.node.sources.name[0], SETTINGS_NAME_MAX, "hwmon");
    CU_ASSERT_FATAL(meter_open_settings(&meter, root, &settings, &e) == 0);
    UNIT_INT(meter.n, 1, "no powercap: the model alone");
    meter_close(&meter);
    _write("pdu", "100\n", 0644);
    settings.node.sources.n = 2;
    (void)snprintf(settings.node.sources.name[0], SETTINGS_NAME_MAX, "file");
    (void)snprintf(settings.node.sources.name[1], SETTINGS_NAME_MAX, "powercap");
    (void)snprintf(settings.node.file, sizeof(settings.node.file), "%.250s", path);
    CU_ASSERT_FATAL(meter_open_settings(&meter, root, &settings, &e) == 0);
    UNIT_STR(meter.sources[0].name, "file", "in this order");
    UNIT_STR(meter.sources[1].name, "rapl:package-0", "in this order");
    meter_close(&meter);
    (void)snprintf(settings.node.sources.name[1], SETTINGS_NAME_MAX, "rappl");
    UNIT_INT(meter_open_settings(&meter, root, &settings, &e), -1, "unknown");
    UNIT_OK(strstr(e.text, "'rappl'") && strstr(e.text, "powercap"), "%s", e.text);
}

static const struct unit_case cases[] = {
    {"numbers", test_numbers}, {"energy", test_energy}, {"command", test_command},
    {"hang", test_hang},       {"kinds", test_kinds},   {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "external");
}
