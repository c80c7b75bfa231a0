/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every key of carnot.yaml: type, bounds, default and help, and how a value's
 * text gets into struct settings. Bounds and defaults stand in the table as a
 * user would write them, so that messages, example and man page cannot differ
 * from what is checked. No YAML here, no I/O; pure.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/settings.h"
#include "common/settings_table.h"
#include "common/units.h"

#define FIELD(f) offsetof(struct settings, f), sizeof(((struct settings *)NULL)->f)

/* Of source_external.h, which stands above. */
#define EXTERNAL_UNITS "W|mW|kW|uJ|mJ|J|kJ|Wh|kWh"
#define EXTERNAL_COVERS "node|cpu|dram|gpu|cpu,dram|cpu,dram,gpu"

const struct setting settings_table[] = {
    {"", "cluster", SETTING_NAME, FIELD(cluster), NULL, NULL, "carnot",
     "Name of the cluster in reports and messages; the same on all its machines."},
    {"", "mode", SETTING_MODE, FIELD(mode), NULL, "observe|act", "observe",
     "observe: decide, log and report what would be done, and change nothing. act: do it."},
    {"", "operators", SETTING_NAMES, FIELD(operators), NULL, "user names as in [root, alice]",
     "root", "Users who may see every job and change budgets and the mode."},
    {"", "state_dir", SETTING_PATH, FIELD(state_dir), NULL, NULL, LOCALSTATEDIR "/lib/carnot",
     "Where carnotctld keeps its ledger."},
    {"", "log_dir", SETTING_PATH, FIELD(log_dir), NULL, NULL, LOCALSTATEDIR "/log/carnot",
     "Where carnotctld writes events.jsonl."},
    {"", "munge_socket", SETTING_PATH, FIELD(munge_socket), NULL, NULL, "",
     "Socket of munged; not set: munge's own default."},

    {"controller", "host", SETTING_NAME, FIELD(controller.host), NULL, NULL, "localhost",
     "Host on which nodes and users reach carnotctld."},
    {"controller", "port", SETTING_INT, FIELD(controller.port), "1", "65535", "6822",
     "TCP port of carnotctld."},
    {"controller", "user", SETTING_NAME, FIELD(controller.user), NULL, NULL, "root",
     "User that carnotctld runs as, Slurm's or root; answers of anybody else on its port are "
     "refused."},
    {"controller", "board", SETTING_PATH, FIELD(controller.board), NULL, NULL,
     LOCALSTATEDIR "/lib/carnot/board",
     "The file that job_submit reads; it may lie on the StateSaveLocation's file system, so that "
     "a backup controller finds it."},
    {"controller", "poll", SETTING_DURATION, FIELD(controller.poll_ms), "500ms", "5m", "5s",
     "Time between two looks at Slurm's job list."},
    {"controller", "board_interval", SETTING_DURATION, FIELD(controller.board_interval_ms), "500ms",
     "1m", "2s", "Shortest time between two boards."},
    {"controller", "check_origin", SETTING_BOOL, FIELD(controller.check_origin), NULL, NULL, "true",
     "Count a node's report only if it comes from an address that Slurm has for that node "
     "(NodeAddr, "
     "NodeHostname). false: where nodes are reached through other addresses than they send from."},

    {"carbon", "zone", SETTING_NAME, FIELD(carbon.zone), NULL, NULL, "",
     "Zone of the grid, as in the feed. carnotctld needs it."},
    {"carbon", "feed", SETTING_CHOICE, FIELD(carbon.feed), NULL, "csv", "csv",
     "Where carbon intensity comes from."},
    {"carbon", "file", SETTING_PATH, FIELD(carbon.file), NULL, NULL, "", "The file of feed csv."},
    {"carbon", "replay", SETTING_BOOL, FIELD(carbon.replay), NULL, NULL, "false",
     "Map an old trace onto now, at the same hour of the week: for trials only."},
    {"carbon", "slot", SETTING_DURATION, FIELD(carbon.slot_ms), "5s", "1h", "15m",
     "Length of a slot in forecasts and in the count of what is planned. Four of them, an hour at "
     "most, are what pausing reckons in."},
    {"carbon", "horizon", SETTING_DURATION, FIELD(carbon.horizon_ms), "10m", "14d", "96h",
     "How far ahead jobs are planned."},
    {"carbon", "stale_after", SETTING_DURATION, FIELD(carbon.stale_after_ms), "1m", "7d", "3h",
     "A feed without new samples for this long is stale."},
    {"carbon", "yearly_average", SETTING_INTENSITY, FIELD(carbon.yearly_average_g_per_kwh),
     "0g/kWh", "2000g/kWh", "0g/kWh",
     "The zone's mean of a year, used when there is neither feed nor forecast; 0g/kWh: none."},

    {"policy", "policy", SETTING_CHOICE, FIELD(policy.policy), NULL, "asap|balanced|greenest",
     "balanced", "How jobs that say nothing trade waiting for grams."},
    {"policy", "lengths", SETTING_CHOICE, FIELD(policy.lengths), NULL, "mix|requested", "mix",
     "What length a start is chosen for. mix: the last seven runs of the user's jobs of that name, "
     "else of all his jobs, at the watts that they drew, and the time limit; requested: the limit "
     "alone, at full load. Latest starts, slots and budgets go by the limit either way."},
    {"policy", "lambda", SETTING_GRAMS, FIELD(policy.lambda_g_per_h), "0g", "1t", "0.1g",
     "Grams that an hour of a one-CPU job's wait must save, for policy balanced. A GPU counts as "
     "as "
     "many CPUs as its power does."},
    {"policy", "target_wait", SETTING_DURATION, FIELD(policy.target_wait_ms), "0", "7d", "0",
     "Steer lambda so that jobs of policy balanced that may wait are made to wait so long on "
     "average; policy.lambda is where that begins. 0: lambda stays as it is."},
    {"policy", "lambda_exponent", SETTING_RATIO, FIELD(policy.lambda_exponent), "0", "2", "1",
     "Lambda grows with a job's CPUs to this power. 1: splitting a job gains nothing; 0: large "
     "jobs "
     "wait for small savings, which saves most for the mean wait."},
    {"policy", "stagger", SETTING_DURATION, FIELD(policy.stagger_ms), "0", "1h", "2m",
     "Jobs for which one start is best are spread over this long, at most a slot, so that they do "
     "not begin in one second; 0: they do."},
    {"policy", "min_gain", SETTING_MASS, FIELD(policy.min_gain_ug), "0g", "1t", "50g",
     "A job waits only if that saves at least this much CO2e."},
    {"policy", "default_delay", SETTING_DURATION, FIELD(policy.default_delay_ms), "0", "14d", "0",
     "How long jobs that say nothing may wait; 0: they do not wait."},
    {"policy", "site_delay", SETTING_DURATION, FIELD(policy.site_delay_ms), "0", "14d", "4h",
     "What --carbon-delay=site means."},
    {"policy", "max_delay", SETTING_DURATION, FIELD(policy.max_delay_ms), "0", "14d", "7d",
     "No job may ask for a longer wait."},
    {"policy", "overbook", SETTING_RATIO, FIELD(policy.overbook), "0.1", "10", "1.5",
     "CPUs that may be planned into one slot, per CPU that there is: most jobs end long before "
     "their limits (docs/evaluation.md)."},
    {"policy", "board_max_age", SETTING_DURATION, FIELD(policy.board_max_age_ms), "5s", "1h", "60s",
     "An older board counts as absent: jobs pass unchanged."},
    {"policy", "off_stagger", SETTING_DURATION, FIELD(policy.off_stagger_ms), "0", "24h", "10m",
     "carnot off --now lets waiting jobs go evenly over this time; 0: all at once."},
    {"policy", "requeue_min_run", SETTING_DURATION, FIELD(policy.requeue_min_run_ms), "0", "14d",
     "2h", "A job with --carbon-requeue runs so long before it is paused, after each start."},
    {"policy", "requeue_cost", SETTING_DURATION, FIELD(policy.requeue_cost_ms), "0", "24h", "10m",
     "What a pause of such a job costs, as time in which it runs: checkpoint, restart, work done "
     "twice."},

    {"exempt", "users", SETTING_NAMES, FIELD(exempt.users), NULL, "user names as in [root, alice]",
     "", "Jobs of these users are never made to wait. Budgets hold for them as for all."},
    {"exempt", "accounts", SETTING_NAMES, FIELD(exempt.accounts), NULL,
     "accounts as in [urgent, sales]", "", "The same for jobs of these accounts."},
    {"exempt", "partitions", SETTING_NAMES, FIELD(exempt.partitions), NULL,
     "partitions as in [debug, jupyter]", "",
     "The same for jobs that may run in one of these partitions."},
    {"exempt", "qos", SETTING_NAMES, FIELD(exempt.qos), NULL, "QOS as in [urgent]", "",
     "The same for jobs that name one of these QOS when they are submitted."},

    {"budget", "grace", SETTING_DURATION, FIELD(budget.grace_ms), "1s", "1h", "30s",
     "Time between SIGTERM and cancel of a job that has passed its budget."},
    {"budget", "user_lease_share", SETTING_RATIO, FIELD(budget.user_lease_share), "0.01", "1",
     "0.5", "Share of what is left of a budget that one user's newest submissions may hold."},
    {"budget", "native", SETTING_BOOL, FIELD(budget.native), NULL, NULL, "false",
     "true: Slurm's own limits (GrpTRESMins=license/watts) hold the budgets of accounts and all "
     "accounts below them; needs slurmdbd, see carnotctld(8)."},

    {"power", "cpu_idle", SETTING_POWER, FIELD(power.cpu_idle_mw), "0W", "1kW", "2W",
     "Idle power of one CPU as Slurm counts them (a hardware thread), its share of the node "
     "included."},
    {"power", "cpu_max", SETTING_POWER, FIELD(power.cpu_max_mw), "1mW", "1kW", "8W",
     "The same at full load."},
    {"power", "gpu_max", SETTING_POWER, FIELD(power.gpu_max_mw), "0W", "10kW", "400W",
     "Power for which a requested GPU is priced."},
    {"power", "pue", SETTING_RATIO, FIELD(power.pue), "1", "5", "1.0",
     "Energy of the site over energy of its machines; multiplies grams."},

    {"node", "interval", SETTING_DURATION, FIELD(node.interval_ms), "200ms", "60s", "1s",
     "Time between two samples of carnotd."},
    {"node", "log_interval", SETTING_DURATION, FIELD(node.log_interval_ms), "200ms", "10m", "10s",
     "A record in the telemetry log at least this often; not below interval."},
    {"node", "report_interval", SETTING_DURATION, FIELD(node.report_interval_ms), "200ms", "10m",
     "30s", "A report to carnotctld this often; not below log_interval."},
    {"node", "state_dir", SETTING_PATH, FIELD(node.state_dir), NULL, NULL,
     LOCALSTATEDIR "/lib/carnotd",
     "Where carnotd keeps reports that are not delivered yet; %n is the node's name."},
    {"node", "log_dir", SETTING_PATH, FIELD(node.log_dir), NULL, NULL, LOCALSTATEDIR "/log/carnotd",
     "Where carnotd writes the telemetry log; %n is the node's name."},
    {"node", "socket", SETTING_PATH, FIELD(node.socket), NULL, NULL, "/run/carnot/carnotd.sock",
     "Where SPANK tells carnotd of job starts and ends; %n is the node's name."},
    {"node", "cap_socket", SETTING_PATH, FIELD(node.cap_socket), NULL, NULL, "",
     "Socket of carnot-powercap, which sets the power caps that jobs ask for; %n is the node's "
     "name. /run/carnot-powercap.sock with carnot-powercap.socket; not set: no cap is set."},
    {"node", "sources", SETTING_NAMES, FIELD(node.sources), NULL,
     "kinds of sources as in [perf, powercap, nvml]", "auto",
     "Kinds of sources that carnotd looks for, preferred ones first, of perf, powercap, nvml, "
     "rocm, level-zero, cray, hwmon, command, file, snmp, ipmi and redfish; [auto]: all in this "
     "order, the last three only without another meter of the node. carnotd --once shows what "
     "there is."},
    {"node", "command", SETTING_PATH, FIELD(node.command), NULL, NULL, "",
     "A program that prints one number, what the node (or command_covers) draws or has used; run "
     "as carnotd's user without arguments, and killed after 5 s. Not set: none."},
    {"node", "command_unit", SETTING_CHOICE, FIELD(node.command_unit), NULL, EXTERNAL_UNITS, "W",
     "What the number is; watts are integrated, joules a counter that grows."},
    {"node", "command_covers", SETTING_CHOICE, FIELD(node.command_covers), NULL, EXTERNAL_COVERS,
     "node", "What is in it."},
    {"node", "command_interval", SETTING_DURATION, FIELD(node.command_interval_ms), "1s", "10m",
     "10s", "Time between two runs."},
    {"node", "file", SETTING_PATH, FIELD(node.file), NULL, NULL, "",
     "The same from a file that something else writes, read every interval. Not set: none."},
    {"node", "file_unit", SETTING_CHOICE, FIELD(node.file_unit), NULL, EXTERNAL_UNITS, "W",
     "What the number in it is."},
    {"node", "file_covers", SETTING_CHOICE, FIELD(node.file_covers), NULL, EXTERNAL_COVERS, "node",
     "What is in it."},
    {"node", "ipmi_interval", SETTING_DURATION, FIELD(node.ipmi_interval_ms), "1s", "10m", "5s",
     "Time between two questions to the node's management controller (DCMI). They cost it time "
     "and, on slow interfaces, a CPU: it is asked where no other meter of the node was found."},
    {"node", "redfish", SETTING_NAME, FIELD(node.redfish), NULL, NULL, "",
     "https://HOST of the node's management controller, asked by Redfish; %n is the node's name. "
     "Not set: none."},
    {"node", "redfish_path", SETTING_PATH, FIELD(node.redfish_path), NULL, NULL, "",
     "The resource Power or EnvironmentMetrics to read, as in /redfish/v1/Chassis/1/Power; "
     "#/PowerControl/0 behind it chooses an entry. Not set: that of the one chassis that has a "
     "figure."},
    {"node", "redfish_credentials", SETTING_PATH, FIELD(node.redfish_credentials), NULL, NULL, "",
     "A file with the lines user NAME and password WORD, of carnotd's user, mode 0600. Not set: "
     "the "
     "controller is asked without."},
    {"node", "redfish_ca", SETTING_PATH, FIELD(node.redfish_ca), NULL, NULL, "",
     "Certificates (PEM) by which the controller's is verified. Not set: the system's."},
    {"node", "redfish_insecure", SETTING_BOOL, FIELD(node.redfish_insecure), NULL, NULL, "false",
     "true: verify no certificate, and take http://. Who is on the network may then read the "
     "password."},
    {"node", "redfish_unit", SETTING_CHOICE, FIELD(node.redfish_unit), NULL, "W|J|kWh", "W",
     "What is read: its power, integrated; or its counter of energy (EnergyJoules, EnergykWh), "
     "where it has one."},
    {"node", "redfish_interval", SETTING_DURATION, FIELD(node.redfish_interval_ms), "1s", "10m",
     "10s", "Time between two questions to it."},
    {"node", "snmp", SETTING_NAMES, FIELD(node.snmp), NULL,
     "at most four AGENT/OID as in [pdu-a/1.3.6.1.4.1.318.1.1.26.9.4.3.1.7.12]", "",
     "The outlets of PDUs that feed the node, added up: HOST or HOST:PORT and the object in "
     "numbers; %n is the node's name. Not set: none."},
    {"node", "snmp_unit", SETTING_CHOICE, FIELD(node.snmp_unit), NULL, EXTERNAL_UNITS, "W",
     "What each object's number is, times snmp_scale."},
    {"node", "snmp_scale", SETTING_RATIO, FIELD(node.snmp_scale), "0.000001", "1000000", "1",
     "As 0.1 where the PDU counts tenths."},
    {"node", "snmp_credentials", SETTING_PATH, FIELD(node.snmp_credentials), NULL, NULL, "",
     "A file of carnotd's user with mode 0600: the line community WORD, or user NAME and more for "
     "SNMPv3 "
     "(see carnotd(8)). Not set: community public."},
    {"node", "snmp_interval", SETTING_DURATION, FIELD(node.snmp_interval_ms), "1s", "10m", "10s",
     "Time between two questions to the PDUs."},
    {"node", "metrics", SETTING_PATH, FIELD(node.metrics), NULL, "textfile:", "",
     "textfile:DIR: carnotd writes metrics for node_exporter's textfile collector to "
     "DIR/carnotd.prom; %n is the node's name. Not set: it writes none."},
    {"node", "metrics_http", SETTING_NAME, FIELD(node.metrics_http), NULL, NULL, "",
     "The same over HTTP at /metrics: a port, of this machine only (127.0.0.1), or ADDRESS:PORT, "
     "as "
     "in 0.0.0.0:9822, for whoever reaches that address. Not set: no port is opened."},
    {"node", "metrics_jobs", SETTING_BOOL, FIELD(node.metrics_jobs), NULL, NULL, "false",
     "true: metrics have the joules of each running job as well; whoever may read them sees those "
     "of all users' jobs."},
    {"node", "user", SETTING_NAME, FIELD(node.user), NULL, NULL, "",
     "User that carnotd runs as once it has opened what root alone may open; carnotctld believes "
     "his reports of nodes, and root's. Not set: carnot, if that is a system account, else root."},
    {"node", "log_max", SETTING_SIZE, FIELD(node.log_max_bytes), "64KiB", "4GiB", "64MiB",
     "Size at which a telemetry file is rotated."},
    {"node", "log_keep", SETTING_INT, FIELD(node.log_keep), "1", "1000", "8",
     "Rotated telemetry files that are kept."},
};

