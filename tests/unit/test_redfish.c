/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Redfish, from the setting to the joules: carnot-redfish, as carnotd starts it, asks a controller
 * of the test's making over HTTP and HTTPS, which has every fault that real ones have.
 */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "helper/credentials.h"
#include "helper/redfish.h"
#include "node_fixture.h"
#include "power/meter.h"
#include "power/source_redfish.h"
#include "redfish_host.h"
#include "source_fixture.h"

#define POWER "/redfish/v1/Chassis/1/Power"
#define METRICS "/redfish/v1/Chassis/1/EnvironmentMetrics"

static struct settings settings;

/* The path of a file of the case, written if text is one. */
static void _file(char *path, const char *name, const char *text, mode_t mode)
{
    (void)snprintf(path, SETTINGS_PATH_MAX, "%s/%s", unit_tmpdir(), name);
    if (text) {
        fixture_write(unit_tmpdir(), name, text);
        (void)chmod(path, mode);
    }
}

/* A controller that has said nothing yet, and settings for it. */
static void _set_up(const char *certificate, const char *key)
{
    int port = redfish_host_start(certificate, key);

    settings_init(&settings);
    (void)setenv("CARNOT_LIBEXECDIR", HELPERS, 1);
    (void)snprintf(settings.node.redfish, sizeof(settings.node.redfish), "http%s://127.0.0.1:%d",
                   certificate ? "s" : "", port);
    settings.node.redfish_insecure = !certificate;
    settings.node.redfish_interval_ms = 50;
    _file(settings.node.redfish_credentials, "credentials",
          "# of the controller\nuser carnot\npassword " REDFISH_HOST_PASSWORD "\n", 0600);
}

static struct source _open(void)
{
    struct source s;
    struct err e = {""};

    CU_ASSERT_FATAL(UNIT_INT(source_redfish_open(&settings, &s, 1, &e), 1, "%s", e.text));
    return s;
}

static void _use_power(const char *json)
{
    (void)snprintf(settings.node.redfish_path, SETTINGS_PATH_MAX, POWER);
    redfish_host_document(POWER, json);
}

/* One session for all questions, and none left behind. */
static void test_reading(void)
{
    int64_t began_ms = clock_mono_ms(&clock_boottime);
    struct source s;
    uint64_t most;

    _set_up(NULL, NULL);
    _use_power("{\"PowerControl\": [{\"PowerConsumedWatts\": 400.5}]}");
    s = _open();
    UNIT_STR(s.name, "redfish", "its name");
    UNIT_INT(s.meter, 1, "a meter");
    UNIT_INT(s.coverage.components, COMPONENT_ALL, "of the node");
    UNIT_OK(source_becomes(&s, SOURCE_OK, 100000000), "400 W");
    most = (uint64_t)(clock_mono_ms(&clock_boottime) - began_ms + 100) * 400500;
    UNIT_OK(s.counter.total_uj <= most, "no more than the time gives: %" PRIu64,
            s.counter.total_uj);
    UNIT_INT(redfish_host_counts().logins, 1, "one session");
    redfish_host_sessions(true);
    UNIT_OK(source_becomes(&s, SOURCE_OK, s.counter.total_uj + 100000000), "it ended: another");
    UNIT_INT(redfish_host_counts().logins, 2, "one more");
    source_close(&s);
    for (int i = 0; i < SOURCE_WAITS && redfish_host_counts().logouts == 0; i++)
        source_pause();
    UNIT_INT(redfish_host_counts().logouts, 1, "it is ended");
}

static void test_basic(void)
{
    struct source s;

    _set_up(NULL, NULL);
    redfish_host_sessions(false);
    _use_power("{\"PowerControl\": [{\"PowerConsumedWatts\": 400}]}");
    s = _open();
    UNIT_OK(source_becomes(&s, SOURCE_OK, 1), "a controller without sessions");
    UNIT_INT(redfish_host_counts().refused, 0, "it was never asked without");
    source_close(&s);
}

