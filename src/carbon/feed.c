/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a carbon feed. One bad row refuses the whole file, because a feed that
 * is half understood places jobs wrongly without anybody noticing, while the old
 * series and the built-in forecast are there to go on with. The parser does no
 * I/O and trusts nothing: the text may be any bytes, without a NUL at the end.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "carbon/feed.h"
#include "carbon/feed_points.h"
#include "common/path.h"
#include "common/span.h"
#include "common/when.h"

#define FEED_BYTES_MAX (64u << 20)
#define FEED_HEADER "time,zone,g_per_kwh"
#define FEED_STEP_ALONE_S 900
#define WEEK_S (7 * 24 * 3600)

/* Where the parser stands, for its messages. */
struct reader {
    const char *name, *zone;
    size_t line;
    bool header_seen;
    char other_zone[32]; /* a zone that the file does hold */
    struct feed_points points;
};

int feed_points_push(struct feed_points *points, int64_t t_s, double g_per_kwh, double order)
{
    if (points->n == points->room) {
        size_t room = points->room ? 2 * points->room : 256;
        struct series_point *v = realloc(points->v, room * sizeof(*v));

        if (!v)
            return -1;
        points->v = v;
        points->room = room;
    }
    points->v[points->n++] = (struct series_point){t_s, g_per_kwh, order};
    return 0;
}

static int _row(struct reader *r, struct span line, struct err *e)
{
    struct span rest = line, time = {0}, zone = {0}, value = {0}, extra;
    char text[64];
    int64_t t_ms;
    double g_per_kwh;

    /* a fourth field is most often a decimal comma: "181,5" must not become 181 */
    if (!span_cut(&rest, ',', &time) || !span_cut(&rest, ',', &zone) ||
        !span_cut(&rest, ',', &value) || span_cut(&rest, ',', &extra))
        return err_set(e, "%s:%zu: a row is " FEED_HEADER ", three fields", r->name, r->line);
    if (!span_equals(zone, r->zone)) {
        if (!r->other_zone[0])
            span_copy(r->other_zone, sizeof(r->other_zone), zone);
        return 0;
    }
    if (time.n >= sizeof(text))
        return err_set(e, "%s:%zu: the time is too long", r->name, r->line);
    if (when_parse_rfc3339(span_copy(text, sizeof(text), time), &t_ms, e) < 0)
        return err_prefix(e, "%s:%zu", r->name, r->line);
    if (span_number(value, &g_per_kwh) < 0)
        return err_set(e, "%s:%zu: '%s' is no intensity: a number in g/kWh, as in 181.5", r->name,
                       r->line, span_copy(text, sizeof(text), value));
    if (g_per_kwh > SERIES_G_PER_KWH_MAX)
        return err_set(e, "%s:%zu: %s g/kWh is above %g", r->name, r->line,
                       span_copy(text, sizeof(text), value), SERIES_G_PER_KWH_MAX);
    if (r->points.n >= SERIES_POINTS_MAX)
        return err_set(e, "%s:%zu: more than %d rows of zone '%s'", r->name, r->line,
                       SERIES_POINTS_MAX, r->zone);
    /* floor, also before 1970; the line's number orders rows of the same time */
    t_ms = (t_ms - (t_ms % 1000 + 1000) % 1000) / 1000;
    if (feed_points_push(&r->points, t_ms, g_per_kwh, (double)r->line) < 0)
        return err_errno(e, "%s", r->name);
    return 0;
}

static int _line(struct reader *r, struct span line, struct err *e)
{
    if (r->line == 1 && line.n >= 3 && memcmp(line.p, "\xef\xbb\xbf", 3) == 0)
        line = (struct span){line.p + 3, line.n - 3};
    line = span_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return 0;
    if (r->header_seen)
        return _row(r, line, e);
    if (!span_equals(line, FEED_HEADER))
        return err_set(e, "%s:%zu: the first line must be " FEED_HEADER, r->name, r->line);
    r->header_seen = true;
    return 0;
}

static int _compare(const void *a, const void *b)
{
    const struct series_point *x = a, *y = b;

    if (x->t_s != y->t_s)
        return x->t_s < y->t_s ? -1 : 1;
    return (x->area > y->area) - (x->area < y->area);
}

/* The last sample holds as long as the one before it did. After a gap that would be the gap, so the
 * shorter of two steps counts. */
