/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading slurm.conf and plugstack.conf line by line; see the header.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "carnot/lines.h"
#include "common/path.h"

#define FILE_MAX_BYTES (4u << 20)
#define DEPTH_MAX 8

/* One line into line (size bytes, NUL terminated): what is behind # goes, unless it is escaped.
 * Returns whether it goes on in the next one. */
static int _take(char *line, const char *text, size_t n)
{
    size_t k = 0;

    for (size_t i = 0; i < n && text[i] != '#'; i++) {
        if (text[i] == '\\' && i + 1 < n && text[i + 1] == '#')
            i++;
        line[k++] = text[i];
    }
    while (k > 0 && isspace((unsigned char)line[k - 1]))
        k--;
    line[k] = '\0';
    if (k == 0 || line[k - 1] != '\\')
        return 0;
    line[k - 1] = '\0';
    return 1;
}

int lines_each(const char *text, size_t size, const char *file, lines_cb cb, void *arg,
               struct err *e)
{
    char *line = malloc(size + 1), *start;
    const char *p = text, *end = text + size;
    int number = 0, first = 0, rc = 0;
    size_t used = 0;

    if (!line)
        return err_errno(e, "no memory");
    while (p < end && rc == 0) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((newline ? newline : end) - p);

        number++;
        if (used == 0)
            first = number;
        if (_take(line + used, p, n) && newline) {
            used = strlen(line);
        } else {
            used = 0;
            start = line + strspn(line, " \t\r\v\f");
            if (*start)
                rc = cb(start, file, first, arg, e);
        }
        p += n + 1;
    }
    free(line);
    return rc;
}

struct reading {
    lines_cb cb;
    void *arg;
    int depth;
};

static int _read(struct reading *r, const char *path, struct err *e);

/* What behind `include` names: every file that fits the pattern. */
static int _include(struct reading *r, const char *pattern, const char *file, int number,
                    struct err *e)
{
    const char *slash = strrchr(file, '/');
    char full[PATH_MAX];
    glob_t found;
    int rc;

    rc = pattern[0] == '/' || !slash
             ? path_format(full, sizeof(full), "%s", pattern)
             : path_format(full, sizeof(full), "%.*s/%s", (int)(slash - file), file, pattern);
    if (rc < 0)
        return err_errno(e, "%s:%d", file, number);
    rc = glob(full, 0, NULL, &found);
    if (rc == GLOB_NOMATCH) {
        globfree(&found);
        errno = ENOENT;
        return strpbrk(full, "*?[") ? 0 : err_errno(e, "%s:%d: %s", file, number, full);
    }
    if (rc != 0)
        return err_set(e, "%s:%d: %s cannot be looked up", file, number, full);
    for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
        rc = _read(r, found.gl_pathv[i], e);
    globfree(&found);
    return rc;
}

static int _line(const char *line, const char *file, int number, void *arg, struct err *e)
{
    struct reading *r = arg;
    size_t word = strcspn(line, " \t=");
    const char *rest = line + word + strspn(line + word, " \t");

    if (word == 7 && strncasecmp(line, "include", 7) == 0 && *rest && *rest != '=')
        return _include(r, rest, file, number, e);
    return r->cb(line, file, number, r->arg, e);
}

static int _read(struct reading *r, const char *path, struct err *e)
{
    char *text;
    size_t size;
    int rc;

    if (r->depth >= DEPTH_MAX) {
        errno = ELOOP;
        return err_set(e, "%s: files include each other without end", path);
    }
    if (path_read(path, FILE_MAX_BYTES, &text, &size, e) < 0)
        return -1;
    r->depth++;
    rc = lines_each(text, size, path, _line, r, e);
    r->depth--;
    free(text);
    return rc;
}

int lines_read(const char *path, lines_cb cb, void *arg, struct err *e)
{
    struct reading r = {.cb = cb, .arg = arg};

    return _read(&r, path, e);
}