const size_t settings_table_size = sizeof(settings_table) / sizeof(settings_table[0]);
_Static_assert(sizeof(settings_table) / sizeof(settings_table[0]) <= SETTINGS_TABLE_MAX,
               "SETTINGS_TABLE_MAX is too small");

/* A value read; which member counts follows from the type. */
struct value {
    int64_t i;
    double d;
};

/* Digits with a point perhaps, exact to the last bit: 15 digits over a power of ten that a
 * double holds. Returns what is behind the number, or NULL. */
static const char *_read_number(const char *text, struct value *v)
{
    double scale = 1;
    int64_t digits = 0;
    int n = 0;
    bool point = false;
    const char *p = text;

    for (; (*p >= '0' && *p <= '9') || (*p == '.' && !point); p++) {
        if (*p == '.') {
            if (p == text || p[1] < '0' || p[1] > '9')
                return NULL;
            point = true;
            continue;
        }
        if (++n > 15)
            return NULL;
        digits = digits * 10 + (*p - '0');
        if (point)
            scale *= 10;
    }
    if (n == 0)
        return NULL;
    v->i = point ? -1 : digits;
    v->d = (double)digits / scale;
    return p;
}

static int _read_with_suffix(const char *text, const char *suffix, struct value *v, struct err *e)
{
    char quoted[ERR_QUOTE_SIZE];
    const char *behind = _read_number(text, v);

    if (behind && strcmp(behind, suffix) == 0)
        return 0;
    return err_set(e, "'%s' is not a number%s%s", err_quote(quoted, sizeof(quoted), text),
                   *suffix ? " with unit " : "", suffix);
}

