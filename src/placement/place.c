/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dry run of the decision: parse its options, decide, and describe what came out.
 * No arithmetic of its own: placement_decide() is asked for everything, so that a dry run
 * cannot differ from a submission.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "carbon/forecast.h"
#include "common/text.h"
#include "common/units.h"
#include "common/when.h"
#include "placement/place.h"

#define JOB_NAME_MAX 255

const struct place_option_desc place_options[] = {
    {"nodes", "N", "nodes of the job"},
    {"cpus-per-node", "N", "CPUs it takes on each node"},
    {"gpus-per-node", "N", "GPUs it takes on each node"},
    {"array-tasks", "N", "tasks, if it is a job array"},
    {"time", "TIME", "its time limit, as for sbatch"},
    {"partition", "NAME", "partition; else the default one"},
    {"name", "NAME", "job name: its length is guessed by the user's last runs of that name"},
    {"account", "NAME", "account; else the user's default one"},
    {"user", "NAME", "decide for this user"},
    {"at", "TIME", "decide as if it were submitted then, as sbatch --begin has it"},
    {NULL, NULL, NULL},
};

#define FIELD(key, kind, member)                                                                   \
    {                                                                                              \
        key, kind, offsetof(struct place_answer, member)                                           \
    }
const struct place_field place_fields[] = {
    FIELD("verdict", PLACE_TEXT, verdict),
    FIELD("start", PLACE_TIME, start_s),
    FIELD("latest_start", PLACE_TIME, latest_s),
    FIELD("delay_s", PLACE_INTEGER, delay_s),
    FIELD("energy_j", PLACE_NUMBER, energy_j),
    FIELD("carbon_g", PLACE_NUMBER, carbon_g),
    FIELD("carbon_now_g", PLACE_NUMBER, carbon_now_g),
    FIELD("likely_g", PLACE_NUMBER, likely_g),
    FIELD("likely_now_g", PLACE_NUMBER, likely_now_g),
    FIELD("policy", PLACE_TEXT, policy),
    FIELD("feed", PLACE_CHARS, feed),
    FIELD("quality", PLACE_TEXT, quality),
    FIELD("code", PLACE_TEXT, code),
    FIELD("reason", PLACE_CHARS, reason),
    {NULL, PLACE_TEXT, 0},
};

void place_query_init(struct place_query *q)
{
    *q = (struct place_query){.uid = UINT32_MAX};
    request_init(&q->request);
}

/* Is name the option called want, '_' counting as '-'? */
static int _is(const char *name, const char *want)
{
    for (; *name && *want; name++, want++)
        if ((*name == '_' ? '-' : *name) != *want)
            return 0;
    return *name == *want;
}

static int _count(const char *name, const char *value, uint32_t *out, struct err *e)
{
    char quoted[ERR_QUOTE_SIZE];
    unsigned long n = 0;
    size_t digits = strspn(value, "0123456789");

    if (digits > 0 && digits <= 7 && value[digits] == '\0')
        n = strtoul(value, NULL, 10);
    if (n < 1 || n > PLACE_COUNT_MAX) {
        errno = EINVAL;
        return err_set(e, "--%s=%s: accepted: a whole number from 1 to %d", name,
                       err_quote(quoted, sizeof(quoted), value), PLACE_COUNT_MAX);
    }
    *out = (uint32_t)n;
    return 0;
}

/* A name as Slurm takes it, or a list of partitions; hostile text ends here. */
static int _name(const char *name, const char *value, char out[BOARD_NAME_MAX], struct err *e)
{
    size_t len = strlen(value);
    char quoted[ERR_QUOTE_SIZE];

    if (len == 0 || len >= BOARD_NAME_MAX) {
        errno = EINVAL;
        return err_set(e, "--%s=%s: accepted: a name of 1 to %d characters", name,
                       err_quote(quoted, sizeof(quoted), value), BOARD_NAME_MAX - 1);
    }
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p == 0x7f) {
            errno = EINVAL;
            return err_set(e, "--%s=%s: accepted: a name without blanks", name,
                           err_quote(quoted, sizeof(quoted), value));
        }
    memcpy(out, value, len + 1);
    return 0;
}

/* finish-by is relative to `at`, whichever of the two comes first on the line. */
static int _finish_by(struct place_query *q, int64_t now_s, struct err *e)
{
    if (q->finish_by[0] == '\0')
        return 0;
    return request_set(&q->request, REQUEST_CARBON_FINISH_BY, q->finish_by, LAYER_FLAG,
                       q->at_s ? q->at_s : now_s, e);
}

