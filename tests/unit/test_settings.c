/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot.yaml: defaults, every kind of value, every kind of mistake with its place, and that
 * the example and the man page agree with the parser.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/path.h"
#include "common/settings.h"
#include "common/settings_table.h"
#include "unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int parse(struct settings *s, const char *text, struct err *e)
{
    settings_init(s);
    return settings_parse(s, "t.yaml", text, strlen(text), e);
}

static void test_defaults(void)
{
    struct settings s;

    settings_init(&s);
    UNIT_STR(s.cluster, "carnot", "cluster");
    UNIT_INT(s.mode, MODE_OBSERVE, "nothing is switched on by surprise");
    UNIT_INT(s.operators.n, 1, "operators");
    UNIT_STR(s.operators.name[0], "root", "operators");
    UNIT_STR(s.munge_socket, "", "munge_socket");
    UNIT_STR(s.controller.host, "localhost", "host");
    UNIT_INT(s.controller.port, 6822, "port");
    UNIT_INT(s.controller.poll_ms, 5000, "poll");
    UNIT_INT(s.controller.board_interval_ms, 2000, "board_interval");
    UNIT_STR(s.carbon.feed, "csv", "feed");
    UNIT_INT(s.carbon.replay, 0, "replay");
    UNIT_INT(s.carbon.slot_ms, 900000, "slot");
    UNIT_INT(s.carbon.horizon_ms, 96 * 3600000, "horizon");
    UNIT_INT(s.carbon.stale_after_ms, 3 * 3600000, "stale_after");
    UNIT_DBL(s.carbon.yearly_average_g_per_kwh, 0, 0, "yearly_average");
    UNIT_STR(s.policy.policy, "balanced", "policy");
    UNIT_STR(s.policy.lengths, "mix", "lengths");
    UNIT_DBL(s.policy.lambda_g_per_h, 0.1, 0, "lambda");
    UNIT_DBL(s.policy.lambda_exponent, 1, 0, "lambda_exponent");
    UNIT_INT(s.policy.stagger_ms, 120000, "stagger");
    UNIT_INT(s.policy.min_gain_ug, 50000000, "min_gain");
    UNIT_INT(s.policy.default_delay_ms, 0, "default_delay");
    UNIT_INT(s.policy.site_delay_ms, 4 * 3600000, "site_delay");
    UNIT_INT(s.policy.max_delay_ms, 7 * 86400000, "max_delay");
    UNIT_DBL(s.policy.overbook, 1.5, 0, "overbook");
    UNIT_INT(s.policy.board_max_age_ms, 60000, "board_max_age");
    UNIT_INT(s.policy.off_stagger_ms, 600000, "off_stagger");
    UNIT_INT(s.policy.requeue_min_run_ms, 7200000, "requeue_min_run");
    UNIT_INT(s.policy.requeue_cost_ms, 600000, "requeue_cost");
    UNIT_INT(s.exempt.users.n + s.exempt.accounts.n + s.exempt.partitions.n + s.exempt.qos.n, 0,
             "nobody is exempt");
    UNIT_INT(s.budget.grace_ms, 30000, "grace");
    UNIT_DBL(s.budget.user_lease_share, 0.5, 0, "user_lease_share");
    UNIT_INT(s.power.cpu_idle_mw, 2000, "cpu_idle");
    UNIT_INT(s.power.cpu_max_mw, 8000, "cpu_max");
    UNIT_INT(s.power.gpu_max_mw, 400000, "gpu_max");
    UNIT_DBL(s.power.pue, 1, 0, "pue");
    UNIT_INT(s.node.interval_ms, 1000, "interval");
    UNIT_INT(s.node.log_interval_ms, 10000, "log_interval");
    UNIT_INT(s.node.report_interval_ms, 30000, "report_interval");
    UNIT_STR(s.node.socket, "/run/carnot/carnotd.sock", "socket");
    UNIT_INT(s.node.log_max_bytes, 64 << 20, "log_max");
    UNIT_INT(s.node.log_keep, 8, "log_keep");
}

