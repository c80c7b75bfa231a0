/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The helper's side of power/helper.h: for each line on standard input one on standard output.
 */
#ifndef CARNOT_HELPER_ANSWER_H
#define CARNOT_HELPER_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define ANSWER_MS 30000 /* one answer, with all that it takes; carnotd waits 35 s */

/* Get the next number before until_ms (clock_system, monotonic). 0 and *value, or -1, errno and e.
 */
typedef int (*answer_f)(void *arg, int64_t until_ms, double *value, struct err *e);

/* Until standard input ends: 0; 1 when standard output cannot be written. What goes wrong is said
 * on standard error when its errno changes. */
int answer_run(const char *program, answer_f get, void *arg);

/* Has the other side gone, while an answer is being got? */
bool answer_is_late(void);

#endif