int64_t feed_end(const struct series_point *v, size_t n)
{
    int64_t step_s = n > 1 ? v[n - 1].t_s - v[n - 2].t_s : FEED_STEP_ALONE_S;

    if (n > 2 && v[n - 2].t_s - v[n - 3].t_s < step_s)
        step_s = v[n - 2].t_s - v[n - 3].t_s;
    return v[n - 1].t_s + step_s;
}

void feed_points_finish(struct feed *feed, struct feed_points *points)
{
    size_t n = 0;

    qsort(points->v, points->n, sizeof(*points->v), _compare);
    for (size_t i = 0; i < points->n; i++) {
        if (n && points->v[n - 1].t_s == points->v[i].t_s)
            n--;
        points->v[n++] = points->v[i];
    }
    series_sum(points->v, n);
    feed->points = points->v;
    feed->n = n;
    feed->end_s = feed_end(points->v, n);
    feed->issued_s = 0;
}

int feed_parse_csv(struct feed *feed, const char *name, const char *text, size_t size,
                   const char *zone, struct err *e)
{
    struct reader r = {.name = name, .zone = zone};
    size_t at = 0;
    int saved;

    while (at < size) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t n = end ? (size_t)(end - text) - at : size - at;

        r.line++;
        errno = EINVAL;
        if (_line(&r, (struct span){text + at, n}, e) < 0)
            goto error;
        at += n + 1;
    }
    if (r.points.n == 0) {
        if (!r.header_seen)
            err_set(e, "%s: empty; the first line must be " FEED_HEADER, name);
        else if (r.other_zone[0])
            err_set(e, "%s: no row of zone '%s' (there is '%s')", name, zone, r.other_zone);
        else
            err_set(e, "%s: no row of zone '%s'", name, zone);
        errno = EINVAL;
        goto error;
    }
    feed_points_finish(feed, &r.points);
    return 0;
error:
    saved = errno;
    free(r.points.v);
    errno = saved;
    return -1;
}

int feed_load_csv(struct feed *feed, const char *path, const char *zone, struct err *e)
{
    struct feed loaded = {0};
    struct stat st;
    char *text;
    size_t size;
    int rc;

    /* before the content: a file replaced in between must not look newer than it is */
    if (stat(path, &st) < 0)
        return err_errno(e, "%s", path);
    if (path_read(path, FEED_BYTES_MAX, &text, &size, e) < 0)
        return -1;
    rc = feed_parse_csv(&loaded, path, text, size, zone, e);
    free(text);
    if (rc < 0)
        return -1;
    loaded.issued_s = st.st_mtime;
    *feed = loaded;
    return 0;
}

int feed_replay(struct feed *feed, int64_t now_s, int64_t back_s, int64_t ahead_s, struct err *e)
{
    int64_t from_s = now_s - back_s, to_s = now_s + ahead_s, t0_s, length_s, round;
    struct feed_points points = {0};

    if (feed->n == 0 || back_s < 0 || ahead_s < 0) {
        errno = EINVAL;
        return err_set(e, "nothing to replay");
    }
    t0_s = feed->points[0].t_s;
    length_s = feed->end_s - t0_s;
    if (length_s > WEEK_S)
        length_s -= length_s % WEEK_S;
    /* the repetition that holds at from_s, rounded down also for a window before the trace */
    round = (from_s - t0_s) / length_s - ((from_s - t0_s) % length_s < 0);
    for (size_t i = 0;; i++) {
        int64_t t_s;

        if (i == feed->n || feed->points[i].t_s - t0_s >= length_s) {
            i = 0;
            round++;
        }
        t_s = feed->points[i].t_s + round * length_s;
        if (t_s <= from_s)
            points.n = 0; /* the step that holds at from_s is the first to keep */
        if (points.n && t_s > to_s) {
            feed->end_s = t_s;
            break;
        }
        if (points.n == SERIES_POINTS_MAX) {
            errno = E2BIG;
            err_set(e, "replaying the trace takes more than %d samples", SERIES_POINTS_MAX);
            goto error;
        }
        if (feed_points_push(&points, t_s, feed->points[i].g_per_kwh, 0.0) < 0) {
            err_errno(e, "replay");
            goto error;
        }
    }
    free(feed->points);
    series_sum(points.v, points.n);
    feed->points = points.v;
    feed->n = points.n;
    return 0;
error:
    free(points.v);
    return -1;
}

void feed_fini(struct feed *feed)
{
    int saved = errno;

    free(feed->points);
    *feed = (struct feed){0};
    errno = saved;
}
