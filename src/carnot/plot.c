/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plots for a terminal. Steps are averaged over the time that a column stands
 * for, so that a narrow terminal shows the same shape as a wide one.
 */
#include "config.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "carnot/plot.h"
#include "common/units.h"

#define COLUMNS_MAX 400
#define EIGHTHS 8

static const char *const blocks[EIGHTHS + 1] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const ascii[EIGHTHS + 1] = {" ", ".", ".", ":", "-", "=", "+", "*", "#"};

double plot_mean(const struct plot *p, int64_t from_s, int64_t to_s)
{
    double sum = 0, weight = 0;

    for (size_t i = 0; i < p->n; i++) {
        int64_t a = p->points[i].time_s;
        int64_t b = i + 1 < p->n ? p->points[i + 1].time_s : p->end_s;

        a = a > from_s ? a : from_s;
        b = b < to_s ? b : to_s;
        if (a < b && isfinite(p->points[i].value)) {
            sum += p->points[i].value * (double)(b - a);
            weight += (double)(b - a);
        }
    }
    return weight > 0 ? sum / weight : NAN;
}

static int64_t _edge(const struct plot *p, int column, int columns)
{
    int64_t from_s = p->points[0].time_s;

    return from_s + (p->end_s - from_s) * column / columns;
}

/* The plot as so many columns; lowest and highest of them. Returns 0 when there is no data. */
static int _columns(const struct plot *p, double *values, int columns, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    if (p->n == 0 || p->end_s <= p->points[0].time_s)
        return 0;
    for (int i = 0; i < columns; i++) {
        int64_t from_s = _edge(p, i, columns), to_s = _edge(p, i + 1, columns);

        values[i] = plot_mean(p, from_s, to_s > from_s ? to_s : from_s + 1);
        *low = fmin(*low, values[i]);
        *high = fmax(*high, values[i]);
    }
    return isfinite(*low);
}

char *plot_spark(char *buf, size_t size, const struct plot *p, int cells)
{
    double values[COLUMNS_MAX], low, high;
    size_t used = 0;

    buf[0] = '\0';
    cells = cells < COLUMNS_MAX ? cells : COLUMNS_MAX;
    if (!_columns(p, values, cells, &low, &high))
        return buf;
    for (int i = 0; i < cells; i++) {
        /* A flat line is drawn low, not full: nothing stands out. */
        double share = high > low ? (values[i] - low) / (high - low) : 0;
        int level = isfinite(values[i]) ? 1 + (int)lround(share * (EIGHTHS - 1)) : 0;
        const char *glyph = (p->utf8 ? blocks : ascii)[level];

        if (used + strlen(glyph) >= size)
            break;
        memcpy(buf + used, glyph, strlen(glyph) + 1);
        used += strlen(glyph);
    }
    return buf;
}

char *plot_share(char *buf, size_t size, double share, int cells, int utf8)
{
    static const char *const parts[EIGHTHS] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const char *full = utf8 ? "█" : "#";
    size_t used = 0;
    int eighths;

    buf[0] = '\0';
    if (!isfinite(share))
        return buf;
    share = fmin(fmax(share, 0), 1);
    eighths = (int)lround(share * cells * EIGHTHS);
    /* What is not nothing shows. */
    if (eighths == 0 && share > 0)
        eighths = 1;
    for (; eighths > 0; eighths -= EIGHTHS) {
        const char *glyph = eighths >= EIGHTHS ? full : utf8 ? parts[eighths] : ".";

        if (used + strlen(glyph) >= size)
            break;
        memcpy(buf + used, glyph, strlen(glyph) + 1);
        used += strlen(glyph);
    }
    return buf;
}

/* Which of the round spans puts labels at least this many columns apart? */
static int64_t _tick(const struct plot *p, int columns, int apart)
{
    static const int64_t spans[] = {1,   5,    10,   15,   20,    30,    60,    300,   600,
                                    900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800};
    size_t n = sizeof(spans) / sizeof(spans[0]);
    double column_s = (double)(p->end_s - p->points[0].time_s) / columns;

    for (size_t i = 0; i < n; i++)
        if ((double)spans[i] >= apart * column_s)
            return spans[i];
    return spans[n - 1] * (int64_t)ceil(apart * column_s / (double)spans[n - 1]);
}

/* A label for a tick: the clock, or the day where a day begins. */
static void _label(char *buf, size_t size, int64_t t_s, int64_t tick_s)
{
    time_t t = (time_t)t_s;
    struct tm tm;

    buf[0] = '\0';
    if (!localtime_r(&t, &tm))
        return;
    if (tick_s < 60)
        (void)strftime(buf, size, "%H:%M:%S", &tm);
    else if (tick_s >= 3600 && tm.tm_hour == 0 && tm.tm_min == 0)
        (void)strftime(buf, size, "%a %d", &tm);
    else
        (void)strftime(buf, size, "%H:%M", &tm);
}

/* Seconds since some local midnight, so that ticks fall on round local times. */
static int64_t _local(int64_t t_s)
{
    time_t t = (time_t)t_s;
    struct tm tm;

    return localtime_r(&t, &tm) ? t_s + tm.tm_gmtoff : t_s;
}

