/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's end of a job against what its nodes have accounted for.
 */
#include "config.h"

#include <string.h>

#include "carnotctld/nodelist.h"
#include "carnotctld/nodes.h"
#include "carnotctld/settle.h"
#include "carnotctld/tracker.h"

/* slurmctld writes its jobs down 5 s after a change (SAVE_MAX_WAIT in its state_save.c), and that
 * takes a moment: for so long a kill may make it forget that a run has ended. */
#define SLURM_SAVES_S 10

struct awaited {
    const struct ctl *c;
    int64_t end_ms;
    int missing, silent; /* nodes that have not accounted for it; that have never reported */
};

static int look_at(const char *name, void *arg)
{
    struct awaited *a = arg;
    const struct ctl_node *n = nodes_find(a->c, name);
    if (n)
        a->missing += n->counted_ms < a->end_ms;
    else
        a->silent++;
    return 0;
}

int settle_is_lost(const struct ledger_job *row)
{
    return strcmp(row->state, "GONE") == 0;
}

int settle_was_requeued(const struct ledger_job *row)
{
    return strcmp(row->state, "REQUEUED") == 0;
}

static int never_ran(const struct ledger_job *row)
{
    return row->start_s == 0 && !row->nodelist[0] && row->measured_until_s == 0 &&
           !settle_was_requeued(row);
}

int settle_is_due(const struct ctl *c, const struct ledger_job *row)
{
    int64_t now_s = ctl_now_s(c), until_s = row->end_s;
    int64_t usual_s = 2 * (c->set.node.report_interval_ms + c->set.node.log_interval_ms) / 1000 + 3;
    int lost = settle_is_lost(row);
    int begins_yet = lost && row->measured_until_s == 0; /* its node may be about to launch it */
    if (lost && row->measured_until_s > until_s)
        until_s = row->measured_until_s;
    /* Slurm's end is a whole second. */
    struct awaited a = {.c = c, .end_ms = (until_s + 1) * 1000};
    if (never_ran(row))
        return 1;
    if (!lost && row->end_s + SLURM_SAVES_S > now_s)
        return 0;
    int known = row->nodelist[0] && nodelist_each(row->nodelist, look_at, &a) == 0;
    if (known && !a.missing && !a.silent && !begins_yet)
        return 1;
    int64_t wait_s =
        (lost || a.missing) && usual_s < TRACKER_LEFTOVER_S ? TRACKER_LEFTOVER_S : usual_s;
    return row->end_s + wait_s <= now_s;
}
