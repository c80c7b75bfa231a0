/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SNMP, from the setting to the joules: carnot-snmp, as carnotd starts it, asks net-snmp's snmpd,
 * which each case starts on loopback. What its PDU says stands in files of the case.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "node_fixture.h"
#include "power/meter.h"
#include "power/source_snmp.h"
#include "source_fixture.h"

#define SNMPD "/usr/sbin/snmpd"
#define PDU "1.3.6.1.4.1.318.1.1.26"

extern char **environ;
static struct settings settings;
static pid_t daemon_pid;
static int port;

/* What GET of PDU.n answers: "gauge", "412"; NULL = there is no such object. */
static void _say(int n, const char *type, const char *value)
{
    char name[32], text[96];

    (void)snprintf(name, sizeof(name), "object.%d", n);
    if (!type) {
        fixture_remove(unit_tmpdir(), name);
        return;
    }
    (void)snprintf(text, sizeof(text), ".%s.%d\n%s\n%s\n", PDU, n, type, value);
    fixture_write(unit_tmpdir(), "object.new", text);
    CU_ASSERT_FATAL(chdir(unit_tmpdir()) == 0 && rename("object.new", name) == 0);
}

static int _free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof(a);

    CU_ASSERT_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
                    getsockname(fd, (struct sockaddr *)&a, &length) == 0);
    (void)close(fd);
    return ntohs(a.sin_port);
}

static void _write_configuration(void)
{
    char text[2 * PATH_MAX];

    /* of pass_persist: two lines for each GET, "get" and the object's name */
    (void)snprintf(
        text, sizeof(text),
        "while read -r what; do\n"
        "    case $what in\n"
        "    PING) echo PONG ;;\n"
        "    get) read -r oid; cat '%s/object.'\"${oid##*.}\" 2>/dev/null || echo NONE ;;\n"
        "    *) read -r oid; echo NONE ;;\n"
        "    esac\n"
        "done\n",
        unit_tmpdir());
    fixture_write(unit_tmpdir(), "pdu.sh", text);
    (void)snprintf(text, sizeof(text),
                   "agentaddress udp:127.0.0.1:%d\nrocommunity secret-word 127.0.0.1\n"
                   "createUser carnot SHA-256 auth-password AES privacy-password\n"
                   "rouser carnot priv\npass_persist .%s /bin/sh %s/pdu.sh\n",
                   port, PDU, unit_tmpdir());
    /* snmpd keeps a snmpd.conf of its own in its persistent directory */
    fixture_write(unit_tmpdir(), "agent.conf", text);
}

static void _stop_daemon(void)
{
    if (daemon_pid <= 0)
        return;
    (void)kill(daemon_pid, SIGKILL);
    (void)waitpid(daemon_pid, NULL, 0);
    daemon_pid = 0;
}

static void _start_daemon(void)
{
    char conf[PATH_MAX], log[PATH_MAX], pid[PATH_MAX];
    char *const args[] = {(char *)(uintptr_t)SNMPD,
                          (char *)(uintptr_t) "-f",
                          (char *)(uintptr_t) "-C",
                          (char *)(uintptr_t) "-c",
                          conf,
                          (char *)(uintptr_t) "-Lf",
                          log,
                          (char *)(uintptr_t) "-p",
                          pid,
                          NULL};

    (void)snprintf(conf, sizeof(conf), "%s/agent.conf", unit_tmpdir());
    (void)snprintf(log, sizeof(log), "%s/snmpd.log", unit_tmpdir());
    (void)snprintf(pid, sizeof(pid), "%s/snmpd.pid", unit_tmpdir());
    (void)setenv("SNMP_PERSISTENT_DIR", unit_tmpdir(), 1);
    (void)setenv("MIBS", "", 1);
    CU_ASSERT_FATAL(posix_spawn(&daemon_pid, SNMPD, NULL, NULL, args, environ) == 0);
    (void)atexit(_stop_daemon);
}

static void _use(const char *text)
{
    fixture_write(unit_tmpdir(), "credentials", text);
    (void)snprintf(settings.node.snmp_credentials, SETTINGS_PATH_MAX, "%s/credentials",
                   unit_tmpdir());
    (void)chmod(settings.node.snmp_credentials, 0600);
}

