/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's settings as pairs of key and value: from slurm.conf, or from what slurmctld says it runs
 * with. Keys are found in any case, as Slurm does; of a key given twice the later one counts.
 */
#ifndef CARNOT_SLURMCONF_H
#define CARNOT_SLURMCONF_H

#include <stddef.h>
#include <stdint.h>
#include "common/err.h"

struct slurmconf {
    struct slurmconf_pair {
        char *key, *value;
    } * pairs;
    size_t n;
};

/* slurm.conf with its includes. Lines about nodes, partitions and the like are passed over. 0, or
 * -1 and e with the file and the line; *s is empty then. */
int slurmconf_read(struct slurmconf *s, const char *path, struct err *e);

/* What `scontrol show config` prints: "Key = value with spaces", one a line; lines of another form
 * are passed over. Pure. 0, or -1 and e: no memory, or no setting in it at all. */
int slurmconf_parse_shown(struct slurmconf *s, const char *text, size_t size, struct err *e);

/* One line of slurm.conf: pairs "Key=Value" and "Key="quoted value"" go to s. 0, or -1 and e. */
int slurmconf_line(struct slurmconf *s, const char *line, struct err *e);

void slurmconf_fini(struct slurmconf *s); /* legal on a zeroed one */

/* The value; NULL when it is not there, empty, or what Slurm prints for none. */
const char *slurmconf_get(const struct slurmconf *s, const char *key);
/* The same, with another value for none. */
const char *slurmconf_or(const struct slurmconf *s, const char *key, const char *none);

/* Is the word in a comma list, in any case? "bf_interval" is in "bf_interval=30". NULL is an empty
 * list. */
int slurmconf_has(const char *list, const char *word);
/* Is the last one this? */
int slurmconf_is_last(const char *list, const char *word);
/* The list without that word; and with it at the end: "lua,carnot". buf, cut to fit. */
char *slurmconf_without(char *buf, size_t size, const char *list, const char *word);
char *slurmconf_put_last(char *buf, size_t size, const char *list, const char *word);

/* "300", "300 sec", "7-00:00:00", "00:05:00": seconds. -1: no such time (UNLIMITED, INFINITE, NONE,
 * nonsense). */
int64_t slurmconf_seconds(const char *value);

/* "22.05.8", also with words around it ("slurm-wlm 22.05.8"), as Slurm numbers versions; *parts is
 * how many of the three numbers were given. 0, or -1. */
int slurmconf_version(const char *text, uint32_t *version, int *parts);
/* The reverse, "22.05.8". */
char *slurmconf_version_text(char *buf, size_t size, uint32_t version);

#endif
