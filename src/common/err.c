/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error texts in the caller's struct. Each text is built in a local buffer
 * first, because arguments may point into the struct that is written. No
 * logging, no allocation; any thread.
 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"

/* Texts end in terminals and in log files of one line an event. */
static void _commit(struct err *e, const char *text)
{
    size_t i = 0;

    for (; text[i] && i + 1 < sizeof(e->text); i++) {
        unsigned char c = (unsigned char)text[i];

        e->text[i] = (c < 0x20 || c == 0x7f) ? '?' : text[i];
    }
    e->text[i] = '\0';
}

int err_set(struct err *e, const char *fmt, ...)
{
    int saved = errno;
    char text[sizeof(e->text)];
    va_list ap;

    if (e) {
        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        _commit(e, text);
    }
    errno = saved;
    return -1;
}

int err_errno(struct err *e, const char *fmt, ...)
{
    int saved = errno;
    char text[sizeof(e->text)], reason[128];
    size_t used;
    va_list ap;

    if (e) {
        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        used = strlen(text);
        /* the GNU form returns the text, which need not be in the buffer */
        (void)snprintf(text + used, sizeof(text) - used, ": %s",
                       strerror_r(saved, reason, sizeof(reason)));
        _commit(e, text);
    }
    errno = saved;
    return -1;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
    int saved = errno;
    char text[2 * sizeof(e->text) + 2];
    size_t used;
    va_list ap;

    if (e) {
        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(e->text), fmt, ap);
        va_end(ap);
        used = strlen(text);
        (void)snprintf(text + used, sizeof(text) - used, ": %s", e->text);
        _commit(e, text);
    }
    errno = saved;
    return -1;
}

char *err_quote(char *buf, size_t size, const char *text)
{
    size_t i = 0;

    if (size == 0)
        return buf;
    for (; text && text[i] && i + 1 < size; i++) {
        unsigned char c = (unsigned char)text[i];

        buf[i] = (c < 0x20 || c > 0x7e) ? '?' : text[i];
    }
    buf[i] = '\0';
    if (text && text[i] && size > 4)
        memcpy(buf + size - 4, "...", 4);
    return buf;
}
