/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What CUnit lacks as a runner: each test case is a process of its own, so that
 * exit(), crashes, leaks and endless loops in the code under test fail that case
 * alone. Prints TAP. Checks are CUnit's CU_ASSERT_* or the UNIT_* below, which
 * also say what was got and which row of a table it was.
 *
 *   ./test_units                    every case
 *   ./test_units units:energy       one case (several may be named)
 *   ./test_units --list
 *
 * $CARNOT_UNIT_TIMEOUT changes the 20 seconds that a case may take.
 */
#ifndef CARNOT_TESTS_UNIT_H
#define CARNOT_TESTS_UNIT_H

#include <stddef.h>
#include <stdint.h>
#include <CUnit/CUnit.h>
#include "common/clock.h"

struct unit_case {
    const char *name; /* NULL ends the table */
    void (*run)(void);
};

/* The whole of main(): returns 0 when no case failed, 1, or 2 on bad usage. */
int unit_main(int argc, char **argv, const struct unit_case cases[], const char *suite);

/* End the current case as not run; the reason is printed. */
void unit_skip(const char *reason) __attribute__((noreturn));

/* Path of a file below $CARNOT_TESTDATA, or the tree's default for it: buf, or
 * NULL when there is no such file (then skip). */
char *unit_testdata(char *buf, size_t size, const char *name);

/* An empty directory of this case, removed with all that is in it when the case ends. */
const char *unit_tmpdir(void);

/* A clock that stands still until the test moves it, but for the step that each look at its
 * monotonic time takes: unit_clock.arg is the struct. */
struct unit_clock {
    int64_t wall_ms;
    int64_t mono_ms;
    int64_t mono_step_ms;
};
struct clock_ops unit_clock_ops(struct unit_clock *clock);

/* Each takes a printf text that names the row: UNIT_OK(p != NULL, "row %d", i). They record
 * the failure and go on; the value of UNIT_OK is that of the condition. */
#define UNIT_OK(cond, ...) unit_check(!!(cond), __LINE__, __FILE__, #cond, __VA_ARGS__)
#define UNIT_INT(got, want, ...)                                                                   \
    unit_check_int((long long)(got), (long long)(want), __LINE__, __FILE__, #got, __VA_ARGS__)
#define UNIT_DBL(got, want, within, ...)                                                           \
    unit_check_dbl((got), (want), (within), __LINE__, __FILE__, #got, __VA_ARGS__)
#define UNIT_STR(got, want, ...)                                                                   \
    unit_check_str((got), (want), __LINE__, __FILE__, #got, __VA_ARGS__)

int unit_check(int ok, unsigned line, const char *file, const char *expr, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
int unit_check_int(long long got, long long want, unsigned line, const char *file, const char *expr,
                   const char *fmt, ...) __attribute__((format(printf, 6, 7)));
int unit_check_dbl(double got, double want, double within, unsigned line, const char *file,
                   const char *expr, const char *fmt, ...) __attribute__((format(printf, 7, 8)));
int unit_check_str(const char *got, const char *want, unsigned line, const char *file,
                   const char *expr, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

#endif