static int _parse_request(struct place_query *q, const struct request_option_desc *option,
                          const char *value, int64_t now_s, struct err *e)
{
    struct place_query next = *q;

    if (option->option != REQUEST_CARBON_FINISH_BY) {
        if (request_set(&next.request, option->option, value, LAYER_FLAG, now_s, e) < 0)
            return -1;
        *q = next;
        return 0;
    }
    if (strlen(value) >= sizeof(next.finish_by)) {
        errno = EINVAL;
        return err_set(e, "--%s: too long; accepted: %s", option->name, option->accepted);
    }
    memcpy(next.finish_by, value, strlen(value) + 1);
    if (value[0] == '\0') /* let the parser say what is wrong with it */
        return request_set(&next.request, option->option, value, LAYER_FLAG, now_s, e);
    if (_finish_by(&next, now_s, e) < 0)
        return -1;
    *q = next;
    return 0;
}

static int _parse_at(struct place_query *q, const char *value, int64_t now_s, struct err *e)
{
    struct place_query next = *q;

    if (when_parse_slurm(value, now_s, &next.at_s, e) < 0)
        return err_prefix(e, "--at");
    if (_finish_by(&next, now_s, e) < 0)
        return -1;
    *q = next;
    return 0;
}

/* Slurm takes any text; only the beginning of a long one tells names apart. */
static int _job_name(const char *value, char out[BOARD_NAME_MAX], struct err *e)
{
    size_t len = strlen(value);
    char quoted[ERR_QUOTE_SIZE];

    if (len == 0 || len > JOB_NAME_MAX) {
        errno = EINVAL;
        return err_set(e, "--name=%s: accepted: a job's name of 1 to %d characters",
                       err_quote(quoted, sizeof(quoted), value), JOB_NAME_MAX);
    }
    text_copy(out, BOARD_NAME_MAX, value);
    return 0;
}

static int _parse_time(struct place_query *q, const char *value, struct err *e)
{
    int64_t limit_s;
    char quoted[ERR_QUOTE_SIZE];

    if (units_parse_wait(value, &limit_s, e) < 0)
        return err_prefix(e, "--time");
    if (limit_s < 1) {
        errno = EINVAL;
        return err_set(e, "--time=%s: a job needs some time; accepted: 90, 12:00:00, 1-00, 12h",
                       err_quote(quoted, sizeof(quoted), value));
    }
    q->limit_s = limit_s;
    return 0;
}

int place_parse(struct place_query *q, const char *name, const char *value, int64_t now_s,
                struct err *e)
{
    const struct request_option_desc *option = request_option_find(name, strlen(name));
    char quoted[ERR_QUOTE_SIZE];

    if (option)
        return _parse_request(q, option, value, now_s, e);
    if (_is(name, "nodes"))
        return _count("nodes", value, &q->nodes, e);
    if (_is(name, "cpus-per-node"))
        return _count("cpus-per-node", value, &q->cpus_per_node, e);
    if (_is(name, "gpus-per-node"))
        return _count("gpus-per-node", value, &q->gpus_per_node, e);
    if (_is(name, "array-tasks"))
        return _count("array-tasks", value, &q->array_tasks, e);
    if (_is(name, "time"))
        return _parse_time(q, value, e);
    if (_is(name, "partition"))
        return _name("partition", value, q->partition, e);
    if (_is(name, "name"))
        return _job_name(value, q->name, e);
    if (_is(name, "account"))
        return _name("account", value, q->account, e);
    if (_is(name, "user"))
        return _name("user", value, q->user, e);
    if (_is(name, "at"))
        return _parse_at(q, value, now_s, e);
    errno = EINVAL;
    return err_set(e, "unknown option --%s; see carnot help place",
                   err_quote(quoted, sizeof(quoted), name));
}

/* The user's uid by the board alone: budgets and switches of users carry it too. */
static uint32_t _uid(const struct board *b, const struct place_query *q)
{
    if (q->user[0] == '\0')
        return q->uid;
    for (uint32_t i = 0; i < b->n_users; i++)
        if (strcmp(b->users[i].name, q->user) == 0)
            return b->users[i].uid;
    for (uint32_t i = 0; i < b->n_budgets; i++)
        if (b->budgets[i].scope == BOARD_USER && strcmp(b->budgets[i].name, q->user) == 0)
            return b->budgets[i].uid;
    for (uint32_t i = 0; i < b->n_switches; i++)
        if (b->switches[i].scope == BOARD_USER && strcmp(b->switches[i].name, q->user) == 0)
            return b->switches[i].uid;
    return UINT32_MAX;
}

