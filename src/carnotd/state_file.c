/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state file: one JSON object on one line, with a checksum of all before it as its last key,
 * so that what a broken disk or a full one has left of it is told from what was written.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnotd/line.h"
#include "carnotd/state_file.h"
#include "common/log.h"
#include "common/path.h"

#define FILE_MAX (256u << 10)
#define CHECK_KEY ",\"check\":\""
#define CHECK_DIGITS 16
/* Of the whole tail: ,"check":"0123456789abcdef"} and a newline. */
#define CHECK_SIZE (sizeof(CHECK_KEY) - 1 + CHECK_DIGITS + 3)

/* FNV-1a. */
static uint64_t _checksum(const char *text, size_t n)
{
    uint64_t sum = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < n; i++)
        sum = (sum ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return sum;
}

/* JSON has no unsigned numbers of 64 bits. */
static void _number(struct line *l, const char *key, uint64_t value)
{
    line_u64(l, key, value > INT64_MAX ? INT64_MAX : value);
}

static void _write_source(struct line *l, const struct source *source, uint64_t owed_uj)
{
    const struct counter *c = &source->counter;

    line_object(l);
    line_str(l, "name", source->name);
    line_str(l, "path", source->path);
    _number(l, "range", c->range_uj);
    if (c->primed && !source->sampled) {
        _number(l, "raw", c->last_uj);
        line_i64(l, "raw_ms", c->last_ms);
        line_i64(l, "changed_ms", c->changed_ms);
    }
    _number(l, "total_uj", c->total_uj);
    _number(l, "owed_uj", owed_uj);
    for (int i = 0; i < COUNTER_RESULTS; i++)
        _number(l, counter_result_name((enum counter_result)i), c->count[i]);
    _number(l, "missing", source->failures);
    line_object_end(l);
}

static int _format(struct sampler *s)
{
    char check[CHECK_DIGITS + 1];
    struct line l;

    line_begin(&l, s->line, SAMPLER_LINE_MAX);
    line_u64(&l, "v", 1);
    line_time(&l, "ts", s->start_wall_ms);
    line_str(&l, "node", s->node);
    line_str(&l, "boot", s->boot);
    _number(&l, "seq", s->seq);
    line_i64(&l, "wall_ms", s->start_wall_ms);
    line_i64(&l, "mono_ms", s->start_mono_ms);
    if (s->busy_known)
        _number(&l, "busy_us", s->start_busy_us);
    _number(&l, "idle_uj", s->sums.idle_uj);
    _number(&l, "system_uj", s->sums.system_uj);
    _number(&l, "jobs_uj", s->sums.jobs_uj);
    line_array(&l, "sources");
    for (int i = 0; i < s->meter->n; i++) {
        const struct source *source = &s->meter->sources[i];

        if (!source->inside)
            _write_source(&l, source, s->meter->owed_uj[i]);
    }
    line_array_end(&l);
    (void)snprintf(check, sizeof(check), "%016" PRIx64, _checksum(s->line, l.used));
    line_str(&l, "check", check);
    return line_end(&l);
}

void state_file_save(struct sampler *s, bool synced)
{
    struct err e;
    int n = _format(s), rc;

    if (n < 0 || (unsigned)n > FILE_MAX)
        rc = err_set(&e, "%s would be larger than %u bytes", s->state_path, FILE_MAX);
    else if (synced)
        rc = path_write_alone(s->state_path, s->line, (size_t)n, 0640, 1, &e);
    else
        rc = path_write_in_turn(s->state_path, s->line, (size_t)n, 0640, &e);
    if (rc < 0 && !s->state_failing)
        log_err("%s: after a restart some sources begin anew", e.text);
    if (rc == 0 && s->state_failing)
        log_info("%s can be written again", s->state_path);
    s->state_failing = rc < 0;
}

/* A whole number from 0 on? */
static bool _is_count(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) && json_integer_value(value) >= 0;
}

