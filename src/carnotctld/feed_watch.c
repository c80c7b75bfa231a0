/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching the feed's file. Main loop only.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "carnotctld/events.h"
#include "carnotctld/feed_watch.h"
#include "carnotctld/forecast_log.h"
#include "common/log.h"

#define REMEMBER_BACK_S (7 * 86400LL) /* how far back a new file may correct what was */
#define ACCOUNT_BACK_S (40 * 86400LL) /* how late a node's record may come and still be priced */

static struct stat seen;
static int bad; /* the file was refused, and we said so */
static int64_t replayed_s;

static int changed(const struct stat *st)
{
    return st->st_ino != seen.st_ino || st->st_size != seen.st_size ||
           st->st_mtim.tv_sec != seen.st_mtim.tv_sec || st->st_mtim.tv_nsec != seen.st_mtim.tv_nsec;
}

static void refuse(struct ctl *c, const char *why)
{
    if (!bad) {
        log_err("carbon feed: %s; %s", why,
                c->feed.n ? "the series that was read before stays in force"
                          : "no job is delayed until there is one");
        events_other(c, "feed.stale", "FEED_STALE", json_pack("{s:s}", "why", why), "carnot");
    }
    bad = 1;
}

/* Read back what the ledger remembers: the series that records are priced with. */
static void load_past(struct ctl *c, int64_t now_s)
{
    struct ledger_intensity *v = NULL;
    size_t n = 0;
    struct err e = {.text = ""};
    if (ledger_intensity_get(c->ledger, c->set.carbon.zone, now_s - ACCOUNT_BACK_S,
                             now_s + c->set.carbon.horizon_ms / 1000, &v, &n, &e) < 0) {
        log_err("ledger: %s", e.text);
        return;
    }
    struct series_point *points = n ? calloc(n, sizeof(*points)) : NULL;
    for (size_t i = 0; points && i < n; i++)
        points[i] = (struct series_point){v[i].t_s, v[i].g_per_kwh, 0};
    free(v);
    if (!points)
        return;
    series_sum(points, n);
    feed_fini(&c->past);
    c->past = (struct feed){.points = points, .n = n, .end_s = feed_end(points, n)};
}

/* What forecasts are made from: the feed's samples and, since a profile takes a week of them, what
 * the ledger remembers from before the first. Where no file could be read yet, as after a start
 * with a broken one, all that it remembers. */
static void lay_basis(struct ctl *c)
{
    size_t older = 0, n;
    while (older < c->past.n && (!c->feed.n || c->past.points[older].t_s < c->feed.points[0].t_s))
        older++;
    n = older + c->feed.n;
    struct series_point *points = n ? calloc(n, sizeof(*points)) : NULL;
    if (!points)
        return;
    if (older)
        memcpy(points, c->past.points, older * sizeof(*points));
    if (c->feed.n)
        memcpy(points + older, c->feed.points, c->feed.n * sizeof(*points));
    series_sum(points, n);
    feed_fini(&c->basis);
    c->basis = (struct feed){.points = points,
                             .n = n,
                             .end_s = c->feed.n ? c->feed.end_s : c->past.end_s,
                             .issued_s = c->feed.issued_s};
}

static void remember(struct ctl *c, int64_t now_s)
{
    int64_t from_s = now_s - REMEMBER_BACK_S, to_s = now_s + c->set.carbon.horizon_ms / 1000;
    struct ledger_intensity *v = calloc(c->feed.n, sizeof(*v));
    size_t n = 0;
    struct err e = {.text = ""};
    for (size_t i = 0; v && i < c->feed.n; i++) {
        const struct series_point *p = &c->feed.points[i];
        int next_is_later = i + 1 == c->feed.n || c->feed.points[i + 1].t_s > from_s;
        if (next_is_later && p->t_s <= to_s)
            v[n++] = (struct ledger_intensity){p->t_s, p->g_per_kwh};
    }
    if (v && ledger_intensity_put(c->ledger, c->set.carbon.zone, v, n, &e) < 0)
        log_err("ledger: %s", e.text);
    free(v);
    load_past(c, now_s);
}

static int read_file(struct ctl *c, int64_t now_s)
{
    struct feed next = {0};
    struct err e = {.text = ""};
    if (feed_load_csv(&next, c->set.carbon.file, c->set.carbon.zone, &e) < 0 ||
        (c->set.carbon.replay &&
         feed_replay(&next, now_s, 2 * 86400, c->set.carbon.horizon_ms / 1000 + 86400, &e) < 0)) {
        feed_fini(&next);
        refuse(c, e.text);
        return 0;
    }
    feed_fini(&c->feed);
    c->feed = next;
    c->feed_version++;
    replayed_s = now_s;
    log_info("carbon feed: %s, zone %s, %zu samples%s", c->set.carbon.file, c->set.carbon.zone,
             c->feed.n, c->set.carbon.replay ? " (replayed)" : "");
    events_other(c, "feed.ok", "",
                 json_pack("{s:s,s:s,s:I}", "feed", c->set.carbon.feed, "zone", c->set.carbon.zone,
                           "samples", (json_int_t)c->feed.n),
                 "carnot");
    bad = 0;
    remember(c, now_s);
    lay_basis(c);
    forecast_log_settle(c);
    return 1;
}

int feed_watch_look(struct ctl *c)
{
    struct stat st;
    int64_t now_s = ctl_now_s(c);
    if (!c->set.carbon.file[0])
        return 0;
    if (!c->past.n && !c->feed.n) {
        load_past(c, now_s);
        lay_basis(c);
    }
    if (stat(c->set.carbon.file, &st) < 0) {
        struct err e;
        err_errno(&e, "%s", c->set.carbon.file);
        refuse(c, e.text);
        memset(&seen, 0, sizeof(seen));
        return 0;
    }
    /* A replayed trace is laid around now: lay it anew before now has walked off its end. */
    int walked = c->set.carbon.replay && now_s - replayed_s > 43200;
    if (!changed(&st) && !walked)
        return 0;
    seen = st;
    return read_file(c, now_s);
}

void feed_watch_forget(struct ctl *c)
{
    memset(&seen, 0, sizeof(seen));
    bad = 0;
    feed_watch_fini(c);
    forecast_log_forget(c);
}

int feed_watch_forecast(struct ctl *c)
{
    struct forecast next = {0};
    if (forecast_build(&next, c->basis.n ? &c->basis : NULL, ctl_now_s(c),
                       c->set.carbon.horizon_ms / 1000, c->set.carbon.stale_after_ms / 1000,
                       c->set.carbon.yearly_average_g_per_kwh, BOARD_POINTS_MAX) < 0)
        return -1;
    forecast_fini(&c->forecast);
    c->forecast = next;
    return 0;
}

uint64_t feed_watch_emissions_ug(const struct ctl *c, int64_t from_s, int64_t to_s,
                                 uint64_t energy_uj)
{
    struct series s = {c->past.points, c->past.n, c->past.end_s};
    if (s.n == 0)
        s = forecast_series(&c->forecast);
    if (s.n == 0 || to_s < from_s)
        return 0;
    double ug = series_emissions_ug(&s, from_s, to_s, (double)energy_uj) * c->set.power.pue;
    return ug < 9e18 ? (uint64_t)(ug + 0.5) : (uint64_t)INT64_MAX;
}

void feed_watch_fini(struct ctl *c)
{
    feed_fini(&c->feed);
    feed_fini(&c->past);
    feed_fini(&c->basis);
    forecast_fini(&c->forecast);
}
