/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * telemetry.jsonl: one line a record or event, one write() a line, rotated here.
 * The write is the commit: a line that is in the file with its newline counts, whatever happens to
 * the daemon after it. The log is the spool as well (spool.h), so that records carry numbers that
 * never come twice.
 */
#ifndef CARNOT_CARNOTD_TELEMETRY_LOG_H
#define CARNOT_CARNOTD_TELEMETRY_LOG_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/settings.h"

#define TELEMETRY_LOG_NAME "telemetry.jsonl"
#define TELEMETRY_PATH_MAX (SETTINGS_PATH_MAX + 32)

struct telemetry_log {
    char path[TELEMETRY_PATH_MAX]; /* telemetry.jsonl */
    int fd;
    uint64_t size;      /* of the file; whatever is behind it is not ours */
    uint64_t appended;  /* bytes since it was opened */
    uint64_t max_bytes; /* a line that would make it larger goes to a new file */
    int keep;           /* rotated files */
    /* Held while files are renamed, and by readers while they find out which file is which. */
    pthread_mutex_t rotation;
};

/* Open or create DIR/telemetry.jsonl for appending, dir included. A torn last line of a crash is
 * cut off. 0 or -1. Blocks on the disk. */
int telemetry_log_open(struct telemetry_log *log, const char *dir, uint64_t max_bytes, int keep,
                       struct err *e);

/* Append a line (with its newline) by one write(). 0, or -1 and the file as it was. No
 * allocation. */
int telemetry_log_append(struct telemetry_log *log, const char *line, size_t size, struct err *e);

/* fsync and close. */
void telemetry_log_close(struct telemetry_log *log);

/* The name of rotated file i (0 = the live one). 0 or -1. */
int telemetry_log_name(const struct telemetry_log *log, int i, char *buf, size_t size);

#endif
