/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two verbs. Setting journals what is there, lowers limits, and reads them back; restoring
 * puts back what the journal holds. Whatever ends the process at whichever moment, the next restore
 * finds the journal of every limit that was changed. Blocks on drivers and the disk; the caller
 * sees to it that there is one process at a time.
 */
#ifndef CARNOT_POWERCAP_CAP_H
#define CARNOT_POWERCAP_CAP_H

#include "common/cap_message.h"

struct cap_place {
    const char *sysroot; /* "" is the running system */
    const char *journal; /* path of the file */
    const char *boot;    /* what limits do not outlive */
};

/* Limit the node's packages and GPUs together to cap (each gets the same share of its maximum), or
 * each of the job's GPUs. A limit is only ever lowered, never below a quarter of its maximum or
 * what the hardware calls its minimum. An earlier cap is taken back first. */
void cap_set(const struct cap_place *p, const struct cap_request *r, struct cap_answer *a);

/* Put back what the journal holds. A limit that somebody else has changed meanwhile stays as it is,
 * and is reported; one that cannot be written keeps the journal there for the next time. */
void cap_restore(const struct cap_place *p, struct cap_answer *a);

#endif
