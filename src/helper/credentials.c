/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/path.h"
#include "helper/credentials.h"

#define FILE_MAX 4096

static const struct {
    const char *key;
    size_t offset;
} keys[] = {
    {"user", offsetof(struct credentials, user)},
    {"password", offsetof(struct credentials, password)},
    {"community", offsetof(struct credentials, community)},
    {"version", offsetof(struct credentials, version)},
    {"auth", offsetof(struct credentials, auth)},
    {"auth_password", offsetof(struct credentials, auth_password)},
    {"privacy", offsetof(struct credentials, privacy)},
    {"privacy_password", offsetof(struct credentials, privacy_password)},
};

static char *_field(struct credentials *c, const char *key)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(keys[i].key, key) == 0)
            return (char *)c + keys[i].offset;
    }
    return NULL;
}

/* Is it a file that nobody else can read, or put another one in place of? */
static int _check_file(const char *path, int fd, struct err *e)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_errno(e, "%s", path);
    errno = EPERM;
    if (!S_ISREG(st.st_mode))
        return err_set(e, "%s is no file", path);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return err_set(e, "%s is not root's: chown root %s", path, path);
    if (st.st_mode & 077)
        return err_set(e, "%s can be read by others than root: chmod 600 %s", path, path);
    if (path_is_secure(path, geteuid(), e) != 1) {
        errno = EPERM;
        return -1;
    }
    return 0;
}

/* Put one line into *c. Its text may be a secret: only its number is told. */
static int _take_line(struct credentials *c, char *line, const char *path, int number,
                      struct err *e)
{
    char *value = line + strcspn(line, " \t"), *field;

    if (!*line || *line == '#')
        return 0;
    if (*value)
        *value++ = '\0';
    value += strspn(value, " \t");
    field = _field(c, line);
    errno = EINVAL;
    if (!field)
        return err_set(e,
                       "%s:%d: no known key: use user, password, community, version, auth, "
                       "auth_password, privacy or privacy_password",
                       path, number);
    if (!*value || strlen(value) >= CREDENTIAL_MAX)
        return err_set(e, "%s:%d: %s needs a value of 1 to %d bytes", path, number, line,
                       CREDENTIAL_MAX - 1);
    if (*field)
        return err_set(e, "%s:%d: %s is there twice", path, number, line);
    memcpy(field, value, strlen(value) + 1);
    return 0;
}

static int _parse(struct credentials *c, char *text, const char *path, struct err *e)
{
    int number = 0;

    for (char *line; (line = strsep(&text, "\n"));) {
        size_t n = strlen(line);

        if (n > 0 && line[n - 1] == '\r')
            line[n - 1] = '\0';
        if (_take_line(c, line, path, ++number, e) < 0)
            return -1;
    }
    return 0;
}

/* All of fd in buf, which has room for size - 1 bytes and a NUL. */
static int _read_all(int fd, char *buf, size_t size)
{
    size_t used = 0;
    ssize_t n = 1;

    while (n > 0 && used + 1 < size) {
        n = read(fd, buf + used, size - 1 - used);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            used += (size_t)n;
    }
    buf[used] = '\0';
    if (n == 0 && strlen(buf) == used)
        return 0;
    errno = n < 0 ? errno : EINVAL; /* too large, or a NUL in it */
    return -1;
}

int credentials_read(const char *path, struct credentials *c, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW), rc;
    struct credentials got;
    char text[FILE_MAX + 1];
    int saved;

    if (fd < 0)
        return err_errno(e, "%s", path);
    memset(&got, 0, sizeof(got));
    rc = _check_file(path, fd, e);
    if (rc == 0) {
        rc = _read_all(fd, text, sizeof(text));
        rc = rc < 0 ? err_errno(e, "%s", path) : _parse(&got, text, path, e);
    }
    saved = errno;
    (void)close(fd);
    if (rc == 0)
        *c = got;
    explicit_bzero(&got, sizeof(got));
    explicit_bzero(text, sizeof(text));
    errno = saved;
    return rc;
}

uint64_t credentials_stamp(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return 0;
    return (uint64_t)st.st_ino * 1000003 + (uint64_t)st.st_mtim.tv_sec * 1000000007 +
           (uint64_t)st.st_mtim.tv_nsec + 1;
}
