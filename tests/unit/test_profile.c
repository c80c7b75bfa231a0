/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The anchored weekly profile: against values computed apart from it, on
 * histories that are none, and what it is worth on real grids of a year that
 * no constant of it was chosen on.
 */
#include "config.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "carbon/profile.h"
#include "grid.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define HOUR 3600
#define DAY 86400
#define T0 1800057600 /* 2027-01-16T00:00:00Z */

/*
 * By this, and by nothing of Carnot's:
 *
 *   c = [100 + 7 * (i * i % 31) + i % 24 for i in range(200)]
 *   def f(t, h):
 *       m7 = lambda x: sum(c[i] for i in range(t - 167, t + 1) if i % 24 == x % 24) / 7
 *       return m7(t + h) + 0.97 ** h * (c[t] - m7(t))
 *   for h in (1, 2, 12, 24, 47, 96): print(h, repr(f(199, h)))
 *
 *   q = [50 + (i * 37 % 101) for i in range(4 * 168)]
 *   def g(t, k):
 *       m7 = lambda x: sum(q[i] for i in range(t - 671, t + 1) if i // 4 % 24 == x // 4 % 24) / 28
 *       return m7(t + k) + 0.97 ** (k / 4) * (q[t] - m7(t))
 *   for k in (1, 2, 4, 7, 96, 384): print(k, repr(g(671, k)))
 */
static const struct {
    int steps;
    double want;
} hourly[] = {{1, 184.12},
              {2, 222.2364},
              {12, 195.22463055601824},
              {24, 207.0743311123531},
              {47, 203.04427817916206},
              {96, 208.7851444973312}},
  quarters[] = {{1, 125.69530553497742}, {2, 125.46380916909445}, {4, 125.00607142857143},
                {7, 128.0466896974109},  {96, 116.0535795737855}, {384, 102.90170167676638}};

static void test_golden(void)
{
    static struct series_point points[700];
    struct series s = {points, 200, T0 + 200 * HOUR};
    struct profile p;

    for (int i = 0; i < 200; i++)
        points[i] = (struct series_point){T0 + i * HOUR, 100 + 7 * (i * i % 31) + i % 24, 0};
    UNIT_INT(profile_init(&p, &s), 1, "hourly");
    UNIT_INT(p.known_s, 7 * DAY, "a week");
    UNIT_INT(p.last_s, T0 + 199 * HOUR, "the last one");
    for (size_t i = 0; i < N(hourly); i++)
        UNIT_DBL(profile_at(&p, p.last_s + hourly[i].steps * HOUR), hourly[i].want, 1e-9, "%d h",
                 hourly[i].steps);
    for (int i = 0; i < 672; i++)
        points[i] = (struct series_point){T0 + i * 900, 50 + (i * 37 % 101), 0};
    s = (struct series){points, 672, T0 + 672 * 900};
    UNIT_INT(profile_init(&p, &s), 1, "quarters");
    for (size_t i = 0; i < N(quarters); i++)
        UNIT_DBL(profile_at(&p, p.last_s + quarters[i].steps * 900), quarters[i].want, 1e-9,
                 "%d quarters", quarters[i].steps);
}

/* The same from a time before the last sample on, and in any step. */
static void test_write(void)
{
    static const int64_t froms[] = {-5 * HOUR, -1, 0, 1, 900, 40 * DAY}, steps[] = {1, 900, 3600};
    static struct series_point points[168];
    struct series s = {points, 168, T0 + 168 * HOUR};
    struct profile p;
    double out[300];

    for (int i = 0; i < 168; i++)
        points[i] = (struct series_point){T0 + i * HOUR, 100 + i % 24 + (i == 167 ? 50 : 0), 0};
    UNIT_INT(profile_init(&p, &s), 1, "init");
    for (size_t i = 0; i < N(froms); i++)
        for (size_t k = 0; k < N(steps); k++) {
            profile_write(&p, p.last_s + froms[i], steps[k], N(out), out);
            for (size_t n = 0; n < N(out); n++)
                UNIT_DBL(out[n], profile_at(&p, p.last_s + froms[i] + (int64_t)n * steps[k]), 1e-9,
                         "from %zu, step %zu, %zu", i, k, n);
        }
    UNIT_DBL(profile_at(&p, p.last_s - 23 * HOUR), 100 + p.anomaly, 1e-9,
             "never above the anomaly");
}

static void _flat(struct series_point *points, int n, double g_per_kwh)
{
    for (int i = 0; i < n; i++)
        points[i] = (struct series_point){T0 + i * HOUR, g_per_kwh, 0};
}