static void _axis(const struct plot *p, int columns, int margin, FILE *f)
{
    int64_t tick_s = _tick(p, columns, 8);
    char line[COLUMNS_MAX + 16], label[16];
    int free_from = 0;

    if (tick_s < 60)
        tick_s = _tick(p, columns, 11);
    memset(line, ' ', sizeof(line));
    for (int i = 0; i < columns; i++) {
        int64_t a = _local(_edge(p, i, columns) - (i == 0)),
                b = _local(_edge(p, i + 1, columns) - 1);
        int64_t at = b - b % tick_s; /* the tick in this column, if it lies behind its left edge */

        if ((i > 0 && at < a) || (i == 0 && at <= a) || i < free_from)
            continue;
        _label(label, sizeof(label), _edge(p, i + 1, columns) - 1 - b % tick_s, tick_s);
        if (i + (int)strlen(label) > columns)
            break;
        memcpy(line + i, label, strlen(label));
        free_from = i + (int)strlen(label) + 1;
    }
    while (columns > 0 && line[columns - 1] == ' ')
        columns--;
    fprintf(f, "%*s%.*s\n", margin, "", columns, line);
}

static void _mark(const struct plot *p, int columns, int margin, FILE *f)
{
    int first = -1, last = -1;

    for (int i = 0; i < columns; i++)
        if (_edge(p, i, columns) < p->mark_to_s && _edge(p, i + 1, columns) > p->mark_from_s) {
            first = first < 0 ? i : first;
            last = i;
        }
    if (first < 0)
        return;
    fprintf(f, "%*s", margin + first, "");
    for (int i = first; i <= last; i++)
        fputs(p->utf8 ? "▲" : "^", f);
    fputc('\n', f);
}

/* The column that shows t_s; the nearest one for what lies outside. */
static int _column(const struct plot *p, int columns, int64_t t_s)
{
    int i = 0;

    while (i < columns - 1 && _edge(p, i + 1, columns) <= t_s)
        i++;
    return i;
}

/* A line with ends; what goes on behind the plot has no end here. */
static void _range(const struct plot *p, int columns, int margin, FILE *f)
{
    static const char *const glyphs[2][5] = {{"-", "|", "|", "o", "*"}, {"─", "├", "┤", "○", "●"}};
    enum { LINE, FROM, TO, PIN, CHOSEN } cells[COLUMNS_MAX];
    int first = _column(p, columns, p->range_from_s), last = _column(p, columns, p->range_to_s);

    for (int i = first; i <= last; i++)
        cells[i] = LINE;
    if (p->range_to_s <= p->end_s)
        cells[last] = TO;
    cells[first] = FROM;
    for (size_t i = 0; i < p->n_pins; i++)
        if (p->pins[i] <= p->end_s)
            cells[_column(p, columns, p->pins[i])] = PIN;
    if (p->pin_s && p->pin_s <= p->end_s)
        cells[_column(p, columns, p->pin_s)] = CHOSEN;
    fprintf(f, "%*s", margin + first, "");
    for (int i = first; i <= last; i++)
        fputs(glyphs[p->utf8 != 0][cells[i]], f);
    fputc('\n', f);
}

/* Green, yellow or red by thirds between the lowest and the highest column. */
static const char *_colour(double value, double low, double high)
{
    double share = high > low ? (value - low) / (high - low) : 0;

    return share < 1.0 / 3 ? "\033[32m" : share < 2.0 / 3 ? "\033[33m" : "\033[31m";
}

static void _row(const struct plot *p, const double *values, int columns, double low, double high,
                 int row, FILE *f)
{
    const char *now = "";

    for (int i = 0; i < columns; i++) {
        double filled = values[i] / high * p->rows * EIGHTHS - (row - 1) * EIGHTHS;
        int level = isfinite(filled) ? (int)lround(fmin(fmax(filled, 0), EIGHTHS)) : 0;
        const char *want = p->colour && level > 0 ? _colour(values[i], low, high) : now;

        /* A value above zero shows, however small. */
        if (level == 0 && row == 1 && values[i] > 0)
            level = 1;
        if (want != now)
            fputs(want, f);
        now = want;
        fputs(p->utf8 ? blocks[level] : level > 4 ? "#" : level > 0 && row == 1 ? "." : " ", f);
    }
    fputs(now[0] ? "\033[0m\n" : "\n", f);
}

void plot_bars(const struct plot *p, FILE *f)
{
    double values[COLUMNS_MAX], low, high;
    char label[24];
    int margin = 8, columns = p->width - margin;

    columns = columns < 10 ? 10 : columns < COLUMNS_MAX ? columns : COLUMNS_MAX;
    if (!_columns(p, values, columns, &low, &high)) {
        fprintf(f, "%*sno data\n", margin, "");
        return;
    }
    if (high <= 0)
        high = 1;
    fprintf(f, "%*s\n", margin - 1, p->unit);
    for (int row = p->rows; row >= 1; row--) {
        /* The scale names the top of its line: at the highest, and half way. */
        if (row == p->rows || (row == p->rows / 2 && p->rows % 2 == 0))
            (void)units_format_3(label, sizeof(label), high * row / p->rows);
        else
            label[0] = '\0';
        fprintf(f, "%*s ", margin - 1, label);
        _row(p, values, columns, low, high, row, f);
    }
    _axis(p, columns, margin, f);
    if (p->range_to_s > p->range_from_s)
        _range(p, columns, margin, f);
    if (p->mark_to_s > p->mark_from_s)
        _mark(p, columns, margin, f);
}
