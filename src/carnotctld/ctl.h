/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The controller's state: one struct, one thread (the event loop), handed to every module.
 * Each part is written by the module named beside it and read by the others.
 */
#ifndef CARNOT_CARNOTCTLD_CTL_H
#define CARNOT_CARNOTCTLD_CTL_H

#include <event2/event.h>
#include <jansson.h>
#include <stdint.h>

#include "carbon/feed.h"
#include "carbon/forecast.h"
#include "carbon/forecast_error.h"
#include "carnotctld/snapshot.h"
#include "common/clock.h"
#include "common/settings.h"
#include "ledger/ledger.h"
#include "placement/board.h"

/* A switch of `carnot on|off`. */
struct ctl_switch {
    int scope; /* enum board_scope */
    char name[LEDGER_NAME_MAX];
    int mode; /* 0 observe, 1 act */
};

/* How a user's jobs ran of late; history.c. */
struct ctl_past {
    struct board_past past;
    int64_t end_s[BOARD_PAST_RUNS]; /* of its runs */
};

/* What is known of a node beside the ledger's totals. */
struct ctl_node {
    char name[LEDGER_NAME_MAX];
    char version[32], quality[16], coverage[64];
    double power_w; /* of its last record */
    int64_t heard_ms;
    int64_t counted_ms; /* end of its last record that was counted */
    json_t *troubles;   /* its sources that gave nothing usable then: nodes_note_sources() */
};

struct ctl {
    const char *conf_path;
    struct settings set;
    const struct clock_ops *clock;
    struct event_base *base;
    int64_t started_ms;
    uid_t node_uid; /* carnotd's user: reports of nodes count from him and from root */
    ledger_t *ledger;

    /* feed_watch */
    struct feed feed;         /* samples as last read; n == 0: none yet */
    struct feed past;         /* intensity for accounting: what the ledger remembers */
    struct feed basis;        /* of forecasts: the feed, and what is remembered from before it */
    struct forecast forecast; /* rebuilt before each board */
    uint64_t feed_version;    /* counts up when the samples change */

    /* forecast_log */
    struct forecast_error errors[FORECAST_ERROR_ROWS][FORECAST_QUALITIES];
    int errors_known; /* the ledger was asked */
    int64_t noted_s;  /* end of the hour in which forecasts were written down last */

    /* tracker */
    struct snapshot *snap;   /* Slurm's last complete list, or NULL */
    struct ledger_job *jobs; /* every run that is not settled; sorted by job id, restart, submit */
    size_t n_jobs, room_jobs;
    uint64_t jobs_changes; /* counts up when a job comes, starts or ends */

    /* history */
    struct ctl_past *pasts; /* in the order of the board */
    size_t n_pasts;

    /* publisher */
    struct board board; /* as last built */
    uint64_t board_seq;
    int64_t board_ms; /* when it was published; 0 = never */
    int dirty;        /* something changed that a new board should say */

    /* planner */
    uint64_t planned_version;  /* feed_version that all that waits was planned with last */
    uint64_t planned_changes;  /* and jobs_changes */
    int64_t planned_s;         /* and when */
    int64_t planned_listed_ms; /* the list that was planned with */
    struct replan *replan;     /* the pass over all that waits, while it goes on */

    /* steering */
    struct ctl_steering {
        double lambda_ug_per_s;  /* for a job of weight 1 */
        int64_t target_s;        /* what it was steered to */
        int64_t jobs;            /* that were taken into account */
        double mean_wait_s;      /* of them, the newest counting most */
        int changed;             /* since it was written down */
        uint64_t solved_version; /* feed_version that it was solved for on past jobs */
    } steering;

    /* pauser */
    uint64_t paused_version;  /* feed_version that was planned with */
    int64_t paused_listed_ms; /* and the list */
    size_t pauser_next;       /* where in the list it goes on; 0 = at its begin */
    size_t pauser_fresh;      /* jobs of it that it has not judged with the newest samples */

    /* site_load */
    struct ctl_load {
        double threshold;   /* g/kWh, placement/pause_rule.h; NAN = none */
        int64_t looked_s;   /* when it was found; 0 = not yet */
        uint64_t version;   /* feed_version that it was found with */
        double used_cpus;   /* mean of a week */
        int64_t used_until; /* the hour that it reaches to; 0 = not known */
    } load;

    /* accounts */
    struct accounting *accounting; /* as last read; NULL = not yet */
    int64_t accounts_asked_ms;

    /* native */
    struct native_limit *limits;
    size_t n_limits;
    int limits_loaded;

    /* switches */
    struct ctl_switch *switches;
    size_t n_switches;

    struct {                      /* `carnot off --now`: waiting jobs are being let go; let_go.c */
        int64_t begun_s, until_s; /* 0 = no */
        char by[LEDGER_NAME_MAX];
    } let_go;

    /* report */
    struct ctl_node *nodes;
    size_t n_nodes;
};

static inline int64_t ctl_now_ms(const struct ctl *c)
{
    return clock_wall_ms(c->clock);
}

static inline int64_t ctl_now_s(const struct ctl *c)
{
    return clock_wall_ms(c->clock) / 1000;
}

#endif