/* What makes no profile, and leaves what was there. */
static void test_none(void)
{
    static struct series_point points[200];
    struct profile p = {.known_s = 77};
    struct series s = {points, 0, T0};

    UNIT_INT(profile_init(&p, &s), 0, "nothing");
    _flat(points, 200, 250);
    s = (struct series){points, 1, T0 + HOUR};
    UNIT_INT(profile_init(&p, &s), 0, "one sample");
    s.end_s = T0 + 30 * DAY;
    UNIT_INT(profile_init(&p, &s), 0, "one sample that would hold for a month");
    s = (struct series){points, 23, T0 + 23 * HOUR};
    UNIT_INT(profile_init(&p, &s), 0, "23 hours");
    _flat(points, 200, NAN);
    s = (struct series){points, 200, T0 + 200 * HOUR};
    UNIT_INT(profile_init(&p, &s), 0, "no numbers");
    _flat(points, 200, 100);
    s.end_s = T0 + 400 * DAY;
    UNIT_INT(profile_init(&p, &s), 0, "a week that no sample reaches");
    s.end_s = T0 - DAY;
    UNIT_INT(profile_init(&p, &s), 0, "an end before the beginning");
    for (int i = 0; i < 200; i++)
        points[i].t_s = T0;
    s.end_s = T0 + 2 * HOUR;
    UNIT_INT(profile_init(&p, &s), 0, "a clock that stands still");
    for (int i = 0; i < 200; i++)
        points[i].t_s = i % 2 ? INT64_MIN : INT64_MAX;
    s.end_s = INT64_MAX;
    (void)profile_init(&p, &s);
    s.end_s = INT64_MIN;
    UNIT_INT(profile_init(&p, &s), 0, "the ends of time");
}

static void test_hostile(void)
{
    static struct series_point points[200];
    struct series s = {points, 200, T0 + 200 * HOUR};
    struct profile p;

    _flat(points, 200, 250);
    UNIT_INT(profile_init(&p, &s), 1, "constant");
    for (int64_t h = 0; h < 200; h++)
        UNIT_DBL(profile_at(&p, s.end_s + h * HOUR), 250, 0, "stays so, %lld", (long long)h);
    /* what is no intensity is left out, at the end too: the anchor is the last that is one */
    points[50].g_per_kwh = NAN;
    points[60].g_per_kwh = INFINITY;
    points[70].g_per_kwh = -1;
    points[80].g_per_kwh = SERIES_G_PER_KWH_MAX * 1.01;
    points[198].g_per_kwh = -INFINITY;
    points[199].g_per_kwh = NAN;
    UNIT_INT(profile_init(&p, &s), 1, "holes");
    UNIT_INT(p.known_s, 7 * DAY - 6 * HOUR, "are not known");
    UNIT_INT(p.last_s, T0 + 197 * HOUR, "nor an anchor");
    UNIT_DBL(profile_at(&p, s.end_s), 250, 1e-9, "and change nothing");
    /* times at which nothing can be meant are answered too */
    UNIT_DBL(profile_at(&p, INT64_MAX), 250, 1e-9, "the end of time");
    UNIT_DBL(profile_at(&p, INT64_MIN), 250, 1e-9, "its beginning");
    /* a clock that jumps back in the middle: what comes before counts for nothing */
    _flat(points, 200, 250);
    for (int i = 0; i < 150; i++)
        points[i].t_s += 30 * (int64_t)DAY;
    UNIT_INT(profile_init(&p, &s), 1, "a jump");
    UNIT_INT(p.known_s, 50 * HOUR, "ends the history");
}

/* Samples are missing: an hour that was high just before must not stand for them all. */
static void test_gap(void)
{
    static struct series_point points[168];
    struct profile p;
    size_t n = 0;

    for (int i = 0; i < 168; i++)
        if (i < 20 || i >= 68)
            points[n++] = (struct series_point){T0 + i * HOUR, i == 19 ? 900 : 100, 0};
    UNIT_INT(profile_init(&p, &(struct series){points, n, T0 + 168 * HOUR}), 1, "two days missing");
    UNIT_INT(p.known_s, 7 * DAY - 48 * HOUR + PROFILE_HOLD_S - HOUR, "are known for three hours");
    UNIT_DBL(p.m7_g_per_kwh[10], 100, 1e-9, "an hour in the gap");
    /* a day without its night: those hours get the mean of the rest */
    n = 0;
    for (int i = 0; i < 168; i++)
        if (i % 24 >= 8)
            points[n++] = (struct series_point){T0 + i * HOUR, i % 24 < 16 ? 100 : 300, 0};
    UNIT_INT(profile_init(&p, &(struct series){points, n, T0 + 168 * HOUR}), 1, "no nights");
    UNIT_DBL(p.m7_g_per_kwh[1], 300, 1e-9, "the last one holds three hours");
    UNIT_DBL(p.m7_g_per_kwh[5], (8 * 7 * 100 + (8 * 7 + 2 * 6) * 300) / 124.0, 1e-9, "the mean");
}