/* A counter is no power: it may begin anew, and what it gave before is kept. */
static void test_energy(void)
{
    struct source s;

    _set_up(NULL, NULL);
    (void)snprintf(settings.node.redfish_unit, sizeof(settings.node.redfish_unit), "J");
    (void)snprintf(settings.node.redfish_path, SETTINGS_PATH_MAX, METRICS);
    redfish_host_document(METRICS, "{\"EnergyJoules\": {\"Reading\": 5000}}");
    s = _open();
    UNIT_OK(source_becomes(&s, SOURCE_OK, 0), "read");
    UNIT_INT(s.raw_uj, INT64_C(5000000000), "5 kJ");
    redfish_host_document(METRICS, "{\"EnergyJoules\": {\"Reading\": 5100.5}}");
    UNIT_OK(source_becomes(&s, SOURCE_OK, 100500000), "100.5 J more");
    redfish_host_document(METRICS, "{\"EnergyJoules\": {\"Reading\": 3}}");
    for (int i = 0; i < SOURCE_WAITS && s.counter.count[COUNTER_RESET] == 0; i++) {
        source_update(&s, clock_mono_ms(&clock_boottime));
        source_pause();
    }
    UNIT_INT(s.counter.count[COUNTER_RESET], 1, "it began anew");
    UNIT_INT(s.counter.total_uj, 100500000, "which gives nothing");
    redfish_host_document(METRICS, "{\"EnergyJoules\": {\"Reading\": 13}}");
    UNIT_OK(source_becomes(&s, SOURCE_OK, 110500000), "and goes on");
    source_close(&s);
}

/* What is no figure is no energy, and never 0 W; and it comes back by itself. */
static void test_no_value(void)
{
    static const struct {
        const char *json;
        int error;
    } cases[] = {
        {"{\"PowerControl\": [{\"PowerConsumedWatts\": -5}]}", EBADMSG},
        {"{\"PowerControl\": [{\"PowerConsumedWatts\": 0}]}", ENODATA},
        {"{\"PowerControl\": [{\"PowerConsumedWatts\": 4.2e6}]}", EBADMSG},
        {"{\"PowerControl\": [{\"PowerConsumedWatts\": null}]}", ENODATA},
        {"{\"PowerControl\": [{\"PowerConsumedWatts\": \"400\"}]}", EBADMSG},
        {"not JSON", EBADMSG},
    };
    static const struct {
        enum redfish_mood mood;
        int error;
    } moods[] = {{HALF, EIO}, {HUGE_ANSWER, EFBIG}, {REDIRECTS, EIO}, {FAILS, EIO}};
    struct source s;

    _set_up(NULL, NULL);
    _use_power("{\"PowerControl\": [{\"PowerConsumedWatts\": 400}]}");
    s = _open();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        _use_power("{\"PowerControl\": [{\"PowerConsumedWatts\": 400}]}");
        UNIT_OK(source_fails(&s, 0), "it answers before %s", cases[i].json);
        _use_power(cases[i].json);
        UNIT_OK(source_fails(&s, cases[i].error), "%s", cases[i].json);
        UNIT_INT(s.state, SOURCE_MISSING, "%s gives no energy", cases[i].json);
    }
    _use_power("{\"PowerControl\": [{\"PowerConsumedWatts\": 400}]}");
    for (size_t i = 0; i < sizeof(moods) / sizeof(moods[0]); i++) {
        redfish_host_mood(ANSWERS);
        UNIT_OK(source_fails(&s, 0), "it answers before mood %d", (int)moods[i].mood);
        redfish_host_mood(moods[i].mood);
        UNIT_OK(source_fails(&s, moods[i].error), "mood %d", (int)moods[i].mood);
    }
    redfish_host_mood(ANSWERS);
    redfish_host_document(POWER, NULL);
    UNIT_OK(source_fails(&s, ENOENT), "the resource is gone");
    source_close(&s);
}