/* A PDU with these outlets, and settings for it. */
static void _set_up(int outlets)
{
    if (access(SNMPD, X_OK) < 0)
        unit_skip("no " SNMPD ": install snmpd");
    port = _free_port();
    _write_configuration();
    _start_daemon();
    settings_init(&settings);
    (void)setenv("CARNOT_LIBEXECDIR", HELPERS, 1);
    settings.node.snmp.n = outlets;
    for (int i = 0; i < outlets; i++)
        (void)snprintf(settings.node.snmp.name[i], SETTINGS_NAME_MAX, "127.0.0.1:%d/" PDU ".%d",
                       port, i);
    settings.node.snmp_interval_ms = 50;
    _use("community secret-word\n");
}

static struct source _open(void)
{
    struct source s;
    struct err e = {""};

    CU_ASSERT_FATAL(UNIT_INT(source_snmp_open(&settings, &s, 1, &e), 1, "%s", e.text));
    return s;
}

/* The watts of two outlets. */
static void test_power(void)
{
    int64_t began_ms = clock_mono_ms(&clock_boottime);
    struct source s;
    double watts;

    _set_up(2);
    _say(0, "gauge", "2000");
    _say(1, "integer", "2500");
    settings.node.snmp_scale = 0.1;
    s = _open();
    UNIT_STR(s.name, "snmp", "its name");
    UNIT_INT(s.meter, 1, "a meter");
    UNIT_INT(s.coverage.components, COMPONENT_ALL, "of the node");
    UNIT_OK(source_becomes(&s, SOURCE_OK, 450000000), "450 W");
    watts = (double)s.counter.total_uj / 1000 /
            (double)(clock_mono_ms(&clock_boottime) - began_ms + 100);
    UNIT_OK(watts <= 450, "no more than the time gives: %g W", watts);
    _say(1, NULL, NULL);
    UNIT_OK(source_fails(&s, ENOENT), "one outlet is no node");
    UNIT_INT(s.state, SOURCE_MISSING, "gives no energy");
    _say(1, "integer", "-1");
    UNIT_OK(source_fails(&s, EBADMSG), "-1 is not taken off the other one");
    _say(1, "string", "n/a");
    UNIT_OK(source_fails(&s, EBADMSG), "no number");
    _say(1, "string", "250.5");
    UNIT_OK(source_fails(&s, 0), "a number in words is one");
    _say(1, "gauge", "0");
    UNIT_OK(source_fails(&s, 0), "one of two supplies may rest");
    _say(0, "gauge", "0");
    UNIT_OK(source_fails(&s, ENODATA), "not both");
    source_close(&s);
}

static void test_energy(void)
{
    struct source s;

    _set_up(1);
    _say(0, "counter64", "5000000000");
    (void)snprintf(settings.node.snmp_unit, sizeof(settings.node.snmp_unit), "J");
    s = _open();
    UNIT_OK(source_becomes(&s, SOURCE_OK, 0), "read");
    UNIT_INT(s.raw_uj, INT64_C(5000000000000000), "more than 32 bits");
    _say(0, "counter64", "5000000100");
    UNIT_OK(source_becomes(&s, SOURCE_OK, 100000000), "100 J more");
    _say(0, "counter64", "7");
    for (int i = 0; i < SOURCE_WAITS && s.counter.count[COUNTER_RESET] == 0; i++) {
        source_update(&s, clock_mono_ms(&clock_boottime));
        source_pause();
    }
    UNIT_INT(s.counter.count[COUNTER_RESET], 1, "it began anew");
    UNIT_INT(s.counter.total_uj, 100000000, "which gives nothing");
    source_close(&s);
}

/* A daemon that goes is a PDU that does not answer; it comes back by itself. */
static void test_gone(void)
{
    struct source s;
    int i;

    _set_up(1);
    _say(0, "gauge", "300");
    s = _open();
    UNIT_OK(source_fails(&s, 0), "it answers");
    _stop_daemon();
    UNIT_OK(source_fails(&s, ETIMEDOUT), "it does not");
    UNIT_INT(s.state, SOURCE_STALE, "stale");
    _start_daemon();
    for (i = 0; i < 2 && !source_fails(&s, 0); i++)
        ;
    UNIT_OK(i < 2, "it does again");
    source_close(&s);
}