/* The defaults have to pass the checks of the file. */
static void test_table(void)
{
    UNIT_OK(settings_table_size > 30 && settings_table_size <= SETTINGS_TABLE_MAX, "size");
    for (size_t i = 0; i < settings_table_size; i++) {
        const struct setting *st = &settings_table[i];
        struct settings s;
        struct err e = {""};

        memset(&s, 0, sizeof(s));
        UNIT_INT(setting_assign(st, &s, st->text, &e), 0, "%s.%s: %s", st->section, st->key,
                 e.text);
        UNIT_OK(strlen(st->help) > 10 && st->help[strlen(st->help) - 1] == '.', "%s.%s",
                st->section, st->key);
        for (size_t j = 0; j < i; j++)
            UNIT_OK(strcmp(st->key, settings_table[j].key) != 0 ||
                        strcmp(st->section, settings_table[j].section) != 0,
                    "%s.%s is there twice", st->section, st->key);
    }
}

static void test_values(void)
{
    static const char text[] = "# a site\n"
                               "cluster: lumi-g\n"
                               "mode: act\n"
                               "operators: [alice, 'bob']\n"
                               "munge_socket: ''\n"
                               "controller:\n"
                               "  host: ctl1.example.org\n"
                               "  port: 7000\n"
                               "  poll: 500ms\n"
                               "carbon: {zone: DE, file: /srv/a b.csv, replay: true, slot: 5m,\n"
                               "         yearly_average: 380.5g/kWh}\n"
                               "policy:\n"
                               "  policy: greenest\n"
                               "  lengths: requested\n"
                               "  lambda: 0.001g\n"
                               "  min_gain: 0.5kg\n"
                               "  default_delay: 1h30m\n"
                               "  overbook: 0.85\n"
                               "  off_stagger: 0\n"
                               "exempt: {users: [], accounts: [urgent],\n"
                               "         partitions: [debug, jupyter]}\n"
                               "budget:\n"
                               "power:\n"
                               "  cpu_idle: 3.5W\n"
                               "  cpu_max: 3.5W\n"
                               "node:\n"
                               "  interval: 30s\n"
                               "  log_interval: 30s\n"
                               "  log_max: 4GiB\n"
                               "  log_dir: \"/var/log/%n\"\n";
    struct settings s;
    struct err e = {""};

    UNIT_INT(parse(&s, text, &e), 0, "%s", e.text);
    UNIT_STR(s.cluster, "lumi-g", "cluster");
    UNIT_INT(s.mode, MODE_ACT, "mode");
    UNIT_INT(s.operators.n, 2, "the list replaces the default");
    UNIT_STR(s.operators.name[1], "bob", "operators");
    UNIT_STR(s.controller.host, "ctl1.example.org", "host");
    UNIT_INT(s.controller.port, 7000, "port");
    UNIT_INT(s.controller.poll_ms, 500, "poll");
    UNIT_STR(s.carbon.file, "/srv/a b.csv", "file");
    UNIT_INT(s.carbon.replay, 1, "replay");
    UNIT_DBL(s.carbon.yearly_average_g_per_kwh, 380.5, 0, "yearly_average");
    UNIT_STR(s.policy.policy, "greenest", "policy");
    UNIT_STR(s.policy.lengths, "requested", "lengths");
    UNIT_DBL(s.policy.lambda_g_per_h, 0.001, 1e-15, "lambda");
    UNIT_INT(s.policy.min_gain_ug, 500000000, "min_gain");
    UNIT_INT(s.policy.default_delay_ms, 5400000, "default_delay");
    UNIT_DBL(s.policy.overbook, 0.85, 0, "overbook");
    UNIT_INT(s.policy.off_stagger_ms, 0, "off_stagger");
    UNIT_INT(s.exempt.users.n, 0, "an empty list");
    UNIT_STR(s.exempt.accounts.name[0], "urgent", "exempt accounts");
    UNIT_INT(s.exempt.partitions.n, 2, "exempt partitions");
    UNIT_STR(s.exempt.partitions.name[1], "jupyter", "exempt partitions");
    UNIT_INT(s.power.cpu_max_mw, 3500, "cpu_max");
    UNIT_INT(s.node.log_max_bytes, 4LL << 30, "log_max");
    UNIT_STR(s.node.log_dir, "/var/log/%n", "log_dir");
    UNIT_INT(s.node.log_keep, 8, "what is not named keeps its default");
}

