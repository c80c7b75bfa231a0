/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One reader for all tables of intensity: they differ in which columns hold the
 * time, the zone and the value, and the header and the first row say that.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "carbon/feed_points.h"
#include "common/when.h"
#include "simulate/lines_gz.h"
#include "simulate/trace.h"

#define FIELDS_MAX 1024 /* Electricity Maps has about 350 zones */
#define ZONE_COLUMNS 4
#define TIME_SIZE 40

/* Names cut to fit, for an error that says what there is. */
struct listed {
    char text[160];
    bool full;
};

struct reader {
    lines_gz_t *lines;
    const char *zone, *column;
    size_t n_fields;                  /* of the header, and so of each row; 0 before it */
    int value, time;                  /* where they are; time -1 before the first row */
    int zones[ZONE_COLUMNS], n_zones; /* columns any of which may name the zone */
    bool zone_seen;
    struct listed others; /* zones that the file does hold */
    struct feed_points points;
};

/* Add a name that is not there yet. */
static void _list(struct listed *listed, struct span name)
{
    char text[32], want[40];
    size_t used = strlen(listed->text);

    if (name.n == 0 || listed->full)
        return;
    (void)snprintf(want, sizeof(want), " %s,", span_copy(text, sizeof(text), name));
    if (strstr(listed->text, want))
        return;
    listed->full = used + strlen(want) + strlen(" ...") >= sizeof(listed->text);
    (void)snprintf(listed->text + used, sizeof(listed->text) - used, "%s",
                   listed->full ? " ..." : want);
}

/* Without the comma at the end. */
static const char *_listed(struct listed *listed)
{
    size_t n = strlen(listed->text);

    if (n && listed->text[n - 1] == ',')
        listed->text[n - 1] = '\0';
    return n ? listed->text : " none";
}

static bool _contains(struct span s, const char *part)
{
    size_t n = strlen(part);

    for (size_t i = 0; n && i + n <= s.n; i++)
        if (strncasecmp(s.p + i, part, n) == 0)
            return true;
    return false;
}

/* By its whole name; else by a part of it, if only one has that. -1: none, -2: several. */
static int _find(const struct span *fields, size_t n, const char *name, bool part)
{
    int found = -1;

    for (size_t i = 0; i < n; i++)
        if (span_equals(fields[i], name))
            return (int)i;
    for (size_t i = 0; part && i < n; i++)
        if (_contains(fields[i], name))
            found = found == -1 ? (int)i : -2;
    return found;
}

static void _find_zones(struct reader *r, const struct span *fields)
{
    static const char *const names[] = {"zone",      "zone id",   "zone_id",
                                        "zone name", "zone_name", "zone_key"};

    for (size_t i = 0; i < r->n_fields && r->n_zones < ZONE_COLUMNS; i++)
        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
            if (fields[i].n == strlen(names[j]) && _contains(fields[i], names[j]))
                r->zones[r->n_zones++] = (int)i;
}

