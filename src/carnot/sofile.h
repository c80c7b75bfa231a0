/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Slurm plugin looked at without loading it: what its symbols say about it. The bytes are not
 * trusted: a file that is cut or no library at all is an error, never a crash.
 */
#ifndef CARNOT_SOFILE_H
#define CARNOT_SOFILE_H

#include <stddef.h>
#include <stdint.h>
#include "common/err.h"

#define SOFILE_TEXT_MAX 96

struct sofile {
    char type[SOFILE_TEXT_MAX];    /* plugin_type: "job_submit/carnot", "spank"; "" = none */
    char name[SOFILE_TEXT_MAX];    /* plugin_name */
    char release[SOFILE_TEXT_MAX]; /* carnot_version: "0.1.0"; "" = none */
    uint32_t version;              /* plugin_version: the Slurm it was built for; 0 = none */
    void *data;                    /* the file */
    size_t size;
};

/* Read what is in size bytes; copies them. 0, or -1 and e (errno ENOEXEC), *s untouched. */
int sofile_parse(struct sofile *s, const void *data, size_t size, struct err *e);
/* path_read and sofile_parse. */
int sofile_read(struct sofile *s, const char *path, struct err *e);
void sofile_fini(struct sofile *s); /* legal on a zeroed one */

/* Does it define and export a symbol of this name? */
int sofile_exports(const struct sofile *s, const char *symbol);

#endif