static void test_empty(void)
{
    static const char *const texts[] = {"",
                                        "\n\n",
                                        "# nothing\n",
                                        "---\n",
                                        "---\n...\n",
                                        "{}",
                                        "\xef\xbb\xbf# with a byte order mark\n",
                                        "node:\n"};
    struct settings s, defaults;
    struct err e = {""};

    settings_init(&defaults);
    for (size_t i = 0; i < COUNT(texts); i++) {
        UNIT_INT(parse(&s, texts[i], &e), 0, "row %zu: %s", i, e.text);
        UNIT_OK(memcmp(&s, &defaults, sizeof(s)) == 0, "row %zu", i);
    }
}

struct mistake {
    const char *text;
    const char *error; /* how the message begins */
};

static void check_mistakes(const struct mistake *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct settings s, before;
        struct err e = {""};

        settings_init(&before);
        s = before;
        UNIT_INT(settings_parse(&s, "t.yaml", rows[i].text, strlen(rows[i].text), &e), -1, "%s",
                 rows[i].text);
        UNIT_OK(strncmp(e.text, rows[i].error, strlen(rows[i].error)) == 0, "%s", e.text);
        UNIT_OK(memcmp(&s, &before, sizeof(s)) == 0, "%s: nothing is half-applied", rows[i].text);
        UNIT_INT(settings_parse(&s, "t.yaml", rows[i].text, strlen(rows[i].text), NULL), -1,
                 "without err");
    }
}

