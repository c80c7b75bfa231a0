/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be said of one job of `jobs`: labels and derived figures, each honest
 * about what is not known.
 */
#ifndef CARNOT_JOB_ROW_H
#define CARNOT_JOB_ROW_H

#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

/* "81234", or "81240_7" for a task. Returns buf; 32 bytes suffice. */
char *job_row_label(char *buf, size_t size, const json_t *row);
/* Slurm's short form: "CD"; the first letters of a state unknown here. Static or row's own text. */
const char *job_row_state(const json_t *row);
/* M measured, S split, E estimated, - none. */
const char *job_row_quality(const json_t *row);
/* Seconds from start to end, or to now_s; -1 before the start. */
int64_t job_row_elapsed(const json_t *row, int64_t now_s);
/* Served because of Carnot; ANSWER_NONE when not known or before the start. */
int64_t job_row_wait(const json_t *row);
/* Grams saved against the same energy drawn at once; NAN unless the job waited and both are known.
 */
double job_row_saved_g(const json_t *row);

/* For sorting by submission, an array's tasks side by side: < 0, 0, > 0. */
int job_row_compare(const json_t *a, const json_t *b);

#endif