static int _check(const struct board *b, const struct place_query *q, struct err *e)
{
    char quoted[ERR_QUOTE_SIZE];

    errno = EINVAL;
    if (q->nodes == 0)
        return err_set(e, "--nodes is missing: say how many nodes the job needs");
    if (q->limit_s == 0)
        return err_set(e, "--time is missing: say the job's time limit, such as --time=2h");
    if (q->partition[0] && b->n_partitions > 0 && !board_partition_find(b, q->partition))
        return err_set(e, "no partition %s here; see sinfo",
                       err_quote(quoted, sizeof(quoted), q->partition));
    return request_check(&q->request, e);
}

static void _job(const struct board *b, const struct place_query *q, struct placement_job *job)
{
    *job = (struct placement_job){
        .uid = _uid(b, q),
        .name = q->name,
        .account = q->account,
        .partition = q->partition,
        .nodes = q->nodes,
        .tasks = q->array_tasks ? q->array_tasks : 1,
        .limit_s = q->limit_s,
        .request = q->request,
    };
    /* At most 10^6 x 10^6: saturate rather than wrap. */
    uint64_t cpus = (uint64_t)q->nodes * q->cpus_per_node;
    uint64_t gpus = (uint64_t)q->nodes * q->gpus_per_node;

    job->cpus = cpus > UINT32_MAX ? UINT32_MAX : (uint32_t)cpus;
    job->gpus = gpus > UINT32_MAX ? UINT32_MAX : (uint32_t)gpus;
}

/* The line of a submission; where that says nothing, a dry run still answers. */
static void _reason(const struct board *b, const struct placement_job *job,
                    const struct placement_decision *d, struct place_answer *out)
{
    placement_sentence(out->reason, sizeof(out->reason), b, job, d, out->now_s);
    if (out->reason[0])
        return;
    snprintf(out->reason, sizeof(out->reason), "%s",
             d->code == CODE_EXEMPT ? "starts as Slurm decides: the site lets such jobs never wait"
             : request_any(&job->request)
                 ? "starts as Slurm decides"
                 : "starts as Slurm decides: no delay was allowed, see --carbon-delay");
}

int place_run(const struct board *b, const struct lease_table *leases, const struct place_query *q,
              int64_t now_s, struct place_answer *out, struct err *e)
{
    struct placement_job job;
    struct placement_decision d;
    struct scenarios likely;

    if (_check(b, q, e) < 0)
        return -1;
    *out = (struct place_answer){.now_s = q->at_s ? q->at_s : now_s};
    _job(b, q, &job);
    placement_decide(b, leases, &job, out->now_s, &d);
    out->verdict_id = d.verdict;
    out->verdict = placement_verdict_name(d.verdict);
    out->start_s = d.start_s;
    out->latest_s = d.latest_s > d.start_s ? d.latest_s : d.start_s;
    out->delay_s = d.delay_s;
    out->energy_j = d.price.energy_all_uj / (double)UJ_PER_J;
    out->carbon_g = d.carbon_ug / (double)UG_PER_G;
    out->carbon_now_g = d.carbon_now_ug / (double)UG_PER_G;
    out->likely_g = d.likely_ug / (double)UG_PER_G;
    out->likely_now_g = d.likely_now_ug / (double)UG_PER_G;
    scenarios_of(b, &job, &d.price, &likely);
    out->n_predicted = likely.n;
    memcpy(out->predicted_s, likely.length_s, likely.n * sizeof(out->predicted_s[0]));
    out->policy = placement_policy_name(d.policy);
    out->quality = forecast_quality_name((enum forecast_quality)b->head.forecast_quality);
    out->code = placement_code_name(d.code);
    memcpy(out->feed, b->head.feed, sizeof(out->feed));
    memcpy(out->zone, b->head.zone, sizeof(out->zone));
    _reason(b, &job, &d, out);
    explain_job(b, leases, &job, out->now_s, d.verdict == VERDICT_REFUSE ? 0 : d.start_s,
                &out->explain);
    return 0;
}