static void test_bad_values(void)
{
    static const struct mistake rows[] = {
        {"mode: on\n", "t.yaml:1:7: mode: 'on' is not known: use observe or act"},
        {"mode: Act\n", "t.yaml:1:7: mode: 'Act' is not known"},
        {"mode: ''\n", "t.yaml:1:7: mode: '' is not known"},
        {"mode: observe|act\n", "t.yaml:1:7: mode: 'observe|act' is not known"},
        {"cluster: a b\n", "t.yaml:1:10: cluster: 'a b' is not good here: use a name"},
        {"cluster: ''\n", "t.yaml:1:10: cluster: '' is not good here"},
        {"cluster: \"a\\nb\"\n", "t.yaml:1:10: cluster: 'a?b' is not good here"},
        {"cluster: \"a\\0b\"\n", "t.yaml:1:10: cluster: wrong kind of value"},
        {"cluster: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
         "t.yaml:1:10: cluster: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' is too long: use at "
         "most 63 bytes"},
        {"state_dir: lib/carnot\n", "t.yaml:1:12: state_dir: 'lib/carnot' is not good here: use an "
                                    "absolute path"},
        {"state_dir: ''\n", "t.yaml:1:12: state_dir: '' is not good here"},
        {"controller:\n  port: 0\n", "t.yaml:2:9: controller.port: '0' is out of range: use 1 to "
                                     "65535"},
        {"controller:\n  port: 65536\n", "t.yaml:2:9: controller.port: '65536' is out of range"},
        {"controller:\n  port: -1\n", "t.yaml:2:9: controller.port: '-1' is not a number"},
        {"controller:\n  port: 80.5\n", "t.yaml:2:9: controller.port: '80.5' is not a whole"},
        {"controller:\n  port: 0x50\n", "t.yaml:2:9: controller.port: '0x50' is not a number"},
        {"controller:\n  port: 99999999999999999999\n", "t.yaml:2:9: controller.port: '9999"},
        {"controller:\n  poll: 5\n", "t.yaml:2:9: controller.poll: '5' is not a duration: use 12h"},
        {"controller:\n  poll: 499ms\n", "t.yaml:2:9: controller.poll: '499ms' is out of range: "
                                         "use 500ms to 5m"},
        {"controller:\n  poll: 301s\n", "t.yaml:2:9: controller.poll: '301s' is out of range"},
        {"carbon:\n  replay: yes\n", "t.yaml:2:11: carbon.replay: 'yes' is not known: use true or "
                                     "false"},
        {"carbon:\n  yearly_average: 380\n", "t.yaml:2:19: carbon.yearly_average: '380' is not a "
                                             "number with unit g/kWh"},
        {"carbon:\n  yearly_average: 2001g/kWh\n", "t.yaml:2:19: carbon.yearly_average: "
                                                   "'2001g/kWh' is out of range"},
        {"carbon:\n  feed: ftp\n", "t.yaml:2:9: carbon.feed: 'ftp' is not known: use csv"},
        {"policy:\n  policy: fast\n", "t.yaml:2:11: policy.policy: 'fast' is not known: use asap, "
                                      "balanced or greenest"},
        {"policy:\n  min_gain: 50\n", "t.yaml:2:13: policy.min_gain: '50' is not a mass"},
        {"policy:\n  min_gain: 2t\n", "t.yaml:2:13: policy.min_gain: '2t' is out of range: use 0g"},
        {"policy:\n  lambda: 1\n", "t.yaml:2:11: policy.lambda: '1' is not a mass"},
        {"policy:\n  overbook: 0.09\n", "t.yaml:2:13: policy.overbook: '0.09' is out of range"},
        {"policy:\n  overbook: .5\n", "t.yaml:2:13: policy.overbook: '.5' is not a number"},
        {"policy:\n  overbook: 1e0\n", "t.yaml:2:13: policy.overbook: '1e0' is not a number"},
        {"policy:\n  overbook: nan\n", "t.yaml:2:13: policy.overbook: 'nan' is not a number"},
        {"power:\n  cpu_idle: 2\n", "t.yaml:2:13: power.cpu_idle: '2' is not a power"},
        {"power:\n  pue: 0.99\n", "t.yaml:2:8: power.pue: '0.99' is out of range: use 1 to 5"},
        {"node:\n  log_max: 64MB\n",
         "t.yaml:2:12: node.log_max: '64MB' is not a size: use a whole"},
        {"node:\n  log_max: 1.5GiB\n", "t.yaml:2:12: node.log_max: '1.5GiB' is not a size"},
        {"node:\n  log_max: 67108864\n", "t.yaml:2:12: node.log_max: '67108864' is not a size"},
        {"node:\n  log_max: 5GiB\n",
         "t.yaml:2:12: node.log_max: '5GiB' is out of range: use 64KiB"},
        {"node:\n  log_max: 999999999999999GiB\n", "t.yaml:2:12: node.log_max: '999"},
        {"operators: [root, root]\n", "t.yaml:1:19: operators: 'root' is there twice"},
        {"operators: [root, '']\n", "t.yaml:1:19: operators: '' is not good here"},
        {"operators: [root, [bob]]\n", "t.yaml:1:19: operators: use user names as in"},
        {"operators: root\n", "t.yaml:1:12: operators: wrong kind of value: use user names as in"},
        {"exempt: {users: [ada, '']}\n", "t.yaml:1:23: exempt.users: '' is not good here"},
        {"exempt:\n  qos: urgent\n", "t.yaml:2:8: exempt.qos: wrong kind of value: use QOS as in"},
        {"exempt: {accounts: [a, a]}\n", "t.yaml:1:24: exempt.accounts: 'a' is there twice"},
        {"exempt: [debug]\n", "t.yaml:1:9: 'exempt' is a section"},
        {"policy: {lengths: exact}\n",
         "t.yaml:1:19: policy.lengths: 'exact' is not known: use mix or "
         "requested"},
        {"policy: {off_stagger: 25h}\n", "t.yaml:1:23: policy.off_stagger: '25h' is out of range"},
    };

    check_mistakes(rows, COUNT(rows));
}