/* Asked to be left alone it is; and it is asked again. */
static void test_busy(void)
{
    struct source s;
    int requests;

    _set_up(NULL, NULL);
    _use_power("{\"PowerControl\": [{\"PowerConsumedWatts\": 400}]}");
    redfish_host_mood(BUSY);
    s = _open();
    UNIT_OK(source_fails(&s, EBUSY), "503");
    redfish_host_mood(ANSWERS);
    requests = redfish_host_counts().requests;
    for (int i = 0; i < 80; i++)
        source_pause();
    UNIT_INT(redfish_host_counts().requests, requests, "left alone");
    UNIT_OK(source_fails(&s, 0), "asked again after the time that it named");
    source_close(&s);
}

/* A wrong password is tried once, since controllers lock accounts; then when the file changes. */
static void test_refused(void)
{
    char path[SETTINGS_PATH_MAX];
    struct source s;

    _set_up(NULL, NULL);
    _use_power("{\"PowerControl\": [{\"PowerConsumedWatts\": 400}]}");
    _file(path, "credentials", "user carnot\npassword wrong\n", 0600);
    s = _open();
    UNIT_OK(source_fails(&s, EACCES), "refused");
    for (int i = 0; i < 50; i++) {
        source_update(&s, clock_mono_ms(&clock_boottime));
        source_pause();
    }
    UNIT_INT(redfish_host_counts().requests, 1, "tried once");
    UNIT_INT(s.error, EACCES, "still");
    _file(path, "credentials", "user carnot\npassword " REDFISH_HOST_PASSWORD "\n", 0600);
    UNIT_OK(source_fails(&s, 0), "a changed file is tried at once");
    source_close(&s);
}

/* One that never answers holds nobody up, and is not waited for at the end. */
static void test_hang(void)
{
    int64_t began_ms = clock_mono_ms(&clock_boottime);
    struct source s;
    int i;

    _set_up(NULL, NULL);
    _use_power("{\"PowerControl\": [{\"PowerConsumedWatts\": 400}]}");
    redfish_host_mood(HANGS);
    s = _open();
    source_update(&s, began_ms);
    UNIT_OK(clock_mono_ms(&clock_boottime) - began_ms < 1000, "nobody waits");
    for (i = 0; i < 2 && !source_fails(&s, ETIMEDOUT); i++)
        ;
    UNIT_OK(i < 2, "it is said after ten seconds");
    UNIT_INT(s.state, SOURCE_STALE, "stale");
    redfish_host_mood(ANSWERS);
    UNIT_OK(source_fails(&s, 0), "a later answer counts");
    source_close(&s);
}

static void test_tls(void)
{
    char certificate[SETTINGS_PATH_MAX], key[SETTINGS_PATH_MAX];
    struct source s;

    _file(certificate, "cert.pem", NULL, 0);
    _file(key, "key.pem", NULL, 0);
    if (redfish_host_certificate("IP:127.0.0.1", certificate, key) < 0)
        unit_skip("built without OpenSSL 3");
    _set_up(certificate, key);
    _use_power("{\"PowerControl\": [{\"PowerConsumedWatts\": 400}]}");
    s = _open();
    UNIT_OK(source_fails(&s, EKEYREJECTED), "signed by itself");
    UNIT_INT(redfish_host_counts().requests, 0, "which is told nothing");
    source_close(&s);
    (void)snprintf(settings.node.redfish_ca, SETTINGS_PATH_MAX, "%s", certificate);
    s = _open();
    UNIT_OK(source_becomes(&s, SOURCE_OK, 1), "known");
    source_close(&s);
    (void)snprintf(settings.node.redfish_ca, SETTINGS_PATH_MAX, "%s/none", unit_tmpdir());
    s = _open();
    UNIT_OK(source_fails(&s, EKEYREJECTED), "no such file is no reason to believe it");
    source_close(&s);
    settings.node.redfish_ca[0] = '\0';
    settings.node.redfish_insecure = 1;
    s = _open();
    UNIT_OK(source_becomes(&s, SOURCE_OK, 1), "not verified, if that is asked for");
    source_close(&s);
}

