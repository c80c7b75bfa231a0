/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of options and the meaning of one value. Where values come from
 * (script, environment, SPANK) is request_sources.c. Runs in sbatch, in
 * slurmctld under its locks and in the command line: pure but for the local
 * time zone of finish-by, no allocation, any thread.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/units.h"
#include "common/when.h"
#include "placement/request.h"

/* Bounds that keep sums of such values far from the end of int64_t. */
#define DELAY_MAX_S (366 * INT64_C(86400))
#define ENERGY_MAX_UJ (1000000 * UJ_PER_KWH)
#define CARBON_MAX_UG (10000 * UINT64_C(1000000) * UG_PER_G)

const struct request_option_desc request_options[REQUEST_N_OPTIONS] = {
    {REQUEST_CARBON_DELAY, "carbon-delay", "CARNOT_CARBON_DELAY", "DURATION",
     "at most this long may it wait: 12h, off, site",
     "90 (minutes), 12:00:00, 1-00, 12h, 30m, 2d (at most 366d), off or site"},
    {REQUEST_CARBON_FINISH_BY, "carbon-finish-by", "CARNOT_CARBON_FINISH_BY", "TIME",
     "be done by then if possible, as in --begin",
     "08:00, tomorrow, noon, now+4hours, 2026-11-24T09:12 or 11/24"},
    {REQUEST_CARBON_POLICY, "carbon-policy", "CARNOT_CARBON_POLICY", "POLICY",
     "asap, balanced or greenest", "asap, balanced or greenest"},
    {REQUEST_CARBON_BUDGET, "carbon-budget", "CARNOT_CARBON_BUDGET", "MASS",
     "limit of this job's CO2e: 500g, 2kg", "500g, 1.5kg or 2t (at most 10kt)"},
    {REQUEST_ENERGY_BUDGET, "energy-budget", "CARNOT_ENERGY_BUDGET", "ENERGY",
     "limit of this job's energy: 5kWh, 18MJ", "5kWh, 800Wh or 18MJ (at most 1GWh)"},
    {REQUEST_BUDGET_ACTION, "budget-action", "CARNOT_BUDGET_ACTION", "ACTION",
     "when it passes such a limit: warn or term", "warn or term"},
    {REQUEST_CARBON_RUN, "carbon-run", "CARNOT_CARBON_RUN", "NAME",
     "group the job under this name in reports", "at most 63 letters, digits and . _ + - @ / :"},
    {REQUEST_POWER_CAP, "power-cap", "CARNOT_POWER_CAP", "CAP",
     "lower limits on whole nodes: node:1800W, gpu:300W", "node:1800W or gpu:300W (at most 1MW)"},
    {REQUEST_CARBON_REQUEUE, "carbon-requeue", "CARNOT_CARBON_REQUEUE", "",
     "it checkpoints: pause it by requeue while dirty", "1 or 0"},
};

static const char *const layer_names[] = {"site", "environment", "script", "flag"};
static const char *const policy_names[] = {"", "asap", "balanced", "greenest"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *request_layer_name(enum request_layer l)
{
    return (size_t)l < COUNT(layer_names) ? layer_names[l] : "site";
}

const char *placement_policy_name(enum placement_policy p)
{
    return (size_t)p < COUNT(policy_names) ? policy_names[p] : "";
}

int placement_policy_parse(const char *text)
{
    for (size_t i = 1; text && i < COUNT(policy_names); i++) {
        if (strcmp(text, policy_names[i]) == 0)
            return (int)i;
    }
    return -1;
}

void request_init(struct request *r)
{
    memset(r, 0, sizeof(*r));
}

int request_any(const struct request *r)
{
    for (int i = 0; i < REQUEST_N_OPTIONS; i++) {
        if (r->layer[i] != LAYER_NONE)
            return 1;
    }
    return 0;
}

const struct request_option_desc *request_option_find(const char *name, size_t len)
{
    for (size_t i = 0; name && i < REQUEST_N_OPTIONS; i++) {
        const char *known = request_options[i].name;
        size_t j = 0;

        if (strlen(known) != len)
            continue;
        while (j < len && (name[j] == '_' ? '-' : name[j]) == known[j])
            j++;
        if (j == len)
            return &request_options[i];
    }
    return NULL;
}

/* The option as its user wrote it: "--carbon-delay", "CARNOT_CARBON_DELAY" or "carbon-delay". */
static const char *_spell(char *buf, size_t size, const struct request_option_desc *d,
                          enum request_layer layer)
{
    (void)snprintf(buf, size, "%s%s", layer == LAYER_FLAG ? "--" : "",
                   layer == LAYER_ENVIRONMENT ? d->env : d->name);
    return buf;
}

static int _refuse(struct err *e, const struct request_option_desc *d, enum request_layer layer,
                   const char *value, const char *fault)
{
    char name[48], quoted[ERR_QUOTE_SIZE];

    errno = EINVAL;
    return err_set(e, "%s=%s: %s; accepted: %s", _spell(name, sizeof(name), d, layer),
                   err_quote(quoted, sizeof(quoted), value), fault, d->accepted);
}

/* Each _set_* writes its part of *r, or returns what is wrong with the value. */

static const char *_set_delay(struct request *r, const char *value)
{
    int64_t s = 0;

    if (strcmp(value, "site") == 0) {
        r->delay = DELAY_SITE;
    } else if (strcmp(value, "off") == 0) {
        r->delay = DELAY_OFF;
    } else {
        errno = 0;
        if (units_parse_wait(value, &s, NULL) < 0)
            return errno == ERANGE ? "too long" : "not a duration";
        if (s > DELAY_MAX_S)
            return "too long";
        r->delay = s > 0 ? DELAY_FOR : DELAY_OFF;
    }
    r->delay_s = s;
    return NULL;
}

static const char *_set_finish_by(struct request *r, const char *value, int64_t now_s)
{
    int64_t t_s;

    if (when_parse_slurm(value, now_s, &t_s, NULL) < 0)
        return "not a time";
    /* 0 means "none"; long past is long past */
    r->finish_by_s = t_s > 0 ? t_s : 1;
    return NULL;
}

static const char *_set_policy(struct request *r, const char *value)
{
    int p = placement_policy_parse(value);

    if (p < 0)
        return "not a policy";
    r->policy = (enum placement_policy)p;
    return NULL;
}

static const char *_set_budget(uint64_t *out, const char *value, uint64_t max,
                               int (*parse)(const char *, uint64_t *, struct err *),
                               const char *fault)
{
    uint64_t n;

    errno = 0;
    if (parse(value, &n, NULL) < 0)
        return errno == ERANGE ? "too much" : fault;
    if (n == 0)
        return "no job runs on nothing";
    if (n > max)
        return "too much";
    *out = n;
    return NULL;
}

static const char *_set_action(struct request *r, const char *value)
{
    if (strcmp(value, "warn") == 0)
        r->action = ACTION_WARN;
    else if (strcmp(value, "term") == 0)
        r->action = ACTION_TERM;
    else
        return "not an action";
    return NULL;
}

static const char *_set_run(struct request *r, const char *value)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789._+-@/:";
    size_t len = strlen(value);

    if (len >= sizeof(r->run))
        return "too long";
    if (strspn(value, good) != len)
        return "not a name";
    memcpy(r->run, value, len + 1);
    return NULL;
}