static int _header(struct reader *r, struct span line, struct err *e)
{
    struct span fields[FIELDS_MAX];
    struct listed names = {"", false};
    char text[ERR_QUOTE_SIZE];
    const char *want = r->column ? r->column : r->zone;
    size_t n = span_split(line, ',', true, fields, FIELDS_MAX);

    if (n < 2 || n > FIELDS_MAX)
        return lines_gz_bad(r->lines, e,
                            "no trace: expected a CSV header: time,zone,g_per_kwh, or a time and a "
                            "column for each zone");
    r->n_fields = n;
    _find_zones(r, fields);
    r->value = r->column ? _find(fields, n, r->column, true) : _find(fields, n, "g_per_kwh", false);
    if (!r->column && r->value < 0)
        r->value = _find(fields, n, r->zone, false);
    if (r->value >= 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        _list(&names, fields[i]);
    err_quote(text, sizeof(text), want);
    if (r->value == -2)
        return lines_gz_bad(r->lines, e, "several columns are named '%s'; there are:%s", text,
                            _listed(&names));
    if (r->n_zones)
        return lines_gz_bad(r->lines, e, "no column '%s': name that of the values; there are:%s",
                            text, _listed(&names));
    return lines_gz_bad(r->lines, e, "no zone or column '%s'; there are:%s", text, _listed(&names));
}

/* RFC 3339; or with a blank between date and time, then in UTC where no zone is said. Seconds,
 * rounded down. */
static int _time(struct span s, int64_t *t_s, struct err *e)
{
    char text[TIME_SIZE];
    int64_t t_ms;

    (void)span_copy(text, sizeof(text), s);
    if (s.n >= 16 && s.n + 2 < sizeof(text) && text[10] == ' ') {
        text[10] = 'T';
        if (s.n == 16 || s.n == 19)
            memcpy(text + s.n, "Z", 2);
    }
    if (s.n >= sizeof(text) || when_parse_rfc3339(text, &t_ms, NULL) < 0)
        return err_set(e, "'%s' is no time: use 2026-11-24T09:00:00Z or 2026-11-24 09:00 (UTC)",
                       span_copy(text, sizeof(text), s));
    *t_s = t_ms / 1000;
    return 0;
}

/* The first column of the first row that reads as a time. */
static int _find_time(struct reader *r, const struct span *fields, struct err *e)
{
    int64_t t_s;

    for (size_t i = 0; i < r->n_fields; i++)
        if ((int)i != r->value && _time(fields[i], &t_s, NULL) == 0) {
            r->time = (int)i;
            return 0;
        }
    return lines_gz_bad(r->lines, e,
                        "no column of the first row holds a time such as "
                        "2026-11-24T09:00:00Z or 2026-11-24 09:00 (UTC)");
}

static bool _is_zone(struct reader *r, const struct span *fields)
{
    for (int i = 0; i < r->n_zones; i++)
        if (span_equals(fields[r->zones[i]], r->zone))
            return true;
    for (int i = 0; i < r->n_zones; i++)
        _list(&r->others, fields[r->zones[i]]);
    return r->n_zones == 0;
}

static int _row(struct reader *r, struct span line, struct err *e)
{
    struct span fields[FIELDS_MAX];
    struct err why;
    char text[ERR_QUOTE_SIZE];
    int64_t t_s;
    double g_per_kwh;
    size_t n = span_split(line, ',', true, fields, FIELDS_MAX);

    /* one more is most often a decimal comma: "181,5" must not become 181 */
    if (n != r->n_fields)
        return lines_gz_bad(r->lines, e, "a row of %zu fields, the header has %zu", n, r->n_fields);
    if (r->time < 0 && _find_time(r, fields, e) < 0)
        return -1;
    if (!_is_zone(r, fields))
        return 0;
    r->zone_seen = true;
    if (_time(fields[r->time], &t_s, &why) < 0)
        return lines_gz_bad(r->lines, e, "%s", why.text);
    if (fields[r->value].n == 0)
        return 0;
    span_copy(text, sizeof(text), fields[r->value]);
    if (span_number(fields[r->value], &g_per_kwh) < 0)
        return lines_gz_bad(r->lines, e, "'%s' is no intensity: a number in g/kWh, as in 181.5",
                            text);
    if (g_per_kwh > SERIES_G_PER_KWH_MAX)
        return lines_gz_bad(r->lines, e, "%s g/kWh is above %g", text, SERIES_G_PER_KWH_MAX);
    if (r->points.n >= SERIES_POINTS_MAX)
        return lines_gz_bad(r->lines, e, "more than %d samples", SERIES_POINTS_MAX);
    if (feed_points_push(&r->points, t_s, g_per_kwh, (double)lines_gz_number(r->lines)) < 0)
        return err_errno(e, "%s", lines_gz_path(r->lines));
    return 0;
}

static int _end(struct reader *r, struct err *e)
{
    const char *path = lines_gz_path(r->lines);
    char zone[ERR_QUOTE_SIZE];

    if (r->points.n)
        return 0;
    errno = EINVAL;
    if (r->n_fields == 0)
        return err_set(e, "%s: empty; expected a CSV header, as time,zone,g_per_kwh", path);
    if (!r->zone_seen)
        return err_set(e, "%s: no row of zone '%s'; there are:%s", path,
                       err_quote(zone, sizeof(zone), r->zone), _listed(&r->others));
    return err_set(e, "%s: the column has no values", path);
}

int trace_load(struct feed *out, const char *path, const char *zone, const char *column,
               struct err *e)
{
    struct reader r = {.zone = zone ? zone : "", .column = column, .time = -1};
    struct span line;
    int rc;

    r.lines = lines_gz_open(path, e);
    if (!r.lines)
        return -1;
    while ((rc = lines_gz_next(r.lines, &line, e)) > 0) {
        if (line.n == 0 || line.p[0] == '#')
            continue;
        rc = r.n_fields ? _row(&r, line, e) : _header(&r, line, e);
        if (rc < 0)
            break;
    }
    if (rc == 0)
        rc = _end(&r, e);
    if (rc == 0) {
        feed_points_finish(out, &r.points);
    } else {
        int saved = errno;

        free(r.points.v);
        errno = saved;
    }
    lines_gz_close(r.lines);
    return rc;
}