/* A history is the same everywhere, and on both sides of a change of the hour. */
static void test_zones(void)
{
    static const char *const zones[] = {"UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"};
    int64_t end_s = 1774738800; /* 2026-03-28T23:00:00Z: clocks in Europe change two hours later */
    static struct series_point points[168];
    struct profile p;

    for (int i = 0; i < 168; i++) {
        points[i].t_s = end_s - (168 - i) * HOUR;
        points[i].g_per_kwh = (double)(points[i].t_s / HOUR % 24) * 10;
    }
    for (size_t z = 0; z < N(zones); z++) {
        setenv("TZ", zones[z], 1);
        tzset();
        UNIT_INT(profile_init(&p, &(struct series){points, 168, end_s}), 1, "%s", zones[z]);
        for (int64_t t_s = end_s; t_s < end_s + 4 * DAY; t_s += HOUR)
            UNIT_DBL(profile_at(&p, t_s), (double)(t_s / HOUR % 24) * 10, 1e-9, "%s", zones[z]);
    }
}

static const char *const grids[] = {"DE", "ES", "PL", "LU"};

/* Mean absolute error in per cent of what came, by hours ahead: the profile, the same hour of
 * yesterday, and the mean of a week by hour of the day. */
static void test_error(void)
{
    static const int horizons[] = {1, 3, 6, 12, 24, 48, 72, 96};
    static struct series_point c[GRID_2022_HOURS];

    for (size_t z = 0; z < N(grids); z++) {
        double sum[N(horizons)][3] = {{0}};
        int n = 0;

        (void)grid_2022(c, grids[z]);
        for (int t = 167; t + 96 < GRID_2022_HOURS; t++, n++) {
            struct series known = {c, (size_t)t + 1, c[t].t_s + HOUR};
            struct profile p;

            if (!UNIT_OK(profile_init(&p, &known), "%s %d", grids[z], t))
                return;
            for (size_t k = 0; k < N(horizons); k++) {
                int h = horizons[k];
                double came = c[t + h].g_per_kwh;
                double yesterday = c[t + h - 24 * ((h + 23) / 24)].g_per_kwh;
                double m7 = p.m7_g_per_kwh[(t + h) % 24];

                sum[k][0] += fabs(profile_at(&p, c[t + h].t_s) - came) / came;
                sum[k][1] += fabs(yesterday - came) / came;
                sum[k][2] += fabs(m7 - came) / came;
            }
        }
        for (size_t k = 0; k < N(horizons); k++) {
            printf(
                "# %s 2022, %2d h ahead: profile %4.1f %%, yesterday %4.1f %%, week's mean %4.1f "
                "%%\n",
                grids[z], horizons[k], 100 * sum[k][0] / n, 100 * sum[k][1] / n,
                100 * sum[k][2] / n);
            UNIT_OK(sum[k][0] < sum[k][1], "%s, %d h: better than yesterday", grids[z],
                    horizons[k]);
            if (horizons[k] <= 24)
                UNIT_OK(sum[k][0] < sum[k][2], "%s, %d h: better than the mean", grids[z],
                        horizons[k]);
        }
    }
}

#define AHEAD 48

/* The hour that is, and what is believed of those to come. */
static struct series _believed(struct series_point *points, const struct series *truth, size_t hour)
{
    struct series known = {truth->points, hour + 1, truth->points[hour].t_s + HOUR};
    double g_per_kwh[AHEAD];
    struct profile p;

    UNIT_INT(profile_init(&p, &known), 1, "%zu", hour);
    profile_write(&p, known.end_s, HOUR, AHEAD, g_per_kwh);
    points[0] = truth->points[hour];
    for (size_t i = 0; i < AHEAD; i++)
        points[i + 1] = (struct series_point){known.end_s + (int64_t)i * HOUR, g_per_kwh[i], 0};
    series_sum(points, AHEAD + 1);
    return (struct series){points, AHEAD + 1, known.end_s + AHEAD * HOUR};
}

/* The start in [from_s, from_s + wait_s] with the least area: it is from_s, or begins or ends where
 * a step does. */