static void test_wrong_host(void)
{
    char certificate[SETTINGS_PATH_MAX], key[SETTINGS_PATH_MAX];
    struct source s;

    _file(certificate, "cert.pem", NULL, 0);
    _file(key, "key.pem", NULL, 0);
    if (redfish_host_certificate("DNS:other.example", certificate, key) < 0)
        unit_skip("built without OpenSSL 3");
    _set_up(certificate, key);
    (void)snprintf(settings.node.redfish_ca, SETTINGS_PATH_MAX, "%s", certificate);
    s = _open();
    UNIT_OK(source_fails(&s, EKEYREJECTED), "of another host");
    UNIT_INT(redfish_host_counts().requests, 0, "which is told nothing");
    source_close(&s);
}

static void _chassis(const char *id, const char *links)
{
    char path[64], json[512];

    (void)snprintf(path, sizeof(path), "/redfish/v1/Chassis/%s", id);
    (void)snprintf(json, sizeof(json), "{\"Id\": \"%s\"%s}", id, links);
    redfish_host_document(path, json);
}

/* The one chassis with a figure is found; two are a question for the site, never a guess. */
static void test_discovery(void)
{
    struct source s;

    _set_up(NULL, NULL);
    redfish_host_document(
        "/redfish/v1/Chassis",
        "{\"Members\": [{\"@odata.id\": \"/redfish/v1/Chassis/Fans\"},"
        "{\"@odata.id\": \"/redfish/v1/Chassis/1\"}, 5, {\"@odata.id\": \"x\"}]}");
    _chassis("Fans", "");
    _chassis("1", ", \"Power\": {\"@odata.id\": \"" POWER "\"},"
                  "\"EnvironmentMetrics\": {\"@odata.id\": \"" METRICS "\"}");
    s = _open();
    UNIT_OK(source_fails(&s, ENODATA), "none has a figure yet");
    redfish_host_document(POWER, "{\"PowerControl\": [{\"PowerConsumedWatts\": 300}]}");
    UNIT_OK(source_becomes(&s, SOURCE_OK, 1), "found");
    source_close(&s);
    redfish_host_document(METRICS, "{\"PowerWatts\": {\"Reading\": 310}}");
    s = _open();
    UNIT_OK(source_becomes(&s, SOURCE_OK, 1), "the newer resource of one chassis is no second one");
    _chassis("Fans", ", \"Power\": {\"@odata.id\": \"/redfish/v1/Chassis/Fans/Power\"}");
    redfish_host_document("/redfish/v1/Chassis/Fans/Power",
                          "{\"PowerControl\": [{\"PowerConsumedWatts\": 9}]}");
    redfish_host_document(METRICS, NULL);
    UNIT_OK(source_fails(&s, ENOTUNIQ), "it moved, and two have one now");
    source_close(&s);
}

/* The pid of the helper, a child of this process. */
static pid_t _helper(void)
{
    DIR *proc = opendir("/proc");
    struct dirent *d;
    pid_t found = 0;

    CU_ASSERT_FATAL(proc != NULL);
    while (!found && (d = readdir(proc))) {
        char path[PATH_MAX], *text = NULL, comm[32] = "";
        size_t size;
        int ppid = 0;

        (void)snprintf(path, sizeof(path), "/proc/%s/stat", d->d_name);
        if (isdigit((unsigned char)d->d_name[0]) &&
            path_read(path, 4096, &text, &size, NULL) == 0 &&
            sscanf(text, "%*d (%31[^)]) %*c %d", comm, &ppid) == 2 && ppid == getpid() &&
            strstr(comm, "carnot-redfish"))
            found = (pid_t)strtol(d->d_name, NULL, 10);
        free(text);
    }
    (void)closedir(proc);
    return found;
}

static bool _tells(pid_t pid, const char *what)
{
    char path[64], *text = NULL;
    size_t size = 0;
    bool tells;

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
    CU_ASSERT_FATAL(path_read(path, 65536, &text, &size, NULL) == 0);
    tells = memmem(text, size, "s3cret", 6) != NULL || memmem(text, size, "token-", 6) != NULL;
    free(text);
    return tells;
}

