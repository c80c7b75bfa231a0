/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The counters as a file beside the board, for `carnot status` and whoever watches Carnot:
 * docs/formats.md describes it. Only the loader's thread comes here once it runs: it waits for the
 * disk.
 */
#ifndef CARNOT_PLUGIN_JOB_SUBMIT_COUNTERS_FILE_H
#define CARNOT_PLUGIN_JOB_SUBMIT_COUNTERS_FILE_H

#include <stdint.h>
#include "placement/board.h"

#define COUNTERS_FILE_EVERY_MS 2000

/* The file will be board_path with ".plugin" behind it. */
void counters_file_init(const char *board_path, int64_t now_ms);

/* Write it if that is due, or a board has come or is gone; b is the board read last, or NULL. A
 * file that cannot be written and a lease table that is full are one line in slurmctld's log, and
 * one when that is over. */
void counters_file_look(const struct board *b, int64_t now_ms);

#endif