static int _read_size(const char *text, struct value *v, struct err *e)
{
    static const struct {
        const char *unit;
        int shift;
    } units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    char quoted[ERR_QUOTE_SIZE];
    const char *behind = _read_number(text, v);

    for (size_t i = 0; behind && v->i >= 0 && i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(behind, units[i].unit) != 0)
            continue;
        if (v->i > INT64_MAX >> units[i].shift)
            break;
        v->i <<= units[i].shift;
        return 0;
    }
    return err_set(e, "'%s' is not a size: use a whole number and KiB, MiB or GiB",
                   err_quote(quoted, sizeof(quoted), text));
}

/* What fits no int64_t is above any bound of the table. */
static int64_t _clamp(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* Any of the types with bounds. */
static int _read_value(enum setting_type type, const char *text, struct value *v, struct err *e)
{
    uint64_t u = 0;
    int rc;

    switch (type) {
    case SETTING_INT:
        rc = _read_with_suffix(text, "", v, e);
        if (rc == 0 && v->i < 0)
            return err_set(e, "'%s' is not a whole number", text);
        return rc;
    case SETTING_RATIO:
        return _read_with_suffix(text, "", v, e);
    case SETTING_INTENSITY:
        return _read_with_suffix(text, "g/kWh", v, e);
    case SETTING_DURATION:
        return units_parse_duration(text, &v->i, e);
    case SETTING_SIZE:
        return _read_size(text, v, e);
    case SETTING_POWER:
        rc = units_parse_power(text, &u, e);
        break;
    default: /* SETTING_MASS, SETTING_GRAMS */
        rc = units_parse_mass(text, &u, e);
        break;
    }
    if (rc == 0) {
        v->i = _clamp(u);
        v->d = (double)u / (double)UG_PER_G;
    }
    return rc;
}

static bool _is_floating(enum setting_type type)
{
    return type == SETTING_RATIO || type == SETTING_GRAMS || type == SETTING_INTENSITY;
}

static int _assign_value(const struct setting *st, void *field, const char *text, struct err *e)
{
    struct value v = {0, 0}, min = {0, 0}, max = {0, 0};
    char quoted[ERR_QUOTE_SIZE];
    bool inside;

    if (_read_value(st->type, text, &v, e) < 0 || _read_value(st->type, st->min, &min, e) < 0 ||
        _read_value(st->type, st->max, &max, e) < 0)
        return -1;
    inside = _is_floating(st->type) ? v.d >= min.d && v.d <= max.d : v.i >= min.i && v.i <= max.i;
    if (!inside)
        return err_set(e, "'%s' is out of range: use %s to %s",
                       err_quote(quoted, sizeof(quoted), text), st->min, st->max);
    if (_is_floating(st->type))
        *(double *)field = v.d;
    else if (st->type == SETTING_INT)
        *(int *)field = (int)v.i;
    else if (st->type == SETTING_DURATION)
        *(int64_t *)field = v.i;
    else
        *(uint64_t *)field = (uint64_t)v.i;
    return 0;
}

/* Which of the words in "a|b|c" it is, or -1. */
static int _find_word(const char *words, const char *text)
{
    size_t n = strlen(text);

    for (int i = 0; n > 0; i++) {
        size_t length = strcspn(words, "|");

        if (length == n && memcmp(words, text, n) == 0)
            return i;
        if (words[length] == '\0')
            break;
        words += length + 1;
    }
    return -1;
}

static int _assign_word(const struct setting *st, void *field, const char *text, struct err *e)
{
    char quoted[ERR_QUOTE_SIZE], accepted[128];
    const char *words = st->type == SETTING_BOOL ? "false|true" : st->max;
    int which = _find_word(words, text);

    if (which < 0)
        return err_set(e, "'%s' is not known: use %s", err_quote(quoted, sizeof(quoted), text),
                       setting_accepted(st, accepted, sizeof(accepted)));
    if (st->type == SETTING_MODE)
        *(enum settings_mode *)field = (enum settings_mode)which;
    else if (st->type == SETTING_BOOL)
        *(int *)field = which;
    else
        (void)snprintf(field, st->size, "%s", text);
    return 0;
}

/* Names and paths, which end up in messages, file names and JSON. */
static int _check_text(const struct setting *st, const char *text, size_t size, struct err *e)
{
    char quoted[ERR_QUOTE_SIZE], accepted[128];
    bool path = st->type == SETTING_PATH;
    size_t prefix = path && st->max ? strlen(st->max) : 0;
    bool good = path ? (!prefix || strncmp(text, st->max, prefix) == 0) && text[prefix] == '/'
                     : text[0] != '\0';

    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;

        if (c < 0x20 || c == 0x7f || (!path && c == ' '))
            good = false;
    }
    if (!good)
        return err_set(e, "'%s' is not good here: use %s", err_quote(quoted, sizeof(quoted), text),
                       setting_accepted(st, accepted, sizeof(accepted)));
    if (strlen(text) >= size)
        return err_set(e, "'%s' is too long: use at most %zu bytes",
                       err_quote(quoted, sizeof(quoted), text), size - 1);
    return 0;
}

