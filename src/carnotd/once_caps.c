/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits are listed in a thread of their own, since NVML may hang.
 */
#include "config.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "carnotd/once_caps.h"
#include "common/cap_message.h"
#include "powercap/owners.h"

static void *_list(void *arg)
{
    struct limits *l = arg;
    int n;

    limits_open(l, l->sysroot);
    n = l->n;
    limits_close(l);
    l->n = n; /* what was read of them is still there */
    return NULL;
}

/* All limits, or NULL when they could not be listed; the caller frees them. */
static struct limits *_limits(const char *sysroot)
{
    struct limits *l = calloc(1, sizeof(*l));
    struct timespec end;
    pthread_t thread;

    if (!l)
        return NULL;
    l->sysroot = sysroot;
    if (pthread_create(&thread, NULL, _list, l) != 0) {
        free(l);
        return NULL;
    }
    (void)clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += CAP_HELPER_MS / 1000;
    return pthread_timedjoin_np(thread, NULL, &end) == 0 ? l : NULL;
}

static const char *_why_not(const struct once_caps *c)
{
    if (c->owner.text[0])
        return c->owner.text;
    for (int i = 0; i < c->n; i++) {
        if (!limit_fault(&c->v[i]))
            return NULL;
    }
    return c->n > 0 ? "no limit here may be lowered"
                    : "nothing here has a limit that can be written";
}

void once_caps_look(struct once_caps *c, const char *sysroot)
{
    struct limits *l = _limits(sysroot);

    memset(c, 0, sizeof(*c));
    c->why_not = "a driver gives no answer";
    if (!l)
        return;
    c->n = l->n;
    memcpy(c->v, l->v, (size_t)c->n * sizeof(c->v[0]));
    free(l);
    (void)owners_find(sysroot, &c->owner);
    c->why_not = _why_not(c);
}

static json_t *_limit_json(const struct limit *limit)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:I, s:I}", "name", limit->name, "by",
                             limit_kind_name(limit->kind), "id", limit->id, "now_mw",
                             (json_int_t)(limit->now_uw / 1000), "min_mw",
                             (json_int_t)((limit_floor_uw(limit) + 999) / 1000));

    (void)json_object_set_new(json, "max_mw",
                              limit->max_uw ? json_integer((json_int_t)(limit->max_uw / 1000))
                                            : json_null());
    (void)json_object_set_new(json, "why_not",
                              limit_fault(limit) ? json_string(limit_fault(limit)) : json_null());
    return json;
}

json_t *once_caps_json(const struct once_caps *c)
{
    json_t *limits = json_array();

    for (int i = 0; i < c->n; i++)
        (void)json_array_append_new(limits, _limit_json(&c->v[i]));
    return json_pack("{s:b, s:s?, s:s?, s:o}", "possible", c->why_not == NULL, "why_not",
                     c->why_not, "owner", c->owner.text[0] ? c->owner.text : NULL, "limits",
                     limits);
}

void once_caps_print(const struct once_caps *c, FILE *out)
{
    (void)fprintf(out, "\nPower caps: %s\n", c->why_not ? c->why_not : "possible");
    for (int i = 0; i < c->n; i++) {
        const struct limit *limit = &c->v[i];
        const char *fault = limit_fault(limit);

        (void)fprintf(out, "%-28s %" PRIu64 " W now (%s), ", limit->name, limit->now_uw / 1000000,
                      limit_kind_name(limit->kind));
        if (fault)
            (void)fprintf(out, "left alone: %s\n", fault);
        else
            (void)fprintf(out, "%" PRIu64 " W at least\n",
                          (limit_floor_uw(limit) + 999999) / 1000000);
    }
}
