/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CSV feeds: what is read, what is refused and in which words, real files as a
 * polling client saw them, and the replay of old traces.
 */
#include "config.h"

#include <errno.h>
#include <sys/stat.h>

#include "carbon/feed.h"
#include "common/path.h"
#include "grid.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define HEAD "time,zone,g_per_kwh\n"
#define WEEK_S 604800

/* 2026-11-24T09:00:00Z */
#define T0 1795510800

static int _parse(struct feed *f, const char *text, struct err *e)
{
    return feed_parse_csv(f, "grid.csv", text, strlen(text), "DE", e);
}

/* want: "seconds from T0=g" by point, then the end. */
static char *_print(char *buf, size_t size, const struct feed *f)
{
    size_t used = 0;

    for (size_t i = 0; i < f->n && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%lld=%g ",
                                 (long long)(f->points[i].t_s - T0), f->points[i].g_per_kwh);
    if (used < size)
        (void)snprintf(buf + used, size - used, "end %lld", (long long)(f->end_s - T0));
    return buf;
}

static void test_good(void)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {HEAD "2026-11-24T09:00:00Z,DE,412\n2026-11-24T09:15:00Z,DE,405.5\n",
         "0=412 900=405.5 end 1800"},
        {HEAD "2026-11-24T09:00:00Z,DE,412", "0=412 end 900"}, /* one sample, no newline */
        {HEAD "2026-11-24T11:00:00Z,DE,3\n2026-11-24T09:00:00Z,DE,1\n2026-11-24T10:00:00Z,DE,2\n",
         "0=1 3600=2 7200=3 end 10800"}, /* any order */
        {HEAD "2026-11-24T09:00:00Z,DE,1\n2026-11-24T10:00:00Z,DE,2\n2026-11-24T09:00:00Z,DE,9\n",
         "0=9 3600=2 end 7200"}, /* the later row wins */
        {HEAD "2026-11-24T09:00:00Z,DE,1\n2026-11-24T09:15:00Z,DE,2\n2026-11-24T12:00:00Z,DE,3\n",
         "0=1 900=2 10800=3 end 11700"}, /* a gap: the last one holds as the others do */
        {HEAD "2026-11-24T09:00:00Z,FR,x\n2026-11-24T09:00:00Z,DE,1\n", "0=1 end 900"},
        {"# made by hand\n\n" HEAD "\n# more\n2026-11-24T09:00:00Z,DE,1\n\n", "0=1 end 900"},
        {"\xef\xbb\xbf" HEAD "2026-11-24T09:00:00Z,DE,1\n", "0=1 end 900"},
        {"time,zone,g_per_kwh\r\n2026-11-24T09:00:00Z,DE,1\r\n", "0=1 end 900"},
        {HEAD " 2026-11-24T09:00:00Z ,\tDE , 1 \n", "0=1 end 900"},
        {HEAD "2026-11-24T10:00:00+01:00,DE,0\n", "0=0 end 900"}, /* zero is a value */
        {HEAD "2026-11-24T09:00Z,DE,.5\n", "0=0.5 end 900"},
        {HEAD "2026-11-24T09:00:00.999Z,DE,5000\n", "0=5000 end 900"}, /* the most there is */
        {HEAD "2026-11-24T09:00:00Z,DE,218.29003068829462\n", "0=218.29 end 900"},
        {HEAD "2026-11-24T09:00:00Z,DE,0000000000000000000000012.\n", "0=12 end 900"},
    };
    char got[256];

    for (size_t i = 0; i < N(rows); i++) {
        struct feed f = {0};
        struct err e = {""};

        if (!UNIT_OK(_parse(&f, rows[i].text, &e) == 0, "row %zu: %s", i, e.text))
            continue;
        UNIT_STR(_print(got, sizeof(got), &f), rows[i].want, "row %zu", i);
        UNIT_DBL(f.points[0].area, 0, 0, "row %zu", i);
        UNIT_INT(f.issued_s, 0, "row %zu", i);
        feed_fini(&f);
    }
}

