/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner behind unit.h. The parent forks one child a case, lets CUnit run it
 * there and reads what failed through a pipe; the last byte of a complete report
 * is what tells an end of the test from an exit() inside it. One thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define REPORT_MAX 65536

static char tmpdir[64];             /* of the running case */
static const char *skip_reason;     /* set in the child by unit_skip */
static char report[REPORT_MAX];     /* lines "# ...", then one of the marks below */
static const char mark_end = '\1';  /* the case came to its end */
static const char mark_skip = '\2'; /* what stands before it is the reason */

void unit_skip(const char *reason)
{
    CU_pTest test = CU_get_current_test();

    skip_reason = reason;
    /* as CUnit's own fatal assertions leave a test */
    longjmp(*test->pJumpBuf, 1);
}

char *unit_testdata(char *buf, size_t size, const char *name)
{
    const char *root = getenv("CARNOT_TESTDATA");
    int n;

#ifdef TESTDATA
    if (!root)
        root = TESTDATA;
#endif
    if (!root)
        return NULL;
    n = snprintf(buf, size, "%s/%s", root, name);
    return n >= 0 && (size_t)n < size && access(buf, R_OK) == 0 ? buf : NULL;
}

const char *unit_tmpdir(void)
{
    return tmpdir;
}

static int64_t _wall_ms(void *arg)
{
    return ((struct unit_clock *)arg)->wall_ms;
}

static int64_t _mono_ms(void *arg)
{
    struct unit_clock *clock = arg;

    return clock->mono_ms += clock->mono_step_ms;
}

struct clock_ops unit_clock_ops(struct unit_clock *clock)
{
    return (struct clock_ops){_wall_ms, _mono_ms, clock};
}

__attribute__((format(printf, 5, 0))) static int
_vcheck(int ok, unsigned line, const char *file, const char *what, const char *fmt, va_list ap)
{
    char text[1024];
    int used;

    if (ok)
        return CU_assertImplementation(CU_TRUE, line, what, file, "", CU_FALSE);
    used = snprintf(text, sizeof(text), "%s [", what);
    if (used > 0 && (size_t)used < sizeof(text)) {
        (void)vsnprintf(text + used, sizeof(text) - (size_t)used, fmt, ap);
        used = (int)strlen(text);
        (void)snprintf(text + used, sizeof(text) - (size_t)used, "]");
    }
    return CU_assertImplementation(CU_FALSE, line, text, file, "", CU_FALSE);
}

int unit_check(int ok, unsigned line, const char *file, const char *expr, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)_vcheck(ok, line, file, expr, fmt, ap);
    va_end(ap);
    return ok;
}

int unit_check_int(long long got, long long want, unsigned line, const char *file, const char *expr,
                   const char *fmt, ...)
{
    char what[512];
    va_list ap;

    (void)snprintf(what, sizeof(what), "%s is %lld, not %lld", expr, got, want);
    va_start(ap, fmt);
    (void)_vcheck(got == want, line, file, what, fmt, ap);
    va_end(ap);
    return got == want;
}

int unit_check_dbl(double got, double want, double within, unsigned line, const char *file,
                   const char *expr, const char *fmt, ...)
{
    int ok = fabs(got - want) <= within;
    char what[512];
    va_list ap;

    (void)snprintf(what, sizeof(what), "%s is %.9g, not %.9g", expr, got, want);
    va_start(ap, fmt);
    (void)_vcheck(ok, line, file, what, fmt, ap);
    va_end(ap);
    return ok;
}

int unit_check_str(const char *got, const char *want, unsigned line, const char *file,
                   const char *expr, const char *fmt, ...)
{
    int ok = got && want ? strcmp(got, want) == 0 : got == want;
    char what[768];
    va_list ap;

    (void)snprintf(what, sizeof(what), "%s is \"%s\", not \"%s\"", expr, got ? got : "(null)",
                   want ? want : "(null)");
    va_start(ap, fmt);
    (void)_vcheck(ok, line, file, what, fmt, ap);
    va_end(ap);
    return ok;
}

static void _write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);

        if (n < 0 && errno != EINTR)
            _exit(EXIT_FAILURE);
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
}

static const char *_basename(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* In the child: one case under CUnit, what failed to fd, then the mark. */
static void _run_case(const struct unit_case *c, const char *suite_name, int fd)
{
    CU_pSuite suite;
    CU_pTest test;
    char line[1280];

    if (CU_initialize_registry() != CUE_SUCCESS ||
        !(suite = CU_add_suite(suite_name, NULL, NULL)) ||
        !(test = CU_add_test(suite, c->name, c->run)) || CU_run_test(suite, test) != CUE_SUCCESS)
        _write_all(fd, "# CUnit could not run it\n", 25);
    for (CU_pFailureRecord f = CU_get_failure_list(); f; f = f->pNext) {
        int n = snprintf(line, sizeof(line), "# %s:%u: %s\n", _basename(f->strFileName),
                         f->uiLineNumber, f->strCondition);

        if (n > 0)
            _write_all(fd, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
    }
    if (skip_reason && CU_get_number_of_failures() == 0) {
        _write_all(fd, skip_reason, strlen(skip_reason));
        _write_all(fd, &mark_skip, 1);
    } else {
        _write_all(fd, &mark_end, 1);
    }
    CU_cleanup_registry();
    (void)close(fd);
}

static unsigned _timeout_s(void)
{
    const char *text = getenv("CARNOT_UNIT_TIMEOUT");
    int s = text ? atoi(text) : 0;

    return s > 0 ? (unsigned)s : 20;
}

/* Start the case; returns the pid and where its report comes from. */
static pid_t _start_case(const struct unit_case *c, const char *suite, int *fd)
{
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    (void)fflush(NULL);
    pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)setpgid(0, 0); /* so that what the case starts can be ended with it */
        (void)close(ends[0]);
        (void)alarm(_timeout_s());
        _run_case(c, suite, ends[1]);
        exit(EXIT_SUCCESS); /* not _exit: LeakSanitizer looks then; under the alarm still */
    }
    (void)close(ends[1]);
    *fd = ends[0];
    return pid;
}

