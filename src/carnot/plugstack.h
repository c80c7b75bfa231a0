/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plugstack.conf: which SPANK plugins Slurm loads, in which order.
 */
#ifndef CARNOT_PLUGSTACK_H
#define CARNOT_PLUGSTACK_H

#include <stddef.h>
#include "common/err.h"

struct plugstack_entry {
    int required; /* else optional */
    char *plugin; /* as written: a name in PluginDir, or a path */
    char *args;   /* the rest of the line, "" for none */
    char *file;   /* where it is written */
    int number;
};

struct plugstack {
    struct plugstack_entry *entries;
    size_t n;
};

/* With its includes. 0, or -1 and e with file and line (errno ENOENT: there is none); *p is empty
 * then. */
int plugstack_read(struct plugstack *p, const char *path, struct err *e);
/* One line into p. 0, or -1 and e. */
int plugstack_line(struct plugstack *p, const char *line, const char *file, int number,
                   struct err *e);
void plugstack_fini(struct plugstack *p); /* legal on a zeroed one */

/* The first entry at or behind number from whose plugin has this file name; NULL at the end. */
const struct plugstack_entry *plugstack_find(const struct plugstack *p, size_t from,
                                             const char *name);

/* The value of an argument "key=value": buf, or NULL when it is not there. */
char *plugstack_arg(const struct plugstack_entry *entry, const char *key, char *buf, size_t size);

#endif