static void test_bad(void)
{
    static const struct {
        const char *text, *want; /* the message begins with this */
    } rows[] = {
        {"", "grid.csv: empty; the first line must be time,zone,g_per_kwh"},
        {"\n\n# only a remark\n", "grid.csv: empty"},
        {HEAD, "grid.csv: no row of zone 'DE'"},
        {HEAD "2026-11-24T09:00:00Z,FR,1\n", "grid.csv: no row of zone 'DE' (there is 'FR')"},
        {HEAD "2026-11-24T09:00:00Z,de,1\n", "grid.csv: no row of zone 'DE' (there is 'de')"},
        {HEAD "2026-11-24T09:00:00Z,\x1b[2J,1\n",
         "grid.csv: no row of zone 'DE' (there is '?[2J')"},
        {"2026-11-24T09:00:00Z,DE,1\n", "grid.csv:1: the first line must be"},
        {"zone,time,g_per_kwh\n2026-11-24T09:00:00Z,DE,1\n", "grid.csv:1: the first line must be"},
        {"time;zone;g_per_kwh\n", "grid.csv:1: the first line must be"},
        {"{\"zone\":\"DE\"}", "grid.csv:1: the first line must be"},
        {HEAD "2026-11-24T09:00:00Z,DE\n", "grid.csv:2: a row is"},
        {HEAD "2026-11-24T09:00:00Z\n", "grid.csv:2: a row is"},
        {HEAD ",,\n", "grid.csv: no row of zone 'DE'"},
        {HEAD "2026-11-24T09:00:00Z,FR\n", "grid.csv:2: a row is"},
        {HEAD "2026-11-24T09:00:00Z,DE,181,5\n", "grid.csv:2: a row is"}, /* decimal comma */
        {HEAD "2026-11-24T09:00:00Z;DE;181\n", "grid.csv:2: a row is"},
        {HEAD ",DE,1\n", "grid.csv:2: "},
        {HEAD "2026-11-24 09:00,DE,1\n", "grid.csv:2: "},
        {HEAD "2026-11-24T09:00:00,DE,1\n", "grid.csv:2: "}, /* no zone */
        {HEAD "2026-13-24T09:00:00Z,DE,1\n", "grid.csv:2: "},
        {HEAD "2026-02-30T09:00:00Z,DE,1\n", "grid.csv:2: "},
        {HEAD "1795510800,DE,1\n", "grid.csv:2: "},
        {HEAD "2026-11-24T09:00:00Z00000000000000000000000000000000000000000000000000,DE,1\n",
         "grid.csv:2: the time is too long"},
        {HEAD "2026-11-24T09:00:00Z,DE,\n", "grid.csv:2: '' is no intensity"},
        {HEAD "2026-11-24T09:00:00Z,DE,.\n", "grid.csv:2: '.' is no intensity"},
        {HEAD "2026-11-24T09:00:00Z,DE,-1\n", "grid.csv:2: '-1' is no intensity"},
        {HEAD "2026-11-24T09:00:00Z,DE,+1\n", "grid.csv:2: '+1' is no intensity"},
        {HEAD "2026-11-24T09:00:00Z,DE,1e2\n", "grid.csv:2: '1e2' is no intensity"},
        {HEAD "2026-11-24T09:00:00Z,DE,0x10\n", "grid.csv:2: '0x10' is no intensity"},
        {HEAD "2026-11-24T09:00:00Z,DE,nan\n", "grid.csv:2: 'nan' is no intensity"},
        {HEAD "2026-11-24T09:00:00Z,DE,inf\n", "grid.csv:2: 'inf' is no intensity"},
        {HEAD "2026-11-24T09:00:00Z,DE,null\n", "grid.csv:2: 'null' is no intensity"},
        {HEAD "2026-11-24T09:00:00Z,DE,\"1\"\n", "grid.csv:2: '\"1\"' is no intensity"},
        {HEAD "2026-11-24T09:00:00Z,DE,1 2\n", "grid.csv:2: '1 2' is no intensity"},
        {HEAD "2026-11-24T09:00:00Z,DE,1.2.3\n", "grid.csv:2: '1.2.3' is no intensity"},
        {HEAD "2026-11-24T09:00:00Z,DE,5000.1\n", "grid.csv:2: 5000.1 g/kWh is above 5000"},
        {HEAD "2026-11-24T09:00:00Z,DE,99999999999999999999999999\n", "grid.csv:2: 9999999"},
        {HEAD "2026-11-24T09:00:00Z,DE,000000000000000000000000000000000000000000000000000000000000"
              "0000000000000000000001\n",
         "grid.csv:2: '0000"},
        /* good rows before and behind do not save the file */
        {HEAD
         "2026-11-24T09:00:00Z,DE,1\n\n#\n2026-11-24T10:00:00Z,DE,x\n2026-11-24T11:00:00Z,DE,1\n",
         "grid.csv:5: 'x' is no intensity"},
    };

    for (size_t i = 0; i < N(rows); i++) {
        struct series_point point = {1, 2, 3};
        struct feed f = {&point, 1, 77, 88};
        struct err e = {""};

        errno = 0;
        UNIT_INT(_parse(&f, rows[i].text, &e), -1, "row %zu", i);
        UNIT_INT(errno, EINVAL, "row %zu", i);
        UNIT_OK(strncmp(e.text, rows[i].want, strlen(rows[i].want)) == 0, "row %zu: %s", i, e.text);
        UNIT_OK(f.points == &point && f.n == 1 && f.end_s == 77 && f.issued_s == 88,
                "row %zu left the feed alone", i);
        UNIT_INT(_parse(&f, rows[i].text, NULL), -1, "row %zu without err", i);
    }
}

