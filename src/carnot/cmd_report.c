/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot report: which period, whose runs, and what is made of them.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "carnot/report.h"
#include "common/units.h"

const char cmd_report_help[] =
    "Usage: carnot report [-S TIME] [-E TIME] [-A ACCOUNT] [-u USER] [--by WHAT] [--json|--csv]\n"
    "       carnot report --waiting | --would-have [...]\n"
    "What the jobs that ended in a period used, emitted and waited; yours, or, for operators,\n"
    "everybody's. Without -S: of the last 7 days.\n"
    "  -S TIME, -E TIME  that ended from TIME on, and before: now-7days, 2026-11-01, yesterday\n"
    "  -A ACCOUNT, -u USER\n"
    "  --by WHAT         account, user, run or partition (account)\n"
    "  --waiting         instead: added wait by user, as percentiles, in the order of names\n"
    "  --would-have      instead: one page on what waiting would have done\n"
    "  --allowances LIST for it: at most three, as in 2h,4h,12h\n"
    "  --csv, --json     for machines: J, g and seconds\n"
    "MEAS%: from hardware counters. ONCE: had the same energy been drawn at once. WAIT and P95:\n"
    "mean and 95th percentile of the wait that Carnot added, over all jobs.\n";

enum { OPT_BY = 1, OPT_WAITING, OPT_WOULD_HAVE, OPT_ALLOWANCES, OPT_CSV };
static const struct option options[] = {{"starttime", required_argument, NULL, 'S'},
                                        {"endtime", required_argument, NULL, 'E'},
                                        {"account", required_argument, NULL, 'A'},
                                        {"user", required_argument, NULL, 'u'},
                                        {"by", required_argument, NULL, OPT_BY},
                                        {"waiting", no_argument, NULL, OPT_WAITING},
                                        {"would-have", no_argument, NULL, OPT_WOULD_HAVE},
                                        {"allowances", required_argument, NULL, OPT_ALLOWANCES},
                                        {"csv", no_argument, NULL, OPT_CSV},
                                        {NULL, 0, NULL, 0}};

struct wish {
    const char *by;
    int waiting, would_have, csv;
    int64_t allowances[REPORT_ALLOWANCES];
    size_t n_allowances;
};

/* "2h,4h,12h" */
static int _allowances(struct wish *w, const char *list, struct err *e)
{
    char text[64], *rest = text, *word;

    if (strlen(list) >= sizeof(text))
        return err_set(e, "too long a list");
    strcpy(text, list);
    w->n_allowances = 0;
    while ((word = strsep(&rest, ",")) != NULL) {
        int64_t ms;

        if (w->n_allowances == REPORT_ALLOWANCES)
            return err_set(e, "at most %d", REPORT_ALLOWANCES);
        if (units_parse_duration(word, &ms, e) < 0)
            return -1;
        if (ms < 60000 || ms > 31LL * 86400000)
            return err_set(e, "'%.20s' is out of range: use 1m to 31d", word);
        w->allowances[w->n_allowances++] = ms / 1000;
    }
    return 0;
}

static int _option(struct cli *c, int o, struct report *r, struct wish *w, struct err *e)
{
    switch (o) {
    case 'S':
        return cli_since_parse(optarg, c->now_s, &r->since_s, e);
    case 'E':
        return cli_since_parse(optarg, c->now_s, &r->until_s, e);
    case 'A':
        r->account = optarg;
        break;
    case 'u':
        r->user = optarg;
        break;
    case OPT_BY:
        w->by = optarg;
        break;
    case OPT_WAITING:
        w->waiting = 1;
        break;
    case OPT_WOULD_HAVE:
        w->would_have = 1;
        break;
    case OPT_ALLOWANCES:
        return _allowances(w, optarg, e);
    default:
        w->csv = 1;
        break;
    }
    return 0;
}

/* 0, or the exit code in c->status and -1. */
static int _parse(struct cli *c, int argc, char **argv, struct report *r, struct wish *w)
{
    struct err e = {""};
    int o;

    while ((o = cli_option(c, argc, argv, "S:E:A:u:", options)) != -1) {
        if (o == CLI_STOP)
            return -1;
        c->status = CLI_USAGE;
        if (_option(c, o, r, w, &e) < 0)
            return cli_fail(c, -1, "report: %s", e.text);
    }
    c->status = CLI_USAGE;
    if (optind < argc)
        return cli_fail(c, -1, "report takes no operand; see carnot help report");
    if (w->waiting + w->would_have + (w->by != NULL) > 1)
        return cli_fail(c, -1, "report: one of --by, --waiting, --would-have at a time");
    if (w->by && !report_known_by(w->by))
        return cli_fail(c, -1, "report: --by takes account, user, run or partition");
    if (w->csv && c->json)
        return cli_fail(c, -1, "report: --json or --csv, not both");
    if (r->since_s >= r->until_s)
        return cli_fail(c, -1, "report: the period ends before it begins (-S, -E)");
    return 0;
}

int cmd_report(struct cli *c, int argc, char **argv)
{
    struct report r = {.since_s = c->now_s - 7 * 86400, .until_s = c->now_s};
    struct wish w = {.allowances = {2 * 3600, 4 * 3600, 12 * 3600}, .n_allowances = 3};
    int status;

    if (_parse(c, argc, argv, &r, &w) < 0)
        return c->status;
    enum report_format format = c->json ? REPORT_JSON : w.csv ? REPORT_CSV : REPORT_TABLE;

    if (report_fetch(c, &r) < 0)
        status = CLI_FAILED;
    else if (w.would_have)
        status = report_would_have(c, &r, w.allowances, w.n_allowances, format);
    else if (w.waiting)
        status = report_waiting(c, &r, format);
    else
        status = report_usage(c, &r, w.by ? w.by : "account", format);
    report_fini(&r);
    return status;
}