static void test_bad_structure(void)
{
    static const struct mistake rows[] = {
        {"contrller:\n  port: 1\n", "t.yaml:1:1: unknown key 'contrller': known are cluster, mode"},
        {"controller:\n  prt: 1\n", "t.yaml:2:3: unknown key 'prt' in controller: known are host, "
                                    "port, user, board, poll, board_interval"},
        {"port: 1\n", "t.yaml:1:1: unknown key 'port'"},
        {"'': 1\n", "t.yaml:1:1: unknown key ''"},
        {"node:\n  '': 1\n", "t.yaml:2:3: unknown key '' in node"},
        {"\"a\\e[31m\": 1\n", "t.yaml:1:1: unknown key 'a?[31m'"},
        {"cluster: a\ncluster: b\n", "t.yaml:2:1: cluster: given twice, first in line 1"},
        {"node:\n  metrics: /var/lib/x\n", "t.yaml:2:12: node.metrics: '/var/lib/x' is not good "
                                           "here: use textfile: and an absolute path"},
        {"node:\n  metrics: textfile:x\n",
         "t.yaml:2:12: node.metrics: 'textfile:x' is not good here"},
        {"node:\n  metrics: textfile\n", "t.yaml:2:12: node.metrics: 'textfile' is not good here"},
        {"node:\n  file_unit: V\n", "t.yaml:2:14: node.file_unit: 'V' is not known: use W, mW,"},
        {"node:\n  log_keep: 1\n  log_keep: 2\n", "t.yaml:3:3: node.log_keep: given twice, first"},
        {"node:\npower:\nnode:\n", "t.yaml:3:1: section 'node' is there twice"},
        {"cluster:\n", "t.yaml:1:9: cluster: has no value: use a name"},
        {"cluster: [a]\n", "t.yaml:1:10: cluster: wrong kind of value"},
        {"cluster: {a: b}\n", "t.yaml:1:10: cluster: wrong kind of value"},
        {"controller: 5\n", "t.yaml:1:13: 'controller' is a section"},
        {"controller: ''\n", "t.yaml:1:13: 'controller' is a section"},
        {"controller: [port]\n", "t.yaml:1:13: 'controller' is a section"},
        {"- cluster\n", "t.yaml:1:1: use keys and values as in 'cluster: carnot'"},
        {"cluster\n", "t.yaml:1:1: use keys and values"},
        {"? [a]\n: b\n", "t.yaml:1:3: a key is a word"},
        {"cluster: &a b\n", "t.yaml:1:10: anchors and aliases are not accepted here"},
        {"cluster: *a\n", "t.yaml:1:10: anchors and aliases are not accepted here"},
        {"node: &a {}\n", "t.yaml:1:7: anchors and aliases are not accepted here"},
        {"operators: &a [root]\n", "t.yaml:1:12: anchors and aliases are not accepted here"},
        {"<<: *a\n", "t.yaml:1:1: unknown key '<<'"},
        {"cluster: !!str b\n", "t.yaml:1:10: tags are not accepted here"},
        {"!!map {}\n", "t.yaml:1:1: tags are not accepted here"},
        {"---\n---\n", "t.yaml:2:1: a second document is not accepted here"},
        {"mode: act\n---\nmode: observe\n", "t.yaml:2:1: a second document"},
        {"[[[[[[[[[[[[[[[[[[[[", "t.yaml:1:1: use keys and values"},
        {"{{{{{{{{{{{{", "t.yaml:1:2: a key is a word"},
        {"node: {interval: {a: {b: c}}}", "t.yaml:1:18: node.interval: wrong kind of value"},
        {"mode: act\nmode", "t.yaml:3:1: not YAML: could not find expected ':'"},
        {"mode: 'act\n", "t.yaml:2:1: not YAML: found unexpected end of stream"},
        {"node:\n\tinterval: 1s\n", "t.yaml:2:1: not YAML: found character that cannot start"},
        {"mode: act\ncluster: \xff\n", "t.yaml:2:10: not YAML: invalid leading UTF-8 octet"},
        {"mode: \x01\n", "t.yaml:1:7: not YAML: control characters are not allowed"},
    };

    check_mistakes(rows, COUNT(rows));
}