/* The text is bytes with a length: no NUL behind it, and any inside. */
static void test_bytes(void)
{
    static const char text[] = HEAD "2026-11-24T09:00:00Z,DE,41299";
    size_t size = strlen(text);
    char *exact = malloc(size - 2);
    struct feed f = {0};
    struct err e = {""};

    memcpy(exact, text, size - 2);
    UNIT_INT(feed_parse_csv(&f, "x", exact, size - 2, "DE", &e), 0, "%s", e.text);
    UNIT_DBL(f.points[0].g_per_kwh, 412, 0, "what lies behind is not read");
    feed_fini(&f);
    exact[size - 3] = '\0';
    UNIT_INT(feed_parse_csv(&f, "x", exact, size - 2, "DE", &e), -1, "a NUL in a number");
    free(exact);
    feed_fini(&f);
    UNIT_OK(f.points == NULL && f.n == 0, "fini leaves it zeroed");
}

/* Every cut of a good file either parses or names a line; nothing in between. */
static void test_truncated(void)
{
    static const char text[] =
        HEAD "2026-11-24T09:00:00Z,DE,412\r\n# x\n2026-11-24T10:00:00Z,FR,1\n"
             "2026-11-24T10:00:00.5+01:00,DE,0.25\n";

    for (size_t size = 0; size < sizeof(text); size++) {
        char *cut = malloc(size + 1);
        struct feed f = {0};
        struct err e = {""};

        memcpy(cut, text, size);
        if (feed_parse_csv(&f, "x", cut, size, "DE", &e) < 0)
            UNIT_OK(e.text[0] && !f.points, "size %zu", size);
        else
            UNIT_OK(f.n >= 1 && f.end_s > f.points[f.n - 1].t_s, "size %zu", size);
        feed_fini(&f);
        free(cut);
    }
}

static void test_too_many(void)
{
    size_t rows = SERIES_POINTS_MAX + 1, size = 0, room = rows * 48 + 64;
    char *text = malloc(room), want[64];
    struct feed f = {0};
    struct err e = {""};

    size += (size_t)snprintf(text, room, HEAD);
    for (size_t i = 0; i < rows; i++)
        size += (size_t)snprintf(text + size, room - size,
                                 "2026-%02zu-%02zuT%02zu:%02zu:%02zuZ,DE,1\n", 1 + i / 86400 / 28,
                                 1 + i / 86400 % 28, i / 3600 % 24, i / 60 % 60, i % 60);
    UNIT_INT(feed_parse_csv(&f, "big", text, size, "DE", &e), -1, "one too many");
    (void)snprintf(want, sizeof(want), "big:%zu: more than %d rows", rows + 1, SERIES_POINTS_MAX);
    UNIT_OK(strncmp(e.text, want, strlen(want)) == 0, "%s", e.text);
    size -= strlen("2026-01-03T07:33:20Z,DE,1\n");
    UNIT_INT(feed_parse_csv(&f, "big", text, size, "DE", &e), 0, "%s", e.text);
    UNIT_INT(f.n, SERIES_POINTS_MAX, "as many as there may be");
    feed_fini(&f);
    free(text);
}

