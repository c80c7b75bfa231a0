/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the SPANK plugin tells carnotd on the same node: jobs and steps begin
 * and end. One line of text a message, versioned by its first word:
 *
 *   carnot1 event=start job=123 uid=1000 node=n1 ncpus=4 gpus=0,1 restart=0 t_ms=1764000000123
 *   carnot1 event=step job=123 step=batch uid=1000 node=n1 ncpus=4 cores=0-3 array_job=120
 *   array_task=3 t_ms=1764000000456          (one line: no newline in it)
 *
 * It travels over carnotd's unix socket (SOCK_SEQPACKET; mode 0600 and peer uid 0 by
 * SO_PEERCRED): connect, one message without newline or NUL, close. There is no answer. A message
 * may be lost or come twice; "end" without "start" happens (salloc runs no prolog
 * without PrologFlags=Alloc). Pure text here, no socket; no allocation; any thread.
 */
#ifndef CARNOT_COMMON_NODE_EVENT_H
#define CARNOT_COMMON_NODE_EVENT_H

#include <stddef.h>
#include <stdint.h>
#include "common/err.h"
#include "common/power_cap.h"

#define NODE_EVENT_MAX 512      /* bytes of a message, at most */
#define NODE_EVENT_STEP_MAX 16  /* "batch", "extern", "interactive", or the step's number */
#define NODE_EVENT_NODE_MAX 64  /* a node's name: letters, digits, . _ - */
#define NODE_EVENT_LIST_MAX 192 /* "0-3,8": digits, commas and dashes */
#define NODE_EVENT_UNKNOWN UINT32_MAX

enum node_event_kind {
    NODE_EVENT_NONE = 0,
    NODE_EVENT_START,    /* the job's prolog on this node */
    NODE_EVENT_STEP,     /* a step of it begins */
    NODE_EVENT_STEP_END, /* a step has ended */
    NODE_EVENT_END       /* the job's epilog on this node */
};

/* What is not known is left out of the message: NODE_EVENT_UNKNOWN in numbers, "" in texts. Which
 * event carries what is what Slurm 22.05 was seen to tell rightly there; a reader takes whatever is
 * known whenever it comes. */
struct node_event {
    enum node_event_kind kind;
    uint32_t job_id; /* never 0 or unknown */
    uint32_t uid;
    char step[NODE_EVENT_STEP_MAX]; /* given for STEP and STEP_END, "" else */
    char node[NODE_EVENT_NODE_MAX]; /* Slurm's name of the node */
    uint32_t ncpus;       /* CPUs (hardware threads) of the job here: START, END, batch step;
                           * unknown when the job has differing counts on its nodes */
    struct power_cap cap; /* START: what the job asked for */
    uint32_t exclusive;   /* START, with cap: 1 = Slurm gives the job whole nodes */
    char cores[NODE_EVENT_LIST_MAX]; /* steps: the job's cores here, Slurm's abstract numbers */
    char gpus[NODE_EVENT_LIST_MAX];  /* START, END: GPU indices on this node */
    uint32_t restart;                /* START: how often the job was requeued before this run */
    uint32_t array_job_id;           /* steps; unknown when the job is no array task */
    uint32_t array_task_id;
    int64_t t_ms; /* wall clock of the sender */
};

/* Everything unknown. */
void node_event_init(struct node_event *ev);

const char *node_event_kind_name(enum node_event_kind k); /* "start", "step", "stepend", "end" */

/* Write the message into buf, with a NUL behind it. Lists that would make it longer than
 * NODE_EVENT_MAX are left out: a list that was cut would be a lie. Length without the NUL, or -1
 * and errno (EINVAL: kind, job or a text that the parser would refuse; ENOSPC: buf too small;
 * NODE_EVENT_MAX + 1 always suffices). */
int node_event_format(char *buf, size_t size, const struct node_event *ev);

/* Read a message of size bytes (not terminated). Unknown keys of the same version are
 * skipped, so that plugin and daemon may differ by a release; anything else that is not as above,
 * repeated keys included, is an error. 0, or -1, e and *ev unchanged. */
int node_event_parse(struct node_event *ev, const char *text, size_t size, struct err *e);

#endif