static void test_bad_order(void)
{
    static const struct mistake rows[] = {
        {"power: {cpu_idle: 9W}\n", "t.yaml:1:19: power.cpu_idle: cpu_idle must not be above "
                                    "cpu_max (default 8W)"},
        {"power: {cpu_max: 1W}\n", "t.yaml:1:18: power.cpu_max: cpu_idle must not be above"},
        {"node:\n  interval: 20s\n", "t.yaml:2:13: node.interval: interval must not be above "
                                     "log_interval"},
        {"node:\n  interval: 20s\n  log_interval: 19s\n", "t.yaml:3:17: node.log_interval: "},
        {"node:\n  log_interval: 31s\n", "t.yaml:2:17: node.log_interval: log_interval must not be "
                                         "above report_interval"},
        {"carbon: {slot: 1h, horizon: 10m}\n", "t.yaml:1:29: carbon.horizon: slot must not be"},
    };

    check_mistakes(rows, COUNT(rows));
}

static void test_too_many_operators(void)
{
    char text[4096] = "operators: [";
    struct settings s;
    struct err e = {""};
    size_t used = strlen(text);

    for (int i = 0; i <= SETTINGS_NAMES_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "u%d,", i);
    (void)snprintf(text + used, sizeof(text) - used, "]\n");
    UNIT_INT(parse(&s, text, &e), -1, "one too many");
    UNIT_OK(strstr(e.text, "operators: 'u64' is one too many: use at most 64"), "%s", e.text);
}

/* Text printed by f, for the caller to free. */
static char *print_to_text(void (*print)(FILE *), size_t *size)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, size);

    if (!f)
        return NULL;
    print(f);
    return fclose(f) == 0 ? text : NULL;
}

/* As it is, and with every key uncommented, the example means the defaults. */
static void test_example(void)
{
    struct settings s, defaults;
    struct err e = {""};
    size_t size = 0;
    char *text = print_to_text(settings_print_example, &size);

    settings_init(&defaults);
    UNIT_OK(text != NULL, "memory");
    for (int round = 0; text && round < 2; round++) {
        settings_init(&s);
        UNIT_INT(settings_parse(&s, "example", text, size, &e), 0, "%d: %s", round, e.text);
        UNIT_OK(memcmp(&s, &defaults, sizeof(s)) == 0, "round %d", round);
        for (char *hash = text; (hash = strstr(hash, "#")); hash++) {
            if (hash[1] != ' ')
                *hash = ' ';
        }
        for (char *line = text; line; line = strchr(line, '\n')) {
            line += *line == '\n';
            if (line[0] == ' ' && line[1] != ' ')
                memmove(line, line + 1, strlen(line)); /* a key at the top */
        }
        for (char *line = text; (line = strstr(line, "\n   ")); line++)
            memmove(line + 1, line + 2, strlen(line + 1)); /* a key of a section */
        size = strlen(text);
    }
    UNIT_OK(text && strstr(text, "\ncluster: carnot\n") && strstr(text, "\n  log_keep: 8\n"), "%s",
            text ? text : "");
    free(text);
}

static void test_man(void)
{
    size_t size = 0;
    char *text = print_to_text(settings_print_man, &size);

    for (size_t i = 0; text && i < settings_table_size; i++) {
        const struct setting *st = &settings_table[i];
        char line[128];

        (void)snprintf(line, sizeof(line), "\n.B %s%s%s\n", st->section, *st->section ? "." : "",
                       st->key);
        UNIT_OK(strstr(text, line), "%s", line + 4);
    }
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        UNIT_OK(*line != '\'' &&
                    (*line != '.' || line[1] == 'S' || line[1] == 'T' || line[1] == 'B'),
                "%.20s", line);
    }
    UNIT_OK(text && strstr(text, "\\-\\-carbon\\-delay=site"), "hyphens to be typed");
    free(text);
}

