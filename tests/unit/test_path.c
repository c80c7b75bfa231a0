/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files: what is written is whole, what is read is bounded, what others could change is told.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/path.h"
#include "unit.h"

/* Path of name in the case's directory; one of four buffers in turn. */
static const char *in_tmp(const char *name)
{
    static char buf[4][PATH_MAX];
    static int next;

    next = (next + 1) % 4;
    (void)snprintf(buf[next], PATH_MAX, "%s/%s", unit_tmpdir(), name);
    return buf[next];
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void test_format(void)
{
    char buf[8];

    UNIT_INT(path_format(buf, sizeof(buf), "%s/%d", "abc", 123), 0, "fits");
    UNIT_STR(buf, "abc/123", "fits");
    errno = 0;
    UNIT_INT(path_format(buf, sizeof(buf), "%s/%d", "abc", 1234), -1, "one too many");
    UNIT_INT(errno, ENAMETOOLONG, "one too many");
}

static void test_mkdirs(void)
{
    static char longer[PATH_MAX + 10];
    struct err e = {""};

    (void)umask(022);
    UNIT_INT(path_mkdirs(in_tmp("a/b/c"), 0750, &e), 0, "%s", e.text);
    UNIT_INT(mode_of(in_tmp("a/b/c")), 0750, "mode");
    UNIT_INT(path_mkdirs(in_tmp("a/b/c"), 0700, &e), 0, "again: %s", e.text);
    UNIT_INT(mode_of(in_tmp("a/b/c")), 0750, "mode is kept");
    UNIT_INT(path_mkdirs(in_tmp("a//d/"), 0755, &e), 0, "slashes: %s", e.text);
    UNIT_INT(path_mkdirs("/", 0755, &e), 0, "root: %s", e.text);
    UNIT_INT(path_write_atomic(in_tmp("file"), "", 0, 0644, &e), 0, "%s", e.text);
    UNIT_INT(path_mkdirs(in_tmp("file"), 0755, &e), -1, "a file");
    UNIT_INT(errno, ENOTDIR, "a file");
    UNIT_INT(path_mkdirs(in_tmp("file/x"), 0755, &e), -1, "below a file");
    UNIT_OK(strstr(e.text, "file"), "%s", e.text);
    UNIT_INT(path_mkdirs("", 0755, &e), -1, "nothing");
    UNIT_INT(errno, ENOENT, "nothing");
    memset(longer, 'x', sizeof(longer) - 1);
    UNIT_INT(path_mkdirs(longer, 0755, &e), -1, "too long");
}

static void test_write_and_read(void)
{
    static const char bytes[] = "one\0two\n";
    struct err e = {""};
    char *data = NULL;
    size_t size = 0;

    UNIT_INT(path_write_atomic(in_tmp("f"), bytes, sizeof(bytes), 0640, &e), 0, "%s", e.text);
    UNIT_INT(mode_of(in_tmp("f")), 0640, "mode");
    UNIT_INT(path_read(in_tmp("f"), sizeof(bytes), &data, &size, &e), 0, "just fits: %s", e.text);
    UNIT_OK(size == sizeof(bytes) && memcmp(data, bytes, size) == 0 && data[size] == '\0', "bytes");
    free(data);
    UNIT_INT(path_write_atomic(in_tmp("f"), "", 0, 0600, &e), 0, "replace: %s", e.text);
    UNIT_INT(path_read(in_tmp("f"), 0, &data, &size, &e), 0, "nothing of 0: %s", e.text);
    UNIT_OK(size == 0 && data[0] == '\0', "empty");
    free(data);
    UNIT_INT(path_write_unsynced(in_tmp("f"), bytes, 4, 0644, &e), 0, "unsynced: %s", e.text);
    UNIT_INT(path_read(in_tmp("f"), 4, &data, &size, &e), 0, "read: %s", e.text);
    UNIT_OK(size == 4 && memcmp(data, bytes, 4) == 0, "bytes");
    free(data);
    UNIT_INT(path_write_unsynced(in_tmp("no/f"), "x", 1, 0644, &e), -1, "no directory");
}

static void test_read_errors(void)
{
    struct err e = {""};
    char *data = NULL;
    size_t size = 7;

    UNIT_INT(path_write_atomic(in_tmp("f"), "12345", 5, 0644, &e), 0, "%s", e.text);
    UNIT_INT(path_read(in_tmp("f"), 4, &data, &size, &e), -1, "one too large");
    UNIT_INT(errno, EFBIG, "one too large");
    UNIT_OK(strstr(e.text, "larger than 4 bytes"), "%s", e.text);
    UNIT_INT(path_read(in_tmp("f"), 0, &data, &size, &e), -1, "max 0");
    UNIT_INT(path_read(in_tmp("none"), 10, &data, &size, &e), -1, "none");
    UNIT_INT(errno, ENOENT, "none");
    UNIT_INT(path_read(unit_tmpdir(), 10, &data, &size, &e), -1, "a directory");
    UNIT_INT(path_read("/dev/zero", 100000, &data, &size, &e), -1, "without end");
    UNIT_INT(errno, EFBIG, "without end");
    UNIT_OK(data == NULL && size == 7, "nothing changes");
}

/* Files of /proc say that they are empty. */
static void test_read_proc(void)
{
    struct err e = {""};
    char *data = NULL;
    size_t size = 0;

    UNIT_INT(path_read("/proc/self/maps", 1 << 20, &data, &size, &e), 0, "%s", e.text);
    UNIT_OK(size > 100 && strlen(data) == size, "%zu bytes", size);
    free(data);
}

static void test_write_errors(void)
{
    struct err e = {""};
    char stale[PATH_MAX], tmp[64];

    UNIT_INT(path_write_atomic(in_tmp("no/f"), "x", 1, 0644, &e), -1, "no directory");
    UNIT_INT(errno, ENOENT, "no directory");
    UNIT_INT(mkdir(in_tmp("dir"), 0755), 0, "mkdir");
    UNIT_INT(path_write_atomic(in_tmp("dir"), "x", 1, 0644, &e), -1, "over a directory");
    (void)snprintf(tmp, sizeof(tmp), "dir.tmp.%ld", (long)getpid());
    UNIT_INT(access(in_tmp(tmp), F_OK), -1, "nothing is left behind");
    /* what an earlier process of the same pid left, here a trap: a link elsewhere */
    (void)snprintf(tmp, sizeof(tmp), "f.tmp.%ld", (long)getpid());
    (void)snprintf(stale, sizeof(stale), "%s", in_tmp(tmp));
    UNIT_INT(symlink(in_tmp("victim"), stale), 0, "symlink");
    UNIT_INT(path_write_atomic(in_tmp("f"), "x", 1, 0644, &e), 0, "%s", e.text);
    UNIT_INT(access(in_tmp("victim"), F_OK), -1, "the link was not followed");
    UNIT_INT(access(in_tmp("f"), F_OK), 0, "written");
}

static ino_t inode_of(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 ? st.st_ino : 0;
}

static void check_text(const char *name, const char *want, const char *what)
{
    char *data = NULL;
    size_t size = 0;

    UNIT_INT(path_read(in_tmp(name), 100, &data, &size, NULL), 0, "%s", what);
    UNIT_STR(data ? data : "", want, "%s", what);
    free(data);
}

/* Not waiting for the disk: who has the old file open reads it to its end, and nothing is left. */
static void test_unsynced(void)
{
    struct err e = {""};
    char old[8] = "";
    int fd;

    UNIT_INT(path_write_alone(in_tmp("f"), "old", 3, 0640, 0, &e), 0, "%s", e.text);
    fd = open(in_tmp("f"), O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < 3; i++)
        UNIT_INT(path_write_alone(in_tmp("f"), "new", 3, 0640, 0, &e), 0, "%s", e.text);
    UNIT_INT(read(fd, old, sizeof(old) - 1), 3, "read");
    UNIT_STR(old, "old", "as it was");
    (void)close(fd);
    check_text("f", "new", "the new one");
    UNIT_INT(access(in_tmp("f.tmp"), F_OK), -1, "nothing is left behind");
    UNIT_INT(symlink("f", in_tmp("l")), 0, "symlink");
    UNIT_INT(path_write_alone(in_tmp("l"), "other", 5, 0640, 0, &e), 0, "%s", e.text);
    check_text("l", "other", "in place of a link");
    check_text("f", "new", "which was not followed");
    UNIT_INT(mkdir(in_tmp("dir"), 0755), 0, "mkdir");
    UNIT_INT(path_write_alone(in_tmp("dir"), "x", 1, 0644, 0, &e), -1, "over a directory");
    UNIT_INT(path_write_in_turn(in_tmp("dir"), "x", 1, 0644, &e), -1, "over a directory");
    UNIT_INT(access(in_tmp("dir.tmp"), F_OK), -1, "nothing is left behind");
}

/* Two files in turn, longer and shorter, each what was written last. */
static void test_in_turn(void)
{
    static const char *const texts[] = {"one", "two and more", "3",
                                        "",    "five",         "six and much more"};
    ino_t inodes[6];
    struct err e = {""};

    for (int i = 0; i < 6; i++) {
        UNIT_INT(path_write_in_turn(in_tmp("f"), texts[i], strlen(texts[i]), 0640, &e), 0, "%s",
                 e.text);
        check_text("f", texts[i], texts[i]);
        UNIT_INT(mode_of(in_tmp("f")), 0640, "%d", i);
        inodes[i] = inode_of(in_tmp("f"));
    }
    UNIT_INT(path_write_atomic(in_tmp("other"), "", 0, 0640, &e), 0, "%s", e.text);
    for (int i = 0; i < 2; i++) { /* there and back */
        if (renameat2(AT_FDCWD, in_tmp("f"), AT_FDCWD, in_tmp("other"), RENAME_EXCHANGE) < 0)
            unit_skip("files cannot change places here");
    }
    for (int i = 2; i < 6; i++)
        UNIT_INT(inodes[i], inodes[i - 2], "no file is made: %d", i);
    check_text("f.tmp", "five", "the one before");
}

/* What is not the file that was left there is not written to. */
static void test_in_turn_traps(void)
{
    struct err e = {""};

    for (int trap = 0; trap < 5; trap++) {
        UNIT_INT(path_write_in_turn(in_tmp("f"), "old", 3, 0640, &e), 0, "%s", e.text);
        (void)unlink(in_tmp("f.tmp"));
        (void)unlink(in_tmp("victim"));
        UNIT_INT(path_write_alone(in_tmp("victim"), "its own", 7, 0640, 0, &e), 0, "%s", e.text);
        if (trap == 0)
            UNIT_INT(symlink("victim", in_tmp("f.tmp")), 0, "symlink");
        else if (trap == 1)
            UNIT_INT(link(in_tmp("victim"), in_tmp("f.tmp")), 0, "link");
        else if (trap == 2)
            UNIT_INT(mkfifo(in_tmp("f.tmp"), 0640), 0, "mkfifo");
        else if (trap == 3)
            UNIT_INT(path_write_alone(in_tmp("f.tmp"), "open to all", 11, 0666, 0, &e), 0, "mode");
        UNIT_INT(path_write_in_turn(in_tmp("f"), "new", 3, 0640, &e), 0, "%d: %s", trap, e.text);
        check_text("f", "new", "written");
        UNIT_INT(mode_of(in_tmp("f")), 0640, "trap %d", trap);
        check_text("victim", "its own", "the victim");
    }
}

static void test_write_relative(void)
{
    struct err e = {""};

    UNIT_INT(chdir(unit_tmpdir()), 0, "chdir");
    UNIT_INT(path_write_atomic("here", "x", 1, 0644, &e), 0, "%s", e.text);
    UNIT_INT(path_is_secure("here", getuid(), &e), 1, "%s", e.text);
    UNIT_INT(chdir("/"), 0, "chdir");
}

/* A disk that is full: the old file stays, nothing is left beside it. */
static void test_no_space(void)
{
    static char large[65536];
    struct rlimit limit = {4096, RLIM_INFINITY};
    struct err e = {""};
    char *data = NULL, tmp[64];
    size_t size = 0;

    UNIT_INT(path_write_atomic(in_tmp("f"), "old", 3, 0644, &e), 0, "%s", e.text);
    (void)signal(SIGXFSZ, SIG_IGN);
    UNIT_INT(setrlimit(RLIMIT_FSIZE, &limit), 0, "limit");
    UNIT_INT(path_write_atomic(in_tmp("f"), large, sizeof(large), 0644, &e), -1, "too large");
    UNIT_INT(errno, EFBIG, "too large");
    (void)snprintf(tmp, sizeof(tmp), "f.tmp.%ld", (long)getpid());
    UNIT_INT(access(in_tmp(tmp), F_OK), -1, "nothing is left behind");
    UNIT_INT(path_read(in_tmp("f"), 10, &data, &size, &e), 0, "%s", e.text);
    UNIT_STR(data, "old", "the old one");
    free(data);
}

static void test_secure(void)
{
    struct err e = {""};
    uid_t me = getuid();

    UNIT_INT(path_mkdirs(in_tmp("d"), 0755, &e), 0, "%s", e.text);
    UNIT_INT(path_write_atomic(in_tmp("d/f"), "x", 1, 0644, &e), 0, "%s", e.text);
    UNIT_INT(path_is_secure(in_tmp("d/f"), me, &e), 1, "%s", e.text);
    UNIT_INT(path_is_secure("/", me, &e), 1, "root: %s", e.text);
    UNIT_INT(path_is_secure("/tmp", me, &e), 1, "sticky: %s", e.text);
    UNIT_INT(chmod(in_tmp("d/f"), 0664), 0, "chmod");
    UNIT_INT(path_is_secure(in_tmp("d/f"), me, &e), 0, "group");
    UNIT_OK(strstr(e.text, "its group: chmod go-w"), "%s", e.text);
    UNIT_INT(chmod(in_tmp("d/f"), 0602), 0, "chmod");
    UNIT_INT(path_is_secure(in_tmp("d/f"), me, &e), 0, "others");
    UNIT_INT(chmod(in_tmp("d/f"), 0600), 0, "chmod");
    UNIT_INT(chmod(in_tmp("d"), 0775), 0, "chmod");
    UNIT_INT(path_is_secure(in_tmp("d/f"), me, &e), 0, "directory");
    UNIT_OK(strstr(e.text, "/d can be changed by its group"), "%s", e.text);
    UNIT_INT(chmod(in_tmp("d"), 01777), 0, "chmod");
    UNIT_INT(path_is_secure(in_tmp("d/f"), me, &e), 1, "sticky: %s", e.text);
    UNIT_INT(path_is_secure(in_tmp("none"), me, &e), -1, "none");
    UNIT_INT(path_is_secure(in_tmp("d/f/g"), me, &e), -1, "below a file");
}

/* A link that somebody could turn is not safe, wherever it points now. */
static void test_secure_link(void)
{
    struct err e = {""};
    uid_t me = getuid();

    UNIT_INT(path_mkdirs(in_tmp("safe"), 0755, &e) + path_mkdirs(in_tmp("open"), 0755, &e), 0, "%s",
             e.text);
    UNIT_INT(chmod(in_tmp("open"), 0777), 0, "chmod");
    UNIT_INT(path_write_atomic(in_tmp("safe/f"), "x", 1, 0600, &e), 0, "%s", e.text);
    UNIT_INT(symlink(in_tmp("safe/f"), in_tmp("safe/l")), 0, "symlink");
    UNIT_INT(symlink(in_tmp("safe/f"), in_tmp("open/l")), 0, "symlink");
    UNIT_INT(path_is_secure(in_tmp("safe/l"), me, &e), 1, "%s", e.text);
    UNIT_INT(path_is_secure(in_tmp("open/l"), me, &e), 0, "link in an open directory");
    UNIT_OK(strstr(e.text, "/open can be changed by everybody"), "%s", e.text);
}

static void test_secure_owner(void)
{
    struct err e = {""};

    if (getuid() != 0)
        unit_skip("needs root to give files away");
    UNIT_INT(path_write_atomic(in_tmp("f"), "x", 1, 0644, &e), 0, "%s", e.text);
    UNIT_INT(chown(in_tmp("f"), 12345, 0), 0, "chown");
    UNIT_INT(path_is_secure(in_tmp("f"), 12345, &e), 1, "the owner's: %s", e.text);
    UNIT_INT(path_is_secure(in_tmp("f"), 12346, &e), 0, "another's");
    UNIT_OK(strstr(e.text, "belongs to uid 12345"), "%s", e.text);
    UNIT_INT(chown(in_tmp("f"), 0, 0), 0, "chown");
    UNIT_INT(path_is_secure(in_tmp("f"), 12346, &e), 1, "root's: %s", e.text);
}

struct heard {
    int count;
    int level;
    char line[1200];
};

static void hear(int level, const char *line, void *arg)
{
    struct heard *h = arg;

    h->count++;
    h->level = level;
    (void)snprintf(h->line, sizeof(h->line), "%s", line);
}

static void test_log(void)
{
    struct heard h = {0};
    char longer[2000];

    log_set_handler(hear, &h);
    log_init("test", LOG_INFO);
    errno = EPERM;
    log_info("event=%s\nname=%s", "start", "a\033b");
    UNIT_INT(errno, EPERM, "errno is kept");
    UNIT_STR(h.line, "event=start?name=a?b", "one line");
    UNIT_INT(h.level, LOG_INFO, "level");
    log_debug("%s", "not written");
    UNIT_INT(h.count, 1, "below the level");
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    log_err("%s", longer);
    UNIT_INT(strlen(h.line), 1023, "cut");
    log_set_handler(NULL, NULL);
}

/* The default handler, with stderr turned into a file. */
static void test_log_stderr(void)
{
    struct err e = {""};
    char *data = NULL, stream[64];
    size_t size = 0;
    struct stat st;
    int kept = dup(2), fd = open(in_tmp("log"), O_RDWR | O_CREAT | O_TRUNC, 0600);

    UNIT_OK(fd >= 0 && kept >= 0 && dup2(fd, 2) == 2, "redirect");
    log_init("carnotd", LOG_INFO);
    log_warn("event=%s", "one");
    UNIT_INT(fstat(fd, &st), 0, "fstat");
    (void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    (void)setenv("JOURNAL_STREAM", stream, 1);
    log_init("carnotd", LOG_INFO);
    log_warn("event=%s", "two");
    (void)setenv("JOURNAL_STREAM", "1:2", 1);
    log_init("carnotd", LOG_INFO);
    log_err("event=%s", "three");
    (void)dup2(kept, 2);
    (void)close(kept);
    (void)close(fd);
    UNIT_INT(path_read(in_tmp("log"), 4096, &data, &size, &e), 0, "%s", e.text);
    if (data) {
        UNIT_OK(strstr(data, "Z carnotd[warning]: event=one\n<4>event=two\n"), "%s", data);
        UNIT_OK(strstr(data, "Z carnotd[err]: event=three\n"), "%s", data);
    }
    free(data);
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"format", test_format},
        {"mkdirs", test_mkdirs},
        {"write_and_read", test_write_and_read},
        {"read_errors", test_read_errors},
        {"read_proc", test_read_proc},
        {"write_errors", test_write_errors},
        {"unsynced", test_unsynced},
        {"in_turn", test_in_turn},
        {"in_turn_traps", test_in_turn_traps},
        {"write_relative", test_write_relative},
        {"no_space", test_no_space},
        {"secure", test_secure},
        {"secure_link", test_secure_link},
        {"secure_owner", test_secure_owner},
        {"log", test_log},
        {"log_stderr", test_log_stderr},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "path");
}
