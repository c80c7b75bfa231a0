/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The message of a job that is to have a power cap, as long as it is to have it: what the daemon's
 * next run sets it again by. Limits and job ids do not outlive a boot, and neither does what the
 * file says; so it need not be synced. Blocks on the disk; one thread.
 */
#ifndef CARNOT_CARNOTD_CAP_FILE_H
#define CARNOT_CARNOTD_CAP_FILE_H

#include "common/node_event.h"

#define CAP_FILE_NAME "capped-job"

/* Replace the file by the beginning of this job in this boot. 0, or -1 and e. */
int cap_file_save(const char *path, const char *boot, const struct node_event *ev, struct err *e);

/* 1 and *ev, a NODE_EVENT_START with a cap; 0 when there is none of this boot ("unknown" is none);
 * -1 and e, also when it is not as it was written. */
int cap_file_load(struct node_event *ev, const char *path, const char *boot, struct err *e);

#endif