static void test_load(void)
{
    char path[128];
    struct settings s, before;
    struct err e = {""};
    static char large[(1 << 20) + 2];

    memset(&before, 0x5a, sizeof(before));
    s = before;
    (void)snprintf(path, sizeof(path), "%s/carnot.yaml", unit_tmpdir());
    UNIT_INT(settings_load(&s, path, &e), -1, "none");
    UNIT_INT(errno, ENOENT, "none");
    UNIT_OK(strstr(e.text, path), "%s", e.text);
    UNIT_INT(path_write_atomic(path, "mode: ac\n", 9, 0644, &e), 0, "%s", e.text);
    UNIT_INT(settings_load(&s, path, &e), -1, "a mistake");
    UNIT_OK(strncmp(e.text, path, strlen(path)) == 0 && strstr(e.text, ":1:7: mode: 'ac'"), "%s",
            e.text);
    memset(large, '#', sizeof(large));
    UNIT_INT(path_write_atomic(path, large, sizeof(large), 0644, &e), 0, "%s", e.text);
    UNIT_INT(settings_load(&s, path, &e), -1, "too large");
    UNIT_OK(memcmp(&s, &before, sizeof(s)) == 0, "nothing is half-applied");
    UNIT_INT(path_write_atomic(path, "mode: act\n", 10, 0644, &e), 0, "%s", e.text);
    UNIT_INT(settings_load(&s, path, &e), 0, "%s", e.text);
    UNIT_OK(s.mode == MODE_ACT && s.controller.port == 6822, "values and defaults");
}

static void test_path(void)
{
    (void)unsetenv("CARNOT_CONF");
    UNIT_OK(strstr(settings_path(NULL), "/carnot/carnot.yaml"), "%s", settings_path(NULL));
    (void)setenv("CARNOT_CONF", "", 1);
    UNIT_OK(strstr(settings_path(NULL), "/carnot/carnot.yaml"), "%s", settings_path(NULL));
    (void)setenv("CARNOT_CONF", "/x", 1);
    UNIT_STR(settings_path(NULL), "/x", "environment");
    UNIT_STR(settings_path("/y"), "/y", "argument");
}

static void test_expand(void)
{
    static const struct {
        const char *path;
        const char *expanded;
    } rows[] = {
        {"/a/b", "/a/b"},
        {"/a/%n", "/a/nid1"},
        {"%n/%n", "nid1/nid1"},
        {"", ""},
        {"/a/%", "/a/%"},
        {"/a/%x", "/a/%x"},
        {"/%%n", "/%nid1"},
        {"/1234567890", "/1234567890"},
        {"/1234567%n", "/1234567nid1"},
    };
    char buf[13];

    for (size_t i = 0; i < COUNT(rows); i++) {
        UNIT_INT(settings_expand(buf, sizeof(buf), rows[i].path, "nid1"), 0, "%s", rows[i].path);
        UNIT_STR(buf, rows[i].expanded, "%s", rows[i].path);
    }
    UNIT_INT(settings_expand(buf, sizeof(buf), "/12345678%n", "nid1"), -1, "one too many");
    UNIT_INT(settings_expand(buf, sizeof(buf), "/123456789012", "nid1"), -1, "one too many");
}

/* Whom carnotd becomes; the account carnot may be here or not. */
static void test_node_user(void)
{
    struct settings s;
    struct err e = {""};
    uid_t uid = 12345;

    settings_init(&s);
    UNIT_INT(settings_node_uid(&s, &uid, &e), 0, "none is set");
    UNIT_OK(uid < 1000, "root or a system account: %u", (unsigned)uid);
    (void)snprintf(s.node.user, sizeof(s.node.user), "root");
    uid = 12345;
    UNIT_INT(settings_node_uid(&s, &uid, &e), 0, "root");
    UNIT_INT(uid, 0, "root");
    (void)snprintf(s.node.user, sizeof(s.node.user), "no-such-user");
    UNIT_INT(settings_node_uid(&s, &uid, &e), -1, "nobody's name");
    UNIT_STR(e.text, "node.user: there is no user no-such-user on this host", "said");
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"defaults", test_defaults},
        {"node_user", test_node_user},
        {"table", test_table},
        {"values", test_values},
        {"empty", test_empty},
        {"bad_values", test_bad_values},
        {"bad_structure", test_bad_structure},
        {"bad_order", test_bad_order},
        {"too_many_operators", test_too_many_operators},
        {"example", test_example},
        {"man", test_man},
        {"load", test_load},
        {"path", test_path},
        {"expand", test_expand},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "settings");
}