/* The password is in no place where others could see it; one that dies is started again. */
static void test_process(void)
{
    char path[SETTINGS_PATH_MAX], *said = NULL;
    struct source s;
    size_t size;
    pid_t pid;
    int fd;

    _set_up(NULL, NULL);
    _use_power("{\"PowerControl\": [{\"PowerConsumedWatts\": 400}]}");
    _file(path, "stderr", "", 0600);
    fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    s = _open();
    UNIT_OK(source_fails(&s, 0), "it answers");
    pid = _helper();
    CU_ASSERT_FATAL(pid > 0);
    UNIT_OK(!_tells(pid, "cmdline"), "not in its arguments");
    UNIT_OK(!_tells(pid, "environ"), "not in its environment");
    redfish_host_mood(FAILS);
    UNIT_OK(source_fails(&s, EIO), "a fault");
    redfish_host_mood(ANSWERS);
    UNIT_OK(source_fails(&s, 0), "and back");
    (void)kill(pid, SIGKILL);
    UNIT_OK(source_fails(&s, ECHILD), "it was killed");
    UNIT_OK(source_fails(&s, 0), "and started again");
    CU_ASSERT_FATAL(path_read(path, 65536, &said, &size, NULL) == 0);
    UNIT_OK(strstr(said, "HTTP 500") && strstr(said, "there is a figure again"), "%s", said);
    UNIT_OK(!strstr(said, "s3cret") && !strstr(said, "token-"), "not in what it says: %s", said);
    free(said);
    source_close(&s);
}

static void test_credentials(void)
{
    static const struct {
        const char *text;
        mode_t mode;
        int error;
        const char *says;
    } bad[] = {
        {"user a\npassword topsecret\n", 0640, EPERM, "chmod 600"},
        {"user a\npassword topsecret\n", 0604, EPERM, "chmod 600"},
        {"user a\npasswort topsecret\n", 0600, EINVAL, ":2: no known key"},
        {"user a\ntopsecret\n", 0600, EINVAL, ":2: no known key"},
        {"user\npassword topsecret\n", 0600, EINVAL, ":1: user needs a value"},
        {"user a\nuser topsecret\n", 0600, EINVAL, ":2: user is there twice"},
    };
    char path[SETTINGS_PATH_MAX], link[SETTINGS_PATH_MAX + 8], large[8192];
    struct credentials c;
    struct err e = {""};
    uint64_t stamp;

    _file(path, "c", "\n# a\nuser \t a\r\npassword a word #1\n", 0600);
    UNIT_INT(credentials_read(path, &c, &e), 0, "%s", e.text);
    UNIT_STR(c.user, "a", "user");
    UNIT_STR(c.password, "a word #1", "all of the rest of the line");
    UNIT_STR(c.community, "", "not there");
    stamp = credentials_stamp(path);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        _file(path, "c", bad[i].text, bad[i].mode);
        errno = 0;
        UNIT_INT(credentials_read(path, &c, &e), -1, "row %zu", i);
        UNIT_INT(errno, bad[i].error, "row %zu", i);
        UNIT_OK(strstr(e.text, bad[i].says) && !strstr(e.text, "topsecret"), "%s", e.text);
        UNIT_STR(c.user, "a", "row %zu: as it was", i);
    }
    UNIT_OK(credentials_stamp(path) != stamp, "another file");
    (void)snprintf(link, sizeof(link), "%s.link", path);
    CU_ASSERT_FATAL(symlink(path, link) == 0);
    UNIT_INT(credentials_read(link, &c, &e), -1, "a link may be changed to another file");
    UNIT_INT(credentials_read(unit_tmpdir(), &c, &e), -1, "no file");
    memset(large, '#', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    _file(path, "c", large, 0600);
    UNIT_INT(credentials_read(path, &c, &e), -1, "too large");
    (void)unlink(path);
    UNIT_INT(credentials_read(path, &c, &e), -1, "none");
    UNIT_INT(credentials_stamp(path), 0, "none");
}

/* A file that others can read is not used, and it is said what to do. */
static void test_readable_credentials(void)
{
    struct source s;

    _set_up(NULL, NULL);
    _use_power("{\"PowerControl\": [{\"PowerConsumedWatts\": 400}]}");
    (void)chmod(settings.node.redfish_credentials, 0644);
    s = _open();
    UNIT_OK(source_fails(&s, EPERM), "refused");
    UNIT_INT(redfish_host_counts().requests, 0, "nobody was told");
    source_close(&s);
}