/* Is there something to read from fd, or will there be nothing more? A process that the
 * case left behind may hold the pipe open, so the end of the child counts as well: *ended,
 * with its *status. */
static bool _wait_report(int fd, pid_t pid, bool *ended, int *status)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    for (;;) {
        if (poll(&p, 1, *ended ? 0 : 100) > 0)
            return true;
        if (*ended)
            return false;
        *ended = waitpid(pid, status, WNOHANG) == pid;
    }
}

/* What the child reports and how it ends; returns the mark, or 0 when there was none. */
static char _read_report(int fd, pid_t pid, int *status)
{
    bool ended = false;
    size_t used = 0;
    char mark = 0;

    while (!mark && used + 1 < sizeof(report) && _wait_report(fd, pid, &ended, status)) {
        ssize_t n = read(fd, report + used, sizeof(report) - 1 - used);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        used += (size_t)n;
        if (report[used - 1] == mark_end || report[used - 1] == mark_skip)
            mark = report[--used];
    }
    report[used] = '\0';
    while (!ended && waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
    return mark;
}

static int _remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

/* How the child ended, where that is a failure of its own: buf, else NULL. */
static const char *_describe_end(char *buf, size_t size, int status, char mark)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        (void)snprintf(buf, size, "timeout after %u s", _timeout_s());
    else if (WIFSIGNALED(status))
        (void)snprintf(buf, size, "killed by signal %d (%s)", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
    else if (!mark)
        (void)snprintf(buf, size, "the code under test called exit(%d)", WEXITSTATUS(status));
    else if (WEXITSTATUS(status) != 0)
        (void)snprintf(buf, size, "exit status %d after the test (a leak?)", WEXITSTATUS(status));
    else
        return NULL;
    return buf;
}

/* Run one case in a child and print its TAP line; true when it passed or was skipped. */
static bool _report_case(const struct unit_case *c, const char *suite, int number)
{
    int fd = -1, status = 0;
    char ending[128], mark;
    const char *bad;
    pid_t pid;
    bool ok;

    (void)snprintf(tmpdir, sizeof(tmpdir), "/tmp/carnot-unit.XXXXXX");
    if (!mkdtemp(tmpdir) || (pid = _start_case(c, suite, &fd)) < 0) {
        (void)printf("not ok %d - %s:%s\n# cannot start: %s\n", number, suite, c->name,
                     strerror(errno));
        return false;
    }
    mark = _read_report(fd, pid, &status);
    (void)kill(-pid, SIGKILL);
    while (waitpid(-pid, NULL, 0) > 0 || errno == EINTR)
        ; /* what the case left behind is ours since it ended */
    (void)close(fd);
    (void)nftw(tmpdir, _remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    bad = _describe_end(ending, sizeof(ending), status, mark);
    ok = !bad && (mark == mark_skip || report[0] == '\0');
    (void)printf("%s %d - %s:%s", ok ? "ok" : "not ok", number, suite, c->name);
    if (ok && mark == mark_skip)
        (void)printf(" # SKIP %s", report);
    (void)printf("\n");
    if (!ok)
        (void)printf("%s", report); /* lines of their own */
    if (bad)
        (void)printf("# %s\n", bad);
    return ok;
}

/* Is the case among those that the command line names ("suite:case", "case"; none: all)? */
static bool _is_chosen(const struct unit_case *c, const char *suite, int argc, char **argv)
{
    size_t n = strlen(suite);

    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];

        if (strncmp(name, suite, n) == 0 && (name[n] == ':' || name[n] == '\0'))
            name += name[n] ? n + 1 : n;
        if (*name == '\0' || strcmp(name, c->name) == 0)
            return true;
    }
    return argc < 2;
}

int unit_main(int argc, char **argv, const struct unit_case cases[], const char *suite)
{
    int chosen = 0, number = 0, failed = 0;
    bool list = argc == 2 && strcmp(argv[1], "--list") == 0;

    for (const struct unit_case *c = cases; c->name; c++) {
        if (list)
            (void)printf("%s:%s\n", suite, c->name);
        else
            chosen += _is_chosen(c, suite, argc, argv);
    }
    if (list)
        return 0;
    if (chosen == 0) {
        (void)fprintf(stderr, "%s: no such case, see --list\n", argv[0]);
        return 2;
    }
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)printf("1..%d\n", chosen);
    for (const struct unit_case *c = cases; c->name; c++) {
        if (_is_chosen(c, suite, argc, argv) && !_report_case(c, suite, ++number))
            failed++;
    }
    return failed ? 1 : 0;
}