static void test_load(void)
{
    static const char text[] = HEAD "2026-11-24T09:00:00Z,DE,412\n";
    char path[256], gone[256];
    struct feed f = {0};
    struct stat st;
    struct err e = {""};

    (void)snprintf(path, sizeof(path), "%s/grid.csv", unit_tmpdir());
    (void)snprintf(gone, sizeof(gone), "%s/gone.csv", unit_tmpdir());
    UNIT_INT(path_write_atomic(path, text, strlen(text), 0644, &e), 0, "%s", e.text);
    UNIT_INT(feed_load_csv(&f, path, "DE", &e), 0, "%s", e.text);
    UNIT_INT(f.n, 1, "one point");
    UNIT_INT(stat(path, &st), 0, "stat");
    UNIT_INT(f.issued_s, st.st_mtime, "issued when it was written");
    UNIT_INT(feed_load_csv(&f, gone, "DE", &e), -1, "no such file");
    UNIT_INT(errno, ENOENT, "%s", e.text);
    UNIT_INT(feed_load_csv(&f, unit_tmpdir(), "DE", &e), -1, "a directory");
    UNIT_INT(feed_load_csv(&f, path, "XX", &e), -1, "another zone");
    UNIT_OK(strncmp(e.text, path, strlen(path)) == 0, "names the file: %s", e.text);
    UNIT_INT(f.n, 1, "a failure keeps the old one");
    feed_fini(&f);
}

/* A live API as a client polled it: hours that repeat (with revised values) and hours that miss. */
static void _polled(const char *zone, size_t want_rows, size_t want_points)
{
    char name[64], line[512], copy[512], *csv = NULL;
    size_t size = 0, rows = 0;
    FILE *in, *out;
    struct feed f = {0};
    struct err e = {""};

    (void)snprintf(name, sizeof(name), "carbon/em-polled-%s.csv.gz", zone);
    in = grid_open(name);
    out = open_memstream(&csv, &size);
    (void)fputs(HEAD, out);
    UNIT_OK(fgets(line, sizeof(line), in) != NULL, "header");
    for (; fgets(line, sizeof(line), in); rows++) {
        (void)snprintf(copy, sizeof(copy), "%s", line);
        (void)fprintf(out, "%s,%s,", grid_field(line, 1), zone);
        (void)fprintf(out, "%s\n", grid_field(copy, 4));
    }
    (void)pclose(in);
    (void)fclose(out);
    UNIT_INT(rows, want_rows, "rows of %s", name);
    UNIT_INT(feed_parse_csv(&f, name, csv, size, zone, &e), 0, "%s", e.text);
    UNIT_INT(f.n, want_points, "distinct hours of %s", name);
    for (size_t i = 1; i < f.n; i++)
        UNIT_OK(f.points[i].t_s > f.points[i - 1].t_s && f.points[i].area >= f.points[i - 1].area,
                "%s point %zu", name, i);
    feed_fini(&f);
    free(csv);
}

static void test_polled(void)
{
    _polled("DE", 16977, 8904);
    _polled("FR", 17626, 9461);
    _polled("FI", 5733, 2958);
}

static void _trace(struct feed *f, size_t n, int64_t step_s)
{
    f->points = calloc(n, sizeof(*f->points));
    f->n = n;
    for (size_t i = 0; i < n; i++)
        f->points[i] = (struct series_point){T0 - 400 * 86400 + (int64_t)i * step_s, (double)i, 0};
    f->end_s = f->points[n - 1].t_s + step_s;
    series_sum(f->points, n);
}

