/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listing directories without allocation: opendir() takes 32 KiB from the heap
 * each time, and carnotd's ticks take nothing.
 */
#ifndef CARNOT_CARNOTD_DIR_H
#define CARNOT_CARNOTD_DIR_H

/* Return non-zero to stop. */
typedef int (*dir_entry_cb)(const char *name, void *arg);

/* Call back for each sub-directory of path, "." and ".." and links left out. What the callback
 * returned if it stopped, 0 at the end, -1 and errno when path cannot be listed. */
int dir_each(const char *path, dir_entry_cb cb, void *arg);

#endif
