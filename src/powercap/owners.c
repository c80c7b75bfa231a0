/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Known by the name of their daemon's process, since each sets limits only while that runs.
 */
#include "config.h"

#include <string.h>

#include "common/path.h"
#include "power/sysfs.h"
#include "powercap/owners.h"

/* By the kernel's name of the process (comm, 15 characters). */
static const struct owner {
    const char *comm, *name;
} owners[] = {
    {"eard", "EAR"},                             /* Energy Aware Runtime: its node daemon */
    {"geopmd", "GEOPM"},                         /* GEOPM's access service */
    {"thermald", "Intel's thermal daemon"},      /* writes powercap's constraints */
    {"nvidia-powerd", "NVIDIA's dynamic boost"}, /* shifts power between CPU and GPU */
};

struct search {
    const char *proc;
    struct err *why;
    int found;
};

static void _look(const char *entry, void *arg)
{
    struct search *s = arg;
    char dir[SOURCE_PATH_MAX], comm[32];

    if (s->found || entry[strspn(entry, "0123456789")] != '\0' ||
        path_format(dir, sizeof(dir), "%s/%s", s->proc, entry) < 0 ||
        sysfs_text(dir, "comm", comm, sizeof(comm)) <= 0)
        return;
    for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
        if (strcmp(comm, owners[i].comm) == 0) {
            (void)err_set(s->why, "%s (%s, process %s) looks after the limits here", owners[i].comm,
                          owners[i].name, entry);
            s->found = 1;
        }
    }
}

int owners_find(const char *sysroot, struct err *why)
{
    char proc[SOURCE_PATH_MAX];
    struct search s = {.proc = proc, .why = why};

    if (path_format(proc, sizeof(proc), "%s/proc", sysroot) == 0)
        (void)sysfs_each(proc, "", _look, &s);
    return s.found;
}