static int _assign_text(const struct setting *st, char *field, const char *text, struct err *e)
{
    bool unset = *text == '\0' && *st->text == '\0';

    if (!unset && _check_text(st, text, st->size, e) < 0)
        return -1;
    (void)snprintf(field, st->size, "%s", text);
    return 0;
}

static int _append_name(const struct setting *st, struct settings_names *list, const char *text,
                        struct err *e)
{
    if (_check_text(st, text, SETTINGS_NAME_MAX, e) < 0)
        return -1;
    for (int i = 0; i < list->n; i++) {
        if (strcmp(list->name[i], text) == 0)
            return err_set(e, "'%s' is there twice", text);
    }
    if (list->n == SETTINGS_NAMES_MAX)
        return err_set(e, "'%s' is one too many: use at most %d", text, SETTINGS_NAMES_MAX);
    (void)snprintf(list->name[list->n++], SETTINGS_NAME_MAX, "%s", text);
    return 0;
}

int setting_assign(const struct setting *st, struct settings *s, const char *text, struct err *e)
{
    char *field = (char *)s + st->offset;

    errno = EINVAL;
    switch (st->type) {
    case SETTING_NAME:
    case SETTING_PATH:
        return _assign_text(st, field, text, e);
    case SETTING_CHOICE:
    case SETTING_MODE:
    case SETTING_BOOL:
        return _assign_word(st, field, text, e);
    case SETTING_NAMES:
        return *text || *st->text ? _append_name(st, (void *)field, text, e) : 0;
    default:
        return _assign_value(st, field, text, e);
    }
}