/* An agent does not even refuse a wrong community: it is silent. */
static void test_community(void)
{
    struct source s;

    _set_up(1);
    _say(0, "gauge", "300");
    _use("community wrong\n");
    s = _open();
    UNIT_OK(source_fails(&s, ETIMEDOUT), "wrong");
    _use("community secret-word\nversion 1\n");
    UNIT_OK(source_fails(&s, 0), "right, and the file is read again");
    (void)chmod(settings.node.snmp_credentials, 0644);
    UNIT_OK(source_fails(&s, EPERM), "not from a file that others can read");
    source_close(&s);
}

/* Version 3: what is wrong is told, but for a wrong privacy_password, which is silence. */
static void test_user(void)
{
    static const char good[] = "user carnot\nauth SHA-256\nauth_password auth-password\n"
                               "privacy AES\nprivacy_password privacy-password\n";
    static const struct {
        const char *text;
        int error;
    } bad[] = {
        {"user nobody\n", EACCES},
        {"user carnot\nauth SHA-256\nauth_password wrong-password\n", EACCES},
        {"user carnot\nauth SHA-256\nauth_password auth-password\n", EACCES},
        {"user carnot\nauth SHA-256\nauth_password auth-password\n"
         "privacy AES\nprivacy_password wrong-password\n",
         ETIMEDOUT},
        {"user carnot\nauth SHA-256\nauth_password short\n", EINVAL},
        {"user carnot\nauth ROT13\nauth_password auth-password\n", EINVAL},
        {"user carnot\nprivacy AES\nprivacy_password privacy-password\n", EINVAL},
    };
    struct source s;

    _set_up(1);
    _say(0, "gauge", "300");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        _use(bad[i].text);
        s = _open();
        UNIT_OK(source_fails(&s, bad[i].error), "%s", bad[i].text);
        source_close(&s);
    }
    _use(good);
    s = _open();
    UNIT_OK(source_becomes(&s, SOURCE_OK, 1), "enciphered");
    source_close(&s);
}

static void test_settings(void)
{
    static const struct {
        const char *object;
        int rc;
    } rows[] = {
        {"pdu/1.3.6", 0},    {"udp6:[fd00::1]:161/1.3.6", 0},
        {"%n-pdu/1.3.6", 0}, {"pdu", -1},
        {"/1.3.6", -1},      {"pdu/", -1},
        {"pdu/.1.3", -1},    {"pdu/1..3", -1},
        {"pdu/1.3.", -1},    {"pdu/sysUpTime.0", -1},
        {"--help/1.3", -1},
    };
    char text[SOURCE_PATH_MAX];
    struct err e;

    settings_init(&settings);
    UNIT_INT(meter_check_settings(&settings, &e), 0, "none");
    settings.node.snmp.n = 1;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)snprintf(settings.node.snmp.name[0], SETTINGS_NAME_MAX, "%s", rows[i].object);
        UNIT_INT(meter_check_settings(&settings, &e), rows[i].rc, "'%s'", rows[i].object);
    }
    for (settings.node.snmp.n = 0; settings.node.snmp.n < 5; settings.node.snmp.n++)
        (void)snprintf(settings.node.snmp.name[settings.node.snmp.n], SETTINGS_NAME_MAX,
                       "pdu-%%n/1.3.%d", settings.node.snmp.n);
    UNIT_INT(meter_check_settings(&settings, &e), -1, "five");
    settings.node.snmp.n = 2;
    UNIT_INT(settings_name_node(&settings, "n17", &e), 0, "named");
    UNIT_STR(source_snmp_text(&settings, text), "pdu-n17/1.3.0,pdu-n17/1.3.1", "named");
}

static const struct unit_case cases[] = {
    {"power", test_power}, {"energy", test_energy},       {"gone", test_gone},
    {"user", test_user},   {"community", test_community}, {"settings", test_settings},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "snmp");
}
