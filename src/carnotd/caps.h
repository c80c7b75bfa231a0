/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The power cap that a job asked for: set while the job holds the node alone, and put back when it
 * ends, when it is no longer alone, when the daemon ends, and when it starts after a crash; then it
 * is set again if the job still runs. The daemon writes no limit: carnot-powercap does, asked over
 * a socket (common/cap_message.h) whose answer the event loop waits for, so that no tick does. What
 * became of a cap is a line of the log and of the telemetry log.
 */
#ifndef CARNOT_CARNOTD_CAPS_H
#define CARNOT_CARNOTD_CAPS_H

#include <stdbool.h>
#include <event2/event.h>

#include "carnotd/sampler.h"
#include "common/cap_message.h"

struct caps {
    struct event_base *base;
    struct sampler *sampler;          /* its jobs; not changed but for lines in its log */
    char socket[108];                 /* "" = no cap is ever set; as large as sun_path */
    char file[SETTINGS_PATH_MAX + 8]; /* of whom the next run sets it again (cap_file.h) */
    uint32_t kept;                    /* the job in there; 0 = none */
    /* The exchange that runs: asked is CAP_VERB_NONE and fd is -1 without one. */
    enum cap_verb asked;
    int fd;
    struct event *event;
    /* The job whose cap is in force, or may be since it was asked for; 0 = none. */
    uint32_t holder;
    struct power_cap cap;
    /* What is to be put back, or may be; not before retry_ms. */
    bool restore;
    int64_t retry_ms;
    bool failing; /* that it cannot be put back was said */
    /* The job that wants a cap and has had no answer; 0 = none. */
    uint32_t wanted;
    struct power_cap wanted_cap;
    bool exclusive; /* Slurm says that it gets whole nodes */
    /* For those who watch: how often something became of a cap, as the lines of the log say it, and
     * how many limits are lowered, as far as is known. */
    uint64_t counts[CAP_N_RESULTS];
    uint32_t limits;
};

/* Nothing is known of the limits that an earlier run left, so the first thing asked for is a
 * restore; the second is the cap of the job that an earlier run of this boot has kept in state_dir,
 * if it is among the sampler's. socket "" = none. 0, or -1 and e: a path is too long. */
int caps_open(struct caps *c, struct event_base *base, struct sampler *s, const char *socket,
              const char *state_dir, struct err *e);

/* A message came, and the sampler knows it already. Does not block. */
void caps_event(struct caps *c, const struct node_event *ev);

/* On each tick: jobs that have gone without a message, retries. Does not block. */
void caps_look(struct caps *c);

/* The loop has ended: put back what is in force. Blocks for CAP_ANSWER_MS at most. */
void caps_end(struct caps *c);

void caps_close(struct caps *c);

#endif