static const char *_set_requeue(struct request *r, const char *value)
{
    if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
        return "neither yes nor no";
    r->requeue = value[0] == '1';
    return NULL;
}

static const char *_set(struct request *r, enum request_option option, const char *value,
                        int64_t now_s)
{
    switch (option) {
    case REQUEST_CARBON_DELAY:
        return _set_delay(r, value);
    case REQUEST_CARBON_FINISH_BY:
        return _set_finish_by(r, value, now_s);
    case REQUEST_CARBON_POLICY:
        return _set_policy(r, value);
    case REQUEST_CARBON_BUDGET:
        return _set_budget(&r->carbon_budget_ug, value, CARBON_MAX_UG, units_parse_mass,
                           "not a mass");
    case REQUEST_ENERGY_BUDGET:
        return _set_budget(&r->energy_budget_uj, value, ENERGY_MAX_UJ, units_parse_energy,
                           "not an energy");
    case REQUEST_BUDGET_ACTION:
        return _set_action(r, value);
    case REQUEST_CARBON_RUN:
        return _set_run(r, value);
    case REQUEST_POWER_CAP:
        return power_cap_parse(&r->power_cap, value);
    case REQUEST_CARBON_REQUEUE:
        return _set_requeue(r, value);
    default:
        return "no such option";
    }
}

int request_is_flag(const struct request_option_desc *d)
{
    return d->arginfo[0] == '\0';
}

int request_set(struct request *r, enum request_option option, const char *value,
                enum request_layer layer, int64_t now_s, struct err *e)
{
    const struct request_option_desc *d;
    struct request local = *r;
    const char *fault;

    if ((size_t)option >= REQUEST_N_OPTIONS || layer == LAYER_NONE) {
        errno = EINVAL;
        return err_set(e, "no such option");
    }
    d = &request_options[option];
    if (request_is_flag(d) && (!value || !*value))
        value = "1";
    if (!value || !*value)
        return _refuse(e, d, layer, "", "a value is needed");
    if (strnlen(value, REQUEST_VALUE_MAX) == REQUEST_VALUE_MAX)
        return _refuse(e, d, layer, value, "too long");
    if ((fault = _set(&local, option, value, now_s)))
        return _refuse(e, d, layer, value, fault);
    if (layer >= r->layer[option]) {
        local.layer[option] = layer;
        *r = local;
    }
    return 0;
}

int request_check(const struct request *r, struct err *e)
{
    char policy[48], delay[48];
    enum request_layer policy_layer = r->layer[REQUEST_CARBON_POLICY];
    enum request_layer delay_layer = r->layer[REQUEST_CARBON_DELAY];

    if (r->policy != POLICY_GREENEST || r->delay != DELAY_OFF)
        return 0;
    errno = EINVAL;
    return err_set(
        e, "%s=greenest cannot go with %s=off: give a delay, or drop one of them",
        _spell(policy, sizeof(policy), &request_options[REQUEST_CARBON_POLICY], policy_layer),
        _spell(delay, sizeof(delay), &request_options[REQUEST_CARBON_DELAY], delay_layer));
}
