/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Restoring. Done twice it does the same: what reads as the old value already is left.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "powercap/cap.h"
#include "powercap/journal.h"

/* A fault: why says the first one. */
static bool _fault(struct cap_answer *a, const struct journal_entry *entry, const char *what)
{
    if (a->result != CAP_FAILED)
        (void)err_set(&a->why, "the limit of %s %s", entry->id, what);
    a->result = CAP_FAILED;
    return false;
}

/* One limit. Is it done with? */
static bool _restore(struct limits *l, const struct journal_entry *entry, struct cap_answer *a)
{
    const struct limit *limit = limits_find(l, entry->kind, entry->id);
    uint64_t now_uw;

    if (!limit)
        return _fault(a, entry, "cannot be found");
    if (limit->now_uw == entry->old_uw)
        return true;
    if (entry->actual_uw && limit->now_uw != entry->actual_uw) {
        if (a->result == CAP_RESTORED)
            (void)err_set(&a->why,
                          "somebody else has set %s to %" PRIu64 " mW: left so (it was %" PRIu64
                          " mW before)",
                          limit->name, limit->now_uw / 1000, entry->old_uw / 1000);
        if (a->result == CAP_RESTORED)
            a->result = CAP_DIFFERS;
        return true;
    }
    /* setting leaves such limits alone, so this is none that we wrote down */
    if (limit->max_uw && entry->old_uw > limit->max_uw)
        return _fault(a, entry, "was above the hardware's maximum, by the journal: not written");
    if (limit_write(l, limit, entry->old_uw) < 0)
        return _fault(a, entry,
                      errno == EACCES || errno == EPERM ? "may not be written" : "is not taken");
    a->limits++;
    if (limit_read(l, limit, &now_uw) < 0 || !limit_same(now_uw, entry->old_uw))
        return _fault(a, entry, "does not read back as it was before");
    return true;
}

void cap_restore(const struct cap_place *p, struct cap_answer *a)
{
    struct journal journal;
    struct limits limits;
    bool done = true;
    int rc;

    memset(a, 0, sizeof(*a));
    a->result = CAP_RESTORED;
    rc = journal_read(&journal, p->journal, &a->why);
    if (rc < 0)
        a->result = CAP_FAILED;
    if (rc <= 0)
        return;
    if (strcmp(journal.boot, p->boot) != 0) {
        (void)err_set(&a->why, "the journal is of an earlier boot, which its limits went with");
    } else {
        limits_open(&limits, p->sysroot);
        for (int i = 0; i < journal.n; i++)
            done &= _restore(&limits, &journal.v[i], a);
        limits_close(&limits);
    }
    if (done && journal_remove(p->journal, &a->why) < 0)
        a->result = CAP_FAILED;
}
