/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One JSON object on one line, written into a buffer of the caller: what the
 * telemetry log needs of JSON, without allocation. Keys come in the order of the calls; commas
 * are put where needed. What does not fit marks the line as failed, and it stays so.
 */
#ifndef CARNOT_CARNOTD_LINE_H
#define CARNOT_CARNOTD_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line {
    char *buf;
    size_t size;
    size_t used;
    bool comma;  /* the next key or value needs one */
    bool failed; /* something did not fit */
};

/* Begin the line in buf, with '{'. */
void line_begin(struct line *l, char *buf, size_t size);

void line_str(struct line *l, const char *key, const char *text); /* escaped; NULL: null */
void line_u64(struct line *l, const char *key, uint64_t value);
void line_i64(struct line *l, const char *key, int64_t value);
void line_bool(struct line *l, const char *key, bool value);
void line_null(struct line *l, const char *key);
/* "2026-11-24T09:12:03.114Z" of milliseconds since the epoch, UTC. */
void line_time(struct line *l, const char *key, int64_t t_ms);

void line_array(struct line *l, const char *key); /* "key":[ */
void line_array_end(struct line *l);
void line_object(struct line *l); /* { as the next element of an array */
void line_object_end(struct line *l);

/* Close the object and end the line with a newline. Its length, or -1 when it did not fit. */
int line_end(struct line *l);

#endif