/* "a|b|c" as "a, b or c" */
static void _print_words(const char *words, char *buf, size_t size)
{
    size_t used = 0;

    while (*words && used < size) {
        size_t n = strcspn(words, "|"), m = words[n] ? strcspn(words + n + 1, "|") : 0;
        const char *comma = !words[n] ? "" : words[n + 1 + m] ? ", " : " or ";
        int put = snprintf(buf + used, size - used, "%.*s%s", (int)n, words, comma);

        used += put > 0 ? (size_t)put : 0;
        words += n + (words[n] == '|');
    }
}

char *setting_accepted(const struct setting *st, char *buf, size_t size)
{
    switch (st->type) {
    case SETTING_NAME:
        (void)snprintf(buf, size, "a name without blanks");
        break;
    case SETTING_PATH:
        (void)snprintf(buf, size, "%s%san absolute path", st->max ? st->max : "",
                       st->max ? " and " : "");
        break;
    case SETTING_NAMES:
        (void)snprintf(buf, size, "%s", st->max);
        break;
    case SETTING_BOOL:
        (void)snprintf(buf, size, "true or false");
        break;
    case SETTING_CHOICE:
    case SETTING_MODE:
        _print_words(st->max, buf, size);
        break;
    default:
        (void)snprintf(buf, size, "%s to %s", st->min, st->max);
        break;
    }
    return buf;
}
