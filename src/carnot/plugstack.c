/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plugstack.conf; see the header.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnot/lines.h"
#include "carnot/plugstack.h"

static const char blank[] = " \t\r";

static void _entry_fini(struct plugstack_entry *entry)
{
    free(entry->plugin);
    free(entry->args);
    free(entry->file);
}

int plugstack_line(struct plugstack *p, const char *line, const char *file, int number,
                   struct err *e)
{
    size_t word = strcspn(line, blank);
    const char *plugin = line + word + strspn(line + word, blank), *args;
    size_t length = strcspn(plugin, blank);
    struct plugstack_entry entry = {.number = number}, *grown;
    char quoted[ERR_QUOTE_SIZE];

    entry.required = word == 8 && strncmp(line, "required", 8) == 0;
    if ((!entry.required && (word != 8 || strncmp(line, "optional", 8) != 0)) || length == 0)
        return err_set(e,
                       "%s:%d: '%s' is no line of plugstack.conf: use optional, required or "
                       "include, and a file",
                       file, number, err_quote(quoted, sizeof(quoted), line));
    args = plugin + length + strspn(plugin + length, blank);
    entry.plugin = strndup(plugin, length);
    entry.args = strdup(args);
    entry.file = strdup(file);
    grown = realloc(p->entries, (p->n + 1) * sizeof(*grown));
    if (grown)
        p->entries = grown;
    if (!grown || !entry.plugin || !entry.args || !entry.file) {
        _entry_fini(&entry);
        return err_errno(e, "no memory");
    }
    p->entries[p->n++] = entry;
    return 0;
}

static int _line(const char *line, const char *file, int number, void *arg, struct err *e)
{
    return plugstack_line(arg, line, file, number, e);
}

int plugstack_read(struct plugstack *p, const char *path, struct err *e)
{
    struct plugstack next = {0};
    int saved;

    if (lines_read(path, _line, &next, e) < 0) {
        saved = errno;
        plugstack_fini(&next);
        errno = saved;
        return -1;
    }
    *p = next;
    return 0;
}

void plugstack_fini(struct plugstack *p)
{
    for (size_t i = 0; i < p->n; i++)
        _entry_fini(&p->entries[i]);
    free(p->entries);
    *p = (struct plugstack){0};
}

const struct plugstack_entry *plugstack_find(const struct plugstack *p, size_t from,
                                             const char *name)
{
    for (size_t i = from; i < p->n; i++) {
        const char *slash = strrchr(p->entries[i].plugin, '/');

        if (strcmp(slash ? slash + 1 : p->entries[i].plugin, name) == 0)
            return &p->entries[i];
    }
    return NULL;
}

char *plugstack_arg(const struct plugstack_entry *entry, const char *key, char *buf, size_t size)
{
    size_t n = strlen(key);

    for (const char *p = entry->args; *p; p += strcspn(p, blank)) {
        p += strspn(p, blank);
        if (strncmp(p, key, n) == 0 && p[n] == '=') {
            (void)snprintf(buf, size, "%.*s", (int)strcspn(p + n + 1, blank), p + n + 1);
            return buf;
        }
    }
    return NULL;
}
