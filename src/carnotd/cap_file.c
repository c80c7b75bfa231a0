/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two lines:
 *
 *   6f3a1c1e-...                                                    (the boot)
 *   carnot1 event=start job=81234 node=n1 ncpus=4 cap=node:300000mW exclusive=1 t_ms=1764000000123
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotd/cap_file.h"
#include "common/path.h"

#define BOOT_MAX 64
#define FILE_MAX (BOOT_MAX + 1 + NODE_EVENT_MAX + 1)

int cap_file_save(const char *path, const char *boot, const struct node_event *ev, struct err *e)
{
    char message[NODE_EVENT_MAX + 1], text[FILE_MAX + 1];
    int n;

    if (node_event_format(message, sizeof(message), ev) < 0)
        return err_errno(e, "job %u", ev->job_id);
    n = snprintf(text, sizeof(text), "%s\n%s\n", boot, message);
    if (n < 0 || n >= (int)sizeof(text))
        return err_set(e, "the boot's id is too long");
    return path_write_alone(path, text, (size_t)n, 0640, 0, e);
}

/* The second line, which ends the text. */
static bool _parse(struct node_event *ev, const char *line, const char *end)
{
    return end - line > 1 && end[-1] == '\n' &&
           node_event_parse(ev, line, (size_t)(end - 1 - line), NULL) == 0 &&
           ev->kind == NODE_EVENT_START && ev->cap.scope != POWER_CAP_NONE;
}

int cap_file_load(struct node_event *ev, const char *path, const char *boot, struct err *e)
{
    size_t size, length = strlen(boot);
    struct node_event found;
    char *text, *line;
    int rc = 0;

    if (path_read(path, FILE_MAX, &text, &size, e) < 0)
        return errno == ENOENT ? 0 : -1;
    line = memchr(text, '\n', size);
    if (!line || !_parse(&found, line + 1, text + size))
        rc = err_set(e, "%s is not as it was written", path);
    else if ((size_t)(line - text) == length && memcmp(text, boot, length) == 0 &&
             strcmp(boot, "unknown") != 0)
        rc = 1;
    free(text);
    if (rc == 1)
        *ev = found;
    return rc;
}
