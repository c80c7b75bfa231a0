/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The newest rotated file has .1, the oldest the largest number.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "carnot/log_reader.h"
#include "common/path.h"

#define LOG_NAME "telemetry.jsonl"
#define KEEP_MAX 1000
#define LOOK_MS 300

static int _line(struct log_reader *r, char *line, size_t n, struct err *e)
{
    json_t *value;
    int rc = 0;

    if (n == 0 || line[n - 1] != '\n')
        return 1; /* not whole */
    line[n - 1] = '\0';
    value = json_loadb(line, n - 1, 0, NULL);
    if (json_is_object(value))
        rc = r->cb(line, value, r->arg, e);
    else
        r->broken++;
    json_decref(value);
    return rc;
}

/* Whole lines from where f stands; it is left behind the last of them. 0, or -1 and e. */
static int _lines(struct log_reader *r, FILE *f, const char *path, struct err *e)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    int rc = 0;
    long at = ftell(f);

    while (rc == 0 && (n = getline(&line, &room, f)) > 0) {
        rc = _line(r, line, (size_t)n, e);
        if (rc == 0)
            at = ftell(f);
    }
    if (rc >= 0 && ferror(f))
        rc = err_errno(e, "cannot read %s", path);
    free(line);
    clearerr(f);
    if (fseek(f, at, SEEK_SET) < 0 && rc >= 0)
        rc = err_errno(e, "cannot read %s", path);
    return rc < 0 ? -1 : 0;
}

static int _file(struct log_reader *r, const char *path, struct err *e)
{
    FILE *f = fopen(path, "r");
    struct stat st;
    int rc;

    if (!f)
        return err_errno(e, "cannot read %s", path);
    rc = _lines(r, f, path, e);
    r->at = ftell(f);
    r->ino = fstat(fileno(f), &st) == 0 ? st.st_ino : 0;
    (void)fclose(f);
    return rc;
}

static int _is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int _live_name(char *buf, size_t size, const char *path)
{
    return _is_directory(path) ? path_format(buf, size, "%s/" LOG_NAME, path)
                               : path_format(buf, size, "%s", path);
}

int log_reader_read(struct log_reader *r, const char *path, struct err *e)
{
    char name[PATH_MAX];

    for (int i = _is_directory(path) ? KEEP_MAX : 0; i > 0; i--) {
        if (path_format(name, sizeof(name), "%s/" LOG_NAME ".%d", path, i) < 0)
            return err_errno(e, "%s", path);
        if (access(name, F_OK) == 0 && _file(r, name, e) < 0)
            return -1;
    }
    if (_live_name(name, sizeof(name), path) < 0)
        return err_errno(e, "%s", path);
    return _file(r, name, e);
}

/* Another file has the name now. */
static int _was_renamed(FILE *f, const char *name)
{
    struct stat open_now, named;

    return stat(name, &named) == 0 && fstat(fileno(f), &open_now) == 0 &&
           (named.st_ino != open_now.st_ino || named.st_dev != open_now.st_dev);
}

int log_reader_follow(struct log_reader *r, const char *path, struct err *e)
{
    const struct timespec pause = {0, LOOK_MS * 1000000L};
    char name[PATH_MAX];
    struct stat st;
    FILE *f;
    int rc = 0;

    if (_live_name(name, sizeof(name), path) < 0)
        return err_errno(e, "%s", path);
    f = fopen(name, "r");
    /* renamed between the two: the new one from its beginning */
    if (!f || fstat(fileno(f), &st) < 0 || (st.st_ino == r->ino && fseek(f, r->at, SEEK_SET) < 0))
        rc = err_errno(e, "cannot read %s", name);
    while (rc == 0) {
        int renamed = _was_renamed(f, name);

        rc = _lines(r, f, name, e);
        if (rc == 0 && renamed) {
            f = freopen(name, "r", f);
            if (!f)
                return err_errno(e, "cannot read %s", name);
        } else if (rc == 0) {
            (void)nanosleep(&pause, NULL);
        }
    }
    if (f)
        (void)fclose(f);
    return -1;
}
