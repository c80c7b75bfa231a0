/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision as a note in the job's AdminComment: written once by the plugin, read back by
 * carnotctld, which rebuilds from it what Carnot promised. Other tools write there too, so it is
 * found anywhere in the text and read with distrust. Pure.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "placement/placement.h"

#define NOTE_START "carnot:v=1,"

static const char *const action_names[] = {
    [ACTION_DEFAULT] = "default", [ACTION_WARN] = "warn", [ACTION_TERM] = "term"};

char *placement_comment(char *buf, size_t size, uint64_t id, const struct placement_job *job,
                        const struct placement_decision *d)
{
    const struct request *r = &job->request;
    double tasks = job->tasks ? job->tasks : 1;
    double grams = isfinite(d->carbon_ug) ? placement_task_carbon_ug(job, d) / 1e6 : 0;
    double grams_now = isfinite(d->carbon_now_ug) ? d->carbon_now_ug / tasks / 1e6 : 0;
    double likely = isfinite(d->likely_ug) ? d->likely_ug / tasks / 1e6 : 0;
    double likely_now = isfinite(d->likely_now_ug) ? d->likely_now_ug / tasks / 1e6 : 0;
    int64_t latest_s = d->latest_s;
    if (d->code == CODE_DEP_END)
        latest_s = d->bound_s == INT64_MAX || d->bound_s < 0 ? 0 : d->bound_s;
    int n = snprintf(
        buf, size,
        NOTE_START "id=%016" PRIx64 ",t=%" PRId64 ",begin=%" PRId64 ",latest=%" PRId64
                   ",wait=%" PRId64
                   ",j=%.6f,g=%.6f,g0=%.6f,l=%.6f,l0=%.6f,policy=%s,code=%s,layer=%s,eb=%" PRIu64
                   ",cb=%" PRIu64 ",act=%s,run=%s",
        id, d->start_s - d->delay_s, d->start_s, latest_s, d->wait_s, d->price.energy_uj / 1e6,
        grams, grams_now, likely, likely_now, placement_policy_name(d->policy),
        placement_code_name(d->code), request_layer_name(d->layer), r->energy_budget_uj,
        r->carbon_budget_ug, action_names[r->action], r->run);
    if (r->requeue && n > 0 && (size_t)n < size)
        snprintf(buf + n, size - (size_t)n, ",requeue=%" PRId64, placement_done_by_s(d));
    return buf;
}

static int parse_u64(const char *text, int base, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, base);
    if (errno || end == text || *end || *text == '-')
        return -1;
    *out = v;
    return 0;
}

/* A number of joules or grams, in millionths. */
static int parse_amount(const char *text, double *out)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v) || v < 0 || v > 1e15)
        return -1;
    *out = round(v * 1e6);
    return 0;
}

static int parse_time(const char *text, int64_t *out)
{
    uint64_t v;
    if (parse_u64(text, 10, &v) < 0 || v > 253402300799ULL)
        return -1;
    *out = (int64_t)v;
    return 0;
}

static int name_index(const char *text, const char *(*name)(int), int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(text, name(i)) == 0)
            return i;
    return 0;
}

static const char *code_name(int i)
{
    return placement_code_name((enum placement_code)i);
}

static const char *layer_name(int i)
{
    return request_layer_name((enum request_layer)i);
}

static const char *action_name(int i)
{
    return action_names[i];
}

/* One key=value; an unknown key is a later version's. */
static int read_word(struct placement_note *n, const char *key, const char *value)
{
    const struct {
        const char *key;
        double *to; /* in micro */
    } amounts[] = {{"j", &n->energy_uj},
                   {"g", &n->carbon_ug},
                   {"g0", &n->carbon_now_ug},
                   {"l", &n->likely_ug},
                   {"l0", &n->likely_now_ug}};
    for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
        if (strcmp(key, amounts[i].key) == 0)
            return parse_amount(value, amounts[i].to);
    if (strcmp(key, "id") == 0)
        return parse_u64(value, 16, &n->id);
    if (strcmp(key, "t") == 0)
        return parse_time(value, &n->asked_s);
    if (strcmp(key, "begin") == 0)
        return parse_time(value, &n->begin_s);
    if (strcmp(key, "latest") == 0)
        return parse_time(value, &n->latest_s);
    if (strcmp(key, "wait") == 0)
        return parse_time(value, &n->wait_s);
    if (strcmp(key, "requeue") == 0) {
        n->requeue = 1;
        return parse_time(value, &n->done_by_s);
    }
    if (strcmp(key, "eb") == 0)
        return parse_u64(value, 10, &n->energy_budget_uj);
    if (strcmp(key, "cb") == 0)
        return parse_u64(value, 10, &n->carbon_budget_ug);
    if (strcmp(key, "policy") == 0) {
        int p = placement_policy_parse(value);
        n->policy = p > 0 ? (enum placement_policy)p : POLICY_UNSET;
    } else if (strcmp(key, "code") == 0) {
        n->code = (enum placement_code)name_index(value, code_name, CODE_N);
    } else if (strcmp(key, "layer") == 0) {
        n->layer = (enum request_layer)name_index(value, layer_name, LAYER_FLAG + 1);
    } else if (strcmp(key, "act") == 0) {
        n->action = (enum budget_action)name_index(value, action_name, ACTION_TERM + 1);
    } else if (strcmp(key, "run") == 0) {
        snprintf(n->run, sizeof(n->run), "%s", value);
    }
    return 0;
}

int placement_note_parse(const char *admin_comment, struct placement_note *out)
{
    struct placement_note n = {0};
    char text[1024], *save = NULL;
    const char *from = admin_comment ? strstr(admin_comment, NOTE_START) : NULL;
    if (!from)
        return 0;
    from += strlen(NOTE_START);
    size_t len = strcspn(from, " \t\n;|");
    if (len >= sizeof(text))
        return 0;
    memcpy(text, from, len);
    text[len] = '\0';
    for (char *word = strtok_r(text, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        char *value = strchr(word, '=');
        if (!value)
            return 0;
        *value++ = '\0';
        if (read_word(&n, word, value) < 0)
            return 0;
    }
    if (n.id == 0)
        return 0;
    *out = n;
    return 1;
}
