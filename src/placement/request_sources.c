/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where requests come from: the header of a batch script, an environment, and
 * the environment in which Slurm carries SPANK options. All of it is hostile
 * text in slurmctld: every read stays below the size it was given, and a
 * request is changed only when its whole source was good. Pure, any thread.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "placement/request.h"

#define LINE_MARK "#CARNOT"
#define ENV_PREFIX "CARNOT_"
#define JOB_CONTROL_PREFIX "SPANK_" /* Slurm puts it before what spank_job_control_setenv() set */
#define SPANK_OPTION_PREFIX "_SLURM_SPANK_OPTION_carnot_"
#define TTY_ENTRY REQUEST_TTY_NAME "="
#define NAME_MAX_LEN 32 /* longer than any option's name plus two mistakes */

static bool _is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static size_t _min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to insert, drop or change until the n bytes of text are the name; '_' counts as '-'. */
static size_t _distance(const char *text, size_t n, const char *name)
{
    size_t row[NAME_MAX_LEN + 1], len = strlen(name);

    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 0; i < n; i++) {
        size_t diagonal = row[0];
        char c = text[i] == '_' ? '-' : text[i];

        row[0] = i + 1;
        for (size_t j = 0; j < len; j++) {
            size_t change = diagonal + (c != name[j]);

            diagonal = row[j + 1];
            row[j + 1] = _min(change, _min(row[j], row[j + 1]) + 1);
        }
    }
    return row[len];
}

/* "unknown option 'carbon-delya'; did you mean carbon-delay?" */
static int _unknown(struct err *e, const char *name, size_t len)
{
    char copy[ERR_QUOTE_SIZE + 1], quoted[ERR_QUOTE_SIZE], names[192] = "";
    const char *nearest = NULL;
    size_t best = 3, used = 0, n = _min(len, sizeof(copy) - 1);

    memcpy(copy, name, n);
    copy[n] = '\0';
    err_quote(quoted, sizeof(quoted), copy);
    for (size_t i = 0; i < REQUEST_N_OPTIONS; i++) {
        const char *known = request_options[i].name;
        size_t d = len <= NAME_MAX_LEN ? _distance(name, len, known) : best;

        if (d < best) {
            best = d;
            nearest = known;
        }
        if (used < sizeof(names))
            used +=
                (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "", known);
    }
    errno = EINVAL;
    if (nearest)
        return err_set(e, "unknown option '%s'; did you mean %s?", quoted, nearest);
    return err_set(e, "unknown option '%s'; accepted: %s", quoted, names);
}

/* A piece of the script. */
struct span {
    const char *at;
    const char *end;
};

/* What follows name= : up to a blank, or what stands in quotes. Moves s behind it. */
static int _take_value(struct span *s, char *value, size_t size, const char *name, size_t name_len,
                       struct err *e)
{
    char quote = s->at < s->end && (*s->at == '"' || *s->at == '\'') ? *s->at : '\0';
    const char *from = quote ? s->at + 1 : s->at, *to = from;
    size_t n;

    while (to < s->end && (quote ? *to != quote : !_is_blank(*to)))
        to++;
    if (quote && (to == s->end || (to + 1 < s->end && !_is_blank(to[1])))) {
        errno = EINVAL;
        return err_set(e, "%.*s: a quote that does not end with the value", (int)name_len, name);
    }
    /* one byte more than is allowed is enough for request_set to see that it is too long */
    n = _min((size_t)(to - from), size - 1);
    memcpy(value, from, n);
    value[n] = '\0';
    s->at = quote ? to + 1 : to;
    return 0;
}

/* One word of a #CARNOT line: [--]name=value, or a flag's name. */
static int _take_word(struct request *r, struct span *s, int64_t now_s, struct err *e)
{
    const struct request_option_desc *d;
    char value[REQUEST_VALUE_MAX + 1];
    const char *name;
    size_t len;

    if (s->end - s->at >= 2 && s->at[0] == '-' && s->at[1] == '-')
        s->at += 2;
    name = s->at;
    while (s->at < s->end && *s->at != '=' && !_is_blank(*s->at))
        s->at++;
    len = (size_t)(s->at - name);
    d = request_option_find(name, len);
    if (!d)
        return _unknown(e, name, len);
    if (request_is_flag(d) && (s->at == s->end || *s->at != '='))
        return request_set(r, d->option, NULL, LAYER_SCRIPT, now_s, e);
    if (s->at == s->end || *s->at != '=') {
        errno = EINVAL;
        return err_set(e, "%s needs a value, as in %s=...; accepted: %s", d->name, d->name,
                       d->accepted);
    }
    s->at++;
    if (_take_value(s, value, sizeof(value), d->name, strlen(d->name), e) < 0)
        return -1;
    return request_set(r, d->option, value, LAYER_SCRIPT, now_s, e);
}

