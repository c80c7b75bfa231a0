/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the series of an answer to a plot.
 */
#include "config.h"

#include <stdlib.h>

#include "carnot/answer.h"
#include "carnot/series_plot.h"

int series_plot_load(const struct cli *c, const json_t *series, struct plot *p)
{
    size_t n = json_array_size(series), i;
    struct plot_point *points = n ? calloc(n, sizeof(*points)) : NULL;
    json_t *row;

    *p = (struct plot){.unit = "g/kWh", .width = c->width, .utf8 = c->utf8, .colour = c->colour};
    if (!points)
        return -1;
    json_array_foreach(series, i, row)
    {
        int64_t t_s = answer_time(row, "time");

        if (t_s == ANSWER_NONE || (p->n > 0 && t_s <= points[p->n - 1].time_s))
            continue;
        points[p->n++] = (struct plot_point){t_s, answer_number(row, "g_per_kwh")};
    }
    if (p->n == 0) {
        free(points);
        return -1;
    }
    p->points = points;
    /* The last step is as long as the one before it. */
    p->end_s = points[p->n - 1].time_s +
               (p->n > 1 ? points[p->n - 1].time_s - points[p->n - 2].time_s : 900);
    return 0;
}

void series_plot_free(struct plot *p)
{
    free((void *)p->points);
    p->points = NULL;
    p->n = 0;
}
