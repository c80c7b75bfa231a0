/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all commands share: errors in one line, options, job ids and times as
 * people type them, JSON output. Runs in the command's only thread.
 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "carnot/cli.h"
#include "common/when.h"

#define OPTIONS_MAX 40
#define DAY_S 86400

static void __attribute__((format(printf, 2, 0))) _line(struct cli *c, const char *fmt, va_list ap)
{
    struct err e;
    char text[sizeof(e.text)];

    /* err_set cuts, and takes control bytes out of what others wrote. */
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    (void)err_set(&e, "%s", text);
    fprintf(c->errs, "%s: %s\n", c->program, e.text);
}

int cli_fail(struct cli *c, int status, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    _line(c, fmt, ap);
    va_end(ap);
    return status;
}

void cli_warn(struct cli *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    _line(c, fmt, ap);
    va_end(ap);
}

static int _stop(struct cli *c, int status)
{
    c->status = status;
    return CLI_STOP;
}

static int _bad_option(struct cli *c, int missing, int argc, char **argv)
{
    char quoted[ERR_QUOTE_SIZE];
    char letter[3] = {'-', (char)optopt, '\0'};
    const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";

    /* A bad letter may stand in a group (-nX); a long option is the whole word. */
    if (strncmp(word, "--", 2) != 0 && optopt > 0 && optopt < 127)
        word = letter;
    return _stop(c, cli_fail(c, CLI_USAGE, "%s: %s %s; see %s help %s", c->command,
                             missing ? "a value is missing behind" : "unknown or ambiguous option",
                             err_quote(quoted, sizeof(quoted), word), c->program, c->command));
}

int cli_option(struct cli *c, int argc, char **argv, const char *letters, const struct option *own)
{
    static const struct option common[] = {{"json", no_argument, NULL, CLI_JSON},
                                           {"conf", required_argument, NULL, CLI_CONF},
                                           {"help", no_argument, NULL, CLI_HELP}};
    struct option all[OPTIONS_MAX] = {0};
    char with_colon[32];
    size_t n = 0;

    /* The leading colon tells a missing value from an unknown option. */
    (void)snprintf(with_colon, sizeof(with_colon), ":%s", letters);
    for (; own && own->name && n < OPTIONS_MAX - 4; own++)
        all[n++] = *own;
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
        all[n++] = common[i];
    opterr = 0;
    for (;;) {
        int o = getopt_long(argc, argv, with_colon, all, NULL);

        switch (o) {
        case CLI_JSON:
            c->json = 1;
            break;
        case CLI_CONF:
            c->conf = optarg;
            break;
        case CLI_HELP:
            fputs(c->help, c->out);
            return _stop(c, CLI_DONE);
        case '?':
        case ':':
            return _bad_option(c, o == ':', argc, argv);
        default:
            return o;
        }
    }
}

int cli_json(struct cli *c, const json_t *json)
{
    /* Non-ASCII is escaped: a job's name must not drive the reader's terminal. */
    json_dumpf(json, c->out, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
    fputc('\n', c->out);
    return CLI_DONE;
}

/* Digits at *p as a number that fits a job id; moves *p behind them. */
static int _digits(const char **p, int64_t *out)
{
    size_t n = strspn(*p, "0123456789");

    if (n < 1 || n > 10)
        return -1;
    *out = strtoll(*p, NULL, 10);
    *p += n;
    return *out <= UINT32_MAX ? 0 : -1;
}

int cli_job_parse(struct cli *c, const char *text, struct cli_job *out)
{
    struct cli_job job = {0, -1};
    const char *p = text;
    int64_t component;
    char quoted[ERR_QUOTE_SIZE];

    if (_digits(&p, &job.id) < 0 || job.id == 0)
        goto error;
    if (*p == '_') {
        p++;
        if (_digits(&p, &job.task) < 0)
            goto error;
    } else if (*p == '+') {
        /* Slurm numbers the components of a heterogeneous job one after another. */
        p++;
        if (_digits(&p, &component) < 0)
            goto error;
        job.id += component;
    }
    if (*p != '\0' && *p != '.')
        goto error;
    *out = job;
    return 0;
error:
    cli_fail(c, CLI_USAGE, "'%s' is no job id; accepted: 81234, 81234_7, 81234+1, 81234.0",
             err_quote(quoted, sizeof(quoted), text));
    return -1;
}

int cli_since_parse(const char *text, int64_t now_s, int64_t *out_s, struct err *e)
{
    char forward[64];
    int64_t t_s;

    if (strcasecmp(text, "yesterday") == 0) {
        if (when_parse_slurm("today", now_s, &t_s, e) < 0)
            return -1;
        *out_s = t_s - DAY_S;
        return 0;
    }
    if (strncasecmp(text, "now-", 4) == 0 && strlen(text) < sizeof(forward)) {
        (void)snprintf(forward, sizeof(forward), "now+%s", text + 4);
        if (when_parse_slurm(forward, now_s, &t_s, e) < 0)
            return err_set(e, "'now-%.24s' is not a time: use now-7days, now-2hours", text + 4);
        *out_s = now_s - (t_s - now_s);
        return 0;
    }
    if (when_parse_slurm(text, now_s, &t_s, e) < 0)
        return -1;
    /* --begin reads 08:00 as the next one; for what was, the last one is meant. */
    if (t_s > now_s && t_s <= now_s + DAY_S && !strpbrk(text, "-+/") &&
        strcasecmp(text, "tomorrow") != 0)
        t_s -= DAY_S;
    *out_s = t_s;
    return 0;
}
