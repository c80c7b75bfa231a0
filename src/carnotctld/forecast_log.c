/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger has a row for each hour and each of a few hours ahead: at most 30 and 4 days of 8 an
 * hour, whatever happens.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "carbon/profile.h"
#include "carnotctld/forecast_log.h"
#include "common/log.h"

#define HOUR_S 3600
#define KEEP_S (30 * 86400LL)

static int ahead_s(int row)
{
    return forecast_error_ahead_h[row] * HOUR_S;
}

/* The end of the hour that is ahead by row, seen from the hour that runs. */
static int64_t end_of(const struct ctl *c, int row)
{
    int64_t now_s = ctl_now_s(c);
    return now_s - now_s % HOUR_S + ahead_s(row);
}

static void put(struct ctl *c, const struct ledger_guess *v, size_t n)
{
    int64_t now_s = ctl_now_s(c);
    struct err e = {.text = ""};
    if (n && ledger_guess_put(c->ledger, c->set.carbon.zone, v, n, now_s - KEEP_S,
                              now_s + ahead_s(FORECAST_ERROR_ROWS - 1), &e) < 0)
        log_err("ledger: %s", e.text);
}

/* What came in the hour from t_s on, by a file that can know; NAN where it cannot. */
static double came(const struct feed *feed, int64_t now_s, int64_t t_s)
{
    const struct series s = {feed->points, feed->n, feed->end_s};
    int64_t until_s = t_s + HOUR_S;
    size_t i = series_find(&s, t_s);
    if (t_s < feed->points[0].t_s || until_s > feed->end_s || until_s > feed->issued_s ||
        until_s > now_s)
        return NAN;
    for (; i + 1 < feed->n && feed->points[i].t_s < until_s; i++)
        if (feed->points[i + 1].t_s - feed->points[i].t_s > PROFILE_HOLD_S)
            return NAN; /* a gap: nobody knows */
    return series_mean(&s, t_s, until_s);
}

static void count(struct ctl *c, const struct ledger_guess *v, size_t n)
{
    int64_t from_s = ctl_now_s(c) - KEEP_S;
    double *sizes = malloc((n ? n : 1) * sizeof(*sizes));
    if (!sizes)
        return;
    for (int row = 0; row < FORECAST_ERROR_ROWS; row++)
        for (int source = 0; source < FORECAST_QUALITIES; source++) {
            size_t k = 0;
            for (size_t i = 0; i < n; i++)
                if (v[i].ahead_h == forecast_error_ahead_h[row] && v[i].source == source &&
                    isfinite(v[i].came_g_per_kwh) && v[i].t_s >= from_s)
                    sizes[k++] = fabs(v[i].g_per_kwh - v[i].came_g_per_kwh);
            forecast_error_of(&c->errors[row][source], sizes, k);
        }
    free(sizes);
}

void forecast_log_settle(struct ctl *c)
{
    struct ledger_guess *v = NULL, *news;
    size_t n = 0, n_news = 0;
    struct err e = {.text = ""};
    if (c->set.carbon.replay)
        return;
    c->errors_known = 1;
    if (ledger_guess_list(c->ledger, c->set.carbon.zone, &v, &n, &e) < 0) {
        log_err("ledger: %s", e.text);
        return;
    }
    news = malloc((n ? n : 1) * sizeof(*news));
    for (size_t i = 0; news && c->feed.n && i < n; i++) {
        if (isfinite(v[i].came_g_per_kwh))
            continue;
        v[i].came_g_per_kwh = came(&c->feed, ctl_now_s(c), v[i].t_s);
        if (isfinite(v[i].came_g_per_kwh))
            news[n_news++] = v[i];
    }
    put(c, news, n_news);
    free(news);
    count(c, v, n);
    free(v);
}

void forecast_log_note(struct ctl *c)
{
    struct series s = forecast_series(&c->forecast);
    struct ledger_guess v[FORECAST_ERROR_ROWS];
    int64_t first_s = end_of(c, 0);
    size_t n = 0;
    if (c->set.carbon.replay)
        return;
    if (!c->errors_known)
        forecast_log_settle(c);
    /* an old feed's errors are those of its age, not of its hours ahead */
    if (first_s == c->noted_s || s.n == 0 || c->forecast.quality == FORECAST_STALE)
        return;
    c->noted_s = first_s;
    for (int row = 0; row < FORECAST_ERROR_ROWS; row++) {
        int64_t until_s = end_of(c, row), t_s = until_s - HOUR_S;
        if (until_s <= s.end_s)
            v[n++] = (struct ledger_guess){.t_s = t_s,
                                           .ahead_h = forecast_error_ahead_h[row],
                                           .source = forecast_source(&c->forecast, until_s),
                                           .g_per_kwh = series_mean(&s, t_s, until_s),
                                           .came_g_per_kwh = NAN};
    }
    put(c, v, n);
}

void forecast_log_forget(struct ctl *c)
{
    memset(c->errors, 0, sizeof(c->errors));
    c->errors_known = 0;
    c->noted_s = 0;
}

json_t *forecast_log_json(const struct ctl *c)
{
    json_t *list = json_array();
    for (int row = 0; row < FORECAST_ERROR_ROWS; row++) {
        int64_t until_s = end_of(c, row);
        enum forecast_quality source = forecast_source(&c->forecast, until_s);
        const struct forecast_error *error = &c->errors[row][source];
        int told = error->n >= FORECAST_ERROR_LEAST;
        if (c->forecast.n == 0 || until_s > c->forecast.end_s)
            break;
        json_array_append_new(
            list,
            json_pack("{s:i,s:s,s:I,s:o,s:o}", "ahead_h", forecast_error_ahead_h[row], "source",
                      forecast_quality_name(source), "n", (json_int_t)error->n, "mean_g_per_kwh",
                      told ? json_real(error->mean_g_per_kwh) : json_null(), "within_g_per_kwh",
                      told ? json_real(error->within_g_per_kwh) : json_null()));
    }
    return list;
}