/* All of them must be; mono_ms is when the file was written. */
static bool _is_source(const json_t *entry, json_int_t mono_ms)
{
    for (int i = 0; i < COUNTER_RESULTS; i++)
        if (!_is_count(entry, counter_result_name((enum counter_result)i)))
            return false;
    if (!_is_count(entry, "range") || !_is_count(entry, "total_uj") ||
        !_is_count(entry, "owed_uj") || !_is_count(entry, "missing") ||
        !json_is_string(json_object_get(entry, "name")) ||
        !json_is_string(json_object_get(entry, "path")))
        return false;
    if (!json_object_get(entry, "raw"))
        return true;
    return _is_count(entry, "raw") && _is_count(entry, "raw_ms") &&
           _is_count(entry, "changed_ms") &&
           json_integer_value(json_object_get(entry, "raw_ms")) <= mono_ms &&
           json_integer_value(json_object_get(entry, "changed_ms")) <=
               json_integer_value(json_object_get(entry, "raw_ms"));
}

/* What is wrong with it, NULL when nothing is. */
static const char *_fault(const json_t *state, const char *node)
{
    const json_t *sources = json_object_get(state, "sources"), *entry;
    const char *name = json_string_value(json_object_get(state, "node"));
    size_t i;

    if (json_integer_value(json_object_get(state, "v")) != 1)
        return "it is of another version";
    if (!name || strcmp(name, node) != 0)
        return "it is of another node";
    if (!json_is_string(json_object_get(state, "boot")) || !_is_count(state, "seq") ||
        !_is_count(state, "idle_uj") || !_is_count(state, "system_uj") ||
        !_is_count(state, "jobs_uj") || !_is_count(state, "wall_ms") ||
        !_is_count(state, "mono_ms") || !json_is_array(sources) ||
        (json_object_get(state, "busy_us") && !_is_count(state, "busy_us")))
        return "it is damaged";
    json_array_foreach(sources, i, entry)
    {
        if (!_is_source(entry, json_integer_value(json_object_get(state, "mono_ms"))))
            return "it is damaged";
    }
    return NULL;
}

json_t *state_file_parse(const char *text, size_t size, const char *node, struct err *e)
{
    const char *tail = size > CHECK_SIZE ? text + size - CHECK_SIZE : NULL;
    char want[CHECK_SIZE + 1];
    const char *fault = "it is damaged";
    json_t *state = NULL;

    if (tail) {
        (void)snprintf(want, sizeof(want), "%s%016" PRIx64 "\"}\n", CHECK_KEY,
                       _checksum(text, size - CHECK_SIZE));
        if (memcmp(tail, want, CHECK_SIZE) == 0)
            state = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    }
    if (state)
        fault = _fault(state, node);
    if (!fault)
        return state;
    json_decref(state);
    (void)err_set(e, "%s", fault);
    return NULL;
}

/* A file of ours that nobody else can have written, of a sane size. */
static int _open(const char *path, size_t *size, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0)
        return err_errno(e, "it cannot be opened");
    if (fstat(fd, &st) < 0)
        (void)err_errno(e, "it cannot be examined");
    else if (!S_ISREG(st.st_mode))
        (void)err_set(e, "it is no file");
    else if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 022))
        (void)err_set(e, "others can write it");
    else if (st.st_size > (off_t)FILE_MAX)
        (void)err_set(e, "it is too large");
    else {
        *size = (size_t)st.st_size;
        return fd;
    }
    (void)close(fd);
    errno = EINVAL;
    return -1;
}

json_t *state_file_load(const char *path, const char *node, struct err *e)
{
    json_t *state = NULL;
    size_t size = 0, used = 0;
    ssize_t n = 1;
    char *text;
    int fd = _open(path, &size, e);

    if (fd < 0) {
        if (errno == ENOENT)
            e->text[0] = '\0';
        return NULL;
    }
    text = malloc(size + 1);
    while (text && used < size && n > 0) {
        n = read(fd, text + used, size - used);
        used += n > 0 ? (size_t)n : 0;
    }
    if (!text || n < 0)
        (void)err_errno(e, "it cannot be read");
    else
        state = state_file_parse(text, used, node, e);
    free(text);
    (void)close(fd);
    return state;
}
