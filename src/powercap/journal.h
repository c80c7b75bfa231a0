/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What limits were before they were changed, on the disk before the first of them is. A file of
 * text, replaced as a whole and synced; it is there as long as something is to be put back. Blocks
 * on the disk.
 */
#ifndef CARNOT_POWERCAP_JOURNAL_H
#define CARNOT_POWERCAP_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "powercap/limits.h"

#define JOURNAL_BOOT_SIZE 64

struct journal_entry {
    enum limit_kind kind;
    char id[LIMIT_ID_SIZE];
    uint64_t old_uw;    /* what it was */
    uint64_t actual_uw; /* what it read back as once it was set; 0: that is not known yet */
};

struct journal {
    char boot[JOURNAL_BOOT_SIZE]; /* limits do not outlive it */
    uint32_t job;
    struct journal_entry v[LIMITS_MAX];
    int n;
};

/* 1 and *j; 0 when there is none; -1 and e, also when it is not as it was written. */
int journal_read(struct journal *j, const char *path, struct err *e);

/* The text of a file, size bytes with a NUL behind them, which is cut up. 0 and *j, or -1 when it
 * is not as it was written; *j is of no use then. No I/O. */
int journal_parse(struct journal *j, char *text, size_t size);

/* On the disk when it returns 0; else -1 and e, and what is there is the old one or the new. */
int journal_write(const struct journal *j, const char *path, struct err *e);

/* 0, also when there was none; or -1 and e. */
int journal_remove(const char *path, struct err *e);

#endif
