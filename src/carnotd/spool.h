/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The telemetry log read back: records behind a given number, in order, over the
 * live file and its rotated ones. Used by the reporter's thread while the main thread
 * appends, and at start to find the last record. Allocates.
 */
#ifndef CARNOT_CARNOTD_SPOOL_H
#define CARNOT_CARNOTD_SPOOL_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "carnotd/telemetry_log.h"
#include "common/err.h"

struct spool {
    struct telemetry_log *log;
    FILE *file;   /* that `at` is in; NULL: to be looked up */
    long at;      /* behind the last line that is done with */
    long read_to; /* behind the last line of the batch that was read */
    char *line;   /* getline's */
    size_t size;
};

void spool_init(struct spool *s, struct telemetry_log *log);
void spool_fini(struct spool *s);

/* Up to max_records records, of about max_bytes of text together, with numbers above
 * after_seq: a new array in *records (caller: json_decref), empty when there are none yet, and the
 * last one's number. *lost is how many between after_seq and the first are on no file any
 * more. Reading again without spool_done() gives the same records. 0 or -1. */
int spool_read(struct spool *s, uint64_t after_seq, int max_records, size_t max_bytes,
               json_t **records, uint64_t *last_seq, uint64_t *lost, struct err *e);

/* What was read last is done with: the next spool_read() goes on behind it. */
void spool_done(struct spool *s);

/* Somebody else's number came back: look from the beginning again. */
void spool_rewind(struct spool *s);

/* What an earlier run of the daemon left: the newest whole record in any of the files, and a new
 * array with the lines about jobs behind it (all of them when there is no record), oldest first.
 * New references, NULL where there is none; the caller gives both back. */
void spool_tail(struct telemetry_log *log, json_t **record, json_t **job_events);

#endif