/* What stands behind #CARNOT in its line. */
static int _take_line(struct request *r, struct span s, int64_t now_s, struct err *e)
{
    for (;;) {
        while (s.at < s.end && _is_blank(*s.at))
            s.at++;
        if (s.at == s.end || *s.at == '#')
            return 0;
        if (_take_word(r, &s, now_s, e) < 0)
            return -1;
    }
}

/* Is this a line of ours? `#CARNOTX` and `# CARNOT` are comments like any other. */
static bool _is_ours(const struct span *line)
{
    const size_t n = sizeof(LINE_MARK) - 1;
    size_t len = (size_t)(line->end - line->at);

    return len >= n && memcmp(line->at, LINE_MARK, n) == 0 && (len == n || _is_blank(line->at[n]));
}

/* Does the script's header go on with this line? */
static bool _is_header(const struct span *line)
{
    const char *p = line->at;

    while (p < line->end && _is_blank(*p))
        p++;
    return p == line->end || *p == '#';
}

int request_from_script(struct request *r, const char *script, size_t size, int64_t now_s,
                        struct err *e)
{
    struct request local = *r;
    size_t scan = script ? _min(size, REQUEST_SCRIPT_SCAN_MAX) : 0;
    const char *stop = script ? script + strnlen(script, scan) : NULL;
    const char *p = script;
    unsigned number = 1;

    for (; p < stop; number++) {
        const char *newline = memchr(p, '\n', (size_t)(stop - p));
        struct span line = {p, newline ? newline : stop};

        if (!_is_header(&line))
            break;
        if (_is_ours(&line)) {
            /* half a value must not be read as a whole one */
            if (!newline && scan < size && line.end == script + scan && script[scan] != '\0') {
                errno = EINVAL;
                return err_set(e,
                               "script line %u: " LINE_MARK " lines must stand in the first %d KiB",
                               number, REQUEST_SCRIPT_SCAN_MAX >> 10);
            }
            line.at += sizeof(LINE_MARK) - 1;
            if (_take_line(&local, line, now_s, e) < 0)
                return err_prefix(e, "script line %u", number);
        }
        if (!newline)
            break;
        p = newline + 1;
    }
    *r = local;
    return 0;
}

int request_from_environment(struct request *r, char *const *env, size_t n, int64_t now_s,
                             struct err *e)
{
    struct request local = *r;

    for (size_t i = 0; env && i < n; i++) {
        const char *entry = env[i];

        if (!entry && n == SIZE_MAX)
            break;
        if (!entry)
            continue;
        if (strncmp(entry, JOB_CONTROL_PREFIX ENV_PREFIX,
                    sizeof(JOB_CONTROL_PREFIX ENV_PREFIX) - 1) == 0)
            entry += sizeof(JOB_CONTROL_PREFIX) - 1;
        if (strncmp(entry, ENV_PREFIX, sizeof(ENV_PREFIX) - 1) != 0)
            continue;
        for (size_t j = 0; j < REQUEST_N_OPTIONS; j++) {
            const struct request_option_desc *d = &request_options[j];
            size_t len = strlen(d->env);

            /* VAR= is how a shell takes a variable back */
            if (strncmp(entry, d->env, len) != 0 || entry[len] != '=' || !entry[len + 1])
                continue;
            if (request_set(&local, d->option, entry + len + 1, LAYER_ENVIRONMENT, now_s, e) < 0)
                return -1;
        }
    }
    *r = local;
    return 0;
}

int request_from_spank(struct request *r, char *const *env, size_t n, int64_t now_s, struct err *e)
{
    const size_t prefix = sizeof(SPANK_OPTION_PREFIX) - 1;
    struct request local = *r;

    for (size_t i = 0; env && i < n; i++) {
        const struct request_option_desc *d;
        const char *name, *equals;
        size_t len;

        if (!env[i] && n == SIZE_MAX)
            break;
        if (!env[i] || strncmp(env[i], SPANK_OPTION_PREFIX, prefix) != 0)
            continue;
        name = env[i] + prefix;
        equals = strchr(name, '=');
        len = equals ? (size_t)(equals - name) : strlen(name);
        d = request_option_find(name, len);
        if (!d)
            return _unknown(e, name, len);
        /* Slurm has a word of its own for the value of a flag: (null), in 22.05. */
        const char *value = request_is_flag(d) ? NULL : equals ? equals + 1 : "";
        if (request_set(&local, d->option, value, LAYER_FLAG, now_s, e) < 0)
            return -1;
    }
    *r = local;
    return 0;
}

int request_from_terminal(char *const *env, size_t n)
{
    int terminal = 0;

    for (size_t i = 0; env && i < n; i++) {
        if (!env[i] && n == SIZE_MAX)
            break;
        if (env[i] && strncmp(env[i], TTY_ENTRY, sizeof(TTY_ENTRY) - 1) == 0)
            terminal = strcmp(env[i] + sizeof(TTY_ENTRY) - 1, "1") == 0;
    }
    return terminal;
}
