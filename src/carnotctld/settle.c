/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's end of a job against what its nodes have accounted for.
 */
#include "config.h"

#include <string.h>

#include "carnotctld/nodelist.h"
#include "carnotctld/settle.h"
#include "carnotctld/tracker.h"

struct awaited {
    const struct ctl *c;
    int64_t end_ms;
};

static int not_reported(const char *name, void *arg)
{
    const struct awaited *a = arg;
    for (size_t i = 0; i < a->c->n_nodes; i++)
        if (strcmp(a->c->nodes[i].name, name) == 0)
            return a->c->nodes[i].counted_ms < a->end_ms;
    return 1;
}

/* Have all its nodes accounted for more time than until then? Slurm's end is a whole second. */
static int all_reported(const struct ctl *c, const struct ledger_job *row, int64_t until_s)
{
    struct awaited a = {c, (until_s + 1) * 1000};
    return row->nodelist[0] && row->nodes <= 256 &&
           nodelist_each(row->nodelist, not_reported, &a) == 0;
}

int settle_is_due(const struct ctl *c, const struct ledger_job *row)
{
    int64_t now_s = ctl_now_s(c);
    int lost = strcmp(row->state, "GONE") == 0;
    int64_t usual_s = 2 * (c->set.node.report_interval_ms + c->set.node.log_interval_ms) / 1000 + 3;
    int64_t wait_s = lost && usual_s < TRACKER_LEFTOVER_S ? TRACKER_LEFTOVER_S : usual_s;
    int64_t until_s =
        lost && row->measured_until_s > row->end_s ? row->measured_until_s : row->end_s;
    return row->start_s == 0 || row->end_s + wait_s <= now_s || all_reported(c, row, until_s);
}
