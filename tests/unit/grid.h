/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real intensities for tests: columns of the gzipped tables in the test data.
 * Used by one test program at a time, hence static; skips where there is no data.
 */
#ifndef CARNOT_TESTS_GRID_H
#define CARNOT_TESTS_GRID_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "carbon/series.h"
#include "unit.h"

#define GRID_2022_S 1640995200 /* 2022-01-01T00:00:00Z */
#define GRID_2022_HOURS 8760

/* Open a gzipped file of the test data for reading, or skip the case. pclose() it. */
static inline FILE *grid_open(const char *name)
{
    char path[512], command[600];
    FILE *f;

    if (!unit_testdata(path, sizeof(path), name))
        unit_skip("no test data: set CARNOT_TESTDATA");
    (void)snprintf(command, sizeof(command), "exec gzip -dc '%s'", path);
    f = popen(command, "r");
    if (!f)
        unit_skip("cannot run gzip");
    return f;
}

/* Field i of a line, cut out in place; strtok would join empty ones. */
static inline char *grid_field(char *line, int i)
{
    for (; line && i > 0; i--) {
        line = strchr(line, ',');
        line = line ? line + 1 : NULL;
    }
    if (line)
        line[strcspn(line, ",\r\n")] = '\0';
    return line;
}

/* The year 2022 of a zone, hourly, with areas. points has room for GRID_2022_HOURS. */
static inline struct series grid_2022(struct series_point *points, const char *zone)
{
    FILE *f = grid_open("carbon/em-2022-hourly-europe.csv.gz");
    char line[4096], *name, copy[4096];
    int column = 0;
    size_t n = 0;

    if (!fgets(line, sizeof(line), f))
        unit_skip("cannot read the test data");
    do {
        (void)snprintf(copy, sizeof(copy), "%s", line);
        name = grid_field(copy, ++column);
    } while (name && strcmp(name, zone) != 0);
    for (; name && n < GRID_2022_HOURS && fgets(line, sizeof(line), f); n++) {
        points[n].t_s = GRID_2022_S + (int64_t)n * 3600;
        points[n].g_per_kwh = strtod(grid_field(line, column), NULL);
    }
    (void)pclose(f);
    UNIT_INT(n, GRID_2022_HOURS, "hours of %s", zone);
    series_sum(points, n);
    return (struct series){points, n, GRID_2022_S + (int64_t)n * 3600};
}

#endif
