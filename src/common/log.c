/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logging of the programs: builds one line in a local buffer and hands it to
 * the handler, by default one write to stderr, so that lines of several threads
 * do not mix. No allocation. Set-up is for the start, log_msg for any thread.
 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/when.h"

#define LINE_MAX_SIZE 1024

static void _write_stderr(int level, const char *line, void *arg);

static log_handler_f handler_f = _write_stderr; /* never NULL */
static void *handler_arg;
static char program_name[32] = "carnot";
static int max_written = LOG_INFO;
static bool to_journal; /* stderr is the journal's stream */

static const char *_level_name(int level)
{
    static const char *const names[] = {"emerg",   "alert",  "crit", "err",
                                        "warning", "notice", "info", "debug"};

    return level >= 0 && level <= LOG_DEBUG ? names[level] : "?";
}

/* JOURNAL_STREAM is inherited by what a service starts with another stderr, so systemd
 * puts device and inode of the stream into it for us to compare. */
static bool _is_journal(void)
{
    const char *text = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;

    return text && sscanf(text, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

static void _write_stderr(int level, const char *line, void *arg)
{
    char buf[LINE_MAX_SIZE + 128], stamp[32];
    const char *p = buf;
    int n;

    (void)arg;
    if (to_journal)
        n = snprintf(buf, sizeof(buf), "<%d>%s\n", level, line);
    else
        n = snprintf(buf, sizeof(buf), "%s %s[%s]: %s\n",
                     when_format_rfc3339_ms(stamp, sizeof(stamp), clock_wall_ms(&clock_system)),
                     program_name, _level_name(level), line);
    if (n < 0)
        return;
    if ((size_t)n >= sizeof(buf)) {
        n = (int)sizeof(buf) - 1;
        buf[n - 1] = '\n';
    }
    while (n > 0) {
        ssize_t put = write(STDERR_FILENO, p, (size_t)n);

        if (put < 0 && errno != EINTR)
            return; /* nowhere left to say so */
        if (put > 0) {
            p += put;
            n -= (int)put;
        }
    }
}

void log_set_handler(log_handler_f handler, void *arg)
{
    handler_f = handler ? handler : _write_stderr;
    handler_arg = handler ? arg : NULL;
}

void log_init(const char *program, int max_level)
{
    (void)snprintf(program_name, sizeof(program_name), "%s", program);
    max_written = max_level;
    to_journal = _is_journal();
}

void log_msg(int level, const char *fmt, ...)
{
    int saved = errno;
    char line[LINE_MAX_SIZE];
    va_list ap;

    if (level > max_written)
        return;
    va_start(ap, fmt);
    if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
        line[0] = '\0';
    va_end(ap);
    /* one event is one line, whatever a job's name holds */
    for (char *p = line; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    }
    handler_f(level, line, handler_arg);
    errno = saved;
}