static void test_values(void)
{
    static const struct {
        const char *unit, *pointer, *json;
        int rc;
        double value;
    } rows[] = {
        {"W", "", "{\"PowerWatts\": {\"Reading\": 120.25}}", 1, 120.25},
        {"W", "", "{\"PowerWatts\": {\"Reading\": 120}, \"PowerControl\": 5}", 1, 120},
        {"W", "", "{\"PowerWatts\": {\"Reading\": null}}", 0, 0},
        {"W", "", "{\"PowerWatts\": {\"Reading\": \"120\"}}", -1, 0},
        {"W", "", "{\"PowerWatts\": 120}", 0, 0},
        {"W", "", "{\"PowerWatts\": {\"Reading\": -0.5}}", -1, 0},
        {"W", "", "{\"PowerWatts\": {\"Reading\": 1e300}}", -1, 0},
        {"W", "", "{\"EnergyJoules\": {\"Reading\": 7}}", 0, 0},
        {"J", "", "{\"EnergyJoules\": {\"Reading\": 7}}", 1, 7},
        {"J", "", "{\"EnergykWh\": {\"Reading\": 7}}", 0, 0},
        {"kWh", "", "{\"EnergykWh\": {\"Reading\": 7.25}}", 1, 7.25},
        {"W", "", "{}", 0, 0},
        {"W", "", "{\"PowerControl\": []}", 0, 0},
        {"W", "", "{\"PowerControl\": [1, null, []]}", 0, 0},
        {"W", "", "{\"PowerControl\": [{}, {\"PowerConsumedWatts\": 5}]}", 1, 5},
        {"W", "", "{\"PowerControl\": [{\"PowerConsumedWatts\": 5}, {\"PowerConsumedWatts\": 6}]}",
         -1, 0},
        {"W", "",
         "{\"PowerControl\": [{\"PowerConsumedWatts\": 5, \"PhysicalContext\": \"CPU\"},"
         "{\"PowerConsumedWatts\": 6, \"PhysicalContext\": \"Chassis\"}]}",
         1, 6},
        {"W", "/PowerControl/0",
         "{\"PowerControl\": [{\"PowerConsumedWatts\": 5}, {\"PowerConsumedWatts\": 6}]}", 1, 5},
        {"W", "/PowerControl/1",
         "{\"PowerControl\": [{\"PowerConsumedWatts\": 5}, {\"PowerConsumedWatts\": 6}]}", 1, 6},
        {"W", "/PowerControl/2", "{\"PowerControl\": [{\"PowerConsumedWatts\": 5}]}", 0, 0},
        {"W", "",
         "{\"PowerControl\": [{\"PowerConsumedWatts\": 5, \"Status\": {\"State\": \"Disabled\"}}]}",
         0, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *json = json_loads(rows[i].json, 0, NULL);
        struct redfish r = {.unit = rows[i].unit};
        struct err e = {""};
        double value = 0;

        CU_ASSERT_FATAL(json != NULL);
        (void)snprintf(r.pointer, sizeof(r.pointer), "%s", rows[i].pointer);
        UNIT_INT(redfish_value(&r, json, &value, &e), rows[i].rc, "%s", rows[i].json);
        if (rows[i].rc > 0)
            UNIT_DBL(value, rows[i].value, 0, "%s", rows[i].json);
        json_decref(json);
    }
}

static void test_paths(void)
{
    static const char *const bad[] = {"redfish",
                                      "/a b",
                                      "/a?b",
                                      "/\xc3\xa4",
                                      "/a#/PowerControl",
                                      "/a#/PowerControl/x",
                                      "/a#/Voltages/0",
                                      "/a#PowerControl/0",
                                      "/a#/PowerControl/000000000000000000000000000000001",
                                      ""};
    struct redfish r = {.unit = "W"};
    struct err e;

    UNIT_INT(redfish_set_path(&r, POWER, &e), 0, "plain");
    UNIT_STR(r.path, POWER, "plain");
    UNIT_STR(r.pointer, "", "plain");
    UNIT_INT(redfish_set_path(&r, POWER "#/PowerControl/12", &e), 0, "with an entry");
    UNIT_STR(r.path, POWER, "with an entry");
    UNIT_STR(r.pointer, "/PowerControl/12", "with an entry");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        UNIT_INT(redfish_set_path(&r, bad[i], &e), -1, "'%s'", bad[i]);
}

static void test_settings(void)
{
    static const struct {
        const char *url;
        int insecure, rc;
    } rows[] = {
        {"", 0, 0},
        {"https://bmc", 0, 0},
        {"https://%n-bmc.example:8443", 0, 0},
        {"https://[fd00::1]:443", 0, 0},
        {"http://bmc", 1, 0},
        {"http://bmc", 0, -1},
        {"https://", 0, -1},
        {"bmc", 0, -1},
        {"https://bmc/redfish", 0, -1},
        {"https://root:calvin@bmc", 0, -1},
        {"file://etc", 1, -1},
    };
    struct err e;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        settings_init(&settings);
        (void)snprintf(settings.node.redfish, sizeof(settings.node.redfish), "%s", rows[i].url);
        settings.node.redfish_insecure = rows[i].insecure;
        UNIT_INT(meter_check_settings(&settings, &e), rows[i].rc, "'%s'", rows[i].url);
    }
    settings_init(&settings);
    (void)snprintf(settings.node.redfish, sizeof(settings.node.redfish), "https://%%n-bmc");
    UNIT_INT(settings_name_node(&settings, "n17", &e), 0, "named");
    UNIT_STR(settings.node.redfish, "https://n17-bmc", "named");
    memset(settings.node.redfish, 'a', 120);
    (void)snprintf(settings.node.redfish + 120, 8, "%%n");
    UNIT_INT(settings_name_node(&settings, "a-rather-long-name", &e), -1, "too long");
}

