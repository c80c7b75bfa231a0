/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *   carnot-powercap 1
 *   boot 6f3a1c1e-...
 *   job 81234
 *   rapl intel-rapl:0 165000000 132000000
 *   nvml 0000:c1:00.0 300000000 0
 *   end
 *
 * In microwatts: what it was, and what it read back as (0: not known yet). Only root writes it; a
 * line that is not as above is a hand's work or a bad disk's, and nothing in the file is believed
 * then.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/message.h"
#include "common/path.h"
#include "powercap/journal.h"

#define HEAD "carnot-powercap 1"
#define TAIL "end"
#define LINE_MAX_SIZE 128
#define FILE_MAX ((LIMITS_MAX + 4) * LINE_MAX_SIZE)

int journal_write(const struct journal *j, const char *path, struct err *e)
{
    char text[FILE_MAX];
    int used = snprintf(text, sizeof(text), HEAD "\nboot %s\njob %" PRIu32 "\n", j->boot, j->job);

    for (int i = 0; i < j->n; i++) {
        const struct journal_entry *entry = &j->v[i];

        used +=
            snprintf(text + used, sizeof(text) - (size_t)used, "%s %s %" PRIu64 " %" PRIu64 "\n",
                     limit_kind_name(entry->kind), entry->id, entry->old_uw, entry->actual_uw);
    }
    used += snprintf(text + used, sizeof(text) - (size_t)used, TAIL "\n");
    return path_write_alone(path, text, (size_t)used, 0600, 1, e);
}

/* The text behind "key ", NULL when the line begins otherwise. */
static const char *_behind(const char *line, const char *key)
{
    size_t n = strlen(key);

    return line && strncmp(line, key, n) == 0 && line[n] == ' ' ? line + n + 1 : NULL;
}

static bool _number(const char *text, uint64_t max, uint64_t *out)
{
    return text && message_number(text, strlen(text), max, out);
}

/* "rapl intel-rapl:0 165000000 0" */
static bool _read_entry(struct journal *j, char *line)
{
    const char *kind = strsep(&line, " "), *id = strsep(&line, " "), *old = strsep(&line, " ");
    struct journal_entry *entry = &j->v[j->n];

    if (j->n == LIMITS_MAX || !id || strlen(id) >= sizeof(entry->id) || !id[0])
        return false;
    entry->kind = strcmp(kind, limit_kind_name(LIMIT_NVML)) == 0 ? LIMIT_NVML : LIMIT_RAPL;
    memcpy(entry->id, id, strlen(id) + 1);
    j->n++;
    return strcmp(kind, limit_kind_name(entry->kind)) == 0 &&
           _number(old, INT64_MAX, &entry->old_uw) && entry->old_uw > 0 &&
           _number(line, INT64_MAX, &entry->actual_uw);
}

int journal_parse(struct journal *j, char *text, size_t size)
{
    bool whole = strlen(text) == size;
    const char *head = strsep(&text, "\n");
    const char *boot = _behind(strsep(&text, "\n"), "boot");
    const char *job = _behind(strsep(&text, "\n"), "job");
    uint64_t number = 0;
    char *line;

    memset(j, 0, sizeof(*j));
    if (!whole || strcmp(head, HEAD) != 0 || !boot || strlen(boot) >= sizeof(j->boot) ||
        !_number(job, UINT32_MAX, &number))
        return -1;
    memcpy(j->boot, boot, strlen(boot) + 1);
    j->job = (uint32_t)number;
    while ((line = strsep(&text, "\n")) && strcmp(line, TAIL) != 0) {
        if (!_read_entry(j, line))
            return -1;
    }
    return line && text && text[0] == '\0' ? 0 : -1;
}

int journal_read(struct journal *j, const char *path, struct err *e)
{
    char *text = NULL;
    size_t size;
    bool good;

    if (path_read(path, FILE_MAX, &text, &size, e) < 0)
        return errno == ENOENT ? 0 : -1;
    good = journal_parse(j, text, size) == 0;
    free(text);
    if (good)
        return 1;
    errno = EBADMSG;
    return err_set(e, "%s is not as it was written: put the limits back by hand and remove it",
                   path);
}

int journal_remove(const char *path, struct err *e)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return 0;
    return err_errno(e, "cannot remove %s", path);
}
