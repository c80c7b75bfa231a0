/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The board in slurmctld's memory: a thread of ours notices a new file, reads and checks it, and
 * swaps a pointer. A submission only borrows the pointer: no disk, no checksum, no allocation under
 * slurmctld's locks.
 */
#ifndef CARNOT_PLUGIN_JOB_SUBMIT_BOARD_LOADER_H
#define CARNOT_PLUGIN_JOB_SUBMIT_BOARD_LOADER_H

#include <stdint.h>
#include "placement/board.h"

/* A board that lives until its last holder lets it go. */
struct held_board {
    struct board board;
    int holders; /* guarded by the loader's mutex */
};

/* Start the thread for the file at path. The first look at the file happens here, so that a board
 * that is there counts at once. 0 or -1 (no thread: the plugin then decides nothing). */
int board_loader_start(const char *path);

/* End and join the thread, drop the board. Safe when not started. */
void board_loader_stop(void);

/* The board in force, or NULL: none, broken, or older than it allows at now_ms. Give it back with
 * board_loader_put. */
struct held_board *board_loader_get(int64_t now_ms);
void board_loader_put(struct held_board *held); /* NULL is legal */

#endif
