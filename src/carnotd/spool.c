/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading records back. A file is known by its descriptor, not its name, which
 * changes under us when the log is rotated; names are looked up under the log's
 * lock only. Lines that are no records, torn or damaged are passed over.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnotd/spool.h"

/* The number of the record in a line of ours, 0 for any other line. Cheap: most lines that are
 * looked at after a restart were acknowledged long ago. */
static uint64_t _quick_seq(const char *line)
{
    const char *seq = strstr(line, "\"seq\":");

    if (!seq || !strstr(line, "\"ev\":\"record\""))
        return 0;
    return strtoull(seq + 6, NULL, 10);
}

void spool_init(struct spool *s, struct telemetry_log *log)
{
    memset(s, 0, sizeof(*s));
    s->log = log;
}

void spool_rewind(struct spool *s)
{
    if (s->file)
        (void)fclose(s->file);
    s->file = NULL;
    s->at = s->read_to = 0;
}

void spool_fini(struct spool *s)
{
    spool_rewind(s);
    free(s->line);
    s->line = NULL;
}

/* The next whole line into s->line; false at the end. */
static bool _next_line(struct spool *s, FILE *f)
{
    ssize_t n = getline(&s->line, &s->size, f);

    return n > 0 && s->line[n - 1] == '\n';
}

static FILE *_open_file(const struct telemetry_log *log, int i)
{
    char name[TELEMETRY_PATH_MAX + 16];

    return telemetry_log_name(log, i, name, sizeof(name)) < 0 ? NULL : fopen(name, "re");
}

/* The first record number in a file, 0 when it has none. */
static uint64_t _first_seq(struct spool *s, FILE *f)
{
    uint64_t seq = 0;

    rewind(f);
    while (seq == 0 && _next_line(s, f))
        seq = _quick_seq(s->line);
    return seq;
}

/* Open the newest file that begins at or before after_seq + 1, else the oldest with records. */
static void _locate(struct spool *s, uint64_t after_seq)
{
    FILE *f, *best = NULL;

    (void)pthread_mutex_lock(&s->log->rotation);
    for (int i = 0; i <= s->log->keep; i++) {
        uint64_t first;

        f = _open_file(s->log, i);
        if (!f)
            continue;
        first = _first_seq(s, f);
        if (first == 0 && best) {
            (void)fclose(f);
            continue;
        }
        if (best)
            (void)fclose(best);
        best = f;
        if (first && first <= after_seq + 1)
            break;
    }
    (void)pthread_mutex_unlock(&s->log->rotation);
    s->file = best;
    s->at = s->read_to = 0;
}

static bool _is_file(FILE *f, const char *name)
{
    struct stat ours, theirs;

    return fstat(fileno(f), &ours) == 0 && stat(name, &theirs) == 0 &&
           ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

/* The end of a file that is no longer the live one: go on to the next newer. True when there is
 * more to read. */
static bool _advance(struct spool *s)
{
    char name[TELEMETRY_PATH_MAX + 16];
    FILE *next = NULL;
    int i;

    (void)pthread_mutex_lock(&s->log->rotation);
    for (i = 0; i <= s->log->keep; i++) {
        if (telemetry_log_name(s->log, i, name, sizeof(name)) == 0 && _is_file(s->file, name))
            break;
    }
    for (int k = i - 1; k >= 0 && i <= s->log->keep && !next; k--)
        next = _open_file(s->log, k);
    (void)pthread_mutex_unlock(&s->log->rotation);
    if (i == 0)
        return false;
    spool_rewind(s);
    s->file = next; /* NULL when ours was rotated away: looked up anew */
    return true;
}

/* Collect from the present file. 0 or -1. */
static int _collect(struct spool *s, uint64_t after_seq, int max_records, size_t max_bytes,
                    json_t *records, uint64_t *last_seq, struct err *e)
{
    size_t bytes = 0;

    clearerr(s->file);
    if (fseek(s->file, s->at, SEEK_SET) < 0)
        return err_errno(e, "cannot seek in %s", s->log->path);
    s->read_to = s->at;
    while ((int)json_array_size(records) < max_records && bytes < max_bytes &&
           _next_line(s, s->file)) {
        uint64_t seq = _quick_seq(s->line);
        json_t *record = seq > *last_seq ? json_loads(s->line, 0, NULL) : NULL;

        if (record && json_array_append_new(records, record) < 0) {
            errno = ENOMEM;
            return err_errno(e, "cannot collect records");
        }
        if (record) {
            bytes += strlen(s->line);
            *last_seq = seq;
        }
        s->read_to = ftell(s->file);
        /* what was acknowledged need not be passed over again */
        if (!record && *last_seq == after_seq)
            s->at = s->read_to;
    }
    return 0;
}

int spool_read(struct spool *s, uint64_t after_seq, int max_records, size_t max_bytes,
               json_t **records, uint64_t *last_seq, uint64_t *lost, struct err *e)
{
    json_t *all = json_array();
    uint64_t first;
    bool more = true;

    *lost = 0;
    *last_seq = after_seq;
    while (all && more && json_array_size(all) == 0) {
        if (!s->file)
            _locate(s, after_seq);
        if (!s->file)
            break;
        if (_collect(s, after_seq, max_records, max_bytes, all, last_seq, e) < 0) {
            json_decref(all);
            return -1;
        }
        more = json_array_size(all) == 0 && _advance(s);
    }
    if (!all) {
        errno = ENOMEM;
        return err_errno(e, "cannot collect records");
    }
    first = (uint64_t)json_integer_value(json_object_get(json_array_get(all, 0), "seq"));
    if (json_array_size(all) > 0 && first > after_seq + 1)
        *lost = first - after_seq - 1;
    *records = all;
    return 0;
}

void spool_done(struct spool *s)
{
    s->at = s->read_to;
}

/* The last record of a file, NULL if it has none; events are the lines about jobs behind it. */
static json_t *_file_tail(struct spool *s, FILE *f, json_t *events)
{
    char *last = NULL;
    json_t *record;

    while (_next_line(s, f)) {
        if (_quick_seq(s->line) > 0) {
            free(last);
            last = strdup(s->line);
            (void)json_array_clear(events);
        } else if (strstr(s->line, "\"ev\":\"job.")) {
            (void)json_array_append_new(events, json_loads(s->line, 0, NULL));
        }
    }
    record = last ? json_loads(last, 0, NULL) : NULL;
    free(last);
    return record;
}

void spool_tail(struct telemetry_log *log, json_t **record, json_t **job_events)
{
    struct spool s;

    *record = NULL;
    *job_events = NULL;
    spool_init(&s, log);
    for (int i = 0; i <= log->keep && !*record; i++) {
        FILE *f = _open_file(log, i);
        json_t *older = json_array();

        if (f && older) {
            *record = _file_tail(&s, f, older);
            if (*job_events)
                (void)json_array_extend(older, *job_events);
            json_decref(*job_events);
            *job_events = older;
            older = NULL;
        }
        json_decref(older);
        if (f)
            (void)fclose(f);
    }
    spool_fini(&s);
}
