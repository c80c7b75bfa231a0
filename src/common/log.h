/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logging of the programs (never of the libraries below them): one line an
 * event, levels as syslog's. Default handler: stderr, "<N>" prefix under
 * systemd (JOURNAL_STREAM set), else "RFC3339 program[level]: text".
 */
#ifndef CARNOT_COMMON_LOG_H
#define CARNOT_COMMON_LOG_H

#include <syslog.h>

typedef void (*log_handler_f)(int level, const char *line, void *arg);

/* Replace where lines go; NULL puts the default back. Not thread-safe: at start. */
void log_set_handler(log_handler_f handler, void *arg);
/* Name in each line, and the highest level that is written (LOG_INFO at start). */
void log_init(const char *program, int max_level);

void log_msg(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define log_err(...) log_msg(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_msg(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_msg(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_DEBUG, __VA_ARGS__)

#endif