static void test_replay_weeks(void)
{
    struct feed f = {0};
    struct err e = {""};
    int64_t begin_s, now_s = T0 + 1234;

    _trace(&f, 24 * 30, 3600); /* 30 days: four whole weeks repeat */
    begin_s = f.points[0].t_s;
    UNIT_INT(feed_replay(&f, now_s, 8 * 86400, 4 * 86400, &e), 0, "%s", e.text);
    UNIT_OK(f.points[0].t_s <= now_s - 8 * 86400, "covers the past");
    UNIT_OK(f.points[1].t_s > now_s - 8 * 86400, "and not more");
    UNIT_OK(f.end_s > now_s + 4 * 86400, "covers the future");
    for (size_t i = 0; i < f.n; i++) {
        int64_t want = (f.points[i].t_s - begin_s) / 3600 % (4 * 7 * 24);

        UNIT_DBL(f.points[i].g_per_kwh, (double)want, 0, "hour %zu of the week", i);
        UNIT_INT((f.points[i].t_s - begin_s) % 3600, 0, "hour %zu", i);
        if (i)
            UNIT_INT(f.points[i].t_s - f.points[i - 1].t_s, 3600, "no hole at %zu", i);
    }
    feed_fini(&f);
}

static void test_replay_short(void)
{
    struct feed f = {0};
    struct err e = {""};

    _trace(&f, 10, 900); /* 2.5 hours, again and again */
    UNIT_INT(feed_replay(&f, T0, 0, 86400, &e), 0, "%s", e.text);
    for (size_t i = 1; i < f.n; i++) {
        double before = f.points[i - 1].g_per_kwh;

        UNIT_DBL(f.points[i].g_per_kwh, before >= 9 ? 0 : before + 1, 0, "sample %zu", i);
        UNIT_INT(f.points[i].t_s - f.points[i - 1].t_s, 900, "sample %zu", i);
    }
    UNIT_OK(f.points[0].t_s <= T0 && f.end_s > T0 + 86400, "covers the day");
    feed_fini(&f);
    _trace(&f, 1, 900);
    UNIT_INT(feed_replay(&f, T0 - 500 * 86400, 86400, 86400, &e), 0, "before the trace: %s",
             e.text);
    UNIT_OK(f.points[0].t_s <= T0 - 501 * 86400 && f.end_s > T0 - 499 * 86400, "covers it");
    feed_fini(&f);
}

static void test_replay_agrees(void)
{
    struct feed a = {0}, b = {0};
    struct series sa, sb;
    struct err e = {""};

    _trace(&a, 24 * 8, 3600);
    _trace(&b, 24 * 8, 3600);
    UNIT_INT(feed_replay(&a, T0, 86400, 7 * 86400, &e), 0, "%s", e.text);
    UNIT_INT(feed_replay(&b, T0 + 90000, 86400, 7 * 86400, &e), 0, "%s", e.text);
    sa = (struct series){a.points, a.n, a.end_s};
    sb = (struct series){b.points, b.n, b.end_s};
    /* a moment has one intensity, whenever it is looked at: records are accounted with it */
    for (int64_t t_s = T0 + 10000; t_s < T0 + 6 * 86400; t_s += 1800)
        UNIT_DBL(series_at(&sa, t_s), series_at(&sb, t_s), 0, "at %lld", (long long)(t_s - T0));
    feed_fini(&a);
    feed_fini(&b);
}

static void test_replay_bad(void)
{
    struct feed f = {0};
    struct err e = {""};

    UNIT_INT(feed_replay(&f, T0, 0, 1, &e), -1, "an empty feed");
    _trace(&f, 10, 1);
    UNIT_INT(feed_replay(&f, T0, 0, SERIES_POINTS_MAX + 5, &e), -1, "too many");
    UNIT_INT(errno, E2BIG, "%s", e.text);
    UNIT_INT(f.n, 10, "a failure keeps the trace");
    UNIT_INT(feed_replay(&f, T0, -1, 100, &e), -1, "a negative window");
    feed_fini(&f);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"good", test_good},
        {"bad", test_bad},
        {"bytes", test_bytes},
        {"truncated", test_truncated},
        {"too_many", test_too_many},
        {"load", test_load},
        {"polled", test_polled},
        {"replay_weeks", test_replay_weeks},
        {"replay_short", test_replay_short},
        {"replay_agrees", test_replay_agrees},
        {"replay_bad", test_replay_bad},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "feed");
}