/* Asked unless there is another meter of the node, or if it is named; shown in any case. */
static void test_when(void)
{
    struct meter meter;
    struct err e = {""};

    _set_up(NULL, NULL);
    settings.node.redfish_interval_ms = 60000;
    CU_ASSERT_FATAL(meter_open_settings(&meter, unit_tmpdir(), &settings, &e) == 0);
    UNIT_STR(meter.sources[0].name, "redfish", "configured");
    UNIT_INT(meter.sources[0].inside, 0, "and asked");
    meter_close(&meter);
    fixture_write(unit_tmpdir(), "sys/cray/pm_counters/energy", "100 J 1 us\n");
    CU_ASSERT_FATAL(meter_open_settings(&meter, unit_tmpdir(), &settings, &e) == 0);
    UNIT_STR(meter.sources[0].name, "cray:node", "a meter that costs nothing");
    UNIT_STR(meter.sources[1].name, "redfish", "is enough");
    meter_read(&meter, 1, true);
    UNIT_INT(meter.sources[1].error, ECANCELED, "it is not asked");
    UNIT_INT(meter.sources[1].inside, 1, "and not counted");
    meter_close(&meter);
    settings.node.sources.n = 1;
    (void)snprintf(settings.node.sources.name[0], SETTINGS_NAME_MAX, "redfish");
    CU_ASSERT_FATAL(meter_open_settings(&meter, unit_tmpdir(), &settings, &e) == 0);
    UNIT_STR(meter.sources[0].name, "redfish", "named");
    UNIT_INT(meter.sources[0].inside, 0, "and asked");
    meter_close(&meter);
}

static const struct unit_case cases[] = {
    {"reading", test_reading},
    {"basic", test_basic},
    {"energy", test_energy},
    {"no_value", test_no_value},
    {"busy", test_busy},
    {"refused", test_refused},
    {"hang", test_hang},
    {"tls", test_tls},
    {"wrong_host", test_wrong_host},
    {"discovery", test_discovery},
    {"process", test_process},
    {"credentials", test_credentials},
    {"readable_credentials", test_readable_credentials},
    {"values", test_values},
    {"paths", test_paths},
    {"settings", test_settings},
    {"when", test_when},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "redfish");
}