static int64_t _best(const struct series *s, int64_t from_s, int64_t wait_s, int64_t length_s)
{
    double least = series_area(s, from_s, from_s + length_s, NULL, NULL);
    int64_t best_s = from_s, edge_s = from_s - from_s % HOUR + HOUR;

    for (; edge_s - length_s <= from_s + wait_s; edge_s += HOUR) {
        int64_t starts_s[] = {edge_s - length_s, edge_s};

        for (int i = 0; i < 2; i++) {
            double area;

            if (starts_s[i] < from_s || starts_s[i] > from_s + wait_s)
                continue;
            area = series_area(s, starts_s[i], starts_s[i] + length_s, NULL, NULL);
            if (area < least - 1e-6) {
                least = area;
                best_s = starts_s[i];
            }
        }
    }
    return best_s;
}

/* Share of the perfect forecast's saving that the profile keeps: 100 000 jobs of LANL's Mustang
 * laid over 2022, each wherever it is greenest within 6 h (below 2 h of run time) or 24 h, lengths
 * known, no capacity. */
static double _share_kept(const char *zone)
{
    static struct series_point points[GRID_2022_HOURS], believed_points[AHEAD + 1];
    struct series truth = grid_2022(points, zone), believed = {0};
    FILE *f = grid_open("workloads/lanl-mustang-2015-100k.csv.gz");
    double asap = 0, perfect = 0, kept = 0, arrival_h, length_h, cpus;
    size_t hour_of_belief = 0;
    char line[256];

    while (fgets(line, sizeof(line), f)) {
        size_t hour;
        int64_t from_s, length_s, wait_s, best_s, chosen_s;

        if (sscanf(line, "%lf,%lf,%lf", &arrival_h, &length_h, &cpus) != 3)
            continue;
        hour = (size_t)arrival_h;
        if (hour < 168 || hour + AHEAD >= GRID_2022_HOURS)
            continue;
        from_s = GRID_2022_S + (int64_t)(arrival_h * HOUR);
        length_s = (int64_t)(length_h * HOUR);
        wait_s = (length_h < 2 ? 6 : 24) * HOUR;
        if (hour != hour_of_belief)
            believed = _believed(believed_points, &truth, hour_of_belief = hour);
        best_s = _best(&truth, from_s, wait_s, length_s);
        chosen_s = _best(&believed, from_s, wait_s, length_s);
        asap += cpus * series_area(&truth, from_s, from_s + length_s, NULL, NULL);
        perfect += cpus * series_area(&truth, best_s, best_s + length_s, NULL, NULL);
        kept += cpus * series_area(&truth, chosen_s, chosen_s + length_s, NULL, NULL);
    }
    (void)pclose(f);
    printf("# %s 2022, Mustang: perfect saves %.2f %%, the profile %.2f %%, kept %.1f %%\n", zone,
           100 * (1 - perfect / asap), 100 * (1 - kept / asap),
           100 * (asap - kept) / (asap - perfect));
    return (asap - kept) / (asap - perfect);
}

static void test_worth_de(void)
{
    UNIT_OK(_share_kept("DE") >= 0.70, "DE");
}

static void test_worth_es(void)
{
    UNIT_OK(_share_kept("ES") >= 0.70, "ES");
}

static void test_worth_pl(void)
{
    UNIT_OK(_share_kept("PL") >= 0.70, "PL");
}

static void test_worth_lu(void)
{
    UNIT_OK(_share_kept("LU") >= 0.67, "LU");
}

/* Once an hour for a year, as a simulation does. */
static void test_cost(void)
{
    static struct series_point points[GRID_2022_HOURS];
    struct timespec from, to;
    double out[96], sum = 0, ms;

    for (int i = 0; i < GRID_2022_HOURS; i++)
        points[i] = (struct series_point){T0 + (int64_t)i * HOUR, 200 + i % 24 + i % 77, 0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (size_t n = 24; n <= GRID_2022_HOURS; n++) {
        struct series known = {points, n, points[n - 1].t_s + HOUR};
        struct profile p;

        UNIT_INT(profile_init(&p, &known), 1, "%zu", n);
        profile_write(&p, known.end_s, HOUR, N(out), out);
        sum += out[95];
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
    printf("# a year of hourly forecasts of 96 h: %.1f ms\n", ms);
    UNIT_OK(sum > 0 && ms < 5000, "%.1f ms", ms);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"golden", test_golden},
        {"write", test_write},
        {"none", test_none},
        {"hostile", test_hostile},
        {"gap", test_gap},
        {"zones", test_zones},
        {"error", test_error},
        {"worth_de", test_worth_de},
        {"worth_es", test_worth_es},
        {"worth_pl", test_worth_pl},
        {"worth_lu", test_worth_lu},
        {"cost", test_cost},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "profile");
}
